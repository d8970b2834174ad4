"""Quantiles of the predictive distribution in the place of expectations.

A quantile of one row depends on its linear predictor and on the parameters of the draw, so at each
draw it is tabled over the range of the linear predictor and read off between: cheap for every
family. Of a whole number it runs on smoothly between the steps of its distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import scipy

from bayescluster.arrays import Array
from bayescluster.design.forms import Recast, recast
from bayescluster.design.record import Design
from bayescluster.families import FAMILIES

Quantile = Callable[[Any, Array, Mapping[str, Array]], Array]
"""``(share, eta, parameters) -> quantile``; the share is a number, or one a point."""
POINTS: Final = 48
"""Points of the table at each draw."""
LARGEST: Final = 30.0
"""Linear predictors on the log scale beyond this are taken as this."""


def _continuous_count(share: Any, upper: Callable[[Array], Array], high: Array) -> Array:
    """Where the distribution function of a count, run on between whole numbers, is a share."""
    low = np.full_like(high, -1.0)
    for _ in range(40):
        middle = (low + high) / 2
        below = upper(middle) < share
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.maximum((low + high) / 2, 0.0)


def _poisson(share: Any, eta: Array, _: Mapping[str, Array]) -> Array:
    mean = np.exp(np.minimum(eta, LARGEST))
    high = mean + 20 * np.sqrt(mean) + 20
    # P(count <= k) = Q(k + 1, mean) holds for every real k >= 0, and is continuous in it
    return _continuous_count(share, lambda k: scipy.special.gammaincc(k + 1, mean), high)


def _negative_binomial(share: Any, eta: Array, parameters: Mapping[str, Array]) -> Array:
    mean = np.exp(np.minimum(eta, LARGEST))
    shape = np.broadcast_to(np.maximum(parameters["overdispersion"], 1e-6) ** -2, mean.shape)
    high = scipy.stats.nbinom.ppf(share, shape, shape / (shape + mean)) + 1.0
    return _continuous_count(
        share, lambda k: scipy.special.betainc(shape, k + 1, shape / (shape + mean)), high
    )


def _beta(share: Any, eta: Array, parameters: Mapping[str, Array]) -> Array:
    mean = np.clip(scipy.special.expit(eta), 1e-9, 1 - 1e-9)
    precision = parameters["precision"]
    return np.asarray(scipy.special.betaincinv(mean * precision, (1 - mean) * precision, share))


def _beyond_zeros(plain: Quantile) -> Quantile:
    """Quantile where a share of zeros comes first: 0 within it."""

    def quantile(share: Any, eta: Array, parameters: Mapping[str, Array]) -> Array:
        none = np.broadcast_to(parameters["zero_share"], eta.shape)
        rest = np.clip((share - none) / (1.0 - none), 1e-12, 1.0 - 1e-12)
        return np.where(share <= none, 0.0, plain(rest, eta, parameters))

    return quantile


_PLAIN: Final[dict[str, Quantile]] = {
    "gaussian": lambda share, eta, p: eta + p["sigma"] * scipy.special.ndtri(share),
    "student_t": lambda share, eta, p: eta + p["sigma"] * scipy.special.stdtrit(p["nu"], share),
    "lognormal": lambda share, eta, p: np.exp(eta + p["sigma"] * scipy.special.ndtri(share)),
    "poisson": _poisson,
    "negative_binomial": _negative_binomial,
    "beta": _beta,
}
QUANTILES: Final = _PLAIN | {
    family.name: _beyond_zeros(_PLAIN[family.plain.name])
    for family in FAMILIES.values()
    if family.plain is not None
}
"""Families whose outcomes are amounts or counts. The others have a probability for their mean."""


def at_quantile(design: Design, share: float) -> Recast | None:
    """Design whose expected outcome is a quantile of the outcome; None where it has none.

    Counts are per unit of exposure. Where each row has a standard error of its own, or outcomes of
    other equations come in between, there is no such quantile.
    """
    family = design.family
    if family.name not in QUANTILES or design.rows.standard_error is not None:
        return None
    if design.equation.predictors:
        return None
    quantile = QUANTILES[family.name]

    def expectation(eta: Array, parameters: Mapping[str, Array]) -> Array:
        return _tabled(lambda at, some: quantile(share, at, some), eta, parameters)

    return recast(design, family._replace(expectation=expectation))


def _tabled(
    function: Callable[[Array, Mapping[str, Array]], Array],
    eta: Array,
    parameters: Mapping[str, Array],
) -> Array:
    low, high = eta.min(axis=1, keepdims=True), eta.max(axis=1, keepdims=True)
    width = np.maximum(high - low, 1e-12)
    points = low + width * np.linspace(0.0, 1.0, POINTS)  # (draw, point)
    table = function(points, parameters)
    place = (eta - low) / width * (POINTS - 1)
    left = np.minimum(place.astype("int64"), POINTS - 2)
    rows = np.arange(len(eta))[:, None]
    return np.asarray(
        table[rows, left] + (place - left) * (table[rows, left + 1] - table[rows, left])
    )
