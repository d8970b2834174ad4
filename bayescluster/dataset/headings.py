"""Where the names of columns are: under titles, under merged headings, and missing ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from bayescluster.dataset.numerals import PLAIN
from bayescluster.dataset.values import InputError

LOOKED_AT: Final = 60
"""First rows of a table from which its headings are told."""
DEEPEST: Final = 15
"""Rows within which the names of columns are looked for."""
UNNAMED: Final = "Unnamed: "
"""Begins what a column with cells, but without a name, is called."""

Row = Sequence[object]


class Headings(NamedTuple):
    """Names of columns, as many as there are columns.

    ``first`` is the position of the first row of data; ``unnamed`` holds the positions of the columns
    without a name, ``note`` says where the names were found if that is not the first row.
    """

    names: tuple[str, ...]
    first: int
    unnamed: tuple[int, ...]
    note: str


def headings_of(rows: Sequence[Row], label: str, stated: int | None = None) -> Headings:
    """Tell the names of columns from the first rows of a table.

    Raises
    ------
    InputError
        If two columns have one name, or the row that is stated is empty.
    """
    width = max(len(row) for row in rows)
    grid = [[_text(cell) for cell in (*row, *[""] * (width - len(row)))] for row in rows]
    used = [any(row[k] for row in grid) for k in range(width)]
    while width > 1 and not used[width - 1]:
        width -= 1
    grid = [row[:width] for row in grid]
    if stated is not None:
        if stated > len(grid) or not any(grid[stated - 1]):
            raise InputError(
                f"row {stated} of '{label}' is empty", "name the row of the names", "header_row"
            )
        names, first = grid[stated - 1], stated
    else:
        names, first = _found(grid)
    twice = sorted(name for name, count in Counter(filter(None, names)).items() if count > 1)
    if twice:
        shown = ", ".join(f"'{name}'" for name in twice)
        raise InputError(
            f"'{label}' has more than one column called {shown}", "rename them in the file"
        )
    blank = tuple(k for k, name in enumerate(names) if not name)
    called = tuple(name or f"{UNNAMED}{k}" for k, name in enumerate(names))
    usual = next((k for k, row in enumerate(grid) if any(row)), 0) + 1
    note = f"the names of columns are in row {first}" if stated is None and first > usual else ""
    return Headings(called, first, blank, note)


def _found(grid: list[list[str]]) -> tuple[list[str], int]:
    """Names, and the position of the first row of data."""
    top = next((k for k, row in enumerate(grid) if any(row)), 0)
    width, head = len(grid[top]), grid[top]
    filled = [any(row[k] for row in grid[top + 1 :]) for k in range(width)]
    lacking = [k for k in range(width) if filled[k] and not head[k]]
    if not lacking:
        return head, top + 1
    for place in range(top + 1, min(top + DEEPEST, len(grid) - 1)):
        row = grid[place]
        below = grid[place + 1 :]
        data = [k for k in range(width) if any(other[k] for other in below)]
        over_numbers = any(row[k] and _mostly_numbers([other[k] for other in below]) for k in data)
        if not over_numbers or any(_is_number(cell) for cell in row if cell):
            continue
        if all(row[k] for k in data):
            return row, place + 1
        # a heading merged over several rows has its text in the first of them
        joined = [row[k] or grid[place - 1][k] for k in range(width)]
        if all(joined[k] for k in data):
            return joined, place + 1
    return head, top + 1


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell).strip()  # noqa: PLR0124 (NaN)


def _is_number(text: str) -> bool:
    return PLAIN.pattern.fullmatch(text) is not None


def _mostly_numbers(cells: list[str]) -> bool:
    answered = [cell for cell in cells if cell]
    return bool(answered) and sum(map(_is_number, answered)) > len(answered) / 2
