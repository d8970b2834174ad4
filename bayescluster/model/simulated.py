"""All that a model observes, drawn anew from one draw of its parameters.

In the order in which the model has it: latent capitals and the answers that measure them, then the
outcome of each equation, in causal order, so that each rests on the outcomes drawn before it. Answers
that are missing stay missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.design.record import Array, Design
from bayescluster.design.replaced import with_data
from bayescluster.model.cells import flat
from bayescluster.model.evaluate import draws_of, linear_predictor, replicate
from bayescluster.model.measurement import latent_capitals
from bayescluster.names import (
    CAPITALS,
    CHAIN,
    CLUSTER,
    DRAW,
    OUTCOME,
    PREDICTOR,
    PREDICTOR_CENTER,
    PREDICTOR_SCALE,
    PREDICTORS,
    RESIDUAL_CORRELATION,
    RESIDUAL_EQUATION,
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


class Simulated(NamedTuple):
    """Data drawn from one draw of the parameters, as a design, and the draw itself.

    ``draw`` has dims ``(chain, draw, ...)`` of length 1 each; its latent capitals are those that the
    answers were drawn from.
    """

    design: Design
    draw: xr.Dataset


def simulate(design: Design, draw: xr.Dataset, rng: np.random.Generator) -> Simulated:
    """Draw answers and outcomes of every equation.

    Parameters
    ----------
    design
        The design in focus, no input of which has missing cells: rows, groups, controls, observed
        capitals, and the units of what is drawn.
    draw
        One draw of the parameters, from the prior or a posterior.
    rng
        Source of the noise.
    """
    truth, answers = _capitals(design, draw, rng)
    measured = with_data(design, {each.equation_name: answers for each in design.equations})
    return Simulated(with_data(measured, _outcomes(measured, truth, rng)), truth)


def _capitals(
    design: Design, draw: xr.Dataset, rng: np.random.Generator
) -> tuple[xr.Dataset, dict[str, Any]]:
    """Put latent capitals into a draw, and draw the answers that measure them."""
    answers: dict[str, Any] = {}
    known = {
        capital: values
        for capital, values in zip(CAPITALS, design.capitals, strict=True)
        if not design.is_latent(capital)
    }
    for capital in latent_capitals(design):
        raw = _raw(design, draw, capital, known, rng)
        center, spread = raw.mean(), raw.std(ddof=1)
        known[capital] = (raw - center) / spread
        made = {raw_mean(capital): center, raw_sd(capital): spread}
        draw = draw.assign({name: ((CHAIN, DRAW), [[value]]) for name, value in made.items()})
        draw = draw.assign({capital: ((CHAIN, DRAW, ROW), known[capital][None, None])})
        answers[items(capital)] = (
            (ROW, item_dim(capital)),
            _answers(design, draw, capital, raw, rng),
        )
    return draw, answers


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
        mean += rng.normal(0.0, _one(draw, capital_cluster_sd(capital)), groups)[
            design.index(CLUSTER)
        ]
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


def _outcomes(
    design: Design, draw: xr.Dataset, rng: np.random.Generator
) -> dict[str, dict[str, Any]]:
    """Outcomes of each equation and what of other outcomes enters it, as variables of its design."""
    noise = _correlated_noise(design, draw, rng)
    made: dict[str, Array] = {}
    found: dict[str, dict[str, Any]] = {}
    for equation in design.equations:
        name = equation.equation_name
        entering = {PREDICTORS: ((ROW, PREDICTOR), _entering(equation, made))}
        each = with_data(replace(equation, others=()), {name: entering})
        made[name] = _outcome(each, draw, noise.get(name), rng)
        known = np.where(equation.answered, made[name], np.nan)
        found[name] = entering | {OUTCOME: (ROW, known)}
    return found


def _entering(equation: Design, made: Mapping[str, Array]) -> Array:
    """Outcomes drawn before, on the scale on which they enter an equation, ``(row, predictor)``."""
    center, scale = (equation.data[name].to_numpy() for name in (PREDICTOR_CENTER, PREDICTOR_SCALE))
    columns = [made[name] for name in equation.equation.predictors]
    whole = np.column_stack([np.empty((equation.size, 0)), *columns])
    return np.asarray((whole - center) / scale)


def _outcome(
    design: Design, draw: xr.Dataset, noise: Array | None, rng: np.random.Generator
) -> Array:
    draws = draws_of(design, draw)
    if noise is None:
        return np.asarray(replicate(design, draws, rng)[0])
    eta = linear_predictor(design, draws)[0]
    if "sigma" in draws.parameters:
        return np.asarray(eta + draws.parameters["sigma"][0] * noise)
    return np.where(eta + noise > 0, 1.0, 0.0)


def _correlated_noise(
    design: Design, draw: xr.Dataset, rng: np.random.Generator
) -> dict[str, Array]:
    """Standard normal residuals of the equations whose residuals correlate, ``(row,)`` each."""
    if not design.analysis.residual_correlation:
        return {}
    correlation = _one(draw, RESIDUAL_CORRELATION)
    names = [str(name) for name in draw[RESIDUAL_EQUATION].to_numpy()]
    independent = rng.standard_normal((design.size, len(names)))
    return dict(zip(names, (independent @ np.linalg.cholesky(correlation).T).T, strict=True))
