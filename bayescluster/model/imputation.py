"""Missing values in the PyMC model: regressions that impute, and combinations that are summed out.

Every gap has a regression of its own on the complete controls, the capitals and the gaps before it,
fitted to all rows at once: the answers are its data, and missing cells follow it. A continuous gap on
its standardised scale is normal around its mean; its missing cells are variables of the model. A
discrete one is logistic (cumulative where it has more than two levels). A row that lacks discrete
values stands for one case a combination, and has the density

    log sum over cases of exp(log p(values | rest) + log p(outcomes | values, rest)).

A missing outcome that enters another equation has its own equation for a regression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.gaps import (
    Gap,
    configurations,
    gaps,
    inputs_of,
    known_inputs,
)
from bayescluster.design.record import Design
from bayescluster.families import FAMILIES, Observation, Rows
from bayescluster.model.entering import Inputs, entering, levels_at
from bayescluster.model.likelihood import observe, row_density
from bayescluster.model.observed import Observed
from bayescluster.names import (
    CAPITALS,
    ROW,
    answered_dim,
    imputation,
    imputed,
    imputed_dim,
)

INTERCEPT_SD, SLOPE_SD, RESIDUAL_SD = 1.0, 0.5, 1.0
"""Priors of the regressions of continuous gaps, all on the standardised scale."""
CUTPOINT_SD, LOGIT_SLOPE_SD = 1.5, 1.0
"""Priors of those of discrete gaps, on the logit scale."""


def imputation_coords(design: Design) -> dict[str, Any]:
    """Name what is missing and what its imputation rests on."""
    labels = np.array(design.labels(ROW))
    coords: dict[str, Any] = {}
    for gap in gaps(design):
        coords[imputed_dim(gap.name)] = labels[gap.rows]
        coords[imputation(gap.name, "input")] = inputs_of(design, gap)
        coords[imputation(gap.name, "step")] = np.arange(1, len(gap.levels))
    for each in design.equations:
        if not each.answered.all():
            coords[answered_dim(each.equation_name)] = labels[each.answered]
    return coords


def add_inputs(design: Design, capitals: tuple[Any, Any], observed: Observed) -> Inputs:
    """Add the regressions that impute to the PyMC model in context.

    Parameters
    ----------
    design
        The design in focus.
    capitals
        Human and social capital of each row: NaN where a score is missing.
    observed
        Adds the answers.
    """
    found = gaps(design)
    held = {gap.name: observed.gap(gap) for gap in found if gap.place != "outcome"}
    complete: dict[str, Any] = dict(zip(CAPITALS, capitals, strict=True))
    continuous: dict[str, Any] = {}
    inputs: dict[str, Any] = dict(known_inputs(design))
    inputs |= {name: complete[name] for name in CAPITALS if design.is_latent(name)}
    for gap in found:
        if gap.levels or gap.place == "outcome":
            continue
        answers = pt.as_tensor_variable(held[gap.name])
        continuous[gap.name] = _continuous(design, gap, inputs, answers)
        whole = pt.set_subtensor(answers[gap.rows], continuous[gap.name])
        inputs[gap.name] = (whole - gap.center) / gap.scale
        if gap.place == "capital":
            complete[gap.name] = whole
    cases = configurations(found, design.size) if any(gap.levels for gap in found) else None
    codes = {}
    for gap in found:
        if cases is not None and gap.levels and gap.place != "outcome":
            codes[gap.name] = observed.codes(gap, held[gap.name], cases)
    made = Inputs(
        found, (complete[CAPITALS[0]], complete[CAPITALS[1]]), continuous, cases, codes, []
    )
    if cases is not None:
        _discrete(design, made, inputs)
    return made


def _mean(design: Design, gap: Gap, inputs: Mapping[str, Any], sd: float) -> Any:
    """Sum of the inputs of a regression times their slopes: ``(row,)``, or 0 without inputs."""
    names = inputs_of(design, gap)
    if not names:
        return 0.0
    dim = imputation(gap.name, "input")
    slope = pm.Normal(imputation(gap.name, "slope"), 0.0, sd, dims=dim)
    fixed = [k for k, name in enumerate(names) if isinstance(inputs[name], np.ndarray)]
    total: Any = 0.0
    if fixed:
        total = pt.dot(np.column_stack([inputs[names[k]] for k in fixed]), slope[fixed])
    for k, name in enumerate(names):
        if k not in fixed:
            total = total + slope[k] * inputs[name]
    return total


def _continuous(design: Design, gap: Gap, inputs: Mapping[str, Any], held: Any) -> Any:
    """Missing cells of a continuous gap on the scale on which it enters, one a missing cell."""
    name = gap.name
    intercept = pm.Normal(imputation(name, "intercept"), 0.0, INTERCEPT_SD)
    sd = pm.HalfNormal(imputation(name, "sd"), RESIDUAL_SD)
    mean = intercept + _mean(design, gap, inputs, SLOPE_SD) + pt.zeros(design.size)
    known = np.flatnonzero(~gap.missing)
    answers = (held[known] - gap.center) / gap.scale
    fit = pm.logp(pm.Normal.dist(mean[known], sd), answers)
    pm.Potential(imputation(name, "answers"), fit.sum())
    # as distances from the regression, which the answers know well: nearly independent of it
    z = pm.Normal(f"{imputed(name)}_z", 0.0, 1.0, dims=imputed_dim(name))
    cells = gap.center + gap.scale * (mean[gap.rows] + sd * z)
    return pm.Deterministic(imputed(name), cells, dims=imputed_dim(name))


def _discrete(design: Design, made: Inputs, inputs: Mapping[str, Any]) -> None:
    """Add the log density of every discrete value to the densities of the cases."""
    assert made.cases is not None
    row = made.cases.row
    by_case: dict[str, Any] = {name: values[row] for name, values in inputs.items()}
    for gap in made.gaps:
        if not gap.levels or gap.place == "outcome":
            continue
        codes = made.codes[gap.name]
        steps = cutpoint_means(gap)
        ordered = {"transform": pm.distributions.transforms.ordered, "initval": steps}
        cut = pm.Normal(
            imputation(gap.name, "cutpoints"),
            steps,
            CUTPOINT_SD,
            dims=imputation(gap.name, "step"),
            **(ordered if steps.size > 1 else {}),
        )
        eta = _mean(design, gap, by_case, LOGIT_SLOPE_SD) + pt.zeros(row.size)
        made.densities.append(_step_density(eta, cut, codes, steps.size))
        by_case[gap.name] = (levels_at(gap, codes) - gap.center) / gap.scale


def cutpoint_means(gap: Gap) -> Array:
    """Prior means of the cutpoints of a discrete gap: all levels alike."""
    share = np.arange(1, len(gap.levels)) / len(gap.levels)
    return np.asarray(np.log(share / (1 - share)))


def _step_density(eta: Any, cut: Any, codes: Any, steps: int) -> Any:
    if steps == 1:
        observation = Observation("", eta - cut[0], {}, Rows(), codes, ROW)
        return row_density(FAMILIES["bernoulli"], observation)
    observation = Observation("", eta, {"cutpoints": cut}, Rows(), codes, ROW)
    return row_density(FAMILIES["ordinal"], observation)


def observe_answers(equation: Design, observation: Observation, made: Inputs) -> None:
    """Add the likelihood of an equation, whose rows are those of its predictor: rows or cases."""
    gap = next((gap for gap in made.gaps if gap.name == equation.equation_name), None)
    lacks = ~equation.answered
    lacking = np.flatnonzero(lacks)
    enter = entering(equation, made)
    if gap is not None and not gap.levels:
        at = lacking if enter.row is None else np.searchsorted(enter.row, lacking)
        found = equation.family.likelihood(_some(observation, at))
        made.continuous[gap.name] = found.distribution(
            imputed(gap.name), *found.inputs, **found.arguments, dims=imputed_dim(gap.name)
        )
    if enter.row is None:
        known = np.flatnonzero(equation.answered)
        whole = known.size == equation.size
        observe(equation.family, observation if whole else _some(observation, known))
        return
    if gap is not None and gap.levels:
        assert made.cases is not None
        codes = made.cases.codes[gap.name].astype("float64")
        observation = observation._replace(
            outcome=pt.where(lacks[enter.row], codes, observation.outcome)
        )
        lacks = np.zeros(equation.size, dtype=bool)
    known = np.flatnonzero(~lacks[enter.row])
    density = row_density(equation.family, _some(observation, known))
    made.densities.append(pt.set_subtensor(pt.zeros(enter.row.size)[known], density))


def _some(observation: Observation, rows: NDArray[np.int64]) -> Observation:
    """Some rows of an observation."""
    return observation._replace(
        linear_predictor=observation.linear_predictor[rows],
        rows=observation.rows.at(rows),
        outcome=observation.outcome[rows],
        dims=answered_dim(observation.name),
    )


def sum_out(made: Inputs) -> None:
    """Add the density of the rows to the PyMC model in context: cases of a row summed."""
    if made.cases is None:
        return
    total = _sum(made.densities)
    rows = [
        total[block[:, 0]] if block.shape[1] == 1 else pt.logsumexp(total[block], axis=1)
        for block in made.cases.blocks()
    ]
    pm.Potential(imputation("cases", "density"), _sum([row.sum() for row in rows]))


def _sum(parts: Sequence[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total
