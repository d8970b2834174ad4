"""The four corners, the outcome surface, and the effect of one capital across the other."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.figures.conditional_effect_plot import CONDITIONAL_EFFECT
from bayescluster.report.figures.surface_plot import SURFACE
from bayescluster.report.sections.record import (
    Cell,
    Section,
    Table,
    columns,
    figures,
    group_cell,
    rows,
)
from bayescluster.results.corners import CornerRow, Corners, LevelAmounts
from bayescluster.results.model import (
    Results,
)
from bayescluster.results.sample import OutcomeFacts

SUPPORT_MIN = 5
"""The report's own floor: a corner with fewer firms near is marked as extrapolation.

Claims declare theirs (``min_support``) in the analysis; results do not carry it.
"""


def body(results: Results) -> Markup:
    """Tables of corners, then the figures."""
    tables = tuple(
        table
        for found in results.corners
        for clusters in (False, True)
        if (table := _table(found, results, clusters=clusters)).rows
    )
    return filled(
        "corners.html.j2",
        results=results,
        tables=tables,
        figures=figures(results, SURFACE, CONDITIONAL_EFFECT),
        support_min=SUPPORT_MIN,
    )


def _table(found: Corners, results: Results, *, clusters: bool) -> Table:
    by_group: dict[tuple[str, str], dict[str, CornerRow]] = {}
    for row in found.rows:
        if (row.by == "cluster") == clusters:
            by_group.setdefault((row.by, row.group), {})[row.corner] = row
    scope = words.SCOPES.get(found.scope, found.scope)
    level = found.at_least
    outcome = results.outcome if level is None else words.reaching(results.outcome, level)
    reached = "" if level is None else f", at least {level}"
    return Table(
        f"{words.sentence(found.quantity)[:-1]} at the corners, {found.declared}",
        columns("Group", *(f"#{words.sentence(text)[:-1]}" for text in words.CORNERS.values())),
        rows(
            (
                group_cell(by, group),
                *(_cell(corners.get(corner), outcome) for corner in words.CORNERS),
            )
            for (by, group), corners in by_group.items()
        ),
        f"For {scope}. Low and high: human capital {_sd(found.human_low)} and "
        f"{_sd(found.human_high)} ({words.scale(results, 'human_capital')}), social capital "
        f"{_sd(found.social_low)} and {_sd(found.social_high)} "
        f"({words.scale(results, 'social_capital')})."
        f"{'' if clusters else _amounts(found.amounts)}",
        folded=f"Corners by cluster, {found.declared}{reached}" if clusters else "",
    )


def _amounts(found: Sequence[LevelAmounts]) -> str:
    """Say what low and high are in the units of the columns."""
    return "".join(f" {_amount(one)}" for one in found)


def _amount(one: LevelAmounts) -> str:
    low, high = (
        ", ".join(f"{item.column} {words.number(getattr(item, end))}" for item in one.indicators)
        for end in ("low", "high")
    )
    name = words.label(one.capital)
    if one.method == "single":
        return f"{name} low is {low}, high is {high}."
    score = "first component" if one.method == "pca" else "mean"
    return (
        f"{name} low is a {score} of the standardised indicators of {words.number(one.low)}, as at "
        f"{low}; high is one of {words.number(one.high)}, as at {high}."
    )


def _cell(row: CornerRow | None, outcome: OutcomeFacts) -> Cell:
    if row is None:
        return Cell(words.NONE)
    near = f"{words.firms(row.support)} near"
    text = words.level(row.estimate, outcome)
    if row.support < SUPPORT_MIN:
        return Cell(text, f"extrapolation: {near}", "thin")
    return Cell(text, near)


def _sd(value: float) -> str:
    return words.fixed(value, 2, signed=True)


CORNERS = Section("corners", "Low and high, one and both", "Corners", body)
