"""A comparison of runs as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten

from bayescluster.cli.guard import print_wide, say
from bayescluster.kit.words import NONE, group, label, verdict_probability
from bayescluster.studies.compare.results import Compared
from bayescluster.studies.compare.view import (
    STANDINGS,
    difference_words,
    effect_words,
    lead,
    of_kind,
    pair_words,
    setting_words,
    synthetic_words,
    verdict_words,
)

MEASURE = "average_marginal_effect"
WIDEST = 60
"""Longest value of a setting that is printed whole: the page has them all."""


def print_compared(found: Compared) -> None:
    """Print what differs in the analyses, effects and verdicts side by side, differences, and what to be wary of."""
    if found.synthetic:
        say(f"SYNTHETIC data. {synthetic_words(found)}")
    for run in found.failed:
        say(f"The diagnostics gate of {run.label} FAILED: nothing it says can be relied on.")
    names = [run.label for run in found.runs]
    _print_settings(found)
    _print(
        "Average marginal effects, with 90% intervals",
        ("For", "Capital", *names),
        [
            (
                group(row.by, row.group),
                label(row.capital),
                *(effect_words(*pair) for pair in zip(found.runs, row.estimates, strict=True)),
            )
            for row in found.effects
            if row.measure == MEASURE
        ],
    )
    _print(
        "Verdicts",
        ("Claim", "For", *names),
        [
            (
                row.title if row.scope == "observed" else f"{row.title} ({row.scope})",
                group(row.by, row.group),
                *(verdict_words(told) for told in row.told),
            )
            for row in found.verdicts
        ],
    )
    _print_differences(found)
    say()
    for text in found.warnings:
        say(f"WARNING {text}")
    for text in found.notes:
        say(text)


def _print_settings(found: Compared) -> None:
    """Print settings of model, claims and sampling that differ; names and texts are but counted."""
    say(lead(found))
    kinds = {"model": "model", "claims": "claims", "sampling": "draws"}
    _print(
        "What differs between the analyses",
        ("Changes", "Setting", *(run.label for run in found.runs)),
        [
            (
                kinds[row.changes],
                row.place,
                *(shorten(setting_words(value), WIDEST, placeholder=" …") for value in row.values),
            )
            for row in found.settings
            if row.changes in kinds
        ],
    )
    texts = len(of_kind(found, "report"))
    if texts:
        say(f"{texts} more that change neither (names, texts): see the report.")


def _print_differences(found: Compared) -> None:
    say()
    for pair in found.pairs:
        say(f"{pair_words(found, pair)}: {STANDINGS[pair.standing]}; {pair.why}")
    _print(
        "Differences of average marginal effects",
        ("Pair", "For", "Capital", "Difference", "Above 0"),
        [
            (
                pair_words(found, row),
                group(row.by, row.group),
                label(row.capital),
                difference_words(found, row),
                NONE if row.positive is None else verdict_probability(row.positive),
            )
            for row in found.differences
            if row.measure == MEASURE
        ],
    )


def _print(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        # room for every column, whatever the terminal: rows are not to be cut
        print_wide(title, heads, rows, 100 + 34 * len(heads))
