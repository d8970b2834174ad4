"""Successes out of a known number of trials."""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, expit, gammaln

from bayescluster.arrays import Array, logistic
from bayescluster.families import record
from bayescluster.families.record import Parameters, Rows


def _trials(rows: Rows) -> Array:
    assert rows.trials is not None
    return rows.trials


def _support(outcome: Array, rows: Rows) -> record.Fault | None:
    trials = _trials(rows)
    return (
        record.whole_numbers(trials, 1, "trials to be whole numbers from 1")
        or record.whole_numbers(outcome, 0)
        or record.fault("no more successes than trials", outcome, outcome > trials)
    )


def _log_density(outcome: Array, eta: Array, _: Parameters, rows: Rows) -> Array:
    trials = _trials(rows)
    ways = gammaln(trials + 1) - gammaln(outcome + 1) - gammaln(trials - outcome + 1)
    return np.asarray(ways + (outcome * eta - trials * np.logaddexp(0.0, eta)))


def _draw(rng: np.random.Generator, eta: Array, _: Parameters, rows: Rows) -> Array:
    return np.asarray(rng.binomial(_trials(rows).astype("int64"), expit(eta)), dtype=float)


def _exceedance(bar: Array, eta: Array, _: Parameters, rows: Rows) -> Array:
    trials = _trials(rows)
    # P(successes >= k) = I_p(k, n - k + 1), for k from 1 to n
    within = np.clip(bar, 1.0, trials)
    reached = betainc(within, trials - within + 1.0, expit(eta))
    return np.where(bar <= 0, 1.0, np.where(bar > trials, 0.0, reached))


def _likelihood(observation: record.Observation) -> record.Likelihood:
    import pymc as pm

    trials = _trials(observation.rows).astype("int64")
    arguments = {"n": trials, "logit_p": observation.linear_predictor}
    return record.Likelihood(pm.Binomial, arguments, observation.outcome.astype("int64"))


BINOMIAL = record.Family(
    name="binomial",
    link="logit",
    scale="probability",
    parameters=(),
    support=_support,
    expectation=lambda eta, _: logistic(eta),
    log_density=_log_density,
    draw=_draw,
    likelihood=_likelihood,
    exceedance=_exceedance,
    counted=True,
)
