"""Calibration of probabilities: whether what the model gives 30% happens in 3 of 10 rows.

The curve is the isotonic regression of the events on their probabilities, and the mean Brier score
is split by it into miscalibration, discrimination and uncertainty (CORP: Dimitriadis, Gneiting and
Jordan 2021, PNAS 118(8)).

The test holds the miscalibration of the events at each draw against that of events replicated from
the draws. Of a right model, data and a draw from their posterior are distributed as data and the
parameters that made them, so the p-value of any one draw is uniform (Johnson 2004, Annals of
Statistics 32(6)); those of all draws are put together by the Cauchy combination, which bears their
dependence. The usual posterior predictive p-value, their mean, would be near a half for nearly any
model. Leave-one-out probabilities would not do: those of a cluster with many events all lie lower for the rows with the
event than for those without, which ties rows together, and a test that takes them for independent
flags most right models of small clusters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from bayescluster.arrays import Array
from bayescluster.checks.uniformity import TELLING, combined
from bayescluster.results.base import INTERVAL

POINTS = 100
"""Points of a curve that are kept, evenly spaced over the ranked predictions."""

MORE, LESS = "it happens more often than predicted", "it happens less often than predicted"
EXTREME = "the predictions are too extreme (what is likely happens less, what is unlikely more)"
TIMID = "the predictions are too timid (what is likely happens more, what is unlikely less)"
CROOKED = "neither a shift nor the spread of the predictions: the curve is of another shape"


class Split(NamedTuple):
    """Mean Brier score = miscalibration - discrimination + uncertainty."""

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float


class Isotonic(NamedTuple):
    """Distinct predictions, the rows of each, and how often the event happened, never falling."""

    predicted: Array
    rows: Array
    happened: Array


class Curve(NamedTuple):
    """An isotonic curve at some predictions, with the band of a model that is right."""

    predicted: Array
    happened: Array
    low: Array
    high: Array


class Calibrated(NamedTuple):
    """How well probabilities are calibrated: the split score, its p-value, and the curve.

    ``split`` is the mean over draws; ``expected`` the mean miscalibration of replicated events.
    """

    split: Split
    expected: float
    p: float
    curve: Curve


class _Pooled(NamedTuple):
    """Distinct predictions, which of them each row has, and how many rows each has."""

    values: Array
    where: NDArray[np.int64]
    rows: Array


def _pooled(predicted: Array) -> _Pooled:
    values, where, counts = np.unique(predicted, return_inverse=True, return_counts=True)
    return _Pooled(values, where, counts.astype("float64"))


def isotonic(predicted: Array, happened: Array) -> Isotonic:
    """Pool adjacent violators: mean of the events at each prediction, never falling.

    Parameters
    ----------
    predicted
        Probabilities, ``(row,)``; equal ones are pooled first.
    happened
        0 or 1, ``(row,)``.
    """
    return _isotonic(_pooled(predicted), happened)


def _isotonic(pooled: _Pooled, happened: Array) -> Isotonic:
    shares = np.bincount(pooled.where, weights=happened) / pooled.rows
    fitted = isotonic_regression(shares, weights=pooled.rows).x
    return Isotonic(pooled.values, pooled.rows, np.clip(fitted, 0.0, 1.0))


def split_score(predicted: Array, happened: Array) -> Split:
    """Split the mean Brier score of probabilities; see Dimitriadis et al., equation 3."""
    return _split(predicted, happened, isotonic(predicted, happened))


def _split(predicted: Array, happened: Array, found: Isotonic) -> Split:
    score = float(np.mean((predicted - happened) ** 2))
    # within a block of the curve the events are 0 or 1 around its mean
    share = float(happened.mean())
    uncertainty = share * (1 - share)
    recalibrated = float(np.average(found.happened * (1 - found.happened), weights=found.rows))
    return Split(score, score - recalibrated, uncertainty - recalibrated, uncertainty)


def calibrated(chances: Array, happened: Array, rng: np.random.Generator) -> Calibrated:
    """Split the score, test miscalibration, and put a band around the curve.

    Parameters
    ----------
    chances
        Probabilities at each draw, ``(draw, row)``.
    happened
        0 or 1, ``(row,)``.
    rng
        For the events drawn anew.
    """
    mean = _pooled(chances.mean(axis=0))
    found = _isotonic(mean, happened)
    some = np.unique(np.linspace(0, mean.values.size - 1, POINTS).astype("int64"))
    splits, again, curves = [], [], []
    for chance in chances:
        drawn = (rng.random(chance.size) < chance).astype("float64")
        pooled = _pooled(chance)
        splits.append(_split(chance, happened, _isotonic(pooled, happened)))
        again.append(_split(chance, drawn, _isotonic(pooled, drawn)).miscalibration)
        curves.append(_isotonic(mean, drawn).happened[some])
    lost = [split.miscalibration for split in splits]
    tail = (1 - INTERVAL) / 2
    low, high = np.quantile(curves, [tail, 1 - tail], axis=0)
    return Calibrated(
        Split(*(float(part) for part in np.mean(splits, axis=0))),
        float(np.mean(again)),
        combined(_tails(np.array(lost), np.array(again))),
        Curve(mean.values[some], found.happened[some], low, high),
    )


def _tails(values: Array, replicated: Array) -> list[float]:
    """Share of replicates that are at least each value, the value itself counted among them."""
    # a sum in another order may differ in its last digit
    below = np.searchsorted(np.sort(replicated), values - 1e-12)
    return [float(p) for p in (replicated.size - below + 1) / (replicated.size + 1)]


def shape(predicted: Array, happened: Array) -> str:
    """Name how events depart from their predictions: by a shift, by their spread, or otherwise.

    Both are score tests given the predictions (Cox 1958, Biometrika 45, at intercept 0, slope 1).
    """
    rest, variance = happened - predicted, predicted * (1 - predicted)
    around = predicted - np.average(predicted, weights=np.maximum(variance, 1e-300))
    found = []
    for scale, above, below in ((np.ones_like(rest), MORE, LESS), (around, TIMID, EXTREME)):
        spread = np.sqrt((variance * scale**2).sum())
        z = float((rest * scale).sum() / spread) if spread > 0 else 0.0
        if abs(z) >= TELLING:
            found.append((abs(z), above if z > 0 else below))
    return " and ".join(words for _, words in sorted(found, reverse=True)) or CROOKED
