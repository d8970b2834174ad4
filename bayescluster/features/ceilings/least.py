"""The least level of a capital at which the outcome, or its ceiling, reaches a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from bayescluster.arrays import Array
from bayescluster.features.ceilings.results import LeastLevel, Level
from bayescluster.results.base import INTERVAL, By

if TYPE_CHECKING:
    from bayescluster.design.record import Design

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
