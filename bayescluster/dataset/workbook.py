"""Workbooks: one sheet as rows of cells, with its errors and formulas without a value in place."""

from __future__ import annotations

import datetime
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import openpyxl  # type: ignore[import-untyped]
import pandas as pd

from bayescluster.dataset.headings import LOOKED_AT, Headings, headings_of
from bayescluster.dataset.values import InputError

FORMULA: Final = b"<f"
"""Begins the formula of a cell in the XML of a sheet."""
MIDNIGHT: Final = datetime.time()

Rows = list[list[Any]]


class Sheet(NamedTuple):
    """Cells of a sheet, missing where empty; ``others`` are the sheets that were not asked for."""

    frame: pd.DataFrame
    headings: Headings
    name: str
    others: tuple[str, ...]


def read_workbook(path: Path, label: str, sheet: str | None, header_row: int | None) -> Sheet:
    """Read a sheet of a workbook; the first one if none is named.

    Raises
    ------
    InputError
        If it has no such sheet, or the sheet is empty.
    """
    openpyxl_reads = path.suffix.lower() in (".xlsx", ".xlsm")
    names, rows = (_openpyxl if openpyxl_reads else _calamine)(path, label, sheet)
    wanted = sheet or names[0]
    while rows and not any(cell is not None for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise InputError(
            f"the sheet '{wanted}' of '{label}' is empty",
            f"name another by `sheet:`: {', '.join(names)}" if len(names) > 1 else "",
            "sheet" if sheet else None,
        )
    headings = headings_of(rows[:LOOKED_AT], label, header_row)
    width = len(headings.names)
    cells = [[*row[:width], *[None] * (width - len(row))] for row in rows[headings.first :]]
    columns = {
        name: pd.Series([row[k] for row in cells], dtype=object).replace({None: np.nan})
        for k, name in enumerate(headings.names)
    }
    others = () if sheet else tuple(name for name in names if name != wanted)
    return Sheet(pd.DataFrame(columns), headings, wanted, others)


def _chosen(names: Sequence[str], label: str, sheet: str | None) -> str:
    if sheet is not None and sheet not in names:
        raise InputError(
            f"'{label}' has no sheet '{sheet}'", f"its sheets: {', '.join(names)}", "sheet"
        )
    return sheet or names[0]


def _openpyxl(path: Path, label: str, sheet: str | None) -> tuple[list[str], Rows]:
    """Read with openpyxl, which keeps errors of cells apart from empty ones."""
    with warnings.catch_warnings():
        # openpyxl warns of drop-down lists and styles, which hold no data
        warnings.filterwarnings("ignore", module="openpyxl")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            names = [each.title for each in book.worksheets]
            wanted = _chosen(names, label, sheet)
            rows = _cells(book[wanted])
        finally:
            book.close()
        if _has_formulas(path):
            formulas = openpyxl.load_workbook(path, read_only=True)
            try:
                _fill_formulas(rows, _cells(formulas[wanted]))
            finally:
                formulas.close()
    return names, rows


def _cells(sheet: Any) -> Rows:
    # what some programs write of the extent of a sheet is wrong
    sheet.reset_dimensions()
    return [[_plain(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(FORMULA in archive.read(name) for name in sheets)


def _fill_formulas(rows: Rows, formulas: Rows) -> None:
    """Put formulas where their values were never stored, so that messages can name them."""
    for values, written in zip(rows, formulas, strict=False):
        for k, (value, formula) in enumerate(zip(values, written, strict=False)):
            if value is None and formula is not None:
                values[k] = str(formula) if str(formula).startswith("=") else f"={formula}"


def _calamine(path: Path, label: str, sheet: str | None) -> tuple[list[str], Rows]:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
    except python_calamine.CalamineError as error:
        raise ValueError(str(error)) from None
    names = list(book.sheet_names)
    wanted = _chosen(names, label, sheet)
    rows = book.get_sheet_by_name(wanted).to_python(skip_empty_area=False)
    return names, [[_plain(cell) for cell in row] for row in rows]


def _plain(cell: Any) -> Any:
    """Empty text as nothing, whole numbers as such, dates as text."""
    if cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, datetime.datetime):
        return (cell.date() if cell.time() == MIDNIGHT else cell).isoformat()
    return cell.isoformat() if isinstance(cell, datetime.date | datetime.time) else cell
