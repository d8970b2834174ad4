"""A continuous outcome with heavy tails."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln, stdtr

from bayescluster.arrays import Array
from bayescluster.families import record
from bayescluster.families.gaussian import finite
from bayescluster.families.record import Parameters, Rows


def _log_density(outcome: Array, eta: Array, parameters: Parameters, _: Rows) -> Array:
    sigma, nu = parameters["sigma"], parameters["nu"]
    z = (outcome - eta) / sigma
    constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * np.pi) - np.log(sigma)
    return np.asarray(constant - (nu + 1) / 2 * np.log1p(z**2 / nu))


def _draw(rng: np.random.Generator, eta: Array, parameters: Parameters, _: Rows) -> Array:
    noise = rng.standard_t(np.broadcast_to(parameters["nu"], eta.shape))
    return np.asarray(eta + parameters["sigma"] * noise)


def _exceedance(bar: Array, eta: Array, parameters: Parameters, _: Rows) -> Array:
    z = (eta - bar) / parameters["sigma"]
    return np.asarray(stdtr(np.broadcast_to(parameters["nu"], z.shape), z))


def _likelihood(observation: record.Observation) -> record.Likelihood:
    import pymc as pm

    nu, sigma = (observation.parameters[name] for name in ("nu", "sigma"))
    arguments = {"nu": nu, "mu": observation.linear_predictor, "sigma": sigma}
    return record.Likelihood(pm.StudentT, arguments, observation.outcome)


STUDENT_T = record.Family(
    name="student_t",
    link="identity",
    scale="mean",
    parameters=(record.SIGMA, record.NU),
    support=finite,
    expectation=lambda eta, _: eta,
    log_density=_log_density,
    draw=_draw,
    likelihood=_likelihood,
    on_link_scale=np.asarray,
    exceedance=_exceedance,
)
