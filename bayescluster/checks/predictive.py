"""Posterior predictive checks: whether the model makes data like those observed.

Overall, by industry and by cluster, with statistics that the family leaves free: a bernoulli model
with varying intercepts will match shares, so a share far off in one cluster says that the cluster
is pooled too strongly; the sd, the zeros and the largest value say whether the likelihood fits.
With survey weights all but the largest value are weighted, on both sides: what the model says of
the population is not what a sample looks like that was drawn by its outcome.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster.checks.thresholds import PREDICTIVE_TAIL
from bayescluster.design.record import Design
from bayescluster.estimands.membership import declared_groups
from bayescluster.results.model import (
    INTERVAL,
    By,
    PredictiveRow,
)

Array = NDArray[np.float64]
Statistic = Callable[[Array, Array | None], Array]
"""``(values, survey weights of the rows or None) -> statistic``, over the last axis."""

REPLICATES = 1000


def _largest(values: Array, _: Array | None) -> Array:
    return np.asarray(values.max(axis=-1))


def _smallest(values: Array, _: Array | None) -> Array:
    return np.asarray(values.min(axis=-1))


def _mean(values: Array, weights: Array | None) -> Array:
    return np.asarray(np.average(values, axis=-1, weights=weights))


def _sd(values: Array, weights: Array | None) -> Array:
    if weights is None:
        return np.asarray(values.std(axis=-1))
    around = values - _mean(values, weights)[..., None]
    return np.sqrt(_mean(around**2, weights))


def _zeros(values: Array, weights: Array | None) -> Array:
    return _mean(values == 0, weights)


STATISTICS: dict[str, dict[str, Statistic]] = {
    "probability": {"mean": _mean},
    "share": {"mean": _mean, "sd": _sd, "smallest": _smallest, "largest": _largest},
    "rate": {"mean": _mean, "sd": _sd, "share of zeros": _zeros, "largest": _largest},
    "mean": {"mean": _mean, "sd": _sd, "largest": _largest},
    "level": {"mean": _mean, "sd": _sd},
}
"""Statistics by the scale of the outcome; ordinal outcomes add the share of each level."""


def statistics(design: Design) -> dict[str, Statistic]:
    """Statistics that are checked for the family of a design."""
    counts = design.rows.trials is not None
    found = dict(STATISTICS["rate" if counts else design.family.scale])
    for code, level in enumerate(design.levels):
        found[f"share of {level}"] = _share(code)
    return found


def _share(code: int) -> Statistic:
    return lambda values, weights: _mean(values == code, weights)


def predictive_checks(design: Design, tree: xr.DataTree) -> tuple[PredictiveRow, ...]:
    """Compare every statistic with its replicates; the mean alone within clusters.

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
            chosen = {"mean": chosen["mean"]}
        for k, label in enumerate(groups.labels):
            # rows without an outcome have nothing to be compared with
            members = np.flatnonzero(groups.members[:, k] & design.answered)
            if not members.size:
                continue
            for what, statistic in chosen.items():
                weights = None if groups.of_rows is None else groups.of_rows[members]
                observed = float(statistic(design.outcome[members], weights))
                replicated = statistic(draws[:, members], weights)
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
