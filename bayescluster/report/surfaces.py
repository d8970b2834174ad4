"""The outcome over the plane of the capitals, and the effect of one across the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bayescluster.kit import words
from bayescluster.kit.figure import (
    FIRST,
    INK,
    LINE,
    MUTED,
    PAPER,
    RAMP,
    SECOND,
    FigureError,
    FigureSpec,
    Panels,
    folded,
    panels,
    plain_text,
    settings,
    small_multiples,
)
from bayescluster.results.base import Curve
from bayescluster.results.model import Results, Surface

MOST_SHOWN: Final = 9
"""Panels of a figure, those of the industries with most firms: more are neither read nor small."""


def shown_of(results: Results, groups: Iterable[str]) -> tuple[str, ...]:
    """Groups that have panels, in their order: all of them, or of many those with most firms."""
    names = tuple(dict.fromkeys(groups))
    rows = {row.group: row.rows for row in results.sample.groups if row.by != "cluster"}
    largest = sorted(names, key=lambda name: -rows.get(name, 0))[:MOST_SHOWN]
    return tuple(name for name in names if name in largest)


def _largest(results: Results, groups: Iterable[str]) -> str:
    """Say that not all groups have panels; nothing where they have."""
    names = tuple(dict.fromkeys(groups))
    shown = len(shown_of(results, names))
    return f" The {shown} largest of {len(names)} groups." if shown < len(names) else ""


def _surfaces(results: Results) -> tuple[Surface, ...]:
    shown = shown_of(results, (one.group for one in results.surfaces))
    return tuple(one for one in results.surfaces if one.group in shown)


def surface(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the posterior mean of the outcome over both capitals, one panel an industry.

    Raises `FigureError` where the results hold no surfaces; see `FigureSpec.draw`.
    """
    found = _surfaces(results)
    if not found:
        raise FigureError("The results hold no outcome surface.")
    with settings():
        made = panels(len(found), narrow=narrow, height=2.75, extra=0.75)
        edges = _edges(results)
        filled = [
            _panel(axes, one, results, edges) for axes, one in zip(made.axes, found, strict=True)
        ]
        _label(made, results, filled[-1], narrow=narrow)
        return plain_text(made.figure)


def _edges(results: Results) -> list[float]:
    values = [value for one in results.surfaces for row in one.mean for value in row]
    low, high = min(values), max(values)
    if not low < high:
        raise FigureError("The outcome surface is flat: there is nothing to draw.")
    step = (high - low) / len(RAMP)
    nice = [float(tick) for tick in MaxNLocator(len(RAMP)).tick_values(low, high)]
    wide = [low + k * step for k in range(len(RAMP) + 1)]
    return nice if len(nice) <= len(RAMP) + 1 else wide


def _panel(axes: Axes, one: Surface, results: Results, edges: list[float]) -> ContourSet:
    used = [
        RAMP[round(k * (len(RAMP) - 1) / max(len(edges) - 2, 1))] for k in range(len(edges) - 1)
    ]
    # contourf wants (row = y, column = x); the model keeps (human, social)
    if not (one.human[0] < one.human[-1] and one.social[0] < one.social[-1]):
        raise FigureError(f"A capital does not vary within {words.panel(one.group)}.")
    across = [list(column) for column in zip(*one.mean, strict=True)]
    filled = axes.contourf(
        one.human,
        one.social,
        across,
        levels=edges,
        cmap=ListedColormap(used),
        norm=BoundaryNorm(edges, len(used)),
    )
    axes.set_title(folded(words.panel(one.group), 34), color=INK)
    _firms(axes, one, (0.5 if results.outcome.yes_or_no else _mean(results)))
    axes.set_xlim(one.human[0], one.human[-1])
    axes.set_ylim(one.social[0], one.social[-1])
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    return filled


def _mean(results: Results) -> float:
    return next(row.outcome_mean or 0.0 for row in results.sample.groups if row.by == "all")


def _firms(axes: Axes, one: Surface, middle: float) -> None:
    for above in (False, True):
        some = [point for point in one.points if (point[2] > middle) == above]
        axes.plot(
            [point[0] for point in some],
            [point[1] for point in some],
            linestyle="",
            marker="o",
            markersize=3.1 if above else 2.8,
            markerfacecolor=INK if above else PAPER,
            markeredgecolor=PAPER if above else INK,
            markeredgewidth=0.45,
        )


def _label(made: Panels, results: Results, filled: ContourSet, *, narrow: bool) -> None:
    for axes in made.bottom:
        axes.set_xlabel(f"Human capital ({words.scale(results, 'human_capital')})")
    for axes in made.left:
        axes.set_ylabel(f"Social capital ({words.scale(results, 'social_capital')})")
    kind = words.unit(results.outcome)
    levels = list(filled.levels)
    # a step of 0.1 needs one digit, not the two of an uncertainty
    step = 10 * (levels[1] - levels[0]) * kind.factor
    bar = made.figure.colorbar(
        filled,
        ax=list(made.axes),
        location="top",
        fraction=0.05,
        aspect=26 if narrow else 45,
        pad=0.02,
        format=FuncFormatter(lambda value, _: words.number(value * kind.factor, step) + kind.level),
        ticks=levels[:: 2 if narrow or len(levels) > 8 else 1],
    )
    bar.set_label(words.sentence(folded(results.outcome.label, 40, 1)).rstrip("."))
    bar.outline.set_edgecolor(LINE)
    bar.ax.tick_params(length=2)


def _caption(results: Results) -> str:
    shown = sum(one.points_shown for one in _surfaces(results))
    total = sum(one.points_total for one in _surfaces(results))
    what = "with the outcome" if results.outcome.yes_or_no else "above the mean outcome"
    dots = "firms" if results.sample.rows == results.sample.firms else "rows of the data"
    return (
        "Posterior mean of the expected outcome over the plane of the two capitals. Dots are "
        f"{dots} ({words.count(shown)} of {words.count(total)}): filled {what}, hollow without. Where there are no dots the surface is extrapolation."
        + _largest(results, (one.group for one in results.surfaces))
    )


def _alternative(results: Results) -> str:
    names = ", ".join(words.panel(one.group) for one in _surfaces(results))
    return (
        "Filled contours of the expected outcome over human capital (across) and social capital "
        f"(up), one panel each for {names}; the corners of the plane are given in the table above."
    )


SURFACE = FigureSpec(
    name="surface",
    draw=lambda results, narrow: surface(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: bool(results.surfaces),
)


STYLES = {"human_capital": (FIRST, "-"), "social_capital": (SECOND, (0, (5, 2)))}


def conditional_effect(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the effect of each capital, low to high, across the other; one panel an industry.

    Raises `FigureError` where the results hold no curves; see `FigureSpec.draw`.
    """
    groups: dict[str, list[Curve]] = {}
    for curve in results.curves:
        groups.setdefault(curve.group, []).append(curve)
    if not groups:
        raise FigureError("The results hold no effect of one capital across the other.")
    factor = words.unit(results.outcome).factor

    def draw(axes: Axes, curves: list[Curve]) -> None:
        for curve in curves:
            _curve(axes, curve, factor, binary=words.binary(results, curve.capital))
        axes.axhline(0, color=MUTED, linewidth=0.8)
        axes.grid(visible=True, axis="y")

    return small_multiples(
        [(words.panel(group), groups[group]) for group in shown_of(results, groups)],
        draw,
        (f"Level of the other capital ({_across(results)})", f"Effect, {_unit(results)}"),
        narrow=narrow,
        height=2.2,
    )


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
    caption=lambda results: (
        "Expected outcome at the high level of one capital less that at its low level, across the "
        "levels of the other that the industry spans. Lines are posterior means, bands 90% "
        "intervals. Where a line rises, more of one capital goes with a larger effect of the other."
        + _largest(results, (curve.group for curve in results.curves))
    ),
    alternative=lambda results: (
        "Lines with bands: effect of each capital across the other, one panel each for "
        f"{', '.join(map(words.panel, shown_of(results, (one.group for one in results.curves))))}."
    ),
    wanted=lambda results: bool(results.curves),
)
