"""Calibration in figures: ECDF differences of ranks, and stated against observed shares."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report.figures.record import FigureError
from bayescluster.report.figures.style import (
    BAD,
    FIRST,
    INK,
    LINE,
    MUTED,
    NARROW,
    WIDE,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.results.calibration import Band, Bin, QuantityRow, Reliability

COLUMNS_WIDE, COLUMNS_NARROW = 4, 2
PANEL = 1.25
"""Height of a panel in inches, without its title."""


def ecdf_plot(
    rows: Sequence[QuantityRow], bands: Mapping[int, Band], *, narrow: bool = False
) -> Figure:
    """Draw the ECDF of ranks less the uniform distribution, one panel a quantity.

    Parameters
    ----------
    rows
        The quantities.
    bands
        Simultaneous band by number of replications.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If there is no quantity.
    """
    if not rows:
        raise FigureError("No quantity was ranked.")
    columns = COLUMNS_NARROW if narrow else COLUMNS_WIDE
    lines = math.ceil(len(rows) / columns)
    with settings():
        figure = canvas(NARROW if narrow else WIDE, 0.3 + (PANEL + 0.45) * lines)
        first: Axes | None = None
        for k, row in enumerate(rows):
            axes = figure.add_subplot(lines, columns, k + 1, sharex=first, sharey=first)
            first = first or axes
            _panel(axes, row, bands[row.replications])
            axes.tick_params(labelbottom=k + columns >= len(rows), labelleft=k % columns == 0)
        assert first is not None
        first.set_xlim(0, 1)
        first.set_xticks([0, 0.5, 1], ["0", "½", "1"])
        return plain_text(figure)


def _panel(axes: Axes, row: QuantityRow, band: Band) -> None:
    at = (0.0, *band.points, 1.0)
    low, high, found = ((0.0, *part, 0.0) for part in (band.low, band.high, row.difference))
    axes.fill_between(at, low, high, color=LINE, linewidth=0, zorder=1)
    axes.axhline(0, color=MUTED, linewidth=0.6, zorder=2)
    colour = BAD if row.rejected else FIRST
    axes.plot(at, found, color=colour, linewidth=1.4 if row.rejected else 1.1, zorder=3)
    # names of variables have no place to be broken at
    title = row.name.replace("_", " ").replace("[", " [")
    axes.set_title(folded(title, 25, 3), fontsize=7, color=BAD if row.rejected else INK)
    axes.tick_params(labelsize=7)


def ecdf_alternative(rows: Sequence[QuantityRow]) -> str:
    """The figure in a sentence."""
    wrong = [row.name for row in rows if row.rejected]
    told = f"not uniform: {'; '.join(wrong)}" if wrong else "none of them rejected"
    return f"ECDF differences of the ranks of {len(rows)} quantities with bands; {told}."


def reliability_plot(found: Reliability, *, narrow: bool = False) -> Figure:
    """Draw the observed share of events against their stated probability, with intervals.

    Raises
    ------
    FigureError
        If there is no event.
    """
    if not found.bins:
        raise FigureError("No probability was stated.")
    with settings():
        figure = canvas(NARROW if narrow else WIDE, 3.4)
        axes = figure.add_subplot()
        axes.plot((0, 1), (0, 1), color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=2)
        for each in found.bins:
            _bin(axes, each)
        axes.set_xlim(0, 1)
        axes.set_ylim(-0.02, 1.02)
        ticks, labels = [0, 0.2, 0.4, 0.6, 0.8, 1.0], ["0", "20", "40", "60", "80", "100%"]
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels)
        axes.grid(visible=True)
        axes.set_xlabel("Probability stated")
        axes.set_ylabel("Share true")
        return plain_text(figure)


def _bin(axes: Axes, each: Bin) -> None:
    off = not each.came.low <= each.stated <= each.came.high
    colour = BAD if off else FIRST
    ends = (each.came.low, each.came.high)
    axes.plot((each.stated, each.stated), ends, color=colour, linewidth=1.4, zorder=3)
    axes.plot(
        [each.stated],
        [each.came.share],
        marker="s" if off else "o",
        markersize=5.5,
        color=colour,
        linestyle="none",
        zorder=4,
    )


def reliability_alternative(found: Reliability) -> str:
    """The figure in a sentence."""
    told = "; ".join(
        f"{100 * each.stated:.0f}% stated, {100 * each.came.share:.0f}% true of {each.events}"
        for each in found.bins
    )
    return f"Share true by stated probability. {told}."
