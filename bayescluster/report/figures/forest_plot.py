"""Average effects by industry, partially pooled and approximated from each industry alone."""

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
    folded,
    plain_text,
    settings,
)
from bayescluster.results.model import (
    EffectRow,
    Estimate,
    Results,
)

MEASURE = "average_marginal_effect"
SHOWN = ("all", "industry")
POOLED: Mapping[str, Any] = {"color": FIRST, "marker": "o", "markersize": 5.5}
ALONE: Mapping[str, Any] = {
    "color": SECOND,
    "marker": "s",
    "markersize": 5.5,
    "markerfacecolor": PAPER,
}
APART = 0.17
"""How far the two estimates of a row stand from its middle."""


def forest(results: Results, capital: str, *, narrow: bool = False) -> Figure:
    """Draw the average marginal effect of a capital, overall and by industry.

    Parameters
    ----------
    results
        Results of a run.
    capital
        ``human_capital`` or ``social_capital``.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results hold no effects of the capital.
    """
    rows = forest_rows(results, capital)
    if not rows:
        raise FigureError(f"The results hold no average marginal effect of {capital}.")
    with settings():
        width, each = (NARROW, 0.7) if narrow else (WIDE, 0.46)
        figure = canvas(width, 0.95 + each * len(rows))
        axes = figure.add_subplot()
        factor = words.unit(results.outcome).factor
        for place, row in enumerate(rows):
            _row(axes, place, row, factor)
        _frame(axes, rows, results, capital, narrow=narrow)
        return plain_text(figure)


def forest_rows(results: Results, capital: str) -> list[EffectRow]:
    """Effects that the forest shows, from the top."""
    return [
        row
        for row in results.effects
        if row.capital == capital and row.measure == MEASURE and row.by in SHOWN
    ]


def _row(axes: Axes, place: int, row: EffectRow, factor: float) -> None:
    alone = row.unpooled
    middle = place - (APART if alone else 0)
    _estimate(axes, middle, _scaled(row.estimate, factor), POOLED)
    if alone:
        _estimate(axes, place + APART, _scaled(alone, factor), ALONE)


def _estimate(
    axes: Axes, place: float, found: tuple[float, float, float], look: Mapping[str, Any]
) -> None:
    low, mean, high = found
    axes.plot((low, high), (place, place), color=look["color"], linewidth=1.8, zorder=2)
    axes.plot([mean], [place], linestyle="", zorder=3, **look)


def _scaled(found: Estimate, factor: float) -> tuple[float, float, float]:
    return found.low * factor, found.mean * factor, found.high * factor


def _frame(
    axes: Axes, rows: Sequence[EffectRow], results: Results, capital: str, *, narrow: bool
) -> None:
    axes.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    names = [words.group(row.by, row.group) for row in rows]
    sizes = [f"n = {words.count(row.rows)}" for row in rows]
    bare_rows(axes)
    if narrow:
        axes.set_yticks([])
        for place, (name, size) in enumerate(zip(names, sizes, strict=True)):
            axes.text(
                0,
                place - 0.27,
                f"{folded(name, 34, 1)}, {size}",
                transform=axes.get_yaxis_transform(),
                va="bottom",
                color=INK,
            )
        axes.set_ylim(len(rows) - 0.6, -0.75)
    else:
        labels = [f"{folded(name, 30, 1)}\n{size}" for name, size in zip(names, sizes, strict=True)]
        axes.set_yticks(range(len(rows)), labels)
        axes.set_ylim(len(rows) - 0.45, -0.55)
    unit = words.unit(results.outcome).name
    where = "\n" if narrow else " "
    axes.set_xlabel(
        f"Change {words.step(results, capital)} of {words.label(capital).lower()},{where}{unit}"
    )
    _key(axes, both=any(row.unpooled for row in rows), narrow=narrow)


def _key(axes: Axes, *, both: bool, narrow: bool) -> None:
    axes.plot([], [], label="partially pooled", **POOLED)
    if both:
        label = "industry alone" if narrow else "industry alone (normal approximation)"
        axes.plot([], [], label=label, **ALONE)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0, borderpad=0.3)


def _spec(capital: str) -> FigureSpec:
    words_of = words.label(capital).lower()

    def caption(results: Results) -> str:
        text = (
            f"Average marginal effect of {words_of}: change {words.step(results, capital)}. Points "
            "are means, lines 90% intervals. Partially pooled estimates borrow strength across "
            "industries."
        )
        alone = any(row.unpooled for row in forest_rows(results, capital))
        return f"{text} {words.ALONE}" if alone else text

    def alternative(results: Results) -> str:
        listed = "; ".join(
            f"{words.group(row.by, row.group)} {words.effect(row.estimate, results.outcome)}"
            for row in forest_rows(results, capital)
        )
        return f"Forest plot of the average marginal effect of {words_of}: {listed}."

    return FigureSpec(
        name=f"forest-{capital.replace('_', '-')}",
        draw=lambda results, narrow: forest(results, capital, narrow=narrow),
        caption=caption,
        alternative=alternative,
        wanted=lambda results: bool(forest_rows(results, capital)),
    )


HUMAN_CAPITAL = _spec("human_capital")
SOCIAL_CAPITAL = _spec("social_capital")
