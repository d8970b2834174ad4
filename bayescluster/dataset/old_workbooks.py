"""Workbooks other than xlsx, read in a process of its own: xls, xlsb and ods.

On damaged files the reader of these formats ends its process, or takes all memory there is. This file is
run as a script, with the path and the sheet as arguments, and imports nothing of bayescluster.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime, time
from typing import Any, Final

MOST_CELLS: Final = 3_000_000
MOST_MEMORY: Final = 2_000_000_000
MOST_SECONDS: Final = 60
MIDNIGHT: Final = time()

Rows = list[list[Any]]


class DamagedWorkbookError(ValueError):
    """The workbook cannot be read; the text says why as far as that is known."""


def sheet_of(path: str, sheet: str | None) -> tuple[list[str], Rows | None]:
    """Names of the sheets, and the rows of one: the first if none is named, none if there is none such.

    Raises
    ------
    DamagedWorkbookError
        If the file cannot be read, or not within the bounds.
    """
    command = [sys.executable, "-P", __file__, path, *([] if sheet is None else [sheet])]
    # the same packages as here, from wherever they were imported
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        ran = subprocess.run(
            command, capture_output=True, timeout=MOST_SECONDS, env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        raise DamagedWorkbookError(f"it takes more than {MOST_SECONDS} seconds") from None
    if ran.returncode:
        raise DamagedWorkbookError("it is damaged, or far larger than it seems")
    content = json.loads(ran.stdout)
    if "fault" in content:
        raise DamagedWorkbookError(content["fault"])
    return content["names"], content["rows"]


def plain(cell: Any) -> Any:
    """Empty text as nothing, whole numbers as such, dates as text."""
    if cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return int(cell)
    if isinstance(cell, datetime):
        return (cell.date() if cell.time() == MIDNIGHT else cell).isoformat()
    return cell.isoformat() if isinstance(cell, date | time) else cell


def _read(path: str, sheet: str | None) -> dict[str, Any]:
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(path)
        names = list(book.sheet_names)
        wanted = sheet or names[0]
        if wanted not in names:
            return {"names": names, "rows": None}
        found = book.get_sheet_by_name(wanted)
        size = found.total_height * found.total_width
        if size > MOST_CELLS:
            return {"fault": f"the sheet '{wanted}' reaches over {size:,} cells"}
        rows = found.to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        return {"fault": str(error)}
    return {"names": names, "rows": [[plain(cell) for cell in row] for row in rows]}


def _bounded() -> None:
    """Take no more memory than a workbook needs; nothing where the system knows no such bound."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _bounded()
    json.dump(_read(sys.argv[1], sys.argv[2] if sys.argv[2:] else None), sys.stdout, default=str)
