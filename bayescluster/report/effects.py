"""Effects of the capitals by group, and the corners of their plane."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup
from matplotlib.figure import Figure

from bayescluster.kit import words
from bayescluster.kit.figure import FigureError, FigureSpec
from bayescluster.kit.intervals import Frame, Line, Mark, interval_rows
from bayescluster.kit.page import Section, figures, filled, group_column, pivot
from bayescluster.kit.table import Cell, Column, View, number
from bayescluster.report.answer import few_firms
from bayescluster.report.surfaces import CONDITIONAL_EFFECT, SURFACE
from bayescluster.results.base import By
from bayescluster.results.claims import CornerRow, Corners, LevelAmounts
from bayescluster.results.facts import OutcomeFacts
from bayescluster.results.model import ContextRow, DifferenceRow, EffectRow, RankRow, Results

MEASURE = "average_marginal_effect"
ALONE = "Industry alone: population part only, normal approximation [90% interval]"


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
    factor = words.unit(results.outcome).factor
    lines = [
        Line(
            f"{words.group(row.by, row.group)}\nn = {words.count(row.rows)}",
            tuple(
                Mark(one.low * factor, one.mean * factor, one.high * factor, look)
                for look, one in enumerate((row.estimate, row.unpooled))
                if one is not None
            ),
        )
        for row in rows
    ]
    alone = "industry alone" if narrow else "industry alone (normal approximation)"
    key = (
        ("partially pooled", alone) if any(row.unpooled for row in rows) else ("partially pooled",)
    )
    change = f"Change {words.step(results, capital)} of {words.label(capital).lower()}"
    label = f"{change}, {words.unit(results.outcome).name}"
    return interval_rows(lines, Frame(label, 0.0, key=key), narrow=narrow)


def forest_rows(results: Results, capital: str) -> list[EffectRow]:
    """Effects that the forest shows, from the top."""
    return [
        row
        for row in results.effects
        if row.capital == capital and row.measure == MEASURE and row.by != "cluster"
    ]


def effects_figure(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the average marginal effects of the capitals next to each other, overall and by industry.

    Raises `FigureError` where the results hold no effects; see `FigureSpec.draw`.
    """
    capitals = list(dict.fromkeys(row.capital for row in results.effects))
    factor = words.unit(results.outcome).factor
    marks: dict[tuple[str, str, int], list[Mark]] = {}
    for look, capital in enumerate(capitals):
        for row in forest_rows(results, capital):
            one = row.estimate
            mark = Mark(one.low * factor, one.mean * factor, one.high * factor, look)
            marks.setdefault((row.by, row.group, row.rows), []).append(mark)
    lines = [
        Line(f"{words.group(by, group)}\nn = {words.count(rows)}", tuple(own))
        for (by, group, rows), own in marks.items()
    ]
    key = tuple(f"{words.label(one)}, {words.step(results, one)}" for one in capitals)
    label = f"Average marginal effect, {words.unit(results.outcome).name}"
    return interval_rows(lines, Frame(label, 0.0, key=key), narrow=narrow)


def _caption(results: Results) -> str:
    scopes = dict.fromkeys(row.scope for row in results.effects)
    names = "; ".join(words.SCOPES.get(scope, scope) for scope in scopes)
    text = (
        f"Change in the expected {results.outcome.label} with more of a capital, averaged over the firms "
        f"of each group ({names}): mean and 90% interval, partially pooled."
    )
    return f"{text} {words.total(results)}".strip()


def _alternative(results: Results) -> str:
    listed = "; ".join(
        f"{words.label(row.capital)}, {words.group(row.by, row.group)} "
        f"{words.effect(row.estimate, results.outcome)}"
        for row in results.effects
        if row.measure == MEASURE and row.by != "cluster"
    )
    return f"Average marginal effects: {listed}."


EFFECTS_FIGURE = FigureSpec(
    name="effects",
    draw=lambda results, narrow: effects_figure(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: bool(results.effects),
)


def effects_views(results: Results) -> Iterator[View[Any]]:
    """Effects by capital, measure and group, and how industries differ."""
    yield _effects(results)
    yield from _context(results)
    for other in results.others:
        before = {"equation": other.model.equation}
        yield View("equation_effects", EffectRow, rows=other.effects, before=before)
    yield from _differences(results)
    yield from _ranks(results)


def _effects(results: Results) -> View[EffectRow]:
    """Average marginal effects, overall and by industry; clusters and contrasts are in the file."""
    effect = partial(words.effect, outcome=results.outcome)
    return View(
        "effects",
        EffectRow,
        f"Average marginal effects, {words.unit(results.outcome).name}",
        (
            Column("Capital", "capital", words.label),
            group_column("Group"),
            number("n", "rows", words.count),
            number("Effect [90% interval]", "estimate", effect),
            number("P(above 0)", "positive", words.probability),
            number(ALONE, "unpooled", lambda one: effect(one) if one else words.NONE),
        ),
        tuple(row for row in results.effects if row.measure == MEASURE and row.by != "cluster"),
        words.ALONE if any(row.unpooled for row in results.effects) else "",
        records=results.effects,
    )


AROUND = {
    "cluster": ("In the firm alone", "In the whole cluster", "the other firms of its cluster"),
    "firm": ("In one row", "In all rows of the firm", "its other rows"),
}
"""Headings of what is raised, and what stays as it is otherwise."""


def _context(results: Results) -> Iterator[View[ContextRow]]:
    """What a firm has itself, and what surrounds it."""
    effect = partial(words.effect, outcome=results.outcome)
    for capital, around in dict.fromkeys((row.capital, row.around) for row in results.context):
        alone, whole, others = AROUND[around]
        yield View(
            "context",
            ContextRow,
            f"{words.label(capital)} of the firm and of its {around}: average marginal effect, "
            f"{words.unit(results.outcome).name}",
            (
                group_column("Group"),
                number("n", "rows", words.count),
                number(f"{alone} [90% interval]", "alone", effect),
                number(whole, "whole", effect),
                number("Difference: contextual effect", "difference", effect),
                number("P(above 0)", "positive", words.probability),
            ),
            tuple(row for row in results.context if (row.capital, row.around) == (capital, around)),
            f"A firm is raised by itself while {others} keep what they have; so it is in all other "
            "tables of effects, at corners and on surfaces.",
        )
    if not results.context:
        yield View("context", ContextRow)


class Pair(NamedTuple):
    """Two groups of a kind, and how the effect of each capital differs between them."""

    by: By
    first: str
    second: str
    own: dict[str, DifferenceRow]


def _differences(results: Results) -> Iterator[View[Any]]:
    """Pairs of groups, a table a kind."""
    pairs: dict[tuple[By, str, str], dict[str, DifferenceRow]] = {}
    for row in results.differences:
        pairs.setdefault((row.by, row.first, row.second), {})[row.capital] = row

    def difference(capital: str) -> Column[Pair]:
        def shown(row: DifferenceRow | None) -> Cell:
            if row is None:
                return Cell(words.NONE)
            near = f"above 0: {words.probability(row.positive)}"
            return Cell(words.effect(row.estimate, results.outcome), near)

        return number(words.label(capital), lambda pair: pair.own.get(capital), shown)

    for by in dict.fromkeys(by for by, _, _ in pairs):
        yield View(
            "differences",
            DifferenceRow,
            f"Differences between {words.kinds(by)}: effect in the first less that in the second",
            (
                Column("First", lambda pair: words.group(pair.by, pair.first)),
                Column("Second", lambda pair: words.group(pair.by, pair.second)),
                *map(difference, dict.fromkeys(row.capital for row in results.differences)),
            ),
            tuple(Pair(*names, own) for names, own in pairs.items() if names[0] == by),
            "Average marginal effects, each over its own firms; below each the probability that it is "
            "above 0.",
            records=tuple(row for row in results.differences if row.by == by),
        )
    if not pairs:
        yield View("differences", DifferenceRow)


def _ranks(results: Results) -> Iterator[View[RankRow]]:
    for capital, by in dict.fromkeys((row.capital, row.by) for row in results.ranks):
        some = tuple(row for row in results.ranks if (row.capital, row.by) == (capital, by))
        if len(some) < 2:  # a rank among one says nothing
            continue
        places = range(max(len(row.probabilities) for row in some))
        yield View(
            "ranks",
            RankRow,
            f"Where the effect of {words.label(capital).lower()} is largest"
            + ("" if by == "industry" else f", {words.kinds(by)}"),
            (
                Column(words.GROUPED.get(by, "Group"), lambda row: words.group(row.by, row.group)),
                *(
                    number(
                        f"P(rank {k + 1})" if k else "P(largest)",
                        partial(_rank, place=k),
                        words.probability,
                        key=f"rank_{k + 1}",
                    )
                    for k in places
                ),
            ),
            some,
            f"Probability of each rank among the {words.kinds(by)}; 1 is the largest effect.",
        )


def _rank(row: RankRow, place: int) -> float:
    return row.probabilities[place]


MOST_PAIRS = 10
"""More pairs of industries than this are in the file only; the page then has the ranks."""


def effects_body(results: Results) -> Markup:
    """One figure of the effects, and how industries differ."""
    differences = tuple(_differences(results))
    few = max(len(view.rows) for view in differences) <= MOST_PAIRS
    shown = differences if few else tuple(_ranks(results))
    return filled(
        "effects.html.j2",
        results=results,
        figures=figures(results, EFFECTS_FIGURE),
        tables=[view.table for view in shown if view.rows],
    )


EFFECTS = Section(
    "effects",
    "How much do the capitals matter, and does it differ by industry?",
    "Effects",
    effects_body,
    views=effects_views,
    layer="findings",
)


def surface_body(results: Results) -> Markup:
    """The expected outcome over the plane of the capitals, with the firms."""
    drawn = figures(results, SURFACE)
    return filled("figures.html.j2", figures=drawn, tables=())


SURFACE_SECTION = Section(
    "surface",
    "Where are the firms, and what is expected there?",
    "Surface",
    surface_body,
    lambda results: bool(results.surfaces),
    layer="findings",
)


def corners_views(results: Results) -> Iterator[View[Any]]:
    """Corners of every scope and pair of levels; the page has those of the first in its figure."""
    for found in results.corners:
        yield _corners(found, results)
    if not results.corners:
        yield View("corners", CornerRow, before=dict.fromkeys(LEVELS))


LEVELS = ("scope", "at_least", "declared", "human_low", "human_high", "social_low", "social_high")
"""What tells the levels of a corner."""


def _corners(found: Corners, results: Results) -> View[Any]:
    """Corners overall and by industry; those of clusters are in the file."""
    scope, level = words.SCOPES.get(found.scope, found.scope), found.at_least
    outcome = results.outcome if level is None else words.reaching(results.outcome, level)
    view = View(
        "corners",
        CornerRow,
        f"{words.sentence(found.quantity)[:-1]} at the corners, {found.declared}",
        rows=tuple(row for row in found.rows if row.by != "cluster"),
        note=f"For {scope}. Low and high: human capital {_sd(found.human_low)} and "
        f"{_sd(found.human_high)} ({words.scale(results, 'human_capital')}), social capital "
        f"{_sd(found.social_low)} and {_sd(found.social_high)} "
        f"({words.scale(results, 'social_capital')}).",
        before={name: getattr(found, name) for name in LEVELS},
    )
    across = {name: words.sentence(text)[:-1] for name, text in words.CORNERS.items()}
    shown = pivot(
        view,
        across,
        lambda row: row.corner,
        partial(_corner, outcome=outcome, least=few_firms(results)),
    )
    return replace(shown, records=found.rows)


def _corner(row: CornerRow, outcome: OutcomeFacts, least: int) -> Cell:
    near, text = f"{words.firms(row.support)} near", words.level(row.estimate, outcome)
    if row.support < least:
        return Cell(text, f"extrapolation: {near}", "thin")
    return Cell(text, near)


def corners_body(results: Results) -> Markup:
    """Corners that the first page does not show, what low and high are, and effects across levels."""
    later = tuple(corners_views(results))[1:]
    return filled(
        "corners.html.j2",
        results=results,
        amounts=[_amount(one) for one in results.corners[0].amounts] if results.corners else (),
        figures=figures(results, CONDITIONAL_EFFECT),
        tables=[view.table for view in later if view.columns],
    )


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
        f"{name} is low where the {score} of its standardised indicators is {words.number(one.low)}, as "
        f"with {low}; high where it is {words.number(one.high)}, as with {high}."
    )


def _sd(value: float) -> str:
    return words.fixed(value, 2, signed=True)


CORNERS = Section(
    "corners",
    "What are low and high, and how does the effect of one capital change with the other?",
    "Low and high",
    corners_body,
    lambda results: bool(results.corners or results.curves),
    corners_views,
)
