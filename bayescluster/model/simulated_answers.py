"""Latent capitals drawn from their prior at one draw of the parameters, and answers that measure them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.model.cells import flat
from bayescluster.model.measurement import latent_capitals
from bayescluster.names import (
    CAPITALS,
    CHAIN,
    CLUSTER,
    DRAW,
    ROW,
    background,
    capital_cluster_sd,
    item_dim,
    item_errors,
    item_intercepts,
    item_loadings,
    item_thresholds,
    items,
    on_other,
    raw_mean,
    raw_sd,
)


class Measured(NamedTuple):
    """A draw with latent capitals in it, those capitals, and their answers as variables of a design."""

    draw: xr.Dataset
    capitals: dict[str, Array]
    answers: dict[str, Any]


def measured(design: Design, draw: xr.Dataset, rng: np.random.Generator) -> Measured:
    """Draw latent capitals and the answers that measure them; nothing where all are observed."""
    found = Measured(draw, {}, {})
    known = {
        capital: values
        for capital, values in zip(CAPITALS, design.capitals, strict=True)
        if not design.is_latent(capital)
    }
    for capital in latent_capitals(design):
        raw = _raw(design, draw, capital, known | found.capitals, rng)
        center, spread = raw.mean(), raw.std(ddof=1)
        level = (raw - center) / spread
        made: dict[str, Any] = {capital: ((CHAIN, DRAW, ROW), level[None, None])}
        for name, value in ((raw_mean(capital), center), (raw_sd(capital), spread)):
            made[name] = ((CHAIN, DRAW), [[value]])
        answers = _answers(design, draw, capital, raw, rng)
        found = Measured(
            found.draw.assign(made),
            found.capitals | {capital: level},
            found.answers | {items(capital): ((ROW, item_dim(capital)), answers)},
        )
    return found


def _one(draw: xr.Dataset, name: str) -> Array:
    found: Array = flat(draw, name)[0]
    return found


def _raw(
    design: Design,
    draw: xr.Dataset,
    capital: str,
    known: Mapping[str, Array],
    rng: np.random.Generator,
) -> Array:
    """Raw capital of every row before any answer is seen, ``(row,)``."""
    mean = np.zeros(design.size)
    if capital_cluster_sd(capital) in draw:
        groups = len(design.group_labels(CLUSTER))
        means = rng.normal(0.0, _one(draw, capital_cluster_sd(capital)), groups)
        mean += means[design.index(CLUSTER)]
    if background(capital) in draw:
        columns = np.column_stack(list(design.background.values()))
        mean += columns @ _one(draw, background(capital))
    if on_other(capital) in draw:
        other = next(values for name, values in known.items() if name != capital)
        mean += _one(draw, on_other(capital)) * other
    return np.asarray(mean - mean.mean() + rng.standard_normal(design.size))


def _answers(
    design: Design, draw: xr.Dataset, capital: str, raw: Array, rng: np.random.Generator
) -> Array:
    """Answers to the indicators of a capital, ``(row, item)``, NaN where they are missing."""
    found = design.items(capital)
    loading = _one(draw, item_loadings(capital))
    made = np.empty(found.values.shape)
    for position, levels in enumerate(found.levels):
        eta = loading[position] * raw
        if levels:
            cut = _one(draw, item_thresholds(capital, found.columns[position]))
            # the response behind the answer has logistic errors: thresholds that it passes are counted
            behind = eta + rng.logistic(size=raw.size)
            made[:, position] = (behind[:, None] > cut).sum(axis=1)
        else:
            k = found.continuous.index(position)
            intercept, error = (
                _one(draw, name(capital))[k] for name in (item_intercepts, item_errors)
            )
            made[:, position] = intercept + eta + error * rng.standard_normal(raw.size)
    return np.where(np.isfinite(found.values), made, np.nan)
