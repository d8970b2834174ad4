"""Ceilings over the firms observed: the most that is reachable at each level of a capital."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report import words
from bayescluster.report.figures.panels import MOST_PANELS, panels
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.style import (
    FIRST,
    INK,
    MUTED,
    SECOND,
    folded,
    plain_text,
    settings,
)
from bayescluster.results.ceilings import CeilingBand
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
