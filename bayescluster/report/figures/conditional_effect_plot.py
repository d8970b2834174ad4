"""The effect of each capital across the levels of the other."""

from __future__ import annotations

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
from bayescluster.results.model import (
    Curve,
    Results,
)

STYLES = {"human_capital": (FIRST, "-"), "social_capital": (SECOND, (0, (5, 2)))}


def conditional_effect(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the effect of each capital, low to high, across the other; one panel an industry.

    Parameters
    ----------
    results
        Results of a run.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If the results hold no curves, or too many to draw.
    """
    groups = list(dict.fromkeys(curve.group for curve in results.curves))
    if not groups:
        raise FigureError("The results hold no effect of one capital across the other.")
    if len(groups) > MOST_PANELS:
        raise FigureError(f"{len(groups)} groups are more than the {MOST_PANELS} a figure holds.")
    with settings():
        made = panels(groups, narrow=narrow, height=2.2, extra=0.6)
        factor = words.unit(results.outcome).factor
        for axes, group in zip(made.axes, groups, strict=True):
            for curve in results.curves:
                if curve.group == group:
                    _curve(axes, curve, factor, binary=words.binary(results, curve.capital))
            axes.axhline(0, color=MUTED, linewidth=0.8)
            axes.grid(visible=True, axis="y")
            axes.set_title(folded(words.panel(group), 34), color=INK)
        for axes in made.bottom:
            axes.set_xlabel(folded(f"Level of the other capital ({_across(results)})", 34))
        for axes in made.left:
            axes.set_ylabel(f"Effect, {_unit(results)}")
        handles, labels = made.axes[0].get_legend_handles_labels()
        made.figure.legend(handles, labels, loc="outside upper left", ncols=1 if narrow else 2)
        return plain_text(made.figure)


def _unit(results: Results) -> str:
    kind = words.unit(results.outcome)
    return kind.effect.strip() or folded(kind.name, 24, 1)


def _across(results: Results) -> str:
    """Units of the level axis, which the curves of both capitals share."""
    capitals = dict.fromkeys(curve.capital for curve in results.curves)
    return " or ".join(sorted({words.scale(results, capital) for capital in capitals})[::-1])


def _curve(axes: Axes, curve: Curve, factor: float, *, binary: bool) -> None:
    color, line = STYLES.get(curve.capital, (MUTED, ":"))
    low, mean, high = (
        [value * factor for value in values] for values in (curve.low, curve.mean, curve.high)
    )
    axes.fill_between(curve.at, low, high, color=color, alpha=0.16, linewidth=0)
    axes.plot(
        curve.at,
        mean,
        color=color,
        linestyle=line,
        label=f"{words.label(curve.capital)}, {'yes less no' if binary else 'high less low'}",
    )


CONDITIONAL_EFFECT = FigureSpec(
    name="conditional-effect",
    draw=lambda results, narrow: conditional_effect(results, narrow=narrow),
    caption=lambda _: (
        "Expected outcome at the high level of one capital less that at its low level, across the "
        "levels of the other that the industry spans. Lines are posterior means, bands 90% "
        "intervals. Where a line rises, more of one capital goes with a larger effect of the other."
    ),
    alternative=lambda results: (
        "Lines with bands: effect of each capital across the other, one panel each for "
        f"{', '.join(dict.fromkeys(words.panel(curve.group) for curve in results.curves))}."
    ),
    wanted=lambda results: bool(results.curves),
)
