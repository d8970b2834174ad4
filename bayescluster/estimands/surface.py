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
from bayescluster.model.evaluate import (
    Array,
    Draws,
    control_part,
    expectation,
    row_coefficients,
)

Level = float | NDArray[np.float64]


class Setting(NamedTuple):
    """Where the capitals are set, in standard deviations: one number, or one a row."""

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
        coefficients = row_coefficients(part)
        controls = control_part(part, design.controls[rows])
        for position, (human, social) in enumerate(settings):
            levels = _at(human, rows), _at(social, rows)
            if design.has_moving_controls:
                controls = control_part(part, design.controls_at(*levels, rows))
            eta = design.structure.contribution(*levels, coefficients) + controls
            full = np.broadcast_to(eta, (part.size, rows.size))
            out[which, position] = expectation(design, full, part) @ weights
    return out


def _at(level: Level, rows: NDArray[np.int64]) -> Level:
    return level[rows] if isinstance(level, np.ndarray) else level
