"""Forms compared: how far each predicts behind the best, and what it weighs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report import words
from bayescluster.report.figures.record import FigureError, FigureSpec
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
    plain_text,
    settings,
)
from bayescluster.results.comparison import Comparison, FormRow, Score
from bayescluster.results.model import Results

CLUSTERS: Mapping[str, Any] = {"color": FIRST, "marker": "o", "markersize": 5.5}
ROWS: Mapping[str, Any] = {
    "color": SECOND,
    "marker": "s",
    "markersize": 5.5,
    "markerfacecolor": PAPER,
}
APART = 0.16
"""How far the two criteria of a form stand from its middle."""


def comparison(results: Results, *, narrow: bool = False) -> Figure:
    """Draw differences in elpd with their standard errors, and the weights of the forms.

    Parameters
    ----------
    results
        Results of a run of several forms.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results compare no forms.
    """
    found = results.comparison
    if found is None:
        raise FigureError("The results compare no forms.")
    with settings():
        figure = canvas(NARROW if narrow else WIDE, 1.1 + 0.42 * len(found.forms))
        left, right = figure.subplots(1, 2, width_ratios=(2.4, 1), sharey=True)
        for place, row in enumerate(found.forms):
            _differences(left, place, row)
        _weights(right, found.forms)
        left.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        left.set_yticks(range(len(found.forms)), [row.form for row in found.forms])
        left.set_ylim(len(found.forms) - 0.45, -0.55)
        left.set_xlabel("elpd less that of the best" + ("" if narrow else ", with standard error"))
        for axes in (left, right):
            bare_rows(axes)
        _key(figure, left, found, narrow=narrow)
        return plain_text(figure)


def _differences(axes: Axes, place: int, row: FormRow) -> None:
    if row.clusters is None:
        _difference(axes, place, row.rows, ROWS)
        return
    _difference(axes, place - APART, row.clusters, CLUSTERS)
    _difference(axes, place + APART, row.rows, ROWS)


def _difference(axes: Axes, place: float, score: Score, look: Mapping[str, Any]) -> None:
    ends = (score.difference - score.difference_se, score.difference + score.difference_se)
    axes.plot(ends, (place, place), color=look["color"], linewidth=1.8, zorder=2)
    axes.plot([score.difference], [place], linestyle="", zorder=3, **look)


def _weights(axes: Axes, rows: Sequence[FormRow]) -> None:
    for place, row in enumerate(rows):
        axes.barh([place], [row.weight], height=0.42, color=FIRST, zorder=2)
        axes.text(
            row.weight + 0.03, place, f"{row.weight:.2f}", va="center", color=INK, fontsize=8.5
        )
    axes.set_xlim(0, 1.18)
    axes.set_xticks((0, 0.5, 1), ("0", "0.5", "1"))
    axes.set_xlabel("weight")


def _key(figure: Figure, axes: Axes, found: Comparison, *, narrow: bool) -> None:
    if all(row.clusters is not None for row in found.forms):
        axes.plot([], [], label="clusters left out", **CLUSTERS)
    axes.plot([], [], label="rows left out", **ROWS)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=1 if narrow else 2)


def _caption(results: Results) -> str:
    found = results.comparison
    by = found.criterion if found is not None else ""
    return (
        "Left: expected log predictive density (elpd) of each form less that of the best by the same "
        "criterion, with one standard error of the difference; further left predicts worse. Right: "
        f"stacking weights by {by}, which the averages use."
    )


def _alternative(results: Results) -> str:
    found = results.comparison
    listed = "; ".join(
        f"{row.form} weight {row.weight:.2f}, rows left out "
        f"{words.fixed(row.rows.difference, 1)} with standard error {row.rows.difference_se:.1f}"
        + (
            f", clusters left out {words.fixed(row.clusters.difference, 1)} with standard error "
            f"{row.clusters.difference_se:.1f}"
            if row.clusters
            else ""
        )
        for row in (found.forms if found is not None else ())
    )
    return f"Forms compared by elpd and weight: {listed}."


COMPARISON = FigureSpec(
    name="comparison",
    draw=lambda results, narrow: comparison(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.comparison is not None,
)
