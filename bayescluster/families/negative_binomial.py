"""A count with more variance than its mean: ``mean + overdispersion**2 * mean**2``."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import betainc, expit, gammaln

from bayescluster.arrays import Array
from bayescluster.families.poisson import LARGEST_MEAN, count_support, rate
from bayescluster.families.record import OVERDISPERSION, Family, Likelihood, Observation, Rows


def _log_density(
    outcome: Array, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    shape = parameters["overdispersion"] ** -2
    # log(shape + mean) without leaving the log scale
    total = np.logaddexp(np.log(shape), linear_predictor)
    ways = gammaln(outcome + shape) - gammaln(shape) - gammaln(outcome + 1)
    return np.asarray(ways + shape * (np.log(shape) - total) + outcome * (linear_predictor - total))


def _draw(
    rng: np.random.Generator, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    shape = np.maximum(parameters["overdispersion"], 1e-6) ** -2
    mean = np.exp(np.minimum(linear_predictor, 50.0))
    mixed = rng.gamma(np.broadcast_to(shape, mean.shape), mean / shape)
    return np.asarray(rng.poisson(np.minimum(mixed, LARGEST_MEAN)), dtype=float)


def _exceedance(
    bar: Array, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    shape = np.maximum(parameters["overdispersion"], 1e-6) ** -2
    # P(count >= k) = I_q(k, shape) with q = mean / (mean + shape), for k from 1
    failure = expit(linear_predictor - np.log(shape))
    return np.where(bar <= 0, 1.0, betainc(np.maximum(bar, 1.0), shape, failure))


def _likelihood(observation: Observation) -> Likelihood:
    import pymc as pm

    arguments = {
        "mu": pm.math.exp(observation.linear_predictor),
        "alpha": observation.parameters["overdispersion"] ** -2,
    }
    return Likelihood(pm.NegativeBinomial, arguments, observation.outcome.astype("int64"))


NEGATIVE_BINOMIAL = Family(
    "negative_binomial",
    "log",
    "rate",
    (OVERDISPERSION,),
    count_support,
    rate,
    _log_density,
    _draw,
    _likelihood,
    exceedance=_exceedance,
    counted=True,
)
