"""Tables of `provenance`: inputs that differ, quantities that moved, verdicts, stages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bayescluster.kit import words
from bayescluster.kit.table import Column, Table, View, number
from bayescluster.studies.compare.provenance import (
    ComparedRecords,
    DifferingInput,
    Explained,
    MovedQuantity,
    Reproduced,
    StageState,
)
from bayescluster.studies.compare.results import ComparedVerdict
from bayescluster.studies.compare.view import GROUP, verdict_words

MOST: Final = 10
"""Quantities that are shown."""


def _far(value: float | None) -> str:
    return words.NONE if value is None else f"{value:.2f}"


def _inputs(rows: tuple[DifferingInput, ...], first: str, second: str) -> Iterator[str | Table]:
    if not rows:
        yield "Inputs: none differs."
        return
    columns = (
        Column[DifferingInput]("What", "input"),
        Column[DifferingInput]("Which", "place"),
        *(
            Column[DifferingInput](head, name, lambda value: words.NONE if value is None else value)
            for head, name in ((first, "first"), (second, "second"))
        ),
    )
    yield View("inputs", DifferingInput, "Inputs that differ", columns, rows).table


def records_printed(found: ComparedRecords) -> Iterator[str | Table]:
    """Two runs as records: inputs, draws, quantities, verdicts."""
    yield f"A: {found.first}"
    yield f"B: {found.second}"
    yield from _inputs(found.inputs, "A", "B")
    yield from _posteriors(found)
    yield from _verdicts(found)


def _posteriors(found: ComparedRecords) -> Iterator[str | Table]:
    if found.same_draws is None and not found.quantities:
        yield "Posteriors: not compared, a run has none."
        return
    if found.same_draws:
        yield f"Posteriors: every draw is the same ({found.quantities:,} quantities)."
        return
    yield (
        f"Posteriors: {len(found.moved):,} of {found.quantities:,} means differ, at most by "
        f"{found.furthest:.2f} Monte Carlo standard errors (the same posterior: at most "
        f"{found.limit:.2f})."
    )
    columns: tuple[Column[MovedQuantity], ...] = (
        Column("Quantity", "name"),
        number("A", "first", lambda value: f"{value:.4g}"),
        number("B", "second", lambda value: f"{value:.4g}"),
        number("In sd", "in_sd", _far),
        number("In MCSE", "in_mcse", _far),
    )
    if found.moved:
        title = "Posterior means that lie furthest apart"
        yield View("moved", MovedQuantity, title, columns, found.moved[:MOST]).table


def _verdicts(found: ComparedRecords) -> Iterator[str | Table]:
    if not found.other_verdicts:
        yield f"Verdicts: the same ({found.verdicts})."
        return
    columns: tuple[Column[Any], ...] = (
        Column("Claim", "title"),
        GROUP,
        Column("A", lambda row: row.told[0], verdict_words),
        Column("B", lambda row: row.told[1], verdict_words),
    )
    yield View(
        "verdicts", ComparedVerdict, "Verdicts that differ", columns, found.other_verdicts
    ).table


def explained_printed(found: Explained) -> Iterator[str | Table]:
    """What changed since a run was made, and what that invalidates."""
    yield f"{found.run}, held against {found.against}"
    yield from found.notes
    yield from _inputs(found.inputs, "Then", "Now")
    columns: tuple[Column[StageState], ...] = (
        Column("Stage", "stage"),
        Column("State", "state"),
        Column("Why", "why"),
    )
    yield View("stages", StageState, "What is made again", columns, found.stages).table


def reproduced_printed(found: Reproduced) -> Iterator[str | Table]:
    """What came out of making a run again."""
    inputs = [row for row in found.records.inputs if row.input in ("versions", "machine")]
    yield from _inputs(tuple(inputs), "Then", "Now")
    yield from _verdicts(found.records)
    yield found.words
    if found.directory:
        yield f"Made again in {found.directory}"
