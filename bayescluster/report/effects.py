"""Effects of the capitals by group, and the corners of their plane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    INK,
    MUTED,
    NARROW,
    PAPER,
    SECOND,
    WIDE,
    FigureError,
    FigureSpec,
    bare_rows,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns, figures, group_cell, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.report.surfaces import CONDITIONAL_EFFECT, SURFACE
from bayescluster.results.claims import CornerRow, Corners, LevelAmounts
from bayescluster.results.facts import OutcomeFacts
from bayescluster.results.model import EffectRow, Estimate, Results

MEASURE = "average_marginal_effect"
SHOWN = ("all", "industry")
POOLED: Mapping[str, Any] = {"color": FIRST, "marker": "o", "markersize": 5.5}
ALONE_LOOK: Mapping[str, Any] = {
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
            _forest_row(axes, place, row, factor)
        _frame(axes, rows, results, capital, narrow=narrow)
        return plain_text(figure)


def forest_rows(results: Results, capital: str) -> list[EffectRow]:
    """Effects that the forest shows, from the top."""
    return [
        row
        for row in results.effects
        if row.capital == capital and row.measure == MEASURE and row.by in SHOWN
    ]


def _forest_row(axes: Axes, place: int, row: EffectRow, factor: float) -> None:
    alone = row.unpooled
    middle = place - (APART if alone else 0)
    _estimate(axes, middle, _scaled(row.estimate, factor), POOLED)
    if alone:
        _estimate(axes, place + APART, _scaled(alone, factor), ALONE_LOOK)


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
        axes.plot([], [], label=label, **ALONE_LOOK)
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


ALONE = "#Industry alone: population part only, normal approximation [90% interval]"


def effects_body(results: Results) -> Markup:
    """Forests, then tables of effects, differences and ranks."""
    return filled(
        "effects.html.j2",
        results=results,
        figures=figures(results, HUMAN_CAPITAL, SOCIAL_CAPITAL),
        tables=(*_effects(results), *_differences(results), *_ranks(results)),
        scopes=_scopes(results),
    )


def _scopes(results: Results) -> str:
    found = dict.fromkeys(row.scope for row in results.effects)
    return "; ".join(words.SCOPES.get(scope, scope) for scope in found)


def _effects(results: Results) -> list[Table]:
    """One table for each capital and measure; those of the clusters last, folded away."""
    kinds = dict.fromkeys((row.capital, row.measure) for row in results.effects)
    tables = []
    for clusters in (False, True):
        for capital, measure in kinds:
            some = [
                row
                for row in results.effects
                if (row.capital, row.measure) == (capital, measure)
                and (row.by == "cluster") == clusters
            ]
            if some:
                tables.append(_table(some, results, clusters=clusters))
    return tables


def _table(some: list[EffectRow], results: Results, *, clusters: bool) -> Table:
    first = some[0]
    what = f"{words.MEASURES[first.measure]}: {words.label(first.capital).lower()}"
    if first.measure == "average_marginal_effect":
        what += f", change {words.step(results, first.capital)}"
    heads = ["Group", "#n", "#Effect [90% interval]", "#P(above 0)"]
    alone = any(row.unpooled for row in some)
    if alone:
        heads.append(ALONE)
    return Table(
        f"{what}, {words.unit(results.outcome).name}",
        columns(*heads),
        rows(_row(row, results, alone=alone) for row in some),
        words.ALONE if alone else "",
        folded=f"{what}, by cluster" if clusters else "",
    )


def _row(row: EffectRow, results: Results, *, alone: bool) -> list[str | Cell]:
    cells: list[str | Cell] = [
        group_cell(row.by, row.group),
        words.count(row.rows),
        words.effect(row.estimate, results.outcome),
        words.probability(row.positive),
    ]
    if alone:
        found = row.unpooled
        cells.append(words.effect(found, results.outcome) if found else words.NONE)
    return cells


def _differences(results: Results) -> list[Table]:
    return [
        Table(
            f"Differences between industries in the average marginal effect of "
            f"{words.label(capital).lower()}",
            columns("Effect in", "less effect in", "#Difference [90% interval]", "#P(above 0)"),
            rows(
                (
                    row.first,
                    row.second,
                    words.effect(row.estimate, results.outcome),
                    words.probability(row.positive),
                )
                for row in results.differences
                if row.capital == capital
            ),
        )
        for capital in dict.fromkeys(row.capital for row in results.differences)
    ]


def _ranks(results: Results) -> list[Table]:
    tables = []
    for capital in dict.fromkeys(row.capital for row in results.ranks):
        some = [row for row in results.ranks if row.capital == capital]
        if len(some) < 2:  # a rank among one says nothing
            continue
        places = max(len(row.probabilities) for row in some)
        heads = ["#P(largest)", *(f"#P(rank {k})" for k in range(2, places + 1))]
        tables.append(
            Table(
                f"Where the effect of {words.label(capital).lower()} is largest",
                columns("Industry", *heads),
                rows(
                    (row.group, *(words.probability(share) for share in row.probabilities))
                    for row in some
                ),
                "Probability of each rank among the industries; 1 is the largest effect.",
            )
        )
    return tables


EFFECTS = Section("effects", "Effects by industry", "Effects", effects_body)


SUPPORT_MIN = 5
"""The report's own floor: a corner with fewer firms near is marked as extrapolation.

Claims declare theirs (``min_support``) in the analysis; results do not carry it.
"""


def corners_body(results: Results) -> Markup:
    """Tables of corners, then the figures."""
    tables = tuple(
        table
        for found in results.corners
        for clusters in (False, True)
        if (table := _corners_table(found, results, clusters=clusters)).rows
    )
    return filled(
        "corners.html.j2",
        results=results,
        tables=tables,
        figures=figures(results, SURFACE, CONDITIONAL_EFFECT),
        support_min=SUPPORT_MIN,
    )


def _corners_table(found: Corners, results: Results, *, clusters: bool) -> Table:
    by_group: dict[tuple[str, str], dict[str, CornerRow]] = {}
    for row in found.rows:
        if (row.by == "cluster") == clusters:
            by_group.setdefault((row.by, row.group), {})[row.corner] = row
    scope = words.SCOPES.get(found.scope, found.scope)
    level = found.at_least
    outcome = results.outcome if level is None else words.reaching(results.outcome, level)
    reached = "" if level is None else f", at least {level}"
    return Table(
        f"{words.sentence(found.quantity)[:-1]} at the corners, {found.declared}",
        columns("Group", *(f"#{words.sentence(text)[:-1]}" for text in words.CORNERS.values())),
        rows(
            (
                group_cell(by, group),
                *(_cell(corners.get(corner), outcome) for corner in words.CORNERS),
            )
            for (by, group), corners in by_group.items()
        ),
        f"For {scope}. Low and high: human capital {_sd(found.human_low)} and "
        f"{_sd(found.human_high)} ({words.scale(results, 'human_capital')}), social capital "
        f"{_sd(found.social_low)} and {_sd(found.social_high)} "
        f"({words.scale(results, 'social_capital')})."
        f"{'' if clusters else _amounts(found.amounts)}",
        folded=f"Corners by cluster, {found.declared}{reached}" if clusters else "",
    )


def _amounts(found: Sequence[LevelAmounts]) -> str:
    """Say what low and high are in the units of the columns."""
    return "".join(f" {_amount(one)}" for one in found)


def _amount(one: LevelAmounts) -> str:
    low, high = (
        ", ".join(f"{item.column} {words.number(getattr(item, end))}" for item in one.indicators)
        for end in ("low", "high")
    )
    name = words.label(one.capital)
    if one.method == "single":
        return f"{name} low is {low}, high is {high}."
    score = "first component" if one.method == "pca" else "mean"
    return (
        f"{name} low is a {score} of the standardised indicators of {words.number(one.low)}, as at "
        f"{low}; high is one of {words.number(one.high)}, as at {high}."
    )


def _cell(row: CornerRow | None, outcome: OutcomeFacts) -> Cell:
    if row is None:
        return Cell(words.NONE)
    near = f"{words.firms(row.support)} near"
    text = words.level(row.estimate, outcome)
    if row.support < SUPPORT_MIN:
        return Cell(text, f"extrapolation: {near}", "thin")
    return Cell(text, near)


def _sd(value: float) -> str:
    return words.fixed(value, 2, signed=True)


CORNERS = Section("corners", "Low and high, one and both", "Corners", corners_body)
