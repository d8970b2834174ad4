"""Probability of a claim across its cut-off, one figure a claim and cut-off."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report import words
from bayescluster.report.figures.panels import MOST_PANELS, panels
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.style import (
    BAD,
    FIRST,
    INK,
    MUTED,
    folded,
    plain_text,
    settings,
)
from bayescluster.results.model import Results
from bayescluster.results.verdict_curves import VerdictBand, VerdictCurve

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
    if len(curves) > MOST_PANELS:
        raise FigureError(f"{len(curves)} groups are more than the {MOST_PANELS} a figure holds.")
    with settings():
        groups = [words.group(curve.by, curve.group) for curve in curves]
        made = panels(groups, narrow=narrow, height=2.0, extra=1.0)
        for axes, group, curve in zip(made.axes, groups, curves, strict=True):
            _curve(axes, curve)
            axes.set_title(folded(group, 34), color=INK)
        for axes in made.bottom:
            axes.set_xlabel(folded(words.CUT_OFFS[curves[0].cutoff], 38))
        for axes in made.left:
            axes.set_ylabel("Probability")
        handles, labels = made.axes[0].get_legend_handles_labels()
        made.figure.legend(handles, labels, loc="outside upper left", ncols=1 if narrow else 3)
        return plain_text(made.figure)


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
