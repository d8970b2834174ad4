"""A study of the prior as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from bayescluster.cli.guard import print_wide, say
from bayescluster.kit.words import group, verdict_probability
from bayescluster.studies.prior.results import PriorEstimand, PriorPart, PriorStudy
from bayescluster.studies.prior.view import (
    estimand_words,
    factor_words,
    part_words,
    range_words,
    settings_words,
    spread_words,
    unit_of,
)

WIDTH = 190
"""Room for every column, whatever the terminal: rows are not to be cut."""


def print_prior(found: PriorStudy) -> None:
    """Print the prior of every part, then what is warned of."""
    if found.synthetic:
        say("SYNTHETIC data: nothing here is evidence about real firms.")
    say(settings_words(found))
    for part in found.parts:
        name = part_words(found, part)
        if name:
            say(f"\n== {name} ==")
        _print_part(part)
    say()
    for warning in found.warnings:
        name = part_words(found, warning)
        say(f"WARNING {name + ': ' if name else ''}{warning.what}")
        say(f"  {warning.advice}")
    if not found.warnings:
        say("No warnings: the prior decides no claim and leans on none.")
    say()
    for note in found.notes:
        say(note)


def _print_part(part: PriorPart) -> None:
    _print_ranges(part)
    _print_estimands(part)
    _print_events(part)


def _print_ranges(part: PriorPart) -> None:
    _print(
        f"Expected outcome before the data: {part.outcome.label}",
        ("For", "n", "Median [90%]", "Possible", "Hard to believe"),
        [
            (
                group(row.by, row.group),
                str(row.rows),
                spread_words(row.spread, unit_of(part)),
                row.possible,
                f"{range_words(row)}{' (' + row.implausible + ')' if row.implausible else ''}",
            )
            for row in part.ranges
        ],
    )


def _print_estimands(part: PriorPart) -> None:
    _print(
        "Estimands before the data, at the default levels",
        ("What", "For", "Median [90%]", "Above 0"),
        [
            (
                estimand_words(row),
                group(row.by, row.group),
                spread_words(row.spread, unit_of(part), change=row.kind != "corner"),
                "-" if row.positive is None else verdict_probability(row.positive),
            )
            for row in part.estimands
            if _told(row)
        ],
    )


def _print_events(part: PriorPart) -> None:
    _print(
        "Declared hypotheses before the data",
        ("Claim", "For", "Prior", "To support", "To reject", "Before the data"),
        [
            (
                event.title,
                group(event.by, event.group),
                verdict_probability(event.probability),
                factor_words(event.to_support),
                factor_words(event.to_reject),
                event.outlook.replace("_", " "),
            )
            for event in part.events
        ],
    )


def _told(row: PriorEstimand) -> bool:
    """Effects and cross differences by industry, corners over all firms; the page has the rest."""
    if row.scope != "observed" or row.at_least is not None or row.kind == "contrast":
        return False
    return row.kind != "corner" or row.by == "all"


def _print(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        print_wide(title, heads, rows, WIDTH)
