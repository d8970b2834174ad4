"""A study of the prior as a page and as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import groupby
from operator import attrgetter

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.svg import Drawn
from bayescluster.report.pages.prior_figures import EFFECTS, prior_figures
from bayescluster.report.pages.prior_words import (
    estimand_words,
    factor_words,
    factors_note,
    part_words,
    range_words,
    spread_words,
    unit_of,
)
from bayescluster.report.sections.record import Cell, Table, columns, rows
from bayescluster.report.spreadsheet import harmless
from bayescluster.results.prior import PriorEstimand, PriorEvent, PriorPart, PriorStudy

OUTLOOK = {
    "decided_for": "prior supports",
    "decided_against": "prior rejects",
    "leans_for": "leans for",
    "leans_against": "leans against",
    "open": "open",
}


def page_text(found: PriorStudy) -> str:
    """Write the page: warnings, claims, estimands and outcomes, a part for each form and equation."""
    return str(
        filled(
            "prior.html.j2",
            found=found,
            parts=[
                (part, f"part-{k + 1}", part_words(found, part), _body(found, part, k))
                for k, part in enumerate(found.parts)
            ],
            warned=[(part_words(found, warning), warning) for warning in found.warnings],
        )
    )


def _body(
    found: PriorStudy, part: PriorPart, position: int
) -> dict[str, list[Drawn] | list[Table]]:
    tables = [
        *_claims(found, part),
        *_effects(part),
        *_corners(part),
        _outcomes(part),
        _predictive(part),
        _priors(part),
    ]
    return {
        "figures": list(prior_figures(found, part, position)),
        "tables": [table for table in tables if table.rows],
    }


def _claims(found: PriorStudy, part: PriorPart) -> Iterator[Table]:
    """A table a claim; what the factors are stands below the last."""
    for _, events in groupby(part.events, key=attrgetter("claim")):
        kept = list(events)
        first, last = kept[0], kept[-1] is part.events[-1]
        regions = dict.fromkeys(event.region for event in kept)
        scope = "" if first.scope == "observed" else f" Scope: {words.SCOPES[first.scope]}."
        yield Table(
            f"{first.title}: before the data",
            columns(
                "For",
                "#Prior probability",
                "Before the data",
                "#To support",
                "#To reject",
                "Turns most on",
            ),
            rows(_claim(event) for event in kept),
            f"Region: {'; '.join(regions) if len(regions) < 3 else _first(regions)}.{scope}"
            + (f" {factors_note(found)}" if last else ""),
        )


def _first(regions: Iterable[str]) -> str:
    return f"{next(iter(regions))}, and so on"


def _claim(event: PriorEvent) -> tuple[Cell | str, ...]:
    decided = event.outlook.startswith("decided")
    return (
        words.group(event.by, event.group),
        Cell(words.verdict_probability(event.probability), f"± {words.error(event.mcse)}"),
        Cell(
            OUTLOOK[event.outlook],
            event.unsupported,
            "bad" if decided else "" if event.outlook == "open" else "thin",
        ),
        factor_words(event.to_support),
        factor_words(event.to_reject),
        event.turns_on or words.NONE,
    )


def _effects(part: PriorPart) -> Iterator[Table]:
    for kind in EFFECTS:
        title = f"{words.MEASURES[kind]}, before the data"
        yield Table(
            title,
            columns("For", "Capital", "#Median [90%]", "#Above 0"),
            rows(
                (
                    words.group(row.by, row.group),
                    words.label(row.of),
                    spread_words(row.spread, unit_of(part), change=True),
                    words.probability(row.positive if row.positive is not None else 0.0),
                )
                for row in part.estimands
                if row.kind == kind
            ),
            f"Prior median and central interval, {unit_of(part).name}.",
            folded=title,
        )


def _corners(part: PriorPart) -> Iterator[Table]:
    kept: dict[tuple[str, str, str | None], list[PriorEstimand]] = {}
    for row in part.estimands:
        if row.kind not in EFFECTS:
            kept.setdefault((row.scope, row.declared, row.at_least), []).append(row)
    for (scope, declared, at_least), found in kept.items():
        reach = "" if at_least is None else f", probability of at least {at_least}"
        yield Table(
            f"Corners and cross difference before the data{reach}",
            columns("What", "For", "#Median [90%]", "#Above 0"),
            rows(
                (
                    estimand_words(row),
                    words.group(row.by, row.group),
                    spread_words(
                        row.spread, unit_of(part, at_least), change=row.kind == "cross_difference"
                    ),
                    words.NONE if row.positive is None else words.probability(row.positive),
                )
                for row in found
            ),
            f"{words.sentence(words.SCOPES[scope])} Low and high: {declared}.",
            folded=f"Corners and cross difference before the data{reach}: {declared}"
            + ("" if scope == "observed" else f", {words.label(scope).lower()}"),
        )


def _outcomes(part: PriorPart) -> Table:
    return Table(
        f"Expected outcome before the data: {part.outcome.label}",
        columns("For", "#n", "#Median [90%]", "Possible", "#Hard to believe"),
        rows(
            (
                words.group(row.by, row.group),
                words.count(row.rows),
                spread_words(row.spread, unit_of(part)),
                row.possible,
                Cell(range_words(row), row.implausible, "bad" if row.flagged else ""),
            )
            for row in part.ranges
        ),
    )


def _predictive(part: PriorPart) -> Table:
    return Table(
        "Outcomes drawn from the prior",
        columns("For", "Statistic", "#n", "#Median [90%]"),
        rows(
            (
                words.group(row.by, row.group),
                row.statistic,
                words.count(row.rows),
                spread_words(row.spread),
            )
            for row in part.predictive
        ),
        "Statistics of simulated outcomes in the unit of the column. No observed outcome stands beside "
        "them.",
        folded="Outcomes drawn from the prior: mean, spread and shares",
    )


def _priors(part: PriorPart) -> Table:
    return Table(
        "Priors of the parameters",
        columns("Parameter", "Block", "Prior", "#Mean [90%] of the draws"),
        rows(
            (row.name, row.block, row.prior, words.plain(row.estimate)) for row in part.coefficients
        ),
        f"On the scale of the model, equation {part.equation}.",
        folded="Priors of the parameters",
    )


def csv_text(found: PriorStudy) -> str:
    """Write the estimands with unrounded numbers; a missing number is an empty cell."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    names = ("kind", "of", "scope", "declared", "at_least", "by", "group")
    numbers = ("median", "low", "high", "mean")
    writer.writerow(["form", "equation", *names, *numbers, "positive"])
    for part in found.parts:
        for row in part.estimands:
            own = [harmless(getattr(row, name)) for name in names]
            values = [getattr(row.spread, name) for name in numbers]
            writer.writerow([part.form, part.equation, *own, *values, row.positive])
    return buffer.getvalue()
