"""Memberships of firms in capitals and outcome: where a set is within another."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report import words
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.style import (
    FIRST,
    LINE,
    MUTED,
    NARROW,
    WIDE,
    canvas,
    plain_text,
    settings,
)
from bayescluster.results.model import Results
from bayescluster.results.sets import SetPlot

SPREAD: Final = 0.03
"""How far points of a yes-or-no set are moved apart, so that they can be told from each other."""
SEED: Final = 20080301


def set_plot(results: Results, *, narrow: bool = False) -> Figure:
    """Draw a panel for each capital and for both: membership across, membership in the outcome up.

    Parameters
    ----------
    results
        Results of a run.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results hold no sets.
    """
    found = results.sets
    if found is None or not found.plots:
        raise FigureError("The results hold no sets.")
    return xy_plots(found.plots, results.outcome.column, narrow=narrow)


def xy_plots(plots: tuple[SetPlot, ...], outcome: str, *, narrow: bool = False) -> Figure:
    """Draw XY plots side by side; on a telephone one below the other."""
    count = len(plots)
    columns = 1 if narrow else min(count, 3)
    lines = -(-count // columns)
    with settings():
        width = NARROW if narrow else WIDE * columns / 3 if columns < 3 else WIDE
        figure = canvas(width, lines * (3.1 if narrow else 2.55))
        for place, plot in enumerate(plots):
            axes = figure.add_subplot(lines, columns, place + 1)
            _panel(axes, plot)
            if place % columns == 0:
                axes.set_ylabel(f"membership in {outcome}")
            axes.tick_params(labelleft=place % columns == 0)
        return plain_text(figure)


def _panel(axes: Axes, plot: SetPlot) -> None:
    points = np.array(plot.points).reshape(-1, 2)
    rng = np.random.default_rng(SEED)
    for k in range(2):
        # only whole memberships are moved, and only into the frame: the rest stay where they are
        whole = np.isin(points[:, k], (0.0, 1.0))
        if whole.all():
            inward = np.where(points[:, k] > 0.5, -1.0, 1.0)
            points[:, k] += inward * rng.uniform(0, 2 * SPREAD, len(points))
    axes.fill_between((0, 1), (0, 1), (1, 1), color=LINE, alpha=0.35, linewidth=0, zorder=0)
    axes.plot((0, 1), (0, 1), color=MUTED, linewidth=0.9, zorder=2)
    for place in (axes.axhline, axes.axvline):
        place(0.5, color=LINE, linewidth=0.8, linestyle=(0, (3, 3)), zorder=1)
    axes.plot(
        points[:, 0],
        points[:, 1],
        linestyle="",
        marker="o",
        markersize=2.6,
        markeredgewidth=0,
        color=FIRST,
        alpha=0.55,
        zorder=3,
    )
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xticks((0, 0.5, 1), ("0", ".5", "1"))
    axes.set_yticks((0, 0.5, 1), ("0", ".5", "1"))
    axes.set_xlabel(f"membership in {plot.expression}")
    axes.set_title(words.label(plot.label))


def _caption(results: Results) -> str:
    found = results.sets
    plots = found.plots if found is not None else ()
    total = plots[0].total if plots else 0
    shown = len(plots[0].points) if plots else 0
    some = "" if shown == total else f" {words.count(shown)} of {words.firms(total)} are drawn."
    return (
        "Each point is a firm. Above the diagonal (shaded) membership in the outcome is at least that "
        "in the set, as sufficiency would have it for all firms; below it at most, as necessity "
        "would. Memberships in yes-or-no sets are spread a little." + some
    )


def _alternative(results: Results) -> str:
    found = results.sets
    listed = "; ".join(
        f"{plot.label}: {sum(y >= x for x, y in plot.points)} of {len(plot.points)} firms on or "
        "above the diagonal"
        for plot in (found.plots if found is not None else ())
    )
    return f"Membership in the capitals against membership in the outcome. {listed}."


SET_PLOT = FigureSpec(
    name="sets",
    draw=lambda results, narrow: set_plot(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.sets is not None and bool(results.sets.plots),
)
