"""Intervals in blocks, a row a group: of estimands before the data, or of several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from bayescluster.report.figures.record import FigureError
from bayescluster.report.figures.style import (
    FIRST,
    INK,
    MUTED,
    NARROW,
    PAPER,
    SECOND,
    WIDE,
    bare_rows,
    canvas,
    folded,
    plain_text,
    settings,
)

ROW = 0.27
"""Inches that a row takes."""
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
    """The axis: what it shows, a line across it, its ends where it has any, and a key."""

    label: str
    reference: float | None = None
    limits: tuple[float, float] | None = None
    key: tuple[str, ...] = ()


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
