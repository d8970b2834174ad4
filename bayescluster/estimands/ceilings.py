"""What a ceiling says: its area above, its height over the scope, and the least capital it allows.

The effect size ``d`` is the share of the scope above the ceiling (Dul 2016, Organizational Research
Methods 19). That of an industry, and of all firms, is the mean over its firms of that of their
clusters, so it is the area above the average of their ceilings.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.model.ceiling import UNIT_SD
from bayescluster.model.ceiling_evaluate import CeilingDraws
from bayescluster.model.ceiling_layout import Layout

Limits = tuple[float, float]

GRID = 41
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
