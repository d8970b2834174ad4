"""The model with its priors, how to read the report, and how to get it again."""

from __future__ import annotations

from typing import NamedTuple

from markupsafe import Markup

from bayescluster.checks.thresholds import GAIN_SMALL, SUBSTITUTION_FLAT
from bayescluster.kit import words
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns, group_cell, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.results.facts import (
    CaseFacts,
    CaseRow,
    CornerWeight,
    GroupingFacts,
    Identification,
    InformedPrior,
    ModelFacts,
    SandwichRow,
    SharedVariance,
    Weighting,
)
from bayescluster.results.model import INTERVAL, EquationResults, Results

BLOCKS = {
    "population": "Population",
    "controls": "Controls",
    "group sd": "Standard deviations of groups",
    "family": "Likelihood",
}


def model_body(results: Results) -> Markup:
    """Formula, groupings and coefficients."""
    return filled(
        "model.html.j2",
        results=results,
        groupings=_groupings(results.model),
        coefficients=_coefficients(results.model),
        beside=tuple(_Beside(other, *_tables(other.model)) for other in results.others),
        residuals=_residuals(results),
        evidence=_evidence(results.model.cases) if results.model.cases else (),
        variance=_variance(results.variance) if results.variance else None,
        sandwich=_sandwich(results.weighting) if results.weighting else None,
        effective=words.number(results.weighting.effective_rows) if results.weighting else "",
        duration=words.duration(results.fit.sampling_seconds),
        known=results.model.identification,
        contractions=_contractions(results.model.identification),
        gates=_gates(results.model.identification),
    )


def _contractions(known: Identification | None) -> Table:
    found = known.contractions if known is not None else ()
    marks = [
        (
            f"P(|r| > {SUBSTITUTION_FLAT:g}), where the form is flat in r",
            known.substitution_flat if known else None,
        ),
        (f"P(gain below {GAIN_SMALL:g} of a unit)", known.gain_small if known else None),
    ]
    return Table(
        "Prior to posterior",
        columns("Parameter", "#Contraction"),
        rows(
            [
                *((one.term, words.fixed(one.contraction, 2)) for one in found),
                *((text, words.probability(p)) for text, p in marks if p is not None),
            ]
        ),
        "Contraction is the share of a parameter's prior variance that the data have taken away, on "
        "the scale where groups deviate from it: near 1 the data determine it, near 0 they say "
        "nothing.",
    )


def _gates(known: Identification | None) -> Table:
    by_group: dict[tuple[str, str], dict[str, CornerWeight]] = {}
    for one in known.corners if known is not None else ():
        by_group.setdefault((one.by, one.group), {})[one.corner] = one
    return Table(
        "Effective number of firms behind each corner",
        columns("Group", *(f"#{words.sentence(text)[:-1]}" for text in words.CORNERS.values())),
        rows(
            (
                group_cell(by, group),
                *(words.plain(corners[corner].firms) for corner in words.CORNERS),
            )
            for (by, group), corners in by_group.items()
        ),
        "Sum over firms of the weight that the gates give the corner. A corner with few firms behind "
        "it is known from its prior.",
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


def _variance(found: SharedVariance) -> Table:
    explained = ("Explained variance (R2)", found.r2_prior, found.r2)
    shares = [
        (f"{words.label(row.level)}: {row.term}", row.prior, row.posterior) for row in found.rows
    ]
    return Table(
        "Share of explained variance by level and term",
        columns("Component", "#Prior [90% interval]", "#Posterior [90% interval]"),
        rows(
            (
                Cell(name, look="head" if name == explained[0] else ""),
                Cell(words.plain(before)),
                Cell(words.plain(after)),
            )
            for name, before, after in (explained, *shares)
        ),
        f"R2 is measured against {found.residual}. Shares sum to 1. They scale the prior of the "
        "coefficients (R2D2M2): one that stays near its prior owes little to the data, and one "
        "coefficient alone says little of its share.",
    )


def _sandwich(found: Weighting) -> Table:
    units = f"{words.count(found.units)} {found.unit}s"
    return Table(
        "Sandwich check of the weighted pseudo-posterior",
        columns(
            "Coefficient",
            "#Pseudo-posterior [90% interval]",
            "#sd",
            "#Sandwich-corrected interval",
            "#Sandwich sd",
            "#Ratio of sds",
            "#Design effect",
        ),
        rows(_sandwich_row(row) for row in found.rows),
        f"The sandwich sd is how much the estimate would vary from sample to sample, judged by the "
        f"scores of {units} taken as independent; their own varying effects are integrated "
        "out (at their posterior means), those of groups that hold several of them and the "
        "parameters of the likelihood are held fixed. The design effect is the square of the ratio. "
        "Where the prior shrinks a coefficient its estimate varies less than the posterior is wide, and "
        "a ratio below 1 is no fault. "
        "Only this table is corrected: effects, corners and verdicts are those of the "
        "pseudo-posterior.",
    )


def _sandwich_row(row: SandwichRow) -> tuple[Cell, ...]:
    known, other = row.model, row.corrected
    return (
        Cell(row.name),
        Cell(words.plain(known)),
        Cell(words.number(known.sd, known.sd)),
        Cell(words.plain(other)),
        Cell(words.number(other.sd, other.sd)),
        Cell(
            words.fixed(row.ratio, 2),
            words.sentence(row.warning) if row.warning else "",
            "bad" if row.warning else "",
        ),
        Cell(words.fixed(row.design_effect, 2)),
    )


MODEL = Section("model", "The model and its priors", "Model", model_body)


def reading_body(results: Results) -> Markup:
    """Assumptions, scopes and a short glossary."""
    return filled("reading.html.j2", results=results, interval=INTERVAL)


READING = Section("reading", "How to read this", "How to read", reading_body)


def reproduction_body(results: Results) -> Markup:
    """Command, analysis, key, versions, machine and seeds."""
    return filled(
        "reproduction.html.j2",
        results=results,
        facts=_facts(results),
        versions=_listed("Versions", "Package", "Version", results.reproduction.versions),
        host=_listed("Machine", "Fact", "Value", results.reproduction.host),
    )


def _facts(results: Results) -> tuple[tuple[str, str], ...]:
    made, fit = results.reproduction, results.fit
    tuned = f"after {words.count(fit.tune)} of tuning"
    return (
        ("Key of the run", made.key),
        ("Digest of the data", made.data_digest),
        ("Started", made.started),
        ("Sampler", fit.sampler),
        (
            "Draws",
            f"{fit.chains} chains of {words.count(fit.draws)} draws {tuned}",
        ),
        ("Seed", str(fit.seed)),
        ("Target acceptance", words.share(fit.target_accept)),
        ("Divergences", words.count(fit.divergences)),
        ("Time to sample", words.duration(fit.sampling_seconds)),
        ("Time in all", words.duration(fit.total_seconds)),
    )


def _listed(caption: str, first: str, second: str, found: dict[str, str]) -> Table:
    return Table(caption, columns(first, second), rows(found.items()))


REPRODUCTION = Section(
    "reproduction", "Getting the same result again", "Reproduce", reproduction_body
)
