"""Survey weights as multipliers of log densities, and as weights of averages.

The likelihood of a weighted sample is a *pseudo*-likelihood: each row's log density is multiplied
by the row's weight, so that the sum over the sample estimates the sum over the population. What is
sampled is a pseudo-posterior. How wide it is depends on the scale of the weights, which means
nothing by itself, and on clustering that weights do not know: it is checked against a sandwich
estimate (`bayescluster.checks.sandwich`).

``weight`` is always the whole weight of a row: how many firms of the population it represents.

- Without ``cluster_weight`` the weights are scaled to mean 1 over the sample, so that together they
  count as many rows as there are.
- With ``cluster_weight``, clusters were sampled first. The weights of rows are scaled to mean 1
  within each cluster, which leaves the weight of a firm given that its cluster was drawn ("size"
  scaling, method 2 of the source); those of clusters are scaled to mean 1 over clusters, and
  multiply both the log density of the cluster's varying effects and that of its rows. What the
  cluster's weight contributes to ``weight`` cancels in the scaling.

Rabe-Hesketh and Skrondal (2006, JRSS A 169) weight the log of each cluster's *marginal* likelihood.
Here the effects are sampled, and the weight multiplies the log of the joint density of the
cluster's rows and effects, as Savitsky and Williams (2022, Journal of Official Statistics 38) do.
The two agree as clusters grow: by Laplace's method they differ by a term in the log determinant of
the curvature, which does not grow with the rows of a cluster.

Averages over firms take ``weight`` as it is, relative to its mean (``cluster_weight`` where no
other is given): weights scaled within clusters would count a large cluster as a small one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bayescluster.arrays import Array
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.values import InputError, numbers, sorted_labels
from bayescluster.design.outcome import row_number
from bayescluster.errors import Problem
from bayescluster.names import AVERAGING_WEIGHT, CLUSTER, CLUSTER_WEIGHT, ROW, ROW_WEIGHT, group_dim
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import WEIGHTS, Where


def weight_variables(
    analysis: Analysis, firms: Firms, where: Where, problems: list[Problem]
) -> dict[str, Any]:
    """Read the survey weights; faults are added to ``problems``.

    Returns
    -------
    dict
        Variables of the design, scaled as the module says: ``row_weight`` and ``averaging_weight``,
        ``(row,)``, and ``cluster_weight``, ``(cluster,)``. Empty without weights, or with a fault.
    """
    before, declared = len(problems), {}
    for role in WEIGHTS:
        column = getattr(analysis.data, role)
        if column is not None:
            try:
                declared[role] = _positive(firms.frame, column, role)
            except InputError as error:
                problems.append(error.at(where(("data", role))))
    if not declared or len(problems) > before:
        return {}
    rows, of_clusters = declared.get("weight"), declared.get("cluster_weight")
    if of_clusters is not None:
        cluster = firms.frame["__cluster__"]
        try:
            _check_constant(of_clusters, cluster, str(analysis.data.cluster_weight))
        except InputError as error:
            problems.append(error.at(where(("data", "cluster_weight"))))
            return {}
        return _two_levels(rows, of_clusters, cluster)
    scaled = declared["weight"] / declared["weight"].mean()
    return {ROW_WEIGHT: (ROW, scaled), AVERAGING_WEIGHT: (ROW, scaled)}


def _positive(frame: pd.DataFrame, column: str, role: str) -> Array:
    what = f"the {role.replace('_', ' ')} '{column}'"
    values = numbers(frame[column], what)
    bad = np.flatnonzero(~(np.isfinite(values) & (values > 0)))
    if bad.size:
        rest = f" and in {bad.size - 1} more" if bad.size > 1 else ""
        raise InputError(
            f"{what} must be above 0; found {values[bad[0]]:g} "
            f"in row {row_number(frame, int(bad[0]))}{rest}",
            "a row that represents no firm is not part of the sample: leave it out with `keep`",
        )
    return values


def _check_constant(weights: Array, cluster: pd.Series, column: str) -> None:
    of_cluster = pd.Series(weights, index=cluster.index).groupby(cluster)
    low, high = of_cluster.min(), of_cluster.max()
    varies = ~np.isclose(low, high, rtol=1e-9, atol=0.0)
    if varies.any():
        first, more = str(low.index[varies][0]), int(varies.sum()) - 1
        rest = f", and it varies within {more} more" if more else ""
        raise InputError(
            f"the cluster weight '{column}' varies within cluster '{first}' "
            f"({low[first]:g} to {high[first]:g}){rest}",
            "a cluster has one weight; weights of firms go under `weight`",
        )


def _two_levels(rows: Array | None, of_clusters: Array, cluster: pd.Series) -> dict[str, Any]:
    labels = sorted_labels(cluster.unique())
    code = cluster.map({label: k for k, label in enumerate(labels)}).to_numpy(dtype="int64")
    size = np.bincount(code)
    each = np.bincount(code, weights=of_clusters) / size
    each = each / each.mean()
    average = of_clusters if rows is None else rows
    within = np.ones(code.size)
    if rows is not None:
        within = rows / (np.bincount(code, weights=rows) / size)[code]
    return {
        ROW_WEIGHT: (ROW, within * each[code]),
        CLUSTER_WEIGHT: (group_dim(CLUSTER), each),
        AVERAGING_WEIGHT: (ROW, average / average.mean()),
    }
