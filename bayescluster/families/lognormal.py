"""A positive amount, such as sales per worker, whose logarithm has normal noise.

The linear predictor is the mean of the logarithm, so ``exp(coefficient)`` is a factor of the median
and of the mean alike. What is reported is the mean, ``exp(linear predictor + sigma**2 / 2)``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from bayescluster.arrays import Array
from bayescluster.families.record import SIGMA, Family, Fault, Likelihood, Observation, Rows, fault

# numbers of this size still have a logarithm and a square; prior draws can ask for more
LARGEST_LOG = 300.0


def _support(outcome: Array, _: Rows) -> Fault | None:
    return fault(
        "finite numbers above 0",
        outcome,
        ~(np.isfinite(outcome) & (outcome > 0)),
        "list codes for no answer under `missing_values`; where 0 means none, leave such rows out of "
        "the data, or choose a family that has 0",
    )


def _expectation(linear_predictor: Array, parameters: Mapping[str, Array]) -> Array:
    return np.asarray(np.exp(linear_predictor + parameters["sigma"] ** 2 / 2))


def _log_density(
    outcome: Array, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    sigma, log = parameters["sigma"], np.log(outcome)
    z = (log - linear_predictor) / sigma
    return np.asarray(-0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi) - log)


def _draw(
    rng: np.random.Generator, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    log = linear_predictor + parameters["sigma"] * rng.standard_normal(linear_predictor.shape)
    return np.asarray(np.exp(np.clip(log, -LARGEST_LOG, LARGEST_LOG)))


def _exceedance(
    bar: Array, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    with np.errstate(divide="ignore"):
        log = np.log(np.maximum(bar, 0.0))
    return np.asarray(ndtr((linear_predictor - log) / parameters["sigma"]))


def _likelihood(observation: Observation) -> Likelihood:
    import pymc as pm

    arguments = {"mu": observation.linear_predictor, "sigma": observation.parameters["sigma"]}
    return Likelihood(pm.LogNormal, arguments, observation.outcome)


LOGNORMAL = Family(
    "lognormal",
    "log",
    "mean",
    (SIGMA,),
    _support,
    _expectation,
    _log_density,
    _draw,
    _likelihood,
    np.log,
    _exceedance,
)
