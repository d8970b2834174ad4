"""Verdicts at other cut-offs: how much hangs on the number that was declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.features.verdict_curves.results import VerdictBand, VerdictCurve
from bayescluster.kit import words
from bayescluster.kit.figure import (
    BAD,
    FIRST,
    INK,
    MUTED,
    Drawn,
    FigureError,
    FigureSpec,
    drawn,
    small_multiples,
)
from bayescluster.kit.page import Section, filled, group_column
from bayescluster.kit.table import Column, Table, View, number
from bayescluster.results.base import Value
from bayescluster.results.model import Results

PREFIX = "verdict-curve-"
"""Begins the name of every figure of this kind."""
FILLS = {"supported": FIRST, "rejected": BAD}
"""Of the bands; where the data do not decide there is none."""
NARROWEST = 0.05
"""Share of the grid from which a band is wide enough for its mark."""


def verdict_curve(curves: Sequence[VerdictCurve], *, narrow: bool = False) -> Figure:
    """Draw posterior and prior probability of one claim across one of its cut-offs.

    Parameters
    ----------
    curves
        Curves of one claim and cut-off, one a group.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If there is no curve, or too many to draw.
    """
    if not curves:
        raise FigureError("The results hold no verdict curve.")
    return small_multiples(
        [(words.group(curve.by, curve.group), curve) for curve in curves],
        _curve,
        (words.CUT_OFFS[curves[0].cutoff], "Probability"),
        narrow=narrow,
        height=2.0,
        key=3,
    )


def _curve(axes: Axes, curve: VerdictCurve) -> None:
    for band in curve.bands:
        _band(axes, curve, band)
    for level in (curve.level, 1 - curve.level):
        axes.axhline(level, color=MUTED, linewidth=0.7, linestyle=(0, (1, 2)))
    axes.plot(curve.at, curve.posterior, color=FIRST, label="posterior")
    axes.plot(
        curve.at, curve.prior, color=MUTED, linestyle=(0, (4, 2)), linewidth=1.2, label="prior"
    )
    axes.axvline(
        curve.declared,
        color=INK,
        linewidth=1.0,
        linestyle=(0, (6, 2)),
        label="cut-off of the verdict",
    )
    axes.set_ylim(-0.04, 1.16)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.margins(x=0)


def _band(axes: Axes, curve: VerdictCurve, band: VerdictBand) -> None:
    """Shade where a verdict holds, and mark which: colour alone does not say it."""
    fill = FILLS.get(band.verdict)
    if fill is None:
        return
    half = (curve.at[-1] - curve.at[0]) / (len(curve.at) - 1) / 2
    axes.axvspan(band.low - half, band.high + half, color=fill, alpha=0.12, linewidth=0)
    if band.high - band.low >= NARROWEST * (curve.at[-1] - curve.at[0]):
        axes.text(
            (band.low + band.high) / 2,
            1.09,
            words.ICONS[band.verdict],
            ha="center",
            va="center",
            color=fill,
            fontsize=8.5,
        )


def curve_groups(results: Results) -> tuple[tuple[VerdictCurve, ...], ...]:
    """Curves by claim and cut-off, in the order of the analysis."""
    found: dict[tuple[int, str], list[VerdictCurve]] = {}
    for curve in results.verdict_curves:
        found.setdefault((curve.claim, curve.cutoff), []).append(curve)
    return tuple(map(tuple, found.values()))


def verdict_curve_figures(results: Results) -> tuple[FigureSpec, ...]:
    """One figure for each claim and cut-off that the results hold."""
    return tuple(_spec(curves) for curves in curve_groups(results))


def _spec(curves: tuple[VerdictCurve, ...]) -> FigureSpec:
    first = curves[0]
    return FigureSpec(
        name=f"{PREFIX}{first.claim + 1}-{first.cutoff}",
        draw=lambda _, narrow: verdict_curve(curves, narrow=narrow),
        caption=partial(_caption, first),
        alternative=partial(_alternative, curves),
        wanted=lambda _: True,
    )


def _caption(first: VerdictCurve, _: Results) -> str:
    held = f" ({first.held} as declared)" if first.held else ""
    level = words.share(first.level)
    return (
        f"{first.title}: probability of the region for other values of {first.cutoff}{held}. "
        f"Shaded where the claim is supported (✓, at least {level}) or rejected (✕, at most "
        f"{words.share(1 - first.level)}); dotted lines are these bounds."
    )


def _alternative(curves: Sequence[VerdictCurve], _: Results) -> str:
    said = " ".join(f"{words.group(one.by, one.group)}: {one.words}" for one in curves)
    return f"{curves[0].title}, by {curves[0].cutoff}. {said}"


MOST_ROWS = 12
"""Tables of more groups than this are folded away."""


class Shown(NamedTuple):
    """A claim and cut-off: its title, its figure, and what its curves say."""

    title: str
    figure: Drawn
    table: Table


def body(results: Results) -> Markup:
    """A figure and a table for each claim and cut-off."""
    shown = tuple(
        Shown(_title(curves[0]), drawn(spec, results), _view(curves).table)
        for curves, spec in zip(curve_groups(results), verdict_curve_figures(results), strict=True)
    )
    return filled("verdict_curves.html.j2", results=results, shown=shown)


class CurvePoint(Value):
    """A point of a verdict curve."""

    at: float
    posterior: float
    prior: float


CURVE = ("kind", "title", "by", "group", "scope", "at_least", "cutoff", "declared")
"""What tells a verdict curve."""


def views(results: Results) -> Iterator[View[Any]]:
    """Verdict curves point by point, and the runs of one verdict: written, not shown."""
    for curve in results.verdict_curves:
        before = {name: getattr(curve, name) for name in CURVE}
        points = zip(curve.at, curve.posterior, curve.prior, strict=True)
        rows = tuple(CurvePoint(at=at, posterior=post, prior=prior) for at, post, prior in points)
        yield View("verdict_curves", CurvePoint, rows=rows, before=before)
        yield View("verdict_bands", VerdictBand, rows=curve.bands, before=before)


def _title(first: VerdictCurve) -> str:
    return f"{first.title}, by {first.cutoff}"


def _view(curves: Sequence[VerdictCurve]) -> View[VerdictCurve]:
    first = curves[0]
    held = f", {first.held} as declared" if first.held else ""
    return View(
        "verdict_curves",
        VerdictCurve,
        f"Verdict of {first.cutoff} {first.declared:g} and of others{held}",
        (
            group_column("Group"),
            number("Posterior", lambda one: one.posterior[_here(one)], words.probability),
            number("Prior", lambda one: one.prior[_here(one)], words.probability),
            Column("What the curve says", "words"),
        ),
        tuple(curves),
        f"Posterior and prior probability at the declared {first.cutoff}.",
        _title(first) if len(curves) > MOST_ROWS else "",
    )


def _here(curve: VerdictCurve) -> int:
    """Position of the declared cut-off on the grid."""
    return min(range(len(curve.at)), key=lambda k: abs(curve.at[k] - curve.declared))


VERDICT_CURVES = Section(
    "verdict-curves",
    "Verdicts at other cut-offs",
    "Other cut-offs",
    body,
    wanted=lambda results: bool(results.verdict_curves),
    views=views,
)
