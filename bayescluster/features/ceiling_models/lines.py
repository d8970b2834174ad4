"""Ceilings that are lines: their effect sizes, and averages over the clusters of a group."""

from __future__ import annotations

import numpy as np

from bayescluster.arrays import Array
from bayescluster.features.ceiling_models.model import UNIT_SD, CeilingDraws, Layout, Limits

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
    heights = np.empty((draws.size, weights.shape[1], at.size))
    slope = draws.slope[:, layout.industry]
    for k, place in enumerate(at):  # (draw, unit) at a time
        heights[:, :, k] = np.clip(draws.height + slope * (place - 0.5), *limits) @ weights
    return heights
