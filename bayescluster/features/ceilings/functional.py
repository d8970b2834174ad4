"""The ceiling of any fitted form: the most that is reachable at a level of one capital.

At each draw, the ceiling at level h of a capital is the largest outcome over the supported levels
of the other, for the firms of a group with everything else as it is. The outcome is the expectation,
or a quantile of the posterior predictive distribution. Its effect size d is the area between the
ceiling and the top of the scope, as a share of the scope. Surfaces are computed once on a grid of
both capitals and read off between its points.

A ceiling can be of a quantile of the predictive distribution in the place of expectations. A quantile
of one row depends on its linear predictor and on the parameters of the draw, so at each
draw it is tabled over the range of the linear predictor and read off between: cheap for every
family. Of a whole number it runs on smoothly between the steps of its distribution.

The least level of a capital at which the outcome, or its ceiling, reaches a target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import scipy

from bayescluster.arrays import Array
from bayescluster.design.claims import is_bounded
from bayescluster.design.forms import Recast, recast
from bayescluster.design.record import Design
from bayescluster.estimands.effects import Setting, outcome_surface
from bayescluster.estimands.scopes import Groups
from bayescluster.families import FAMILIES
from bayescluster.features.ceilings.results import LeastLevel, Level
from bayescluster.features.ceilings.spec import Ceilings
from bayescluster.model.evaluate import Draws
from bayescluster.names import CAPITALS
from bayescluster.results.base import INTERVAL, By

if TYPE_CHECKING:
    from bayescluster.design.record import Design


Quantile = Callable[[Any, Array, Mapping[str, Array]], Array]
"""``(share, eta, parameters) -> quantile``; the share is a number, or one a point."""
POINTS: Final = 48
"""Points of the table at each draw."""
LARGEST: Final = 30.0
"""Linear predictors on the log scale beyond this are taken as this."""


def _poisson(share: Any, eta: Array, _: Mapping[str, Array]) -> Array:
    mean = np.exp(np.minimum(eta, LARGEST))
    return np.asarray(np.maximum(scipy.special.pdtrik(share, mean), 0.0))


def _negative_binomial(share: Any, eta: Array, parameters: Mapping[str, Array]) -> Array:
    mean = np.exp(np.minimum(eta, LARGEST))
    shape = np.maximum(parameters["overdispersion"], 1e-6) ** -2
    at = scipy.special.nbdtrik(share, shape, shape / (shape + mean))
    return np.asarray(np.maximum(at, 0.0))


def _beta(share: Any, eta: Array, parameters: Mapping[str, Array]) -> Array:
    mean = np.clip(scipy.special.expit(eta), 1e-9, 1 - 1e-9)
    precision = parameters["precision"]
    return np.asarray(scipy.special.betaincinv(mean * precision, (1 - mean) * precision, share))


def _beyond_zeros(plain: Quantile) -> Quantile:
    """Quantile where a share of zeros comes first: 0 within it."""

    def quantile(share: Any, eta: Array, parameters: Mapping[str, Array]) -> Array:
        none = np.broadcast_to(parameters["zero_share"], eta.shape)
        rest = np.clip((share - none) / (1.0 - none), 1e-12, 1.0 - 1e-12)
        return np.where(share <= none, 0.0, plain(rest, eta, parameters))

    return quantile


_PLAIN: Final[dict[str, Quantile]] = {
    "gaussian": lambda share, eta, p: eta + p["sigma"] * scipy.special.ndtri(share),
    "student_t": lambda share, eta, p: eta + p["sigma"] * scipy.special.stdtrit(p["nu"], share),
    "lognormal": lambda share, eta, p: np.exp(eta + p["sigma"] * scipy.special.ndtri(share)),
    "poisson": _poisson,
    "negative_binomial": _negative_binomial,
    "beta": _beta,
}
QUANTILES: Final = _PLAIN | {
    family.name: _beyond_zeros(_PLAIN[family.plain.name])
    for family in FAMILIES.values()
    if family.plain is not None
}
"""Families whose outcomes are amounts or counts. The others have a probability for their mean."""


def at_quantile(design: Design, share: float) -> Recast | None:
    """Design whose expected outcome is a quantile of the outcome; None where it has none.

    Counts are per unit of exposure. Where each row has a standard error of its own, or outcomes of
    other equations come in between, there is no such quantile.
    """
    family = design.family
    if family.name not in QUANTILES or design.rows.standard_error is not None:
        return None
    if design.equation.predictors:
        return None
    quantile = QUANTILES[family.name]

    def expectation(eta: Array, parameters: Mapping[str, Array]) -> Array:
        return _tabled(lambda at, some: quantile(share, at, some), eta, parameters)

    return recast(design, family._replace(expectation=expectation))


def _tabled(
    function: Callable[[Array, Mapping[str, Array]], Array],
    eta: Array,
    parameters: Mapping[str, Array],
) -> Array:
    low, high = eta.min(axis=1, keepdims=True), eta.max(axis=1, keepdims=True)
    width = np.maximum(high - low, 1e-12)
    points = low + width * np.linspace(0.0, 1.0, POINTS)  # (draw, point)
    table = function(points, parameters)
    place = (eta - low) / width * (POINTS - 1)
    left = np.minimum(place.astype("int64"), POINTS - 2)
    rows = np.arange(len(eta))[:, None]
    return np.asarray(
        table[rows, left] + (place - left) * (table[rows, left + 1] - table[rows, left])
    )


GRID: Final = 11
"""Levels of each capital on which the surface is computed; between them it is read off."""
GRID_THROUGH: Final = 7
"""The same where the capitals act through other equations, which takes many times as long."""
FINE: Final = 41
"""Levels of the capital at which the ceiling of a group is computed."""
ACROSS: Final = 9
"""Levels of the other capital among which the largest outcome is looked for."""


class Span(NamedTuple):
    """Levels of a capital in one group: those of the scope, and those that are supported."""

    scope: tuple[float, float]
    supported: tuple[float, float]


class Ceiling(NamedTuple):
    """The ceiling of one capital in one group.

    ``levels`` are in standard deviations, ``(level,)``; ``height`` is ``(draw, level)``; ``d`` and
    ``reached``, ``(draw,)``, are the effect size, and that part of it which lies below the
    ceiling's own highest point: the rest is out of reach at any level of this capital. ``steps``:
    the capital is yes or no, and the ceiling is at two levels with nothing between.
    """

    levels: Array
    height: Array
    d: Array
    reached: Array
    steps: bool = False


class Surfaces(NamedTuple):
    """Outcome on a grid of both capitals, ``(draw, human level, social level, group)``."""

    human: Array
    social: Array
    mean: Array
    is_quantile: bool


Spans = tuple[Span, Span]
"""Spans of human and of social capital."""


def spans(design: Design, groups: Groups, options: Ceilings) -> list[Spans | None]:
    """Spans of both capitals in every group; None where a capital does not vary in it."""
    each = [
        [_span(values[members], options) for values in design.capitals]
        for members in groups.members.T
    ]
    return [(human, social) if human and social else None for human, social in each]


def _span(values: Array, options: Ceilings) -> Span | None:
    values = values[~np.isnan(values)]
    if values.size == 0 or np.ptp(values) == 0:
        return None
    ends = (float(values.min()), float(values.max()))
    scope = _quantiles(values, options.scope) if options.scope else ends
    supported = _quantiles(values, options.supported)
    return Span(scope if scope[0] < scope[1] else ends, supported)


def _quantiles(values: Array, pair: tuple[float, float]) -> tuple[float, float]:
    low, high = np.quantile(values, pair)
    return float(low), float(high)


def outcome_scope(design: Design, options: Ceilings) -> tuple[float, float]:
    """Lowest and highest outcome of the scope."""
    if options.outcome_scope is not None:
        return options.outcome_scope
    if is_bounded(design.equation):
        return 0.0, 1.0
    rates = design.rates(design.outcome)[design.answered]
    return float(rates.min()), float(rates.max())


def surfaces_of(
    design: Design,
    draws: Draws,
    groups: Groups,
    within: list[Spans | None],
    quantile: float,
) -> Surfaces:
    """Compute the outcome surface of every group on one grid that covers all their spans."""
    at = at_quantile(design, quantile)
    points = GRID_THROUGH if draws.upstream else GRID
    human, social = (_grid(design, position, within, points) for position in range(2))
    settings = [Setting(float(h), float(s)) for h in human for s in social]
    mean = outcome_surface(at or design, draws, settings, groups.weights)
    shaped = mean.reshape(draws.size, human.size, social.size, -1)
    return Surfaces(human, social, shaped, at is not None)


def _grid(design: Design, position: int, within: list[Spans | None], points: int) -> Array:
    ends = [
        end for pair in within if pair is not None for limits in pair[position] for end in limits
    ]
    low, high = min(ends), max(ends)
    if design.is_binary(CAPITALS[position]):
        return np.array([low, high])
    return np.linspace(low, high, points)


def ceiling_of(
    surfaces: Surfaces,
    position: int,
    group: int,
    span: Spans,
    top: tuple[float, float],
) -> Ceiling:
    """Ceiling of one capital in one group.

    Parameters
    ----------
    surfaces
        Surfaces of all groups.
    position
        0 for human, 1 for social capital.
    group
        Column of the group.
    span
        Spans of the two capitals in it.
    top
        Scope of the outcome.
    """
    mean = surfaces.mean[..., group]  # (draw, human, social)
    own, other = surfaces.human, surfaces.social
    if position == 1:
        mean, own, other = np.swapaxes(mean, 1, 2), other, own
    steps = own.size == 2
    levels = own if steps else np.linspace(*span[position].scope, FINE)
    low, high = span[1 - position].supported
    across = np.linspace(low, high, ACROSS if high > low else 1)
    along = _between(mean, other, across, axis=2).max(axis=2)  # (draw, own level)
    height = _between(along, own, levels, axis=1)
    return Ceiling(levels, height, *effect_sizes(levels, height, top), steps)


def _between(values: Array, grid: Array, at: Array, axis: int) -> Array:
    """Read values off between the points of a grid, along an axis."""
    place = np.clip(np.interp(at, grid, np.arange(grid.size)), 0, grid.size - 1)
    left = np.minimum(place.astype("int64"), grid.size - 2)
    shape = [1] * values.ndim
    shape[axis] = at.size
    part = (place - left).reshape(shape)
    return np.asarray(
        (1 - part) * np.take(values, left, axis=axis) + part * np.take(values, left + 1, axis=axis)
    )


def effect_sizes(levels: Array, height: Array, top: tuple[float, float]) -> tuple[Array, Array]:
    """Area above each ceiling as a share of the scope, and the part below its highest point."""
    low, high = top
    share = (np.clip(height, low, high) - low) / (high - low)
    # at two levels the ceiling of the lower one goes on to the higher, as that of observed cases
    below = share[:, 0]
    if levels.size > 2:
        below = np.trapezoid(share, levels, axis=1) / (levels[-1] - levels[0])
    return np.asarray(1 - below), np.asarray(share.max(axis=1) - below)


Key = tuple[str, By, str]
"""Capital, kind of group, and its label."""

NOT_NEEDED: Final = -np.inf
"""Stands for a target that the lowest level reaches: it comes before all levels."""
NOT_REACHED: Final = np.inf
"""Stands for a target that no level reaches: it comes after all levels."""
TAILS: Final = ((1 - INTERVAL) / 2, 0.5, (1 + INTERVAL) / 2)


def least_levels(
    levels: Array,
    heights: Array,
    targets: Sequence[float] | Array,
    *,
    between: bool = True,
    tolerance: float = 0.0,
) -> Array:
    """Find the least level at which a curve reaches each target.

    Where a curve falls and rises again, the first level that reaches the target counts.

    Parameters
    ----------
    levels
        Levels of the capital, rising, ``(level,)``.
    heights
        The curve there, ``(draw, level)``.
    targets
        Levels of the outcome.
    between
        Whether there are levels between two of these; a 0/1 capital has none.
    tolerance
        How far below a target still reaches it.

    Returns
    -------
    ndarray
        ``(draw, target)``: `NOT_NEEDED` where the lowest level already reaches the target,
        `NOT_REACHED` where no level does.
    """
    least = np.empty((len(heights), len(targets)))
    draws = np.arange(len(heights))
    for column, target in enumerate(targets):
        reached = heights >= target - tolerance  # (draw, level)
        first = reached.argmax(axis=1)
        before = np.maximum(first - 1, 0)
        at = levels[first]
        if between:
            low, high = heights[draws, before], heights[draws, first]
            way = np.divide(target - low, high - low, out=np.ones_like(low), where=high > low)
            at = levels[before] + np.clip(way, 0.0, 1.0) * (at - levels[before])
        at = np.where(first == 0, NOT_NEEDED, at)
        least[:, column] = np.where(reached.any(axis=1), at, NOT_REACHED)
    return least


def least_level_rows(
    key: Key,
    draws: Array,
    targets: Sequence[float] | Array,
    percents: Sequence[float | None] | Array,
    level: Callable[[float], Level],
) -> Iterator[LeastLevel]:
    """Summarise draws of the least level, ``(draw, target)``; ``level`` writes one in its units."""
    capital, by, group = key
    for target, percent, each in zip(targets, percents, draws.T, strict=True):
        # quantiles that are among the draws: between a level and infinity there is nothing
        low, median, high = (
            level(float(q)) if np.isfinite(q) else Level(word="NN" if q == NOT_NEEDED else "NA")
            for q in np.quantile(each, TAILS, method="inverted_cdf")
        )
        yield LeastLevel(
            capital=capital,
            by=by,
            group=group,
            target=target,
            target_percent=percent,
            low=low,
            median=median,
            high=high,
            not_needed=float((each == NOT_NEEDED).mean()),
            not_reached=float((each == NOT_REACHED).mean()),
        )


def units_of(
    design: Design, capital: str, lowest: float, highest: float
) -> Callable[[float], Level]:
    """Write standardised levels in all units of a capital; its range, too, is standardised."""
    unit, latent = design.scaling(capital), design.is_latent(capital)

    def level(value: float) -> Level:
        return Level(
            sd=value,
            original=None if latent else unit.center + unit.scale * value,
            percent=100 * (value - lowest) / (highest - lowest),
        )

    return level
