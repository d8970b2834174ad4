"""The model in words and symbols, with every coefficient beside its prior."""

from __future__ import annotations

from markupsafe import Markup

from bayescluster.checks.thresholds import GAIN_SMALL, SUBSTITUTION_FLAT
from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.sections.record import Cell, Section, Table, columns, rows
from bayescluster.results.identification import CornerWeight, Identification
from bayescluster.results.model import GroupingFacts, Results

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
        groupings=_groupings(results),
        coefficients=_coefficients(results),
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
                Cell(words.group(by, group), look="head" if by == "all" else ""),
                *(words.plain(corners[corner].firms) for corner in words.CORNERS),
            )
            for (by, group), corners in by_group.items()
        ),
        "Sum over firms of the weight that the gates give the corner. A corner with few firms behind "
        "it is known from its prior.",
    )


def _groupings(results: Results) -> Table:
    return Table(
        "What varies by group",
        columns("Grouping", "#Groups", "Terms that vary", "Centred", "Effects of one group"),
        rows(_grouping(found) for found in results.model.groupings),
        results.model.group_effect_prior,
    )


def _grouping(found: GroupingFacts) -> tuple[str, ...]:
    return (
        words.label(found.name),
        words.count(found.groups),
        ", ".join(words.label(term).lower() for term in found.terms) or words.NONE,
        ", ".join(words.label(term).lower() for term in found.centred) or "none",
        "correlated" if found.correlated else "independent",
    )


def _coefficients(results: Results) -> Table:
    found = []
    block = ""
    for one in results.model.coefficients:
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
        f"Coefficients on the {results.model.link} scale, inputs standardised",
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


MODEL = Section("model", "The model and its priors", "Model", body)
