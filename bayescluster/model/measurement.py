"""Latent capitals: a measurement model in the same posterior as the outcome.

A raw latent capital is normal with unit residual variance around what the firm's cluster, its
controls and the other capital predict. Continuous indicators are linear in it with normal errors;
binary and ordinal ones follow the graded response model (Samejima 1969). Loadings are
positive. The capital that enters the outcome is the raw one on mean 0 and standard deviation 1 over
the sample, as observed capitals are.

Geometry: given its loadings, the posterior of a firm's capital from the continuous indicators is known
in closed form. They enter with the latent capital integrated out, and the capital is sampled as a deviation from its
conditional mean in units of its conditional standard deviation. Such deviations hardly depend on the
loadings, where deviations from the prior mean would trade off against all of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayescluster import names
from bayescluster.design.record import Design, Items
from bayescluster.model.observed import Observed
from bayescluster.model.priors import (
    BACKGROUND_SD,
    CLUSTER_MEAN_SD,
    ERROR_SD,
    ITEM_INTERCEPT_SD,
    THRESHOLD_SD,
    coefficient_vector,
    drawn_before,
    latent_capitals,
    loading_priors,
    usual_thresholds,
)


class _Latent(NamedTuple):
    """A raw latent capital as far as its prior goes: its name, indicators, and prior mean.

    ``answers`` is what the indicators say, ``(row, item)``, as the model observes it.
    """

    capital: str
    items: Items
    answers: Any
    mean: Any


def capital_variables(design: Design, observed: Observed) -> tuple[Any, Any]:
    """Human and social capital of every row: arrays where observed, variables where latent."""
    found: dict[str, Any] = {
        capital: values
        for capital, values in zip(names.CAPITALS, design.capitals, strict=True)
        if not design.is_latent(capital)
    }
    for capital in latent_capitals(design):
        other = found.get(drawn_before(design, capital) or "")
        # a score that is imputed rests on the latent capital, not the other way round
        if isinstance(other, np.ndarray) and np.isnan(other).any():
            other = None
        items, answers = design.items(capital), observed.answers(design, capital)
        latent = _Latent(capital, items, answers, _prior_mean(design, capital, other))
        loadings = _loadings(latent)
        raw = _conditional(latent, loadings)
        _observe_discrete(latent, loadings, raw)
        center = pm.Deterministic(names.raw_mean(capital), raw.mean())
        spread = pm.Deterministic(names.raw_sd(capital), pt.std(raw, ddof=1))
        found[capital] = pm.Deterministic(capital, (raw - center) / spread, dims=names.ROW)
    human, social = (found[capital] for capital in names.CAPITALS)
    return human, social


def _prior_mean(design: Design, capital: str, other: Any | None) -> Any:
    """Mean of the raw capital before its indicators are seen, ``(row,)``."""
    mean: Any = pt.zeros(design.size)
    if design.analysis.data.cluster is not None:
        sd = pm.HalfNormal(names.capital_cluster_sd(capital), CLUSTER_MEAN_SD)
        # centred: the indicators of a cluster's firms tell its mean well
        means = pm.Normal(f"{capital}_cluster_mean", 0.0, sd, dims=names.CLUSTER)
        mean = mean + means[design.index(names.CLUSTER)]
    columns = design.background
    if columns:
        beta = pm.Normal(
            names.background(capital), 0.0, BACKGROUND_SD, dims=names.background_dim(capital)
        )
        mean = mean + pt.dot(np.column_stack(list(columns.values())), beta)
    if other is not None:
        mean = mean + pm.Normal(names.on_other(capital), 0.0, BACKGROUND_SD) * other
    # the intercepts of the indicators hold the level: left free here too, the two would trade off
    return mean - mean.mean()


def _loadings(latent: _Latent) -> Any:
    priors = dict(zip(latent.items.columns, loading_priors(latent.items), strict=True))
    name = names.item_loadings(latent.capital)
    return coefficient_vector(name, priors, names.item_dim(latent.capital))


def _conditional(latent: _Latent, loadings: Any) -> Any:
    """Raw capital given the continuous indicators, which enter with it integrated out.

    With prior variance 1, residuals ``r = x - intercept - loading * mean`` and error variances
    ``v``: precision ``1 + sum(loading^2 / v)``, shift ``sum(loading * r / v) / precision``.
    """
    capital, items, answers, mean = latent
    size = items.values.shape[0]
    z = pm.Normal(f"{capital}_z", 0.0, 1.0, dims=names.ROW)
    at = items.continuous
    if not at:
        return mean + z
    dim = f"{names.item_dim(capital)}_continuous"
    intercept = pm.Normal(names.item_intercepts(capital), 0.0, ITEM_INTERCEPT_SD, dims=dim)
    error = pm.HalfNormal(names.item_errors(capital), ERROR_SD, dims=dim)
    answered = np.isfinite(items.values[:, at])  # (row, item)
    values = answers[:, list(at)]
    loading = loadings[list(at)]
    weight = loading / error**2
    if answered.all():
        precision = (1.0 + (weight * loading).sum()) * pt.ones(size)
    else:
        precision = 1.0 + pt.dot(answered.astype(float), weight * loading)
    residual = (values - intercept - mean[:, None] * loading) * answered
    pull = pt.dot(residual, weight)  # (row,)
    fit = pt.dot(answered.astype(float), -pt.log(error) - 0.5 * np.log(2 * np.pi))
    fit = fit - 0.5 * pt.dot(residual**2, 1.0 / error**2)
    density = fit - 0.5 * pt.log(precision) + 0.5 * pull**2 / precision
    pm.Potential(f"{capital}_indicators", density.sum())
    return mean + pull / precision + z / pt.sqrt(precision)


def _observe_discrete(latent: _Latent, loadings: Any, raw: Any) -> None:
    """Add the binary and ordinal indicators: ``P(x >= k) = logistic(loading * raw - threshold)``."""
    items = latent.items
    for position, levels in enumerate(items.levels):
        if not levels:
            continue
        name = names.item_thresholds(latent.capital, items.columns[position])
        values = items.values[:, position]
        answered = np.flatnonzero(np.isfinite(values))
        # the prior is that of the design, whatever answers replace its own
        usual = usual_thresholds(values[answered], levels)
        codes = latent.answers[answered, position].astype("int64")
        order = {"transform": pm.distributions.transforms.ordered} if levels > 2 else {}
        cut = pm.Normal(name, usual, THRESHOLD_SD, shape=levels - 1, initval=usual, **order)
        eta = loadings[position] * raw[answered]
        # a density of its own for two levels: that of PyMC has a slower gradient
        if levels == 2:
            density = -pt.softplus((1.0 - 2.0 * codes) * (eta - cut[0]))
        else:
            density = pm.logp(
                pm.OrderedLogistic.dist(eta=eta, cutpoints=cut, compute_p=False), codes
            )
        pm.Potential(f"{latent.capital}_{items.columns[position]}", density.sum())
