"""Posterior predictive checks: whether the model makes data like those observed.

Overall, by industry and by cluster, with the statistics of the family (`checks.statistics`): a
bernoulli model with varying intercepts will match shares, so a share far off in one cluster says
that the cluster is pooled too strongly; the sd, the zeros and the largest value say whether the
likelihood fits. With survey weights all but the smallest and largest value are weighted, on both
sides: what the model says of the population is not what a sample looks like that was drawn by its
outcome.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.statistics import (
    STATISTICS,
    Known,
    Statistic,
    level_statistics,
    of_clusters,
)
from bayescluster.checks.thresholds import PREDICTIVE_TAIL
from bayescluster.design.record import Design
from bayescluster.estimands.membership import declared_groups
from bayescluster.results.fit_checks import PredictiveCount
from bayescluster.results.model import (
    INTERVAL,
    By,
    PredictiveRow,
)

REPLICATES = 1000


def statistics(design: Design) -> dict[str, Statistic]:
    """Statistics that are checked for the family of a design."""
    return STATISTICS[design.family.name] | level_statistics(design.levels)


def known_of(design: Design, of_rows: Array | None, members: NDArray[np.int64]) -> Known:
    """What is known of some rows beside their outcome: survey weights, and trials."""
    trials = design.rows.trials
    return Known(
        None if of_rows is None else of_rows[members],
        None if trials is None else trials[members],
    )


def counted(rows: tuple[PredictiveRow, ...]) -> PredictiveCount:
    """Count the flags, and those to expect of a model that is right."""
    return PredictiveCount(
        checked=len(rows),
        flagged=sum(row.flagged for row in rows),
        by_chance=2 * PREDICTIVE_TAIL * len(rows),
    )


def predictive_checks(design: Design, tree: xr.DataTree) -> tuple[PredictiveRow, ...]:
    """Compare every statistic with its replicates; few of them within clusters.

    Replicates are at most `REPLICATES` of the posterior predictive draws, evenly spaced.
    """
    name = design.equation_name
    stored = tree["posterior_predictive"][name].to_numpy()
    draws = stored.reshape(-1, stored.shape[-1])
    some = np.linspace(0, len(draws) - 1, min(len(draws), REPLICATES)).astype("int64")
    draws = draws[some].astype(float)
    rows = []
    for groups in declared_groups(design):
        chosen = statistics(design)
        if groups.by == "cluster":
            chosen = of_clusters(chosen, design.levels)
        for k, label in enumerate(groups.labels):
            # rows without an outcome have nothing to be compared with
            members = np.flatnonzero(groups.members[:, k] & design.answered)
            if not members.size:
                continue
            known = known_of(design, groups.of_rows, members)
            for what, statistic in chosen.items():
                observed = float(statistic(design.outcome[members], known))
                replicated = statistic(draws[:, members], known)
                rows.append(_row((groups.by, label, what), members.size, observed, replicated))
    return tuple(rows)


def _row(key: tuple[By, str, str], size: int, observed: float, replicated: Array) -> PredictiveRow:
    by, label, what = key
    tail = (1 - INTERVAL) / 2
    low, high = np.quantile(replicated, [tail, 1 - tail])
    # a sd of the same values may differ in its last digit with the order of summation
    tied = np.isclose(replicated, observed, rtol=1e-12, atol=0.0)
    above = float(((replicated > observed) & ~tied).mean() + 0.5 * tied.mean())
    return PredictiveRow(
        by=by,
        group=label,
        rows=size,
        statistic=what,
        observed=observed,
        low=float(low),
        high=float(high),
        tail=above,
        flagged=bool(min(above, 1 - above) < PREDICTIVE_TAIL),
    )
