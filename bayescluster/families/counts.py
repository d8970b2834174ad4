"""A count whose variance equals its mean, or ``mean + overdispersion**2 * mean**2``."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, expit, gammainc, gammaln

from bayescluster.arrays import Array
from bayescluster.families import record
from bayescluster.families.record import (
    Family,
    Likelihood,
    Observation,
    Parameters,
    Rows,
    whole_numbers,
)

# numpy draws no Poisson count beyond this mean; prior draws can ask for more
LARGEST_MEAN = 1e15


def _mean(eta: Array) -> Array:
    return np.minimum(np.exp(np.minimum(eta, 50.0)), LARGEST_MEAN)


def _poisson_likelihood(observation: Observation) -> Likelihood:
    import pymc as pm

    arguments = {"mu": pm.math.exp(observation.linear_predictor)}
    return Likelihood(pm.Poisson, arguments, observation.outcome.astype("int64"))


POISSON = Family(
    name="poisson",
    link="log",
    scale="rate",
    parameters=(),
    support=lambda outcome, _: whole_numbers(outcome, 0),
    expectation=lambda eta, _: np.exp(eta),
    log_density=lambda outcome, eta, *_: outcome * eta - np.exp(eta) - gammaln(outcome + 1),
    draw=lambda rng, eta, *_: rng.poisson(_mean(eta)).astype(float),
    likelihood=_poisson_likelihood,
    # P(count >= k) = P(gamma(k) <= mean), for k from 1
    exceedance=lambda bar, eta, *_: np.where(
        bar <= 0, 1.0, gammainc(np.maximum(bar, 1.0), _mean(eta))
    ),
    counted=True,
)


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


def _negative_binomial_likelihood(observation: record.Observation) -> record.Likelihood:
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
    likelihood=_negative_binomial_likelihood,
    exceedance=_exceedance,
    counted=True,
)
