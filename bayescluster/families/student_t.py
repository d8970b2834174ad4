"""A continuous outcome with heavy tails."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import gammaln, stdtr

from bayescluster.arrays import Array
from bayescluster.families.gaussian import finite, identity
from bayescluster.families.record import NU, SIGMA, Family, Likelihood, Observation, Rows


def _log_density(
    outcome: Array, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    sigma, nu = parameters["sigma"], parameters["nu"]
    z = (outcome - linear_predictor) / sigma
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - np.log(sigma)
    return np.asarray(constant - (nu + 1) / 2 * np.log1p(z**2 / nu))


def _draw(
    rng: np.random.Generator, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    noise = rng.standard_t(np.broadcast_to(parameters["nu"], linear_predictor.shape))
    return np.asarray(linear_predictor + parameters["sigma"] * noise)


def _exceedance(
    bar: Array, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    z = (linear_predictor - bar) / parameters["sigma"]
    return np.asarray(stdtr(np.broadcast_to(parameters["nu"], z.shape), z))


def _likelihood(observation: Observation) -> Likelihood:
    import pymc as pm

    arguments = {
        "nu": observation.parameters["nu"],
        "mu": observation.linear_predictor,
        "sigma": observation.parameters["sigma"],
    }
    return Likelihood(pm.StudentT, arguments, observation.outcome)


STUDENT_T = Family(
    "student_t",
    "identity",
    "mean",
    (SIGMA, NU),
    finite,
    identity,
    _log_density,
    _draw,
    _likelihood,
    np.asarray,
    _exceedance,
)
