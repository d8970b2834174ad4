"""``bayescluster check-data``: a codebook of a table, and what looks wrong in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final

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
    found = codebook(table, reading)
    say_found(found, printed, json, None if sys.stdout.isatty() else WIDTH)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page_text(found), encoding="utf-8")
        if not json:
            say(f"\nPage: {out}")
