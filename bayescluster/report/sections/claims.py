"""The claims table: every claim, read by four traditions side by side."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.claims_plot import CLAIMS_MATRIX
from bayescluster.report.sections.record import Section, figures
from bayescluster.results.claims import TRADITIONS, ClaimRow, Reading, Tradition
from bayescluster.results.model import Results


class ReadingCell(NamedTuple):
    """What one tradition says, as texts; ``verdict`` is empty where it is silent."""

    verdict: str
    probability: str
    prior: str
    figure: str
    quantity: str
    behind: str
    note: str


class GroupRow(NamedTuple):
    """One group: a cell a tradition, and what they say together."""

    group: str
    cells: tuple[ReadingCell, ...]
    words: str
    disagreement: str


class ClaimTable(NamedTuple):
    """One claim: the regions that decide it, and its groups."""

    anchor: str
    title: str
    regions: tuple[tuple[str, str], ...]
    rows: tuple[GroupRow, ...]


def body(results: Results) -> Markup:
    """Matrix of all readings, then a table a claim."""
    found = results.claims
    if found is None:
        return Markup()
    return filled(
        "claims.html.j2",
        results=results,
        traditions=TRADITIONS,
        level=words.share(found.level),
        tables=tables_of(found.rows),
        figures=figures(results, CLAIMS_MATRIX),
    )


def tables_of(rows: Sequence[ClaimRow]) -> tuple[ClaimTable, ...]:
    """Rows by claim, in the order of the table."""
    return tuple(
        _table(claim, list(some)) for claim, some in groupby(rows, key=attrgetter("claim"))
    )


def _table(claim: str, rows: Sequence[ClaimRow]) -> ClaimTable:
    regions = {
        reading.tradition: _shared([r for row in rows for r in row.readings], reading.tradition)
        for row in rows
        for reading in row.readings
    }
    return ClaimTable(
        f"reading-{claim.lower()}",
        rows[0].title,
        tuple((TRADITIONS[name], region) for name, region in regions.items()),
        tuple(_row(row) for row in rows),
    )


def _shared(readings: Sequence[Reading], tradition: Tradition) -> str:
    """Region of a tradition; where it differs between groups, each of them once."""
    found = dict.fromkeys(one.region for one in readings if one.tradition == tradition)
    return "; or ".join(found)


def _row(row: ClaimRow) -> GroupRow:
    spoken = {reading.tradition: reading for reading in row.readings}
    return GroupRow(
        words.group(row.by, row.group),
        tuple(_cell(spoken.get(name), row.silent.get(name, "")) for name in TRADITIONS),
        row.words,
        row.disagreement,
    )


def _cell(reading: Reading | None, silent: str) -> ReadingCell:
    if reading is None:
        return ReadingCell("", "", "", "", "", "", silent)
    return ReadingCell(
        reading.verdict,
        "" if reading.probability is None else words.verdict_probability(reading.probability),
        ""
        if reading.prior_probability is None
        else words.verdict_probability(reading.prior_probability),
        "" if reading.estimate is None else words.plain(reading.estimate),
        reading.quantity,
        reading.behind,
        reading.reason,
    )


CLAIMS = Section(
    "claims",
    "The same claims in four traditions",
    "Four traditions",
    body,
    lambda results: results.claims is not None and bool(results.claims.rows),
)
