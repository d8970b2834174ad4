"""Verdicts at other cut-offs: how much depends on the number that was declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.features.verdict_curves.results import VerdictBand, VerdictCurve
from bayescluster.kit import words
from bayescluster.kit.figure import BAD, FIRST, INK, MUTED, FigureError, small_multiples
from bayescluster.kit.page import Section, filled
from bayescluster.kit.table import Column, View, number
from bayescluster.results.base import Value
from bayescluster.results.model import Results

MOST_ROWS: Final = 12
"""Turning points on the page: those closest to their declared cut-off."""
FILLS = {"supported": FIRST, "rejected": BAD}
"""Of the bands; where the data do not decide there is none."""
NARROWEST = 0.05
"""Share of the grid from which a band is wide enough for its mark."""


def verdict_curve(curves: Sequence[VerdictCurve], *, narrow: bool = False) -> Figure:
    """Draw posterior and prior probability of one claim across one of its cut-offs.

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


class Turn(NamedTuple):
    """Where the verdict of a curve changes, on the side closer to the declared cut-off."""

    curve: VerdictCurve
    verdict: str
    other: str
    """The verdict beyond the turning point, and from or up to where it holds."""
    distance: float


def turns(curves: Sequence[VerdictCurve]) -> list[Turn]:
    """Turning points of the curves that have one, those closest to the declared cut-off first."""
    found = [turn for curve in curves for turn in _turns(curve)]
    return sorted(found, key=lambda turn: turn.distance)


def _turns(curve: VerdictCurve) -> list[Turn]:
    def away(band: VerdictBand) -> float:
        return max(band.low - curve.declared, curve.declared - band.high, 0.0)

    here = min(curve.bands, key=away).verdict
    sides = [
        Turn(
            curve,
            here,
            f"{words.ICONS[band.verdict]} {band.verdict} "
            + (f"from {band.low:g}" if band.low > curve.declared else f"up to {band.high:g}"),
            away(band),
        )
        for band in curve.bands
        if band.verdict != here
    ]
    return sorted(sides, key=lambda turn: turn.distance)[:1]


def body(results: Results) -> Markup:
    """How many verdicts change, and the closest turning points."""
    curves, view = results.verdict_curves, _closest(results.verdict_curves)
    return filled(
        "verdict_curves.html.j2",
        many=len(curves),
        stopped=sum(bool(curve.stopped) for curve in curves),
        turning=len(turns(curves)),
        shown=len(view.rows),
        table=view.table if view.rows else None,
    )


def _closest(curves: Sequence[VerdictCurve]) -> View[Turn]:
    """Turning points closest to their declared cut-off, in the order of the analysis."""
    order = {id(curve): place for place, curve in enumerate(curves)}
    rows = sorted(turns(curves)[:MOST_ROWS], key=lambda turn: order[id(turn.curve)])
    names = [name for name in words.CUT_OFFS if any(turn.curve.cutoff == name for turn in rows)]
    return View(
        "verdict_bands",
        VerdictBand,
        "Closest cut-offs with another verdict",
        (
            Column("Claim", lambda turn: words.group(turn.curve.by, turn.curve.group)),
            Column("Cut-off", lambda turn: turn.curve.cutoff),
            number("As declared", lambda turn: turn.curve.declared, "{:.3g}".format),
            Column("Verdict", "verdict"),
            Column("Would be", "other"),
        ),
        tuple(rows),
        "; ".join(words.CUT_OFFS[name] for name in names) + "." if names else "",
        records=(),
        head=lambda turn: turn.curve.title,
    )


class CurvePoint(Value):
    """A point of a verdict curve."""

    at: float
    posterior: float
    prior: float


CURVE = ("kind", "title", "by", "group", "scope", "at_least", "cutoff", "declared")
"""What identifies a verdict curve."""


def views(results: Results) -> Iterator[View[Any]]:
    """Verdict curves point by point, and the ranges of one verdict, as they are written."""
    for curve in results.verdict_curves:
        before = {name: getattr(curve, name) for name in CURVE}
        points = zip(curve.at, curve.posterior, curve.prior, strict=True)
        rows = tuple(CurvePoint(at=at, posterior=post, prior=prior) for at, post, prior in points)
        yield View("verdict_curves", CurvePoint, rows=rows, before=before)
        yield View("verdict_bands", VerdictBand, rows=curve.bands, before=before)
    yield _closest(results.verdict_curves)


VERDICT_CURVES = Section(
    "verdict-curves",
    "Would other cut-offs change a verdict?",
    "Other cut-offs",
    body,
    wanted=lambda results: bool(results.verdict_curves),
    views=views,
)
