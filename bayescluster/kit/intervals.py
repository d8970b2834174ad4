"""Intervals in blocks, a row a group: of estimands before the data, or of several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    INK,
    MUTED,
    NARROW,
    PAPER,
    SECOND,
    WIDE,
    Drawn,
    FigureError,
    bare_rows,
    canvas,
    drawn_layouts,
    folded,
    plain_text,
    settings,
    small_multiples,
)

ROW = 0.27
"""Inches that a row takes."""
APART = 0.17
"""How far the intervals of a row stand from its middle."""
MOST_LINES = 80
"""More labelled rows than this are not drawn."""
MOST_ROWS = 160
"""More rows than this are not drawn."""
FAR = 300.0
"""Positive ends so many times as far out as others ask for a logarithmic axis; others a tenth of it."""
LOOKS: tuple[Mapping[str, Any], ...] = (
    {"color": FIRST, "marker": "o"},
    {"color": SECOND, "marker": "s"},
    {"color": INK, "marker": "D"},
    {"color": MUTED, "marker": "^"},
    {"color": FIRST, "marker": "s", "markerfacecolor": PAPER},
    {"color": SECOND, "marker": "o", "markerfacecolor": PAPER},
)
"""Colour and marker of each thing that is set side by side, told apart by both."""


class Interval(NamedTuple):
    """An interval with its middle; ``look`` is its place among the things set side by side."""

    label: str
    low: float
    middle: float
    high: float
    look: int = 0


class Block(NamedTuple):
    """Rows that belong together, under a heading."""

    head: str
    rows: tuple[Interval, ...]


class Frame(NamedTuple):
    """The axis: what it shows, a line across it, its ends, a key; and how many panels go side by side."""

    label: str
    reference: float | None = None
    limits: tuple[float, float] | None = None
    key: tuple[str, ...] = ()
    columns: int = 0


class Mark(NamedTuple):
    """An interval of a row with its middle; one beyond the sample is hollow, on a broken line."""

    low: float
    middle: float
    high: float
    look: int = 0
    beyond: bool = False


class Line(NamedTuple):
    """A row of a figure: its label, and the intervals that share it; ``inside`` is part of a row above."""

    label: str
    marks: tuple[Mark, ...]
    inside: bool = False


def interval_rows(lines: Sequence[Line], frame: Frame, *, narrow: bool = False) -> Figure:
    """Draw rows of intervals, those of a row side by side.

    Parameters
    ----------
    lines
        Rows from the top; a label may have a second line.
    frame
        The axis; its key names the looks.
    narrow
        Lay the figure out for a telephone: labels above their rows.

    Raises
    ------
    FigureError
        If there is nothing to draw, or too much.
    """
    if not lines:
        raise FigureError("There is no interval to draw.")
    if len(lines) > MOST_LINES:
        raise FigureError(f"{len(lines)} rows are more than the {MOST_LINES} that can be drawn.")
    several = max(len(line.marks) for line in lines)
    with settings():
        each = (0.43 + 0.06 * several) if narrow else (0.29 + 0.02 * several)
        figure = canvas(NARROW if narrow else WIDE, 1.05 + each * len(lines))
        axes = figure.add_subplot()
        bare_rows(axes)
        if frame.reference is not None:
            axes.axvline(frame.reference, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        for place, line in enumerate(lines):
            _marks(axes, place, line)
        _labels(axes, lines, narrow=narrow)
        if frame.limits is not None:
            axes.set_xlim(*frame.limits)
        axes.set_xlabel(folded(frame.label, 50 if narrow else 95))
        _line_key(axes, lines, frame, narrow=narrow)
        return plain_text(figure)


def drawn_panels(
    name: str, caption: str, panels: Sequence[tuple[str, Sequence[Line]]], frame: Frame
) -> Drawn:
    """Draw rows of intervals in panels of one scale; who cannot see them is told every number.

    Parameters
    ----------
    name, caption
        Of the figure.
    panels
        Title and rows of each panel; the labels of rows stand at the left edge alone.
    frame
        The axis; its key names the looks.
    """
    looks = frame.key or ("",)
    label = f"{caption} " + "; ".join(
        f"{title}, {line.label}, {looks[mark.look]}: {words.number(mark.middle)} "
        f"({words.number(mark.low)} to {words.number(mark.high)})"
        for title, lines in panels
        for line in lines
        for mark in line.marks
    )
    return drawn_layouts(name, caption, label, partial(_panels, panels, frame))


def _panels(panels: Sequence[tuple[str, Sequence[Line]]], frame: Frame, narrow: bool) -> Figure:
    most = max((len(lines) for _, lines in panels), default=0)
    if most > MOST_LINES:
        raise FigureError(f"{most} rows are more than the {MOST_LINES} that can be drawn.")

    def draw(axes: Axes, lines: Sequence[Line]) -> None:
        bare_rows(axes)
        if frame.reference is not None:
            axes.axvline(frame.reference, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        for place, line in enumerate(lines):
            _marks(axes, place, line)
        axes.set_yticks(range(len(lines)), [folded(line.label, 26, 1) for line in lines])
        axes.set_ylim(len(lines) - 0.45, -0.55)
        if frame.limits is not None:
            axes.set_xlim(*frame.limits)
        if frame.columns > 3:
            axes.locator_params(axis="x", nbins=4)
        for k, run in enumerate(frame.key):
            axes.plot([], [], label=folded(run, 40, 1), markersize=5.5, **LOOKS[k % len(LOOKS)])

    several = max((len(line.marks) for _, lines in panels for line in lines), default=1)
    height = 0.3 + (0.17 + 0.05 * several) * most
    key, columns = max(2, frame.columns), frame.columns
    axis = (frame.label, "")
    return small_multiples(
        panels, draw, axis, narrow=narrow, height=height, key=key, columns=columns
    )


def _marks(axes: Axes, place: int, line: Line) -> None:
    middle = (len(line.marks) - 1) / 2
    for k, mark in enumerate(line.marks):
        apart = min(2 * APART, 0.75 / len(line.marks))
        at, look = place + apart * (k - middle), LOOKS[mark.look % len(LOOKS)]
        axes.plot(
            (mark.low, mark.high),
            (at, at),
            color=look["color"],
            linewidth=1.1 if line.inside else 1.8,
            linestyle=(0, (2, 2)) if mark.beyond else "-",
            zorder=2,
        )
        face = {"markerfacecolor": PAPER} if mark.beyond else {}
        size = 4.2 if line.inside else 5.5
        axes.plot([mark.middle], [at], linestyle="", markersize=size, zorder=3, **{**look, **face})


def _labels(axes: Axes, lines: Sequence[Line], *, narrow: bool) -> None:
    colours = [MUTED if line.inside else INK for line in lines]
    if narrow:
        axes.set_yticks([])
        for place, (line, colour) in enumerate(zip(lines, colours, strict=True)):
            name = folded(line.label.replace("\n", ", "), 44, 1)
            at = place - 0.27
            axes.text(0, at, name, transform=axes.get_yaxis_transform(), va="bottom", color=colour)
        axes.set_ylim(len(lines) - 0.6, -0.75)
        return
    names = ["\n".join(folded(part, 34, 1) for part in line.label.split("\n")) for line in lines]
    axes.set_yticks(range(len(lines)), names)
    for label, colour in zip(axes.get_yticklabels(), colours, strict=True):
        label.set_color(colour)
    axes.set_ylim(len(lines) - 0.45, -0.55)


def _line_key(axes: Axes, lines: Sequence[Line], frame: Frame, *, narrow: bool) -> None:
    names = [(name, dict(LOOKS[k % len(LOOKS)])) for k, name in enumerate(frame.key)]
    if any(mark.beyond for line in lines for mark in line.marks):
        hollow = {"color": MUTED, "marker": "o", "markerfacecolor": PAPER, "linestyle": (0, (2, 2))}
        names.append(("beyond the sample", hollow))
    for name, look in names:
        axes.plot([], [], label=folded(name, 40, 1), markersize=5.5, **look)
    if names:
        room = 40 if narrow else 60  # characters
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=1 if sum(len(name) for name, _ in names) > room else min(len(names), 3),
            borderaxespad=0,
            borderpad=0.3,
        )


def intervals_plot(blocks: Sequence[Block], frame: Frame, *, narrow: bool = False) -> Figure:
    """Draw the intervals of every block.

    Parameters
    ----------
    blocks
        What is drawn, from the top. Rows of one label that follow each other share a place.
    frame
        The axis.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If there is nothing to draw, or too much, or an end is not a number.
    """
    rows = [row for block in blocks for row in block.rows]
    if not rows:
        raise FigureError("There is no interval to draw.")
    if len(rows) > MOST_ROWS:
        raise FigureError(f"{len(rows)} intervals are more than the {MOST_ROWS} a figure holds.")
    if not np.isfinite([row[1:4] for row in rows]).all():
        raise FigureError("An interval has an end that is not a finite number.")
    with settings():
        inches = ROW * (len(rows) + 1.3 * len(blocks)) + 0.9 + 0.2 * len(frame.key)
        figure = canvas(NARROW if narrow else WIDE, inches)
        axes = figure.add_subplot()
        _draw(axes, blocks, narrow=narrow)
        _finish(axes, rows, frame, narrow=narrow)
        return plain_text(figure)


def _draw(axes: Axes, blocks: Sequence[Block], *, narrow: bool) -> None:
    place, places, labels = 0.0, [], []
    for block in blocks:
        head = axes.text(
            0,
            place,
            folded(block.head, 48 if narrow else 90, 1),
            color=INK,
            va="center",
            weight="bold",
            transform=axes.get_yaxis_transform(),
        )
        head.set_in_layout(False)
        place += 1
        before = None
        for row in block.rows:
            look = LOOKS[row.look % len(LOOKS)]
            colour = look["color"]
            axes.plot((row.low, row.high), (place, place), color=colour, linewidth=1.8, zorder=2)
            axes.plot([row.middle], [place], linestyle="", markersize=5, zorder=3, **look)
            places.append(place)
            labels.append("" if row.label == before else folded(row.label, 16 if narrow else 34, 1))
            before = row.label
            place += 1
        place += 0.3
    axes.set_yticks(places, labels)
    axes.set_ylim(place - 0.6, -0.8)


def _finish(axes: Axes, rows: Sequence[Interval], frame: Frame, *, narrow: bool) -> None:
    bare_rows(axes)
    if frame.limits is not None:
        axes.set_xlim(*frame.limits)
    else:
        _scale(axes, np.array([[row.low, row.high] for row in rows]))
    if frame.reference is not None:
        axes.axvline(frame.reference, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    axes.set_xlabel(folded(frame.label, 50 if narrow else 95))
    for k, name in enumerate(frame.key):
        axes.plot([], [], label=folded(name, 40, 1), **LOOKS[k % len(LOOKS)])
    if frame.key:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=1 if narrow else min(len(frame.key), 2),
            borderaxespad=0,
            borderpad=0.3,
        )


def _scale(axes: Axes, ends: NDArray[np.float64]) -> None:
    """Take a logarithmic axis, at least far out, where intervals are of other magnitudes."""
    if ends.min() > 0:
        if ends.max() > FAR * ends.min():
            axes.set_xscale("log")
            _ticks(axes, _powers(ends.min(), ends.max()))
        return
    sizes = np.abs(ends[ends != 0])
    if sizes.size and sizes.max() > FAR / 10 * np.median(sizes):
        near = float(np.quantile(sizes, 0.1))
        axes.set_xscale("symlog", linthresh=near)
        powers = _powers(near, sizes.max())[-2:]
        _ticks(axes, [-value for value in powers] + [0.0] + powers)


def _powers(low: float, high: float) -> list[float]:
    """At most five powers of ten between two positive numbers."""
    first, last = int(np.ceil(np.log10(low))), int(np.floor(np.log10(high)))
    step = max(1, -(-(last - first + 1) // 5))
    return [10.0**power for power in range(last, first - 1, -step)][::-1]


def _ticks(axes: Axes, at: Sequence[float]) -> None:
    axes.set_xticks(at, [f"{value:,.10g}".replace("-", "\u2212") for value in at])
    axes.set_xticks([], minor=True)


def drawn_intervals(name: str, caption: str, blocks: Sequence[Block], frame: Frame) -> Drawn:
    """Draw blocks of intervals; who cannot see them is told every number."""
    label = f"{caption} " + "; ".join(
        f"{block.head}, {row.label}: {words.number(row.middle)} "
        f"({words.number(row.low)} to {words.number(row.high)})"
        for block in blocks
        for row in block.rows
    )
    return drawn_layouts(
        name, caption, label, lambda narrow: intervals_plot(blocks, frame, narrow=narrow)
    )
