"""Scores on a common scale, and how reliably several indicators measure one thing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array

FLAT = 1e-12
"""Spread, relative to the largest value, below which a column counts as constant."""
MAX_ITERATIONS = 2000
TOLERANCE = 1e-10


class Standardised(NamedTuple):
    """``raw = center + scale * values``."""

    values: Array
    center: float
    scale: float


def is_constant(values: Array) -> bool:
    """Tell whether all answered values are the same, rounding apart; True if none is answered."""
    answered = values[~np.isnan(values)]
    if answered.size == 0:
        return True
    return bool(np.ptp(answered) <= FLAT * np.abs(answered).max())


def standardise(values: Array) -> Standardised:
    """Put values on mean 0 and standard deviation 1 (``ddof=1``); missing ones stay missing."""
    center = float(np.nanmean(values))
    scale = float(np.nanstd(values, ddof=1))
    return Standardised((values - center) / scale, center, scale)


def correlations(items: Array) -> Array:
    """Correlations of ``(firm, item)``, each over the firms that answered both items."""
    masked = np.ma.masked_invalid(items)
    return np.asarray(np.ma.corrcoef(masked, rowvar=False).filled(np.nan), dtype=float)


def one_factor_loadings(correlation: Array) -> Array:
    """Loadings on one factor by minimum residuals.

    Iterated principal axes, whose fixed point is the minimum-residual solution (Harman and Jones
    1966); communalities are kept at or below 1, the sum of loadings at or above 0.
    """
    reduced = correlation.copy()
    off = np.abs(correlation - np.diag(np.diag(correlation)))
    communality = off.max(axis=1)
    loadings = np.sqrt(communality)
    for _ in range(MAX_ITERATIONS):
        np.fill_diagonal(reduced, communality)
        values, vectors = np.linalg.eigh(reduced)
        loadings = vectors[:, -1] * np.sqrt(max(float(values[-1]), 0.0))
        updated = np.minimum(loadings**2, 1.0)
        if np.abs(updated - communality).max() < TOLERANCE:
            break
        communality = updated
    return loadings if loadings.sum() >= 0 else -loadings


def reliability(correlation: Array, weights: Array) -> float | None:
    """Reliability of a weighted sum of standardised items.

    McDonald's omega from a one-factor fit for three items and more (McDonald 1999); for two, which
    do not identify a factor, the Spearman-Brown formula ``2 r / (1 + r)``, 0 if they correlate
    negatively.

    Parameters
    ----------
    correlation
        Correlations of the items, ``(item, item)``.
    weights
        Weights of the items in the sum.

    Returns
    -------
    float or None
        Between 0 and 1; None for one item, and where a pair of items is never answered together.
    """
    count = weights.size
    if count < 2 or not np.isfinite(correlation).all():
        return None
    if count == 2:
        r = max(float(correlation[0, 1]), 0.0)
        return 2 * r / (1 + r)
    loadings = one_factor_loadings(correlation)
    common = float(weights @ loadings) ** 2
    unique = float(weights**2 @ (1 - np.minimum(loadings**2, 1.0)))
    return common / (common + unique)


def first_component(correlation: Array) -> tuple[Array, float]:
    """Weights of the first principal component, of length 1 and sum above 0, and its variance."""
    values, vectors = np.linalg.eigh(correlation)
    first = vectors[:, -1]
    return (first if first.sum() >= 0 else -first), float(values[-1])
