"""A design analysis as a page and as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.design_plot import (
    design_alternative,
    design_plot,
    overall,
)
from bayescluster.report.figures.svg import Drawn, inline
from bayescluster.report.pages.design_words import (
    FORM_WORDS,
    GROUP_WORDS,
    failure_words,
    needed_words,
    size_words,
    times_words,
    tradition_words,
)
from bayescluster.report.sections.record import Cell, Table, columns, rows
from bayescluster.report.spreadsheet import harmless
from bayescluster.results.design_analysis import DesignAnalysis, DesignRow, Share, SizeFacts

SHARES = ("right", "wrong", "undecided", "supported_where_true", "supported_where_false")


def page_text(found: DesignAnalysis) -> str:
    """Write the page: what it would need, how often verdicts are right, and what went wrong."""
    return str(
        filled(
            "design.html.j2",
            found=found,
            needed=_needed(found),
            tables=tuple(_table(found, size, fitted) for size, fitted in _pairs(found)),
            figures=tuple(_figure(found, fitted) for fitted in found.fitted),
            failures=[text for each in found.failures if (text := failure_words(each))],
        )
    )


def _pairs(found: DesignAnalysis) -> Iterator[tuple[SizeFacts, str]]:
    for size in found.sizes:
        for fitted in found.fitted:
            yield size, fitted


def _needed(found: DesignAnalysis) -> Table | None:
    if not found.needed:
        return None
    return Table(
        "How many would be needed",
        columns("Claim", "Read by", "Refitted as", "Over all true forms"),
        rows(
            (
                f"{row.title}, {GROUP_WORDS[row.by]}",
                tradition_words(row.tradition),
                row.fitted,
                Cell(needed_words(row, found.enough), _smoothed(row.sizes, row.smoothed)),
            )
            for row in found.needed
        ),
        "Shares by size are smoothed so that they never fall; nothing is said of sizes not run.",
    )


def _smoothed(sizes: tuple[int, ...], shares: tuple[float, ...]) -> str:
    pairs = zip(sizes, shares, strict=True)
    return ", ".join(f"{words.count(size)}: {100 * share:.0f}%" for size, share in pairs)


def _table(found: DesignAnalysis, size: SizeFacts, fitted: str) -> Table:
    mine = [
        row
        for row in found.rows
        if (row.firms_times, row.clusters_times) == (size.firms_times, size.clusters_times)
        and row.fitted == fitted
    ]
    labels = ("Claim", "Read by", "True form", "#True", "#Right", "#Wrong", "#Undecided")
    return Table(
        f"{size_words(size)} ({times_words(size)}), refitted as {fitted}",
        columns(*labels, "#Supported where true", "#Supported where false"),
        rows(
            (
                Cell(f"{row.title}, {GROUP_WORDS[row.by]}", look="head" if _is_all(row) else ""),
                tradition_words(row.tradition),
                FORM_WORDS.get(row.truth, row.truth),
                f"{row.true} of {row.verdicts}",
                *(_share(getattr(row, name)) for name in SHARES),
            )
            for row in sorted(mine, key=_by_claim)
        ),
        f"Shares of verdicts with {words.share(found.interval)} binomial intervals, which count "
        "replications: groups of one replication are not independent of each other.",
    )


def _is_all(row: DesignRow) -> bool:
    return row.truth in FORM_WORDS


def _by_claim(row: DesignRow) -> tuple[str, str, str]:
    return row.tradition, row.claim, row.by


def _share(found: Share | None) -> Cell:
    if found is None:
        return Cell(words.NONE)
    return Cell(f"{100 * found.share:.0f}%", f"{100 * found.low:.0f} to {100 * found.high:.0f}")


def _figure(found: DesignAnalysis, fitted: str) -> Drawn:
    name = f"design-{fitted.replace(' ', '-')}"
    shown = overall(found, fitted)
    caption = (
        f"Verdicts over all true forms, refitted as {fitted}. Thin lines are binomial intervals of "
        f"the shares right (from the left) and wrong (from the right); the broken line is at "
        f"{words.share(found.enough)}."
    )
    label = design_alternative(shown)
    try:
        wide = inline(design_plot(found, fitted), f"{name}-wide", label)
        narrow = inline(design_plot(found, fitted, narrow=True), f"{name}-narrow", label)
    except ValueError as error:
        return Drawn(name, caption, Markup(), Markup(), str(error))
    return Drawn(name, caption, wide, narrow, "")


def csv_text(found: DesignAnalysis) -> str:
    """Write the table with unrounded numbers; a missing number is an empty cell."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    sizes = ("firms_times", "clusters_times")
    names = ("truth", "fitted", "tradition", "claim", "title", "by", "replications", "verdicts")
    parts = [f"{name}{end}" for name in SHARES for end in ("", "_low", "_high")]
    writer.writerow([*sizes, "rows", "firms", "clusters", *names, "true", *parts])
    facts = {(size.firms_times, size.clusters_times): size for size in found.sizes}
    for row in found.rows:
        size = facts[row.firms_times, row.clusters_times]
        shares = [getattr(row, name) for name in SHARES]
        numbers = [
            value
            for each in shares
            for value in ((each.share, each.low, each.high) if each else ("", "", ""))
        ]
        own = [harmless(getattr(row, name)) for name in names]
        place = [row.firms_times, row.clusters_times, size.rows, size.firms, size.clusters]
        writer.writerow([*place, *own, row.true, *numbers])
    return buffer.getvalue()
