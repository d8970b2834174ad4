"""What of a capital acts through learning: total, direct and indirect effects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from bayescluster.names import CAPITALS
from bayescluster.report import words
from bayescluster.report.sections.record import Cell, Table, columns, group_cell, groups_in, rows
from bayescluster.results.learning import Learning, MatrixRow, MediatedRow, PathRow
from bayescluster.results.model import Results
from bayescluster.results.sample import OutcomeFacts

PATHS: tuple[Literal["total", "direct", "indirect"], ...] = ("total", "direct", "indirect")


def paths(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterable[Table]:
    """Total, direct and indirect effects of each capital on an outcome."""
    for capital in CAPITALS:
        some = [r for r in learning.paths if (r.equation, r.capital) == (name, capital)]
        found = {(row.by, row.group, row.path): row for row in some if row.path != "through"}
        shares = {
            (row.by, row.group): row
            for row in learning.mediated
            if (row.equation, row.capital) == (name, capital)
        }
        if not found:
            continue
        yield Table(
            f"{words.label(capital)} and {outcome.column}, low to high: what acts through learning, "
            f"{words.unit(outcome).name}",
            columns("Group", "#Total", "#Direct", "#Through learning", "#Share through learning"),
            rows(
                (
                    group_cell(by, group),
                    *(effect_cell(found[by, group, path], outcome) for path in PATHS),
                    _share(shares.get((by, group))),
                )
                for by, group in groups_in(some)
            ),
            "Total = direct + through learning. The share is the median of their ratio, told only "
            "where the interval of the total effect excludes 0.",
        )


def effect_cell(row: PathRow | MatrixRow, outcome: OutcomeFacts) -> Cell:
    """An effect, with the probability that it is above 0."""
    return Cell(
        words.effect(row.estimate, outcome), f"P(above 0) {words.probability(row.positive)}"
    )


def _share(row: MediatedRow | None) -> str:
    if row is None:
        return words.NONE
    low, median, high = (words.fixed(100 * value, 0) for value in (row.low, row.median, row.high))
    return f"{median}% [{low}, {high}]"


def through(learning: Learning, name: str, outcome: OutcomeFacts) -> Iterable[Table]:
    """Effects of each capital through each form alone, where there are several."""
    for capital in CAPITALS:
        some = [
            row
            for row in learning.paths
            if (row.equation, row.capital, row.path) == (name, capital, "through")
        ]
        names = list(dict.fromkeys(row.through for row in some))
        if len(names) < 2:
            continue
        found = {(row.by, row.group, row.through): row for row in some}
        yield Table(
            f"{words.label(capital)} and {outcome.column}, low to high: through each form alone, "
            f"{words.unit(outcome).name}",
            columns("Group", *(f"#{form}" for form in names)),
            rows(
                (
                    group_cell(by, group),
                    *(effect_cell(found[by, group, form], outcome) for form in names),
                )
                for by, group in groups_in(some)
            ),
            "The capital is raised for this form alone; the others stay distributed as under its low "
            "level. These effects need not add up to what acts through learning in all.",
            folded=f"{words.label(capital)} through each form alone: {outcome.column}",
        )


def on_forms(results: Results, learning: Learning) -> tuple[Table, ...]:
    """Effects of the capitals on the forms, one table a capital."""
    tables = []
    for capital in CAPITALS:
        some = [
            row
            for row in learning.paths
            if row.equation in learning.forms and (row.capital, row.path) == (capital, "total")
        ]
        found = {(row.by, row.group, row.equation): row for row in some}
        if not found:
            continue
        heads = [f"#{form}" for form in learning.forms]
        tables.append(
            Table(
                f"{words.label(capital)} and each form of learning, low to high",
                columns("Group", *heads),
                rows(
                    (
                        group_cell(by, group),
                        *(
                            effect_cell(found[by, group, form], words.outcome_of(results, form))
                            for form in learning.forms
                        ),
                    )
                    for by, group in groups_in(some)
                ),
            )
        )
    return tuple(tables)
