"""Observed statistics against those of data replicated by the model."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report import words
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.style import (
    BAD,
    FIRST,
    INK,
    NARROW,
    WIDE,
    bare_rows,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.results.model import (
    PredictiveRow,
    Results,
)

MOST_ROWS = 60
"""Groups shown for one statistic; of more, those furthest out."""
ROW_INCHES = 0.2


def predictive(results: Results, *, narrow: bool = False) -> Figure:
    """Draw observed statistics on their replicated intervals, one panel a statistic.

    Parameters
    ----------
    results
        Results of a run.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results hold no posterior predictive checks.
    """
    statistics = list(dict.fromkeys(row.statistic for row in results.predictive))
    if not statistics:
        raise FigureError("The results hold no posterior predictive check.")
    shown = [_shown(results, statistic) for statistic in statistics]
    with settings():
        heights = [ROW_INCHES * len(rows) + 0.5 for rows in shown]
        figure = canvas(NARROW if narrow else WIDE, sum(heights) + 0.45)
        grid = figure.add_gridspec(len(shown), 1, height_ratios=heights)
        panels = [figure.add_subplot(grid[k, 0]) for k in range(len(shown))]
        for axes, rows in zip(panels, shown, strict=True):
            _panel(axes, rows, narrow=narrow)
        _key(figure, panels[0], narrow=narrow)
        return plain_text(figure)


def _shown(results: Results, statistic: str) -> list[PredictiveRow]:
    rows = [row for row in results.predictive if row.statistic == statistic]
    if len(rows) <= MOST_ROWS:
        return rows
    furthest = sorted(rows, key=lambda row: min(row.tail, 1 - row.tail))[:MOST_ROWS]
    return [row for row in rows if row in furthest]


def _panel(axes: Axes, rows: Sequence[PredictiveRow], *, narrow: bool) -> None:
    for place, row in enumerate(rows):
        color = BAD if row.flagged else FIRST
        axes.plot(
            (row.low, row.high), (place, place), color=color, linewidth=4, alpha=0.32, zorder=2
        )
        axes.plot(
            [row.observed],
            [place],
            linestyle="",
            marker="D" if row.flagged else "o",
            markersize=4.2,
            color=color,
            zorder=3,
        )
    names = [
        folded(words.group(row.by, row.group), 24 if narrow else 40, 1)
        + (" (flagged)" if row.flagged else "")
        for row in rows
    ]
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_title(words.label(rows[0].statistic), color=INK)
    bare_rows(axes)
    for before, after in zip(range(len(rows)), range(1, len(rows)), strict=False):
        if rows[before].by != rows[after].by:
            axes.axhline(before + 0.5, color=INK, linewidth=0.5)


def _key(figure: Figure, axes: Axes, *, narrow: bool) -> None:
    axes.plot([], [], linestyle="", marker="o", markersize=4.2, color=FIRST, label="observed")
    label = "90% of replicates" if narrow else "90% of data sets replicated by the model"
    axes.plot([], [], color=FIRST, linewidth=4, alpha=0.32, label=label)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)


def _caption(results: Results) -> str:
    groups = max(
        sum(row.statistic == statistic for row in results.predictive)
        for statistic in {row.statistic for row in results.predictive}
    )
    cut = f" The {MOST_ROWS} groups furthest out are shown." if groups > MOST_ROWS else ""
    return (
        "Posterior predictive check. Each dot is a statistic of the data, each bar the 90% interval "
        f"of the same statistic in data sets that the fitted model makes.{cut}"
    )


def _alternative(results: Results) -> str:
    flagged = sum(row.flagged for row in results.predictive)
    return (
        f"Observed statistics against replicated intervals, {len(results.predictive)} rows, "
        f"{flagged} flagged; the numbers are given in the table below."
    )


PREDICTIVE = FigureSpec(
    name="predictive",
    draw=lambda results, narrow: predictive(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: bool(results.predictive),
)
