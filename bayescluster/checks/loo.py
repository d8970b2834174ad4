"""Leave-one-out prediction by Pareto-smoothed importance sampling, and stacking of its results.

Source: Vehtari, Simpson, Gelman, Yao and Gabry (2024), Journal of Machine Learning Research 25(72),
and for the fit of the tail Zhang and Stephens (2009), Technometrics 51(3); the numbers are those of
arviz.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Final, NamedTuple

import numpy as np
import scipy
import xarray as xr
from numpy.typing import NDArray

from bayescluster.arrays import Array, in_threads
from bayescluster.checks.thresholds import khat_max
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import mean_ess
from bayescluster.model.evaluate import Draws, draws_of, predictor_at
from bayescluster.names import CHAIN, DRAW, ROW
from bayescluster.results.model import Loo

TAIL_MIN: Final = 5
"""Fewest draws of a tail that a distribution is fitted to."""
PRIOR_SHAPE, PRIOR_DRAWS = 0.5, 10
"""The prior of the shape is worth ten draws around one half."""
PRIOR_SCALE: Final = 3
NEGLIGIBLE: Final = 10 * np.finfo(float).eps
FACTORS: Final = 8
"""Factors of a product whose logarithm stands for a sum of logarithms."""


class Smoothed(NamedTuple):
    """Log weights that sum to 1, ``(set, draw)``, and the Pareto k of each set, ``(set,)``."""

    log_weights: Array
    khat: Array


def smoothed(log_ratios: Array, relative_ess: float) -> Smoothed:
    """Smooth the largest weights of each set.

    Parameters
    ----------
    log_ratios
        Log of the ratios of the densities, ``(set, draw)``.
    relative_ess
        Effective draws a draw.

    Notes
    -----
    A set whose tail is too short or without variation has no Pareto k (not a number) and keeps its
    weights as they are.
    """
    return smoothed_tails(log_ratios, tail_length(log_ratios.shape[1], relative_ess))


def tail_length(draws: int, relative_ess: float) -> int:
    """How many of the largest weights are smoothed."""
    if draws * relative_ess > 225:
        return int(3 * sqrt(draws / relative_ess))
    return draws // 5


def smoothed_tails(log_ratios: Array, length: int) -> Smoothed:
    """Smooth so many of the largest weights of each set; see `smoothed`."""
    sets, draws = log_ratios.shape
    log_weights = log_ratios - log_ratios.max(axis=1, keepdims=True)
    khat = np.full(sets, np.nan)
    if TAIL_MIN <= length < draws:
        first = draws - length
        places = np.argpartition(log_weights, first - 1, axis=1)
        cutoff = np.take_along_axis(log_weights, places[:, [first - 1]], axis=1)
        places = places[:, first:]
        tail = np.take_along_axis(log_weights, places, axis=1)
        order = np.argsort(tail, axis=1)
        places = np.take_along_axis(places, order, axis=1)
        tail = np.take_along_axis(tail, order, axis=1)
        with np.errstate(all="ignore"):
            khat, tail = _smoothed(tail, cutoff)
        np.put_along_axis(log_weights, places, tail, axis=1)
    return Smoothed(log_weights - log_sum(log_weights)[:, None], khat)


def log_sum(values: Array) -> Array:
    """Log of the sum of exponentials, ``(set, draw) -> (set,)``."""
    most = values.max(axis=1)
    return np.asarray(most + np.log(np.exp(values - most[:, None]).sum(axis=1)))


def _smoothed(tail: Array, cutoff: Array) -> tuple[Array, Array]:
    """Pareto k of sorted tails, ``(set, draw)`` in logs, and the tails smoothed."""
    length = tail.shape[1]
    floor_, excess = np.exp(cutoff), np.exp(tail) - np.exp(cutoff)
    shape, scale = _pareto(excess)
    places = np.arange(0.5, length) / length
    size = -np.log1p(-places)  # quantiles of an exponential
    k, sigma = shape[:, None], scale[:, None]
    quantiles = floor_ + sigma * np.where(k == 0, size, np.expm1(k * size) / k)
    quantiles[scale <= 0] = np.nan
    fitted = np.minimum(np.log(quantiles), tail[:, -1:])  # what is not a number stays so
    varies = (tail[:, -1] - tail[:, 0] >= np.finfo(float).tiny) & np.isfinite(shape)
    return shape, np.where(varies[:, None], fitted, tail)


def _pareto(excess: Array) -> tuple[Array, Array]:
    """Shape and scale of generalised Pareto distributions of sorted ``(set, draw)``, ``(set,)`` each."""
    length = excess.shape[1]
    points = 30 + int(length**0.5)
    quartile = excess[:, int(length / 4 + 0.5) - 1]
    grid = 1 - np.sqrt(points / (np.arange(1, points + 1) - 0.5))
    rate = grid / (PRIOR_SCALE * quartile[:, None]) + 1 / excess[:, -1:]  # (set, point)
    shape = _mean_log(rate, excess)
    log_weight = length * (np.log(-rate / shape) - shape - 1)
    weight = np.exp(log_weight - log_sum(log_weight)[:, None])
    weight[weight < NEGLIGIBLE] = 0.0
    best = (rate * weight).sum(axis=1) / weight.sum(axis=1)
    kappa = np.log1p(-best[:, None] * excess).mean(axis=1)
    scale = -kappa / best
    kappa = (length * kappa + PRIOR_DRAWS * PRIOR_SHAPE) / (length + PRIOR_DRAWS)
    kappa[np.isnan(kappa)] = np.inf
    # the first quartile is no larger than the least: nothing like a Pareto distribution
    kappa[~(quartile > excess[:, 0])] = np.nan
    return kappa, scale


def _mean_log(rate: Array, excess: Array) -> Array:
    """Mean of ``log(1 - rate * excess)`` over draws, ``(set, point)``."""
    length = excess.shape[1]
    whole = length - length % FACTORS
    total = np.empty(rate.shape)
    for k in range(len(excess)):  # set by set, (point, draw) stays in the cache
        factor = 1 - rate[k][:, None] * excess[k]
        product = factor[:, :whole].reshape(len(factor), FACTORS, -1).prod(axis=1)
        total[k] = np.log(product).sum(axis=1) + np.log(factor[:, whole:]).sum(axis=1)
    return np.asarray(total / length)


WORST_SHOWN = 5
CELLS_A_BLOCK: Final = 2**17
"""Draws times rows whose densities are held at once."""
BATCHES: Final = 64
"""Parts of the rows that threads share out among them."""


class RowScores(NamedTuple):
    """Log predictive density of each left-out row and the Pareto k behind it, ``(row,)``."""

    elpd: Array
    khat: Array
    khat_threshold: float
    error: float
    """Standard error of the sum."""
    p_loo: float

    @property
    def bad(self) -> NDArray[np.bool_]:
        """Rows whose Pareto k is above the threshold, or is not a number."""
        return ~(self.khat <= self.khat_threshold)


class LeftOut(NamedTuple):
    """Scores of the rows, and what the others predict of each.

    ``reached`` is ``(bar, answered row)``: the probability that a row is at least at each bar that was
    asked for. ``log_likelihood`` is that of all rows together at each draw, ``(draw,)``.
    """

    scores: RowScores
    reached: Array
    log_likelihood: Array


Bars = Sequence[Array]
"""Values that outcomes are compared with, ``(answered row,)`` each."""


def leave_row_out(design: Design, tree: xr.DataTree) -> RowScores:
    """Score every row by what the others predict, from the posterior of a fit."""
    posterior = tree["posterior"].to_dataset()
    return left_out(design, draws_of(design, posterior), relative_efficiency(posterior)).scores


def left_out(design: Design, draws: Draws, relative_ess: float, bars: Bars = ()) -> LeftOut:
    """Score every row by what the others predict, block by block: no array is as large as the data.

    Parameters
    ----------
    design, draws
        The equation, and all draws of its posterior.
    relative_ess
        See `relative_efficiency`.
    bars
        Values of the outcome whose probability is asked for; for a family with an ``exceedance``.

    Notes
    -----
    Source: Vehtari, Gelman and Gabry (2017), Statistics and Computing 27(5); the numbers are those of
    arviz.
    """
    known = np.flatnonzero(design.answered)
    parts = np.empty((3, known.size))
    above = np.zeros((len(bars), known.size))
    step = max(1, CELLS_A_BLOCK // draws.size)
    blocks = [slice(at, at + step) for at in range(0, known.size, step)]
    # so that sums are added up in the same order, however many threads there are
    batches = np.array_split(np.arange(len(blocks)), min(len(blocks), BATCHES))
    totals = np.zeros((len(batches), draws.size))

    def of_batch(k: int) -> None:
        for block in batches[k]:
            totals[k] += of_block(blocks[block])

    def of_block(which: slice) -> Array:
        rows = known[which]
        some = draws.for_rows(rows)
        eta = _linear_predictor(design, some, rows)
        density = _log_density(design, some, eta, rows)
        found = _scored(np.ascontiguousarray(density.T), relative_ess)
        parts[:, which] = found.elpd, found.khat, found.gain
        if bars:
            weights = np.exp(found.log_weights.T)
            at = [bar[which] for bar in bars]
            above[:, which] = reached(design, some, eta, rows, weights, at)
        return np.asarray(density.sum(axis=1))

    in_threads(of_batch, range(len(batches)))
    return LeftOut(_summed(parts, draws.size), above, totals.sum(axis=0))


def row_scores(log_density: Array, relative_ess: float = 1.0) -> RowScores:
    """Score rows from the log density of each at every draw, ``(draw, row)``."""
    found = _scored(np.ascontiguousarray(log_density.T), relative_ess)
    return _summed(np.stack([found.elpd, found.khat, found.gain]), len(log_density))


def relative_efficiency(posterior: xr.Dataset) -> float:
    """Effective draws a draw, over all quantities of a posterior; 1 of a single chain."""
    chains = posterior.sizes[CHAIN]
    if chains == 1:
        return 1.0
    size = chains * posterior.sizes[DRAW]
    found = []
    for values in posterior.data_vars.values():
        draws = values.transpose(CHAIN, DRAW, ...).to_numpy().reshape(size, -1)
        still = draws.max(axis=0) - draws.min(axis=0) == 0
        found.append(np.where(still, size, mean_ess(draws, chains)))
    return float(np.concatenate(found).mean() / size)


def row_log_likelihood(design: Design, draws: Draws, rows: NDArray[np.int64]) -> Array:
    """Log density of some rows at draws of all parameters, ``(draw, row)``."""
    some = draws.for_rows(rows)
    return _log_density(design, some, _linear_predictor(design, some, rows), rows)


def reached(
    design: Design,
    draws: Draws,
    eta: Array,
    rows: NDArray[np.int64],
    weights: Array,
    bars: Bars,
) -> Array:
    """Leave-one-out probability that the outcome is at least a bar, ``(bar, row)``.

    For a family with an ``exceedance``. ``eta`` and ``weights`` are ``(draw, row)``, each column of the
    latter summing to 1; ``bars`` are ``(row,)`` each.
    """
    exceedance = design.family.exceedance
    assert exceedance is not None
    known = design.rows.at(rows)
    total = [(weights * exceedance(bar, eta, draws.parameters, known)).sum(axis=0) for bar in bars]
    return np.clip(np.stack(total), 0.0, 1.0)


def _linear_predictor(design: Design, draws: Draws, rows: NDArray[np.int64]) -> Array:
    """Linear predictor of some rows at draws for these rows, ``(draw, row)``."""
    capitals = draws.capitals or (design.capitals[0][rows], design.capitals[1][rows])
    return predictor_at(design, draws, capitals, rows) + design.offset[rows]


def _log_density(design: Design, draws: Draws, eta: Array, rows: NDArray[np.int64]) -> Array:
    """Log density of some rows at their linear predictor, ``(draw, row)``, times their weights."""
    found = design.family.log_density(
        design.outcome[rows], eta, draws.parameters, design.rows.at(rows)
    )
    return found if design.weights is None else found * design.weights.rows[rows]


class _Scored(NamedTuple):
    """Scores of some rows, their Pareto k, what they lose by leaving out, and the log weights."""

    elpd: Array
    khat: Array
    gain: Array
    log_weights: Array


def _scored(log_density: Array, relative_ess: float) -> _Scored:
    """Score rows from ``(row, draw)``."""
    log_weights, khat = smoothed(-log_density, relative_ess)
    elpd = log_sum(log_weights + log_density)
    within = log_sum(log_density) - np.log(log_density.shape[1])
    return _Scored(elpd, khat, within - elpd, log_weights)


def _summed(parts: Array, draws: int) -> RowScores:
    """Scores of all rows from their elpd, Pareto k and gain, ``(3, row)``."""
    elpd, khat, gain = parts
    return RowScores(elpd, khat, khat_max(draws), total_error(elpd), float(gain.sum()))


def psis_loo(design: Design, found: RowScores) -> Loo:
    """Sum up the expected log predictive density of rows left out one by one; see `left_out`."""
    khat, limit = found.khat, found.khat_threshold
    order = np.argsort(-np.nan_to_num(khat, nan=np.inf))
    labels = np.array(design.labels(ROW))[design.answered]
    bad = int(found.bad.sum())
    return Loo(
        elpd=float(found.elpd.sum()),
        se=found.error,
        p_loo=found.p_loo,
        khat_max=float(khat[np.isfinite(khat)].max(initial=0.0)),
        khat_threshold=limit,
        bad=bad,
        rows=int(design.answered.sum()),
        worst=tuple(f"{labels[k]} ({khat[k]:.2f})" for k in order[: min(bad, WORST_SHOWN)]),
        advice="the estimate leans on a few rows: read elpd with care, and look at these rows"
        if bad
        else "",
    )


ROUNDS = 1000
"""Most steps of the optimiser; a few dozen are usual."""
TOLERANCE = 1e-12


class Difference(NamedTuple):
    """A sum of pointwise differences and its standard error."""

    total: float
    error: float


def stacking_weights(elpd: Array) -> Array:
    """Weights of the mixture of predictive distributions that predicts best, ``(model,)``.

    ``elpd`` is the log predictive density of each left-out unit (row or cluster) under each model,
    ``(unit, model)``. The weights are not negative, and sum to 1.

    Notes
    -----
    Maximises the sum over units of ``log(sum_k w_k exp(elpd_k))``, which is concave in ``w``: Yao,
    Vehtari, Simpson and Gelman (2018), Bayesian Analysis 13(3).
    """
    models = elpd.shape[1]
    if models == 1:
        return np.ones(1)
    # each unit in units of its best model: weights stay the same, and nothing underflows
    density = np.exp(elpd - elpd.max(axis=1, keepdims=True))  # (unit, model)

    def loss(weights: Array) -> tuple[float, Array]:
        mixed = np.maximum(density @ weights, np.finfo(float).tiny)
        return -float(np.log(mixed).mean()), -(density / mixed[:, None]).mean(axis=0)

    found = scipy.optimize.minimize(
        loss,
        np.full(models, 1 / models),
        jac=True,
        method="SLSQP",
        bounds=[(0.0, 1.0)] * models,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda _: np.ones(models)},
        options={"maxiter": ROUNDS, "ftol": TOLERANCE},
    )
    weights = np.clip(found.x, 0.0, None)
    return np.asarray(weights / weights.sum())


def difference(elpd: Array, base: Array) -> Difference:
    """Difference of two models in elpd over the same units, with its standard error."""
    less = elpd - base
    return Difference(float(less.sum()), total_error(less))


def total_error(values: Array) -> float:
    """Standard error of a sum over units, ``(unit,)``; 0 where there is but one unit."""
    if values.size < 2:
        return 0.0
    return float(np.sqrt(values.size * values.var(ddof=1)))
