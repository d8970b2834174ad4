"""The model with its priors, how to read the report, and how to get it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from markupsafe import Markup

from bayescluster.checks.thresholds import GAIN_SMALL, SUBSTITUTION_FLAT
from bayescluster.kit import words
from bayescluster.kit.page import Section, filled, pivot, tables
from bayescluster.kit.table import Cell, Column, View, number
from bayescluster.lookup import counted
from bayescluster.results.facts import (
    CaseFacts,
    CaseRow,
    Coefficient,
    Contraction,
    CornerWeight,
    Declared,
    GroupingFacts,
    Identification,
    InformedPrior,
    ModelFacts,
    SandwichRow,
    SharedVariance,
    ShareRow,
    Weighting,
)
from bayescluster.results.model import INTERVAL, ResidualRow, Results

BLOCKS = {
    "population": "Population",
    "controls": "Controls",
    "group sd": "Standard deviations of groups",
    "family": "Likelihood",
}
two_digits = partial(words.fixed, places=2)


def model_body(results: Results) -> Markup:
    """Formulas, what varies by group, coefficients with their priors, and what bears on them."""
    known = results.model.identification
    shown: list[View[Any]] = [_groupings(results.model), _coefficients(results.model)]
    if results.others:
        shown.append(_residuals(results))
    if results.model.cases:
        shown += _evidence(results.model.cases)
    if results.variance:
        shown.append(_variance(results.variance))
    if results.weighting:
        shown.append(_sandwich(results.weighting))
    if known:
        shown.append(_contractions(known))
    return filled(
        "model.html.j2",
        results=results,
        models=(results, *results.others),
        tables=tables(shown),
        effective=words.number(results.weighting.effective_rows) if results.weighting else "",
        known=known,
    )


def model_views(results: Results) -> Iterator[View[Any]]:
    """Every table of the model, of its priors and of what the data say of them."""
    models = (results.model, *(other.model for other in results.others))
    yield from map(_groupings, models)
    yield from map(_coefficients, models)
    yield from _evidence(results.model.cases)
    # files without rows keep their headings
    yield _variance(results.variance) if results.variance else View("variance", ShareRow)
    yield _sandwich(results.weighting) if results.weighting else View("sandwich", SandwichRow)
    if results.others:
        yield _residuals(results)
    if results.model.identification:
        yield _contractions(results.model.identification)
        view = View(
            "gate_firms",
            CornerWeight,
            "Effective number of firms behind each corner",
            rows=results.model.identification.corners,
            note="Sum over firms of the weight that the gates give the corner. A corner with few firms "
            "behind it is known from its prior.",
        )
        across = {corner: words.sentence(text)[:-1] for corner, text in words.CORNERS.items()}
        yield pivot(view, across, lambda one: one.corner, lambda one: words.plain(one.firms))


def _contractions(known: Identification) -> View[Contraction]:
    marks = (
        (
            f"P(|r| > {SUBSTITUTION_FLAT:g}), where the form is flat in r",
            known.substitution_flat,
        ),
        (f"P(gain below {GAIN_SMALL:g} of a unit)", known.gain_small),
    )
    return View(
        "contractions",
        Contraction,
        "Prior to posterior",
        (Column("Parameter", "term"), number("Contraction", "contraction", two_digits)),
        known.contractions,
        "Contraction is the share of a parameter's prior variance that the data have taken away, on "
        "the scale where groups deviate from it: near 1 the data determine it, near 0 they say "
        "nothing.",
        after=tuple((Cell(text), Cell(words.probability(p))) for text, p in marks if p is not None),
    )


def _residuals(results: Results) -> View[ResidualRow]:
    return View(
        "residuals",
        ResidualRow,
        "Correlation of residuals between equations",
        (
            Column("Equation", "first"),
            Column("with", "second"),
            number("Correlation [90% interval]", "estimate", words.plain),
            number("P(above 0)", "positive", words.probability),
        ),
        results.residuals,
        "What is left unexplained in two outcomes of a firm goes together, or apart. Prior: LKJ(2).",
    )


def _groupings(model: ModelFacts) -> View[GroupingFacts]:
    return View(
        "groupings",
        GroupingFacts,
        "What varies by group",
        (
            Column("Grouping", "name", words.label),
            number("Groups", "groups", words.count),
            Column("Terms that vary", "terms", lambda terms: _terms(terms) or words.NONE),
            Column("Centred", "centred", lambda terms: _terms(terms) or "none"),
            Column(
                "Effects of one group",
                "correlated",
                lambda correlated: "correlated" if correlated else "independent",
            ),
        ),
        model.groupings,
        model.group_effect_prior,
        before={"equation": model.equation},
    )


def _terms(terms: Sequence[str]) -> str:
    return ", ".join(words.label(term).lower() for term in terms)


def _coefficients(model: ModelFacts) -> View[Coefficient]:
    return View(
        "coefficients",
        Coefficient,
        f"Coefficients on the {model.link} scale, inputs standardised",
        (
            Column("Parameter", "name"),
            Column("Prior", "prior"),
            number("Posterior [90% interval]", "estimate", words.plain),
        ),
        model.coefficients,
        before={"equation": model.equation},
        head=lambda row: BLOCKS[row.block],
    )


def _evidence(found: CaseFacts | None) -> tuple[View[Any], ...]:
    """Priors from coded cases, and the cases with their ratings."""
    return (
        View(
            "case_priors",
            InformedPrior,
            "Prior from coded evidence",
            (
                Column("Term", "term", words.label),
                Column("Default prior", "default"),
                Column("Prior used", "used", note=_stated),
                number("Posterior [90% interval]", "estimate", words.plain),
            ),
            found.priors if found else (),
        ),
        View(
            "cases",
            CaseRow,
            f"The coded cases of {found.label}" if found else "",
            (
                Column(
                    "Case",
                    "case",
                ),
                Column(
                    "Human capital",
                    lambda one: one.human_capital or words.NONE,
                    note=lambda one: _sds(one.human_level),
                ),
                Column(
                    "Social capital, by side",
                    lambda one: ", ".join(map(_side, one.social_capital)) or words.NONE,
                    note=lambda one: _sds(one.social_level),
                ),
                Column(
                    words.label(found.outcome) if found else "Outcome",
                    lambda one: one.outcome or words.NONE,
                    note=lambda one: "" if one.share is None else words.share(one.share),
                ),
                Column(
                    "Used",
                    "lacks",
                    lambda lacks: f"no: {_terms(lacks)} not rated" if lacks else "yes",
                ),
            ),
            found.cases if found else (),
        ),
    )


def _stated(one: InformedPrior) -> str:
    return f"stated in the analysis; the cases would give {one.from_cases}" if one.stated else ""


def _side(rated: str) -> str:
    return rated.removeprefix("social_capital_").replace("_", " ")


def _sds(level: float | None) -> str:
    return "" if level is None else f"{words.fixed(level, 2, signed=True)} sd"


def _variance(found: SharedVariance) -> View[ShareRow]:
    explained = ShareRow(
        level="", term="Explained variance (R2)", prior=found.r2_prior, posterior=found.r2
    )
    return View(
        "variance",
        ShareRow,
        "Share of explained variance by level and term",
        (
            Column(
                "Component",
                lambda row: f"{words.label(row.level)}: {row.term}" if row.level else row.term,
                look=lambda row: "" if row.level else "head",
            ),
            number("Prior [90% interval]", "prior", words.plain),
            number("Posterior [90% interval]", "posterior", words.plain),
        ),
        (explained, *found.rows),
        f"R2 is measured against {found.residual}. Shares sum to 1. They scale the prior of the "
        "coefficients (R2D2M2): one that stays near its prior owes little to the data, and one "
        "coefficient alone says little of its share.",
        records=found.rows,
    )


def _sandwich(found: Weighting) -> View[SandwichRow]:
    units = f"{words.count(found.units)} {found.unit}s"
    return View(
        "sandwich",
        SandwichRow,
        "Sandwich check of the weighted pseudo-posterior",
        (
            Column("Coefficient", "name"),
            number("Pseudo-posterior [90% interval]", "model", words.plain),
            number("sd", "model", lambda one: words.number(one.sd, one.sd)),
            number("Sandwich-corrected interval", "corrected", words.plain),
            number("Sandwich sd", "corrected", lambda one: words.number(one.sd, one.sd)),
            number(
                "Ratio of sds",
                "ratio",
                two_digits,
                note=lambda row: words.sentence(row.warning),
                look=lambda row: "bad" if row.warning else "",
            ),
            number("Design effect", "design_effect", two_digits),
        ),
        found.rows,
        f"The sandwich sd is how much the estimate would vary from sample to sample, judged by the "
        f"scores of {units} taken as independent; their own varying effects are integrated "
        "out (at their posterior means), those of groups that hold several of them and the "
        "parameters of the likelihood are held fixed. The design effect is the square of the ratio. "
        "Where the prior shrinks a coefficient its estimate varies less than the posterior is wide, and "
        "a ratio below 1 is no fault. "
        "Only this table is corrected: effects, corners and verdicts are those of the "
        "pseudo-posterior.",
    )


MODEL = Section(
    "model", "What are the model and its priors?", "Model", model_body, views=model_views
)


def reading_body(results: Results) -> Markup:
    """Assumptions, scopes and a short glossary."""
    scopes = {row.scope for row in results.effects} | {one.scope for one in results.verdicts}
    shown = [scope for scope in words.SCOPES if scope in scopes]
    return filled("reading.html.j2", results=results, interval=INTERVAL, scopes=shown)


READING = Section("reading", "What do the terms mean?", "Terms", reading_body)


def reproduction_body(results: Results) -> Markup:
    """Command, key, seeds, versions and machine."""
    return filled("reproduction.html.j2", results=results, facts=_facts(results))


def _declared(declared: Declared | None) -> list[tuple[str, str]]:
    """Which hypotheses were declared, and when, by the history of the runs."""
    if declared is None:
        return []
    return [("Hypotheses", f"{declared.digest}, {declared.words}; first declared {declared.at}")]


def _facts(results: Results) -> tuple[tuple[str, str], ...]:
    made, fit = results.reproduction, results.fit
    tuned = f"after {words.count(fit.tune)} of tuning"
    if fit.minutes is not None:
        tuned += f", cut short by the time limit of {fit.minutes:g} minutes"
    return (
        ("Key of the run", made.key),
        ("Digest of the data", made.data_digest),
        ("Started", made.started),
        *_declared(made.declared),
        ("Sampler", fit.sampler),
        (
            "Draws",
            f"{counted(fit.chains, 'chain')} of {counted(fit.draws, 'draw')} {tuned}",
        ),
        ("Seed", str(fit.seed)),
        ("Target acceptance", words.share(fit.target_accept)),
        ("Divergences", words.count(fit.divergences)),
        ("Time to sample", words.duration(fit.sampling_seconds)),
        ("Versions", ", ".join(" ".join(one) for one in made.versions.items())),
        ("Machine", ", ".join(made.host.values())),
    )


REPRODUCTION = Section(
    "reproduction", "How is the result reproduced?", "Reproduce", reproduction_body
)
