"""Direct calibration: values to memberships of a fuzzy set, by three anchors.

Source: Ragin (2008), *Redesigning Social Inquiry*, chapter 5. The log odds of membership are linear
on either side of the crossover, and reach +-ln(.95/.05) at full membership and full exclusion.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from bayescluster.arrays import Array

LOG_ODDS: Final = float(np.log(0.95 / 0.05))
"""Log odds of membership at the anchor of inclusion; its negative at that of exclusion."""
AMBIGUOUS: Final = 0.5
"""Membership at the crossover: neither in nor out."""


def calibrate(values: Array, anchors: Array) -> Array:
    """Memberships of values in a set.

    Parameters
    ----------
    values
        ``(row,)``, or with leading replicates.
    anchors
        Exclusion, crossover and inclusion along the last axis, ``(..., 3)``, rising or falling; of
        several replicates each has its own.

    Returns
    -------
    ndarray
        ``(..., row)``: .05 at exclusion, .5 at the crossover, .95 at inclusion; NaN stays NaN.
    """
    exclusion, crossover, inclusion = (anchors[..., [k]] for k in range(3))
    beyond = values - crossover
    # positive towards inclusion, whichever way the anchors run
    towards = beyond / (inclusion - crossover)
    away = beyond / (crossover - exclusion)
    return np.asarray(expit(LOG_ODDS * np.where(towards >= 0, towards, away)))


def in_order(anchors: Array) -> NDArray[np.bool_]:
    """Whether anchors rise or fall strictly, ``(...)``."""
    steps = np.diff(anchors, axis=-1)
    return np.asarray((steps > 0).all(axis=-1) | (steps < 0).all(axis=-1))


def drawn_anchors(anchors: Array, sd: Array, count: int, rng: np.random.Generator) -> Array:
    """Draws of anchors, ``(replicate, 3)``; one row where they are certain.

    Each is normal around its value, and all three are drawn again until they stand in the order in
    which they were declared: the prior is cut to sets that point the same way.
    """
    if not sd.any():
        return anchors[None, :]
    way = np.sign(anchors[2] - anchors[0])
    drawn = np.empty((count, 3))
    pending = np.arange(count)
    while pending.size:
        drawn[pending] = anchors + sd * rng.normal(size=(pending.size, 3))
        kept = (way * np.diff(drawn[pending], axis=1) > 0).all(axis=1)
        pending = pending[~kept]
    return drawn


def is_crisp(values: Array) -> bool:
    """Whether all known values are 0 or 1: a crisp set needs no calibration."""
    return bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())
