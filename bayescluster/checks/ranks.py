"""Simulation-based calibration: whether ranks of true values among posterior draws are uniform.

Where parameters are drawn from the prior, an outcome from them, and the posterior from the outcome,
the true value of every quantity is as likely to have one rank among independent posterior draws as
any other: Talts, Betancourt, Simpson, Vehtari and Gelman (2018), arXiv:1804.06788. It holds of
functions of parameters and outcome too, such as the joint log likelihood, which sees faults that no
parameter shows: Modrák, Moon, Kim, Bürkner, Huurre, Faltejsková, Gelman and Vehtari (2023), Bayesian
Analysis 20(2).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import binom

from bayescluster.checks.thresholds import NOT_UNIFORM, RANKS_MIN

Array = NDArray[np.float64]

POINTS_MAX: Final = 100
"""Points at which the ECDF of positions is looked at; as many as replications where they are fewer."""
ROUNDING: Final = 1e-9

Shape = Literal["overconfident", "underconfident", "too_low", "too_high", "other"]
"""What a posterior is whose ranks are not uniform.

``overconfident``: too narrow, truths lie at both ends of the draws. ``underconfident``: too wide,
truths lie in their middle. ``too_low`` and ``too_high``: the draws lie below, or above, the truths.
"""


class Placed(NamedTuple):
    """Where a true value stands among draws.

    ``rank`` is the number of draws below it of ``among``; ``position`` is between 0 and 1, and exactly
    uniform where truth and draws are exchangeable, however many draws there are.
    """

    rank: int
    among: int
    position: float


def placed(truth: float, draws: Array, ess: float, rng: np.random.Generator) -> Placed:
    """Rank a true value among draws thinned to nearly independent ones.

    Parameters
    ----------
    truth
        The true value.
    draws
        ``(chain, draw)``.
    ess
        Effective sample size of all draws; not a number for draws that never change.
    rng
        Decides between ties, and where between two draws the truth stands.
    """
    step = max(1, int(np.ceil(draws.size / ess))) if np.isfinite(ess) else 1
    kept = draws[:, :: min(step, draws.shape[1])].ravel()
    below, ties = int((kept < truth).sum()), int((kept == truth).sum())
    rank = below + int(rng.integers(0, ties + 1))
    return Placed(rank, kept.size, float((rank + rng.random()) / (kept.size + 1)))


class Band(NamedTuple):
    """Simultaneous band of the ECDF of uniform positions less their distribution, ``(point,)``."""

    points: Array
    low: Array
    high: Array


def points(count: int) -> Array:
    """Points between 0 and 1 at which the ECDF of so many positions is looked at."""
    number = min(count, POINTS_MAX)
    return np.arange(1, number) / number


def difference(positions: Array) -> Array:
    """ECDF of positions less the uniform distribution at each point, ``(point,)``."""
    at = points(positions.size)
    return np.asarray(_counts(positions, at) / positions.size - at)


def band(count: int, level: float = 1 - NOT_UNIFORM) -> Band:
    """Band that the whole ECDF difference of uniform positions stays inside with a probability.

    Source: Säilynoja, Bürkner and Vehtari (2022), Statistics and Computing 32; the coverage is
    computed exactly, by recursion over the points, rather than simulated.
    """
    at, tails = points(count), _tails(count)
    inside = tails > _critical(count, 1 - level)
    low = inside.argmax(axis=1)
    high = count - inside[:, ::-1].argmax(axis=1)
    return Band(at, low / count - at, high / count - at)


def uniformity(positions: Array) -> float | None:
    """Probability that uniform positions stray as far at their farthest point.

    At most `NOT_UNIFORM` exactly where the ECDF leaves its `band` at that level. None for fewer than
    `RANKS_MIN` positions.
    """
    if positions.size < RANKS_MIN:
        return None
    count = positions.size
    found = _counts(positions, points(count))
    farthest = float(_tails(count)[np.arange(found.size), found].min())
    return _chance(count, farthest)


def _counts(positions: Array, at: Array) -> NDArray[np.int64]:
    return np.searchsorted(np.sort(positions), at, side="right")


@lru_cache(maxsize=16)
def _tails(count: int) -> Array:
    """Two-sided tail probability of each count at each point, ``(point, count + 1)``."""
    at = points(count)[:, None]
    numbers = np.arange(count + 1)
    below, above = binom.cdf(numbers, count, at), binom.sf(numbers - 1, count, at)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(below, above)))


def _chance(count: int, farthest: float) -> float:
    """Probability that uniform positions have a tail probability as small at any point."""
    inside = _tails(count) > farthest * (1 + ROUNDING)
    if not inside.any(axis=1).all():
        return 1.0
    log_factorial = gammaln(np.arange(count + 1) + 1.0)
    at = np.concatenate(([0.0], points(count)))
    reached, chance = np.array([0]), np.array([1.0])  # counts so far, and their probability
    for k, allowed in enumerate(inside):
        share = (at[k + 1] - at[k]) / (1 - at[k])
        next_ = np.flatnonzero(allowed)
        new = next_ - reached[:, None]  # (from, to): positions between two points
        left = count - reached[:, None]
        log_chance = log_factorial[left] - log_factorial[np.maximum(new, 0)]
        log_chance = log_chance - log_factorial[count - next_]
        log_chance += new * np.log(share) + (count - next_) * np.log1p(-share)
        step = np.where(new >= 0, np.exp(np.where(new >= 0, log_chance, 0.0)), 0.0)
        chance, reached = chance @ step, next_
    return float(np.clip(1 - chance.sum(), 0.0, 1.0))


@lru_cache(maxsize=16)
def _critical(count: int, chance: float) -> float:
    """Largest tail probability that uniform positions fall to with at most this chance."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _chance(count, middle) <= chance else (low, middle)
    return low


def shape(positions: Array) -> Shape:
    """Say what a posterior is whose positions are not uniform: the larger of shift and spread."""
    count = positions.size
    shift = (positions.mean() - 0.5) * np.sqrt(12 * count)
    # the squared distance from the middle has mean 1/12 and variance 1/180
    spread = (((positions - 0.5) ** 2).mean() - 1 / 12) * np.sqrt(180 * count)
    if max(abs(shift), abs(spread)) < 2:
        return "other"
    if abs(shift) > abs(spread):
        return "too_low" if shift > 0 else "too_high"
    return "overconfident" if spread > 0 else "underconfident"
