"""The outcome surface: expected outcome with the capitals set, averaged over the rows of a group.

``m(h, s) = mean over rows i of the group of E[y_i | H_i = h, S_i = s, everything else as it is]``,
draw by draw (g-computation). Counts are per unit of exposure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.design.record import Design
from bayescluster.estimands.mediation import expected_outcome
from bayescluster.model.evaluate import Array, Draws


class Own(NamedTuple):
    """A capital left as it is in every row, shifted by so many standard deviations."""

    shift: float = 0.0


Level = float | Array | Own


class Setting(NamedTuple):
    """Where the capitals are set, in standard deviations: one number, one a row, or their own."""

    human: Level
    social: Level


def outcome_surface(
    design: Design, draws: Draws, settings: Sequence[Setting], weights: Array
) -> Array:
    """Average expected outcome at each setting.

    Parameters
    ----------
    design
        The design.
    draws
        Draws under the scope asked for.
    settings
        Levels of the capitals.
    weights
        Averaging weights, ``(row, group)``.

    Returns
    -------
    ndarray
        ``(draw, setting, group)``.
    """
    rows = np.flatnonzero(weights.any(axis=1))
    weights = weights[rows]
    out = np.empty((draws.size, len(settings), weights.shape[1]))
    for which, part in draws.for_rows(rows).chunks(rows.size):
        own = part.capitals or tuple(values[rows] for values in design.capitals)
        for position, setting in enumerate(settings):
            human, social = (
                _at(level, mine, rows) for level, mine in zip(setting, own, strict=True)
            )
            mean = expected_outcome(design, part, (human, social), (human, social), rows)
            out[which, position] = mean @ weights
    return out


def _at(level: Level, own: Array, rows: NDArray[np.int64]) -> float | Array:
    if isinstance(level, Own):
        return own + level.shift
    return level[rows] if isinstance(level, np.ndarray) else level
