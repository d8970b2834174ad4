"""Leave-one-cluster-out prediction: how well a model predicts all firms of a new cluster, jointly.

The effects that belong to the left-out cluster alone are integrated out at each draw, so that what
is left of the posterior depends little on any one cluster; then Pareto-smoothed importance sampling
over the draws leaves it out. Importance sampling with the cluster's own fitted effects would fail:
they are known from the very rows that are left out. Merkle, Furr and Rabe-Hesketh (2019),
Psychometrika 84(3).
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from bayescluster.checks.integrals import log_mean_density
from bayescluster.checks.thresholds import khat_max
from bayescluster.design.record import Design
from bayescluster.model.evaluate import Array, Draws, GroupDraws, predictor_at
from bayescluster.names import CLUSTER

DRAWS = 1000
"""Most draws that are looked at, evenly spaced."""
FARTHEST = 5.0
"""The search for a mode begins no farther from 0 than this, in standard deviations."""


class ClusterScores(NamedTuple):
    """Log predictive density of each left-out cluster, and the Pareto k behind it, ``(cluster,)``."""

    elpd: Array
    khat: Array
    khat_threshold: float

    @property
    def bad(self) -> NDArray[np.bool_]:
        """Clusters whose Pareto k is above the threshold, or is not a number."""
        return ~(self.khat <= self.khat_threshold)


class _Own(NamedTuple):
    """A grouping of which one group has all its rows within the cluster."""

    grouping: str
    group: int


def why_not(design: Design) -> str:
    """Why clusters cannot be left out of a design; empty where they can."""
    if design.analysis.data.cluster is None:
        return "the data declare no clusters"
    cluster = design.index(CLUSTER)
    if np.unique(cluster).size < 2:
        return "there is but one cluster"
    for grouping in design.groupings:
        own = [_exclusive(design.index(grouping.name), rows) for rows in _clusters(design)]
        if max(len(found) for found in own) > 1:
            return f"several effects by {grouping.name} lie within one cluster"
    return ""


def leave_cluster_out(design: Design, draws: Draws) -> ClusterScores:
    """Score every cluster by what the other clusters say of it.

    Parameters
    ----------
    design
        A design for which `why_not` finds nothing.
    draws
        Draws of its posterior; at most `DRAWS` of them are used.

    Returns
    -------
    ClusterScores
        In the order of the cluster labels.
    """
    from arviz_stats.base import array_stats

    few = draws.thinned(DRAWS)
    likelihood = marginal_likelihood(design, few)
    log_weights, khat = array_stats.psislw(likelihood, r_eff=1.0, axis=0)
    elpd = logsumexp(np.asarray(log_weights) + likelihood.T, axis=1)
    return ClusterScores(np.asarray(elpd), np.asarray(khat, dtype="float64"), khat_max(few.size))


def marginal_likelihood(design: Design, draws: Draws) -> Array:
    """Log density of each cluster's rows, its own effects integrated out, ``(draw, cluster)``."""
    return np.column_stack([_marginal(design, draws, rows) for rows in _clusters(design)])


def _clusters(design: Design) -> list[NDArray[np.int64]]:
    cluster = design.index(CLUSTER)
    count = len(design.group_labels(CLUSTER))
    return [np.flatnonzero(cluster == k) for k in range(count)]


def _exclusive(member: NDArray[np.int64], rows: NDArray[np.int64]) -> list[int]:
    """Groups that have all their rows among these."""
    inside = np.bincount(member[rows], minlength=int(member.max()) + 1)
    whole = np.bincount(member)
    return [int(group) for group in np.flatnonzero((inside == whole) & (whole > 0))]


def _marginal(design: Design, draws: Draws, rows: NDArray[np.int64]) -> Array:
    own = tuple(
        _Own(grouping.name, group)
        for grouping in design.groupings
        for group in _exclusive(design.index(grouping.name), rows)
    )
    out = np.empty(draws.size)
    for which, part in draws.for_rows(rows).chunks(rows.size):
        out[which] = _integrated(design, part, rows, own)
    return out


def _integrated(
    design: Design, draws: Draws, rows: NDArray[np.int64], own: tuple[_Own, ...]
) -> Array:
    told = np.flatnonzero(design.answered[rows])
    answered = rows[told]
    known = design.rows.at(answered)
    weights = 1.0 if design.weights is None else design.weights.rows[answered]
    outcome, offset = design.outcome[answered], design.offset[answered]

    def density(at: Draws) -> Array:
        capitals = at.capitals or (design.capitals[0][rows], design.capitals[1][rows])
        eta = predictor_at(design, at, capitals, rows)[:, told] + offset
        found = weights * design.family.log_density(outcome, eta, at.parameters, known)
        return np.asarray(found.sum(axis=1))

    if not own:
        return density(draws)
    roots = [_root(draws.groups[name]) for name, _ in own]  # (draw, term, term) each
    start = np.concatenate(
        [
            np.linalg.solve(root, draws.groups[name].effect[:, group, :, None])[..., 0]
            for root, (name, group) in zip(roots, own, strict=True)
        ],
        axis=1,
    )
    start = np.clip(start, -FARTHEST, FARTHEST)
    return log_mean_density(lambda z: density(_with(draws, own, roots, z)), start)


def _root(group: GroupDraws) -> Array:
    """Root of the covariance of a group's effects: effects are this times standard normals."""
    scale = np.maximum(group.sd, np.finfo(float).tiny)[:, :, None]
    if group.correlation is None:
        return np.asarray(scale * np.eye(len(group.terms)))
    return np.asarray(scale * np.linalg.cholesky(group.correlation))


def _with(draws: Draws, own: tuple[_Own, ...], roots: list[Array], z: Array) -> Draws:
    """Put other effects in the place of the cluster's own, from standard normals."""
    groups = dict(draws.groups)
    start = 0
    for (name, group), root in zip(own, roots, strict=True):
        width = root.shape[1]
        mine = np.einsum("sij,sj->si", root, z[:, start : start + width])
        start += width
        # all rows are in this group, or in none of it
        held = groups[name]
        effect = held.effect.copy()
        effect[:, group] = mine
        groups[name] = held._replace(effect=effect)
    return replace(draws, groups=groups)
