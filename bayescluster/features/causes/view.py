"""Probabilities of causation: what they assume, their bounds, and what confounding they bear."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from bayescluster.features.causes.probabilities import SIDES
from bayescluster.features.causes.results import (
    Benchmark,
    BothArms,
    CauseBounds,
    CausesResults,
    CauseVerdict,
    ContrastRow,
    DegreeRow,
    Overturning,
)
from bayescluster.features.causes.sensitivity import WEAK
from bayescluster.kit import words
from bayescluster.kit.figure import (
    INK,
    LINE,
    PAPER,
    RAMP,
    FigureError,
    FigureSpec,
    folded,
    panels,
    plain_text,
    settings,
)
from bayescluster.kit.page import Section, figures, filled, group_column, pivot, tables_by_name
from bayescluster.kit.table import Column, View, number
from bayescluster.results.model import Results

EDGES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0)
MOST = 9
"""Most verdicts that are drawn; those that the weakest confounders overturn come first."""
TICKS = (1, 2, 3, 5, 10)


def confounding(results: Results, *, narrow: bool = False) -> Figure:
    """Draw the probability of the region over the two strengths of a confounder, a panel a verdict.

    Raises
    ------
    FigureError
        If no verdict was decided that a confounder could overturn.
    """
    shown = drawn_verdicts(results)
    if not shown:
        raise FigureError("No verdict by probabilities of causation was decided.")
    with settings():
        names = [f"{one.claim} {words.group(one.by, one.group)}: {one.verdict}" for one in shown]
        made = panels(names, narrow=narrow, height=2.55, extra=0.8)
        surfaces = [
            _panel(axes, one, name, results)
            for axes, one, name in zip(made.axes, shown, names, strict=True)
        ]
        for axes in made.bottom:
            axes.set_xlabel("times as frequent")
        for axes in made.left:
            axes.set_ylabel("times as likely")
        bar = made.figure.colorbar(
            surfaces[-1],
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


def drawn_verdicts(results: Results) -> tuple[CauseVerdict, ...]:
    """Decided verdicts with their sensitivity, those that are overturned most easily first."""
    return tuple(sorted(_decided(results), key=_strength_of)[:MOST])


def _decided(results: Results) -> list[CauseVerdict]:
    verdicts = results.causes.verdicts if results.causes else ()
    return [one for one in verdicts if one.verdict != "undecided" and one.overturning is not None]


def _strength_of(one: CauseVerdict) -> float:
    """Strength of the weakest confounder that overturns a verdict; infinite where none does."""
    strength = one.overturning.verdict if one.overturning else None
    return np.inf if strength is None else strength


def _panel(axes: Axes, one: CauseVerdict, name: str, results: Results) -> ContourSet:
    causes, at = results.causes, one.overturning
    assert causes is not None
    assert at is not None
    colours = [RAMP[k] for k in np.linspace(0, len(RAMP) - 1, len(EDGES) - 1).astype(int)]
    strengths, share = np.array(causes.strengths), np.array(at.probabilities)
    surface = axes.contourf(
        strengths,
        strengths,
        share,
        levels=EDGES,
        cmap=ListedColormap(colours),
        norm=BoundaryNorm(EDGES, len(colours)),
    )
    level = float(causes.settings["level"])
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
    return surface


def _caption(results: Results) -> str:
    decided = len(_decided(results))
    fewer = f" The {MOST} of {decided} that are overturned most easily." if decided > MOST else ""
    return (
        "Posterior probability of each decided claim's region, were there an unmeasured confounder that "
        "is so many times as frequent on one side of the comparison as on the other (across), and "
        "makes the outcome, or its absence, so many times as likely (up). Beyond the line the verdict "
        "is undecided; the dot is the weakest confounder that is alike in both and reaches it. A "
        "panel without line is not overturned within the grid. Its bottom left corner is no confounding."
        + fewer
    )


def _alternative(results: Results) -> str:
    listed = "; ".join(
        f"{one.claim} {words.group(one.by, one.group)} {one.verdict}, "
        + (
            f"overturned from strength {words.fixed(_strength_of(one), 2)}"
            if np.isfinite(_strength_of(one))
            else "overturned by no confounder"
        )
        for one in drawn_verdicts(results)
    )
    return f"Probability of claims by strength of an unmeasured confounder: {listed}."


CONFOUNDING = FigureSpec(
    name="confounding",
    draw=lambda results, narrow: confounding(results, narrow=narrow),
    caption=_caption,
    alternative=_alternative,
    wanted=lambda results: bool(_decided(results)),
)


GROUP: Final[Column[Any]] = Column("Group", lambda row: words.group(row.by, row.group))
OF: Final = {
    "all": "all that the model holds",
    "human_capital": "human capital only",
    "social_capital": "social capital only",
}
"""What makes firms differ in their probability."""
DEGREES: Final = {
    "necessity": "Of firms below the mean probability of their group: how far below, as a share of it.",
    "sufficiency": "Of firms above that mean: how far above, as a share of the way to 1. One capital "
    "only: firms differ in nothing else, all else averaged over their group.",
}
"""What each degree is."""


class _Arm(NamedTuple):
    name: str
    bounds: CauseBounds


def views(results: Results) -> Iterator[View[Any]]:
    """Bounds, verdicts, sensitivity to confounding, degrees, and the experiment."""
    causes = results.causes
    assert causes is not None
    yield _verdicts(causes)
    yield _overturning(causes)
    for _, rows in groupby(causes.contrasts, key=attrgetter("contrast")):
        yield _contrast(tuple(rows))
    yield _ratios(causes)
    yield _benchmarks(causes)
    first, second = (_degrees(causes, name) for name in DEGREES)
    yield from (first, replace(second, records=()))
    if causes.arms is not None:
        yield _arms(causes.arms)


def _bounds[Row](label: str, bounds: Callable[[Row], CauseBounds]) -> Column[Row]:
    """Bounds by their means; the interval that holds both, and what monotonicity would add, below."""

    def text(of: CauseBounds) -> str:
        return f"{words.fixed(of.lower.mean, 2)} to {words.fixed(of.upper.mean, 2)}"

    def note(row: Row) -> str:
        of = bounds(row)
        both = f"90% {words.fixed(of.lower.low, 2)} to {words.fixed(of.upper.high, 2)}"
        if of.point is None:
            return both
        middle, low, high = (
            words.fixed(value, 2) for value in (of.point.mean, of.point.low, of.point.high)
        )
        return f"{both}; monotone {middle} [{low}, {high}]"

    return number(label, bounds, text, note=note)


def _verdicts(causes: CausesResults) -> View[CauseVerdict]:
    pointed = Column[CauseVerdict](
        "With monotonicity",
        "with_monotonicity",
        lambda verdict: words.VERDICTS.get(verdict or "", words.NONE),
    )
    shown = any(one.with_monotonicity is not None for one in causes.verdicts)
    quantities = dict.fromkeys(f"{one.claim}: {one.quantity}" for one in causes.verdicts)
    return View(
        "causes_verdicts",
        CauseVerdict,
        "What the bounds imply for the claims",
        (
            replace(GROUP, label="Claim and group", look=lambda _: "inside"),
            _bounds("Bounds", lambda one: one.bounds),
            number("P(wholly in the region)", "probability", words.verdict_probability),
            number("P(partly in it)", "possible", words.verdict_probability),
            number("Prior", "prior_probability", words.verdict_probability),
            # what stopped a verdict, where it was not the bounds themselves
            Column(
                "Verdict",
                "verdict",
                lambda verdict: f"{words.ICONS[verdict]}\u00a0{words.VERDICTS[verdict]}",
                lambda one: one.reason if "posterior" not in one.reason else "",
            ),
            *([pointed] if shown else []),
        ),
        causes.verdicts,
        "; ".join(quantities) + ".",
        head=lambda one: f"{one.claim}: {one.title}; {one.region}",
    )


def _contrast(rows: tuple[ContrastRow, ...]) -> View[ContrastRow]:
    first = rows[0]
    against = "; ".join(
        f"{words.group(row.by, row.group)} {words.probability(row.against_monotonicity)}"
        for row in rows
        if row.against_monotonicity >= 0.05
    )
    prominent = first.contrast in ("human_given_high", "social_given_high")
    return View(
        "causes_bounds",
        ContrastRow,
        comparison(first),
        (
            group_column("Group"),
            number(
                "With",
                "exposed",
                words.plain,
                note=lambda row: f"{words.firms(row.support)} near, at least",
            ),
            number("Without", "unexposed", words.plain),
            _bounds("PN", lambda row: row.pn),
            _bounds("PS", lambda row: row.ps),
            _bounds("PNS", lambda row: row.pns),
        ),
        rows,
        f"Low and high: {first.declared}; {words.SCOPES.get(first.scope, first.scope)}."
        + (
            f" Probability that the outcome is less frequent with the exposure: {against}."
            if against
            else ""
        ),
        "" if prominent else comparison(first),
    )


def comparison(row: ContrastRow) -> str:
    """What is compared, as a title."""
    return words.sentence(SIDES[row.contrast].words)[:-1]


def _ratios(causes: CausesResults) -> View[ContrastRow]:
    """Risk ratios of every comparison, and the weakest confounder that explains each away."""
    return View(
        "causes_bounds",
        ContrastRow,
        "Risk ratios and E-values",
        (
            Column("Comparison", comparison),
            GROUP,
            number("Risk ratio", _ratio),
            number("E-value", "e_value", _strength),
            number("E-value of the limit", "e_value_limit", _strength),
        ),
        causes.contrasts,
        "Risk ratio: posterior median with its 90% interval. E-value: strength of the weakest "
        "confounder, alike in both its parts, that explains the risk ratio away; of the limit: that "
        "takes the interval to 1. None: no confounder does.",
        "Risk ratios and E-values of every comparison",
        records=(),
    )


def _ratio(row: ContrastRow) -> str:
    middle, low, high = (
        "infinite" if value is None else words.number(value)
        for value in (row.ratio, row.ratio_low, row.ratio_high)
    )
    return f"{middle} [{low}, {high}]"


def _strength(value: float | None) -> str:
    return "none" if value is None else words.fixed(value, 2)


class _Overturned(NamedTuple):
    verdict: CauseVerdict
    by: Overturning


def _overturning(causes: CausesResults) -> View[_Overturned]:
    """The weakest confounder that changes each verdict that was reached."""
    return View(
        "causes_verdicts",
        CauseVerdict,
        "What would overturn the verdict",
        (
            Column("Claim", lambda row: row.verdict.claim),
            Column("Group", lambda row: words.group(row.verdict.by, row.verdict.group)),
            Column("Verdict", lambda row: words.VERDICTS[row.verdict.verdict]),
            number("Weakest confounder", lambda row: row.by.verdict, _strength),
            number(
                "To the threshold",
                lambda row: row.by.threshold,
                _strength,
                note=lambda row: "estimate inside" if row.by.inside else "estimate outside",
            ),
            Column("In words", lambda row: row.by.words),
        ),
        tuple(
            _Overturned(one, one.overturning)
            for one in causes.verdicts
            if one.overturning is not None and one.verdict != "undecided"
        ),
        "Weakest confounder: the least strength, the same in both its parts, at which the verdict "
        "changes. To the threshold: the strength that takes the posterior median of the bound to the "
        "threshold of the region, out of it or into it.",
        records=(),
    )


def _benchmarks(causes: CausesResults) -> View[Benchmark]:
    """Controls that were measured, as a yardstick for the confounder that was not."""
    two = partial(words.fixed, places=2)
    return View(
        "causes_controls",
        Benchmark,
        "Measured controls for comparison",
        (
            Column("Control", "control"),
            Column("From, to", "change"),
            number("Risk ratio, outcome", "outcome", two),
            number("Risk ratio, absence", "absence", two),
        ),
        causes.benchmarks,
        "Risk ratio of the control itself with the outcome and with its absence, given all else in "
        "the model, turned to be at least 1: only how likely it makes the outcome, not how unequal "
        "it is between high and low capital.",
    )


def _degrees(causes: CausesResults, name: str) -> View[Any]:
    kinds = dict.fromkeys(row.of for row in causes.degrees)
    return pivot(
        View(
            "causes_degrees", DegreeRow, f"Degree of {name} of", (), causes.degrees, DEGREES[name]
        ),
        {kind: OF[kind] for kind in kinds},
        lambda row: row.of,
        lambda row: words.plain(getattr(row, name)),
    )


def _arms(arms: BothArms) -> View[_Arm]:
    parts = (("PN", arms.pn), ("PS", arms.ps), ("PNS", arms.pns))
    return View(
        "causes_experiment",
        BothArms,
        f"With the experiment on {arms.capital.replace('_', ' ')}",
        (Column("", "name"), _bounds("Bounds", lambda row: row.bounds)),
        tuple(_Arm(name, bounds) for name, bounds in parts if bounds is not None),
        f"Sharp bounds from both arms; {arms.exposure}. The arms can be of one population in "
        f"{words.share(arms.kept)} of the draws, and the bounds are of these. {arms.note}",
        records=(arms,),
    )


def weakest(causes: CausesResults) -> str:
    """The verdict that is overturned most easily, and the strongest control that is measured."""
    one = min(causes.verdicts, key=_strength_of, default=None)
    if one is None or not np.isfinite(_strength_of(one)):
        return ""
    text = (
        f"The weakest confounder that overturns any of them has strength "
        f"{words.fixed(_strength_of(one), 2)} ({one.claim}, {words.group(one.by, one.group)})."
    )
    if not causes.benchmarks:
        return text
    control = causes.benchmarks[0]
    return (
        f"{text} Of the measured controls {control.control} goes most with the outcome "
        f"({control.change}): given all else it makes it {words.fixed(control.outcome, 2)} times as "
        f"likely, or its absence {words.fixed(control.absence, 2)} times."
    )


def body(results: Results) -> Markup:
    """Assumptions first, then verdicts, bounds, confounding, degrees, and the experiment."""
    causes = results.causes
    assert causes is not None
    return filled(
        "causes.html.j2",
        causes=causes,
        weak=WEAK,
        weakest=weakest(causes),
        tables=tables_by_name(views(results)),
        figures=figures(results, CONFOUNDING),
    )


CAUSES = Section(
    "causes",
    "Probabilities of causation",
    "Causes",
    body,
    lambda results: results.causes is not None,
    views,
)
