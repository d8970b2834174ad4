"""Successes out of a known number of trials."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import betainc, expit, gammaln

from bayescluster.arrays import Array
from bayescluster.families.record import (
    Family,
    Fault,
    Likelihood,
    Observation,
    Rows,
    fault,
    whole_numbers,
)


def _support(outcome: Array, rows: Rows) -> Fault | None:
    assert rows.trials is not None
    return (
        whole_numbers(rows.trials, 1, "trials to be whole numbers from 1")
        or whole_numbers(outcome, 0)
        or fault("no more successes than trials", outcome, outcome > rows.trials)
    )


def _expectation(linear_predictor: Array, _: Mapping[str, Array]) -> Array:
    return np.asarray(expit(linear_predictor))


def _log_density(
    outcome: Array, linear_predictor: Array, _: Mapping[str, Array], rows: Rows
) -> Array:
    assert rows.trials is not None
    trials = rows.trials
    ways = gammaln(trials + 1) - gammaln(outcome + 1) - gammaln(trials - outcome + 1)
    log_odds = outcome * linear_predictor - trials * np.logaddexp(0.0, linear_predictor)
    return np.asarray(ways + log_odds)


def _draw(
    rng: np.random.Generator, linear_predictor: Array, _: Mapping[str, Array], rows: Rows
) -> Array:
    assert rows.trials is not None
    successes = rng.binomial(rows.trials.astype("int64"), expit(linear_predictor))
    return np.asarray(successes, dtype=float)


def _exceedance(bar: Array, linear_predictor: Array, _: Mapping[str, Array], rows: Rows) -> Array:
    assert rows.trials is not None
    # P(successes >= k) = I_p(k, n - k + 1), for k from 1 to n
    within = np.clip(bar, 1.0, rows.trials)
    reached = betainc(within, rows.trials - within + 1.0, expit(linear_predictor))
    return np.where(bar <= 0, 1.0, np.where(bar > rows.trials, 0.0, reached))


def _likelihood(observation: Observation) -> Likelihood:
    import pymc as pm

    assert observation.rows.trials is not None
    arguments = {
        "n": observation.rows.trials.astype("int64"),
        "logit_p": observation.linear_predictor,
    }
    return Likelihood(pm.Binomial, arguments, observation.outcome.astype("int64"))


BINOMIAL = Family(
    "binomial",
    "logit",
    "probability",
    (),
    _support,
    _expectation,
    _log_density,
    _draw,
    _likelihood,
    exceedance=_exceedance,
    counted=True,
)
