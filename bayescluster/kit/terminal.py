"""Tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bayescluster.kit.table import Cell, Head, Table

FIRST_MARK: Final = 0xE000
"""Characters for private use, which no text has: they hold the place of words above rows."""
MOST_LINES: Final = 25
"""Lines of an answer, the name of the page included: what does not fit is in the page."""


def fitted(said: Sequence[Sequence[str]], room: int) -> list[str]:
    """Lines of the first entries that have room, and how many are left out."""
    kept = list(said)
    while kept and sum(map(len, kept)) > room - (len(kept) < len(said)):
        kept.pop()
    left = len(said) - len(kept)
    more = [f"{left} more in the report."] if left else []
    return [*(line for lines in kept for line in lines), *more]


def print_table(
    table: Table, width: int | None = None, *, notes: bool = True, struck: bool = False
) -> None:
    """Print a table as it is shown, remarks in brackets behind their values.

    Parameters
    ----------
    table
        The table.
    width
        Room for all columns, in characters; that of the terminal without it.
    notes
        Whether remarks of cells and the note below the table are printed.
    struck
        Strike numbers through: the draws behind them failed their checks.
    """
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    console = Console(highlight=False, markup=False, width=width)

    def printed(cell: Cell, head: Head) -> Text:
        text = f"{cell.text} ({cell.note})" if notes and cell.note else cell.text
        if not (struck and head.numeric and text):
            return Text(text)
        return Text(text, style="strike") if console.is_terminal else Text(f"~~{text}~~")

    made = RichTable(box=None, pad_edge=False)
    for head in table.columns:
        made.add_column(head.label, justify="right" if head.numeric else "left")
    heads: dict[str, str] = {}
    for row in table.rows:
        if row[0].look == "head" and not any(cell.text for cell in row[1:]):
            # words above a run of rows take the whole line, not the width of the first column
            mark = chr(FIRST_MARK + len(heads))
            heads[mark] = row[0].text
            made.add_row(mark)
        else:
            made.add_row(*map(printed, row, table.columns))
    with console.capture() as shown:
        console.print(f"\n{table.caption}")
        console.print(made)
        if notes and table.note:
            console.print(table.note)
    # cells are padded to the width of their column: the blanks at the end of a line are not wanted
    lines = (line.rstrip() for line in shown.get().splitlines())
    print("\n".join(heads.get(line, line) for line in lines), file=console.file)
