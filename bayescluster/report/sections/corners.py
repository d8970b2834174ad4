"""The four corners, the outcome surface, and the effect of one capital across the other."""

from __future__ import annotations

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
    rows,
)
from bayescluster.results.model import (
    CornerRow,
    Corners,
    Results,
)

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
    return Table(
        f"Expected outcome at the corners, {found.declared}",
        columns("Group", *(f"#{words.sentence(text)[:-1]}" for text in words.CORNERS.values())),
        rows(
            (
                Cell(words.group(by, group), look="head" if by == "all" else ""),
                *(_cell(corners.get(corner), results) for corner in words.CORNERS),
            )
            for (by, group), corners in by_group.items()
        ),
        f"For {scope}. Low and high: human capital {_sd(found.human_low)} and "
        f"{_sd(found.human_high)} ({words.scale(results, 'human_capital')}), social capital "
        f"{_sd(found.social_low)} and {_sd(found.social_high)} "
        f"({words.scale(results, 'social_capital')}).",
        folded=f"Corners by cluster, {found.declared}" if clusters else "",
    )


def _cell(row: CornerRow | None, results: Results) -> Cell:
    if row is None:
        return Cell(words.NONE)
    near = f"{words.firms(row.support)} near"
    text = words.level(row.estimate, results.outcome)
    if row.support < SUPPORT_MIN:
        return Cell(text, f"extrapolation: {near}", "thin")
    return Cell(text, near)


def _sd(value: float) -> str:
    return words.fixed(value, 2, signed=True)


CORNERS = Section("corners", "Low and high, one and both", "Corners", body)
