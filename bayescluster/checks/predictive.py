"""Posterior predictive checks: whether the model makes data like those observed.

Overall, by industry and by cluster, with the statistics of the family (`checks.statistics`): a
bernoulli model with varying intercepts will match shares, so a share far off in one cluster means
that the cluster is pooled too strongly; the sd, the zeros and the largest value show whether the
likelihood fits. With survey weights all but the smallest and largest value are weighted, on both
sides: the model is of the population, and a sample drawn by its outcome does not look like that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import PREDICTIVE_TAIL
from bayescluster.design.record import Design
from bayescluster.estimands.scopes import declared_groups
from bayescluster.model.evaluate import Draws, replicate
from bayescluster.results.fit import PredictiveCount
from bayescluster.results.model import INTERVAL, PredictiveRow

MEAN: Final = "mean"
ZEROS: Final = "share of zeros"
SHARE: Final = "share of {0}"
"""Of a level of an ordinal outcome."""
HIGH: Final = 0.95
"""A high quantile is steadier than the largest value."""


class Known(NamedTuple):
    """What is known of the rows apart from their outcomes, each ``(row,)`` or absent."""

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
    "variance over mean": lambda values, known: _ratio(
        _moment(values, known, 2), mean(values, known)
    ),
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
    "hurdle_lognormal": {
        MEAN: mean,
        "sd": _sd,
        ZEROS: _zeros,
        "95% quantile": _high,
        "largest": _largest,
    },
    "zero_inflated_beta": {MEAN: mean, "sd": _sd, ZEROS: _zeros, "largest": _largest},
    "zero_inflated_poisson": _COUNTS,
    "zero_inflated_negative_binomial": _COUNTS,
}
"""Statistics by family, overall and by industry; ordinal outcomes add the share of each level.

Clusters have the mean, the zeros, and the share of the highest level, where the family has them.
"""


def level_statistics(levels: tuple[str, ...]) -> dict[str, Statistic]:
    """Share of each level of an ordinal outcome."""

    def share(code: int) -> Statistic:
        return lambda values, known: mean(values == code, known)

    return {SHARE.format(level): share(code) for code, level in enumerate(levels)}


def of_clusters(chosen: dict[str, Statistic], levels: tuple[str, ...]) -> dict[str, Statistic]:
    """Those of the statistics that are checked within clusters, which are small."""
    wanted = {MEAN, ZEROS, *(SHARE.format(level) for level in levels[-1:])}
    return {name: statistic for name, statistic in chosen.items() if name in wanted}


REPLICATES: Final = 1000
"""Draws of the posterior from which outcomes are replicated."""
PREDICTIVE_STREAM: Final = 1
"""Keeps the random streams of replicated outcomes apart from the chains'."""


def statistics(design: Design) -> dict[str, Statistic]:
    """Statistics that are checked for the family of a design."""
    chosen = STATISTICS[design.family.name]
    if not design.levels:
        return chosen

    def of_values(statistic: Statistic) -> Statistic:
        # levels are stored as codes: means and sds are of what the levels are worth
        worth = design.level_values
        return lambda codes, known: statistic(worth[codes.astype("int64")], known)

    levels = level_statistics(design.levels)
    return {name: of_values(statistic) for name, statistic in chosen.items()} | levels


def known_of(design: Design, of_rows: Array | None, members: NDArray[np.int64]) -> Known:
    """What is known of some rows apart from their outcome: survey weights, and trials."""
    trials = design.rows.trials
    return Known(
        None if of_rows is None else of_rows[members], None if trials is None else trials[members]
    )


def counted(rows: tuple[PredictiveRow, ...]) -> PredictiveCount:
    """Count the flags, and those to expect of a model that is right."""
    return PredictiveCount(
        checked=len(rows),
        flagged=sum(row.flagged for row in rows),
        by_chance=2 * PREDICTIVE_TAIL * len(rows),
    )


def replicates(design: Design, posterior: Draws) -> Array:
    """Replicate the outcomes of an equation, ``(replicate, row)``, from evenly spaced draws."""
    position = [each.equation_name for each in design.equations].index(design.equation_name)
    rng = np.random.default_rng((design.analysis.sampling.seed, PREDICTIVE_STREAM, position))
    return replicate(design, posterior.thinned(REPLICATES), rng)


def predictive_checks(design: Design, draws: Array) -> tuple[PredictiveRow, ...]:
    """Compare every statistic with its replicates; few of them within clusters."""
    rows = []
    for groups in declared_groups(design):
        chosen = statistics(design)
        if groups.by == "cluster":
            chosen = of_clusters(chosen, design.levels)
        for k, label in enumerate(groups.labels):
            # rows without an outcome have nothing to be compared with
            members = np.flatnonzero(groups.members[:, k] & design.answered)
            if not members.size:
                continue
            known = known_of(design, groups.of_rows, members)
            for what, statistic in chosen.items():
                observed = float(statistic(design.outcome[members], known))
                replicated = statistic(draws[:, members], known)
                rows.append(
                    PredictiveRow(
                        by=groups.by,
                        group=label,
                        rows=members.size,
                        statistic=what,
                        observed=observed,
                        **_comparison(observed, replicated),
                    )
                )
    return tuple(rows)


def _comparison(observed: float, replicated: Array) -> dict[str, Any]:
    """Interval of the replicates, share of them above what is observed, and whether it is flagged."""
    tail = (1 - INTERVAL) / 2
    low, high = np.quantile(replicated, [tail, 1 - tail])
    # a sd of the same values may differ in its last digit with the order of summation
    tied = np.isclose(replicated, observed, rtol=1e-12, atol=0.0)
    above = float(((replicated > observed) & ~tied).mean() + 0.5 * tied.mean())
    return {
        "low": float(low),
        "high": float(high),
        "tail": above,
        "flagged": bool(min(above, 1 - above) < PREDICTIVE_TAIL),
    }
