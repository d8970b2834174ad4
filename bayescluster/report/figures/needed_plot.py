"""Bottlenecks: the least level of each capital that a level of the outcome takes."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report import words
from bayescluster.report.figures.panels import MOST_PANELS, panels
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.style import (
    FIRST,
    INK,
    MUTED,
    SECOND,
    folded,
    plain_text,
    settings,
)
from bayescluster.results.ceilings import NeededLevel, NeededRow
from bayescluster.results.model import Results

LOOKS = {"human_capital": (FIRST, "o", 1.2), "social_capital": (SECOND, "s", -1.2)}
"""Colour, mark, and how far above its target a capital stands, in percent."""
PLACES = {"NN": -4.0, "NA": 104.0}
"""Where not needed and not reachable stand, left and right of all levels."""


def needed_levels(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the least level of each capital for each target of the outcome, one panel an industry.

    Parameters
    ----------
    results
        Results of a run.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results hold no bottlenecks, or too many groups to draw.
    """
    rows = rows_of(results)
    groups = list(dict.fromkeys(row.group for row in rows))
    if not groups:
        raise FigureError("The results hold no bottlenecks.")
    if len(groups) > MOST_PANELS:
        raise FigureError(f"{len(groups)} groups are more than the {MOST_PANELS} a figure holds.")
    with settings():
        made = panels(groups, narrow=narrow, height=2.4, extra=0.6)
        for axes, group in zip(made.axes, groups, strict=True):
            _panel(axes, [row for row in rows if row.group == group])
            axes.set_title(folded(words.panel(group), 34), color=INK)
        for axes in made.bottom:
            axes.set_xlabel("Least level, % of its scope")
        for axes in made.left:
            axes.set_ylabel("Outcome, % of its scope")
        handles, labels = made.axes[0].get_legend_handles_labels()
        made.figure.legend(handles, labels, loc="outside upper left", ncols=1 if narrow else 2)
        return plain_text(made.figure)


def rows_of(results: Results) -> list[NeededRow]:
    """Bottlenecks of every industry; of all firms where there are none."""
    found = [] if results.ceilings is None else list(results.ceilings.bottlenecks)
    return [row for row in found if row.by == "industry"] or found


def _panel(axes: Axes, rows: list[NeededRow]) -> None:
    for capital in dict.fromkeys(row.capital for row in rows):
        color, mark, above = LOOKS.get(capital, (MUTED, "^", 0.0))
        mine = [row for row in rows if row.capital == capital]
        for row in mine:
            ends = (_place(row.low_percent), _place(row.high_percent))
            at = row.target_percent + above
            axes.plot(ends, (at, at), color=color, linewidth=1.8, alpha=0.7)
        axes.plot(
            [_place(row.median_percent) for row in mine],
            [row.target_percent + above for row in mine],
            linestyle="",
            marker=mark,
            markersize=4,
            color=color,
            label=words.label(capital),
        )
    for end in (0, 100):
        axes.axvline(end, color=MUTED, linewidth=0.7, linestyle=(0, (4, 3)))
    axes.set_xlim(-8, 108)
    axes.set_xticks((PLACES["NN"], 25, 50, 75, PLACES["NA"]), ("NN", "25", "50", "75", "NA"))
    axes.grid(visible=True, axis="y")


def _place(level: NeededLevel) -> float:
    return PLACES[level] if isinstance(level, str) else level


NEEDED_LEVELS = FigureSpec(
    name="needed-levels",
    draw=lambda results, narrow: needed_levels(results, narrow=narrow),
    caption=lambda _: (
        "The least level of a capital at which the ceiling reaches a level of the outcome: median and "
        "90% interval, in percent of the scope of each. NN: not needed, the lowest level of the scope "
        "is enough. NA: not reachable at any level of the scope."
    ),
    alternative=lambda results: (
        "Bars: least level of each capital for each level of the outcome, one panel each for "
        f"{', '.join(dict.fromkeys(words.panel(row.group) for row in rows_of(results)))}."
    ),
    wanted=lambda results: bool(rows_of(results)),
)
