"""A design analysis as tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from bayescluster.cli.guard import say
from bayescluster.studies.design_analysis.results import DesignAnalysis, DesignRow, SizeFacts
from bayescluster.studies.design_analysis.view import (
    FORM_WORDS,
    GROUP_WORDS,
    RIGHT,
    failure_words,
    needed_words,
    settings_words,
    size_words,
    times_words,
    tradition_words,
)
from bayescluster.studies.design_analysis.view import triple as triple_of


def print_design(found: DesignAnalysis) -> None:
    """Print how often each verdict is right, size by size, then what it would need."""
    if found.synthetic:
        say("SYNTHETIC data: nothing here is evidence about real firms.")
    say(settings_words(found))
    say(
        "In the tables: right / wrong / undecided, in per cent of verdicts, and how often the claim is "
        f"true over all true forms. {RIGHT}"
    )
    for size in found.sizes:
        for fitted in found.fitted:
            _print_size(found, size, fitted)
    _print_failures(found)
    _print_needed(found)
    say()
    for note in found.notes:
        say(note)


def _print_size(found: DesignAnalysis, size: SizeFacts, fitted: str) -> None:
    from rich.console import Console
    from rich.table import Table

    rows = [
        row
        for row in found.rows
        if (row.firms_times, row.clusters_times) == (size.firms_times, size.clusters_times)
        and row.fitted == fitted
    ]
    truths = list(dict.fromkeys(row.truth for row in rows))
    title = f"\n{size_words(size)} ({times_words(size)}), refitted as {fitted}; by true form:"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("Claim")
    table.add_column("Read by")
    table.add_column("True", justify="right")
    for truth in truths:
        table.add_column(FORM_WORDS.get(truth, truth), justify="right", no_wrap=True)
    for name, mine in _by_claim(rows).items():
        title, by, tradition, _ = name
        cells = [_cell(mine, truth) for truth in truths]
        table.add_row(
            f"{title}, {GROUP_WORDS[by]}", tradition_words(tradition), _true(mine), *cells
        )
    Console(highlight=False, markup=False, width=_width(len(truths))).print(table)


def _width(columns: int) -> int:
    """Room for every column, whatever the terminal: rows are not to be cut."""
    return 90 + 16 * columns


def _by_claim(rows: Sequence[DesignRow]) -> dict[tuple[str, str, str, str], list[DesignRow]]:
    found: dict[tuple[str, str, str, str], list[DesignRow]] = {}
    for row in rows:
        found.setdefault((row.title, row.by, row.tradition, row.claim), []).append(row)
    return found


def _true(rows: Sequence[DesignRow]) -> str:
    """How many of the verdicts are on what is true, over all true forms, in per cent."""
    last = rows[-1]  # all forms stand last
    return f"{100 * last.true / last.verdicts:.0f}%"


def _cell(rows: Sequence[DesignRow], truth: str) -> str:
    return next((triple_of(row) for row in rows if row.truth == truth), "-")


def _print_failures(found: DesignAnalysis) -> None:
    for failure in found.failures:
        text = failure_words(failure)
        if text:
            say(f"  {failure.firms_times:g} x firms, {failure.clusters_times:g} x clusters: {text}")


def _print_needed(found: DesignAnalysis) -> None:
    if not found.needed:
        return
    say("\nHow many would be needed, over all true forms")
    for row in found.needed:
        name = f"{row.title}, {GROUP_WORDS[row.by]} ({tradition_words(row.tradition).lower()}"
        more = f", as {row.fitted})" if len(found.fitted) > 1 else ")"
        say(f"  {name}{more}: {needed_words(row, found.enough)}")
