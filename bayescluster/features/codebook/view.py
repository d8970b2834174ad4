"""A codebook on the terminal, as a page and as tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from bayescluster.features.codebook.results import (
    CapitalFacts,
    Codebook,
    CodebookColumn,
    CodebookGroup,
    Concern,
    CornerFacts,
    IndicatorFacts,
    LostRows,
)
from bayescluster.kit.page import filled
from bayescluster.kit.table import JOINED, Cell, Column, Table, View, number
from bayescluster.kit.words import NONE
from bayescluster.lookup import counted

WHOLE: Final = 1000
"""Amounts from this are written without decimals."""


def _amount(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:,.0f}" if abs(value) >= WHOLE else f"{value:.4g}"


def _share(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def views(codebook: Codebook) -> Iterator[View[Any]]:
    """Concerns, columns, groups, rows lost, capitals, indicators and corners."""
    yield from (view(codebook) for view in VIEWS)


def _concerns(codebook: Codebook) -> View[Concern]:
    """What looks wrong, and what to do."""
    return View(
        "concerns",
        Concern,
        "What looks wrong",
        (
            Column("Column", lambda row: row.columns),
            Column("What", "what"),
            Column("What to do", "advice"),
        ),
        codebook.concerns,
    )


def _columns(codebook: Codebook) -> View[CodebookColumn]:
    """What each column holds, with its role."""
    return View(
        "columns",
        CodebookColumn,
        _title(codebook),
        (
            Column("Column", "column"),
            Column("Role", "role"),
            Column("Holds", "kind"),
            number("n", "answered"),
            number("Missing", "missing", look=lambda row: "bad" if row.missing else ""),
            number("Distinct", "distinct"),
            number("Low", "low", _amount),
            number("Median", "median", _amount),
            number("High", "high", _amount),
            Column("", "histogram"),
            Column("Values", "common", lambda text: Cell("", text)),
        ),
        codebook.columns,
    )


def _title(codebook: Codebook) -> str:
    return "Columns" + (" (roles are guessed from names)" if codebook.guessed else "")


def _groups(codebook: Codebook) -> View[CodebookGroup]:
    """Industries, with their firms and clusters."""
    return View(
        "groups",
        CodebookGroup,
        "Industries and clusters",
        (
            Column("Industry", "industry"),
            number("Rows", "rows"),
            number("Firms", "firms"),
            number("Clusters", "clusters", lambda value: NONE if value is None else str(value)),
            Column("Smallest cluster (rows)", "smallest"),
        ),
        codebook.groups,
    )


def _lost_rows(codebook: Codebook) -> View[LostRows]:
    """Rows that lack an answer, by what they lack."""
    return View(
        "lost_rows",
        LostRows,
        "Rows that lack an answer the analysis needs",
        (
            Column("Column", "variable"),
            number("Rows that lack it", "rows"),
            number("and nothing else", "only"),
        ),
        codebook.lost,
        "A row may lack several: the numbers of rows do not add up to the rows lost.",
    )


def _capitals(codebook: Codebook) -> View[CapitalFacts]:
    """Each capital before a fit."""
    return View(
        "capitals",
        CapitalFacts,
        "Capitals",
        (
            Column("Capital", "capital"),
            number("Indicators", "indicators"),
            number("Reliability", "reliability", _share),
            number("Share between clusters", "between", _share),
            number(
                "Rows near low", "near_low", lambda value: NONE if value is None else str(value)
            ),
            number("near high", "near_high", lambda value: NONE if value is None else str(value)),
        ),
        codebook.capitals,
        "Low and high are the 0.1 and 0.9 quantile; near is within half a standard deviation. Where "
        "much of a capital lies between clusters, its effect is in part one of clusters.",
    )


def _indicators(codebook: Codebook) -> View[IndicatorFacts]:
    """Each indicator among those of its capital."""
    return View(
        "indicators",
        IndicatorFacts,
        "Indicators",
        (
            Column("Indicator", "indicator"),
            Column("Capital", "capital"),
            number("Correlation with the others", "item_rest", _share),
        ),
        codebook.indicators,
    )


AROUND: Final = {
    "both_low": "Both low",
    "human_only": "Only human high",
    "social_only": "Only social high",
    "both_high": "Both high",
}


def _corners(codebook: Codebook) -> View[CornerFacts]:
    """Firms around each corner of the two capitals."""
    levels = "; ".join(dict.fromkeys(one.levels for one in codebook.corners))
    needed = ", ".join(dict.fromkeys(f"{one.least:g}" for one in codebook.corners if one.least))
    around: list[Column[CornerFacts]] = [
        number(label, field, "{:.1f}".format) for field, label in AROUND.items()
    ]
    return View(
        "corners",
        CornerFacts,
        "Firms around each corner of the two capitals",
        (
            Column("Of", lambda row: "all firms" if row.by == "all" else row.group),
            *around,
            Column(
                "Fewer than claims need",
                lambda row: JOINED.join(AROUND[field].lower() for field in row.thin),
            ),
        ),
        codebook.corners,
        f"Low and high: {levels}. Effective numbers: a firm counts the less, the farther it is from the "
        "corner." + (f" Claims need {needed}." if needed else ""),
    )


VIEWS: Final = (_concerns, _columns, _groups, _lost_rows, _capitals, _indicators, _corners)


SHORT: Final = {"whole numbers": "whole", "yes or no (0, 1)": "0/1", "labelled codes": "codes"}
"""Kinds of columns in a terminal."""
MOST_SIGNS: Final = 34
"""Signs of the values of a column in a terminal."""


MOST_COLUMNS: Final = 40
"""Columns that a terminal shows."""
MOST_GROUPS: Final = 20
"""Industries that a terminal shows: the smallest."""


def _shown(codebook: Codebook) -> tuple[CodebookColumn, ...]:
    """Columns for a terminal: of many those with a role, then those that look wrong, then the first."""
    wrong = {name for one in codebook.concerns for name in (one.column, *one.others)}
    ranked = sorted(codebook.columns, key=lambda row: (not row.role, row.column not in wrong))
    kept = {row.column for row in ranked[:MOST_COLUMNS]}
    return tuple(row for row in codebook.columns if row.column in kept)


def _fewest(codebook: Codebook) -> tuple[CodebookGroup, ...]:
    """The smallest industries, in their order."""
    kept = {row.industry for row in sorted(codebook.groups, key=lambda row: row.rows)[:MOST_GROUPS]}
    return tuple(row for row in codebook.groups if row.industry in kept)


def _narrow(codebook: Codebook) -> View[CodebookColumn]:
    """The columns for a terminal: range or values in one cell."""
    shown = _shown(codebook)
    told = any(row.description for row in shown)
    return View(
        "columns",
        CodebookColumn,
        _title(codebook),
        (
            Column("Column", "column"),
            *([Column[CodebookColumn]("Description", "description")] if told else ()),
            Column("Role", "role", lambda role: role.replace("indicator of ", "")),
            Column("Holds", "kind", lambda kind: SHORT.get(kind, kind)),
            number("n", "answered"),
            number("Missing", "missing"),
            Column("Values", _values),
            Column("", "histogram"),
        ),
        shown,
    )


def _values(row: CodebookColumn) -> str:
    if row.common and (row.low is None or len(row.common) <= MOST_SIGNS):
        return row.common if len(row.common) <= MOST_SIGNS else f"{row.common[: MOST_SIGNS - 1]}…"
    if row.low is None:
        return f"{row.distinct} different"
    return f"{_amount(row.low)} to {_amount(row.high)}, median {_amount(row.median)}"


def printed(codebook: Codebook) -> Iterator[str | Table]:
    """Write the codebook for the terminal."""
    yield f"{codebook.table}: {counted(codebook.rows, 'row')}, {counted(len(codebook.columns), 'column')}"
    if codebook.usable is not None:
        lost = codebook.rows - codebook.usable
        left_out = f", {lost:,} {'is' if lost == 1 else 'are'} left out" if lost else ""
        yield f"the analysis uses {counted(codebook.usable, 'row')}{left_out}"
    yield from codebook.notes
    yield from (f"FAULT {fault}" for fault in codebook.faults)
    for view in views(codebook):
        if view.name == "columns":
            yield _narrow(codebook).table
            yield from _left_out(len(codebook.columns) - MOST_COLUMNS, "columns")
        elif view.name == "groups" and len(view.rows) > MOST_GROUPS:
            yield replace(view, rows=_fewest(codebook)).table
            yield from _left_out(len(view.rows) - MOST_GROUPS, "industries, larger ones")
        elif view.rows:
            yield view.table
    if not codebook.concerns:
        yield "\nNothing looks wrong."


def _left_out(more: int, what: str) -> Iterator[str]:
    if more > 0:
        yield f"and {more} more {what}: `--out PAGE.html` writes them all"


def page_text(codebook: Codebook) -> str:
    """Write the codebook as a page."""
    tables = [(view.name, view.table) for view in views(codebook) if view.rows]
    return str(filled("codebook.html.j2", codebook=codebook, tables=tables))
