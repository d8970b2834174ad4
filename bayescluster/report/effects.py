"""Effects of the capitals by group, and the corners of their plane."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure

from bayescluster.kit import words
from bayescluster.kit.figure import FigureError, FigureSpec
from bayescluster.kit.intervals import Frame, Line, Mark, interval_rows
from bayescluster.kit.page import Section, figures, filled, group_column, pivot, tables
from bayescluster.kit.table import Cell, Column, View, number
from bayescluster.report.surfaces import CONDITIONAL_EFFECT, SURFACE
from bayescluster.results.claims import CornerRow, Corners, LevelAmounts
from bayescluster.results.facts import OutcomeFacts
from bayescluster.results.model import DifferenceRow, EffectRow, RankRow, Results

MEASURE = "average_marginal_effect"
SUPPORT_MIN = 10
"""The report's own floor: a corner with fewer firms around it is marked as extrapolation.

Claims declare theirs (``min_support``) in the analysis; results do not carry it.
"""
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


def effects_views(results: Results) -> Iterator[View[Any]]:
    """Effects by capital and measure, those of clusters last; differences and ranks of industries."""
    kinds = dict.fromkeys((row.capital, row.measure) for row in results.effects)
    for clusters in (False, True):
        for kind in kinds:
            some = tuple(
                row
                for row in results.effects
                if (row.capital, row.measure) == kind and (row.by == "cluster") == clusters
            )
            if some:
                yield _effects(some, results, clusters=clusters)
    if not results.effects:
        yield View("effects", EffectRow)
    for other in results.others:
        before = {"equation": other.model.equation}
        yield View("equation_effects", EffectRow, rows=other.effects, before=before)
    yield from _differences(results)
    yield from _ranks(results)


def _effects(some: tuple[EffectRow, ...], results: Results, *, clusters: bool) -> View[EffectRow]:
    first, effect = some[0], partial(words.effect, outcome=results.outcome)
    what = f"{words.MEASURES[first.measure]}: {words.label(first.capital).lower()}"
    if first.measure == MEASURE:
        what += f", change {words.step(results, first.capital)}"
    alone = any(row.unpooled for row in some)
    columns: tuple[Column[Any], ...] = (
        group_column("Group"),
        number("n", "rows", words.count),
        number("Effect [90% interval]", "estimate", effect),
        number("P(above 0)", "positive", words.probability),
        number(ALONE, "unpooled", lambda one: effect(one) if one else words.NONE),
    )
    return View(
        "effects",
        EffectRow,
        f"{what}, {words.unit(results.outcome).name}",
        columns if alone else columns[:-1],
        some,
        words.ALONE if alone else "",
        f"{what}, by cluster" if clusters else "",
    )


def _differences(results: Results) -> Iterator[View[DifferenceRow]]:
    columns: tuple[Column[Any], ...] = (
        Column("Effect in", lambda row: words.group(row.by, row.first)),
        Column("less effect in", lambda row: words.group(row.by, row.second)),
        number(
            "Difference [90% interval]", "estimate", partial(words.effect, outcome=results.outcome)
        ),
        number("P(above 0)", "positive", words.probability),
    )
    for capital in dict.fromkeys(row.capital for row in results.differences):
        kinds = dict.fromkeys(row.by for row in results.differences if row.capital == capital)
        for by in kinds:
            yield View(
                "differences",
                DifferenceRow,
                f"Differences between {words.kinds(by)} in the average marginal effect of "
                f"{words.label(capital).lower()}",
                columns,
                tuple(row for row in results.differences if (row.capital, row.by) == (capital, by)),
            )
    if not results.differences:
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


def effects_body(results: Results) -> Markup:
    """Forests, then tables of effects, differences and ranks."""
    scopes = dict.fromkeys(row.scope for row in results.effects)
    return filled(
        "effects.html.j2",
        results=results,
        figures=figures(results, HUMAN_CAPITAL, SOCIAL_CAPITAL),
        tables=tables(effects_views(results)),
        scopes="; ".join(words.SCOPES.get(scope, scope) for scope in scopes),
    )


EFFECTS = Section(
    "effects",
    "Effects by industry",
    "Effects",
    effects_body,
    views=effects_views,
    layer="findings",
)


def corners_views(results: Results) -> Iterator[View[Any]]:
    """Corners of every scope and pair of levels, those of clusters apart."""
    for found in results.corners:
        for clusters in (False, True):
            some = tuple(row for row in found.rows if (row.by == "cluster") == clusters)
            if some:
                yield _corners(found, some, results, clusters=clusters)
    if not results.corners:
        yield View("corners", CornerRow, before=dict.fromkeys(LEVELS))


LEVELS = ("scope", "at_least", "declared", "human_low", "human_high", "social_low", "social_high")
"""What tells the levels of a corner."""


def _corners(
    found: Corners, some: tuple[CornerRow, ...], results: Results, *, clusters: bool
) -> View[Any]:
    scope = words.SCOPES.get(found.scope, found.scope)
    level = found.at_least
    outcome = results.outcome if level is None else words.reaching(results.outcome, level)
    reached = "" if level is None else f", at least {level}"
    view = View(
        "corners",
        CornerRow,
        f"{words.sentence(found.quantity)[:-1]} at the corners, {found.declared}",
        rows=some,
        note=f"For {scope}. Low and high: human capital {_sd(found.human_low)} and "
        f"{_sd(found.human_high)} ({words.scale(results, 'human_capital')}), social capital "
        f"{_sd(found.social_low)} and {_sd(found.social_high)} "
        f"({words.scale(results, 'social_capital')})."
        f"{'' if clusters else _amounts(found.amounts)}",
        folded=f"Corners by cluster, {found.declared}{reached}" if clusters else "",
        before={name: getattr(found, name) for name in LEVELS},
    )
    across = {name: words.sentence(text)[:-1] for name, text in words.CORNERS.items()}
    return pivot(view, across, lambda row: row.corner, partial(_corner, outcome=outcome))


def _corner(row: CornerRow, outcome: OutcomeFacts) -> Cell:
    near, text = f"{words.firms(row.support)} near", words.level(row.estimate, outcome)
    if row.support < SUPPORT_MIN:
        return Cell(text, f"extrapolation: {near}", "thin")
    return Cell(text, near)


def corners_body(results: Results) -> Markup:
    """Tables of corners, then the figures."""
    return filled(
        "corners.html.j2",
        results=results,
        tables=tables(corners_views(results)),
        figures=figures(results, SURFACE, CONDITIONAL_EFFECT),
        support_min=SUPPORT_MIN,
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


def _sd(value: float) -> str:
    return words.fixed(value, 2, signed=True)


CORNERS = Section(
    "corners",
    "Low and high, one and both",
    "Corners",
    corners_body,
    views=corners_views,
    layer="findings",
)
