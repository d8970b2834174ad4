"""All that a model observes, simulated from one draw of its parameters.

In the order in which the model has it: latent capitals and the answers that measure them, inputs with
missing cells, then the outcome of each equation, in causal order, so that each rests on what was drawn
before it. What is missing stays missing, and is part of the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.design.arrays import with_data
from bayescluster.design.missing import Gap, gaps, inputs_of, known_inputs
from bayescluster.design.record import Design
from bayescluster.model.evaluate import draws_of, flat, linear_predictor, replicate
from bayescluster.model.priors import latent_capitals

Variables = dict[str, dict[str, Any]]
"""Variables of the designs of equations, by name of the equation."""


class Simulated(NamedTuple):
    """Data drawn from one draw of the parameters, as a design, and the draw itself.

    ``draw`` has dims ``(chain, draw, ...)`` of length 1 each; its latent capitals and missing cells are
    those that the data were drawn with.
    """

    design: Design
    draw: xr.Dataset


def simulate(design: Design, draw: xr.Dataset, rng: np.random.Generator) -> Simulated:
    """Draw answers, inputs with missing cells, and outcomes of every equation.

    ``design`` gives rows, groups, complete inputs, and units; ``draw`` is one draw of the parameters,
    from the prior or a posterior.
    """
    found = measured(design, draw, rng)
    draw = found.draw
    made = with_data(design, {each.equation_name: found.answers for each in design.equations})
    inputs = _inputs(design, found, rng)
    made = with_data(made, _entering_inputs(design, inputs))
    for gap in gaps(design):
        if gap.place != "outcome":
            draw = _cells(design, draw, gap, inputs[gap.name])
    outcomes = _outcomes(made, draw, rng)
    for gap in gaps(design):
        if gap.place == "outcome":
            draw = _cells(design, draw, gap, outcomes[gap.name])
    return Simulated(with_data(made, _entering_outcomes(design, outcomes)), draw)


def _inputs(design: Design, found: Measured, rng: np.random.Generator) -> dict[str, Array]:
    """Inputs with missing cells by name, ``(row,)`` each, as they enter equations."""
    known = {**known_inputs(design), **found.capitals}
    values: dict[str, Array] = {}
    for gap in gaps(design):
        if gap.place == "outcome":
            continue
        eta = np.zeros(design.size)
        rests_on = inputs_of(design, gap)
        if rests_on:
            slope = _one(found.draw, names.imputation(gap.name, "slope"))
            eta = np.column_stack([known[name] for name in rests_on]) @ slope
        values[gap.name] = _input(gap, eta, found.draw, rng)
        known[gap.name] = (values[gap.name] - gap.center) / gap.scale
    return values


def _input(gap: Gap, eta: Array, draw: xr.Dataset, rng: np.random.Generator) -> Array:
    def one(part: str) -> Array:
        return _one(draw, names.imputation(gap.name, part))

    if gap.levels:
        # the response behind has logistic errors: the cutpoints that it passes are counted
        behind = eta + rng.logistic(size=eta.size)
        passed = (behind[:, None] > np.atleast_1d(one("cutpoints"))).sum(axis=1)
        return np.array(gap.levels)[passed]
    noise = one("sd") * rng.standard_normal(eta.size)
    return np.asarray(gap.center + gap.scale * (one("intercept") + eta + noise))


def _cells(design: Design, draw: xr.Dataset, gap: Gap, values: Array) -> xr.Dataset:
    """Put the values of missing cells into a draw."""
    dim = names.imputed_dim(gap.name)
    cells = xr.Variable((names.CHAIN, names.DRAW, dim), values[gap.rows][None, None])
    labels = np.array(design.labels(names.ROW))[gap.rows]
    return draw.assign({names.imputed(gap.name): cells}).assign_coords({dim: labels})


def _entering_inputs(design: Design, inputs: Mapping[str, Array]) -> Variables:
    """Capitals and controls with missing cells, as variables of the designs."""
    by_equation: Variables = {}
    for each in design.equations:
        variables: dict[str, Any] = {
            capital: (names.ROW, np.where(np.isnan(values), np.nan, inputs[capital]))
            for capital, values in zip(names.CAPITALS, each.capitals, strict=True)
            if capital in inputs
        }
        controls = [name for name in each.control_names if name in inputs]
        if controls:
            for part in (names.CONTROLS, names.CONTROL_BASE):
                columns = each.data[part].transpose(names.ROW, names.CONTROL).to_numpy().copy()
                for name in controls:
                    k = each.control_names.index(name)
                    columns[:, k] = np.where(np.isnan(columns[:, k]), np.nan, inputs[name])
                variables[part] = ((names.ROW, names.CONTROL), columns)
        by_equation[each.equation_name] = variables
    return by_equation


def _outcomes(design: Design, draw: xr.Dataset, rng: np.random.Generator) -> dict[str, Array]:
    """Outcome of each equation, ``(row,)``, those that will be missing too."""
    noise = _correlated_noise(design, draw, rng)
    made: dict[str, Array] = {}
    for equation in design.equations:
        name = equation.equation_name
        entering = {names.PREDICTORS: ((names.ROW, names.PREDICTOR), _entering(equation, made))}
        each = with_data(replace(equation, others=()), {name: entering})
        made[name] = _outcome(each, draw, noise.get(name), rng)
    return made


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
    correlation = _one(draw, names.RESIDUAL_CORRELATION)
    equations = [str(name) for name in draw[names.RESIDUAL_EQUATION].to_numpy()]
    independent = rng.standard_normal((design.size, len(equations)))
    return dict(zip(equations, (independent @ np.linalg.cholesky(correlation).T).T, strict=True))


def _entering_outcomes(design: Design, made: Mapping[str, Array]) -> Variables:
    """Outcomes, and what of them enters other equations, as variables of the designs."""
    lacks = {each.equation_name: ~each.answered for each in design.equations}
    known = {name: np.where(lacks[name], np.nan, values) for name, values in made.items()}
    return {
        each.equation_name: {
            names.OUTCOME: (names.ROW, known[each.equation_name]),
            names.PREDICTORS: ((names.ROW, names.PREDICTOR), _entering(each, known)),
        }
        for each in design.equations
    }


def _entering(equation: Design, made: Mapping[str, Array]) -> Array:
    """Outcomes drawn before, on the scale on which they enter an equation, ``(row, predictor)``."""
    center, scale = (
        equation.data[name].to_numpy() for name in (names.PREDICTOR_CENTER, names.PREDICTOR_SCALE)
    )
    columns = [
        made[name] if name in equation.equation.predictors else equation.context(name)
        for name in equation.equation.entering
    ]
    whole = np.column_stack([np.empty((equation.size, 0)), *columns])
    return np.asarray((whole - center) / scale)


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
        for capital, values in zip(names.CAPITALS, design.capitals, strict=True)
        if not design.is_latent(capital)
    }
    for capital in latent_capitals(design):
        raw = _raw(design, draw, capital, known | found.capitals, rng)
        center, spread = raw.mean(), raw.std(ddof=1)
        level = (raw - center) / spread
        made: dict[str, Any] = {capital: ((names.CHAIN, names.DRAW, names.ROW), level[None, None])}
        for name, value in ((names.raw_mean(capital), center), (names.raw_sd(capital), spread)):
            made[name] = ((names.CHAIN, names.DRAW), [[value]])
        answers = _answers(design, draw, capital, raw, rng)
        found = Measured(
            found.draw.assign(made),
            found.capitals | {capital: level},
            found.answers | {names.items(capital): ((names.ROW, names.item_dim(capital)), answers)},
        )
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
    if names.capital_cluster_sd(capital) in draw:
        groups = len(design.group_labels(names.CLUSTER))
        means = rng.normal(0.0, _one(draw, names.capital_cluster_sd(capital)), groups)
        mean += means[design.index(names.CLUSTER)]
    if names.background(capital) in draw:
        columns = np.column_stack(list(design.background.values()))
        mean += columns @ _one(draw, names.background(capital))
    if names.on_other(capital) in draw:
        other = next(values for name, values in known.items() if name != capital)
        mean += _one(draw, names.on_other(capital)) * other
    return np.asarray(mean - mean.mean() + rng.standard_normal(design.size))


def _answers(
    design: Design, draw: xr.Dataset, capital: str, raw: Array, rng: np.random.Generator
) -> Array:
    """Answers to the indicators of a capital, ``(row, item)``, NaN where they are missing."""
    found = design.items(capital)
    loading = _one(draw, names.item_loadings(capital))
    made = np.empty(found.values.shape)
    for position, levels in enumerate(found.levels):
        eta = loading[position] * raw
        if levels:
            cut = _one(draw, names.item_thresholds(capital, found.columns[position]))
            # the response behind the answer has logistic errors: thresholds that it passes are counted
            behind = eta + rng.logistic(size=raw.size)
            made[:, position] = (behind[:, None] > cut).sum(axis=1)
        else:
            k = found.continuous.index(position)
            intercept, error = (
                _one(draw, name(capital))[k] for name in (names.item_intercepts, names.item_errors)
            )
            made[:, position] = intercept + eta + error * rng.standard_normal(raw.size)
    return np.where(np.isfinite(found.values), made, np.nan)


def _one(draw: xr.Dataset, name: str) -> Array:
    """Value of a variable at the one draw."""
    found: Array = flat(draw, name)[0]
    return found
