"""The tape on which a program is written: places, constants, instructions, priors and starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from bayescluster.arrays import Array
from bayescluster.kernel import machine
from bayescluster.model.priors import ordered_normals
from bayescluster.spec.priors import (
    Beta,
    Distribution,
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    LogNormal,
    Normal,
    StudentT,
)

START = 0.5
"""Half-width of the starts of a coordinate, in units that suit it."""


class Slot(NamedTuple):
    """A reported variable: its place in the vector, shape and dimensions."""

    name: str
    at: int
    shape: tuple[int, ...]
    dims: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape))


class Free(NamedTuple):
    """Coordinates that are sampled: how their prior is drawn, and where chains start.

    ``draw`` gives ``(draw, element)`` prior draws, ``start`` the middle of the starts and ``jitter`` their
    half-width. Effects are given as standard normals, coefficients by themselves, as the machine takes them with ``noise``.
    """

    name: str
    at: int
    size: int
    draw: Callable[[np.random.Generator, int], Array]
    start: Array
    jitter: Array


class Moved(NamedTuple):
    """Coordinates that are a value plus something computed: ``x = value + shift`` where ``which``."""

    x: NDArray[np.int64]
    value: NDArray[np.int64]
    shift: NDArray[np.int64]


class Watched(NamedTuple):
    """Places of the levels of a grouping, and of their effects, ``(group, term)``, and of their sds."""

    equation: str
    grouping: str
    shape: tuple[int, int]
    levels: int
    effects: int
    sd: int


class Program(NamedTuple):
    """Instructions and constants, as the machine takes them."""

    instructions: NDArray[np.int64]
    start: Array
    numbers: Array
    integers: NDArray[np.int64]
    coordinates: NDArray[np.int64]
    """Place of each coordinate in the vector."""
    free: tuple[Free, ...]
    reported: tuple[Slot, ...]
    moved: tuple[Moved, ...]
    watched: tuple[Watched, ...]
    """Groupings whose geometry is open: the analysis does not say."""
    order: NDArray[np.int64]
    """Rows of the design in the order in which the machine takes them."""

    @property
    def size(self) -> int:
        """Number of coordinates."""
        return sum(part.size for part in self.free)

    def names(self) -> list[str]:
        """Name of each coordinate."""
        return [f"{part.name}[{k}]" for part in self.free for k in range(part.size)]

    def density(self, x: Array) -> tuple[float, Array]:
        """Log density at a point, up to a constant, and its gradient."""
        point, gradient, density = np.ascontiguousarray(x, "float64"), np.zeros(x.size), np.empty(1)
        data = self.addresses()
        pointers = [machine.pointer(each) for each in (point, gradient, density, data)]
        machine.density_callback.ctypes(x.size, *pointers)
        return float(density[0]), gradient

    def values(self, x: Array, noise: bool = False) -> Array:
        """Everything computed at a point."""
        point, v = np.ascontiguousarray(x, "float64"), np.empty(self.start.size)
        slices = np.array([[0, v.size]])
        data = self.addresses(slices, machine.NOISE if noise else machine.FORWARD)
        pointers = [machine.pointer(each) for each in (point, v, data)]
        machine.expand_callback.ctypes(x.size, v.size, *pointers)
        return v

    def addresses(
        self, slices: NDArray[np.int64] | None = None, mode: int = machine.FORWARD
    ) -> NDArray[np.int64]:
        """What the machine is given; program and slices, ``(slice, 2)``, must outlive its use."""
        parts = self.instructions, self.start, self.numbers, self.integers, self.coordinates
        found = [*(part.ctypes.data for part in parts), len(self.instructions), self.start.size]
        if slices is not None:
            found += [len(slices), slices.ctypes.data, mode]
        return np.array(found, dtype="int64")

    def placed(self, x: Array) -> Array:
        """Coordinates of a point that is given by standard normals and values."""
        v = self.values(x, noise=True)
        for part in self.moved:
            v[part.x] = v[part.value] + v[part.shift]
        return np.asarray(v[self.coordinates])

    def starting_point(self, rng: np.random.Generator) -> Array:
        """A point to start a chain from."""
        parts = [part.start + part.jitter * rng.uniform(-1, 1, part.size) for part in self.free]
        return self.placed(np.concatenate(parts))

    def prior(self, rng: np.random.Generator, draws: int) -> dict[str, Array]:
        """Draws of the reported variables from their prior, ``(draw, ...)`` by name."""
        x = np.column_stack([part.draw(rng, draws) for part in self.free])
        found = {slot.name: np.empty((draws, slot.size)) for slot in self.reported}
        for k in range(draws):
            v = self.values(x[k], noise=True)
            for slot in self.reported:
                found[slot.name][k] = v[slot.at : slot.at + slot.size]
        return {slot.name: found[slot.name].reshape(draws, *slot.shape) for slot in self.reported}


class Known(NamedTuple):
    """A prior as the machine takes it, and the transformation to the line."""

    density: machine.Operation
    parameters: Callable[[Any], tuple[float, float, float]]
    to_line: str


KINDS: dict[type, Known] = {
    Normal: Known(machine.normal_prior, lambda p: (p.mean, p.sd, 0.0), ""),
    StudentT: Known(machine.student_t_prior, lambda p: (p.df, p.mean, p.scale), ""),
    HalfNormal: Known(machine.half_normal_prior, lambda p: (p.sd, 0.0, 0.0), "log"),
    HalfStudentT: Known(machine.student_t_prior, lambda p: (p.df, 0.0, p.scale), "log"),
    HalfCauchy: Known(machine.student_t_prior, lambda p: (1.0, 0.0, p.scale), "log"),
    Exponential: Known(machine.exponential_prior, lambda p: (p.rate, 0.0, 0.0), "log"),
    Gamma: Known(machine.gamma_prior, lambda p: (p.shape, p.rate, 0.0), "log"),
    LogNormal: Known(machine.log_normal_prior, lambda p: (p.mean_log, p.sd_log, 0.0), "log"),
    Beta: Known(machine.beta_prior, lambda p: (p.a, p.b, 0.0), "logit"),
}


def drawn(prior: Distribution) -> Callable[[np.random.Generator, int], Array]:
    """Draw a prior, on the line where it is sampled."""

    def draw(rng: np.random.Generator, count: int) -> Array:
        p: Any = prior
        match prior.distribution:
            case "normal":
                return rng.normal(p.mean, p.sd, count)
            case "student_t":
                return np.asarray(p.mean + p.scale * rng.standard_t(p.df, count))
            case "half_normal":
                value = np.abs(rng.normal(0.0, p.sd, count))
            case "half_student_t":
                value = np.abs(p.scale * rng.standard_t(p.df, count))
            case "half_cauchy":
                value = np.abs(p.scale * rng.standard_cauchy(count))
            case "exponential":
                value = rng.exponential(1.0 / p.rate, count)
            case "gamma":
                value = rng.gamma(p.shape, 1.0 / p.rate, count)
            case "lognormal":
                return rng.normal(p.mean_log, p.sd_log, count)
            case _:
                return np.asarray(logit(rng.beta(p.a, p.b, count)))
        return np.log(np.maximum(value, np.finfo(float).tiny))

    return draw


class Tape:
    """Writes a program: takes places in the vector, constants and instructions."""

    def __init__(self) -> None:
        self.code: list[list[int]] = []
        self.start: list[Array] = []
        self.size = 0
        self.numbers: list[Array] = []
        self.number_count = 0
        self.integers: list[NDArray[np.int64]] = []
        self.integer_count = 0
        self.free: list[Free] = []
        self.reported: dict[str, Slot] = {}
        self.moved: list[Moved] = []
        self.watched: list[Watched] = []

    def room(self, count: int, values: Any = 0.0) -> int:
        """Take places in the vector; ``values`` stand there unless something is computed."""
        at = self.size
        self.start.append(np.broadcast_to(np.asarray(values, dtype="float64"), (count,)).copy())
        self.size += count
        return at

    def constants(self, values: Any) -> int:
        """Keep numbers."""
        values = np.ascontiguousarray(values, dtype="float64").ravel()
        at = self.number_count
        self.numbers.append(values)
        self.number_count += values.size
        return at

    def places(self, values: Any) -> int:
        """Keep integers."""
        values = np.ascontiguousarray(values, dtype="int64").ravel()
        at = self.integer_count
        self.integers.append(values)
        self.integer_count += values.size
        return at

    def do(self, operation: machine.Operation, *arguments: Any) -> None:
        """Add an instruction."""
        whole = [machine.address_of(operation), *map(int, arguments)]
        self.code.append(whole + [0] * (machine.WIDTH - len(whole)))

    def sample(
        self,
        name: str,
        size: int,
        draw: Callable[[np.random.Generator, int], Array],
        start: Any = 0.0,
        jitter: Any = START,
    ) -> int:
        """Take coordinates."""
        at = self.room(size)
        middle, width = (
            np.broadcast_to(np.asarray(x, float), (size,)).copy() for x in (start, jitter)
        )
        self.free.append(Free(name, at, size, draw, middle, width))
        return at

    def noise(self, name: str, size: int, jitter: float = START) -> int:
        """Take standard normals as coordinates; their density is added by what uses them."""
        return self.sample(name, size, lambda rng, n: rng.standard_normal((n, size)), 0.0, jitter)

    def prior(self, at: int, priors: Sequence[Distribution]) -> None:
        """Add the density of elements, those of a kind together."""
        first = 0
        while first < len(priors):
            kind, last = type(priors[first]), first
            while last < len(priors) and type(priors[last]) is kind:
                last += 1
            known = KINDS[kind]
            table = np.array([known.parameters(p) for p in priors[first:last]]).T
            parameters = [self.constants(row) for row in table]
            self.do(known.density, at + first, last - first, *parameters)
            first = last

    def vector(self, name: str, priors: Sequence[Distribution]) -> tuple[int, int]:
        """Sample parameters of one transformation; places of their values, and of those on the line."""
        draws = [drawn(prior) for prior in priors]
        line = KINDS[type(priors[0])].to_line
        start, jitter = np.array([start_of(prior) for prior in priors]).T
        at = self.sample(
            name,
            len(priors),
            lambda rng, n: np.column_stack([draw(rng, n) for draw in draws]),
            start,
            jitter,
        )
        value = at
        if line:
            value = self.room(len(priors), 1.0)
            self.do(
                machine.exponentiate if line == "log" else machine.to_share, at, value, len(priors)
            )
        self.prior(value, priors)
        return value, at

    def ordered(self, name: str, means: Array, sd: float) -> int:
        """Sample ascending numbers with normal priors."""

        def line(values: Array) -> Array:
            steps = np.log(np.maximum(np.diff(values, axis=-1), 1e-300))
            return np.concatenate([values[..., :1], steps], axis=-1)

        def draw(rng: np.random.Generator, count: int) -> Array:
            return line(ordered_normals(means, np.full(means.size, sd), count, rng))

        at = self.sample(name, means.size, draw, line(means))
        value = self.room(means.size, means)
        self.do(machine.ascending, at, value, means.size)
        self.prior(value, [Normal(mean=float(mean), sd=sd) for mean in means])
        return value

    def matrix(self, entries: list[list[tuple[int, float]]], constants: Any = 0.0) -> int:
        """Sparse matrix times the vector; a row lists places and weights."""
        out = self.room(len(entries))
        self.product(out, entries, constants)
        return out

    def product(
        self, out: int, entries: list[list[tuple[int, float]]], constants: Any = 0.0
    ) -> None:
        """Write a sparse matrix times the vector to a place."""
        lengths = [len(row) for row in entries]
        flat = [entry for row in entries for entry in row]
        start = self.places(np.concatenate([[0], np.cumsum(lengths)]))
        column = self.places([place for place, _ in flat])
        weight = self.constants([w for _, w in flat])
        fixed = self.constants(np.broadcast_to(constants, (len(entries),)))
        self.do(machine.sparse, out, len(entries), start, column, weight, fixed)

    def report(self, name: str, at: int, shape: tuple[int, ...], dims: tuple[str, ...]) -> None:
        """Name a part of the vector that is kept."""
        self.reported[name] = Slot(name, at, shape, dims)

    def finish(self, reported: Sequence[str], order: NDArray[np.int64]) -> Program:
        """Put the program together."""
        slots = tuple(self.reported[name] for name in reported)
        coordinates = np.concatenate(
            [np.arange(part.at, part.at + part.size) for part in self.free]
        )
        return Program(
            np.array(self.code, dtype="int64"),
            np.concatenate(self.start),
            np.concatenate([*self.numbers, np.zeros(1)]),
            np.concatenate([*self.integers, np.zeros(1, dtype="int64")]),
            coordinates,
            tuple(self.free),
            slots,
            tuple(self.moved),
            tuple(self.watched),
            order,
        )


def start_of(prior: Distribution) -> tuple[float, float]:
    """Middle and half-width of the starts of a parameter, on the line."""
    p: Any = prior
    match prior.distribution:
        case "normal":
            return p.mean, START * min(p.sd, 1.0) if p.sd < 2 else START * p.sd / 2
        case "student_t":
            return p.mean, START * p.scale
        case "lognormal":
            return p.mean_log, START
        case "beta":
            return float(logit(p.a / (p.a + p.b))), START
        case "half_normal":
            return float(np.log(0.6 * p.sd)), START
        case "half_student_t" | "half_cauchy":
            return float(np.log(0.6 * p.scale)), START
        case "exponential":
            return -float(np.log(p.rate)), START
        case _:
            return float(np.log(p.shape / p.rate)), START


def lkj_coordinates(rng: np.random.Generator, draws: int, terms: int, eta: float) -> Array:
    """Coordinates of Cholesky factors of correlation matrices drawn from the LKJ distribution.

    Row by row: a direction that is uniform, and a squared length that is beta (the onion method).
    Source: Lewandowski, Kurowicka and Joe (2009), Journal of Multivariate Analysis 100(9).
    """
    columns = []
    for k in range(1, terms):
        square = rng.beta(k / 2, eta + (terms - 1 - k) / 2, draws)
        direction = rng.standard_normal((draws, k))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        columns.append(direction * np.sqrt(square / (1.0 - square))[:, None])
    return np.concatenate(columns, axis=1)
