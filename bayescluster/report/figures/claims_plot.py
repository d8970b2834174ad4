"""All readings at a glance: claims and groups down, traditions across."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import blended_transform_factory

from bayescluster.report import words
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.style import (
    BAD,
    FIRST,
    INK,
    LINE,
    MUTED,
    NARROW,
    PAPER,
    WIDE,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.results.claims import TRADITIONS, ClaimRow, Reading
from bayescluster.results.model import Results

MOST_ROWS = 60
"""More rows than this are not drawn: the tables below hold them."""
COLOURS = {"supported": (FIRST, PAPER), "rejected": (BAD, PAPER), "undecided": (LINE, INK)}
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
            _row(axes, place, row)
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


def _row(axes: Axes, place: float, row: ClaimRow) -> None:
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
        "Every claim in every tradition: ✓ supported, ✕ rejected, ? undecided, – the tradition does "
        f"not speak of it. Numbers are probabilities of the declared regions; {level} is asked for."
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
