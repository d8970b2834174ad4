"""Whether a ceiling model makes firms that stand as far below the ceiling as those observed.

A ceiling can be put above any firms; what tells a wrong one is how they are spread below it. Each
statistic is of the shares ``y / c`` of their ceilings that firms reach; both sides are computed under
the ceiling of each draw, the observed one too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks.ceiling_loo import Firms
from bayescluster.checks.thresholds import PREDICTIVE_TAIL
from bayescluster.model.ceiling import ModelName
from bayescluster.model.ceiling_density import RESOLUTION
from bayescluster.model.ceiling_evaluate import CeilingDraws, ceilings_of, replicated
from bayescluster.results.base import INTERVAL
from bayescluster.results.ceiling_models import DistanceRow

Statistic = Callable[[Array, Firms], Array]
"""``(shares (draw, firm), firms) -> (draw,)``."""

REPLICATES: Final = 400


def _correlation(shares: Array, firms: Firms) -> Array:
    less = shares - shares.mean(axis=1, keepdims=True)
    x = firms.x - firms.x.mean()
    scale = np.sqrt((less**2).sum(axis=1) * (x**2).sum())
    return np.asarray((less @ x) / np.where(scale > 0, scale, 1.0))


def _between_units(shares: Array, firms: Firms) -> Array:
    sizes = firms.layout.sizes
    member = firms.layout.unit[:, None] == np.arange(sizes.size)
    return np.asarray((shares @ (member / sizes)).std(axis=1))


STATISTICS: Final[dict[str, Statistic]] = {
    "mean": lambda shares, _: shares.mean(axis=1),
    "sd": lambda shares, _: shares.std(axis=1),
    "firms in the lowest tenth": lambda shares, _: (shares < 0.1).mean(axis=1),
    "firms in the highest tenth": lambda shares, _: ((shares >= 0.9) & (shares <= 1)).mean(axis=1),
    "firms above the ceiling": lambda shares, _: (shares > 1 + 1e-9).mean(axis=1),
    "correlation with the capital": _correlation,
    "sd of the means of clusters": _between_units,
}
"""What is compared, of the shares of the ceiling that firms reach."""


def distance_checks(
    kind: ModelName, draws: CeilingDraws, firms: Firms, rng: np.random.Generator
) -> tuple[DistanceRow, ...]:
    """Compare the distances of firms to their ceilings with replicated ones."""
    some = draws.thinned(REPLICATES)
    c = ceilings_of(some, firms.layout, firms.x, firms.limits)
    seen = np.maximum(firms.y, RESOLUTION) / c
    again = replicated(kind, some, c, rng) / c
    return tuple(
        _row(name, statistic(seen, firms), statistic(again, firms))
        for name, statistic in STATISTICS.items()
        if name != "sd of the means of clusters" or firms.layout.sizes.size > 1
    )


def _row(name: str, observed: Array, again: Array) -> DistanceRow:
    edge = (1 - INTERVAL) / 2
    low, high = np.quantile(again, [edge, 1 - edge])
    tied = np.isclose(again, observed, rtol=1e-9, atol=1e-12)
    tail = float(((again > observed) & ~tied).mean() + 0.5 * tied.mean())
    return DistanceRow(
        statistic=name,
        observed=float(observed.mean()),
        low=float(low),
        high=float(high),
        tail=tail,
        flagged=bool(min(tail, 1 - tail) < PREDICTIVE_TAIL),
    )
