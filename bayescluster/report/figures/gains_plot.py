"""Gains from raising either capital by a step, by industry and cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report import weakest_words as told
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
    folded,
    plain_text,
    settings,
)
from bayescluster.results.model import Results
from bayescluster.results.weakest_node import OptionRow

MOST_ROWS = 60
"""More groups than this are not drawn."""
APART = 0.17
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "human_capital": {"color": FIRST, "marker": "o"},
    "social_capital": {"color": SECOND, "marker": "s"},
}
"""Told apart by colour and by shape."""


class Row(NamedTuple):
    """A group in the figure, with the rows of its options of one capital."""

    label: str
    inside: bool
    options: tuple[OptionRow, ...]


def gains(results: Results, *, narrow: bool = False) -> Figure:
    """Draw what goes with a step of each capital, industry by industry, each above its clusters.

    Parameters
    ----------
    results
        Results of a run whose analysis asks for the weakest node.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If there is nothing to draw, or too much.
    """
    rows = gain_rows(results)
    if not rows:
        raise FigureError("The results hold no gains of raising a capital.")
    if len(rows) > MOST_ROWS:
        raise FigureError(
            f"There are {len(rows)} groups, more than the {MOST_ROWS} that can be drawn."
        )
    with settings():
        width, each = (NARROW, 0.55) if narrow else (WIDE, 0.33)
        figure = canvas(width, 1.05 + each * len(rows))
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            _row(axes, place, row, words.unit(results.outcome).factor)
        _frame(axes, rows, results, narrow=narrow)
        return plain_text(figure)


def gain_rows(results: Results) -> list[Row]:
    """Groups from the top: all firms, then each industry followed by its clusters."""
    found = results.weakest_node
    if found is None:
        return []
    options: dict[tuple[str, str], list[OptionRow]] = {}
    for option in sorted(found.options, key=lambda option: option.option):
        if option.option != "both":
            options.setdefault((option.by, option.group), []).append(option)
    home = {row.group: row.industry for row in results.sample.groups if row.by == "cluster"}
    rows = []
    for by, group in [key for key in options if key[0] == "all"]:
        rows.append(Row(words.group(by, group), False, tuple(options.pop((by, group)))))
    for by, group in sorted(key for key in options if key[0] == "industry"):
        rows.append(Row(group, False, tuple(options.pop((by, group)))))
        inside = sorted(key for key in options if key[0] == "cluster" and home.get(key[1]) == group)
        rows += [Row(key[1], True, tuple(options.pop(key))) for key in inside]
    # clusters of no industry, or of several
    rows += [Row(key[1], False, tuple(options[key])) for key in sorted(options)]
    return rows


def _row(axes: Axes, place: int, row: Row, factor: float) -> None:
    size = 4.2 if row.inside else 5.5
    for side, option in zip((-APART, APART), row.options, strict=True):
        look = LOOKS[option.option]
        beyond = bool(option.unsupported)
        found = option.estimate
        axes.plot(
            (found.low * factor, found.high * factor),
            (place + side, place + side),
            color=look["color"],
            linewidth=1.1 if row.inside else 1.8,
            linestyle=(0, (2, 2)) if beyond else "-",
            zorder=2,
        )
        axes.plot(
            [found.mean * factor],
            [place + side],
            linestyle="",
            markersize=size,
            markerfacecolor=PAPER if beyond else look["color"],
            zorder=3,
            **look,
        )


def _frame(axes: Axes, rows: Sequence[Row], results: Results, *, narrow: bool) -> None:
    axes.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    bare_rows(axes)
    names = [f"    {row.label}" if row.inside else row.label for row in rows]
    if narrow:
        axes.set_yticks([])
        for place, name in enumerate(names):
            axes.text(
                0,
                place - 0.27,
                folded(name.strip(), 34, 1),
                transform=axes.get_yaxis_transform(),
                va="bottom",
                color=MUTED if rows[place].inside else INK,
            )
        axes.set_ylim(len(rows) - 0.6, -0.75)
    else:
        axes.set_yticks(range(len(rows)), [folded(name.strip(), 34, 1) for name in names])
        for label, row in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_color(MUTED if row.inside else INK)
        axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.set_xlabel(
        f"Gain with a step,{chr(10) if narrow else ' '}{words.unit(results.outcome).name}"
    )
    _key(axes, rows, narrow=narrow)


def _key(axes: Axes, rows: Sequence[Row], *, narrow: bool) -> None:
    for capital, look in LOOKS.items():
        axes.plot([], [], label=words.label(capital).lower(), markersize=5.5, **look)
    if any(option.unsupported for row in rows for option in row.options):
        axes.plot(
            [],
            [],
            label="beyond the sample",
            color=MUTED,
            marker="o",
            markersize=5.5,
            markerfacecolor=PAPER,
            linestyle=(0, (2, 2)),
        )
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=2 if narrow else 3,
        borderaxespad=0,
        borderpad=0.3,
    )


def _caption(results: Results) -> str:
    found = told.node_of(results)
    return (
        f"Change of the average expected outcome with each capital raised by a step "
        f"({told.steps(results)}), no firm above the {words.share(found.support)} point of its group. "
        "Points are means, lines 90% intervals. Hollow points on broken lines go beyond the sample."
    )


def _alternative(results: Results) -> str:
    listed = "; ".join(
        f"{row.label}: "
        + ", ".join(
            f"{words.label(option.option).lower()} {words.effect(option.estimate, results.outcome)}"
            for option in row.options
        )
        for row in gain_rows(results)
        if not row.inside
    )
    return f"Gains with a step of each capital: {listed}."


GAINS = FigureSpec(
    name="gains",
    draw=lambda results, narrow: gains(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.weakest_node is not None,
)
