"""Yes or no, such as whether the firm upgraded: logit, or a latent amount with normal noise (probit)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import expit, log_ndtr, ndtr

from bayescluster.arrays import Array, logistic, softplus
from bayescluster.families.record import Family, Fault, Likelihood, Observation, Rows, fault


def zero_or_one(outcome: Array, _: Rows) -> Fault | None:
    """Fault of a yes or no, if any."""
    return fault("0 or 1", outcome, (outcome != 0) & (outcome != 1))


def _logit_likelihood(observation: Observation) -> Likelihood:
    import pymc as pm

    arguments = {"logit_p": observation.linear_predictor}
    return Likelihood(pm.Bernoulli, arguments, observation.outcome.astype("int64"))


BERNOULLI = Family(
    name="bernoulli",
    link="logit",
    scale="probability",
    parameters=(),
    support=zero_or_one,
    expectation=lambda eta, _: logistic(eta),
    log_density=lambda outcome, eta, *_: -softplus((1.0 - 2.0 * outcome) * eta),
    draw=lambda rng, eta, *_: (rng.random(eta.shape) < expit(eta)).astype(float),
    likelihood=_logit_likelihood,
)


def log_cdf(z: Any) -> Any:
    """Log of the standard normal distribution function, in PyTensor.

    Each branch sees only arguments it is good for: the gradient of the branch not taken would be
    infinite, and infinity times zero is no number.
    """
    import pytensor.tensor as pt

    low, high = pt.minimum(z, -1.0), pt.maximum(z, -1.0)
    left = pt.log(0.5 * pt.erfcx(-low / np.sqrt(2.0))) - 0.5 * low**2
    return pt.switch(pt.lt(z, -1.0), left, pt.log1p(-0.5 * pt.erfc(high / np.sqrt(2.0))))


def _random(eta: Array, rng: np.random.Generator, size: Any = None) -> Any:
    return (rng.random(size or eta.shape) < ndtr(eta)).astype("int64")


def _probit_likelihood(observation: Observation) -> Likelihood:
    import pymc as pm

    # PyMC's own Bernoulli goes through a probability, which is 0 or 1 in the tails
    arguments = {
        "logp": lambda outcome, eta: log_cdf((2 * outcome - 1) * eta),
        "random": _random,
        "dtype": "int64",
    }
    outcome = observation.outcome.astype("int64")
    return Likelihood(pm.CustomDist, arguments, outcome, (observation.linear_predictor,))


PROBIT = Family(
    name="probit",
    link="probit",
    scale="probability",
    parameters=(),
    support=zero_or_one,
    expectation=lambda eta, _: np.asarray(ndtr(eta)),
    log_density=lambda outcome, eta, *_: np.asarray(log_ndtr((2.0 * outcome - 1.0) * eta)),
    draw=lambda rng, eta, *_: (rng.random(eta.shape) < ndtr(eta)).astype(float),
    likelihood=_probit_likelihood,
)
