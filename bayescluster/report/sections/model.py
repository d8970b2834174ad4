"""The model in words and symbols, with every coefficient beside its prior."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.sections.record import Cell, Section, Table, columns, rows
from bayescluster.results.model import (
    CaseFacts,
    CaseRow,
    EquationResults,
    GroupingFacts,
    InformedPrior,
    ModelFacts,
    Results,
)

BLOCKS = {
    "population": "Population",
    "controls": "Controls",
    "group sd": "Standard deviations of groups",
    "family": "Likelihood",
}


def body(results: Results) -> Markup:
    """Formula, groupings and coefficients."""
    return filled(
        "model.html.j2",
        results=results,
        groupings=_groupings(results.model),
        coefficients=_coefficients(results.model),
        beside=tuple(_Beside(other, *_tables(other.model)) for other in results.others),
        residuals=_residuals(results),
        evidence=_evidence(results.model.cases) if results.model.cases else (),
        duration=words.duration(results.fit.sampling_seconds),
    )


class _Beside(NamedTuple):
    """An equation beside the one in focus, with its tables folded away."""

    equation: EquationResults
    groupings: Table
    coefficients: Table


def _tables(model: ModelFacts) -> tuple[Table, Table]:
    groupings, coefficients = _groupings(model), _coefficients(model)
    return (
        groupings._replace(folded=f"What varies by group in {model.equation}"),
        coefficients._replace(folded=f"Coefficients of {model.equation}"),
    )


def _residuals(results: Results) -> Table:
    return Table(
        "Correlation of residuals between equations",
        columns("Equation", "with", "#Correlation [90% interval]", "#P(above 0)"),
        rows(
            (row.first, row.second, words.plain(row.estimate), words.probability(row.positive))
            for row in results.residuals
        ),
        "What is left unexplained in two outcomes of a firm goes together, or apart. Prior: LKJ(2).",
    )


def _groupings(model: ModelFacts) -> Table:
    return Table(
        "What varies by group",
        columns("Grouping", "#Groups", "Terms that vary", "Centred", "Effects of one group"),
        rows(_grouping(found) for found in model.groupings),
        model.group_effect_prior,
    )


def _grouping(found: GroupingFacts) -> tuple[str, ...]:
    return (
        words.label(found.name),
        words.count(found.groups),
        ", ".join(words.label(term).lower() for term in found.terms) or words.NONE,
        ", ".join(words.label(term).lower() for term in found.centred) or "none",
        "correlated" if found.correlated else "independent",
    )


def _coefficients(model: ModelFacts) -> Table:
    found = []
    block = ""
    for one in model.coefficients:
        if one.block != block:
            block = one.block
            found.append([Cell(BLOCKS[block], look="head"), *[Cell("")] * 6])
        known = one.estimate
        found.append(
            [
                Cell(one.name),
                Cell(one.prior),
                Cell(words.plain(known)),
                Cell(words.number(known.sd, known.sd)),
                Cell(words.rhat(known.rhat)),
                Cell(words.count(known.ess_bulk)),
                Cell(words.count(known.ess_tail)),
            ]
        )
    return Table(
        f"Coefficients on the {model.link} scale, inputs standardised",
        columns(
            "Parameter",
            "Prior",
            "#Posterior [90% interval]",
            "#sd",
            "#R-hat",
            "#ESS bulk",
            "#ESS tail",
        ),
        rows(found),
    )


def _evidence(found: CaseFacts) -> tuple[Table, Table]:
    """Priors from coded cases, and the cases with their ratings."""
    return (
        Table(
            "Prior from coded evidence",
            columns("Term", "Default prior", "Prior used", "#Posterior [90% interval]"),
            rows(_informed(one) for one in found.priors),
        ),
        Table(
            f"The coded cases of {found.label}",
            columns(
                "Case",
                "Human capital",
                "Social capital, by side",
                words.label(found.outcome),
                "Used",
            ),
            rows(_case(one) for one in found.cases),
        ),
    )


def _informed(one: InformedPrior) -> tuple[Cell, ...]:
    note = f"stated in the analysis; the cases would give {one.from_cases}" if one.stated else ""
    return (
        Cell(words.label(one.term)),
        Cell(one.default),
        Cell(one.used, note),
        Cell(words.plain(one.estimate)),
    )


def _case(one: CaseRow) -> tuple[Cell, ...]:
    lacking = ", ".join(words.label(name).lower() for name in one.lacks)
    return (
        Cell(one.case),
        Cell(one.human_capital or words.NONE, _sds(one.human_level)),
        Cell(", ".join(map(_side, one.social_capital)) or words.NONE, _sds(one.social_level)),
        Cell(one.outcome or words.NONE, "" if one.share is None else words.share(one.share)),
        Cell(f"no: {lacking} not rated" if lacking else "yes"),
    )


def _side(rated: str) -> str:
    return rated.removeprefix("social_capital_").replace("_", " ")


def _sds(level: float | None) -> str:
    return "" if level is None else f"{words.fixed(level, 2, signed=True)} sd"


MODEL = Section("model", "The model and its priors", "Model", body)
