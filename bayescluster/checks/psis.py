"""Pareto-smoothed importance sampling of many sets of weights at once.

Source: Vehtari, Simpson, Gelman, Yao and Gabry (2024), Journal of Machine Learning Research 25(72),
and for the fit of the tail Zhang and Stephens (2009), Technometrics 51(3); the numbers are those of
arviz.
"""

from __future__ import annotations

from math import sqrt
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array

TAIL_MIN: Final = 5
"""Fewest draws of a tail that a distribution is fitted to."""
PRIOR_SHAPE, PRIOR_DRAWS = 0.5, 10
"""The prior of the shape is worth ten draws around one half."""
PRIOR_SCALE: Final = 3
NEGLIGIBLE: Final = 10 * np.finfo(float).eps
FACTORS: Final = 8
"""Factors of a product whose logarithm stands for a sum of logarithms."""


class Smoothed(NamedTuple):
    """Log weights that sum to 1, ``(set, draw)``, and the Pareto k of each set, ``(set,)``."""

    log_weights: Array
    khat: Array


def smoothed(log_ratios: Array, relative_ess: float) -> Smoothed:
    """Smooth the largest weights of each set.

    Parameters
    ----------
    log_ratios
        Log of the ratios of the densities, ``(set, draw)``.
    relative_ess
        Effective draws a draw.

    Notes
    -----
    A set whose tail is too short or without variation has no Pareto k (not a number) and keeps its
    weights as they are.
    """
    return smoothed_tails(log_ratios, tail_length(log_ratios.shape[1], relative_ess))


def tail_length(draws: int, relative_ess: float) -> int:
    """How many of the largest weights are smoothed."""
    if draws * relative_ess > 225:
        return int(3 * sqrt(draws / relative_ess))
    return draws // 5


def smoothed_tails(log_ratios: Array, length: int) -> Smoothed:
    """Smooth so many of the largest weights of each set; see `smoothed`."""
    sets, draws = log_ratios.shape
    log_weights = log_ratios - log_ratios.max(axis=1, keepdims=True)
    khat = np.full(sets, np.nan)
    if TAIL_MIN <= length < draws:
        first = draws - length
        places = np.argpartition(log_weights, first - 1, axis=1)
        cutoff = np.take_along_axis(log_weights, places[:, [first - 1]], axis=1)
        places = places[:, first:]
        tail = np.take_along_axis(log_weights, places, axis=1)
        order = np.argsort(tail, axis=1)
        places = np.take_along_axis(places, order, axis=1)
        tail = np.take_along_axis(tail, order, axis=1)
        with np.errstate(all="ignore"):
            khat, tail = _smoothed(tail, cutoff)
        np.put_along_axis(log_weights, places, tail, axis=1)
    return Smoothed(log_weights - log_sum(log_weights)[:, None], khat)


def log_sum(values: Array) -> Array:
    """Log of the sum of exponentials, ``(set, draw) -> (set,)``."""
    most = values.max(axis=1)
    return np.asarray(most + np.log(np.exp(values - most[:, None]).sum(axis=1)))


def _smoothed(tail: Array, cutoff: Array) -> tuple[Array, Array]:
    """Pareto k of sorted tails, ``(set, draw)`` in logs, and the tails smoothed."""
    length = tail.shape[1]
    floor_, excess = np.exp(cutoff), np.exp(tail) - np.exp(cutoff)
    shape, scale = _pareto(excess)
    places = np.arange(0.5, length) / length
    size = -np.log1p(-places)  # quantiles of an exponential
    k, sigma = shape[:, None], scale[:, None]
    quantiles = floor_ + sigma * np.where(k == 0, size, np.expm1(k * size) / k)
    quantiles[scale <= 0] = np.nan
    fitted = np.minimum(np.log(quantiles), tail[:, -1:])  # what is not a number stays so
    varies = (tail[:, -1] - tail[:, 0] >= np.finfo(float).tiny) & np.isfinite(shape)
    return shape, np.where(varies[:, None], fitted, tail)


def _pareto(excess: Array) -> tuple[Array, Array]:
    """Shape and scale of generalised Pareto distributions of sorted ``(set, draw)``, ``(set,)`` each."""
    length = excess.shape[1]
    points = 30 + int(length**0.5)
    quartile = excess[:, int(length / 4 + 0.5) - 1]
    grid = 1 - np.sqrt(points / (np.arange(1, points + 1) - 0.5))
    rate = grid / (PRIOR_SCALE * quartile[:, None]) + 1 / excess[:, -1:]  # (set, point)
    shape = _mean_log(rate, excess)
    log_weight = length * (np.log(-rate / shape) - shape - 1)
    weight = np.exp(log_weight - log_sum(log_weight)[:, None])
    weight[weight < NEGLIGIBLE] = 0.0
    best = (rate * weight).sum(axis=1) / weight.sum(axis=1)
    kappa = np.log1p(-best[:, None] * excess).mean(axis=1)
    scale = -kappa / best
    kappa = (length * kappa + PRIOR_DRAWS * PRIOR_SHAPE) / (length + PRIOR_DRAWS)
    kappa[np.isnan(kappa)] = np.inf
    # the first quartile is no larger than the least: nothing like a Pareto distribution
    kappa[~(quartile > excess[:, 0])] = np.nan
    return kappa, scale


def _mean_log(rate: Array, excess: Array) -> Array:
    """Mean of ``log(1 - rate * excess)`` over draws, ``(set, point)``."""
    length = excess.shape[1]
    whole = length - length % FACTORS
    total = np.empty(rate.shape)
    for k in range(len(excess)):  # set by set, (point, draw) stays in the cache
        factor = 1 - rate[k][:, None] * excess[k]
        product = factor[:, :whole].reshape(len(factor), FACTORS, -1).prod(axis=1)
        total[k] = np.log(product).sum(axis=1) + np.log(factor[:, whole:]).sum(axis=1)
    return np.asarray(total / length)
