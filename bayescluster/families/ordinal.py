"""Ordered levels, by the cumulative logit: ``P(outcome <= k) = logistic(cutpoint_k - eta)``.

Levels are coded 0, 1, ..., K - 1. The cutpoints take the place of the intercept. Numpy parameters
hold ``cutpoints`` as ``(..., 1, K - 1)``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import expit

from bayescluster.arrays import Array
from bayescluster.families.record import Family, Fault, Likelihood, Observation, Rows, whole_numbers


def _support(outcome: Array, _: Rows) -> Fault | None:
    return whole_numbers(outcome, 0)


def _above(linear_predictor: Array, cutpoints: Array) -> Array:
    """P(outcome > k) for each cutpoint: ``(..., row) -> (..., row, K - 1)``."""
    return np.asarray(expit(linear_predictor[..., None] - cutpoints))


def _expectation(linear_predictor: Array, parameters: Mapping[str, Array]) -> Array:
    cutpoints = parameters["cutpoints"]
    # summed level by level: the (..., row, level) array would be the largest of the program
    total = np.zeros(np.broadcast_shapes(linear_predictor.shape, cutpoints.shape[:-1]))
    for level in range(cutpoints.shape[-1]):
        total += expit(linear_predictor - cutpoints[..., level])
    return total


def _log_density(
    outcome: Array, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    cutpoints = parameters["cutpoints"]
    level = outcome.astype("int64")
    last = cutpoints.shape[-1]
    padded = np.concatenate(
        [
            np.full((*cutpoints.shape[:-1], 1), -np.inf),
            cutpoints,
            np.full((*cutpoints.shape[:-1], 1), np.inf),
        ],
        axis=-1,
    )[..., 0, :]
    assert level.max() <= last
    low = padded[..., level] - linear_predictor  # (..., row)
    high = padded[..., level + 1] - linear_predictor
    # log(logistic(high) - logistic(low)), written so that neither tail cancels
    below, above = -np.logaddexp(0.0, -high), -np.logaddexp(0.0, low)
    with np.errstate(invalid="ignore"):
        width = np.where(np.isfinite(low) & np.isfinite(high), high - low, np.inf)
    return np.asarray(below + above + np.log(-np.expm1(-width)))


def _draw(
    rng: np.random.Generator, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    above = _above(linear_predictor, parameters["cutpoints"])
    return np.asarray((rng.random(linear_predictor.shape)[..., None] < above).sum(-1), dtype=float)


def _exceedance(
    bar: Array, linear_predictor: Array, parameters: Mapping[str, Array], _: Rows
) -> Array:
    cutpoints = parameters["cutpoints"]
    # all rows have the same levels; one beyond the ends is reached always, or never
    ends = np.full((*cutpoints.shape[:-1], 1), np.inf)
    padded = np.concatenate([-ends, cutpoints, ends], axis=-1)
    level = np.clip(np.ceil(np.max(bar)), 0, padded.shape[-1] - 1).astype("int64")
    return np.asarray(expit(linear_predictor - padded[..., level]))


def _likelihood(observation: Observation) -> Likelihood:
    import pymc as pm

    arguments = {
        "eta": observation.linear_predictor,
        "cutpoints": observation.parameters["cutpoints"],
        "compute_p": False,
    }
    return Likelihood(pm.OrderedLogistic, arguments, observation.outcome.astype("int64"))


ORDINAL = Family(
    "ordinal",
    "logit",
    "level",
    (),
    _support,
    _expectation,
    _log_density,
    _draw,
    _likelihood,
    exceedance=_exceedance,
)
