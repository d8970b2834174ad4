"""``bayescluster qca``: set theory on a plain table, without a model."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bayescluster.cli.arguments import (
    AsJson,
    Decimal,
    Delimiter,
    Encoding,
    HeaderRow,
    MissingValue,
    Sheet,
    Thousands,
)
from bayescluster.cli.guard import guarded, say, say_found
from bayescluster.errors import CommandError, Problem
from bayescluster.lookup import counted

if TYPE_CHECKING:
    from bayescluster.features.sets.results import PlainSets
    from bayescluster.features.sets.truth_table import Expectation
    from bayescluster.kit.table import Table as Shown

Table = Annotated[
    Path,
    typer.Argument(help="Table of cases: csv, xlsx, dta, sav, parquet, ...", show_default=False),
]
Outcome = Annotated[str, typer.Option(help="Column of the outcome; ~NAME for its absence.")]
Conditions = Annotated[list[str], typer.Option(help="Column of a condition; repeat for each.")]
Calibrate = Annotated[
    list[str] | None,
    typer.Option(help='"NAME: EXCLUSION CROSSOVER INCLUSION"; else columns are memberships.'),
]
Names = Annotated[str | None, typer.Option(help="Column that names the cases.")]
Group = Annotated[str | None, typer.Option(help="Column of groups to compare.")]
InclusionCut = Annotated[
    float, typer.Option("--incl-cut", min=0, max=1, help="Least inclS of a row.")
]
CaseCut = Annotated[int, typer.Option("--n-cut", min=1, help="Least number of cases of a row.")]
PriCut = Annotated[float, typer.Option("--pri-cut", min=0, max=1, help="Least PRI of a row.")]
Include = Annotated[
    Literal["nothing", "remainders"],
    typer.Option(help="Show the parsimonious and intermediate solutions too."),
]
Expect = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME or ~NAME: presence or absence that is expected to go with the outcome."
    ),
]
NecessityCut = Annotated[float, typer.Option("--necessity-cut", min=0, max=1, help="Least inclN.")]
RelevanceCut = Annotated[float, typer.Option("--ron-cut", min=0, max=1, help="Least RoN.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write tables and XY plots to.")]


@guarded
def qca(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    table: Table,
    outcome: Outcome,
    conditions: Conditions,
    calibrate: Calibrate = None,
    names: Names = None,
    group: Group = None,
    incl_cut: InclusionCut = 0.8,
    n_cut: CaseCut = 1,
    pri_cut: PriCut = 0.0,
    include: Include = "nothing",
    expect: Expect = None,
    necessity_cut: NecessityCut = 0.9,
    ron_cut: RelevanceCut = 0.5,
    missing_value: MissingValue = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    thousands: Thousands = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    json: AsJson = False,
    out: Out = None,
) -> None:
    """Analyse a table as fuzzy or crisp sets (QCA), without a model.

    Necessity and sufficiency of each condition, truth table, all tied solutions, and combinations
    that are necessary or sufficient.
    """
    from bayescluster.dataset.plain import Reading
    from bayescluster.features.sets.qca import Request, plain_sets
    from bayescluster.features.sets.truth_table import Cuts

    sets = plain_sets(
        Request(
            table=table,
            outcome=outcome,
            conditions=tuple(conditions),
            anchors=_anchors(calibrate or ()),
            expected=dict(map(_expected, expect or ())),
            names=names,
            group=group,
            cuts=Cuts(n_cut, incl_cut, pri_cut),
            remainders=include == "remainders",
            necessity_cuts=(necessity_cut, ron_cut),
            reading=Reading(
                encoding,
                delimiter,
                decimal,
                thousands,
                sheet,
                header_row,
                tuple(missing_value or ()),
            ),
        )
    )
    for warning in sets.warnings:
        # on stderr, so that it is never among the results
        sys.stderr.write(f"Warning: {warning}.\n")
    say_found(sets, _printed, json, None)
    if out is not None:
        from bayescluster.features.sets.view import write_plain_sets

        written = write_plain_sets(sets, out)
        if not json:
            say(f"\nWritten: {len(written)} files in {out}")


def _printed(sets: PlainSets) -> Iterator[str | Shown]:
    from bayescluster.features.sets.view import plain_views

    yield f"{sets.table}: {counted(sets.cases, 'case')}, outcome {sets.outcome}"
    yield from (view.table for view in plain_views(sets) if view.columns and view.rows)
    if not sets.solutions:
        yield "\nNo configuration is coded 1: there is no solution."


def _anchors(texts: Iterable[str]) -> dict[str, tuple[float, ...]]:
    """Read ``"NAME: EXCLUSION CROSSOVER INCLUSION"``; all texts that cannot be read are one error."""
    anchors_of: dict[str, tuple[float, ...]] = {}
    problems = []
    for text in texts:
        name, _, rest = text.rpartition(":")
        try:
            anchors = tuple(float(part) for part in rest.replace(",", " ").split())
        except ValueError:
            anchors = ()
        if not name.strip() or len(anchors) != 3:
            problems.append(
                Problem(
                    f"'{text}' is no calibration",
                    "--calibrate",
                    'write "NAME: EXCLUSION CROSSOVER INCLUSION", for example "DEV: 400 550 900"',
                )
            )
        anchors_of[name.strip()] = anchors
    if problems:
        raise CommandError(problems)
    return anchors_of


def _expected(text: str) -> tuple[str, Expectation]:
    return text.removeprefix("~"), "absent" if text.startswith("~") else "present"
