"""A share strictly between 0 and 1, such as the share of output that is exported.

The outcome is Beta(mean * precision, (1 - mean) * precision), so that its variance is
``mean * (1 - mean) / (1 + precision)``; Ferrari and Cribari-Neto (2004).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import betainc, expit, gammaln

from bayescluster.arrays import Array
from bayescluster.families.record import (
    PRECISION,
    Family,
    Fault,
    Likelihood,
    Observation,
    Rows,
    fault,
)

EXPECTED = "shares above 0 and below 1"
MEND_ENDS = (
    "where a share is a count out of a known number, use family binomial with `trials`; else pull "
    "0 and 1 inside by `derive` with `kind: scale, multiply: 0.99, add: 0.005`"
)
MEND_PERCENT = "turn percentages into shares by `derive` with `kind: scale, multiply: 0.01`"

# shapes and shares nearest to 0 and 1 that can be drawn: prior draws reach them
LEAST_SHAPE, LEAST_SHARE, LARGEST_SHARE = 1e-300, 1e-300, 1 - 2.0**-53


def _support(outcome: Array, _: Rows) -> Fault | None:
    percent = bool((outcome > 1).any() and (outcome >= 0).all() and (outcome <= 100).all())
    mend = MEND_PERCENT if percent else MEND_ENDS
    return fault(EXPECTED, outcome, ~((outcome > 0) & (outcome < 1)), mend)


def _expectation(linear_predictor: Array, _: Mapping[str, Array]) -> Array:
    return np.asarray(expit(linear_predictor))


def _log_density(
    outcome: Array, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    precision = parameters["precision"]
    first, second = precision * expit(linear_predictor), precision * expit(-linear_predictor)
    # gamma(a) = gamma(a + 1) / a, with log a from the logit: finite where a itself is 0
    logs = 2 * np.log(precision) - np.logaddexp(0, linear_predictor)
    logs = logs - np.logaddexp(0, -linear_predictor)
    ways = gammaln(precision) - gammaln(first + 1) - gammaln(second + 1) + logs
    return np.asarray(ways + (first - 1) * np.log(outcome) + (second - 1) * np.log1p(-outcome))


def _draw(
    rng: np.random.Generator, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    first, second = (
        np.maximum(parameters["precision"] * expit(sign * linear_predictor), LEAST_SHAPE)
        for sign in (1.0, -1.0)
    )
    return np.asarray(np.clip(rng.beta(first, second), LEAST_SHARE, LARGEST_SHARE))


def _exceedance(
    bar: Array, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    first, second = (
        np.maximum(parameters["precision"] * expit(sign * linear_predictor), LEAST_SHAPE)
        for sign in (1.0, -1.0)
    )
    # from the upper side, so that a small probability keeps its digits
    return np.asarray(betainc(second, first, 1.0 - np.clip(bar, 0.0, 1.0)))


def _likelihood(observation: Observation) -> Likelihood:
    import pymc as pm

    precision, eta = observation.parameters["precision"], observation.linear_predictor
    # 1 - mean would lose its digits where the mean is near 1
    shapes: dict[str, Any] = {
        "alpha": precision * pm.math.sigmoid(eta),
        "beta": precision * pm.math.sigmoid(-eta),
    }
    return Likelihood(pm.Beta, shapes, observation.outcome)


BETA = Family(
    "beta",
    "logit",
    "share",
    (PRECISION,),
    _support,
    _expectation,
    _log_density,
    _draw,
    _likelihood,
    exceedance=_exceedance,
)
