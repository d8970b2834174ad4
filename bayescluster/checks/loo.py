"""Leave-one-out prediction by Pareto-smoothed importance sampling, and stacking of its results."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import minimize

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import khat_max
from bayescluster.design.record import Design
from bayescluster.names import CHAIN, DRAW, ROW
from bayescluster.results.model import Loo

WORST_SHOWN = 5


class RowScores(NamedTuple):
    """Log predictive density of each left-out row and the Pareto k behind it, ``(row,)``."""

    elpd: Array
    khat: Array
    khat_threshold: float
    error: float
    """Standard error of the sum."""
    p_loo: float

    @property
    def bad(self) -> NDArray[np.bool_]:
        """Rows whose Pareto k is above the threshold, or is not a number."""
        return ~(self.khat <= self.khat_threshold)


class LeftOut(NamedTuple):
    """Scores of the rows, and the weights that turn draws into those of the fit without a row.

    ``weights`` is ``(draw, answered row)``, the chains one after the other; each column sums to 1.
    """

    scores: RowScores
    weights: Array


def leave_row_out(design: Design, tree: xr.DataTree) -> RowScores:
    """Score every row by what the others predict."""
    return left_out(design, tree).scores


def left_out(design: Design, tree: xr.DataTree) -> LeftOut:
    """Score every row by what the others predict, and keep the weights behind it.

    Source: Vehtari, Gelman and Gabry (2017), as computed by arviz.
    """
    import arviz as az

    with warnings.catch_warnings():
        # arviz warns of large Pareto k; the report tells it row by row
        warnings.simplefilter("ignore", UserWarning)
        found = az.loo(tree, var_name=design.equation_name, pointwise=True)
    draws = tree["posterior"].sizes[CHAIN] * tree["posterior"].sizes[DRAW]
    scores = RowScores(
        np.asarray(found.elpd_i, dtype="float64").ravel(),
        np.asarray(found.pareto_k, dtype="float64").ravel(),
        khat_max(draws),
        float(found.se),
        float(found.p),
    )
    kept = found.log_weights.transpose(CHAIN, DRAW, ...).to_numpy()
    return LeftOut(scores, np.exp(kept.reshape(draws, -1)))


def psis_loo(design: Design, found: RowScores) -> Loo:
    """Sum up the expected log predictive density of rows left out one by one; see `left_out`."""
    khat, limit = found.khat, found.khat_threshold
    order = np.argsort(-np.nan_to_num(khat, nan=np.inf))
    labels = np.array(design.labels(ROW))[design.answered]
    bad = int(found.bad.sum())
    return Loo(
        elpd=float(found.elpd.sum()),
        se=found.error,
        p_loo=found.p_loo,
        khat_max=float(khat[np.isfinite(khat)].max(initial=0.0)),
        khat_threshold=limit,
        bad=bad,
        rows=int(design.answered.sum()),
        worst=tuple(f"{labels[k]} ({khat[k]:.2f})" for k in order[: min(bad, WORST_SHOWN)]),
        advice="the estimate leans on a few rows: read elpd with care, and look at these rows"
        if bad
        else "",
    )


ROUNDS = 1000
"""Most steps of the optimiser; a few dozen are usual."""
TOLERANCE = 1e-12


class Difference(NamedTuple):
    """A sum of pointwise differences and its standard error."""

    total: float
    error: float


def stacking_weights(elpd: Array) -> Array:
    """Weights of the mixture of predictive distributions that predicts best, ``(model,)``.

    ``elpd`` is the log predictive density of each left-out unit (row or cluster) under each model,
    ``(unit, model)``. The weights are not negative, and sum to 1.

    Notes
    -----
    Maximises the sum over units of ``log(sum_k w_k exp(elpd_k))``, which is concave in ``w``: Yao,
    Vehtari, Simpson and Gelman (2018), Bayesian Analysis 13(3).
    """
    models = elpd.shape[1]
    if models == 1:
        return np.ones(1)
    # each unit in units of its best model: weights stay the same, and nothing underflows
    density = np.exp(elpd - elpd.max(axis=1, keepdims=True))  # (unit, model)

    def loss(weights: Array) -> tuple[float, Array]:
        mixed = np.maximum(density @ weights, np.finfo(float).tiny)
        return -float(np.log(mixed).mean()), -(density / mixed[:, None]).mean(axis=0)

    found = minimize(
        loss,
        np.full(models, 1 / models),
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * models,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda _: np.ones(models)},
        options={"maxiter": ROUNDS, "ftol": TOLERANCE},
    )
    weights = np.clip(found.x, 0.0, None)
    return np.asarray(weights / weights.sum())


def difference(elpd: Array, base: Array) -> Difference:
    """Difference of two models in elpd over the same units, with its standard error."""
    less = elpd - base
    return Difference(float(less.sum()), total_error(less))


def total_error(values: Array) -> float:
    """Standard error of a sum over units, ``(unit,)``; 0 where there is but one unit."""
    if values.size < 2:
        return 0.0
    return float(np.sqrt(values.size * values.var(ddof=1)))
