"""How far a posterior hangs on its priors and on its likelihood: power-scaling sensitivity.

A prior, a block of priors, or the likelihood is raised to a power ``alpha`` near 1. Draws are not
drawn again: each counts with the weight ``density ** (alpha - 1)``, Pareto-smoothed. How far the
distribution of a quantity moves, by the cumulative Jensen-Shannon distance and per doubling of the
power, is its sensitivity. Source: Kallioinen, Paananen, Bürkner and Vehtari (2024), Detecting and
diagnosing prior and likelihood sensitivity with power-scaling, Statistics and Computing 34, 57; the
distance as computed by arviz.

A distance is never below 0: of finite draws it is above 0 even where nothing moves. That part grows
as the draws get fewer, so it is read off parts of the chains, and no flag is raised by it. The
distance is put in units of its largest value over the range of the draws; more draws reach further,
so that it also falls a little (a tenth, say) as they get more: that is part of its definition.
"""

from __future__ import annotations

import warnings
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import SENSITIVITY_MIN, khat_max
from bayescluster.results.sensitivity import Diagnosis

ALPHAS: Final = (0.99, 1.01)
"""Powers on both sides of 1 from which the gradient is taken, as in the source."""
SIDE: Final = 1.645
"""Standard errors on each side that a sensitivity is told with."""
STILL: Final = 1e-12
"""A log density, or a quantity, that moves no more than this does not move."""


class Sensed(NamedTuple):
    """Sensitivity of quantities to one part of the model, ``(quantity,)`` each.

    ``noise`` is the part of ``value`` that finite draws make; ``low`` and ``high`` are bounds of
    what is left without it. Not a number for a quantity that stands still.
    """

    value: Array
    noise: Array
    low: Array
    high: Array


class Weights(NamedTuple):
    """Weights that stand for a posterior under another power, ``(draw,)``, adding up to 1."""

    values: Array
    khat: float
    ess: float
    """Effective number of draws that the weights leave."""

    def reliable(self, draws: int) -> bool:
        """Whether these draws can stand for the other posterior."""
        return self.khat <= khat_max(draws)


def sensitivity(density: Array, quantities: Array, chains: int) -> Sensed:
    """Sensitivity of quantities to the power of one part of the model.

    Parameters
    ----------
    density
        Log density of the part at each draw, ``(draw,)``, the chains one after the other.
    quantities
        ``(draw, quantity)``, in the same order.
    chains
        Number of chains.
    """
    from arviz_stats.base import array_stats

    count = quantities.shape[1]
    if np.ptp(density) <= STILL:
        zero = np.zeros(count)
        return Sensed(zero, zero, zero, zero)
    shaped = density.reshape(chains, -1)
    ends = []
    with warnings.catch_warnings():
        # of few draws arviz warns that the tail is short: the noise below tells what comes of it
        warnings.simplefilter("ignore", UserWarning)
        for alpha in ALPHAS:
            log_weights = array_stats.power_scale_lw(shaped, alpha=alpha, axis=(0, 1))
            ends.append(np.exp(log_weights).ravel())
    moving = np.ptp(quantities, axis=0) > STILL
    whole = np.full(count, np.nan)
    whole[moving] = _distance(quantities[:, moving], (ends[0], ends[1]))
    # half chains: parts long enough to hold the dependence of the draws
    parts = np.array_split(np.arange(density.size), 2 * chains)
    each = np.full((len(parts), count), np.nan)
    for k, part in enumerate(parts):
        some = (ends[0][part], ends[1][part])
        # what stands still in a half, as in a chain that is stuck, no weights can move there
        within = moving & (np.ptp(quantities[part], axis=0) > STILL)
        each[k, moving] = 0.0
        each[k, within] = _distance(quantities[np.ix_(part, within)], some)
    return _without_noise(whole, each)


def _distance(quantities: Array, weights: tuple[Array, Array]) -> Array:
    """Gradient of the cumulative Jensen-Shannon distance, ``(quantity,)``."""
    from arviz_stats.base import array_stats

    values = np.ascontiguousarray(quantities.T)[:, None, :]  # (quantity, 1, draw)
    low, high = (np.broadcast_to(end / end.sum(), values.shape) for end in weights)
    found = array_stats.power_scale_sense(
        values, low, high, lower_alpha=ALPHAS[0], upper_alpha=ALPHAS[1]
    )
    return np.asarray(found, dtype="float64")


def _without_noise(whole: Array, parts: Array) -> Sensed:
    """Take off what finite draws make of nothing, and bound what is left.

    A squared distance is that of the truth plus a part that goes as one over the number of draws:
    with ``m`` parts, ``whole^2 = t^2 + b`` and the mean of ``part^2 = t^2 + m b``.
    """
    m = len(parts)
    noise2 = np.maximum(((parts**2).mean(axis=0) - whole**2) / (m - 1), 0.0)
    left = np.sqrt(np.maximum(whole**2 - noise2, 0.0))
    error = SIDE * parts.std(axis=0, ddof=1) / np.sqrt(m)
    return Sensed(whole, np.sqrt(noise2), np.maximum(left - error, 0.0), left + error)


def diagnosis(
    prior: tuple[float, float, float], likelihood: tuple[float, float] | None
) -> Diagnosis:
    """Say what a sensitivity to the prior means.

    Parameters
    ----------
    prior
        Sensitivity to the prior, and its bounds.
    likelihood
        Bounds of the sensitivity to the likelihood, where it could be scaled.
    """
    value, low, _ = prior
    if not value >= SENSITIVITY_MIN:
        return "-"
    if low < SENSITIVITY_MIN:
        return "within noise"
    if likelihood is None or likelihood[0] < SENSITIVITY_MIN <= likelihood[1]:
        return "sensitive to the prior"
    if likelihood[0] >= SENSITIVITY_MIN:
        return "prior-data conflict"
    return "strong prior or weak likelihood"


def power_weights(density: Array, alpha: float, chains: int) -> Weights:
    """Pareto-smoothed weights of the posterior with one part of the model to the power ``alpha``.

    Parameters
    ----------
    density
        Log density of the part at each draw, ``(draw,)``, the chains one after the other.
    alpha
        The power.
    chains
        Number of chains.
    """
    from arviz_stats.base import array_stats

    size = density.size
    ratio = (alpha - 1.0) * density
    if np.ptp(ratio) <= STILL:
        return Weights(np.full(size, 1.0 / size), 0.0, float(size))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        shaped = np.exp(ratio - ratio.max()).reshape(chains, -1)
        ess = float(array_stats.ess(shaped, method="mean", chain_axis=0, draw_axis=1))
        # not above 1: draws that repel each other do not make a tail longer
        relative = min(ess / size, 1.0) if np.isfinite(ess) else 1.0
        try:
            log_weights, khat = array_stats.psislw(-ratio, r_eff=relative)
        except ValueError:  # too few draws for a tail
            log_weights, khat = ratio, np.inf
    values = np.exp(log_weights - np.max(log_weights))
    values = values / values.sum()
    found = float(khat)
    return Weights(values, found if np.isfinite(found) else np.inf, float(1.0 / (values**2).sum()))


def weighted_probabilities(
    events: NDArray[np.bool_], weights: Weights, chains: int
) -> tuple[Array, Array]:
    """Probabilities of events under weights and their Monte Carlo errors, ``(event,)`` each.

    The error is that of the mean of ``size * weight * (event - probability)``, with the dependence
    of the draws; where all draws agree, that of one further draw to the other side.

    Parameters
    ----------
    events
        ``(draw, event)``, the chains one after the other.
    weights
        Of the draws.
    chains
        Number of chains.
    """
    from arviz_stats.base import array_stats

    size, count = events.shape
    probability = weights.values @ events
    spread = size * weights.values[:, None] * (events - probability)
    smoothed = (probability * weights.ess + 1.0) / (weights.ess + 2.0)
    error = np.sqrt(smoothed * (1.0 - smoothed) / weights.ess)
    split = events.any(axis=0) & ~events.all(axis=0)
    if split.any():
        shaped = spread[:, split].reshape(chains, -1, int(split.sum()))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = array_stats.mcse(shaped, method="mean", chain_axis=0, draw_axis=1)
        error[split] = np.where(np.isfinite(found), found, error[split])
    return np.clip(probability, 0.0, 1.0), error.reshape(count)
