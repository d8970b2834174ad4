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

from bayescluster.arrays import Array
from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.estimands.quantiles import at_quantile
from bayescluster.estimands.scopes import Groups
from bayescluster.estimands.surface import Setting, outcome_surface
from bayescluster.features.ceilings.spec import Ceilings
from bayescluster.model.evaluate import Draws
from bayescluster.names import CAPITALS

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
    """Compute the outcome surface of every group on one grid that covers all their spans.

    Parameters
    ----------
    design, draws
        The design, and draws under the scope asked for.
    groups
        Groups of rows.
    within
        Spans of the groups.
    quantile
        Which quantile of the predictive distribution; the expectation for families that have none.
    """
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
