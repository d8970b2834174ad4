"""Yes or no, such as whether the firm upgraded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import expit

from bayescluster.arrays import Array
from bayescluster.families.record import Family, Fault, Likelihood, Observation, Rows, fault


def zero_or_one(outcome: Array, _: Rows) -> Fault | None:
    """Fault of a yes or no, if any."""
    return fault("0 or 1", outcome, (outcome != 0) & (outcome != 1))


def _expectation(linear_predictor: Array, _: Mapping[str, Array]) -> Array:
    return np.asarray(expit(linear_predictor))


def _log_density(
    outcome: Array, linear_predictor: Array, _: Mapping[str, Array], __: Rows
) -> Array:
    return np.asarray(-np.logaddexp(0.0, (1.0 - 2.0 * outcome) * linear_predictor))


def _draw(
    rng: np.random.Generator, linear_predictor: Array, _: Mapping[str, Array], __: Rows
) -> Array:
    return np.asarray(rng.random(linear_predictor.shape) < expit(linear_predictor), dtype=float)


def _likelihood(observation: Observation) -> Likelihood:
    import pymc as pm

    arguments = {"logit_p": observation.linear_predictor}
    return Likelihood(pm.Bernoulli, arguments, observation.outcome.astype("int64"))


BERNOULLI = Family(
    "bernoulli",
    "logit",
    "probability",
    (),
    zero_or_one,
    _expectation,
    _log_density,
    _draw,
    _likelihood,
)
