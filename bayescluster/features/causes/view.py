"""Probabilities of causation: what they assume, their bounds, and what confounding they bear."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from bayescluster.features.causes.probabilities import SIDES
from bayescluster.features.causes.results import (
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
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns, figures, group_cell, groups_in, rows
from bayescluster.kit.table import Cell, Table
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
    return tuple(sorted(decided, key=lambda one: _confounding_strength(_of(one)))[:MOST])


def _of(one: CauseVerdict) -> Overturning:
    assert one.overturning is not None
    return one.overturning


def _confounding_strength(found: Overturning) -> float:
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
            else f"overturned from strength {words.fixed(_confounding_strength(_of(one)), 2)}"
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


def comparison(row: ContrastRow) -> str:
    """What is compared, as a title."""
    return words.sentence(SIDES[row.contrast].words)[:-1]


def ratios(found: CausesResults) -> Table:
    """Risk ratios of every comparison, and the weakest confounder that explains each away."""
    return Table(
        "Risk ratios and E-values",
        columns("Comparison", "Group", "#Risk ratio", "#E-value", "#E-value of the limit"),
        rows(
            (
                comparison(row),
                words.group(row.by, row.group),
                _ratio(row),
                _strength(row.e_value),
                _strength(row.e_value_limit),
            )
            for row in found.contrasts
        ),
        "Risk ratio: posterior median with its 90% interval. E-value: strength of the weakest "
        "confounder, alike in both its parts, that explains the risk ratio away; of the limit: that "
        "takes the interval to 1. None: no confounder does.",
        folded="Risk ratios and E-values of every comparison",
    )


def _ratio(row: ContrastRow) -> str:
    middle, low, high = (
        "infinite" if value is None else words.number(value)
        for value in (row.ratio, row.ratio_low, row.ratio_high)
    )
    return f"{middle} [{low}, {high}]"


def overturning(found: CausesResults) -> Table:
    """The weakest confounder that changes each verdict that was reached."""
    return Table(
        "What would overturn the verdict",
        columns(
            "Claim", "Group", "Verdict", "#Weakest confounder", "#To the threshold", "In words"
        ),
        rows(
            (
                one.claim,
                words.group(one.by, one.group),
                words.VERDICTS[one.verdict],
                _strength(one.overturning.verdict),
                Cell(
                    _strength(one.overturning.threshold),
                    "estimate inside" if one.overturning.inside else "estimate outside",
                ),
                one.overturning.words,
            )
            for one in found.verdicts
            if one.overturning is not None and one.verdict != "undecided"
        ),
        "Weakest confounder: the least strength, the same in both its parts, at which the verdict "
        "changes. To the threshold: the strength that takes the posterior median of the bound to the "
        "threshold of the region, out of it or into it.",
    )


def weakest(found: CausesResults) -> str:
    """The verdict that is overturned most easily, beside the strongest control that is measured."""
    decided = [
        (one.overturning.verdict, one)
        for one in found.verdicts
        if one.overturning is not None and one.overturning.verdict is not None
    ]
    if not decided:
        return ""
    strength, one = min(decided, key=lambda pair: pair[0])
    text = (
        f"The weakest confounder that overturns any of them has strength {words.fixed(strength, 2)} "
        f"({one.claim}, {words.group(one.by, one.group)})."
    )
    if not found.benchmarks:
        return text
    control = found.benchmarks[0]
    return (
        f"{text} Of the measured controls {control.control} goes most with the outcome "
        f"({control.change}): given all else it makes it {words.fixed(control.outcome, 2)} times as "
        f"likely, or its absence {words.fixed(control.absence, 2)} times."
    )


def benchmarks(found: CausesResults) -> Table:
    """Controls that were measured, as a yardstick for the confounder that was not."""
    return Table(
        "Measured controls beside it",
        columns("Control", "From, to", "#Risk ratio, outcome", "#Risk ratio, absence"),
        rows(
            (
                one.control,
                one.change,
                words.fixed(one.outcome, 2),
                words.fixed(one.absence, 2),
            )
            for one in found.benchmarks
        ),
        "Risk ratio of the control itself with the outcome and with its absence, given all else in "
        "the model, turned to be at least 1: only how likely it makes the outcome, not how unequal "
        "it is between high and low capital.",
    )


def _strength(value: float | None) -> str:
    return "none" if value is None else words.fixed(value, 2)


OF = {
    "all": "all that the model holds",
    "human_capital": "human capital alone",
    "social_capital": "social capital alone",
}


def body(results: Results) -> Markup:
    """Assumptions first, then bounds, verdicts, confounding, degrees, and the experiment."""
    found = results.causes
    assert found is not None
    return filled(
        "causes.html.j2",
        found=found,
        weak=WEAK,
        contrasts=[_contrast(list(some)) for _, some in groupby(found.contrasts, _by_contrast)],
        verdicts=_verdicts(found),
        overturning=overturning(found),
        benchmarks=benchmarks(found),
        ratios=ratios(found),
        weakest=weakest(found),
        degrees=_degrees(found),
        arms=_arms(found.arms) if found.arms else None,
        figures=figures(results, CONFOUNDING),
    )


def _by_contrast(row: ContrastRow) -> str:
    return row.contrast


def _contrast(found: list[ContrastRow]) -> Table:
    first = found[0]
    return Table(
        comparison(first),
        columns("Group", "#With", "#Without", "#PN", "#PS", "#PNS"),
        rows(
            (
                group_cell(row.by, row.group),
                Cell(words.plain(row.exposed), f"{words.firms(row.support)} near, at least"),
                Cell(words.plain(row.unexposed)),
                bounds(row.pn),
                bounds(row.ps),
                bounds(row.pns),
            )
            for row in found
        ),
        f"Low and high: {first.declared}; {words.SCOPES.get(first.scope, first.scope)}."
        + _against(found),
        folded=""
        if first.contrast in ("human_given_high", "social_given_high")
        else comparison(first),
    )


def _against(found: list[ContrastRow]) -> str:
    """Say where the posterior speaks against monotonicity."""
    some = [row for row in found if row.against_monotonicity >= 0.05]
    if not some:
        return ""
    listed = "; ".join(
        f"{words.group(row.by, row.group)} {words.probability(row.against_monotonicity)}"
        for row in some
    )
    return f" Probability that the outcome is less frequent with the exposure: {listed}."


def bounds(found: CauseBounds) -> Cell:
    """Bounds by their means; the interval that holds both, and what monotonicity would add, below."""
    low, high = words.fixed(found.lower.mean, 2), words.fixed(found.upper.mean, 2)
    note = f"90% {words.fixed(found.lower.low, 2)} to {words.fixed(found.upper.high, 2)}"
    if found.point is not None:
        ends = (words.fixed(end, 2) for end in (found.point.low, found.point.high))
        note += f"; monotone {words.fixed(found.point.mean, 2)} [{', '.join(ends)}]"
    return Cell(f"{low} to {high}", note)


def _verdicts(found: CausesResults) -> Table:
    shown = any(one.with_monotonicity is not None for one in found.verdicts)
    return Table(
        "What the bounds say of the claims",
        columns(
            "Claim and group",
            "#Bounds",
            "#P(wholly in the region)",
            "#P(partly in it)",
            "#Prior",
            "Verdict",
            *(("With monotonicity",) if shown else ()),
        ),
        rows(
            row
            for _, some in groupby(found.verdicts, lambda one: one.claim)
            for row in _claim(list(some), shown=shown)
        ),
        "; ".join(dict.fromkeys(f"{one.claim}: {one.quantity}" for one in found.verdicts)) + ".",
    )


def _claim(some: list[CauseVerdict], *, shown: bool) -> Iterator[tuple[Cell, ...]]:
    """A claim, then its groups."""
    first = some[0]
    blank = (Cell(""),) * (6 if shown else 5)
    yield Cell(f"{first.claim}: {first.title}", first.region, "head"), *blank
    for one in some:
        verdict = f"{words.ICONS[one.verdict]}\u00a0{words.VERDICTS[one.verdict]}"
        pointed = Cell(words.VERDICTS.get(one.with_monotonicity or "", words.NONE))
        yield (
            Cell(words.group(one.by, one.group), look="inside"),
            bounds(one.bounds),
            Cell(words.verdict_probability(one.probability)),
            Cell(words.verdict_probability(one.possible)),
            Cell(words.verdict_probability(one.prior_probability)),
            Cell(verdict, _why(one)),
            *((pointed,) if shown else ()),
        )


def _why(one: CauseVerdict) -> str:
    """What stopped a verdict, where it was not the bounds themselves."""
    return one.reason if "posterior" not in one.reason else ""


DEGREES = {
    "necessity": "Of firms below the mean probability of their group: how far below, as a share of it.",
    "sufficiency": "Of firms above that mean: how far above, as a share of the way to 1. One capital "
    "alone: firms differ in it only, all else averaged over their group.",
}
"""What each degree is."""


def _degrees(found: CausesResults) -> tuple[Table, ...]:
    made: list[DegreeRow] = list(found.degrees)
    of_group = {(row.of, row.by, row.group): row for row in made}
    kinds = dict.fromkeys(row.of for row in made)
    return tuple(
        Table(
            f"Degree of {name} of",
            columns("Group", *(f"#{OF[kind]}" for kind in kinds)),
            rows(
                (
                    group_cell(by, group),
                    *(words.plain(getattr(of_group[kind, by, group], name)) for kind in kinds),
                )
                for by, group in groups_in(made)
            ),
            note,
        )
        for name, note in DEGREES.items()
    )


def _arms(found: BothArms) -> Table:
    parts = (("PN", found.pn), ("PS", found.ps), ("PNS", found.pns))
    return Table(
        f"With the experiment on {found.capital.replace('_', ' ')}",
        columns("", "#Bounds"),
        rows((name, bounds(part)) for name, part in parts if part is not None),
        f"Sharp bounds from both arms; {found.exposure}. The arms can be of one population in "
        f"{words.share(found.kept)} of the draws, and the bounds are of these. {found.note}",
    )


CAUSES = Section(
    "causes",
    "Probabilities of causation",
    "Causes",
    body,
    wanted=lambda results: results.causes is not None,
)
