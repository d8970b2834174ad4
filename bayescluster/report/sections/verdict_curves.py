"""Verdicts at other cut-offs: how much hangs on the number that was declared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.svg import Drawn, drawn
from bayescluster.report.figures.verdict_curve_plot import curve_groups, verdict_curve_figures
from bayescluster.report.sections.record import Section, Table, columns, group_cell, rows
from bayescluster.results.model import Results
from bayescluster.results.verdict_curves import VerdictCurve

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
        Shown(_title(curves[0]), drawn(spec, results), _table(curves))
        for curves, spec in zip(curve_groups(results), verdict_curve_figures(results), strict=True)
    )
    return filled("verdict_curves.html.j2", results=results, shown=shown)


def _title(first: VerdictCurve) -> str:
    return f"{first.title}, by {first.cutoff}"


def _table(curves: Sequence[VerdictCurve]) -> Table:
    first = curves[0]
    held = f", {first.held} as declared" if first.held else ""
    return Table(
        f"Verdict of {first.cutoff} {first.declared:g} and of others{held}",
        columns("Group", "#Posterior", "#Prior", "What the curve says"),
        rows(
            (
                group_cell(curve.by, curve.group),
                words.probability(curve.posterior[_here(curve)]),
                words.probability(curve.prior[_here(curve)]),
                curve.words,
            )
            for curve in curves
        ),
        f"Posterior and prior probability at the declared {first.cutoff}.",
        folded=_title(first) if len(curves) > MOST_ROWS else "",
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
)
