"""A count whose variance equals its mean."""

from __future__ import annotations

import numpy as np
from scipy.special import gammainc, gammaln

from bayescluster.arrays import Array
from bayescluster.families.record import Family, Likelihood, Observation, whole_numbers

# numpy draws no Poisson count beyond this mean; prior draws can ask for more
LARGEST_MEAN = 1e15


def _mean(eta: Array) -> Array:
    return np.minimum(np.exp(np.minimum(eta, 50.0)), LARGEST_MEAN)


def _likelihood(observation: Observation) -> Likelihood:
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
    likelihood=_likelihood,
    # P(count >= k) = P(gamma(k) <= mean), for k from 1
    exceedance=lambda bar, eta, *_: np.where(
        bar <= 0, 1.0, gammainc(np.maximum(bar, 1.0), _mean(eta))
    ),
    counted=True,
)
