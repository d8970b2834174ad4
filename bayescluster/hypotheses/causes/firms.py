"""Probabilities of single firms, and what makes them differ: all that the model holds, or a capital."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.mediation import expected_outcome
from bayescluster.estimands.surface import Own, Setting, outcome_surface
from bayescluster.hypotheses.causes.degrees import Degrees, degrees
from bayescluster.model.evaluate import Draws
from bayescluster.names import CAPITALS

KNOTS: Final = 13
"""Levels of a capital between which the average probability is taken to be a straight line."""


def firm_probabilities(design: Design, draws: Draws) -> Array:
    """Probability of the outcome of every row as it is, ``(draw, row)``."""
    rows = np.arange(design.size)
    out = np.empty((draws.size, design.size))
    for which, part in draws.for_rows(rows).chunks(rows.size):
        own = part.capitals or design.capitals
        out[which] = expected_outcome(design, part, own, own, rows)
    return np.clip(out, 0.0, 1.0)


def degrees_of_all(design: Design, draws: Draws, weights: Array) -> Degrees:
    """Degrees of all that makes firms differ, ``(draw, group)`` each."""
    return degrees(firm_probabilities(design, draws), weights)


def degrees_of_capital(design: Design, draws: Draws, weights: Array, capital: str) -> Degrees:
    """Degrees of one capital: firms differ in it alone, all else averaged over their group.

    Parameters
    ----------
    design, draws
        The design, and its draws.
    weights
        Averaging weights, ``(row, group)``.
    capital
        The capital.

    Returns
    -------
    Degrees
        ``(draw, group)`` each.
    """
    position = CAPITALS.index(capital)
    own = (draws.capitals or design.capitals)[position]
    own = own if own.ndim == 2 else own[None, :]  # (draw or 1, row)
    low, high = float(own.min()), float(own.max())
    levels = np.linspace(low, high, 2 if design.is_binary(capital) else KNOTS)
    settings = [
        Setting(level, Own()) if position == 0 else Setting(Own(), level)
        for level in map(float, levels)
    ]
    mean = outcome_surface(design, draws, settings, weights)  # (draw, level, group)
    place = (own - low) / max(high - low, np.finfo(float).tiny) * (len(levels) - 1)
    below = np.clip(place.astype("int64"), 0, len(levels) - 2)
    parts = [
        degrees(_between(mean[:, :, [group]], below, place), weights[:, [group]])
        for group in range(weights.shape[1])
    ]
    return Degrees(*(np.hstack(found) for found in zip(*parts, strict=True)))


def _between(mean: Array, below: NDArray[np.int64], place: Array) -> Array:
    """Average probability at the capital of every row, ``(draw, row)``, from its levels."""
    curve = np.clip(mean[:, :, 0], 0.0, 1.0)  # (draw, level)
    at = np.broadcast_to(below, (len(curve), below.shape[1]))
    lower = np.take_along_axis(curve, at, axis=1)
    upper = np.take_along_axis(curve, at + 1, axis=1)
    return np.asarray(lower + (place - below) * (upper - lower))
