"""Ceilings: effect sizes by group, least levels in words, and the figure of the ceiling over firms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.features.ceilings.results import (
    CeilingLine,
    Ceilings,
    FormCeiling,
    LeastLevel,
)
from bayescluster.kit import words
from bayescluster.kit.figure import FIRST, MUTED, FigureError, folded, small_multiples
from bayescluster.kit.table import Column, View, number
from bayescluster.names import CAPITALS
from bayescluster.results.model import Results


def ceiling(results: Results, capital: str, *, narrow: bool = False) -> Figure:
    """Draw the ceiling of a capital over the firms, one panel an industry.

    Raises
    ------
    FigureError
        If the results hold no ceiling of this capital, or too many to draw.
    """
    lines = _lines(results, capital)
    if not lines:
        raise FigureError(f"The results hold no ceiling of {words.label(capital).lower()}.")
    kind = words.unit(results.outcome)
    unit = next((one.unit for one in results.measures if one.capital == capital), "sd")
    outcome = folded(words.label(results.outcome.column), 24, 1)
    return small_multiples(
        [(words.panel(line.group), line) for line in lines],
        partial(_ceiling_panel, results=results),
        (f"{words.label(capital)} ({unit})", outcome + (f", {kind.level}" if kind.level else "")),
        narrow=narrow,
        height=2.2,
        key=3,
    )


def _lines(results: Results, capital: str) -> list[CeilingLine]:
    """Ceilings of a capital in every industry; of all firms where there are none."""
    lines = results.ceilings.lines if results.ceilings else ()
    mine = [line for line in lines if line.capital == capital]
    return [line for line in mine if line.by == "industry"] or mine


def _ceiling_panel(axes: Axes, line: CeilingLine, results: Results) -> None:
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
    step: Literal["post"] | None = "post" if line.steps else None
    axes.fill_between(
        line.at, low, high, step=step, color=FIRST, alpha=0.18, linewidth=0, label="90%"
    )
    style = "steps-post" if line.steps else "default"
    axes.plot(line.at, mean, color=FIRST, drawstyle=style, label="ceiling, posterior mean")
    axes.grid(visible=True, axis="y")


def views(results: Results) -> Iterator[View[Any]]:
    """Effect sizes and bottlenecks, as they are written."""
    ceilings = results.ceilings
    if ceilings is not None:
        apart = sorted(ceilings.rows, key=lambda row: row.by == "cluster")
        yield View("ceilings", FormCeiling, rows=tuple(apart))
        yield View("bottlenecks", LeastLevel, rows=ceilings.bottlenecks)
        yield sizes(ceilings)


def sizes(ceilings: Ceilings) -> View[tuple[FormCeiling, ...]]:
    """Effect sizes of both capitals in every industry, and how often a compensatory model gives as much."""
    rows = sorted(
        (row for row in ceilings.rows if row.by != "cluster"), key=lambda row: (row.by, row.group)
    )
    groups = tuple(tuple(found) for _, found in groupby(rows, lambda row: (row.by, row.group)))

    def of(capital: str) -> Iterator[Column[tuple[FormCeiling, ...]]]:
        def mine(group: tuple[FormCeiling, ...]) -> FormCeiling | None:
            return next((row for row in group if row.capital == capital), None)

        yield number(
            f"{words.label(capital)}: d",
            mine,
            lambda row: words.plain(row.within) if row else words.NONE,
        )
        if ceilings.null:
            yield number("p", mine, lambda row: words.maybe(row.null_p if row else None))

    return View(
        "ceilings",
        FormCeiling,
        "Ceiling effect size d, within reach",
        (
            Column("Group", lambda group: group[0], lambda row: words.group(row.by, row.group)),
            *(column for capital in CAPITALS for column in of(capital)),
        ),
        groups,
        "Share of the scope above the largest expected outcome at each level of the capital, below "
        "what the model reaches at any level"
        + (
            "; p: how often a model in which either capital can replace the other gives as much."
            if ceilings.null
            else "."
        )
        + " A large d does not show that lacking the capital is the reason.",
        records=(),
    )
