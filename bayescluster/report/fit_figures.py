"""Figures of the fit: predictive checks, LOO-PIT and calibration."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.kit import words
from bayescluster.kit.figure import (
    BAD,
    FIRST,
    INK,
    MUTED,
    NARROW,
    WIDE,
    FigureError,
    FigureSpec,
    bare_rows,
    canvas,
    folded,
    plain_text,
    settings,
    small_multiples,
)
from bayescluster.results.fit import Calibration, CalibrationCurve, LooPit
from bayescluster.results.model import PredictiveRow, Results

MOST_ROWS = 60
"""Groups shown for one statistic; of more, those furthest out."""
ROW_INCHES = 0.2


def predictive(results: Results, *, narrow: bool = False) -> Figure:
    """Draw observed statistics on their replicated intervals, one panel a statistic.

    Raises `FigureError` where the results hold no posterior predictive checks; see `FigureSpec.draw`.
    """
    statistics = list(dict.fromkeys(row.statistic for row in results.predictive))
    if not statistics:
        raise FigureError("The results hold no posterior predictive check.")
    shown = [_shown(results, statistic) for statistic in statistics]
    with settings():
        heights = [ROW_INCHES * len(rows) + 0.5 for rows in shown]
        figure = canvas(NARROW if narrow else WIDE, sum(heights) + 0.45)
        grid = figure.add_gridspec(len(shown), 1, height_ratios=heights)
        panels = [figure.add_subplot(grid[k, 0]) for k in range(len(shown))]
        for axes, rows in zip(panels, shown, strict=True):
            _panel(axes, rows, narrow=narrow)
        _key(figure, panels[0], narrow=narrow)
        return plain_text(figure)


def _shown(results: Results, statistic: str) -> list[PredictiveRow]:
    rows = [row for row in results.predictive if row.statistic == statistic]
    if len(rows) <= MOST_ROWS:
        return rows
    furthest = sorted(rows, key=lambda row: min(row.tail, 1 - row.tail))[:MOST_ROWS]
    return [row for row in rows if row in furthest]


def _panel(axes: Axes, rows: Sequence[PredictiveRow], *, narrow: bool) -> None:
    for place, row in enumerate(rows):
        color = BAD if row.flagged else FIRST
        axes.plot(
            (row.low, row.high), (place, place), color=color, linewidth=4, alpha=0.32, zorder=2
        )
        axes.plot(
            [row.observed],
            [place],
            linestyle="",
            marker="D" if row.flagged else "o",
            markersize=4.2,
            color=color,
            zorder=3,
        )
    names = [
        folded(words.group(row.by, row.group), 24 if narrow else 40, 1)
        + (" (flagged)" if row.flagged else "")
        for row in rows
    ]
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_title(words.label(rows[0].statistic), color=INK)
    bare_rows(axes)
    for before, after in zip(range(len(rows)), range(1, len(rows)), strict=False):
        if rows[before].by != rows[after].by:
            axes.axhline(before + 0.5, color=INK, linewidth=0.5)


def _key(figure: Figure, axes: Axes, *, narrow: bool) -> None:
    axes.plot([], [], linestyle="", marker="o", markersize=4.2, color=FIRST, label="observed")
    label = "90% of replicates" if narrow else "90% of data sets replicated by the model"
    axes.plot([], [], color=FIRST, linewidth=4, alpha=0.32, label=label)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper left", ncols=2)


def loo_pit(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the distribution function of the LOO-PIT values less the uniform one.

    Raises `FigureError` where the results hold no LOO-PIT; see `FigureSpec.draw`.
    """
    found = _pit(results)
    if found is None:
        raise FigureError("The results hold no LOO-PIT.")
    curve = found.curve
    with settings():
        figure = canvas(NARROW if narrow else WIDE, 2.6)
        axes = figure.add_subplot()
        label = f"where {words.share(curve.level)} of such curves stay if the model fits"
        axes.fill_between(curve.at, curve.low, curve.high, color=MUTED, alpha=0.18, label=label)
        axes.axhline(0, color=INK, linewidth=0.7)
        axes.plot(curve.at, curve.difference, color=FIRST, label="these outcomes")
        _outside(axes, found)
        axes.set_xlabel("LOO-PIT value")
        axes.set_ylabel("ECDF less uniform")
        axes.set_xlim(0, 1)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper left", ncols=1 if narrow else 3)
        return plain_text(figure)


def _outside(axes: Axes, found: LooPit) -> None:
    points = [place for place in _places(found) if not place[1] <= place[2] <= place[3]]
    if points:
        axes.plot(
            [at for at, _, _, _ in points],
            [value for _, _, value, _ in points],
            linestyle="",
            marker="D",
            markersize=3,
            color=BAD,
            label="outside the band",
        )


def _places(found: LooPit) -> list[tuple[float, float, float, float]]:
    curve = found.curve
    return list(zip(curve.at, curve.low, curve.difference, curve.high, strict=True))


def calibration(results: Results, *, narrow: bool = False) -> Figure:
    """Draw how often each event happened where a probability was predicted.

    Raises `FigureError` where the results hold no calibration curve, or too many; see `FigureSpec.draw`.
    """
    found = _calibration(results)
    if found is None or not found.curves:
        raise FigureError("The results hold no calibration curve.")
    return small_multiples(
        [(words.label(curve.event), curve) for curve in found.curves],
        _curve,
        ("Probability of the model", "Happened"),
        narrow=narrow,
        height=2.9,
    )


def _curve(axes: Axes, curve: CalibrationCurve) -> None:
    axes.fill_between(
        curve.predicted,
        curve.low,
        curve.high,
        color=MUTED,
        alpha=0.18,
        label="90% of replicated events",
    )
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.7)
    axes.plot(curve.predicted, curve.happened, color=FIRST, label="how often it happened")
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.02, 1.02)


def _pit(results: Results) -> LooPit | None:
    return results.fit_checks.pit if results.fit_checks else None


def _calibration(results: Results) -> Calibration | None:
    return results.fit_checks.calibration if results.fit_checks else None


def _has_events(results: Results) -> bool:
    found = _calibration(results)
    return found is not None and bool(found.curves)


def _pit_alternative(results: Results) -> str:
    found = _pit(results)
    assert found is not None
    places = _places(found)
    outside = sum(not low <= value <= high for _, low, value, high in places)
    return (
        f"LOO-PIT of {words.count(found.rows)} rows: {outside} of {len(places)} points of the curve "
        "lie outside the band; the tests are given in the table below."
    )


def _calibration_alternative(results: Results) -> str:
    found = _calibration(results)
    assert found is not None
    return f"{len(found.curves)} calibration curve(s); the tests are given in the table below."


LOO_PIT = FigureSpec(
    name="loo-pit",
    draw=lambda results, narrow: loo_pit(results, narrow=narrow),
    caption=lambda _: (
        "Where outcomes stand in the distribution that the other rows give them. Of a model that "
        "fits, the line stays within the band. Below 0 at the left and above it at the right, "
        "outcomes spread less than predicted; the other way round, more; all below, they lie above "
        "what is predicted."
    ),
    alternative=_pit_alternative,
    wanted=lambda results: _pit(results) is not None and not _has_events(results),
)
CALIBRATION = FigureSpec(
    name="calibration",
    draw=lambda results, narrow: calibration(results, narrow=narrow),
    caption=lambda _: (
        "How often events happened, by the probability that the model gives them (isotonic regression), "
        "with the 90% band of data replicated by the model. On the diagonal, events given 30% happen in "
        "3 of 10 rows."
    ),
    alternative=_calibration_alternative,
    wanted=_has_events,
)
