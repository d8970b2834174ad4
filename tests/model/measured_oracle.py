"""Latent capitals by numpy and scipy: textbook conditional normals, written from the account.

It takes the point that PyMC takes, and uses nothing of `bayescluster.model`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from scipy import stats
from scipy.special import logit

from bayescluster.design.record import Design
from tests.model.oracle import Array, Oracle, Point


class Told(NamedTuple):
    """A latent capital at a point: raw and standardised, ``(row,)``, and log densities."""

    raw: Array
    capital: Array
    prior: float
    """Of parameters, on the unconstrained scale."""
    rows: Array
    """Of the deviation and the indicators of each row."""


def half_normal(point: Point, name: str, sd: Any) -> tuple[Array, float]:
    """A positive variable sampled by its logarithm, and its log density with the Jacobian."""
    free = np.asarray(point[f"{name}_log__"])
    value = np.exp(free)
    return value, float((stats.halfnorm.logpdf(value, scale=sd) + free).sum())


def thresholds(point: Point, name: str, values: Array, levels: int) -> tuple[Array, float]:
    """Thresholds in ascending order, and their log density with the Jacobian."""
    below = np.array([(values < k).mean() for k in range(1, levels)])
    usual = logit(np.clip(below, 0.02, 0.98)) + 1e-3 * np.arange(levels - 1)
    if levels == 2:
        cut, jacobian = np.asarray(point[name]), 0.0
    else:
        free = np.asarray(point[f"{name}_ordered__"])
        cut = np.cumsum(np.append(free[0], np.exp(free[1:])))
        jacobian = float(free[1:].sum())
    return cut, float(stats.norm.logpdf(cut, usual, 1.5).sum()) + jacobian


class MeasuredOracle:
    """Log density of a model with latent capitals."""

    def __init__(self, design: Design) -> None:
        self.design = design

    def log_density(self, point: Point) -> float:
        """Joint log density on the unconstrained scale."""
        told, seen = self.told(point)
        total = sum(one.prior + one.rows.sum() for one in told.values())
        return float(total) + Oracle(seen).log_density(point)

    def rows(self, point: Point) -> Array:
        """Log density of each outcome."""
        return Oracle(self.told(point)[1]).log_likelihood(point)

    def told(self, point: Point) -> tuple[dict[str, Told], Design]:
        """Latent capitals at a point, and the design with them in the place of the scores."""
        design = self.design
        seen = dict(zip(("human_capital", "social_capital"), design.capitals, strict=True))
        latent = [name for name in seen if f"{name}_items" in design.data]
        known = {name: values for name, values in seen.items() if name not in latent}
        found = {}
        for name in latent:
            other = next((values for key, values in known.items() if key != name), None)
            found[name] = self._one(point, name, other)
            known[name] = found[name].capital
        data = design.data.assign({name: ("firm", known[name]) for name in latent})
        return found, replace(design, data=data)

    def mean_of(self, point: Point, name: str, other: Array | None) -> tuple[Array, float]:
        """Prior mean of the raw capital, ``(row,)``, and the log density of what it rests on."""
        design = self.design
        mean, total = np.zeros(design.size), 0.0
        if f"{name}_cluster_mean" in point:
            sd, prior = half_normal(point, f"{name}_cluster_sd", 1.0)
            means = point[f"{name}_cluster_mean"]
            total += prior + stats.norm.logpdf(means, 0, sd).sum()
            mean = mean + means[design.index("cluster")]
        if f"{name}_background" in point:
            beta = point[f"{name}_background"]
            total += stats.norm.logpdf(beta, 0, 0.5).sum()
            mean = mean + design.controls @ beta
        if other is not None:
            slope = point[f"{name}_on_other"]
            total += stats.norm.logpdf(slope, 0, 0.5)
            mean = mean + slope * other
        return mean - mean.mean(), float(total)

    def _one(self, point: Point, name: str, other: Array | None) -> Told:
        items = self.design.items(name)
        levels = np.array(items.levels)
        mean, total = self.mean_of(point, name, other)
        scale = np.where(levels > 0, 2.0, 1.0)
        loading, prior = half_normal(point, f"{name}_loading", scale)
        total += prior
        at = np.flatnonzero(levels == 0)
        intercept, error = np.zeros(levels.size), np.ones(levels.size)
        if at.size:
            intercept[at] = point[f"{name}_item_intercept"]
            error[at], prior = half_normal(point, f"{name}_item_error", 1.0)
            total += prior + stats.norm.logpdf(intercept[at], 0, 0.5).sum()
        cuts = {}
        for k in np.flatnonzero(levels):
            known = items.values[:, k][np.isfinite(items.values[:, k])]
            label = f"{name}_threshold_{items.columns[k]}"
            cuts[k], prior = thresholds(point, label, known, levels[k])
            total += prior
        raw, rows = np.zeros(mean.size), np.zeros(mean.size)
        for row, values in enumerate(items.values):
            z = point[f"{name}_z"][row]
            inside = [k for k in at if np.isfinite(values[k])]
            a = loading[inside]
            covariance = np.outer(a, a) + np.diag(error[inside] ** 2)
            expected = intercept[inside] + a * mean[row]
            centre, variance = mean[row], 1.0
            rows[row] = stats.norm.logpdf(z)
            if inside:
                rows[row] += stats.multivariate_normal.logpdf(values[inside], expected, covariance)
                weight = np.linalg.solve(covariance, a)
                centre = mean[row] + weight @ (values[inside] - expected)
                variance = 1.0 - weight @ a
            raw[row] = centre + np.sqrt(variance) * z
            rows[row] += discrete(values, loading, cuts, raw[row])
        return Told(raw, (raw - raw.mean()) / raw.std(ddof=1), total, rows)


def discrete(values: Array, loading: Array, cuts: dict[Any, Array], raw: float) -> float:
    """Log probability of the binary and ordinal answers of a row."""
    total = 0.0
    for k, cut in cuts.items():
        if np.isfinite(values[k]):
            ends = np.concatenate([[-np.inf], cut, [np.inf]])
            code = int(values[k])
            upper, lower = ends[code + 1] - loading[k] * raw, ends[code] - loading[k] * raw
            total += np.log(stats.logistic.cdf(upper) - stats.logistic.cdf(lower))
    return float(total)
