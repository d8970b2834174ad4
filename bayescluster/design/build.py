"""Analysis and firms to a design, or all the reasons why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import xarray as xr

from bayescluster.arrays import Array
from bayescluster.dataset.cases import CodedCases
from bayescluster.dataset.constructs import Scored, score
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.read import Table
from bayescluster.design.claims_in_data import claims_in_data, unknown_industries
from bayescluster.design.coding import Coding, code_controls
from bayescluster.design.collinearity import dependent_columns
from bayescluster.design.equation_data import Prepared, equation_data
from bayescluster.design.forms import with_one_form
from bayescluster.design.graph import causal_order
from bayescluster.design.missing import gap_problems
from bayescluster.design.notes import details_of
from bayescluster.design.outcome import Outcome, as_predictor, outcome_of
from bayescluster.design.parts import details_text
from bayescluster.design.record import Design
from bayescluster.design.set_conditions import condition_variables
from bayescluster.design.weights import weight_variables
from bayescluster.errors import BayesClusterError, DesignError, Problem
from bayescluster.lookup import suggestion
from bayescluster.names import CAPITALS, DETAILS
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where, imputes
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
    problems += unknown_industries(analysis, firms, where)
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
    prepared = Prepared(firms, capitals, outcome, coding, scaled)
    return equation_data(analysis, prepared).assign(weights)


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
