"""A continuous outcome with normal noise, estimated or of known standard error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import ndtr

from bayescluster.arrays import Array
from bayescluster.families.record import SIGMA, Family, Fault, Likelihood, Observation, Rows, fault


def finite(outcome: Array, rows: Rows) -> Fault | None:
    """Fault of a continuous outcome or its standard errors, if any."""
    found = fault("finite numbers", outcome, ~np.isfinite(outcome))
    if found is None and rows.standard_error is not None:
        wrong = ~(rows.standard_error > 0)
        found = fault("standard errors above 0", rows.standard_error, wrong)
    return found


def identity(linear_predictor: Array, _: Mapping[str, Array]) -> Array:
    """Return the mean, which is the linear predictor."""
    return linear_predictor


def _sigma(parameters: Mapping[str, Any], rows: Rows) -> Any:
    return parameters["sigma"] if rows.standard_error is None else rows.standard_error


def _log_density(
    outcome: Array, linear_predictor: Array, parameters: Mapping[str, Array], rows: Rows
) -> Array:
    sigma = _sigma(parameters, rows)
    z = (outcome - linear_predictor) / sigma
    return np.asarray(-0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))


def _draw(
    rng: np.random.Generator, linear_predictor: Array, parameters: Mapping[str, Array], rows: Rows
) -> Array:
    noise = rng.standard_normal(linear_predictor.shape)
    return np.asarray(linear_predictor + _sigma(parameters, rows) * noise)


def _exceedance(
    bar: Array, linear_predictor: Array, parameters: Mapping[str, Array], rows: Rows
) -> Array:
    return np.asarray(ndtr((linear_predictor - bar) / _sigma(parameters, rows)))


def _likelihood(observation: Observation) -> Likelihood:
    import pymc as pm

    arguments = {
        "mu": observation.linear_predictor,
        "sigma": _sigma(observation.parameters, observation.rows),
    }
    return Likelihood(pm.Normal, arguments, observation.outcome)


GAUSSIAN = Family(
    "gaussian",
    "identity",
    "mean",
    (SIGMA,),
    finite,
    identity,
    _log_density,
    _draw,
    _likelihood,
    np.asarray,
    _exceedance,
)
