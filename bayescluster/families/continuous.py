"""A continuous outcome with normal noise, estimated or of known standard error; or with heavy tails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import gammaln, ndtr, stdtr

from bayescluster.arrays import Array
from bayescluster.families import record
from bayescluster.families.record import Parameters, Rows


def finite(outcome: Array, rows: Rows) -> record.Fault | None:
    """Fault of a continuous outcome or its standard errors, if any."""
    fault, errors = (
        record.fault("finite numbers", outcome, ~np.isfinite(outcome)),
        rows.standard_error,
    )
    if fault is None and errors is not None:
        return record.fault("standard errors above 0", errors, ~(errors > 0))
    return fault


def _sigma(parameters: Mapping[str, Any], rows: Rows) -> Any:
    return parameters["sigma"] if rows.standard_error is None else rows.standard_error


def _log_density(outcome: Array, eta: Array, parameters: Parameters, rows: Rows) -> Array:
    sigma = _sigma(parameters, rows)
    z = (outcome - eta) / sigma
    return np.asarray(-0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi))


def _likelihood(observation: record.Observation) -> record.Likelihood:
    import pymc as pm

    sigma = _sigma(observation.parameters, observation.rows)
    arguments = {"mu": observation.linear_predictor, "sigma": sigma}
    return record.Likelihood(pm.Normal, arguments, observation.outcome)


GAUSSIAN = record.Family(
    name="gaussian",
    link="identity",
    scale="mean",
    parameters=(record.SIGMA,),
    support=finite,
    expectation=lambda eta, _: eta,
    log_density=_log_density,
    draw=lambda rng, eta, p, rows: eta + _sigma(p, rows) * rng.standard_normal(eta.shape),
    likelihood=_likelihood,
    on_link_scale=np.asarray,
    exceedance=lambda bar, eta, p, rows: np.asarray(ndtr((eta - bar) / _sigma(p, rows))),
)


def _t_log_density(outcome: Array, eta: Array, parameters: Parameters, _: Rows) -> Array:
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


def _t_likelihood(observation: record.Observation) -> record.Likelihood:
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
    log_density=_t_log_density,
    draw=_draw,
    likelihood=_t_likelihood,
    on_link_scale=np.asarray,
    exceedance=_exceedance,
)
