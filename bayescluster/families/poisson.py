"""A count whose variance equals its mean."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import gammainc, gammaln

from bayescluster.arrays import Array
from bayescluster.families.record import Family, Fault, Likelihood, Observation, Rows, whole_numbers

# numpy draws no Poisson count beyond this mean; prior draws can ask for more
LARGEST_MEAN = 1e15


def count_support(outcome: Array, _: Rows) -> Fault | None:
    """Fault of a count, if any."""
    return whole_numbers(outcome, 0)


def rate(linear_predictor: Array, _: Mapping[str, Array]) -> Array:
    """Return the expected count per unit of exposure."""
    return np.asarray(np.exp(linear_predictor))


def _log_density(
    outcome: Array, linear_predictor: Array, _: Mapping[str, Array], __: Rows
) -> Array:
    return np.asarray(outcome * linear_predictor - np.exp(linear_predictor) - gammaln(outcome + 1))


def _draw(
    rng: np.random.Generator, linear_predictor: Array, _: Mapping[str, Array], __: Rows
) -> Array:
    mean = np.minimum(np.exp(np.minimum(linear_predictor, 50.0)), LARGEST_MEAN)
    return np.asarray(rng.poisson(mean), dtype=float)


def _exceedance(bar: Array, linear_predictor: Array, _: Mapping[str, Array], __: Rows) -> Array:
    mean = np.minimum(np.exp(np.minimum(linear_predictor, 50.0)), LARGEST_MEAN)
    # P(count >= k) = P(gamma(k) <= mean), for k from 1
    return np.where(bar <= 0, 1.0, gammainc(np.maximum(bar, 1.0), mean))


def _likelihood(observation: Observation) -> Likelihood:
    import pymc as pm

    arguments = {"mu": pm.math.exp(observation.linear_predictor)}
    return Likelihood(pm.Poisson, arguments, observation.outcome.astype("int64"))


POISSON = Family(
    "poisson",
    "log",
    "rate",
    (),
    count_support,
    rate,
    _log_density,
    _draw,
    _likelihood,
    exceedance=_exceedance,
    counted=True,
)
