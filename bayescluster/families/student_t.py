"""A continuous outcome with heavy tails."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import gammaln

from bayescluster.families.gaussian import finite, identity
from bayescluster.families.record import NU, SIGMA, Array, Family, Observation, Rows


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


def _observe(observation: Observation) -> None:
    import pymc as pm

    pm.StudentT(
        observation.name,
        nu=observation.parameters["nu"],
        mu=observation.linear_predictor,
        sigma=observation.parameters["sigma"],
        observed=observation.outcome,
        dims=observation.dims,
    )


STUDENT_T = Family(
    "student_t",
    "identity",
    "mean",
    (SIGMA, NU),
    finite,
    identity,
    _log_density,
    _draw,
    _observe,
    np.asarray,
)
