"""Whether values are uniform, and how they are not.

The p-value is that of pointwise order tests in a Cauchy combination (POT-C; Tesso and Vehtari 2026,
with the numbers of arviz), the band that of `bayescluster.checks.uniformity`, and the shapes the
components of Neyman's (1937) smooth test. The band and the components take the values for
independent. Leave-one-out values are not: of a model that fits they are more even than that, and
every test here then flags less often than its level.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import numpy as np
import scipy
from numpy.polynomial import legendre
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import NOT_UNIFORM, RANKS_MIN
from bayescluster.results.fit import PitCurve

POINTS_MAX: Final = 100
"""Points at which the ECDF is evaluated; as many as values where they are fewer."""
ROUNDING: Final = 1e-9
SIMULATIONS: Final = 2000


class Band(NamedTuple):
    """Simultaneous band of the ECDF of uniform values less their distribution, ``(point,)``."""

    points: Array
    low: Array
    high: Array


def points(count: int) -> Array:
    """Points between 0 and 1 at which the ECDF of so many values is evaluated."""
    number = min(count, POINTS_MAX)
    return np.arange(1, number) / number


def counts_below(values: Array, at: Array) -> NDArray[np.int64]:
    """How many values are at most each point, ``(point,)``."""
    return np.searchsorted(np.sort(values), at, side="right")


def exact_band(count: int, level: float) -> Band:
    """Band at `points`, its coverage computed; for some hundreds of values.

    ``level`` is the probability that all points of the curve lie within the band at once.
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
    """Band at any points, its coverage simulated by `SIMULATIONS` curves.

    ``at`` are the points, rising, ``(point,)``; ``level`` is the probability that all points of the curve
    lie within the band at once.
    """
    widths = np.diff(np.concatenate([[0.0], at, [1.0]]))
    between = rng.multinomial(count, widths, SIMULATIONS)
    counts = between.cumsum(axis=1)[:, :-1]  # (simulation, point)
    tails = np.minimum(
        scipy.stats.binom.cdf(counts, count, at), scipy.stats.binom.sf(counts - 1, count, at)
    )
    outside = np.quantile(tails.min(axis=1), 1 - level)
    low, high = scipy.stats.binom.ppf(outside, count, at), scipy.stats.binom.isf(outside, count, at)
    return Band(at, low / count - at, high / count - at)


@lru_cache(maxsize=16)
def _tails(count: int) -> Array:
    """Two-sided tail probability of each count at each point, ``(point, count + 1)``."""
    at = points(count)[:, None]
    numbers = np.arange(count + 1)
    below, above = (
        scipy.stats.binom.cdf(numbers, count, at),
        scipy.stats.binom.sf(numbers - 1, count, at),
    )
    return np.asarray(np.minimum(1.0, 2 * np.minimum(below, above)))


def _chance(count: int, farthest: float) -> float:
    """Probability that uniform positions have a tail probability as small at any point."""
    inside = _tails(count) > farthest * (1 + ROUNDING)
    if not inside.any(axis=1).all():
        return 1.0
    log_factorial = scipy.special.gammaln(np.arange(count + 1) + 1.0)
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


GRID = np.linspace(0.0, 1.0, 101)[1:-1]
"""Where the band and the curve are evaluated."""
TELLING = 2.0
"""A component this far from 0, in its standard deviations, is reported."""

SHAPES: tuple[tuple[str, str], ...] = (
    ("outcomes lie above what is predicted", "outcomes lie below what is predicted"),
    (
        "outcomes spread more than predicted (intervals are too narrow)",
        "outcomes spread less than predicted (intervals are too wide)",
    ),
    (
        "outcomes are more skewed to the right than predicted",
        "outcomes are more skewed to the left than predicted",
    ),
    (
        "outcomes have heavier tails and a sharper centre than predicted",
        "outcomes have lighter tails and a flatter centre than predicted",
    ),
)
"""What a component above 0, and one below, means for the outcomes."""
OTHER_SHAPE = "outcomes differ from what is predicted in no simple way"


class Uniformity(NamedTuple):
    """P-value and the first four components of Neyman's smooth test."""

    p: float
    components: tuple[float, float, float, float]


def uniformity(values: Array) -> Uniformity:
    """Test values for uniformity: ``(randomisation, row)``, within 0 and 1.

    Randomisations of the same rows are not independent; their p-values are put together by the Cauchy
    combination, which allows for that.
    """
    found = [_pointwise_orders(one) for one in values]
    parts = [float(np.sqrt(values.shape[1]) * _component(values, k).mean()) for k in (1, 2, 3, 4)]
    return Uniformity(combined(found), (parts[0], parts[1], parts[2], parts[3]))


def _pointwise_orders(values: Array) -> float:
    """P-value of pointwise order tests, ``(row,)``: each sorted value is held against its beta distribution.

    The truncated Cauchy combination takes p-values of a half and above for nothing; equation 24 of the
    source.
    """
    place = np.arange(1, values.size + 1)
    below = scipy.special.betainc(place, place[::-1], np.sort(values))
    p = 2 * np.minimum(below, 1 - below)
    heavy = np.where(p < 0.5, np.tan((0.5 - p) * np.pi), 0.0)
    return float(0.5 - np.arctan(heavy.mean()) / np.pi)


def _component(values: Array, degree: int) -> Array:
    """Legendre polynomial of mean 0 and variance 1 under the uniform."""
    only = np.eye(degree + 1)[degree]
    return np.asarray(np.sqrt(2 * degree + 1) * legendre.legval(2 * values - 1, only))


def combined(ps: Sequence[float]) -> float:
    """Combine dependent p-values: Liu and Xie (2020), J. American Statistical Association 115."""
    if len(ps) == 1:
        return ps[0]
    # 1 itself would outweigh all others
    each = np.clip(ps, 1e-15, 0.99)
    return float(0.5 - np.arctan(np.tan((0.5 - each) * np.pi).mean()) / np.pi)


def shape(components: Sequence[float]) -> str:
    """Name how values depart from the uniform, the clearest first; at most two ways."""
    clear = sorted(range(len(components)), key=lambda k: -abs(components[k]))
    ways = [SHAPES[k][components[k] < 0] for k in clear if abs(components[k]) >= TELLING]
    return " and ".join(ways[:2]) or OTHER_SHAPE


def ecdf_difference(values: Array, level: float, rng: np.random.Generator) -> PitCurve:
    """Empirical distribution function less the uniform one, with its simultaneous band.

    The curve of ``(randomisation, row)`` is the mean over randomisations; ``level`` is the probability
    that all points lie within the band at once.
    """
    below = np.mean([counts_below(one, GRID) for one in values], axis=0)
    size = values.shape[1]
    _, low, high = simulated_band(size, GRID, level, rng)
    return PitCurve(
        at=tuple(GRID.tolist()),
        difference=tuple((below / size - GRID).tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
        level=level,
    )


def holm(ps: Sequence[float]) -> list[float]:
    """Adjust p-values for their number: Holm (1979), Scandinavian Journal of Statistics 6."""
    order = np.argsort(ps)
    steps = np.asarray(ps)[order] * np.arange(len(ps), 0, -1)
    adjusted = np.empty(len(ps))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return [float(p) for p in adjusted]


Shape = Literal["overconfident", "underconfident", "too_low", "too_high", "other"]
"""What a posterior is whose ranks are not uniform.

``overconfident``: too narrow, truths lie at both ends of the draws. ``underconfident``: too wide,
truths lie in their middle. ``too_low`` and ``too_high``: the draws lie below, or above, the truths.
"""


class Placed(NamedTuple):
    """Position of a true value among draws.

    ``rank`` is the number of draws below it of ``among``; ``position`` is between 0 and 1, and exactly
    uniform where truth and draws are exchangeable, however many draws there are.
    """

    rank: int
    among: int
    position: float


def placed(truth: float, draws: Array, ess: float, rng: np.random.Generator) -> Placed:
    """Rank a true value among draws ``(chain, draw)`` thinned to nearly independent ones.

    ``ess`` is the effective sample size of all draws, not a number for draws that never change; ``rng``
    decides between ties, and where between two draws the truth lies.
    """
    step = max(1, int(np.ceil(draws.size / ess))) if np.isfinite(ess) else 1
    kept = draws[:, :: min(step, draws.shape[1])].ravel()
    below, ties = int((kept < truth).sum()), int((kept == truth).sum())
    rank = below + int(rng.integers(0, ties + 1))
    return Placed(rank, kept.size, float((rank + rng.random()) / (kept.size + 1)))


def difference(positions: Array) -> Array:
    """ECDF of positions less the uniform distribution at each of `points`, ``(point,)``."""
    at = points(positions.size)
    return np.asarray(counts_below(positions, at) / positions.size - at)


def band(count: int, level: float = 1 - NOT_UNIFORM) -> Band:
    """Band that the whole ECDF difference of uniform positions stays inside with a probability."""
    return exact_band(count, level)


def rank_uniformity(positions: Array) -> float | None:
    """Probability that uniform positions stray as far at their farthest point.

    At most `NOT_UNIFORM` exactly where the ECDF leaves its `band` at that level. None for fewer than
    `RANKS_MIN` positions.
    """
    return None if positions.size < RANKS_MIN else exact_p(positions)


def rank_shape(positions: Array) -> Shape:
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
