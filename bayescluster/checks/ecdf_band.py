"""How far the ECDF of uniform values strays from the uniform, at all its points at once.

At each point the number of values below it is binomial. The band leaves out the same share of it at
every point, the largest with which whole curves stay inside as often as was asked for: Säilynoja,
Bürkner and Vehtari (2022), Statistics and Computing 32.

That share is found in two ways, for two uses. `exact_band` computes the chance of whole curves by
recursion over the points. It agrees with `exact_p` to the last digit, so that a curve is outside
exactly where its p-value is small, as a test asks of the ranks of some hundred refits; its cost
grows with the square of how many counts the band allows, and so with the number of values.
`simulated_band` draws whole curves: at a cost that hardly depends on the number of values it serves
the thousands of rows of a sample, where the band is drawn and no p-value is read off it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import binom

from bayescluster.arrays import Array

POINTS_MAX: Final = 100
"""Points at which the ECDF is looked at; as many as values where they are fewer."""
ROUNDING: Final = 1e-9
SIMULATIONS: Final = 2000


class Band(NamedTuple):
    """Simultaneous band of the ECDF of uniform values less their distribution, ``(point,)``."""

    points: Array
    low: Array
    high: Array


def points(count: int) -> Array:
    """Points between 0 and 1 at which the ECDF of so many values is looked at."""
    number = min(count, POINTS_MAX)
    return np.arange(1, number) / number


def counts_below(values: Array, at: Array) -> NDArray[np.int64]:
    """How many values are at most each point, ``(point,)``."""
    return np.searchsorted(np.sort(values), at, side="right")


def exact_band(count: int, level: float) -> Band:
    """Band at `points`, its coverage computed.

    Parameters
    ----------
    count
        Number of values; for some hundreds.
    level
        Probability that all points of the curve lie within the band at once.
    """
    at = points(count)
    inside = _tails(count) > _critical(count, 1 - level)
    low = inside.argmax(axis=1)
    high = count - inside[:, ::-1].argmax(axis=1)
    return Band(at, low / count - at, high / count - at)


def exact_p(values: Array) -> float:
    """Probability that uniform values stray as far at their farthest of `points`.

    At most a level exactly where their ECDF leaves the `exact_band` of one minus that level.
    """
    count = values.size
    found = counts_below(values, points(count))
    farthest = float(_tails(count)[np.arange(found.size), found].min())
    return _chance(count, farthest)


def simulated_band(count: int, at: Array, level: float, rng: np.random.Generator) -> Band:
    """Band at any points, its coverage simulated.

    Parameters
    ----------
    count
        Number of values.
    at
        Where the curve is looked at, rising, ``(point,)``.
    level
        Probability that all points of the curve lie within the band at once.
    rng
        For `SIMULATIONS` curves.
    """
    widths = np.diff(np.concatenate([[0.0], at, [1.0]]))
    between = rng.multinomial(count, widths, SIMULATIONS)
    counts = between.cumsum(axis=1)[:, :-1]  # (simulation, point)
    tails = np.minimum(binom.cdf(counts, count, at), binom.sf(counts - 1, count, at))
    outside = np.quantile(tails.min(axis=1), 1 - level)
    low, high = binom.ppf(outside, count, at), binom.isf(outside, count, at)
    return Band(at, low / count - at, high / count - at)


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
