"""Ceilings: effect sizes, what a compensatory model gives, and bottlenecks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.features.ceilings.results import (
    CeilingBand,
    Ceilings,
    FormCeiling,
    NeededLevel,
    NeededRow,
)
from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    INK,
    MOST_PANELS,
    MUTED,
    SECOND,
    FigureError,
    FigureSpec,
    folded,
    panels,
    plain_text,
    settings,
)
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns, figures, group_cell, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.results.model import Results

COLOURS = {"human_capital": FIRST, "social_capital": SECOND}
POSITIONS = {"human_capital": 0, "social_capital": 1}


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
    bands = bands_of(results, capital)
    if not bands:
        raise FigureError(f"The results hold no ceiling of {words.label(capital).lower()}.")
    if len(bands) > MOST_PANELS:
        raise FigureError(f"{len(bands)} groups are more than the {MOST_PANELS} a figure holds.")
    kind = words.unit(results.outcome)
    factor, percent = kind.factor, f", {kind.level}" if kind.level else ""
    with settings():
        made = panels([band.group for band in bands], narrow=narrow, height=2.2, extra=0.6)
        for axes, band in zip(made.axes, bands, strict=True):
            _firms(axes, results, band, factor)
            _band(axes, band, factor)
            axes.grid(visible=True, axis="y")
            axes.set_title(folded(words.panel(band.group), 34), color=INK)
        for axes in made.bottom:
            axes.set_xlabel(folded(f"{words.label(capital)} ({_unit(results, capital)})", 34))
        for axes in made.left:
            axes.set_ylabel(folded(words.label(results.outcome.column), 24, 1) + percent)
        handles, labels = made.axes[0].get_legend_handles_labels()
        made.figure.legend(handles, labels, loc="outside upper left", ncols=1 if narrow else 3)
        return plain_text(made.figure)


def bands_of(results: Results, capital: str) -> list[CeilingBand]:
    """Ceilings of a capital in every industry; of all firms where there are none."""
    found = [] if results.ceilings is None else list(results.ceilings.bands)
    mine = [band for band in found if band.capital == capital]
    return [band for band in mine if band.by == "industry"] or mine


def _unit(results: Results, capital: str) -> str:
    return next((one.unit for one in results.measures if one.capital == capital), "sd")


def _firms(axes: Axes, results: Results, band: CeilingBand, factor: float) -> None:
    """Some firms of the group, as in the figure of the surface."""
    surface = next((one for one in results.surfaces if one.group == band.group), None)
    unit = next((one for one in results.measures if one.capital == band.capital), None)
    if surface is None or unit is None:
        return
    at = POSITIONS[band.capital]
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


def _band(axes: Axes, band: CeilingBand, factor: float) -> None:
    low, mean, high = (
        [value * factor for value in values] for values in (band.low, band.mean, band.high)
    )
    color = COLOURS.get(band.capital, MUTED)
    step: Literal["post"] | None = "post" if band.steps else None
    axes.fill_between(
        band.levels, low, high, step=step, color=color, alpha=0.18, linewidth=0, label="90%"
    )
    axes.plot(
        band.levels,
        mean,
        color=color,
        drawstyle="steps-post" if band.steps else "default",
        label="ceiling, posterior mean",
    )


def _caption(results: Results) -> str:
    found = results.ceilings
    height = found.height if found is not None else "outcome"
    return (
        f"The ceiling: the largest {height} that is reachable at a level of the capital, over the "
        "supported levels of the other, with everything else of the firms as it is. Points are firms "
        "as observed. The emptier the space above the ceiling, the larger its effect size d."
    )


def _alternative(capital: str) -> Callable[[Results], str]:
    def said(results: Results) -> str:
        found = results.ceilings
        rows = () if found is None else found.rows
        groups = {band.group for band in bands_of(results, capital)}
        listed = "; ".join(
            f"{words.panel(row.group)} d {words.plain(row.estimate)}"
            for row in rows
            if row.capital == capital and row.group in groups and row.by != "cluster"
        )
        return f"Ceilings of {words.label(capital).lower()} over firms: {listed}."

    return said


def _spec(capital: str) -> FigureSpec:
    return FigureSpec(
        name=f"ceiling-{capital.replace('_', '-')}",
        draw=lambda results, narrow: ceiling(results, capital, narrow=narrow),
        caption=_caption,
        alternative=_alternative(capital),
        wanted=lambda results: bool(bands_of(results, capital)),
    )


CEILING_HUMAN = _spec("human_capital")
CEILING_SOCIAL = _spec("social_capital")


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


def body(results: Results) -> Markup:
    """Tables of effect sizes, the figures, then bottlenecks."""
    found = results.ceilings
    assert found is not None
    return filled(
        "ceilings.html.j2",
        results=results,
        found=found,
        tables=tuple(
            table for clusters in (False, True) if (table := _sizes(found, clusters=clusters)).rows
        ),
        figures=figures(results, CEILING_HUMAN, CEILING_SOCIAL, NEEDED_LEVELS),
        bottlenecks=_bottlenecks(found, results),
    )


def _sizes(found: Ceilings, *, clusters: bool) -> Table:
    mine = [row for row in found.rows if (row.by == "cluster") == clusters]
    return Table(
        "Ceiling effect size d",
        columns(
            "Group",
            "Capital",
            "#d of the model",
            f"#P(d at least {found.d_min:g})",
            "#Of it, within reach",
            "#CE-FDH, firms as they are",
            "#CR-FDH",
            "#Compensatory model",
        ),
        rows(
            (
                group_cell(row.by, row.group),
                words.label(row.capital),
                Cell(words.plain(row.estimate), f"prior {words.plain(row.prior)}"),
                Cell(
                    words.probability(row.at_least),
                    f"prior {words.probability(row.prior_at_least)}",
                ),
                words.plain(row.within),
                words.number(row.ce_fdh),
                words.number(row.cr_fdh),
                _null(row),
            )
            for row in mine
        ),
        "" if clusters else _note(found),
        folded="Ceiling effect size by cluster" if clusters else "",
    )


def _null(row: FormCeiling) -> Cell:
    if row.null_p is None or row.null_observed is None or row.null_expected is None:
        return Cell(words.NONE)
    over = f" over {row.null_clusters} clusters" if row.null_clusters else ""
    return Cell(
        f"p {words.probability(row.null_p)}",
        f"observed {row.null_observed:.2f}, expected {row.null_expected:.2f}{over}",
    )


def _note(found: Ceilings) -> str:
    low, high = found.supported
    null = (
        f"Compensatory model: {found.null}; p is how often its replicates ({found.replicates}) give "
        "a CE-FDH effect size as large as that observed, averaged over clusters by firms where any "
        "has 10. "
        if found.null
        else ""
    )
    return (
        f"The ceiling is the largest {found.height} between the quantiles {low:g} and {high:g} of the "
        f"other capital in the group. Scope: the capital, {found.scope}; the outcome from "
        f"{found.outcome_low:g} to {found.outcome_high:g}. {null}From {found.draws} draws of the "
        "posterior, evenly spaced."
    )


def _bottlenecks(found: Ceilings, results: Results) -> tuple[Table, ...]:
    kinds = {row.by for row in found.bottlenecks}
    shown = "industry" if "industry" in kinds else "all"
    by_group: dict[str, list[NeededRow]] = {}
    for row in found.bottlenecks:
        if row.by == shown:
            by_group.setdefault(row.group, []).append(row)
    return tuple(_bottleneck(group, mine, results) for group, mine in by_group.items())


def _bottleneck(group: str, mine: list[NeededRow], results: Results) -> Table:
    capitals = list(dict.fromkeys(row.capital for row in mine))
    by_target: dict[float, list[NeededRow]] = {}
    for row in mine:
        by_target.setdefault(row.target, []).append(row)
    kind = words.unit(results.outcome)
    return Table(
        f"Bottlenecks in {words.panel(group)}",
        columns("#Outcome", *(f"#{words.label(capital)}" for capital in capitals)),
        rows(
            (
                words.number(target * kind.factor) + kind.level,
                *(_needed(next((r for r in found if r.capital == c), None)) for c in capitals),
            )
            for target, found in by_target.items()
        ),
        "Least level of the capital at which the ceiling reaches the outcome: median and 90% "
        "interval in its own unit, in small print as percent of its scope. NN: not needed. NA: not "
        "reachable.",
        folded=f"Bottlenecks in {words.panel(group)}",
    )


def _needed(row: NeededRow | None) -> Cell:
    if row is None:
        return Cell(words.NONE)
    chances = [
        f"P({name}) {words.probability(value)}"
        for name, value in (("NN", row.not_needed), ("NA", row.not_reachable))
        if value > 0
    ]
    percent = _three(row.low_percent, row.median_percent, row.high_percent, 0)
    note = ", ".join([f"{percent} %", *chances])
    return Cell(_three(row.low, row.median, row.high, 2), note)


def _three(low: NeededLevel, median: NeededLevel, high: NeededLevel, places: int) -> str:
    first, middle, last = (
        one if isinstance(one, str) else words.fixed(one, places) for one in (low, median, high)
    )
    return middle if first == middle == last else f"{middle} [{first}, {last}]"


CEILINGS = Section(
    "ceilings",
    "How high the outcome can go",
    "Ceilings",
    body,
    wanted=lambda results: results.ceilings is not None,
)
