"""Specification curve: an effect in every universe, sorted, above the choices that make it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report import words
from bayescluster.report.figures.record import FigureError
from bayescluster.report.figures.style import (
    FIRST,
    INK,
    LINE,
    MUTED,
    NARROW,
    PAPER,
    WIDE,
    canvas,
    folded,
    plain_text,
    settings,
)
from bayescluster.results.multiverse import EffectPoint, Multiverse, Universe

ROW = 0.21
"""Inches that a choice takes."""
CURVE = 2.4
"""Inches that the effects take."""


class Curve(NamedTuple):
    """Effects of one capital on one scale, from the smallest to the largest."""

    capital: str
    scale: str
    unit: str
    points: tuple[EffectPoint, ...]
    universes: tuple[Universe, ...]
    """Of each point."""


def curves_of(found: Multiverse) -> tuple[Curve, ...]:
    """One curve a capital and scale: effects on different scales are not drawn on one axis."""
    named = {one.name: one for one in found.universes}
    grouped: dict[tuple[str, str], list[EffectPoint]] = {}
    for point in found.effects:
        grouped.setdefault((point.capital, point.scale), []).append(point)
    curves = []
    for (capital, scale), points in grouped.items():
        ordered = tuple(sorted(points, key=lambda point: point.estimate.mean))
        universes = tuple(named[point.universe] for point in ordered)
        curves.append(Curve(capital, scale, points[0].unit, ordered, universes))
    return tuple(curves)


def specification_plot(curve: Curve, *, narrow: bool = False) -> Figure:
    """Draw effects with intervals, and a matrix of the choices below them.

    Parameters
    ----------
    curve
        Effects of one capital on one scale.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If there is one universe only.
    """
    if len(curve.points) < 2:
        raise FigureError("Only one universe has an effect on this scale.")
    labels = _labels(curve.universes)
    with settings():
        height = ROW * (len(labels) + 1)
        figure = canvas(NARROW if narrow else WIDE, CURVE + height + 0.3)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[CURVE, height])
        _effects(above, curve)
        _choices(below, curve, labels, 20 if narrow else 46)
        return plain_text(figure)


def _labels(universes: Sequence[Universe]) -> list[tuple[str, str]]:
    """Choices that are made in some universe, those of one dimension together."""
    found = {(choice.dimension, choice.name): None for one in universes for choice in one.choices}
    return sorted(found)


def _effects(axes: Axes, curve: Curve) -> None:
    axes.axhline(0, color=MUTED, linewidth=0.8)
    for place, (point, universe) in enumerate(zip(curve.points, curve.universes, strict=True)):
        base = not universe.choices
        colour = INK if base else FIRST
        low, mean, high = (
            point.factor * value
            for value in (point.estimate.low, point.estimate.mean, point.estimate.high)
        )
        axes.plot((place, place), (low, high), color=colour, linewidth=2.2 if base else 1.4)
        face = INK if base else PAPER
        axes.plot(place, mean, "o", color=colour, markerfacecolor=face, markersize=5, zorder=3)
    axes.set_ylabel(folded(curve.unit, 30))
    axes.grid(visible=True, axis="y")
    axes.tick_params(axis="x", length=0, labelbottom=False)


def _choices(axes: Axes, curve: Curve, labels: Sequence[tuple[str, str]], width: int) -> None:
    rows = [("", "as declared"), *labels]
    for place, universe in enumerate(curve.universes):
        made = {(choice.dimension, choice.name) for choice in universe.choices}
        for row, label in enumerate(rows):
            filled = label in made or (row == 0 and not made)
            colour = (INK if row == 0 else FIRST) if filled else LINE
            axes.plot(place, row, "o", color=colour, markersize=4.5 if filled else 2)
    names = [f"{dimension}: {name}" if dimension else name for dimension, name in rows]
    axes.set_yticks(range(len(rows)), [folded(name, width, 1) for name in names])
    axes.set(xlim=(-0.6, len(curve.points) - 0.4), ylim=(len(rows) - 0.5, -0.6))
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0, labelsize=7.5)
    for side in axes.spines.values():
        side.set_visible(False)


def specification_alternative(curve: Curve) -> str:
    """The figure in a sentence."""
    told = "; ".join(f"{point.universe}: {_number(point)}" for point in curve.points)
    return (
        f"Average marginal effect of {words.label(curve.capital).lower()} ({curve.unit}) in each "
        f"universe, from the smallest to the largest. {told}."
    )


def _number(point: EffectPoint) -> str:
    scaled = point.estimate.model_copy(
        update={
            name: point.factor * getattr(point.estimate, name)
            for name in ("mean", "sd", "low", "high")
        }
    )
    return words.signed(scaled)
