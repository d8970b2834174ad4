"""Statistics of posterior predictive checks, by likelihood family.

A check tells something where the family leaves the statistic free. Yes or no has its share alone;
counts their zeros, dispersion and largest; amounts their spread, ends and skewness.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array

MEAN: Final = "mean"
ZEROS: Final = "share of zeros"
SHARE: Final = "share of {0}"
"""Of a level of an ordinal outcome."""
HIGH: Final = 0.95
"""A high quantile is steadier than the largest value."""


class Known(NamedTuple):
    """What is known of the rows beside their outcomes, each ``(row,)`` or absent."""

    weights: Array | None = None
    """Survey weights."""
    trials: Array | None = None


Statistic = Callable[[Array, Known], Array]
"""``(values, known) -> statistic``, over the last axis."""


def _largest(values: Array, _: Known) -> Array:
    return np.asarray(values.max(axis=-1))


def _smallest(values: Array, _: Known) -> Array:
    return np.asarray(values.min(axis=-1))


def mean(values: Array, known: Known) -> Array:
    """Mean, by survey weights where there are any."""
    return np.asarray(np.average(values, axis=-1, weights=known.weights))


def _sd(values: Array, known: Known) -> Array:
    return np.sqrt(_moment(values, known, 2))


def _moment(values: Array, known: Known, power: int) -> Array:
    return mean((values - mean(values, known)[..., None]) ** power, known)


def _zeros(values: Array, known: Known) -> Array:
    return mean(values == 0, known)


def _dispersion(values: Array, known: Known) -> Array:
    return _ratio(_moment(values, known, 2), mean(values, known))


def _skewness(values: Array, known: Known) -> Array:
    variance = _moment(values, known, 2)
    # equal values leave a variance of rounding errors
    real = variance > (1e-12 * mean(values, known)) ** 2
    return _ratio(_moment(values, known, 3), np.where(real, variance, 0.0) ** 1.5)


def _ratio(above: Array, below: Array) -> Array:
    """Return 0 where nothing varies: a group of equal outcomes has neither dispersion nor skewness."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _high(values: Array, known: Known) -> Array:
    """Least value that a share of `HIGH` of the rows does not exceed."""
    order = np.argsort(values, axis=-1)
    weights = np.ones(values.shape[-1]) if known.weights is None else known.weights
    reached = np.cumsum(weights[order], axis=-1)
    at = (reached >= HIGH * weights.sum() * (1 - 1e-12)).argmax(axis=-1)[..., None]
    return np.take_along_axis(np.take_along_axis(values, order, -1), at, -1)[..., 0]


def _sd_of_rates(values: Array, known: Known) -> Array:
    assert known.trials is not None
    return _sd(values / known.trials, known)


_COUNTS: Final[dict[str, Statistic]] = {
    MEAN: mean,
    "sd": _sd,
    "variance over mean": _dispersion,
    ZEROS: _zeros,
    "largest": _largest,
}
_AMOUNTS: Final[dict[str, Statistic]] = {
    MEAN: mean,
    "sd": _sd,
    "skewness": _skewness,
    "smallest": _smallest,
    "95% quantile": _high,
    "largest": _largest,
}
STATISTICS: Final[dict[str, dict[str, Statistic]]] = {
    "bernoulli": {MEAN: mean},
    "probit": {MEAN: mean},
    "binomial": {
        MEAN: mean,
        "sd": _sd,
        "sd of rates": _sd_of_rates,
        ZEROS: _zeros,
        "largest": _largest,
    },
    "beta": {MEAN: mean, "sd": _sd, "smallest": _smallest, "largest": _largest},
    "gaussian": _AMOUNTS,
    "student_t": _AMOUNTS,
    "lognormal": _AMOUNTS,
    "poisson": _COUNTS,
    "negative_binomial": _COUNTS,
    "ordinal": {MEAN: mean, "sd": _sd},
}
"""Statistics by family, overall and by industry; ordinal outcomes add the share of each level.

Clusters have the mean, the zeros, and the share of the highest level, where the family has them.
"""


def level_statistics(levels: tuple[str, ...]) -> dict[str, Statistic]:
    """Share of each level of an ordinal outcome."""
    return {SHARE.format(level): _share(code) for code, level in enumerate(levels)}


def _share(code: int) -> Statistic:
    return lambda values, known: mean(values == code, known)


def of_clusters(chosen: dict[str, Statistic], levels: tuple[str, ...]) -> dict[str, Statistic]:
    """Those of the statistics that are checked within clusters, which are small."""
    wanted = {MEAN, ZEROS, *(SHARE.format(level) for level in levels[-1:])}
    return {name: statistic for name, statistic in chosen.items() if name in wanted}
