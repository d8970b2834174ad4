"""Leave-one-cluster-out prediction: how well a model predicts all firms of a new cluster, jointly.

The effects that belong to the left-out cluster alone are integrated out at each draw, so that what
is left of the posterior depends little on any one cluster; then Pareto-smoothed importance sampling
over the draws leaves it out. Importance sampling with the cluster's own fitted effects would fail:
they are known from the very rows that are left out. Merkle, Furr and Rabe-Hesketh (2019),
Psychometrika 84(3).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from bayescluster.arrays import Array
from bayescluster.checks.integrated import (
    enough_draws,
    exclusive,
    integrated_likelihood,
    own_groups,
)
from bayescluster.checks.thresholds import khat_max
from bayescluster.design.record import Design
from bayescluster.model.evaluate import Draws
from bayescluster.names import CLUSTER


class ClusterScores(NamedTuple):
    """Log predictive density of each left-out group, and the Pareto k behind it, ``(group,)``."""

    elpd: Array
    khat: Array
    khat_threshold: float

    @property
    def bad(self) -> NDArray[np.bool_]:
        """Groups whose Pareto k is above the threshold, or is not a number."""
        return ~(self.khat <= self.khat_threshold)


def why_not(design: Design) -> str:
    """Why clusters cannot be left out of a design; empty where they can."""
    if design.analysis.data.cluster is None:
        return "the data declare no clusters"
    cluster = design.index(CLUSTER)
    if np.unique(cluster).size < 2:
        return "there is but one cluster"
    for grouping in design.groupings:
        own = [exclusive(design.index(grouping.name), rows) for rows in rows_of(design, CLUSTER)]
        if max(len(found) for found in own) > 1:
            return f"several effects by {grouping.name} lie within one cluster"
    return ""


def leave_cluster_out(design: Design, draws: Draws) -> ClusterScores:
    """Score every cluster by what the other clusters say of it; see `leave_group_out`."""
    return leave_group_out(design, draws, CLUSTER)


def leave_group_out(design: Design, draws: Draws, by: str) -> ClusterScores:
    """Score every group of a grouping by what the other groups say of it.

    Parameters
    ----------
    design
        A design; of clusters, one for which `why_not` finds nothing.
    draws
        Draws of its posterior; so many of them are used as the integrals allow.
    by
        The grouping.

    Returns
    -------
    ClusterScores
        In the order of the labels of the groups.
    """
    from arviz_stats.base import array_stats

    few = draws.thinned(
        min(enough_draws(design, own_groups(design, rows, rows)) for rows in rows_of(design, by))
    )
    likelihood = marginal_likelihood(design, few, by)
    log_weights, khat = array_stats.psislw(likelihood, r_eff=1.0, axis=0)
    elpd = logsumexp(np.asarray(log_weights) + likelihood.T, axis=1)
    return ClusterScores(np.asarray(elpd), np.asarray(khat, dtype="float64"), khat_max(few.size))


def marginal_likelihood(design: Design, draws: Draws, by: str = CLUSTER) -> Array:
    """Log density of each group's rows, its own effects integrated out, ``(draw, group)``."""
    return np.column_stack(
        [
            integrated_likelihood(design, draws, rows, own_groups(design, rows, rows))
            for rows in rows_of(design, by)
        ]
    )


def rows_of(design: Design, by: str) -> list[NDArray[np.int64]]:
    """Positions of the rows of each group, in the order of the labels."""
    member = design.index(by)
    return [np.flatnonzero(member == k) for k in range(len(design.group_labels(by)))]
