"""Ceilings: effect sizes, what a compensatory model gives, and bottlenecks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.features.ceilings.results import (
    CeilingLine,
    Ceilings,
    FormCeiling,
    LeastLevel,
    Level,
)
from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    MUTED,
    SECOND,
    FigureError,
    FigureSpec,
    folded,
    small_multiples,
)
from bayescluster.kit.page import Section, figures, filled, tables
from bayescluster.kit.table import Column, Look, View, number
from bayescluster.names import CAPITALS
from bayescluster.results.model import Results

LOOKS: Final = {"human_capital": (FIRST, "o", 1.2), "social_capital": (SECOND, "s", -1.2)}
"""Colour, mark, and how far above its target a capital is drawn, in percent."""
PLACES: Final = {"NN": -4.0, "NA": 104.0}
"""Where not needed and not reachable are drawn, left and right of all levels."""


def ends_text(row: LeastLevel, unit: str, write: Callable[[float], str]) -> str:
    """Write a least level in a unit: ``median [low, high]``, one word where all three agree."""
    low, median, high = (
        end.word or write(getattr(end, unit)) for end in (row.low, row.median, row.high)
    )
    return median if low == median == high else f"{median} [{low}, {high}]"


def own_unit(row: LeastLevel) -> str:
    """Unit in which a least level is shown: that of the construct, sd where it has none."""
    ends = (row.low, row.median, row.high)
    return "original" if any(end.original is not None for end in ends) else "sd"


def chances(row: LeastLevel) -> str:
    """Probabilities of NN and NA, as far as there are any."""
    return ", ".join(
        f"P({word}) {words.probability(share)}"
        for word, share in (("NN", row.not_needed), ("NA", row.not_reached))
        if share > 0
    )


def ceiling(results: Results, capital: str, *, narrow: bool = False) -> Figure:
    """Draw the ceiling of a capital over the firms, one panel an industry.

    Parameters
    ----------
    results
        Results of a run.
    capital
        The capital whose levels are across.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results hold no ceiling of this capital, or too many to draw.
    """
    lines = {line.group: line for line in lines_of(results, capital)}
    if not lines:
        raise FigureError(f"The results hold no ceiling of {words.label(capital).lower()}.")
    kind = words.unit(results.outcome)
    unit = next((one.unit for one in results.measures if one.capital == capital), "sd")
    outcome = folded(words.label(results.outcome.column), 24, 1)
    return _multiples(
        tuple(lines),
        lambda axes, group: _ceiling_panel(axes, results, lines[group]),
        f"{words.label(capital)} ({unit})",
        outcome + (f", {kind.level}" if kind.level else ""),
        narrow=narrow,
    )


def lines_of(results: Results, capital: str) -> list[CeilingLine]:
    """Ceilings of a capital in every industry; of all firms where there are none."""
    lines = results.ceilings.lines if results.ceilings else ()
    mine = [line for line in lines if line.capital == capital]
    return [line for line in mine if line.by == "industry"] or mine


def _multiples(
    groups: Sequence[str], draw: Callable[[Axes, str], None], across: str, up: str, *, narrow: bool
) -> Figure:
    """Draw a panel a group, with lines across."""

    def panel(axes: Axes, group: str) -> None:
        draw(axes, group)
        axes.grid(visible=True, axis="y")

    titles = [(words.panel(group), group) for group in groups]
    return small_multiples(titles, panel, (across, up), narrow=narrow, height=2.2, key=3)


def _ceiling_panel(axes: Axes, results: Results, line: CeilingLine) -> None:
    """Some firms of the group, as in the figure of the surface, and the ceiling with its band."""
    factor = words.unit(results.outcome).factor
    surface = next((one for one in results.surfaces if one.group == line.group), None)
    unit = next((one for one in results.measures if one.capital == line.capital), None)
    if surface is not None and unit is not None:
        at = CAPITALS.index(line.capital)
        axes.plot(
            [unit.center + unit.scale * point[at] for point in surface.points],
            [point[2] * factor for point in surface.points],
            linestyle="",
            marker="o",
            markersize=2.4,
            alpha=0.45,
            color=MUTED,
            label="a firm",
        )
    low, mean, high = (
        [value * factor for value in values] for values in (line.low, line.mean, line.high)
    )
    color = LOOKS[line.capital][0]
    step: Literal["post"] | None = "post" if line.steps else None
    axes.fill_between(
        line.at, low, high, step=step, color=color, alpha=0.18, linewidth=0, label="90%"
    )
    style = "steps-post" if line.steps else "default"
    axes.plot(line.at, mean, color=color, drawstyle=style, label="ceiling, posterior mean")


def _caption(results: Results) -> str:
    height = results.ceilings.height if results.ceilings else "outcome"
    return (
        f"The ceiling: the largest {height} that is reachable at a level of the capital, over the "
        "supported levels of the other, with everything else of the firms as it is. Points are firms "
        "as observed. The emptier the space above the ceiling, the larger its effect size d."
    )


def _alternative(results: Results, capital: str) -> str:
    groups = {line.group for line in lines_of(results, capital)}
    listed = "; ".join(
        f"{words.panel(row.group)} d {words.plain(row.estimate)}"
        for row in (results.ceilings.rows if results.ceilings else ())
        if row.capital == capital and row.group in groups and row.by != "cluster"
    )
    return f"Ceilings of {words.label(capital).lower()} over firms: {listed}."


def _spec(capital: str) -> FigureSpec:
    return FigureSpec(
        name=f"ceiling-{capital.replace('_', '-')}",
        draw=lambda results, narrow: ceiling(results, capital, narrow=narrow),
        caption=_caption,
        alternative=lambda results: _alternative(results, capital),
        wanted=lambda results: bool(lines_of(results, capital)),
    )


CEILING_HUMAN = _spec("human_capital")
CEILING_SOCIAL = _spec("social_capital")


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
    rows = shown_bottlenecks(results)
    if not rows:
        raise FigureError("The results hold no bottlenecks.")
    return _multiples(
        tuple(dict.fromkeys(row.group for row in rows)),
        lambda axes, group: _needed_panel(axes, [row for row in rows if row.group == group]),
        "Least level, % of its scope",
        "Outcome, % of its scope",
        narrow=narrow,
    )


def shown_bottlenecks(results: Results) -> list[LeastLevel]:
    """Bottlenecks of every industry; of all firms where there are none."""
    every = list(results.ceilings.bottlenecks) if results.ceilings else []
    return [row for row in every if row.by == "industry"] or every


def _needed_panel(axes: Axes, rows: Sequence[LeastLevel]) -> None:
    for capital in dict.fromkeys(row.capital for row in rows):
        color, mark, above = LOOKS[capital]
        mine = [
            (row, (row.target_percent or 0.0) + above) for row in rows if row.capital == capital
        ]
        for row, at in mine:
            ends = (_place(row.low), _place(row.high))
            axes.plot(ends, (at, at), color=color, linewidth=1.8, alpha=0.7)
        axes.plot(
            [_place(row.median) for row, _ in mine],
            [at for _, at in mine],
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


def _place(level: Level) -> float:
    return PLACES[level.word] if level.percent is None else level.percent


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
        f"{', '.join(dict.fromkeys(words.panel(row.group) for row in shown_bottlenecks(results)))}."
    ),
    wanted=lambda results: bool(shown_bottlenecks(results)),
)


def body(results: Results) -> Markup:
    """Tables of effect sizes, the figures, then bottlenecks."""
    every = tuple(views(results))
    return filled(
        "ceilings.html.j2",
        results=results,
        ceilings=results.ceilings,
        tables=tables(view for view in every if view.name == "ceilings"),
        figures=figures(results, CEILING_HUMAN, CEILING_SOCIAL, NEEDED_LEVELS),
        bottlenecks=tables(view for view in every if view.name == "bottlenecks"),
    )


def views(results: Results) -> Iterator[View[Any]]:
    """Effect sizes, those of clusters apart, and a bottleneck table a group."""
    ceilings = results.ceilings
    assert ceilings is not None
    yield from (_sizes(ceilings, clusters=clusters) for clusters in (False, True))
    groups: dict[tuple[str, str], list[LeastLevel]] = {}
    for row in ceilings.bottlenecks:
        groups.setdefault((row.by, row.group), []).append(row)
    shown = {row.group for row in shown_bottlenecks(results)}
    for (_, group), rows in groups.items():
        yield _bottleneck(results, rows, shown=group in shown)
    if not groups:
        yield View("bottlenecks", LeastLevel)


def _sizes(ceilings: Ceilings, *, clusters: bool) -> View[FormCeiling]:
    rows = tuple(row for row in ceilings.rows if (row.by == "cluster") == clusters)
    heads: tuple[Column[FormCeiling], ...] = (
        Column("Group", lambda row: words.group(row.by, row.group), look=_group_look),
        Column("Capital", "capital", words.label),
        number("d of the model", "estimate", words.plain, note=_prior),
        number(
            f"P(d at least {ceilings.d_min:g})",
            "at_least",
            words.probability,
            note=lambda row: f"prior {words.probability(row.prior_at_least)}",
        ),
        number("Of it, within reach", "within", words.plain),
        number("CE-FDH, firms as they are", "ce_fdh", words.number),
        number("CR-FDH", "cr_fdh", words.number),
        number("Compensatory model", "null_p", _null, note=_null_note),
    )
    return View(
        "ceilings",
        FormCeiling,
        "Ceiling effect size d",
        heads if rows else (),
        rows,
        "" if clusters else _note(ceilings),
        "Ceiling effect size by cluster" if clusters else "",
    )


def _group_look(row: FormCeiling) -> Look:
    return "head" if row.by == "all" else ""


def _prior(row: FormCeiling) -> str:
    return f"prior {words.plain(row.prior)}"


def _null(p: float | None) -> str:
    return words.NONE if p is None else f"p {words.probability(p)}"


def _null_note(row: FormCeiling) -> str:
    if row.null_observed is None or row.null_expected is None:
        return ""
    over = f" over {row.null_clusters} clusters" if row.null_clusters else ""
    return f"observed {row.null_observed:.2f}, expected {row.null_expected:.2f}{over}"


def _note(ceilings: Ceilings) -> str:
    low, high = ceilings.supported
    null = (
        f"Compensatory model: {ceilings.null}; p is how often its replicates ({ceilings.replicates}) "
        "give a CE-FDH effect size as large as that observed, averaged over clusters by firms where "
        "any has 10. "
        if ceilings.null
        else ""
    )
    return (
        f"The ceiling is the largest {ceilings.height} between the quantiles {low:g} and {high:g} of "
        f"the other capital in the group. Scope: the capital, {ceilings.scope}; the outcome from "
        f"{ceilings.outcome_low:g} to {ceilings.outcome_high:g}. {null}From {ceilings.draws} draws of "
        "the posterior, evenly spaced."
    )


def _bottleneck(
    results: Results, rows: Sequence[LeastLevel], *, shown: bool
) -> View[Mapping[str, LeastLevel]]:
    """The bottlenecks of a group: shown a row a target, written a row a capital and target."""
    kind, title = words.unit(results.outcome), f"Bottlenecks in {words.panel(rows[0].group)}"
    targets: dict[float, dict[str, LeastLevel]] = {}
    for row in rows:
        targets.setdefault(row.target, {})[row.capital] = row
    outcome: Column[Mapping[str, LeastLevel]] = number(
        "Outcome",
        lambda needs: next(iter(needs.values())).target,
        lambda target: words.number(target * kind.factor) + kind.level,
    )
    capitals = map(_needed_column, dict.fromkeys(row.capital for row in rows))
    return View(
        "bottlenecks",
        LeastLevel,
        title,
        (outcome, *capitals) if shown else (),
        tuple(targets.values()),
        "Least level of the capital at which the ceiling reaches the outcome: median and 90% "
        "interval in its own unit, in small print as percent of its scope. NN: not needed. NA: not "
        "reachable.",
        title,
        records=tuple(rows),
    )


def _needed_column(capital: str) -> Column[Mapping[str, LeastLevel]]:
    return number(
        words.label(capital),
        lambda needs: needs[capital],
        lambda row: ends_text(row, own_unit(row), partial(words.fixed, places=2)),
        note=lambda needs: _percent(needs[capital]),
    )


def _percent(row: LeastLevel) -> str:
    """A least level in percent of the scope, and the chances of NN and NA."""
    percent = ends_text(row, "percent", partial(words.fixed, places=0))
    return ", ".join(filter(None, (f"{percent} %", chances(row))))


CEILINGS = Section(
    "ceilings",
    "How high the outcome can go",
    "Ceilings",
    body,
    wanted=lambda results: results.ceilings is not None,
    views=views,
)
