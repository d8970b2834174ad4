"""Levels of the capitals in units of their indicators."""

from __future__ import annotations

from bayescluster.dataset.indicators import amounts_at
from bayescluster.design.record import Design
from bayescluster.estimands.levels import Levels
from bayescluster.names import CAPITALS
from bayescluster.results.corners import IndicatorAmount, LevelAmounts


def amounts_of(design: Design, levels: Levels) -> tuple[LevelAmounts, ...]:
    """Translate low and high of each capital back; nothing for a capital that is yes or no."""
    found = []
    for measure in design.details.measures:
        if measure.capital not in CAPITALS or measure.binary or not measure.units:
            continue
        unit = design.scaling(measure.capital)
        pair = levels.human if measure.capital == CAPITALS[0] else levels.social
        low, high = (unit.center + unit.scale * level for level in pair)
        at_low, at_high = (amounts_at(measure.units, raw) for raw in (low, high))
        found.append(
            LevelAmounts(
                capital=measure.capital,
                method=measure.method,
                low=low,
                high=high,
                indicators=tuple(
                    IndicatorAmount(column=column, low=at_low[column], high=at_high[column])
                    for column in at_low
                ),
            )
        )
    return tuple(found)
