"""``bayescluster nca``: necessary condition analysis of a plain table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
from bayescluster.cli.guard import guarded, say, say_aside


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
    for line in [summary_json(analysis)] if json else lines(analysis):
        say(line)
    if out is None:
        return
    written = write_necessity(analysis, out)
    for failure in written.failures:
        say_aside(f"Not drawn: {failure}")
    if not json:
        say(f"Written: {len(written.paths)} files in {out}")
