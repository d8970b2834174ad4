"""Commands on a plain table, without a model: ``check-data``, ``nca`` and ``qca``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

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
from bayescluster.cli.guard import guarded, say, say_aside, say_found
from bayescluster.errors import CommandError, Problem
from bayescluster.lookup import counted

if TYPE_CHECKING:
    from bayescluster.features.sets.results import PlainSets
    from bayescluster.features.sets.truth_table import Expectation
    from bayescluster.kit.table import Table


WIDTH: Final = 120
"""Signs in a line where there is no terminal to ask."""


@guarded
def check_data(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    table: Annotated[
        Path,
        typer.Argument(
            help="Table (csv, xlsx, dta, sav, ...), or an analysis file.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Page (.html) to write.", show_default="none")
    ] = None,
    missing_value: MissingValue = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    thousands: Thousands = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    json: AsJson = False,
) -> None:
    """Describe every column of a table and name what looks wrong, before any fit.

    Of an analysis file also: roles, rows lost, groups, indicators, capitals and corners.
    """
    from bayescluster.app.codebook import codebook
    from bayescluster.dataset.plain import Reading
    from bayescluster.features.codebook.view import page_text, printed

    codes = tuple(missing_value or ())
    reading = Reading(encoding, delimiter, decimal, thousands, sheet, header_row, codes)
    found = codebook(table, reading, say_aside)
    say_found(found, printed, json, None if sys.stdout.isatty() else WIDTH)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page_text(found), encoding="utf-8")
        if not json:
            say(f"\nPage: {out}")


@guarded
def nca(  # noqa: PLR0913, PLR0917
    table: Annotated[
        str,
        typer.Argument(
            help="Table, a row a case: csv, xlsx, dta, sav, parquet, ...", show_default=False
        ),
    ],
    x: Annotated[list[str], typer.Option("--x", help="Column of a condition; may be repeated.")],
    y: Annotated[str, typer.Option("--y", help="Column of the outcome.")],
    ceiling: Annotated[
        list[str] | None,
        typer.Option(
            "--ceiling",
            help="ce_fdh, cr_fdh, ce_vrs, cr_vrs, cols or c_lp; may be repeated.",
            show_default="ce_fdh and cr_fdh",
        ),
    ] = None,
    corner: Annotated[
        str,
        typer.Option(
            "--corner", help="Empty corner: upper_left, upper_right, lower_left, lower_right."
        ),
    ] = "upper_left",
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            help='"xmin xmax ymin ymax", once or once a condition.',
            show_default="the range of the rows",
        ),
    ] = None,
    bottleneck: Annotated[
        str, typer.Option("--bottleneck", help="percentage_range, actual or percentile.")
    ] = "percentage_range",
    steps: Annotated[
        int, typer.Option("--steps", min=1, max=1000, help="Steps of that table.")
    ] = 10,
    permutations: Annotated[
        int, typer.Option("--permutations", min=0, max=1_000_000, help="0 for no test.")
    ] = 10_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the permutations.")] = 1,
    duplicate_peers: Annotated[
        str,
        typer.Option(
            "--duplicate-peers", help="Peers in one place count once (unique) or each (keep)."
        ),
    ] = "unique",
    group: Annotated[
        str | None,
        typer.Option("--group", help="Column of groups, each analysed too.", show_default="none"),
    ] = None,
    names: Annotated[
        str | None,
        typer.Option(
            "--names", help="Column that names the rows.", show_default="first text column that can"
        ),
    ] = None,
    missing_value: MissingValue = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    thousands: Thousands = None,
    sheet: Sheet = None,
    header_row: HeaderRow = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for tables (csv), figures (svg) and nca.json."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Analyse necessary conditions in a table: ceilings, effect sizes, bottlenecks.

    No model is fitted. Which conditions have an empty corner, how large it is, whether chance
    pairs would leave it as empty, and what each level of the outcome needs.
    """
    from bayescluster.dataset.plain import Reading
    from bayescluster.features.nca.compute import Options, analyse_necessity
    from bayescluster.features.nca.view import lines, summary_json
    from bayescluster.report.render import write_necessity

    codes = tuple(missing_value or ())
    analysis = analyse_necessity(
        Options(
            table=table,
            conditions=tuple(x),
            outcome=y,
            group=group,
            names=names,
            ceilings=tuple(ceiling or Options._field_defaults["ceilings"]),
            corner=corner,
            bottleneck=bottleneck,
            duplicate_peers=duplicate_peers,
            scope=tuple(scope or ()),
            steps=steps,
            permutations=permutations,
            seed=seed,
            reading=Reading(encoding, delimiter, decimal, thousands, sheet, header_row, codes),
        )
    )
    for line in [summary_json(analysis)] if json else lines(analysis):
        say(line)
    if out is None:
        return
    written = write_necessity(analysis, out)
    for failure in written.failures:
        say_aside(f"Not drawn: {failure}")
    if not json:
        say(f"Written: {len(written.paths)} files in {out}")


Cases = Annotated[
    Path,
    typer.Argument(help="Cases of cases: csv, xlsx, dta, sav, parquet, ...", show_default=False),
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
Written = Annotated[
    Path | None, typer.Option("--out", help="Folder to write tables and XY plots to.")
]


MANY_CONDITIONS: Final = 9
"""Conditions from which on the solutions of a truth table can take long."""


@guarded
def qca(  # noqa: PLR0913, PLR0917 (each option of a command is a parameter)
    table: Cases,
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
    out: Written = None,
) -> None:
    """Analyse a table as fuzzy or crisp sets (QCA), without a model.

    Necessity and sufficiency of each condition, truth table, all tied solutions, and combinations
    that are necessary or sufficient.
    """
    from bayescluster.dataset.plain import Reading
    from bayescluster.features.sets.qca import Request, plain_sets
    from bayescluster.features.sets.truth_table import Cuts

    codes = tuple(missing_value or ())
    if len(conditions) >= MANY_CONDITIONS:
        rows = 2 ** len(conditions)
        say_aside(
            f"A truth table of {rows:,} rows: where many are filled, its solutions take minutes."
        )
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
            reading=Reading(encoding, delimiter, decimal, thousands, sheet, header_row, codes),
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


def _printed(sets: PlainSets) -> Iterator[str | Table]:
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
