"""Probabilities of causation: what they assume, their bounds, and what confounding they bear."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from markupsafe import Markup

from bayescluster.hypotheses.causes.sensitivity import WEAK
from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.confounding_plot import CONFOUNDING
from bayescluster.report.sections.causes_confounding import (
    benchmarks,
    comparison,
    overturning,
    ratios,
    weakest,
)
from bayescluster.report.sections.record import (
    Cell,
    Section,
    Table,
    columns,
    figures,
    group_cell,
    groups_in,
    rows,
)
from bayescluster.results.causes import (
    BothArms,
    CauseBounds,
    CausesResults,
    CauseVerdict,
    ContrastRow,
    DegreeRow,
)
from bayescluster.results.model import Results

OF = {
    "all": "all that the model holds",
    "human_capital": "human capital alone",
    "social_capital": "social capital alone",
}


def body(results: Results) -> Markup:
    """Assumptions first, then bounds, verdicts, confounding, degrees, and the experiment."""
    found = results.causes
    assert found is not None
    return filled(
        "causes.html.j2",
        found=found,
        weak=WEAK,
        contrasts=[_contrast(list(some)) for _, some in groupby(found.contrasts, _by_contrast)],
        verdicts=_verdicts(found),
        overturning=overturning(found),
        benchmarks=benchmarks(found),
        ratios=ratios(found),
        weakest=weakest(found),
        degrees=_degrees(found),
        arms=_arms(found.arms) if found.arms else None,
        figures=figures(results, CONFOUNDING),
    )


def _by_contrast(row: ContrastRow) -> str:
    return row.contrast


def _contrast(found: list[ContrastRow]) -> Table:
    first = found[0]
    return Table(
        comparison(first),
        columns("Group", "#With", "#Without", "#PN", "#PS", "#PNS"),
        rows(
            (
                group_cell(row.by, row.group),
                Cell(words.plain(row.exposed), f"{words.firms(row.support)} near, at least"),
                Cell(words.plain(row.unexposed)),
                bounds(row.pn),
                bounds(row.ps),
                bounds(row.pns),
            )
            for row in found
        ),
        f"Low and high: {first.declared}; {words.SCOPES.get(first.scope, first.scope)}."
        + _against(found),
        folded=""
        if first.contrast in ("human_given_high", "social_given_high")
        else comparison(first),
    )


def _against(found: list[ContrastRow]) -> str:
    """Say where the posterior speaks against monotonicity."""
    some = [row for row in found if row.against_monotonicity >= 0.05]
    if not some:
        return ""
    listed = "; ".join(
        f"{words.group(row.by, row.group)} {words.probability(row.against_monotonicity)}"
        for row in some
    )
    return f" Probability that the outcome is less frequent with the exposure: {listed}."


def bounds(found: CauseBounds) -> Cell:
    """Bounds by their means; the interval that holds both, and what monotonicity would add, below."""
    low, high = words.fixed(found.lower.mean, 2), words.fixed(found.upper.mean, 2)
    note = f"90% {words.fixed(found.lower.low, 2)} to {words.fixed(found.upper.high, 2)}"
    if found.point is not None:
        ends = (words.fixed(end, 2) for end in (found.point.low, found.point.high))
        note += f"; monotone {words.fixed(found.point.mean, 2)} [{', '.join(ends)}]"
    return Cell(f"{low} to {high}", note)


def _verdicts(found: CausesResults) -> Table:
    shown = any(one.with_monotonicity is not None for one in found.verdicts)
    return Table(
        "What the bounds say of the claims",
        columns(
            "Claim and group",
            "#Bounds",
            "#P(wholly in the region)",
            "#P(partly in it)",
            "#Prior",
            "Verdict",
            *(("With monotonicity",) if shown else ()),
        ),
        rows(
            row
            for _, some in groupby(found.verdicts, lambda one: one.claim)
            for row in _claim(list(some), shown=shown)
        ),
        "; ".join(dict.fromkeys(f"{one.claim}: {one.quantity}" for one in found.verdicts)) + ".",
    )


def _claim(some: list[CauseVerdict], *, shown: bool) -> Iterator[tuple[Cell, ...]]:
    """A claim, then its groups."""
    first = some[0]
    blank = (Cell(""),) * (6 if shown else 5)
    yield Cell(f"{first.claim}: {first.title}", first.region, "head"), *blank
    for one in some:
        verdict = f"{words.ICONS[one.verdict]}\u00a0{words.VERDICTS[one.verdict]}"
        pointed = Cell(words.VERDICTS.get(one.with_monotonicity or "", words.NONE))
        yield (
            Cell(words.group(one.by, one.group), look="inside"),
            bounds(one.bounds),
            Cell(words.verdict_probability(one.probability)),
            Cell(words.verdict_probability(one.possible)),
            Cell(words.verdict_probability(one.prior_probability)),
            Cell(verdict, _why(one)),
            *((pointed,) if shown else ()),
        )


def _why(one: CauseVerdict) -> str:
    """What stopped a verdict, where it was not the bounds themselves."""
    return one.reason if "posterior" not in one.reason else ""


DEGREES = {
    "necessity": "Of firms below the mean probability of their group: how far below, as a share of it.",
    "sufficiency": "Of firms above that mean: how far above, as a share of the way to 1. One capital "
    "alone: firms differ in it only, all else averaged over their group.",
}
"""What each degree is."""


def _degrees(found: CausesResults) -> tuple[Table, ...]:
    made: list[DegreeRow] = list(found.degrees)
    of_group = {(row.of, row.by, row.group): row for row in made}
    kinds = dict.fromkeys(row.of for row in made)
    return tuple(
        Table(
            f"Degree of {name} of",
            columns("Group", *(f"#{OF[kind]}" for kind in kinds)),
            rows(
                (
                    group_cell(by, group),
                    *(words.plain(getattr(of_group[kind, by, group], name)) for kind in kinds),
                )
                for by, group in groups_in(made)
            ),
            note,
        )
        for name, note in DEGREES.items()
    )


def _arms(found: BothArms) -> Table:
    parts = (("PN", found.pn), ("PS", found.ps), ("PNS", found.pns))
    return Table(
        f"With the experiment on {found.capital.replace('_', ' ')}",
        columns("", "#Bounds"),
        rows((name, bounds(part)) for name, part in parts if part is not None),
        f"Sharp bounds from both arms; {found.exposure}. The arms can be of one population in "
        f"{words.share(found.kept)} of the draws, and the bounds are of these. {found.note}",
    )


CAUSES = Section(
    "causes",
    "Probabilities of causation",
    "Causes",
    body,
    wanted=lambda results: results.causes is not None,
)
