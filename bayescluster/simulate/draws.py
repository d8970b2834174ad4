"""Random draws from uniform numbers alone.

Every draw is a uniform number put through a quantile function. The stream of uniform numbers of a
numpy Generator is far less likely to change between releases than its other distributions, so a
scenario gives the same firms for longer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

type Floats = NDArray[np.float64]
type Bools = NDArray[np.bool_]

SMALLEST = 2.0**-54


def uniform(rng: np.random.Generator, size: int) -> Floats:
    """Draw uniform numbers in the open interval (0, 1).

    Parameters
    ----------
    rng
        Source of randomness.
    size
        How many.
    """
    return np.maximum(rng.random(size), SMALLEST)


def normal(rng: np.random.Generator, size: int) -> Floats:
    """Draw standard normal numbers, by the quantile function."""
    return np.asarray(ndtri(uniform(rng, size)), dtype=np.float64)


def stratified(rng: np.random.Generator, size: int) -> Floats:
    """Draw uniform numbers, one in each of ``size`` equal strata, in random order.

    A cluster of a few dozen firms then has the mean it is meant to have.
    """
    strata = np.argsort(uniform(rng, size), kind="stable")
    return np.asarray((strata + uniform(rng, size)) / size, dtype=np.float64)


def top_share(propensity: Floats, share: float) -> Bools:
    """Mark the given share of firms, those with the highest propensity.

    The number is rounded half up, so a share stated for a cluster holds to within half a firm.
    """
    count = int(np.floor(share * propensity.size + 0.5))
    chosen = np.zeros(propensity.size, dtype=np.bool_)
    chosen[np.argsort(-propensity, kind="stable")[:count]] = True
    return chosen


def allocate(size: int, shares: Sequence[float]) -> NDArray[np.int64]:
    """Share out firms in whole numbers in proportion to shares, by largest remainders.

    Parameters
    ----------
    size
        Number of firms to share out.
    shares
        Shares that sum to 1.

    Returns
    -------
    ndarray
        Counts that sum to ``size``.
    """
    exact = size * np.asarray(shares, dtype=np.float64)
    counts = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: size - int(counts.sum())]] += 1
    return counts
