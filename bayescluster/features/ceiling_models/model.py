"""Ceilings by cluster as a PyMC model: pooled within industries, and above every firm.

The ceiling of a unit (a cluster) is a line within floor and top: ``c(x) = clip(height + slope (x -
1/2), floor, top)``, its height pooled within the industry, its slope that of the industry and never
below 0. Heights have logistic distributions around the mean of their industry.

Under a hard ceiling no firm is above: ``height >= L(slope) = max_i(y_i - slope (x_i - 1/2))``.
To a sampler this is a wall that moves with the slope. It meets none here, for what is sampled is a
place ``u`` between 0 and 1 within what is left of the distribution above ``L``: ``height = F^-1(F(L)
+ u (1 - F(L)))``, which for the logistic is ``location + scale (log(exp(l) + u) - log(1 - u))``, ``l =
(L - location) / scale``. So the height is ``L`` plus a positive gap. Many firms press ``u`` towards
0, where ``log u`` is the log of the gap but for a constant; where firms say little, ``u`` is uniform,
as in a non-centred hierarchy. The share of the distribution above ``L`` is the Jacobian.
"""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import special

from bayescluster.arrays import Array
from bayescluster.inference.nuts import Progress, compile_model, sample_chains
from bayescluster.names import CHAIN, DRAW
from bayescluster.spec.analysis import Sampling

RESOLUTION: Final = 1e-3
"""Share of the scope, and of the ceiling, below which places are not distinguished.

A firm at the very bottom, or at the flat top, of an empirical scope would otherwise have a density
of 0 or infinity under any Beta but the uniform, and decide its shape alone.
"""
STEPS: Final = 12
"""Steps of the density of ``R`` under noise."""
EDGE_WIDTH: Final = 0.01
"""Width of the soft edge of a contaminated ceiling, in shares of the ceiling."""
TINY: Final = 1e-300
FAR: Final = 500.0

ANGLES: Final = np.linspace(0.0, np.pi / 2, STEPS + 1)
EDGES: Final = np.sin(ANGLES) ** 2
"""Edges of the steps, ``(step + 1,)``: even in the angle, in which a Beta density is smooth."""
MIDDLES: Final = np.sin((ANGLES[1:] + ANGLES[:-1]) / 2) ** 2

Limits = tuple[float, float]


def _nodes() -> tuple[Any, Any]:
    """Places and weights of the integral of a density with a soft edge, by the midpoint rule.

    Even in the angle over the body, where the density may have a pole at 0; even, and finer than
    the edge is wide, around the edge.
    """
    start, end, many = 1 - 12 * EDGE_WIDTH, 1 + 25 * EDGE_WIDTH, 160
    angles = (np.arange(many) + 0.5) / many * np.pi / 2
    body, jacobian = start * np.sin(angles) ** 2, start * np.sin(2 * angles) * np.pi / 2 / many
    around = start + (np.arange(many) + 0.5) / many * (end - start)
    width = np.full(many, (end - start) / many)
    return np.concatenate([body, around]), np.concatenate([jacobian, width])


NODES, NODE_WEIGHTS = _nodes()


class Operations(NamedTuple):
    """Functions that numpy and PyTensor call by other names."""

    log: Any
    log1p: Any
    exp: Any
    clip: Any
    softplus: Any
    logaddexp: Any
    sigmoid: Any
    betaln: Any


NUMPY: Final = Operations(
    np.log,
    np.log1p,
    np.exp,
    np.clip,
    lambda z: np.logaddexp(0.0, z),
    np.logaddexp,
    special.expit,
    special.betaln,
)


def pytensor_operations() -> Operations:
    """Give the same functions for the graph of a model."""
    import pytensor.tensor as pt

    return Operations(
        pt.log,
        pt.log1p,
        pt.exp,
        pt.clip,
        pt.softplus,
        pt.logaddexp,
        pt.sigmoid,
        lambda a, b: pt.gammaln(a) + pt.gammaln(b) - pt.gammaln(a + b),
    )


def ceiling(op: Operations, height: Any, slope: Any, x: Any, limits: Limits) -> Any:
    """Ceiling at ``x``: a line of a height in the middle of the scope, within floor and top."""
    return op.clip(height + slope * (x - 0.5), *limits)


def log_ratio(op: Operations, y: Any, c: Any, al: Any, be: Any) -> Any:
    """Log density of an outcome below a hard ceiling; for ``y <= c`` only.

    ``y`` and ``c`` are ``(..., firm)``, ``al`` and ``be`` ``(..., 1)`` or scalars.
    """
    inner = op.clip(y / c, RESOLUTION, 1 - RESOLUTION)
    return (al - 1) * op.log(inner) + (be - 1) * op.log1p(-inner) - op.betaln(al, be) - op.log(c)


def log_composed(op: Operations, y: Any, c: Any, shape: tuple[Any, Any], scale: Any) -> Any:
    """Log density of an outcome with logistic noise of a scale around the share of its ceiling.

    ``y`` and ``c`` are ``(..., firm)``; ``shape`` holds ``al`` and ``be``, and these and ``scale``
    are ``(..., 1)`` or scalars.
    """
    al, be = shape
    # in the angle the Beta density gains half a power at either end
    raw = op.exp((al - 0.5) * np.log(MIDDLES) + (be - 0.5) * np.log1p(-MIDDLES))  # (..., step)
    density = raw / raw.sum(axis=-1, keepdims=True) / np.diff(EDGES)
    wide = scale[..., None] if getattr(scale, "ndim", 0) else scale
    # by the survival function, which keeps its digits where firms are far above
    above = op.sigmoid((c[..., None] * EDGES - y[..., None]) / wide)  # (..., firm, edge)
    each = density[..., None, :] * (above[..., 1:] - above[..., :-1])
    return op.log(each.sum(axis=-1) + TINY) - op.log(c)


def log_soft_share(op: Operations, share: Any, al: Any, be: Any) -> Any:
    """Log density of a share of the ceiling below a soft edge, but for its constant.

    ``share^(al - 1) (1 - share)^(be - 1)`` below, falling off within `EDGE_WIDTH` of the edge.
    """
    way = (1 - share) / EDGE_WIDTH
    # far above the edge what is left would be 0 to the last digit; the last term goes on falling
    left = op.log(EDGE_WIDTH * op.softplus(op.clip(way, -FAR, FAR)))
    return (al - 1) * op.log(share) + (be - 1) * left - op.softplus(-way)


def log_contaminated(op: Operations, y: Any, c: Any, shape: tuple[Any, Any], share: Any) -> Any:
    """Log density where a share of the firms lies anywhere in the scope, whatever the ceiling.

    ``y`` and ``c`` are ``(..., firm)``; ``shape`` and ``share`` ``(..., 1)`` or scalars.
    """
    al, be = shape
    at_nodes = NODE_WEIGHTS * op.exp(log_soft_share(op, NODES, al, be))
    constant = op.log(at_nodes.sum(axis=-1, keepdims=True))
    inside = op.log1p(-share) + log_soft_share(op, y / c, al, be) - op.log(c) - constant
    return op.logaddexp(inside, op.log(share))


Index = NDArray[np.int64]


class Layout(NamedTuple):
    """Firms in units that share a ceiling, units in industries.

    Attributes
    ----------
    unit
        Unit of each firm, ``(firm,)``.
    units
        Labels of the units.
    industry
        Industry of each unit, ``(unit,)``; zeros where none is declared.
    industries
        Labels of the industries.
    """

    unit: Index
    units: tuple[str, ...]
    industry: Index
    industries: tuple[str, ...]

    @property
    def nested(self) -> bool:
        """Whether industries have a level of their own between all firms and the units."""
        return 1 < len(self.industries) < len(self.units)

    @property
    def sizes(self) -> Index:
        """Firms of each unit, ``(unit,)``."""
        return np.bincount(self.unit, minlength=len(self.units))

    @property
    def members(self) -> Index:
        """Positions of the firms of each unit, ``(unit, largest unit)``.

        Short rows are filled up with the number of firms, one place beyond the last.
        """
        sizes, order = self.sizes, np.argsort(self.unit, kind="stable")
        places = np.full((len(self.units), int(sizes.max())), self.unit.size, dtype="int64")
        inside = np.arange(places.shape[1]) < sizes[:, None]
        places[inside] = order
        return places

    @property
    def of_firms(self) -> Index:
        """Industry of each firm, ``(firm,)``."""
        return self.industry[self.unit]


def layout_of(clusters: NDArray[np.str_] | None, industries: NDArray[np.str_] | None) -> Layout:
    """Arrange firms by cluster within industry.

    Parameters
    ----------
    clusters, industries
        Label of each firm, ``(firm,)``; nothing where no such group is declared. One of them is
        given: with a single label for all firms, all share one ceiling.

    Raises
    ------
    ValueError
        If neither is given.
    """
    finest = clusters if clusters is not None else industries
    if finest is None:
        raise ValueError("give clusters or industries, if need be one label for all")
    whole = np.zeros(finest.size, dtype="int64")
    names: tuple[str, ...] = ("",)
    of_firm = whole
    if industries is not None:
        distinct, codes = np.unique(industries, return_inverse=True)
        names, of_firm = tuple(str(name) for name in distinct), codes.astype("int64")
    labels, cluster = np.unique(finest, return_inverse=True)
    # a cluster in two industries is two units
    pairs, unit = np.unique(cluster * len(names) + of_firm, return_inverse=True)
    own, industry = np.divmod(pairs, len(names))
    crossed = len(pairs) > len(labels)
    units = tuple(
        f"{labels[c]} in {names[k]}" if crossed else str(labels[c])
        for c, k in zip(own, industry, strict=True)
    )
    return Layout(unit.astype("int64"), units, industry.astype("int64"), names)


ModelName = Literal["ratio", "composed", "contaminated"]

UNIT, INDUSTRY = "ceiling_unit", "ceiling_industry"
HEIGHT, SLOPE, LOCATION, SPREAD = "height", "slope", "location", "spread"
AL, BE, NOISE, CONTAMINATED = "al", "be", "noise", "contaminated_share"

HEIGHT_MEAN: Final = (0.75, 0.35)
"""Mean and sd of the normal prior of the mean height in the middle of the scope."""
SPREAD_LEAST: Final = 0.01
"""Least sd of heights between clusters of an industry, in shares of the scope: near 0 there is a funnel."""
SPREAD_SD: Final = 0.3
"""Sd of the half-normal prior of that sd beyond the least."""
BETWEEN_SD: Final = 0.2
"""The same of the means of industries."""
SLOPE_SD: Final = 1.0
"""Sd of the half-normal prior of the slope."""
SLOPES_SD: Final = 1.0
"""Sd of the half-normal prior of the sd of log slopes between industries."""
SHAPE_SD: Final = 0.5
"""Sd of the log of ``al`` and ``be``, whose median is 1: all places below the ceiling alike."""
NOISE_LEAST: Final = 0.01
"""Least sd of the noise, in shares of the scope: with none, the edge would be a wall again."""
NOISE_SD: Final = 0.1
"""Sd of the half-normal prior of the sd of the noise beyond the least."""
CONTAMINATION: Final = (1.0, 39.0)
"""Beta prior of the share of firms that the ceiling does not bind: mean 1 in 40."""

UNIT_SD: Final = float(np.sqrt(3.0) / np.pi)
"""Scale of a logistic distribution whose sd is 1."""
LOWEST: Final = -3.0
"""Least height, where no firm asks for more: such a ceiling lies on the floor."""
CENTRED_FROM: Final = 10
"""Firms from which the height of a soft ceiling is sampled as it is, not as a deviation."""


def build_ceiling_model(
    kind: ModelName, layout: Layout, x: Array, y: Array, limits: tuple[float, float]
) -> Any:
    """State a ceiling model.

    Parameters
    ----------
    kind
        The model; see `bayescluster.features.ceiling_models.model`.
    layout
        Which firms share a ceiling.
    x, y
        Capital and outcome in shares of the scope, ``(firm,)``; data of the model, so that a
        compiled one serves others of the same firms.
    limits
        Floor and top of the ceiling.

    Returns
    -------
    pymc.Model
        Its draws have ``height`` by unit, ``slope`` by industry, and what `reported` lists.
    """
    import pymc as pm

    coords = {UNIT: list(layout.units), INDUSTRY: list(layout.industries)}
    op = pytensor_operations()
    with pm.Model(coords=coords) as model:
        capital = pm.Data("x", np.asarray(x, dtype="float64"))
        outcome = pm.Data("y", np.maximum(y, RESOLUTION))
        slope = _slopes(len(layout.industries))
        location, scale = _population(layout)
        height = (
            _above(location, scale, _lowest(layout, capital, outcome, slope, limits[0]))
            if kind == "ratio"
            else _free(layout, location, scale)
        )
        height = pm.Deterministic(HEIGHT, height, dims=UNIT)
        line = ceiling(op, height[layout.unit], slope[layout.of_firms], capital, limits)
        shape = (pm.LogNormal(AL, 0.0, SHAPE_SD), pm.LogNormal(BE, 0.0, SHAPE_SD))
        pm.Potential("firms", _log_density(op, kind, outcome, line, shape).sum())
    return model


def reported(kind: ModelName, layout: Layout) -> tuple[str, ...]:
    """Variables of the posterior that are kept."""
    several = len(layout.units) > 1
    return (
        *(HEIGHT, SLOPE),
        *((LOCATION, SPREAD) if several else ()),
        *(("between_sd",) if layout.nested else ()),
        *(("slope_mean", "slope_sd") if len(layout.industries) > 1 else ()),
        *(AL, BE),
        *{"ratio": (), "composed": (NOISE,), "contaminated": (CONTAMINATED,)}[kind],
    )


def _slopes(industries: int) -> Any:
    """Slope of each industry, ``(industry,)``, pooled on the log scale."""
    import pymc as pm

    mean = pm.HalfNormal("slope_mean", SLOPE_SD)
    if industries == 1:
        return pm.Deterministic(SLOPE, mean[None], dims=INDUSTRY)
    spread = pm.HalfNormal("slope_sd", SLOPES_SD)
    raw = pm.Normal("slope_raw", 0.0, 1.0, dims=INDUSTRY)
    return pm.Deterministic(SLOPE, mean * pm.math.exp(spread * raw), dims=INDUSTRY)


def _population(layout: Layout) -> tuple[Any, Any]:
    """Location of the heights of each unit, ``(unit,)``, and the scale around it."""
    import pymc as pm
    import pytensor.tensor as pt

    units = len(layout.units)
    mean, sd = HEIGHT_MEAN
    if units == 1:
        return pt.full((1,), mean), UNIT_SD * sd
    centre = pm.Normal("location_mean", mean, sd)
    places = pt.full((len(layout.industries),), centre)
    if layout.nested:
        between = pm.HalfNormal("between_sd", BETWEEN_SD)
        places = centre + between * pm.Normal("location_raw", 0.0, 1.0, dims=INDUSTRY)
    places = pm.Deterministic(LOCATION, places, dims=INDUSTRY)
    spread = pm.Deterministic(SPREAD, SPREAD_LEAST + pm.HalfNormal("spread_beyond", SPREAD_SD))
    return places[layout.industry], UNIT_SD * spread


def _lowest(layout: Layout, x: Any, y: Any, slope: Any, floor: float) -> Any:
    """Least height of each unit that leaves no firm above, ``(unit,)``.

    Firms at or below the floor ask for nothing, wherever the line runs.
    """
    import pytensor.tensor as pt

    required = pt.switch(y > floor, y - slope[layout.of_firms] * (x - 0.5), LOWEST)
    padded = pt.concatenate([required, [LOWEST]])[layout.members]  # (unit, largest unit)
    return padded.max(axis=1)


def _above(location: Any, scale: Any, lowest: Any) -> Any:
    """Heights above the firms, ``(unit,)``; see the module for ``place``."""
    import pymc as pm
    import pytensor.tensor as pt

    place = pm.Logistic("place", 0.0, 1.0, dims=UNIT)  # the logit of u
    least = (lowest - location) / scale
    pm.Potential("above", -pt.softplus(least).sum())
    return location + scale * (pt.logaddexp(least, -pt.softplus(-place)) + pt.softplus(place))


def _free(layout: Layout, location: Any, scale: Any) -> Any:
    """Heights that no firm binds, ``(unit,)``: as they are where many firms know them."""
    import pymc as pm

    centred = (layout.sizes >= CENTRED_FROM).astype("float64")
    raw = pm.Logistic("height_raw", centred * location, scale**centred, dims=UNIT)
    return location + scale ** (1 - centred) * (raw - centred * location)


def _log_density(op: Any, kind: ModelName, y: Any, line: Any, shape: tuple[Any, Any]) -> Any:
    import pymc as pm

    if kind == "ratio":
        return log_ratio(op, y, line, *shape)
    if kind == "composed":
        beyond = pm.HalfNormal("noise_beyond", NOISE_SD)
        noise = pm.Deterministic(NOISE, NOISE_LEAST + beyond)
        return log_composed(op, y, line, shape, UNIT_SD * noise)
    return log_contaminated(op, y, line, shape, pm.Beta(CONTAMINATED, *CONTAMINATION))


class CeilingDraws(NamedTuple):
    """Draws of a ceiling model, the chains one after the other.

    Attributes
    ----------
    chains
        Number of chains; 0 for draws of the prior.
    height
        Ceiling in the middle of the scope, ``(draw, unit)``.
    slope
        ``(draw, industry)``.
    location
        Mean height of an industry, ``(draw, industry)``.
    spread
        Sd of heights within an industry, ``(draw,)``; that of the prior where there is one unit.
    al, be
        Shape of the share of the ceiling that firms reach, ``(draw,)``.
    extra
        Sd of the noise, or share of firms that the ceiling does not bind, ``(draw,)``; zeros for
        ``ratio``.
    """

    chains: int
    height: Array
    slope: Array
    location: Array
    spread: Array
    al: Array
    be: Array
    extra: Array

    @property
    def size(self) -> int:
        """Number of draws."""
        return len(self.al)

    def thinned(self, most: int) -> CeilingDraws:
        """Give at most so many draws, evenly spaced, in their order; no longer chains."""
        step = np.linspace(0, self.size - 1, min(self.size, most)).astype("int64")
        return CeilingDraws(0, *(values[step] for values in self[1:]))


def ceiling_draws_of(kind: ModelName, posterior: xr.Dataset) -> CeilingDraws:
    """Open the posterior of a ceiling model."""

    def flat(name: str) -> Array:
        values = posterior[name].transpose(CHAIN, DRAW, ...).to_numpy()
        return np.asarray(values.reshape(-1, *values.shape[2:]), dtype="float64")

    height, slope, al = flat(HEIGHT), flat(SLOPE), flat(AL)
    mean, sd = HEIGHT_MEAN
    location = flat(LOCATION) if LOCATION in posterior else np.full_like(slope, mean)
    spread = flat(SPREAD) if SPREAD in posterior else np.full_like(al, sd)
    name = {"ratio": "", "composed": NOISE, "contaminated": CONTAMINATED}[kind]
    extra = flat(name) if name else np.zeros_like(al)
    chains = posterior.sizes[CHAIN]
    return CeilingDraws(chains, height, slope, location, spread, al, flat(BE), extra)


def prior_draws(
    kind: ModelName, layout: Layout, size: int, rng: np.random.Generator
) -> CeilingDraws:
    """Draw from the prior, before any firm is seen."""
    units, many = len(layout.units), len(layout.industries)
    mean, sd = HEIGHT_MEAN
    slope = SLOPE_SD * np.abs(rng.normal(size=(size, 1)))
    if many > 1:
        spread = SLOPES_SD * np.abs(rng.normal(size=(size, 1)))
        slope = slope * np.exp(spread * rng.normal(size=(size, many)))
    if units == 1:
        location, spread = np.full((size, 1), mean), np.full(size, sd)
    else:
        location = np.repeat(mean + sd * rng.normal(size=(size, 1)), many, axis=1)
        if layout.nested:
            between = BETWEEN_SD * np.abs(rng.normal(size=(size, 1)))
            location = location + between * rng.normal(size=(size, many))
        spread = SPREAD_LEAST + SPREAD_SD * np.abs(rng.normal(size=size))
    deviation = UNIT_SD * spread[:, None] * rng.logistic(size=(size, units))
    al, be = np.exp(SHAPE_SD * rng.normal(size=(2, size)))
    extra = {
        "ratio": np.zeros(size),
        "composed": NOISE_LEAST + NOISE_SD * np.abs(rng.normal(size=size)),
        "contaminated": rng.beta(*CONTAMINATION, size=size),
    }[kind]
    height = location[:, layout.industry] + deviation
    return CeilingDraws(0, height, slope, location, spread, al, be, extra)


def ceilings_of(draws: CeilingDraws, layout: Layout, x: Array, limits: Limits) -> Array:
    """Ceiling of every firm at its own ``x``, ``(draw, firm)``."""
    height = draws.height[:, layout.unit]
    return np.asarray(ceiling(NUMPY, height, draws.slope[:, layout.of_firms], x, limits))


def log_likelihood(kind: ModelName, draws: CeilingDraws, y: Array, c: Array) -> Array:
    """Log density of each firm given its ceiling ``c``, ``(draw, firm)``.

    Under a hard ceiling ``-inf`` where a firm is above it.
    """
    seen = np.maximum(y, RESOLUTION)
    al, be, extra = draws.al[:, None], draws.be[:, None], draws.extra[:, None]
    if kind == "composed":
        return np.asarray(log_composed(NUMPY, seen, c, (al, be), UNIT_SD * extra))
    if kind == "contaminated":
        return np.asarray(log_contaminated(NUMPY, seen, c, (al, be), extra))
    # a ceiling computed to lie at a firm may miss it by the last digit
    return np.where(seen <= c * (1 + 1e-9), log_ratio(NUMPY, seen, c, al, be), -np.inf)


def replicated(kind: ModelName, draws: CeilingDraws, c: Array, rng: np.random.Generator) -> Array:
    """Replicated outcomes below given ceilings, ``(draw, firm)``, within the scope."""
    share = rng.beta(draws.al[:, None], draws.be[:, None], size=c.shape)
    y = c * share
    if kind == "composed":
        y = y + UNIT_SD * draws.extra[:, None] * rng.logistic(size=c.shape)
    if kind == "contaminated":
        free = rng.random(c.shape) < draws.extra[:, None]
        y = np.where(free, rng.random(c.shape), y)
    return np.clip(y, RESOLUTION, 1.0)


class CeilingSampler:
    """Samples one ceiling model for firms of one layout, with whatever capital and outcome."""

    def __init__(self, kind: ModelName, layout: Layout, limits: tuple[float, float]) -> None:
        self._kind, self._layout, self._limits = kind, layout, limits
        self._compiled: Any = None

    def sample(
        self, x: Array, y: Array, sampling: Sampling, progress: Progress | None = None
    ) -> xr.DataTree:
        """Sample all chains.

        Parameters
        ----------
        x, y
            Capital and outcome in shares of the scope, ``(firm,)``.
        sampling
            Settings of the sampler.
        progress
            Called with the state of each running chain.

        Returns
        -------
        DataTree
            Groups ``posterior`` and ``sample_stats``.

        Raises
        ------
        FitError
            If the model cannot be compiled, or a chain not be sampled.
        """
        names = reported(self._kind, self._layout)
        if self._compiled is None:
            model = build_ceiling_model(self._kind, self._layout, x, y, self._limits)
            self._compiled = compile_model(model, names)
        data = self._compiled.with_data(x=x, y=np.maximum(y, RESOLUTION))
        chains = sorted(sample_chains(data, sampling, range(sampling.chains), progress))
        # nutpie keeps the raw variables of the sampler too
        posterior = xr.concat([chain.posterior[list(names)] for chain in chains], CHAIN)
        stats = xr.concat([chain.sample_stats for chain in chains], CHAIN)
        return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
