"""The claims as other traditions read them: a matrix, and a table a claim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import blended_transform_factory

from bayescluster.kit import words
from bayescluster.kit.figure import (
    BAD,
    FIRST,
    INK,
    LINE,
    MUTED,
    NARROW,
    PAPER,
    WIDE,
    FigureError,
    FigureSpec,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.kit.page import Section, figures, filled
from bayescluster.kit.table import View
from bayescluster.results.claims import TRADITIONS, ClaimRow, Reading, Tradition
from bayescluster.results.model import Results

MOST_ROWS = 60
"""More rows than this are not drawn: the tables below hold them."""
COLOURS = dict.fromkeys(words.VERDICTS, (LINE, INK)) | {
    "supported": (FIRST, PAPER),
    "rejected": (BAD, PAPER),
}
"""Of the field, and of what is written in it."""
HEIGHT = 0.3
"""Inches a row."""
GAP = 0.7
"""Rows of space above each claim, for its title."""


def claims_matrix(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the verdict and probability of every reading.

    Raises
    ------
    FigureError
        If there are no claims, or too many rows.
    """
    found = results.claims
    if found is None or not found.rows:
        raise FigureError("The results hold no claims table.")
    if len(found.rows) > MOST_ROWS:
        raise FigureError(f"More than {MOST_ROWS} rows: they are in the tables below.")
    with settings():
        places, headings = _places(found.rows)
        depth = places[-1] + 0.5
        figure = canvas(NARROW if narrow else WIDE, 0.55 + HEIGHT * depth)
        axes = figure.add_subplot()
        for place, row in zip(places, found.rows, strict=True):
            _claims_row(axes, place, row)
        for place, title in headings:
            _heading(axes, place, folded(title, 48, 1) if narrow else title)
        names = [folded(name, 13 if narrow else 22, 3) for name in TRADITIONS.values()]
        axes.set_xticks([k + 0.5 for k in range(len(names))], names)
        axes.xaxis.tick_top()
        axes.tick_params(axis="x", labelsize=7 if narrow else 8.5)
        groups = [
            folded(words.group(row.by, row.group), 14 if narrow else 30) for row in found.rows
        ]
        axes.set_yticks(places, groups)
        axes.tick_params(length=0)
        axes.set(xlim=(0, len(names)), ylim=(depth, -0.6))
        for side in axes.spines.values():
            side.set_visible(False)
        return plain_text(figure)


def _places(rows: Sequence[ClaimRow]) -> tuple[list[float], list[tuple[float, str]]]:
    """Where each row stands, and where the title of each claim does."""
    places: list[float] = []
    headings: list[tuple[float, str]] = []
    at, claim = -1.0, ""
    for row in rows:
        if row.claim != claim:
            claim = row.claim
            headings.append((at + 1.0, row.title))
            at += GAP + 0.2
        at += 1.0
        places.append(at)
    return places, headings


def _heading(axes: Axes, place: float, title: str) -> None:
    """Write the title of a claim from the left edge on; it takes no part in the layout."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    left = blended_transform_factory(figure.transFigure, axes.transData)
    text = axes.text(0.01, place, title, va="center", transform=left)
    text.set(color=INK, fontweight="bold", fontsize=8.5, in_layout=False)


def _claims_row(axes: Axes, place: float, row: ClaimRow) -> None:
    spoken = {reading.tradition: reading for reading in row.readings}
    for k, name in enumerate(TRADITIONS):
        reading = spoken.get(name)
        if reading is None:
            axes.text(k + 0.5, place, words.NONE, ha="center", va="center", color=MUTED)
        else:
            _field(axes, k, place, reading)


def _field(axes: Axes, column: int, place: float, reading: Reading) -> None:
    fill, ink = COLOURS[reading.verdict]
    axes.add_patch(
        Rectangle((column + 0.02, place - 0.43), 0.96, 0.86, facecolor=fill, edgecolor="none")
    )
    share = "" if reading.probability is None else words.probability(reading.probability)
    text = f"{words.ICONS[reading.verdict]} {share}".strip()
    axes.text(column + 0.5, place, text, ha="center", va="center", color=ink, fontsize=8.5)


def _caption(results: Results) -> str:
    level = words.share(results.claims.level) if results.claims else ""
    return (
        "Every claim in every tradition: ✓ supported, ✕ rejected, other marks undecided in one way or "
        f"another, – the tradition does not speak of it. Numbers are probabilities of the declared regions; {level} is asked for."
    )


def _alternative(results: Results) -> str:
    rows = results.claims.rows if results.claims else ()
    return " ".join(f"{row.title}, {words.group(row.by, row.group)}: {row.words}" for row in rows)


CLAIMS_MATRIX = FigureSpec(
    name="claims_matrix",
    draw=lambda results, narrow: claims_matrix(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.claims is not None and bool(results.claims.rows),
)


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


def claims_body(results: Results) -> Markup:
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


def claims_views(results: Results) -> Iterator[View[Any]]:
    """Every reading of every claim, as it is written."""
    for row in results.claims.rows if results.claims else ():
        yield View("readings", Reading, rows=row.readings, before={"words": row.words})


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
    "Other readings of the same claims",
    "Other readings",
    claims_body,
    lambda results: results.claims is not None and bool(results.claims.rows),
    claims_views,
)
