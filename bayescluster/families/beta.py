"""A share strictly between 0 and 1, such as the share of output that is exported.

The outcome is Beta(mean * precision, (1 - mean) * precision), so that its variance is
``mean * (1 - mean) / (1 + precision)``; Ferrari and Cribari-Neto (2004).
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, expit, gammaln

from bayescluster.arrays import Array
from bayescluster.families import record
from bayescluster.families.record import Parameters, Rows

REMEDY_ENDS = (
    "where a share is a count out of a known number, use family binomial with `trials`; where 0 means "
    "none, zero_inflated_beta; else pull 0 and 1 inside by `derive` with "
    "`kind: scale, multiply: 0.99, add: 0.005`"
)
REMEDY_PERCENT = "turn percentages into shares by `derive` with `kind: scale, multiply: 0.01`"

# shapes and shares nearest to 0 and 1 that can be drawn: prior draws reach them
LEAST_SHAPE, LEAST_SHARE, LARGEST_SHARE = 1e-300, 1e-300, 1 - 2.0**-53


def _support(outcome: Array, _: Rows) -> record.Fault | None:
    percent = bool((outcome > 1).any() and (outcome >= 0).all() and (outcome <= 100).all())
    remedy = REMEDY_PERCENT if percent else REMEDY_ENDS
    outside = ~((outcome > 0) & (outcome < 1))
    return record.fault("shares above 0 and below 1", outcome, outside, remedy)


def _log_density(outcome: Array, eta: Array, parameters: Parameters, _: Rows) -> Array:
    precision = parameters["precision"]
    first, second = precision * expit(eta), precision * expit(-eta)
    # gamma(a) = gamma(a + 1) / a, with log a from the logit: finite where a itself is 0
    logs = 2 * np.log(precision) - np.logaddexp(0, eta)
    logs = logs - np.logaddexp(0, -eta)
    ways = gammaln(precision) - gammaln(first + 1) - gammaln(second + 1) + logs
    return np.asarray(ways + (first - 1) * np.log(outcome) + (second - 1) * np.log1p(-outcome))


def _shapes(eta: Array, parameters: Parameters) -> tuple[Array, Array]:
    precision = parameters["precision"]
    return (
        np.maximum(precision * expit(eta), LEAST_SHAPE),
        np.maximum(precision * expit(-eta), LEAST_SHAPE),
    )


def _draw(rng: np.random.Generator, eta: Array, parameters: Parameters, _: Rows) -> Array:
    return np.clip(rng.beta(*_shapes(eta, parameters)), LEAST_SHARE, LARGEST_SHARE)


def _exceedance(bar: Array, eta: Array, parameters: Parameters, _: Rows) -> Array:
    first, second = _shapes(eta, parameters)
    # from the upper side, so that a small probability keeps its digits
    return np.asarray(betainc(second, first, 1.0 - np.clip(bar, 0.0, 1.0)))


def _likelihood(observation: record.Observation) -> record.Likelihood:
    import pymc as pm

    precision, eta = observation.parameters["precision"], observation.linear_predictor
    # 1 - mean would lose its digits where the mean is near 1
    sigmoid = pm.math.sigmoid
    shapes = {"alpha": precision * sigmoid(eta), "beta": precision * sigmoid(-eta)}
    return record.Likelihood(pm.Beta, shapes, observation.outcome)


BETA = record.Family(
    name="beta",
    link="logit",
    scale="share",
    parameters=(record.PRECISION,),
    support=_support,
    expectation=lambda eta, _: np.asarray(expit(eta)),
    log_density=_log_density,
    draw=_draw,
    likelihood=_likelihood,
    exceedance=_exceedance,
)
