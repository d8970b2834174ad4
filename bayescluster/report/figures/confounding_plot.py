"""What confounding would overturn: the probability of a claim's region under each confounder."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from bayescluster.report import words
from bayescluster.report.figures.panels import panels
from bayescluster.report.figures.record import FigureError, FigureSpec
from bayescluster.report.figures.style import INK, LINE, PAPER, RAMP, folded, plain_text, settings
from bayescluster.results.causes import CausesResults, CauseVerdict, Overturning
from bayescluster.results.model import Results

EDGES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0)
MOST = 9
"""Most verdicts that are drawn; those that the weakest confounders overturn come first."""
TICKS = (1, 2, 3, 5, 10)


def confounding(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the probability of the region over the two strengths of a confounder, a panel a verdict.

    Parameters
    ----------
    results
        Results of a run.
    narrow
        Lay the figure out for a telephone.

    Raises
    ------
    FigureError
        If no verdict was decided that a confounder could overturn.
    """
    found = results.causes
    shown = drawn_verdicts(found) if found is not None else ()
    if found is None or not shown:
        raise FigureError("No verdict by probabilities of causation was decided.")
    with settings():
        names = [f"{one.claim} {words.group(one.by, one.group)}: {one.verdict}" for one in shown]
        made = panels(names, narrow=narrow, height=2.55, extra=0.8)
        filled = [
            _panel(axes, one, name, found)
            for axes, one, name in zip(made.axes, shown, names, strict=True)
        ]
        for axes in made.bottom:
            axes.set_xlabel("times as frequent")
        for axes in made.left:
            axes.set_ylabel("times as likely")
        bar = made.figure.colorbar(
            filled[-1],
            ax=list(made.axes),
            location="top",
            fraction=0.05,
            aspect=26 if narrow else 45,
            pad=0.02,
            ticks=EDGES,
            spacing="uniform",
            format="%g",
        )
        bar.set_label("Posterior probability of the region")
        bar.outline.set_edgecolor(LINE)
        bar.ax.tick_params(length=2)
        return plain_text(made.figure)


def drawn_verdicts(found: CausesResults) -> tuple[CauseVerdict, ...]:
    """Decided verdicts with their sensitivity, those that are overturned most easily first."""
    decided = [
        one for one in found.verdicts if one.verdict != "undecided" and one.overturning is not None
    ]
    return tuple(sorted(decided, key=lambda one: _strength(_of(one)))[:MOST])


def _of(one: CauseVerdict) -> Overturning:
    assert one.overturning is not None
    return one.overturning


def _strength(found: Overturning) -> float:
    return np.inf if found.verdict is None else found.verdict


def _panel(axes: Axes, one: CauseVerdict, name: str, found: CausesResults) -> ContourSet:
    at = _of(one)
    colours = [RAMP[k] for k in np.linspace(0, len(RAMP) - 1, len(EDGES) - 1).astype(int)]
    strengths, share = np.array(found.strengths), np.array(at.probabilities)
    filled = axes.contourf(
        strengths,
        strengths,
        share,
        levels=EDGES,
        cmap=ListedColormap(colours),
        norm=BoundaryNorm(EDGES, len(colours)),
    )
    level = float(found.settings["level"])
    limit = level if at.against else 1 - level
    if share.min() < limit < share.max():
        axes.contour(strengths, strengths, share, levels=[limit], colors=[INK], linewidths=1.5)
    top = strengths[-1]
    if at.verdict is not None and at.verdict <= top:
        axes.plot(
            [at.verdict],
            [at.verdict],
            marker="o",
            markersize=6,
            markerfacecolor=PAPER,
            markeredgecolor=INK,
            linestyle="",
        )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks([])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.set_yticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.minorticks_off()
    axes.set_title(folded(name, 34), color=INK)
    return filled


def _caption(results: Results) -> str:
    found = results.causes
    shown = drawn_verdicts(found) if found else ()
    decided = (
        sum(one.verdict != "undecided" and one.overturning is not None for one in found.verdicts)
        if found
        else 0
    )
    fewer = (
        f" The {len(shown)} of {decided} that are overturned most easily." if decided > MOST else ""
    )
    return (
        "Posterior probability of each decided claim's region, were there a confounder left out that "
        "is so many times as frequent on one side of the comparison as on the other (across), and "
        "makes the outcome, or its absence, so many times as likely (up). Beyond the line the verdict "
        "is undecided; the dot is the weakest confounder that is alike in both and reaches it. A "
        "panel without line is not overturned within the grid. Its bottom left corner is no confounding."
        + fewer
    )


def _alternative(results: Results) -> str:
    shown = drawn_verdicts(results.causes) if results.causes else ()
    listed = "; ".join(
        f"{one.claim} {words.group(one.by, one.group)} {one.verdict}, "
        + (
            "by no confounder overturned"
            if _of(one).verdict is None
            else f"overturned from strength {words.fixed(_strength(_of(one)), 2)}"
        )
        for one in shown
    )
    return f"Probability of claims by strength of an unmeasured confounder: {listed}."


CONFOUNDING = FigureSpec(
    name="confounding",
    draw=lambda results, narrow: confounding(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: results.causes is not None and bool(drawn_verdicts(results.causes)),
)
