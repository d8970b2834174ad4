"""Yes or no, such as whether the firm upgraded."""

from __future__ import annotations

from scipy.special import expit

from bayescluster.arrays import Array, logistic, softplus
from bayescluster.families.record import Family, Fault, Likelihood, Observation, Rows, fault


def zero_or_one(outcome: Array, _: Rows) -> Fault | None:
    """Fault of a yes or no, if any."""
    return fault("0 or 1", outcome, (outcome != 0) & (outcome != 1))


def _likelihood(observation: Observation) -> Likelihood:
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
    likelihood=_likelihood,
)
