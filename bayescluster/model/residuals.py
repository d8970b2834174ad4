"""Residual correlation: what is unexplained in several outcomes of a firm goes together.

Probit equations become a multivariate probit: each firm has a normal vector behind its answers, one
component an outcome, of unit variances and a correlation matrix that is estimated. The truncated
normals are sampled one after the other by their conditional quantiles (Geweke 1991, Hajivassiliou and
McFadden 1998, Keane 1994), so that the sampler moves in the unit cube. Gaussian equations become a
system of seemingly unrelated regressions (Zellner 1962).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayescluster.families import Observation
from bayescluster.families.probit import log_cdf
from bayescluster.names import RESIDUAL_CORRELATION, RESIDUAL_EQUATION

CONCENTRATION = 2.0
"""Concentration of the LKJ prior of the residual correlations."""
TINY = 1e-12


def observe_together(
    observations: Sequence[Observation], size: int, weights: NDArray[np.float64] | float = 1.0
) -> None:
    """Add the joint likelihood of equations whose residuals correlate.

    Parameters
    ----------
    observations
        Linear predictor, parameters and outcome of each equation.
    size
        Number of rows.
    weights
        Survey weight of each row, ``(row,)``, or 1.
    """
    names = [each.name for each in observations]
    model = pm.modelcontext(None)
    model.add_coords({RESIDUAL_EQUATION: names, f"{RESIDUAL_EQUATION}_other": names})
    factor = pm.LKJCorr("residual_cholesky", n=len(names), eta=CONCENTRATION)
    dims = (RESIDUAL_EQUATION, f"{RESIDUAL_EQUATION}_other")
    pm.Deterministic(RESIDUAL_CORRELATION, factor @ factor.T, dims=dims)
    if "sigma" in observations[0].parameters:
        density = _gaussian(observations, factor)
    else:
        density = _probit(observations, factor, size)
    pm.Potential("residuals", (weights * density).sum())


def _gaussian(observations: Sequence[Observation], factor: Any) -> Any:
    sds = pt.stack([each.parameters["sigma"] for each in observations])
    mean = pt.stack([each.linear_predictor for each in observations], axis=-1)  # (row, outcome)
    outcome = pt.stack([each.outcome for each in observations], axis=-1)
    return pm.logp(pm.MvNormal.dist(mu=mean, chol=sds[:, None] * factor), outcome)


def _probit(observations: Sequence[Observation], factor: Any, size: int) -> Any:
    count = len(observations)
    uniform = pm.Uniform("residual_u", 0.0, 1.0, shape=(size, count - 1))
    components: list[Any] = []
    total: Any = 0.0
    for k, each in enumerate(observations):
        known = sum((factor[k, j] * components[j] for j in range(k)), start=pt.zeros(()))
        sign = pt.where(pt.gt(each.outcome, 0.5), 1.0, -1.0)
        # P(the component falls on the side that was answered), given the components before
        reach = sign * (each.linear_predictor + known) / factor[k, k]
        total = total + log_cdf(reach)
        if k + 1 < count:
            tail = pt.clip(_normal_cdf(reach) * uniform[:, k], TINY, 1.0 - TINY)
            components.append(-sign * _normal_quantile(tail))
    return total


def _normal_cdf(x: Any) -> Any:
    return 0.5 * pt.erfc(-x / np.sqrt(2.0))


def _normal_quantile(p: Any) -> Any:
    return -np.sqrt(2.0) * pt.erfcinv(2.0 * p)
