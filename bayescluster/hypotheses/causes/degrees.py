"""Degrees of necessity and of sufficiency of all that makes the probabilities of firms differ.

Source: Gleiss and Schemper (2019), Statistics in Medicine 38: 4733-4748.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array

ROUNDING: Final = 1e-12
"""Firms this close to the overall probability are at it: its last digits are chance."""


class Degrees(NamedTuple):
    """Degrees of necessity and of sufficiency, of one shape; NaN for groups without firms."""

    necessity: Array
    sufficiency: Array


def degrees(probabilities: Array, weights: Array) -> Degrees:
    """Degrees from the probability of each firm.

    The degree of necessity is the mean, over firms below the overall probability, of how far they are
    below it, as a share of it: 1 where the outcome never comes to them. The degree of sufficiency is
    the mean, over firms above it, of how far they are above, as a share of the way to 1.

    Parameters
    ----------
    probabilities
        ``(draw, row)``.
    weights
        Averaging weights, ``(row, group)``, each column summing to 1, or to 0 for an empty group.

    Returns
    -------
    Degrees
        ``(draw, group)`` each.
    """
    size = (len(probabilities), weights.shape[1])
    found = Degrees(np.full(size, np.nan), np.full(size, np.nan))
    for column, weight in enumerate(weights.T):
        rows = np.flatnonzero(weight)
        if rows.size:
            some, share = probabilities[:, rows], weight[rows]
            overall = (some @ share)[:, None]  # (draw, 1)
            found.necessity[:, column] = _below(some, overall, share)
            found.sufficiency[:, column] = _below(1 - some, 1 - overall, share)
    return found


def _below(some: Array, overall: Array, share: Array) -> Array:
    """Mean shortfall of those below the overall probability, as a share of it, ``(draw,)``."""
    short = np.maximum(overall - some, 0.0)
    short[short < ROUNDING] = 0.0
    counted = (short > 0) @ share
    wanted = counted * overall[:, 0]
    return np.divide(short @ share, wanted, out=np.zeros(len(some)), where=wanted > 0)
