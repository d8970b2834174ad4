"""A bottleneck table as a figure: what each level of the outcome needs of each condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from bayescluster.report.figures.record import FigureError
from bayescluster.report.figures.style import (
    BAD,
    INK,
    MUTED,
    NARROW,
    PAPER,
    RAMP,
    WIDE,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.report.necessity import TITLES, direction, level, need, tables_of
from bayescluster.results.necessity import (
    ALL_ROWS,
    BottleneckRow,
    CeilingName,
    Necessity,
    Pair,
)

MOST_ROWS: Final = 60
MOST_CONDITIONS: Final = 12
"""Beyond these the cells cannot be read."""
ROW_INCHES: Final = 0.24
DARK: Final = 6
"""Step of the ramp from which text on it is light."""


def bottleneck(
    found: Necessity, pairs: Sequence[Pair], ceiling: CeilingName, *, narrow: bool = False
) -> Figure:
    """Draw the bottleneck table of a ceiling, highest demand at the top.

    The darker a cell, the more of the condition's range is needed.

    Parameters
    ----------
    found
        The analysis.
    pairs
        Conditions of one group.
    ceiling
        One of the ceilings.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If there are too many levels or conditions to be read.
    """
    tables = list(tables_of(pairs, ceiling))
    _refuse_many(sum(len(cells) for _, cells in tables), len(pairs))
    with settings():
        heights = [ROW_INCHES * len(cells) + 0.35 for _, cells in tables]
        width = min(WIDE, 2.2 + 1.3 * len(pairs))
        figure = canvas(NARROW if narrow else width, sum(heights) + 0.5)
        panels = figure.subplots(len(tables), 1, height_ratios=heights, squeeze=False)[:, 0]
        for axes, (beside, cells) in zip(panels, tables, strict=True):
            _table(axes, found, beside, cells)
        figure.suptitle(
            _title(found, ceiling, narrow=narrow), x=0.01, ha="left", fontsize=8.5, color=MUTED
        )
        return plain_text(figure)


def _refuse_many(levels: int, conditions: int) -> None:
    if levels > MOST_ROWS or conditions > MOST_CONDITIONS:
        raise FigureError(
            f"A table of {levels} levels by {conditions} "
            f"{'condition' if conditions == 1 else 'conditions'} is more than the {MOST_ROWS} by "
            f"{MOST_CONDITIONS} a figure holds."
        )


def bottleneck_label(found: Necessity, pairs: Sequence[Pair], ceiling: CeilingName) -> str:
    """Say what the figure shows, for those who cannot see it."""
    most = "; ".join(
        f"{pair.condition} {need(found, row)}"
        for pair in pairs
        for row in [row for row in pair.bottlenecks if row.ceiling == ceiling][-1:]
    )
    group = "" if pairs[0].group == ALL_ROWS else f", {pairs[0].group}"
    return (
        f"Bottleneck table by {TITLES[ceiling]}{group}: what levels of {found.outcome} need "
        f"{direction(found).bound}; the most demanding level: {most}."
    )


def _title(found: Necessity, ceiling: CeilingName, *, narrow: bool) -> str:
    bound = direction(found).bound
    whole, short = {
        "percentage_range": (f"each level needs {bound}, in % of ranges", f"{bound}, % of ranges"),
        "actual": (f"each level needs {bound}, in units of each", f"{bound}, in units"),
        "percentile": ("% of rows short of what each level needs", "% of rows short of it"),
    }[found.bottleneck]
    return f"{TITLES[ceiling]}: {short if narrow else whole}"


def _table(
    axes: Axes,
    found: Necessity,
    pairs: Sequence[Pair],
    cells: Sequence[Sequence[BottleneckRow]],
) -> None:
    for down, row in enumerate(reversed(cells)):
        for across, (pair, cell) in enumerate(zip(pairs, row, strict=True)):
            _cell(axes, (across, down), need(found, cell), _demand(found, pair, cell))
    axes.set_xlim(-0.5, len(pairs) - 0.5)
    axes.set_ylim(len(cells) - 0.5, -0.5)
    axes.set_xticks(range(len(pairs)), [folded(pair.condition, 16) for pair in pairs])
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(cells)), [level(found, row[0]) for row in reversed(cells)])
    axes.set_ylabel(folded(found.outcome, 30))
    axes.tick_params(length=0)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _cell(axes: Axes, place: tuple[int, int], text: str, demand: float | None) -> None:
    across, down = place
    step = None if demand is None else min(int(demand * len(RAMP)), len(RAMP) - 1)
    axes.add_patch(
        Rectangle(
            (across - 0.48, down - 0.46),
            0.96,
            0.92,
            facecolor=PAPER if step is None else RAMP[step],
            edgecolor="none",
            linewidth=0,
        )
    )
    plain = {"NN": MUTED, "NA": BAD}.get(text, INK)
    axes.text(
        across,
        down,
        text,
        ha="center",
        va="center",
        fontsize=8,
        color=PAPER if step is not None and step >= DARK else plain,
    )


def _demand(found: Necessity, pair: Pair, row: BottleneckRow) -> float | None:
    """Share of the condition's range that a level needs, from its least demanding end."""
    if row.value is None:
        return None
    share = (row.value - pair.scope.xmin) / (pair.scope.xmax - pair.scope.xmin)
    return share if direction(found).condition == "high" else 1 - share
