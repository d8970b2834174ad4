"""Stacking of predictive distributions, and differences in predictive accuracy with their error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

from bayescluster.arrays import Array

ROUNDS = 1000
"""Most steps of the optimiser; a few dozen are usual."""
TOLERANCE = 1e-12


class Difference(NamedTuple):
    """A sum of pointwise differences and its standard error."""

    total: float
    error: float


def stacking_weights(elpd: Array) -> Array:
    """Weights of the mixture of predictive distributions that predicts best.

    Parameters
    ----------
    elpd
        Log predictive density of each left-out unit (row or cluster) under each model,
        ``(unit, model)``.

    Returns
    -------
    ndarray
        ``(model,)``: not negative, summing to 1.

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
        constraints={
            "type": "eq",
            "fun": lambda w: w.sum() - 1,
            "jac": lambda _: np.ones(models),
        },
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
