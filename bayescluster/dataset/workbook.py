"""Workbooks: one sheet as rows of cells, with its errors and formulas without a value in place."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import openpyxl  # type: ignore[import-untyped]
import pandas as pd

from bayescluster.dataset.old_workbooks import MOST_CELLS, Rows, plain, sheet_of
from bayescluster.dataset.text import LOOKED_AT, Headings, headings_of
from bayescluster.dataset.values import InputError

FORMULA: Final = b"<f"
"""Begins the formula of a cell in the XML of a sheet."""
MOST_BYTES: Final = 200_000_000
"""Of what a workbook holds when it is unpacked."""
MOST_RATIO: Final = 50
"""Times that a workbook above ``UNSUSPICIOUS`` bytes may grow when it is unpacked; tables grow 5 to 30 times."""
UNSUSPICIOUS: Final = 20_000_000
MOST_PLACES: Final = 10_000_000
"""Cells that are passed over, empty ones included, while the sheet is read."""
MOST_BLANK: Final = 100_000
"""Rows without a cell above the last one that has some."""
BLOCK: Final = 1_000_000
SMALLER: Final = "delete what is far below or to the right of the table, or save the sheet as csv"


class Sheet(NamedTuple):
    """Cells of a sheet, missing where empty; ``others`` are the sheets that were not asked for.

    ``passed`` are those before it that hold no table: a cover, notes.
    """

    frame: pd.DataFrame
    headings: Headings
    name: str
    others: tuple[str, ...]
    passed: tuple[str, ...] = ()


def read_workbook(path: Path, label: str, sheet: str | None, header_row: int | None) -> Sheet:
    """Read a sheet of a workbook; the first one that holds a table if none is named.

    Raises
    ------
    InputError
        If it has no such sheet, or the sheet is empty.
    """
    first = _read_sheet(path, label, sheet, header_row)
    passed = [first.name]
    if _is_table(first):
        return first
    for name in first.others:
        other = _read_sheet(path, label, name, header_row)
        if _is_table(other):
            others = tuple(each for each in first.others if each not in (name, *passed))
            return other._replace(others=others, passed=tuple(passed))
        passed.append(name)
    if not first.headings.names:
        raise InputError(
            f"the sheet '{first.name}' of '{label}' is empty", "", "sheet" if sheet else None
        )
    return first


def _is_table(sheet: Sheet) -> bool:
    return len(sheet.frame) > 0 and sheet.frame.shape[1] > 1


def _read_sheet(path: Path, label: str, sheet: str | None, header_row: int | None) -> Sheet:
    openpyxl_reads = path.suffix.lower() in (".xlsx", ".xlsm")
    names, rows = (_openpyxl if openpyxl_reads else _calamine)(path, label, sheet)
    wanted = sheet or names[0]
    while rows and not any(cell is not None for cell in rows[-1]):
        rows.pop()
    others = () if sheet else tuple(name for name in names if name != wanted)
    if not rows:
        return Sheet(pd.DataFrame(), Headings((), 0, (), ""), wanted, others)
    headings = headings_of(rows[:LOOKED_AT], label, header_row)
    cells = rows[headings.first :]
    if len(cells) * len(headings.names) > 4 * MOST_CELLS:
        raise _too_large(wanted, label)
    columns = {
        name: pd.Series([row[k] if k < len(row) else None for row in cells], dtype=object).replace(
            {None: np.nan}
        )
        for k, name in enumerate(headings.names)
    }
    return Sheet(pd.DataFrame(columns), headings, wanted, others)


def _chosen(names: Sequence[str], label: str, sheet: str | None) -> str:
    if sheet is not None and sheet not in names:
        raise InputError(
            f"'{label}' has no sheet '{sheet}'", f"its sheets: {', '.join(names)}", "sheet"
        )
    return sheet or names[0]


def _openpyxl(path: Path, label: str, sheet: str | None) -> tuple[list[str], Rows]:
    """Read with openpyxl, which keeps errors of cells apart from empty ones."""
    _check_size(path, label)
    # opened here, so that it is closed whatever openpyxl stumbles over
    with path.open("rb") as file, warnings.catch_warnings():
        # openpyxl warns of drop-down lists and styles, which hold no data
        warnings.filterwarnings("ignore", module="openpyxl")
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        try:
            names = [each.title for each in book.worksheets]
            wanted = _chosen(names, label, sheet)
            rows = _cells(book[wanted], label)
        finally:
            book.close()
        if _has_formulas(path):
            formulas = openpyxl.load_workbook(file, read_only=True)
            try:
                _fill_formulas(rows, _cells(formulas[wanted], label))
            finally:
                formulas.close()
    return names, rows


def _check_size(path: Path, label: str) -> None:
    """Refuse an archive that unpacks to far more than a table; zipfile reads no more than it says."""
    with zipfile.ZipFile(path) as archive:
        size = sum(item.file_size for item in archive.infolist())
    ratio = size / max(path.stat().st_size, 1)
    if size > MOST_BYTES or (size > UNSUSPICIOUS and ratio > MOST_RATIO):
        raise InputError(
            f"'{label}' unpacks to {size / 1e6:,.0f} MB, {ratio:,.0f} times its size: a workbook may "
            f"hold {MOST_BYTES / 1e6:,.0f} MB, and {MOST_RATIO} times its size",
            "save the sheet as csv, of which any size is read",
        )


def _cells(sheet: Any, label: str) -> Rows:
    """Rows up to their last cell that is not empty."""
    # what some programs write of the extent of a sheet is wrong
    sheet.reset_dimensions()
    rows: Rows = []
    places = kept = 0
    for row in sheet.iter_rows(values_only=True):
        end = len(row)
        places += end
        while end and row[end - 1] is None:
            end -= 1
        kept += end + 1
        if kept > MOST_CELLS or places > MOST_PLACES:
            raise _too_large(sheet.title, label)
        rows.append([plain(cell) for cell in row[:end]])
    while rows and not rows[-1]:
        rows.pop()
    if (blank := sum(not row for row in rows)) > MOST_BLANK:
        what = (
            f"the sheet '{sheet.title}' of '{label}' has {blank:,} empty rows above its last cell"
        )
        raise InputError(what, SMALLER)
    return rows


def _too_large(sheet: str, label: str) -> InputError:
    what = f"the sheet '{sheet}' of '{label}' reaches over more than {MOST_CELLS:,} cells"
    return InputError(what, SMALLER)


def _has_formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        return any(_holds_formula(archive, name) for name in sheets)


def _holds_formula(archive: zipfile.ZipFile, name: str) -> bool:
    with archive.open(name) as stream:
        before = b""
        while block := stream.read(BLOCK):
            if FORMULA in before + block:
                return True
            before = block[-1:]
    return False


def _fill_formulas(rows: Rows, formulas: Rows) -> None:
    """Put formulas where their values were never stored, so that messages can name them."""
    for values, written in zip(rows, formulas, strict=False):
        values += [None] * (len(written) - len(values))
        for k, (value, formula) in enumerate(zip(values, written, strict=False)):
            if value is None and formula is not None:
                values[k] = str(formula) if str(formula).startswith("=") else f"={formula}"


def _calamine(path: Path, label: str, sheet: str | None) -> tuple[list[str], Rows]:
    names, rows = sheet_of(str(path), sheet)
    _chosen(names, label, sheet)
    return names, rows or []
