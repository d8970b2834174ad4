"""A count with more variance than its mean: ``mean + overdispersion**2 * mean**2``."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, expit, gammaln

from bayescluster.arrays import Array
from bayescluster.families import record
from bayescluster.families.poisson import LARGEST_MEAN
from bayescluster.families.record import Parameters, Rows


def _log_density(outcome: Array, eta: Array, parameters: Parameters, _: Rows) -> Array:
    shape = parameters["overdispersion"] ** -2
    # log(shape + mean) without leaving the log scale
    total = np.logaddexp(np.log(shape), eta)
    ways = gammaln(outcome + shape) - gammaln(shape) - gammaln(outcome + 1)
    return np.asarray(ways + shape * (np.log(shape) - total) + outcome * (eta - total))


def _draw(rng: np.random.Generator, eta: Array, parameters: Parameters, _: Rows) -> Array:
    shape = np.maximum(parameters["overdispersion"], 1e-6) ** -2
    mean = np.exp(np.minimum(eta, 50.0))
    mixed = rng.gamma(np.broadcast_to(shape, mean.shape), mean / shape)
    return np.asarray(rng.poisson(np.minimum(mixed, LARGEST_MEAN)), dtype=float)


def _exceedance(bar: Array, eta: Array, parameters: Parameters, _: Rows) -> Array:
    shape = np.maximum(parameters["overdispersion"], 1e-6) ** -2
    # P(count >= k) = I_q(k, shape) with q = mean / (mean + shape), for k from 1
    failure = expit(eta - np.log(shape))
    return np.where(bar <= 0, 1.0, betainc(np.maximum(bar, 1.0), shape, failure))


def _likelihood(observation: record.Observation) -> record.Likelihood:
    import pymc as pm

    shape = observation.parameters["overdispersion"] ** -2
    arguments = {"mu": pm.math.exp(observation.linear_predictor), "alpha": shape}
    return record.Likelihood(pm.NegativeBinomial, arguments, observation.outcome.astype("int64"))


NEGATIVE_BINOMIAL = record.Family(
    name="negative_binomial",
    link="log",
    scale="rate",
    parameters=(record.OVERDISPERSION,),
    support=lambda outcome, _: record.whole_numbers(outcome, 0),
    expectation=lambda eta, _: np.exp(eta),
    log_density=_log_density,
    draw=_draw,
    likelihood=_likelihood,
    exceedance=_exceedance,
    counted=True,
)
