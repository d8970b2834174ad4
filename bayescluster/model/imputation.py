"""Missing values: imputed or summed out in the PyMC model, and discrete ones drawn after the fit.

Missing discrete values, drawn after a fit given all else, and the priors of what is imputed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.design.coding import surroundings_of
from bayescluster.design.missing import (
    Configurations,
    Gap,
    cases_of,
    configurations,
    enters,
    gaps,
    inputs_of,
    known_inputs,
)
from bayescluster.design.record import Design
from bayescluster.families import FAMILIES, Observation, Rows
from bayescluster.model.evaluate import (
    Draws,
    Imputed,
    capitals_at,
    cells_at,
    chunks,
    draws_of,
    flat,
    predictor_at,
)
from bayescluster.model.observed import Observed, observe, row_density


class Inputs(NamedTuple):
    """What enters the equations of a model.

    ``capitals`` are ``(row,)``; ``continuous`` holds, by gap, the variable of its missing cells, an
    outcome's on its own scale; ``cases`` the combinations of discrete values, where any is missing.
    """

    gaps: tuple[Gap, ...]
    capitals: tuple[Any, Any]
    continuous: dict[str, Any]
    cases: Configurations | None
    codes: dict[str, Any]
    """Codes of discrete inputs in each case, ``(case,)``."""
    densities: list[Any]
    """Log densities of the cases, ``(case,)`` each: their sum is that of all that is summed out."""


class Entering(NamedTuple):
    """What enters one equation, one a row, or one a case where ``row`` gives the row of each case.

    ``added`` holds imputed values by control or predictor, 0 where the value is known.
    """

    human: Any
    social: Any
    added: Mapping[str, Any]
    row: NDArray[np.int64] | None

    def spread(self, values: Any) -> Any:
        """Values of the rows, as the equation takes them; what is the same for all stays so."""
        return values if self.row is None or np.ndim(values) == 0 else values[self.row]


def imputation_coords(design: Design) -> dict[str, Any]:
    """Name what is missing and what its imputation rests on."""
    labels = np.array(design.labels(names.ROW))
    coords: dict[str, Any] = {}
    for gap in gaps(design):
        coords[names.imputed_dim(gap.name)] = labels[gap.rows]
        coords[names.imputation(gap.name, "input")] = inputs_of(design, gap)
        coords[names.imputation(gap.name, "step")] = np.arange(1, len(gap.levels))
    for each in design.equations:
        if not each.answered.all():
            coords[names.answered_dim(each.equation_name)] = labels[each.answered]
    return coords


def add_inputs(design: Design, capitals: tuple[Any, Any], observed: Observed) -> Inputs:
    """Add the regressions that impute to the PyMC model in context.

    ``capitals`` are human and social capital of each row, NaN where a score is missing.
    """
    import pytensor.tensor as pt

    found = gaps(design)
    held = {gap.name: observed.gap(gap) for gap in found if gap.place != "outcome"}
    complete: dict[str, Any] = dict(zip(names.CAPITALS, capitals, strict=True))
    continuous: dict[str, Any] = {}
    inputs: dict[str, Any] = dict(known_inputs(design))
    inputs |= {name: complete[name] for name in names.CAPITALS if design.is_latent(name)}
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
        found,
        (complete[names.CAPITALS[0]], complete[names.CAPITALS[1]]),
        continuous,
        cases,
        codes,
        [],
    )
    if cases is not None:
        _discrete(design, made, inputs)
    return made


def _continuous(design: Design, gap: Gap, inputs: Mapping[str, Any], held: Any) -> Any:
    """Missing cells of a continuous gap on the scale on which it enters, one a missing cell."""
    import pymc as pm
    import pytensor.tensor as pt

    name = gap.name
    intercept = pm.Normal(names.imputation(name, "intercept"), 0.0, INTERCEPT_SD)
    sd = pm.HalfNormal(names.imputation(name, "sd"), RESIDUAL_SD)
    mean = intercept + _mean(design, gap, inputs, SLOPE_SD) + pt.zeros(design.size)
    known = np.flatnonzero(~gap.missing)
    answers = (held[known] - gap.center) / gap.scale
    fit = pm.logp(pm.Normal.dist(mean[known], sd), answers)
    pm.Potential(names.imputation(name, "answers"), fit.sum())
    # as distances from the regression, which the answers know well: nearly independent of it
    z = pm.Normal(f"{names.imputed(name)}_z", 0.0, 1.0, dims=names.imputed_dim(name))
    cells = gap.center + gap.scale * (mean[gap.rows] + sd * z)
    return pm.Deterministic(names.imputed(name), cells, dims=names.imputed_dim(name))


def _discrete(design: Design, made: Inputs, inputs: Mapping[str, Any]) -> None:
    """Add the log density of every discrete value to the densities of the cases."""
    import pymc as pm
    import pytensor.tensor as pt

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
            names.imputation(gap.name, "cutpoints"),
            steps,
            CUTPOINT_SD,
            dims=names.imputation(gap.name, "step"),
            **(ordered if steps.size > 1 else {}),
        )
        eta = _mean(design, gap, by_case, LOGIT_SLOPE_SD) + pt.zeros(row.size)
        family, at, cutpoints = "ordinal", eta, {"cutpoints": cut}
        if steps.size == 1:
            family, at, cutpoints = "bernoulli", eta - cut[0], {}
        observation = Observation("", at, cutpoints, Rows(), codes, names.ROW)
        made.densities.append(row_density(FAMILIES[family], observation))
        by_case[gap.name] = (levels_at(gap, codes) - gap.center) / gap.scale


def _mean(design: Design, gap: Gap, inputs: Mapping[str, Any], sd: float) -> Any:
    """Sum of the inputs of a regression times their slopes: ``(row,)``, or 0 without inputs."""
    import pymc as pm
    import pytensor.tensor as pt

    rests_on = inputs_of(design, gap)
    if not rests_on:
        return 0.0
    dim = names.imputation(gap.name, "input")
    slope = pm.Normal(names.imputation(gap.name, "slope"), 0.0, sd, dims=dim)
    fixed = [k for k, name in enumerate(rests_on) if isinstance(inputs[name], np.ndarray)]
    total: Any = 0.0
    if fixed:
        total = pt.dot(np.column_stack([inputs[rests_on[k]] for k in fixed]), slope[fixed])
    for k, name in enumerate(rests_on):
        if k not in fixed:
            total = total + slope[k] * inputs[name]
    return total


def levels_at(gap: Gap, codes: Any) -> Any:
    """Values of a discrete gap at codes, which are numbers or a variable of the graph."""
    import pytensor.tensor as pt

    levels = np.array(gap.levels)
    return levels[codes] if isinstance(codes, np.ndarray) else pt.as_tensor_variable(levels)[codes]


def entering(equation: Design, made: Inputs) -> Entering:
    """What enters one equation, with imputed values in the place of missing ones."""
    import pytensor.tensor as pt

    mine = [gap for gap in made.gaps if enters(gap, equation)]
    cases = made.cases if any(gap.levels for gap in mine) else None
    row = None if cases is None else cases.row
    capitals = dict(zip(names.CAPITALS, made.capitals, strict=True))
    if row is not None:
        capitals = {name: values[row] for name, values in capitals.items()}
    added: dict[str, Any] = {}
    for gap in mine:
        if gap.levels:
            assert cases is not None
            missing = gap.missing[cases.row]
            if gap.place == "capital":
                capitals[gap.name] = levels_at(gap, made.codes[gap.name])
            elif gap.name != equation.equation_name:
                values = np.array(gap.levels)[cases.codes[gap.name]]
                added[gap.name] = np.where(missing, values, 0.0)
        elif gap.place != "capital" and gap.name != equation.equation_name:
            cells = _as_it_enters(equation, gap, made.continuous[gap.name])
            whole = pt.set_subtensor(pt.zeros(equation.size)[gap.rows], cells)
            added[gap.name] = whole if row is None else whole[row]
    whole_capitals = dict(zip(names.CAPITALS, made.capitals, strict=True))
    for term, (level, capital) in equation.equation.contexts.items():
        if equation.is_latent(capital):
            off = _around(equation, level, whole_capitals[capital]) - equation.context(term)
            added[term] = off if row is None else off[row]
    return Entering(capitals[names.CAPITALS[0]], capitals[names.CAPITALS[1]], added, row)


def _around(equation: Design, level: str, capital: Any) -> Any:
    """Mean of a latent capital in what surrounds each row; see `bayescluster.design.coding`."""
    import pytensor.tensor as pt

    group, own, weight, rest = surroundings_of(equation, level)

    def sums(codes: NDArray[np.int64]) -> Any:
        zeros = pt.zeros(int(codes.max()) + 1)
        return pt.inc_subtensor(zeros[codes], capital * weight)[codes]

    total = sums(group) if own is None else sums(group) - sums(own)
    return pt.where(rest > 0, total / np.where(rest > 0, rest, 1.0), 0.0)


def _as_it_enters(equation: Design, gap: Gap, cells: Any) -> Any:
    """Outcomes on the scale on which they enter another equation; inputs as they are."""
    if gap.place != "outcome":
        return cells
    position = equation.equation.predictors.index(gap.name)
    center, scale = (
        float(equation.data[name].to_numpy()[position])
        for name in (names.PREDICTOR_CENTER, names.PREDICTOR_SCALE)
    )
    return (cells - center) / scale


def observe_answers(equation: Design, observation: Observation, made: Inputs) -> None:
    """Add the likelihood of an equation, whose rows are those of its predictor: rows or cases."""
    import pytensor.tensor as pt

    gap = next((gap for gap in made.gaps if gap.name == equation.equation_name), None)
    lacks = ~equation.answered
    lacking = np.flatnonzero(lacks)
    enter = entering(equation, made)
    if gap is not None and not gap.levels:
        at = lacking if enter.row is None else np.searchsorted(enter.row, lacking)
        found = equation.family.likelihood(_some(observation, at))
        made.continuous[gap.name] = found.distribution(
            names.imputed(gap.name),
            *found.inputs,
            **found.arguments,
            dims=names.imputed_dim(gap.name),
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
        dims=names.answered_dim(observation.name),
    )


def sum_out(made: Inputs) -> None:
    """Add the density of the rows to the PyMC model in context: cases of a row summed."""
    import pymc as pm
    import pytensor.tensor as pt

    if made.cases is None:
        return
    total = _sum(made.densities)
    rows = [
        total[block[:, 0]] if block.shape[1] == 1 else pt.logsumexp(total[block], axis=1)
        for block in made.cases.blocks()
    ]
    pm.Potential(names.imputation("cases", "density"), _sum([row.sum() for row in rows]))


def _sum(parts: Sequence[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


INTERCEPT_SD, SLOPE_SD, RESIDUAL_SD = 1.0, 0.5, 1.0
"""Priors of the regressions of continuous gaps, all on the standardised scale."""
CUTPOINT_SD, LOGIT_SLOPE_SD = 1.5, 1.0
"""Priors of those of discrete gaps, on the logit scale."""

IMPUTED_STREAM = 12
"""Keeps the random stream of imputed values apart from all others."""


def cutpoint_means(gap: Gap) -> Array:
    """Prior means of the cutpoints of a discrete gap: all levels alike."""
    share = np.arange(1, len(gap.levels)) / len(gap.levels)
    return np.asarray(np.log(share / (1 - share)))


def imputing(seed: int, *further: int) -> np.random.Generator:
    """Source of the imputed values of a fit with a seed."""
    return np.random.default_rng((seed, IMPUTED_STREAM, *further))


def completed(
    design: Design, group: xr.Dataset, rng: np.random.Generator, posterior: bool = True
) -> xr.Dataset:
    """Add the missing discrete values to draws, with dims chain and draw; unchanged without any.

    ``posterior`` tells whether outcomes are known, and so inform the values.
    """
    found = gaps(design)
    discrete = [gap for gap in found if gap.levels]
    if not discrete:
        return group
    cases = configurations(found, design.size)
    cases = cases.where(cases_of(found, design.size)[cases.row] > 1)
    codes = _drawn(design, group, cases, rng, posterior)
    labels = np.array(design.labels(names.ROW))
    for gap in discrete:
        dim, rows = names.imputed_dim(gap.name), gap.rows
        # outcomes are codes, and inputs are as they enter
        levels = np.arange(len(gap.levels)) if gap.place == "outcome" else np.array(gap.levels)
        values = levels.astype("float64")[codes[gap.name][:, rows]]
        shape = (group.sizes[names.CHAIN], group.sizes[names.DRAW], rows.size)
        drawn = xr.Variable(
            (names.CHAIN, names.DRAW, dim), values.reshape(shape), {names.DRAWN_AFTER: 1}
        )
        group = group.assign({names.imputed(gap.name): drawn})
        group = group.assign_coords({dim: labels[rows]})
    return group


def _drawn(
    design: Design,
    group: xr.Dataset,
    cases: Configurations,
    rng: np.random.Generator,
    posterior: bool,
) -> dict[str, np.ndarray]:
    """Codes of the drawn values by gap, ``(draw, row)``; 0 where nothing is drawn."""
    size = group.sizes[names.CHAIN] * group.sizes[names.DRAW]
    codes = {name: np.zeros((size, design.size), dtype="int64") for name in cases.codes}
    for which, weight in case_densities(design, group, cases, posterior):
        # the largest of log weights with Gumbel noise is a draw by the weights
        noisy = weight + rng.gumbel(size=weight.shape)
        for block in cases.blocks():
            chosen = noisy[:, block].argmax(axis=-1)  # (draw, row)
            at = block[np.arange(len(block)), chosen]
            for name, values in cases.codes.items():
                codes[name][which, cases.row[block[:, 0]]] = values[at]
    return codes


def case_densities(
    design: Design, group: xr.Dataset, cases: Configurations, posterior: bool = True
) -> Iterator[tuple[slice, Array]]:
    """Log density of each case, ``(draw, case)``, in chunks of draws.

    That of its discrete values and, of a posterior, of the outcomes that rest on them.
    """
    size = group.sizes[names.CHAIN] * group.sizes[names.DRAW]
    parts = {each.equation_name: draws_of(each, group) for each in design.equations}
    for which in chunks(size, cases.row.size):
        total = _of_values(design, group, cases, which)
        for each in design.equations:
            draws = parts[each.equation_name].part(which)
            total = total + _of_outcome(each, gaps(design), draws, cases, posterior)
        yield which, total


def _of_values(design: Design, group: xr.Dataset, cases: Configurations, which: slice) -> Array:
    row = cases.row
    capitals = dict(zip(names.CAPITALS, capitals_at(design, group) or design.capitals, strict=True))
    inputs: dict[str, Array] = {name: v[None, row] for name, v in known_inputs(design).items()}
    inputs |= {c: capitals[c][which][:, row] for c in names.CAPITALS if design.is_latent(c)}
    total = np.zeros((which.stop - which.start, row.size))
    for gap in gaps(design):
        if gap.place == "outcome":
            continue
        if gap.levels:
            eta = np.zeros(total.shape)
            for k, name in enumerate(inputs_of(design, gap)):
                slope = flat(group, names.imputation(gap.name, "slope"))[which]
                eta = eta + slope[:, [k]] * inputs[name]
            cut = flat(group, names.imputation(gap.name, "cutpoints"))[which][:, None, :]
            total = total + FAMILIES["ordinal"].log_density(
                cases.codes[gap.name].astype("float64"), eta, {"cutpoints": cut}, Rows()
            )
            values = np.array(gap.levels)[cases.codes[gap.name]][None]
        else:
            cells = cells_at(gap.missing, flat(group, names.imputed(gap.name))[which])
            values = (cells.added() + np.nan_to_num(gap.values))[:, row]
        inputs[gap.name] = (values - gap.center) / gap.scale
    return total


def _of_outcome(
    equation: Design, found: tuple[Gap, ...], draws: Draws, cases: Configurations, posterior: bool
) -> Array | float:
    """Log density of the outcome of one equation in each case; 0 where it rests on no discrete gap."""
    mine = [gap for gap in found if gap.levels and enters(gap, equation)]
    if not mine:
        return 0.0
    row = cases.row
    outcome = equation.outcome[row] if posterior else np.full(row.size, np.nan)
    capitals = list(draws.capitals or equation.capitals)
    capitals = [values[..., row] for values in capitals]
    filled = {name: cells._replace(at=cells.at[row]) for name, cells in draws.imputed.items()}
    for gap in mine:
        codes, missing = cases.codes[gap.name], gap.missing[row]
        levels = np.array(gap.levels)
        if gap.name == equation.equation_name:
            outcome = np.where(missing, codes, outcome)
        elif gap.place == "capital":
            k = names.CAPITALS.index(gap.name)
            capitals[k] = np.where(missing, levels[codes], capitals[k])
        else:
            filled[gap.name] = Imputed(np.where(missing, codes, -1), levels[None])
    own = replace(draws.for_rows(row), imputed=filled)
    eta = predictor_at(equation, own, (capitals[0], capitals[1]), row) + equation.offset[row]
    known = np.flatnonzero(np.isfinite(outcome))
    total = np.zeros((draws.size, row.size))
    if known.size:
        total[:, known] = equation.family.log_density(
            outcome[known], eta[:, known], draws.parameters, equation.rows.at(row[known])
        )
    return total
