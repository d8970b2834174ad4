"""The ceiling of any fitted form: the most that is reachable at a level of one capital.

At each draw, the ceiling at level h of a capital is the largest outcome over the supported levels
of the other, for the firms of a group with everything else as it is. The outcome is the expectation,
or a quantile of the posterior predictive distribution. Its effect size d is the area between the
ceiling and the top of the scope, as a share of the scope. Surfaces are computed once on a grid of
both capitals and read off between its points.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.estimands.quantiles import at_quantile
from bayescluster.estimands.scopes import Groups
from bayescluster.estimands.surface import Setting, outcome_surface
from bayescluster.features.ceiling_models.model import UNIT_SD, CeilingDraws, Layout
from bayescluster.features.ceilings.spec import Ceilings
from bayescluster.model.evaluate import Draws
from bayescluster.names import CAPITALS

GRID: Final = 11
"""Levels of each capital on which the surface is computed; between them it is read off."""
GRID_THROUGH: Final = 7
"""The same where the capitals act through other equations, which takes many times as long."""
FINE: Final = 41
"""Levels of the capital at which the ceiling of a group stands."""
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
    the capital is yes or no, and the ceiling stands at two levels with nothing between.
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


def spans(design: Design, groups: Groups, asked: Ceilings) -> list[tuple[Span, Span] | None]:
    """Spans of both capitals in every group; None where a capital does not vary in it."""
    found: list[tuple[Span, Span] | None] = []
    for members in groups.members.T:
        pair = [_span(values[members], asked) for values in design.capitals]
        first, second = pair
        found.append(None if first is None or second is None else (first, second))
    return found


def _span(values: Array, asked: Ceilings) -> Span | None:
    values = values[~np.isnan(values)]
    if values.size == 0 or np.ptp(values) == 0:
        return None
    ends = (float(values.min()), float(values.max()))
    scope = _quantiles(values, asked.scope) if asked.scope else ends
    supported = _quantiles(values, asked.supported)
    return Span(scope if scope[0] < scope[1] else ends, supported)


def _quantiles(values: Array, pair: tuple[float, float]) -> tuple[float, float]:
    low, high = np.quantile(values, pair)
    return float(low), float(high)


def outcome_scope(design: Design, asked: Ceilings) -> tuple[float, float]:
    """Lowest and highest outcome of the scope."""
    if asked.outcome_scope is not None:
        return asked.outcome_scope
    if is_bounded(design.equation):
        return 0.0, 1.0
    rates = design.answers / np.exp(design.offset[design.answered])
    return float(rates.min()), float(rates.max())


def surfaces_of(
    design: Design,
    draws: Draws,
    groups: Groups,
    known: list[tuple[Span, Span] | None],
    quantile: float,
) -> Surfaces:
    """Compute the outcome surface of every group on one grid that covers all their spans.

    Parameters
    ----------
    design, draws
        The design, and draws under the scope asked for.
    groups
        Groups of rows.
    known
        Spans of the groups.
    quantile
        Which quantile of the predictive distribution; the expectation for families that have none.
    """
    at = at_quantile(design, quantile)
    points = GRID_THROUGH if draws.upstream else GRID
    human, social = (_grid(design, position, known, points) for position in range(2))
    settings = [Setting(float(h), float(s)) for h in human for s in social]
    mean = outcome_surface(at or design, draws, settings, groups.weights)
    shaped = mean.reshape(draws.size, human.size, social.size, -1)
    return Surfaces(human, social, shaped, at is not None)


def _grid(
    design: Design, position: int, known: list[tuple[Span, Span] | None], points: int
) -> Array:
    ends = [
        end for pair in known if pair is not None for limits in pair[position] for end in limits
    ]
    low, high = min(ends), max(ends)
    if design.is_binary(CAPITALS[position]):
        return np.array([low, high])
    return np.linspace(low, high, points)


def ceiling_of(
    surfaces: Surfaces,
    position: int,
    group: int,
    span: tuple[Span, Span],
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
    """Area above each ceiling as a share of the scope, and the part below its highest point.

    Parameters
    ----------
    levels, height
        ``(level,)`` and ``(draw, level)``.
    top
        Scope of the outcome.
    """
    low, high = top
    share = (np.clip(height, low, high) - low) / (high - low)
    # at two levels the ceiling of the lower one goes on to the higher, as that of observed cases
    below = share[:, 0]
    if levels.size > 2:
        below = np.trapezoid(share, levels, axis=1) / (levels[-1] - levels[0])
    return np.asarray(1 - below), np.asarray(share.max(axis=1) - below)


def least_levels(ceiling: Ceiling, targets: NDArray[np.float64]) -> Array:
    """Least level of the capital at which the ceiling reaches each target, ``(draw, target)``.

    Minus infinity where it does so at the lowest level of the scope already (not necessary), plus
    infinity where it does so nowhere (not reachable). Where a ceiling falls again, the first level
    that reaches the target counts.
    """
    levels, height = ceiling.levels, ceiling.height
    found = np.empty((len(height), targets.size))
    draws = np.arange(len(height))
    for column, target in enumerate(targets):
        reaches = height >= target  # (draw, level)
        first = reaches.argmax(axis=1)
        before = np.maximum(first - 1, 0)
        left, right = height[draws, before], height[draws, first]
        rise = np.where(right > left, right - left, 1.0)
        part = 1.0 if ceiling.steps else np.clip((target - left) / rise, 0.0, 1.0)
        at = levels[before] + part * (levels[first] - levels[before])
        at = np.where(first == 0, -np.inf, at)
        found[:, column] = np.where(reaches.any(axis=1), at, np.inf)
    return found


Limits = tuple[float, float]

LEVEL_GRID = 41
"""Places of the capital at which ceilings are drawn and inverted."""
LEVEL_SLOPE = 1e-9
"""Below this slope a line is level."""


def _area(upper: Array, limits: Limits) -> Array:
    """Integral of ``clip(u, floor, top)`` from 0 to ``upper``, up to a constant."""
    floor, top = limits
    inside = np.clip(upper, floor, top)
    below, above = np.minimum(upper - floor, 0.0), np.maximum(upper - top, 0.0)
    return np.asarray(floor * below + inside**2 / 2 + top * above)


def effect_size(height: Array, slope: Array, limits: Limits) -> Array:
    """Share of the scope above a ceiling, exactly.

    Parameters
    ----------
    height, slope
        Line of the ceiling, of one shape; ``height`` in the middle of the scope.
    limits
        Floor and top.
    """
    height, slope = np.broadcast_arrays(height, slope)
    level = np.abs(slope) < LEVEL_SLOPE
    safe = np.where(level, 1.0, slope)
    below = _area(height + safe / 2, limits) - _area(height - safe / 2, limits)
    # a ceiling along the top leaves nothing, not a rounding error less
    return np.asarray(np.maximum(1 - np.where(level, np.clip(height, *limits), below / safe), 0.0))


def unit_effects(draws: CeilingDraws, layout: Layout, limits: Limits) -> Array:
    """Effect size of each unit, ``(draw, unit)``."""
    return effect_size(draws.height, draws.slope[:, layout.industry], limits)


def new_unit_heights(draws: CeilingDraws, rng: np.random.Generator) -> Array:
    """Height of a new cluster of each industry, ``(draw, industry)``."""
    noise = rng.logistic(size=draws.location.shape)
    return draws.location + UNIT_SD * draws.spread[:, None] * noise


def group_ceilings(
    draws: CeilingDraws, layout: Layout, weights: Array, limits: Limits, at: Array
) -> Array:
    """Ceilings of groups of firms: averages over their firms of those of their clusters.

    Parameters
    ----------
    draws, layout, limits
        The model.
    weights
        What a unit counts in a group, ``(unit, group)``, each column summing to 1.
    at
        Places of the capital, ``(place,)``.

    Returns
    -------
    ndarray
        ``(draw, group, place)``.
    """
    found = np.empty((draws.size, weights.shape[1], at.size))
    slope = draws.slope[:, layout.industry]
    for k, place in enumerate(at):  # (draw, unit) at a time
        found[:, :, k] = np.clip(draws.height + slope * (place - 0.5), *limits) @ weights
    return found


class Needed(NamedTuple):
    """Least capital for a level of the outcome, in shares of the scope.

    ``low``, ``median`` and ``high`` are quantiles over the draws, where "not needed" comes before
    every number and "out of reach" after: ``-inf`` and ``inf``.
    """

    low: float
    median: float
    high: float
    not_needed: float
    out_of_reach: float


def least_needed(curves: Array, at: Array, level: float, tail: float) -> Needed:
    """Least capital at which a ceiling reaches a level.

    Parameters
    ----------
    curves
        Ceilings that never fall, ``(draw, place)``.
    at
        The places, from 0 to 1.
    level
        Level of the outcome, in shares of its scope.
    tail
        Probability in each tail of the interval.
    """
    reached = curves >= level - 1e-12
    none, never = reached[:, 0], ~reached[:, -1]
    first = np.argmax(reached, axis=1)
    before = np.maximum(first - 1, 0)
    rows = np.arange(len(curves))
    low, high = curves[rows, before], curves[rows, first]
    rise = np.where(high > low, high - low, 1.0)
    found = at[before] + (at[first] - at[before]) * (level - low) / rise
    found = np.where(none, -np.inf, np.where(never, np.inf, found))
    # order statistics: between a number and infinity there is nothing to interpolate
    quantiles = np.quantile(found, [tail, 0.5, 1 - tail], method="inverted_cdf")
    shorter, median, longer = map(float, quantiles)
    return Needed(shorter, median, longer, float(none.mean()), float(never.mean()))
