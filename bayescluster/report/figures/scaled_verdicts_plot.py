"""Probability of each claim as its priors get weaker and stronger, one panel a claim and group."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayescluster.report import words
from bayescluster.report.figures.panels import panels
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.sensitivity_plot import COLOURS, MARKERS
from bayescluster.report.figures.style import BAD, INK, MUTED, folded, plain_text, settings
from bayescluster.report.sensitivity_words import block_title
from bayescluster.results.model import Results, Verdict
from bayescluster.results.sensitivity import ScaledVerdict, Sensitivity

MOST_PANELS: Final = 12
"""Claims drawn: those that flip, then those whose probability moves most."""


def scaled_verdicts(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the probability of claims by the power of each block of priors, flips outlined.

    Parameters
    ----------
    results
        Results of a run.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If no verdict was put to other priors.
    """
    found = results.sensitivity
    shown = _shown(found) if found is not None else []
    if found is None or not shown:
        raise FigureError("The results hold no verdict under other priors.")
    titles = [f"{words.group(rows[0].by, rows[0].group)}: {rows[0].title}" for rows in shown]
    with settings():
        made = panels(titles, narrow=narrow, height=2.3, extra=1.0)
        for axes, title, rows in zip(made.axes, titles, shown, strict=True):
            _panel(axes, found, rows, results.verdicts[rows[0].claim])
            axes.set_title(folded(title, 29, 4), color=INK)
        for axes in made.bottom:
            axes.set_xlabel("Power of the priors")
        for axes in made.left:
            axes.set_ylabel("Probability")
        handles, labels = made.axes[0].get_legend_handles_labels()
        made.figure.legend(handles, labels, loc="outside upper left", ncols=1 if narrow else 2)
        return plain_text(made.figure)


def _shown(found: Sensitivity) -> list[list[ScaledVerdict]]:
    """Rows by claim and group, those that flip first, then by how far the probability moves."""
    by: dict[int, list[ScaledVerdict]] = {}
    for row in found.verdicts:
        by.setdefault(row.claim, []).append(row)

    def moves(rows: list[ScaledVerdict]) -> tuple[bool, float]:
        told = [row.probability for row in rows if row.probability is not None]
        return any(row.flips for row in rows), max(told, default=0.0) - min(told, default=0.0)

    return sorted(by.values(), key=moves, reverse=True)[:MOST_PANELS]


def _panel(axes: Axes, found: Sensitivity, rows: Sequence[ScaledVerdict], verdict: Verdict) -> None:
    for level in (verdict.level, 1 - verdict.level):
        axes.axhline(level, color=MUTED, linewidth=0.7, linestyle=(0, (1, 2)))
    for k, name in enumerate(dict.fromkeys(row.block for row in rows)):
        told = [(0.0, verdict.probability)]
        told += [
            (log2(row.power), row.probability)
            for row in rows
            if row.block == name and row.probability is not None
        ]
        at, probability = zip(*sorted(told), strict=True)
        axes.plot(
            at,
            probability,
            color=COLOURS[k % len(COLOURS)],
            marker=MARKERS[k % len(MARKERS)],
            markersize=4,
            linewidth=1.2,
            label=block_title(found, name),
        )
    flips = [(log2(row.power), row.probability) for row in rows if row.flips]
    if flips:
        x, y = zip(*flips, strict=True)
        axes.plot(
            x,
            y,
            linestyle="",
            marker="o",
            markersize=11,
            markerfacecolor="none",
            markeredgecolor=BAD,
            markeredgewidth=1.6,
            zorder=4,
        )
    powers = sorted((*found.powers, 1.0))
    axes.set_xticks([log2(power) for power in powers], [f"{power:g}" for power in powers])
    axes.set_ylim(-0.06, 1.06)
    axes.set_yticks([0, 0.5, 1])


def _caption(_: Results) -> str:
    return (
        "Probability of each claim with a block of priors to a power: left of 1 weaker, right of 1 "
        "stronger. Dotted lines are the bounds of the verdict; a ring marks a power at which the "
        f"verdict is another. Of many claims, the {MOST_PANELS} that flip or move most; a power that "
        "these draws cannot stand for is left out."
    )


def _alternative(results: Results) -> str:
    found = results.sensitivity
    flips = sum(row.flips for row in found.verdicts) if found is not None else 0
    return (
        f"Probability of claims by the power of the priors; {flips} combinations of claim, block and "
        "power have another verdict."
    )


SCALED_VERDICTS = FigureSpec(
    name="scaled-verdicts",
    draw=lambda results, narrow: scaled_verdicts(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.sensitivity is not None and bool(results.sensitivity.verdicts),
)
