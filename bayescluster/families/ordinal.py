"""Ordered levels, by the cumulative logit: ``P(outcome <= k) = logistic(cutpoint_k - eta)``.

Levels are coded 0, 1, ..., K - 1. The cutpoints take the place of the intercept. Numpy parameters
hold ``cutpoints`` as ``(..., 1, K - 1)``. Where they hold ``values`` as well, ``(K,)``, what each level
is worth, the expectation is of these; else it is of the codes.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from bayescluster.arrays import Array
from bayescluster.families import record
from bayescluster.families.record import Parameters, Rows


def _padded(cutpoints: Array) -> Array:
    """Cutpoints with an infinite one at each end, ``(..., 1, K + 1)``."""
    ends = np.full((*cutpoints.shape[:-1], 1), np.inf)
    return np.concatenate([-ends, cutpoints, ends], axis=-1)


def _expectation(eta: Array, parameters: Parameters) -> Array:
    cutpoints = parameters["cutpoints"]
    values = parameters.get("values", np.arange(cutpoints.shape[-1] + 1.0))
    # summed level by level: the (..., row, level) array would be the largest of the program
    total = np.full(np.broadcast_shapes(eta.shape, cutpoints.shape[:-1]), values[0])
    for level, step in enumerate(np.diff(values)):
        total += step * expit(eta - cutpoints[..., level])
    return total


def _log_density(outcome: Array, eta: Array, parameters: Parameters, _: Rows) -> Array:
    cutpoints = parameters["cutpoints"]
    level = outcome.astype("int64")
    padded = _padded(cutpoints)[..., 0, :]
    assert level.max() <= cutpoints.shape[-1]
    low = padded[..., level] - eta  # (..., row)
    high = padded[..., level + 1] - eta
    # log(logistic(high) - logistic(low)), written so that neither tail cancels
    below, above = -np.logaddexp(0.0, -high), -np.logaddexp(0.0, low)
    with np.errstate(invalid="ignore"):
        width = np.where(np.isfinite(low) & np.isfinite(high), high - low, np.inf)
    return np.asarray(below + above + np.log(-np.expm1(-width)))


def _draw(rng: np.random.Generator, eta: Array, parameters: Parameters, _: Rows) -> Array:
    above = expit(eta[..., None] - parameters["cutpoints"])  # P(outcome > k), (..., row, K - 1)
    return np.asarray((rng.random(eta.shape)[..., None] < above).sum(-1), dtype=float)


def _exceedance(bar: Array, eta: Array, parameters: Parameters, _: Rows) -> Array:
    # all rows have the same levels; one beyond the ends is reached always, or never
    padded = _padded(parameters["cutpoints"])
    level = np.clip(np.ceil(np.max(bar)), 0, padded.shape[-1] - 1).astype("int64")
    return np.asarray(expit(eta - padded[..., level]))


def _likelihood(observation: record.Observation) -> record.Likelihood:
    import pymc as pm

    arguments = {
        "eta": observation.linear_predictor,
        "cutpoints": observation.parameters["cutpoints"],
        "compute_p": False,
    }
    return record.Likelihood(pm.OrderedLogistic, arguments, observation.outcome.astype("int64"))


ORDINAL = record.Family(
    name="ordinal",
    link="logit",
    scale="level",
    parameters=(),
    support=lambda outcome, _: record.whole_numbers(outcome, 0),
    expectation=_expectation,
    log_density=_log_density,
    draw=_draw,
    likelihood=_likelihood,
    exceedance=_exceedance,
)
