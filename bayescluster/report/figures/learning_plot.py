"""What outcomes go with in each form of learning, one panel a group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report import words
from bayescluster.report.figures.panels import MOST_PANELS, panels
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.style import (
    FIRST,
    INK,
    MUTED,
    PAPER,
    SECOND,
    bare_rows,
    folded,
    plain_text,
    settings,
)
from bayescluster.results.learning import MatrixRow
from bayescluster.results.model import Results

LOOKS: tuple[Mapping[str, Any], ...] = (
    {"color": FIRST, "marker": "o", "markersize": 5.0},
    {"color": SECOND, "marker": "s", "markersize": 4.6, "markerfacecolor": PAPER},
    {"color": INK, "marker": "^", "markersize": 5.0},
    {"color": MUTED, "marker": "D", "markersize": 4.4, "markerfacecolor": PAPER},
)
"""One look an outcome; of more outcomes the first are drawn."""
SPREAD = 0.56
"""Height of a row that its outcomes share."""


def learning_matrix(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the effect of every form of learning on every outcome, by group.

    Outcomes in another unit than that in focus are left to the tables.

    Parameters
    ----------
    results
        Results of a run.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results hold no forms of learning, or too many groups.
    """
    found = _shown(results)
    if not found:
        raise FigureError("The results hold no forms of learning.")
    groups = list(dict.fromkeys((row.by, row.group) for row in found))
    if len(groups) > MOST_PANELS:
        raise FigureError(f"{len(groups)} groups are more than the {MOST_PANELS} a figure holds.")
    forms = list(dict.fromkeys(row.form for row in found))
    names = [words.group(by, group) for by, group in groups]
    factor = words.unit(results.outcome).factor
    with settings():
        height = 0.6 + 0.36 * len(forms)
        made = panels(names, narrow=narrow, height=height, extra=0.6)
        for axes, (by, group), name in zip(made.axes, groups, names, strict=True):
            some = [row for row in found if (row.by, row.group) == (by, group)]
            _panel(axes, some, _places(found, forms), factor)
            axes.set_yticks(range(len(forms)), [folded(form, 18, 1) for form in forms])
            axes.set_ylim(len(forms) - 0.4, -0.6)
            axes.set_title(folded(name, 32, 1), color=INK)
            bare_rows(axes)
        for axes in made.bottom:
            axes.set_xlabel(folded(f"Change, {words.unit(results.outcome).name}", 34))
        _key(made.figure, made.axes[0], found)
        return plain_text(made.figure)


def _shown(results: Results) -> list[MatrixRow]:
    learning = results.learning
    if learning is None:
        return []
    unit = words.unit(results.outcome)
    alike = [
        name for name in learning.outcomes if words.unit(words.outcome_of(results, name)) == unit
    ][: len(LOOKS)]
    return [row for row in learning.matrix if row.equation in alike]


def _outcomes(found: list[MatrixRow]) -> list[str]:
    return list(dict.fromkeys(row.equation for row in found))


def _places(found: list[MatrixRow], forms: list[str]) -> dict[tuple[str, str], float]:
    """Height at which each outcome and form is drawn."""
    names = _outcomes(found)
    step = SPREAD / max(len(names), 2)
    return {
        (name, form): place + (k - (len(names) - 1) / 2) * step
        for place, form in enumerate(forms)
        for k, name in enumerate(names)
    }


def _panel(
    axes: Axes, rows: list[MatrixRow], places: dict[tuple[str, str], float], factor: float
) -> None:
    axes.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    order = list(dict.fromkeys(name for name, _ in places))
    for row in rows:
        look, place = LOOKS[order.index(row.equation)], places[row.equation, row.form]
        ends = (row.estimate.low * factor, row.estimate.high * factor)
        axes.plot(ends, (place, place), color=look["color"], linewidth=1.6, zorder=2)
        axes.plot([row.estimate.mean * factor], [place], linestyle="", zorder=3, **look)


def _key(figure: Figure, axes: Axes, found: list[MatrixRow]) -> None:
    for look, name in zip(LOOKS, _outcomes(found), strict=False):
        axes.plot([], [], label=name, **look)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)


def _caption(results: Results) -> str:
    found = _shown(results)
    left = (
        [name for name in results.learning.outcomes if name not in _outcomes(found)]
        if (results.learning)
        else []
    )
    other = f" Outcomes in another unit stand in the tables: {', '.join(left)}." if left else ""
    return (
        "Forms of learning and outcomes: change of the expected outcome with each form (from no to "
        "yes, or per standard deviation), the other forms and the capitals as observed. Points are "
        f"means, lines 90% intervals.{other}"
    )


def _alternative(results: Results) -> str:
    listed = "; ".join(
        f"{words.group(row.by, row.group)}, {row.form} and {row.equation}: "
        f"{words.effect(row.estimate, words.outcome_of(results, row.equation))}"
        for row in _shown(results)
    )
    return f"Effects of forms of learning by group: {listed}."


LEARNING_MATRIX = FigureSpec(
    name="learning-matrix",
    draw=lambda results, narrow: learning_matrix(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: bool(_shown(results)),
)
