"""Simulation-based calibration: whether ranks of true values among posterior draws are uniform.

Where parameters are drawn from the prior, an outcome from them, and the posterior from the outcome,
the true value of every quantity is as likely to have one rank among independent posterior draws as
any other: Talts, Betancourt, Simpson, Vehtari and Gelman (2018), arXiv:1804.06788. It holds of
functions of parameters and outcome too, such as the joint log likelihood, which sees faults that no
parameter shows: Modrák, Moon, Kim, Bürkner, Huurre, Faltejsková, Gelman and Vehtari (2023), Bayesian
Analysis 20(2).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks.ecdf_band import Band, counts_below, exact_band, exact_p, points
from bayescluster.checks.thresholds import NOT_UNIFORM, RANKS_MIN

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


def difference(positions: Array) -> Array:
    """ECDF of positions less the uniform distribution at each of `points`, ``(point,)``."""
    at = points(positions.size)
    return np.asarray(counts_below(positions, at) / positions.size - at)


def band(count: int, level: float = 1 - NOT_UNIFORM) -> Band:
    """Band that the whole ECDF difference of uniform positions stays inside with a probability."""
    return exact_band(count, level)


def uniformity(positions: Array) -> float | None:
    """Probability that uniform positions stray as far at their farthest point.

    At most `NOT_UNIFORM` exactly where the ECDF leaves its `band` at that level. None for fewer than
    `RANKS_MIN` positions.
    """
    return None if positions.size < RANKS_MIN else exact_p(positions)


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
