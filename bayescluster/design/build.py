"""Analysis and firms to a design, or all the reasons why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayescluster.dataset.cases import CodedCases
from bayescluster.dataset.constructs import Scored, score
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.read import Table
from bayescluster.dataset.scaling import Standardised
from bayescluster.design.claims_in_data import claims_in_data
from bayescluster.design.coding import Coding, code_controls, sorted_labels
from bayescluster.design.collinearity import dependent_columns
from bayescluster.design.forms import with_one_form
from bayescluster.design.graph import causal_order
from bayescluster.design.missing import gap_problems
from bayescluster.design.monotonic import ladder_variables
from bayescluster.design.notes import details_of, memberships
from bayescluster.design.outcome import Outcome, as_predictor, outcome_of
from bayescluster.design.parts import details_text
from bayescluster.design.record import Array, Design
from bayescluster.design.set_conditions import condition_variables
from bayescluster.design.weights import weight_variables
from bayescluster.errors import BayesClusterError, DesignError, Problem
from bayescluster.lookup import suggestion
from bayescluster.names import (
    CAPITAL,
    CAPITALS,
    CENTER,
    CONTROL,
    CONTROL_BASE,
    CONTROL_CAPITAL,
    CONTROLS,
    DETAILS,
    FIRM_CODE,
    LEVEL,
    OFFSET,
    OUTCOME,
    PREDICTOR,
    PREDICTOR_CENTER,
    PREDICTOR_SCALE,
    PREDICTORS,
    ROW,
    SCALE,
    STANDARD_ERROR,
    TRIALS,
    group_dim,
    group_index,
    item_dim,
    item_levels,
    items,
)
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where, imputes
from bayescluster.spec.hypotheses import Difference
from bayescluster.structures import STRUCTURES


def build_design(
    analysis: Analysis,
    table: Table,
    firms: Firms,
    where: Where,
    cases: Mapping[str, CodedCases] | None = None,
) -> Design:
    """Turn an analysis, its firms and the cases behind its priors into named arrays.

    Of several structural forms the first is taken; see `bayescluster.design.forms`.

    Returns
    -------
    Design
        That of the equation in focus, which carries those of the others.

    Raises
    ------
    DesignError
        If a column is not a number, constant, collinear with others, or outside the support of the
        family; if a hypothesis names an industry the data lack. All such faults at once.
    """
    analysis = with_one_form(analysis)
    problems: list[Problem] = []
    capitals = _capitals(analysis, firms, where, problems)
    problems += _unknown_industries(analysis, firms, where)
    sample = _Sample(firms, capitals, where, problems)
    conditions = condition_variables(analysis, firms, where, problems)
    details = details_of(analysis, table, firms, capitals)
    found: dict[str, xr.Dataset] = {}
    outcomes: dict[str, Outcome] = {}
    for name in causal_order(analysis.equations):
        data = _equation(analysis.alone(name), sample, outcomes)
        if data is not None:
            own = details._replace(cases=(cases or {}).get(name))
            found[name] = data.assign_attrs({DETAILS: details_text(own)})
    focus = analysis.equation_name
    levels = outcomes[focus].levels if focus in outcomes else ()
    problems += claims_in_data(analysis, capitals, levels, where)
    if problems:
        raise DesignError(list(dict.fromkeys(problems)))
    found[focus] = found[focus].assign(conditions)
    others = tuple(Design(analysis, data, name) for name, data in found.items() if name != focus)
    design = Design(analysis, found[focus], focus, others)
    if faults := gap_problems(design, firms, where):
        raise DesignError(faults)
    return design


class _Sample(NamedTuple):
    """What all equations share, and the list that takes their faults."""

    firms: Firms
    capitals: dict[str, Scored]
    where: Where
    problems: list[Problem]


def _equation(
    analysis: Analysis, sample: _Sample, outcomes: dict[str, Outcome]
) -> xr.Dataset | None:
    """Arrays of the one equation of an analysis; its outcome is added to ``outcomes``."""
    firms, capitals, where, problems = sample
    before = len(problems)
    outcome = outcome_of(analysis, firms, where, problems)
    values = {name: scored.values for name, scored in capitals.items()}
    base = ("equations", analysis.equation_name, "controls")
    coding = code_controls(analysis.equation.controls, firms.frame, values, base, where)
    problems += coding.problems
    problems += _unknown_terms(analysis, coding, where)
    if outcome is not None:
        outcomes[analysis.equation_name] = outcome
    if len(problems) > before or outcome is None or len(capitals) < len(analysis.constructs):
        return None
    weights = weight_variables(analysis, firms, where, problems)
    names = analysis.equation.predictors
    if any(name not in outcomes for name in names):
        return None
    scaled = [as_predictor(outcomes[name]) for name in names]
    columns = dict(zip(names, (each.values for each in scaled), strict=True))
    problems += _collinear(analysis, values | columns, coding, where)
    return xr.Dataset(
        _variables(capitals, outcome, coding, firms.frame.shape[0])
        | _groups(analysis, firms)
        | _predictors(scaled, firms.frame.shape[0])
        | _items(capitals)
        | weights,
        coords=_coordinates(analysis, firms, capitals, outcome, coding),
    )


def _items(capitals: dict[str, Scored]) -> dict[str, Any]:
    variables: dict[str, Any] = {}
    for name, scored in capitals.items():
        if scored.answers is not None:
            variables[items(name)] = ((ROW, item_dim(name)), scored.answers)
            variables[item_levels(name)] = (item_dim(name), np.array(scored.levels))
    return variables


def _predictors(scaled: Sequence[Standardised], size: int) -> dict[str, Any]:
    return {
        PREDICTORS: (
            (ROW, PREDICTOR),
            np.column_stack([np.empty((size, 0)), *(each.values for each in scaled)]),
        ),
        PREDICTOR_CENTER: (PREDICTOR, np.array([each.center for each in scaled])),
        PREDICTOR_SCALE: (PREDICTOR, np.array([each.scale for each in scaled])),
    }


def _capitals(
    analysis: Analysis, firms: Firms, where: Where, problems: list[Problem]
) -> dict[str, Scored]:
    scored = {}
    for name, construct in analysis.constructs.items():
        try:
            impute = imputes(analysis)
            scored[str(name)] = score(firms.frame, name, construct, where, impute)
        except BayesClusterError as error:
            problems += error.problems
    return scored


def _unknown_terms(analysis: Analysis, coding: Coding, where: Where) -> Iterator[Problem]:
    equation = analysis.equation
    # the cutpoints of an ordinal outcome take the place of the intercept
    ordinal = equation.family == "ordinal"
    form = STRUCTURES[equation.form]
    known = [
        *(term for term in form.population if not (ordinal and term == form.level)),
        *equation.predictors,
        *(name for coded in coding.columns for name in coded.names),
    ]
    for name in equation.priors.terms:
        if name not in known:
            path = ("equations", analysis.equation_name, "priors", "terms", name)
            yield Problem(
                f"a prior is given for the term '{name}', which is not in the model",
                where(path),
                suggestion(name, known),
            )


def _unknown_industries(analysis: Analysis, firms: Firms, where: Where) -> Iterator[Problem]:
    labels = sorted_labels(firms.frame["__industry__"].unique())
    for position, hypothesis in enumerate(analysis.hypotheses):
        if not isinstance(hypothesis, Difference):
            continue
        if len(labels) < 2:
            yield Problem(
                f"a difference needs two industries, and all firms are in '{labels[0]}'",
                where(("hypotheses", position)),
                "leave the hypothesis out",
            )
        for name in hypothesis.between or ():
            if name not in labels:
                yield Problem(
                    f"no firm is in an industry called '{name}'",
                    where(("hypotheses", position, "between")),
                    suggestion(name, labels),
                )


def _collinear(
    analysis: Analysis, capitals: dict[str, Array], coding: Coding, where: Where
) -> Iterator[Problem]:
    columns = dict(capitals)
    if analysis.equation.form == "interaction":
        human, social = (capitals[name] for name in CAPITALS)
        columns["interaction"] = human * social
    for coded in coding.columns:
        columns |= dict(zip(coded.names, coded.values.T, strict=True))
    named = dependent_columns(columns)
    if named:
        yield Problem(
            f"these columns determine each other exactly: {', '.join(named)}",
            where(("equations", analysis.equation_name)),
            "leave one of them out",
        )


def _variables(
    capitals: dict[str, Scored], outcome: Outcome, coding: Coding, size: int
) -> dict[str, Any]:
    empty = np.empty((size, 0))
    controls = np.column_stack([empty, *(coded.values for coded in coding.columns)])
    bases = np.column_stack([empty, *(coded.factor for coded in coding.columns)])
    owners = [coded.capital for coded in coding.columns for _ in coded.names]
    known = {TRIALS: outcome.rows.trials, STANDARD_ERROR: outcome.rows.standard_error}
    scored = list(capitals.values())
    return {
        OUTCOME: (ROW, outcome.values),
        OFFSET: (ROW, outcome.offset),
        CONTROLS: ((ROW, CONTROL), controls),
        CONTROL_BASE: ((ROW, CONTROL), bases),
        CONTROL_CAPITAL: (CONTROL, np.array(owners, dtype=str)),
        CENTER: (CAPITAL, np.array([item.center for item in scored])),
        SCALE: (CAPITAL, np.array([item.scale for item in scored])),
        "control_center": (CONTROL, np.array([c for item in coding.columns for c in item.centers])),
        "control_scale": (CONTROL, np.array([s for item in coding.columns for s in item.scales])),
        **{
            name: (ROW, capitals[name].values if name in capitals else np.zeros(size))
            for name in CAPITALS
        },
        **{name: (ROW, values) for name, values in known.items() if values is not None},
        **ladder_variables(
            {made.names[0]: made.ladder for made in coding.columns if made.ladder is not None}
        ),
    }


def _groups(analysis: Analysis, firms: Firms) -> dict[str, Any]:
    variables = {FIRM_CODE: (ROW, pd.factorize(firms.frame["__firm__"])[0].astype("int64"))}
    for name, values in memberships(analysis, firms).items():
        position = {label: code for code, label in enumerate(sorted_labels(values.unique()))}
        variables[group_index(name)] = (ROW, values.map(position).to_numpy(dtype="int64"))
    return variables


def _coordinates(
    analysis: Analysis,
    firms: Firms,
    capitals: dict[str, Scored],
    outcome: Outcome,
    coding: Coding,
) -> dict[str, Any]:
    names = [name for coded in coding.columns for name in coded.names]
    coordinates: dict[str, Any] = {
        ROW: _row_labels(firms.frame["__firm__"].astype(str).tolist()),
        CONTROL: np.array(names, dtype=str),
        CAPITAL: np.array(list(capitals), dtype=str),
        PREDICTOR: np.array(analysis.equation.predictors, dtype=str),
    }
    for name, scored in capitals.items():
        if scored.answers is not None:
            coordinates[item_dim(name)] = np.array(list(scored.weights), dtype=str)
    if outcome.levels:
        coordinates[LEVEL] = np.array(outcome.levels, dtype=str)
    for name, values in memberships(analysis, firms).items():
        coordinates[group_dim(name)] = np.array(sorted_labels(values.unique()), dtype=str)
    return coordinates


def _row_labels(firms: Sequence[str]) -> NDArray[np.str_]:
    """One label a row: the firm, with a running number where firms repeat."""
    if len(set(firms)) == len(firms):
        return np.array(firms, dtype=str)
    repeated = pd.Series(firms)
    running = repeated.groupby(repeated).cumcount() + 1
    return np.array([f"{firm} #{k}" for firm, k in zip(firms, running, strict=True)], dtype=str)
