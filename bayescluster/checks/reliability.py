"""Reliability of stated probabilities: of what was given 70%, how much came true."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from bayescluster.arrays import Array
from bayescluster.results.base import INTERVAL

EDGES: Final = tuple(k / 10 for k in range(11))
"""Edges of the bins of stated probability."""


class Told(NamedTuple):
    """Stated probabilities, what came true, and the replication each belongs to, ``(event,)`` each."""

    stated: Array
    came: NDArray[np.bool_]
    replication: NDArray[np.int64]

    def part(self, which: NDArray[np.bool_]) -> Told:
        """Some of them."""
        return Told(self.stated[which], self.came[which], self.replication[which])


class Observed(NamedTuple):
    """A share that came true with its interval, of so many events in so many replications."""

    share: float
    low: float
    high: float
    events: int
    replications: int
    stated: float
    """Mean probability stated."""


class Scores(NamedTuple):
    """Mean scores, and what they would be on average if every stated probability were right."""

    brier: float
    brier_expected: float
    log: float
    log_expected: float
    excess: float
    """Share that came true less the mean probability stated."""
    excess_z: float | None
    """The same in its standard errors over replications; nothing where they do not differ."""


def observed(told: Told) -> Observed | None:
    """Share that came true, with the Jeffreys interval of a sample as large as its replications.

    Events of one replication share an outcome, and are not independent: counting replications rather
    than events makes the interval too wide rather than too narrow. Nothing of no events.
    """
    if not told.stated.size:
        return None
    share, count = float(told.came.mean()), int(np.unique(told.replication).size)
    hits, tail = share * count, (1 - INTERVAL) / 2
    # Brown, Cai and DasGupta (2001), Statistical Science 16(2): the ends are 0 and 1 themselves
    low = float(beta.ppf(tail, hits + 0.5, count - hits + 0.5)) if share > 0 else 0.0
    high = float(beta.ppf(1 - tail, hits + 0.5, count - hits + 0.5)) if share < 1 else 1.0
    mean = float(told.stated.mean())
    return Observed(share, low, high, told.stated.size, count, mean)


def bins(told: Told) -> list[tuple[float, float, Observed]]:
    """Share that came true by stated probability: lower and upper edge, and what was observed."""
    which = np.clip(np.digitize(told.stated, EDGES[1:-1], right=False), 0, len(EDGES) - 2)
    found = []
    for k in range(len(EDGES) - 1):
        inside = observed(told.part(which == k))
        if inside is not None:
            found.append((EDGES[k], EDGES[k + 1], inside))
    return found


def scores(told: Told, draws: int) -> Scores:
    """Brier and logarithmic score (smaller is better), beside their expectation.

    Parameters
    ----------
    told
        At least one event.
    draws
        Draws behind each stated probability. In the logarithmic score it is smoothed by one draw to
        each side (Laplace's rule), or a 0 that comes true would cost infinitely much.
    """
    p, came = told.stated, told.came.astype("float64")
    smooth = (p * draws + 1) / (draws + 2)
    log_cost = -(came * np.log(smooth) + (1 - came) * np.log(1 - smooth))
    entropy = -(smooth * np.log(smooth) + (1 - smooth) * np.log(1 - smooth))
    _, code = np.unique(told.replication, return_inverse=True)
    sums = np.bincount(code, came - p)
    error = float(np.sqrt((sums**2).sum()))
    return Scores(
        brier=float(((p - came) ** 2).mean()),
        brier_expected=float((p * (1 - p)).mean()),
        log=float(log_cost.mean()),
        log_expected=float(entropy.mean()),
        excess=float((came - p).mean()),
        excess_z=float(sums.sum() / error) if error > 0 else None,
    )
