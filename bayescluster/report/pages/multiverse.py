"""The page of a multiverse: which choice flips which verdict, and how effects move."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import groupby
from typing import NamedTuple

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.specification_plot import (
    Curve,
    curves_of,
    specification_alternative,
    specification_plot,
)
from bayescluster.report.figures.svg import Drawn, inline
from bayescluster.report.pages.multiverse_words import (
    DIMENSIONS,
    DISCLAIMER,
    KEY,
    STATUS,
    flips_of,
    flips_words,
    heading,
    name_of,
    range_words,
    run_words,
    sampler_words,
    shown,
    told,
)
from bayescluster.report.sections.record import Cell, Table, columns, rows
from bayescluster.report.spreadsheet import harmless
from bayescluster.results.multiverse import Answer, ClaimRow, Multiverse, Universe

NO_BREAK = "\u00a0"


class MatrixCell(NamedTuple):
    """An answer in the matrix: what stands there, what it says in full, and how it looks."""

    text: str
    full: str
    look: str


class MatrixRow(NamedTuple):
    """A claim for one group; ``title`` stands where a new claim begins."""

    title: str
    group: str
    cells: tuple[MatrixCell, ...]


def page_text(found: Multiverse) -> str:
    """Write the page."""
    return str(
        filled(
            "multiverse.html.j2",
            found=found,
            heading=heading(found),
            flips=flips_words(found),
            disclaimer=DISCLAIMER,
            key=KEY,
            sampler=sampler_words(found),
            choices=_choices(found),
            matrix=tuple(_matrix(found)),
            claims=_claims(found),
            figures=tuple(_figure(found, curve, k) for k, curve in enumerate(curves_of(found))),
            universes=_universes(found),
        )
    )


def _choices(found: Multiverse) -> Table | None:
    if not found.choices:
        return None
    return Table(
        "How much hangs on each choice",
        columns(
            "Choice", "What it is", "#Flips", "#Supported to rejected, or back", "Claims that flip"
        ),
        rows(
            (
                Cell(row.choice.name, DIMENSIONS.get(row.choice.dimension, row.choice.dimension)),
                row.choice.words,
                Cell(flips_of(row), _passed(row.passed, row.universes)),
                str(row.turned) if row.compared else words.NONE,
                "; ".join(row.claims) or words.NONE,
            )
            for row in sorted(found.choices, key=lambda row: -row.flips)
        ),
        "Flips are counted over claims with a verdict both in the analysis as it is and with the choice.",
    )


def _passed(passed: int, universes: int) -> str:
    if passed == universes:
        return ""
    return (
        "did not pass"
        if universes == 1
        else f"{universes - passed} of {universes} without verdicts"
    )


def _matrix(found: Multiverse) -> Iterator[MatrixRow]:
    for title, claims in groupby(found.claims, key=name_of):
        for k, claim in enumerate(claims):
            base = claim.answers[0]
            cells = tuple(
                MatrixCell(shown(answer), told(answer, base), _look(answer))
                for answer in claim.answers
            )
            group = words.GROUPED["all"] if claim.by == "all" else claim.group
            yield MatrixRow("" if k else title, group, cells)


def _look(answer: Answer) -> str:
    parts: list[str] = [answer.verdict or "silent"]
    if answer.flip:
        parts.append("near" if answer.near else "flip")
    return " ".join(parts)


def _claims(found: Multiverse) -> tuple[Table, ...]:
    """Claims that flip somewhere, and below them, folded away, those that hold."""
    flipped = [claim for claim in found.claims if claim.flips]
    held = [claim for claim in found.claims if not claim.flips]
    words_of_held = f"{len(held)} claims that flip in no universe"
    tables = [_claim_table("Claims that flip", flipped)] if flipped else []
    if held:
        tables.append(_claim_table("Claims that do not flip", held, folded=words_of_held))
    return tuple(tables)


def _claim_table(caption: str, claims: Sequence[ClaimRow], folded: str = "") -> Table:
    return Table(
        caption,
        columns("Claim", "Declared region", "As declared", "#Probability", "Over the universes"),
        rows(
            (
                Cell(name_of(claim), "" if claim.by == "all" else claim.group),
                Cell(claim.region, f"supported from {words.share(claim.level)}"),
                shown(claim.answers[0]).replace(" ", NO_BREAK),
                range_words(claim),
                claim.words,
            )
            for claim in claims
        ),
        "Probability: the least and the largest over the universes that passed their checks.",
        folded,
    )


def _universes(found: Multiverse) -> Table:
    return Table(
        "Universes and their fits",
        columns(
            "Universe", "What it is", "Checks", "#Flips", "#Rows", "#Largest R-hat", "#Divergences"
        ),
        rows(
            (
                Cell(one.name, one.run),
                "; ".join(choice.words for choice in one.choices) or "the analysis as it is",
                Cell(STATUS[one.status], run_words(one)),
                f"{one.flips} of {one.compared}" if one.compared else words.NONE,
                words.count(one.rows),
                words.rhat(one.rhat),
                words.count(one.divergences),
            )
            for one in found.universes
        ),
        "The largest R-hat is that of effects and of what verdicts rest on; folders are those of the runs.",
    )


def _figure(found: Multiverse, curve: Curve, number: int) -> Drawn:
    name = f"specification-{number}-{curve.capital.replace('_', '-')}"
    label = specification_alternative(curve)
    caption = (
        f"{words.label(curve.capital)}: average marginal effect over all firms ({curve.scale}) in each "
        f"universe that passed its checks, with {words.share(found.interval)} intervals, sorted. Dots "
        "below say which choices were made otherwise; the filled mark is the analysis as it is. A step "
        "of a capital is one of the capital as it is measured there. Universes share most of their "
        "firms: the spread of the points is no standard error."
    )
    try:
        wide = inline(specification_plot(curve), f"{name}-wide", label)
        narrow = inline(specification_plot(curve, narrow=True), f"{name}-narrow", label)
    except ValueError as error:
        return Drawn(name, caption, Markup(), Markup(), str(error))
    return Drawn(name, caption, wide, narrow, "")


CLAIM = ("kind", "capital", "by", "group", "scope", "at_least", "title", "level")
ANSWER = ("status", "verdict", "probability", "mcse", "prior_probability", "flip", "near")


def csv_text(found: Multiverse) -> str:
    """Write every answer, one row a claim and universe; a missing value is an empty cell."""
    named = {one.name: one for one in found.universes}
    lines = (
        [
            *(getattr(claim, name) for name in CLAIM),
            answer.universe,
            _choice_text(named[answer.universe]),
            *(getattr(answer, name) for name in ANSWER),
            claim.answers[0].verdict,
            answer.region,
        ]
        for claim in found.claims
        for answer in claim.answers
    )
    heads = [*CLAIM, "universe", "choices", *ANSWER, "verdict_as_declared", "region"]
    return _csv(heads, lines)


def effects_csv_text(found: Multiverse) -> str:
    """Write the effects, one row a capital and universe, on the scale of the outcome."""
    named = {one.name: one for one in found.universes}
    estimate = ("mean", "sd", "low", "high", "mcse", "rhat", "ess_bulk", "ess_tail")
    lines = (
        [
            *(point.capital, point.universe, _choice_text(named[point.universe])),
            *(point.scale, point.rows),
            *(getattr(point.estimate, name) for name in estimate),
            point.positive,
        ]
        for point in found.effects
    )
    return _csv(["capital", "universe", "choices", "scale", "rows", *estimate, "positive"], lines)


def _choice_text(universe: Universe) -> str:
    return "; ".join(choice.words for choice in universe.choices)


def _csv(heads: list[str], lines: Iterator[list[object]]) -> str:
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(heads)
    for line in lines:
        writer.writerow(["" if cell is None else harmless(cell) for cell in line])
    return buffer.getvalue()
