"""A positive amount, such as sales per worker, whose logarithm has normal noise.

The linear predictor is the mean of the logarithm, so ``exp(coefficient)`` is a factor of the median
and of the mean alike. What is reported is the mean, ``exp(linear predictor + sigma**2 / 2)``.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from bayescluster.arrays import Array
from bayescluster.families import record
from bayescluster.families.record import Parameters, Rows

# numbers of this size still have a logarithm and a square; prior draws can ask for more
LARGEST_LOG = 300.0


def _support(outcome: Array, _: Rows) -> record.Fault | None:
    return record.fault(
        "finite numbers above 0",
        outcome,
        ~(np.isfinite(outcome) & (outcome > 0)),
        "list codes for no answer under `missing_values`; where 0 means none, choose family "
        "hurdle_lognormal",
    )


def _log_density(outcome: Array, eta: Array, parameters: Parameters, _: Rows) -> Array:
    sigma, log = parameters["sigma"], np.log(outcome)
    z = (log - eta) / sigma
    return np.asarray(-0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi) - log)


def _draw(rng: np.random.Generator, eta: Array, parameters: Parameters, _: Rows) -> Array:
    log = eta + parameters["sigma"] * rng.standard_normal(eta.shape)
    return np.asarray(np.exp(np.clip(log, -LARGEST_LOG, LARGEST_LOG)))


def _exceedance(bar: Array, eta: Array, parameters: Parameters, _: Rows) -> Array:
    with np.errstate(divide="ignore"):
        log = np.log(np.maximum(bar, 0.0))
    return np.asarray(ndtr((eta - log) / parameters["sigma"]))


def _likelihood(observation: record.Observation) -> record.Likelihood:
    import pymc as pm

    arguments = {"mu": observation.linear_predictor, "sigma": observation.parameters["sigma"]}
    return record.Likelihood(pm.LogNormal, arguments, observation.outcome)


LOGNORMAL = record.Family(
    name="lognormal",
    link="log",
    scale="mean",
    parameters=(record.SIGMA,),
    support=_support,
    expectation=lambda eta, p: np.asarray(np.exp(eta + p["sigma"] ** 2 / 2)),
    log_density=_log_density,
    draw=_draw,
    likelihood=_likelihood,
    on_link_scale=np.log,
    exceedance=_exceedance,
)
