"""The model at posterior or prior draws, in numpy: coefficients and linear predictor of every row.

This is the twin of the PyMC graph. Estimands, replicated data and pointwise log densities are all
computed here, from the same structural forms and families; a test holds it to the graph.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array, Positions
from bayescluster.design.coding import monotonic_controls, surroundings_of
from bayescluster.design.record import Design, ancestors
from bayescluster.model.priors import population_terms, scale_of
from bayescluster.structures.arithmetic import working
from bayescluster.structures.record import AtLevels

Level = float | Array
"""Where a capital is set, in standard deviations."""
Capitals = tuple[Level, Level]

CELLS_A_CHUNK = 2_000_000
"""Largest (draw, row) array computed at once: bounds memory whatever the number of draws."""


class GroupDraws(NamedTuple):
    """Varying effects of one grouping at each draw.

    ``member`` gives the position of each row's group, ``(row,)``; ``effect`` is
    ``(draw, group, term)``, ``sd`` ``(draw, term)``, ``correlation`` ``(draw, term, term)`` or None
    where the effects are independent.
    """

    terms: tuple[str, ...]
    member: NDArray[np.int64]
    effect: Array
    sd: Array
    correlation: Array | None


@dataclass(frozen=True)
class Draws:
    """Parameters of a model at each draw, the chains one after the other.

    ``population`` holds coefficients on their working scale, ``(draw,)`` by term; ``capitals`` the
    two capitals as ``(draw, row)`` where they are latent or partly missing, else nothing.
    """

    chains: int
    population: dict[str, Array]
    controls: Array
    groups: dict[str, GroupDraws]
    parameters: dict[str, Array]
    capitals: tuple[Array, Array] | None = None
    imputed: dict[str, Imputed] = field(default_factory=dict)
    """Imputed cells of controls and predictors, by name."""
    upstream: tuple[tuple[Design, Draws], ...] = ()
    """Equations whose outcomes enter this one, directly or not, in causal order, with their draws."""
    steps: dict[str, Array] = field(default_factory=dict)
    """Shares of the steps of monotonic controls, ``(draw, step)``; equal steps without."""

    @property
    def size(self) -> int:
        """Number of draws, all chains together."""
        return int(self.controls.shape[0])

    def part(self, which: slice | NDArray[np.int64]) -> Draws:
        """Some of the draws, without their division into chains."""
        return replace(
            self,
            chains=1,
            population={name: values[which] for name, values in self.population.items()},
            controls=self.controls[which],
            groups={
                name: group._replace(
                    effect=group.effect[which],
                    sd=group.sd[which],
                    correlation=None if group.correlation is None else group.correlation[which],
                )
                for name, group in self.groups.items()
            },
            parameters={name: values[which] for name, values in self.parameters.items()},
            capitals=self._capitals(which),
            imputed={
                name: cells._replace(values=cells.values[which])
                for name, cells in self.imputed.items()
            },
            upstream=tuple((design, draws.part(which)) for design, draws in self.upstream),
            steps={name: shares[which] for name, shares in self.steps.items()},
        )

    def _capitals(self, *which: Any) -> tuple[Array, Array] | None:
        if self.capitals is None:
            return None
        human, social = self.capitals
        return human[which], social[which]

    def for_rows(self, rows: NDArray[np.int64]) -> Draws:
        """The same draws for some rows of the design only."""
        return replace(
            self,
            groups={
                name: group._replace(member=group.member[rows])
                for name, group in self.groups.items()
            },
            capitals=self._capitals(slice(None), rows),
            imputed={
                name: cells._replace(at=cells.at[rows]) for name, cells in self.imputed.items()
            },
            upstream=tuple((design, draws.for_rows(rows)) for design, draws in self.upstream),
        )

    def chunks(self, rows: int) -> Iterator[tuple[slice, Draws]]:
        """Split the draws so that no ``(draw, row)`` array outgrows memory."""
        for which in chunks(self.size, rows):
            yield which, self.part(which)

    def thinned(self, count: int) -> Draws:
        """At most so many draws, evenly spaced."""
        if self.size <= count:
            return self
        return self.part(np.linspace(0, self.size - 1, count).astype("int64"))

    def thinned_by_chain(self, count: int) -> Draws:
        """At most so many draws, evenly spaced within each chain, the chains kept apart."""
        if self.size <= count:
            return self
        length = self.size // self.chains
        within = np.linspace(0, length - 1, count // self.chains).astype("int64")
        starts = np.arange(self.chains) * length
        return replace(self.part((starts[:, None] + within).ravel()), chains=self.chains)


def chunks(draws: int, rows: int) -> Iterator[slice]:
    """Split draws so that no ``(draw, row)`` array outgrows memory."""
    step = max(1, CELLS_A_CHUNK // max(rows, 1))
    for start in range(0, draws, step):
        yield slice(start, min(start + step, draws))


def draws_of(design: Design, group: xr.Dataset) -> Draws:
    """Read the parameters of a design from a posterior or prior, with dims chain and draw."""
    terms = population_terms(design)
    size = group.sizes[names.CHAIN] * group.sizes[names.DRAW]

    def drawn(name: str) -> Array:
        return flat(group, design.variable(name))

    population = {name: np.zeros(size) for name in design.terms}
    if terms:
        population |= {
            term: working(values, scale_of(term))
            for term, values in zip(terms, drawn(names.POPULATION).T, strict=True)
        }
    parameters = {
        parameter.name: drawn(parameter.name)[:, None]
        for parameter in design.family.parameters
        if design.variable(parameter.name) in group
    }
    if design.levels:
        parameters[names.CUTPOINTS] = drawn(names.CUTPOINTS)[:, None, :]
    groups = {
        grouping.name: GroupDraws(
            grouping.terms,
            design.index(grouping.name),
            drawn(names.group_effect(grouping.name)),
            drawn(names.group_sd(grouping.name)),
            drawn(names.group_correlation(grouping.name)) if grouping.correlated else None,
        )
        for grouping in design.groupings
    }
    controls = drawn(names.CONTROLS) if design.control_names else np.zeros((size, 0))
    others = {each.equation_name: each for each in design.others}
    upstream = tuple(
        (others[name], draws_of(others[name], group))
        for name in ancestors(design.analysis.equations, design.equation_name)
        if name in others
    )
    return Draws(
        group.sizes[names.CHAIN],
        population,
        controls,
        groups,
        parameters,
        capitals_at(design, group),
        imputed_cells(design, group),
        upstream,
        {control.name: drawn(names.steps(control.name)) for control in monotonic_controls(design)},
    )


def imputed_cells(design: Design, group: xr.Dataset) -> dict[str, Imputed]:
    """Read what is imputed among the inputs of an equation, by name, and latent contexts."""
    cells = {}
    for position, name in enumerate(design.control_names):
        if names.imputed(name) in group:
            missing = np.isnan(design.controls[:, position])
            cells[name] = cells_at(missing, flat(group, names.imputed(name)))
    center, scale = (
        design.data[name].to_numpy() for name in (names.PREDICTOR_CENTER, names.PREDICTOR_SCALE)
    )
    for position, name in enumerate(design.equation.predictors):
        if names.imputed(name) in group:
            missing = np.isnan(design.predictors[:, position])
            values = (flat(group, names.imputed(name)) - center[position]) / scale[position]
            cells[name] = cells_at(missing, values)
    for name, (level, capital) in design.equation.contexts.items():
        if capital in group:  # latent: what its mean is off from that of the score
            mean = surroundings_of(design, level).mean(flat(group, capital))
            cells[name] = Imputed(np.arange(design.size), mean - design.context(name))
    return cells


class Imputed(NamedTuple):
    """Imputed cells of one input.

    ``at`` gives the position of each row's cell, ``(row,)``, -1 where the value is known; ``values``
    is ``(draw, cell)``.
    """

    at: NDArray[np.int64]
    values: Array

    def added(self) -> Array:
        """Imputed values, 0 where the value is known: ``(draw, row)``."""
        return np.where(self.at >= 0, self.values[:, self.at], 0.0)


def cells_at(missing: NDArray[np.bool_], values: Array) -> Imputed:
    """Cells in the order of the rows that lack the value."""
    return Imputed(np.where(missing, np.cumsum(missing) - 1, -1), values)


def capitals_at(design: Design, group: xr.Dataset) -> tuple[Array, Array] | None:
    """Capitals at each draw, ``(draw, row)``, where one is latent or partly imputed."""
    if not any(capital in group or names.imputed(capital) in group for capital in names.CAPITALS):
        return None
    size = group.sizes[names.CHAIN] * group.sizes[names.DRAW]
    human, social = (
        _capital(capital, known, group, size)
        for capital, known in zip(names.CAPITALS, design.capitals, strict=True)
    )
    return human, social


def _capital(capital: str, known: Array, group: xr.Dataset, size: int) -> Array:
    if capital in group:
        return flat(group, capital)
    values = np.broadcast_to(known, (size, known.size))
    if names.imputed(capital) in group:
        values = values.copy()
        values[:, np.isnan(known)] = flat(group, names.imputed(capital))
    return values


def flat(group: xr.Dataset, name: str) -> Array:
    """Draws of a variable, the chains one after the other: ``(draw, ...)``."""
    values = group[name].transpose(names.CHAIN, names.DRAW, ...).to_numpy()
    return np.asarray(values.reshape(-1, *values.shape[2:]), dtype="float64")


def linear_predictor(design: Design, draws: Draws) -> Array:
    """Linear predictor of every row at every draw, ``(draw, row)``, offset included."""
    capitals = draws.capitals or design.capitals
    return predictor_at(design, draws, capitals, np.arange(design.size)) + design.offset


def log_likelihood(design: Design, draws: Draws) -> Array:
    """Log density of every known outcome at every draw, ``(draw, answered row)``.

    With survey weights each is multiplied by the weight of its row: the terms of the log
    pseudo-likelihood, which is what was sampled.
    """
    known = np.flatnonzero(design.answered)
    weights = 1.0 if design.weights is None else design.weights.rows[known]
    out = np.empty((draws.size, known.size))
    for which, part in draws.chunks(design.size):
        eta = linear_predictor(design, part)[:, known]
        density = design.family.log_density(
            design.answers, eta, part.parameters, design.rows.at(known)
        )
        out[which] = density * weights
    return out


def replicate(design: Design, draws: Draws, rng: np.random.Generator) -> Array:
    """Replicated outcomes, ``(draw, row)``."""
    out = np.empty((draws.size, design.size))
    for which, part in draws.chunks(design.size):
        eta = linear_predictor(design, part)
        out[which] = design.family.draw(rng, eta, part.parameters, design.rows)
    return out


def expectation(design: Design, eta: Array, draws: Draws, rows: Positions | None = None) -> Array:
    """Expected outcome on the scale that is reported, same shape as ``eta``.

    Where the equation names a level, the probability that the outcome is at least that. ``draws`` are
    those for the rows at these positions (all without them), and ``eta`` their linear predictor
    without the offset, ``(draw, row)``.
    """
    bar, exceedance = design.bar, design.family.exceedance
    if bar is None or exceedance is None:
        of_levels = {"values": design.level_values} if design.levels else {}
        return design.family.expectation(eta, draws.parameters | of_levels)
    which = np.arange(design.size) if rows is None else rows
    return exceedance(
        bar[which], eta + design.offset[which], draws.parameters, design.rows.at(which)
    )


def predictor_at(
    design: Design,
    draws: Draws,
    capitals: Capitals,
    rows: Positions,
    predictors: Array | None = None,
) -> Array:
    """Linear predictor of some rows with the capitals set, ``(draw, row)``, without the offset.

    Parameters
    ----------
    design, draws
        The design, and draws for these rows (see `Draws.for_rows`).
    capitals
        Levels of human and social capital: one number, one a row, or ``(draw, row)``.
    rows
        Positions of the rows.
    predictors
        Outcomes of other equations as they enter here, ``(..., row, predictor)``; those observed
        or imputed without it.
    """
    return RowPredictor(design, draws, rows, predictors)(capitals)


class RowPredictor:
    """Linear predictor of some rows at many settings of the capitals, without the offset.

    Everything that the capitals do not touch is computed once. Parameters as for `predictor_at`.
    """

    def __init__(
        self, design: Design, draws: Draws, rows: Positions, predictors: Array | None = None
    ) -> None:
        self._design = design
        self._shape = draws.size, rows.size
        self._coefficients = row_coefficients(draws)
        self._moving: list[tuple[str, Array]] = []
        """Controls that follow a capital, all at a level of 1, ``(draw, row)``."""
        shift: Array | float = 0.0
        # names in place of the levels of the capitals show which part follows which
        for part in design.control_parts(names.HUMAN_CAPITAL, names.SOCIAL_CAPITAL):
            # by row in memory, as the coefficients of groups are: mixed orders take twice as long
            values = (part.base[rows] @ draws.controls[:, part.positions].T).T
            if isinstance(part.level, str):
                self._moving.append((part.level, values))
            else:
                shift = shift + values * part.level
        shift = shift + _fixed_controls(design, draws, rows)
        for position, name in enumerate(design.equation.entering):
            if predictors is not None:
                entering = predictors[..., position]
            else:
                entering = np.nan_to_num(design.predictors[rows, position])
                if name in draws.imputed:
                    entering = entering + draws.imputed[name].added()
            shift = shift + self._coefficients[name] * entering
        self._level = self._coefficients[names.INTERCEPT] + shift
        self._fixed = None if self._moving else self._at(self._level)

    def __call__(self, capitals: Capitals) -> Array:
        """``(draw, row)`` with the capitals at these levels."""
        human, social = capitals
        level = self._level
        for capital, values in self._moving:
            level = level + values * (human if capital == names.HUMAN_CAPITAL else social)
        eta = (self._fixed or self._at(level))(human, social)
        return np.asarray(np.broadcast_to(eta, self._shape))

    def _at(self, level: Array) -> AtLevels:
        coefficients = self._coefficients | {names.INTERCEPT: level}
        return self._design.structure.at_levels(coefficients, self._design.link)


def _fixed_controls(design: Design, draws: Draws, rows: Positions) -> Array | float:
    """What imputed cells and unequal steps of controls add, ``(draw, row)``."""
    shift: Array | float = 0.0
    for position, name in enumerate(design.control_names):
        if name in draws.imputed:
            shift = shift + draws.controls[:, [position]] * draws.imputed[name].added()
    for control in monotonic_controls(design) if draws.steps else ():
        # what the column is off from that with equal steps
        shares = draws.steps[control.name]
        ladder = np.concatenate([np.zeros((len(shares), 1)), np.cumsum(shares, axis=1)], axis=1)
        column = ladder[:, control.codes] - control.codes / shares.shape[1]
        shift = shift + draws.controls[:, [control.position]] * column[:, rows]
    return shift


def row_coefficients(draws: Draws) -> dict[str, Array]:
    """Coefficients of every row by term, ``(draw, row)`` or ``(draw, 1)`` where none varies."""
    total = {term: values[:, None] for term, values in draws.population.items()}
    for group in draws.groups.values():
        for position, term in enumerate(group.terms):
            total[term] = total[term] + group.effect[:, group.member, position]
    return total
