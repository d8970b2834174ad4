"""Tables that are printed whole, whatever the width of the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def print_wide(
    title: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    width: int,
    *,
    wrapped: bool = True,
) -> None:
    """Print a table; numbers stand under headings that begin with ``>``.

    Parameters
    ----------
    title
        Stands above it.
    heads
        A heading a column.
    rows
        Cells of each row.
    width
        Room for every column, in characters.
    wrapped
        Long cells go on in a further line; else each row stands in one.
    """
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"\n{title}", title_justify="left", box=None, pad_edge=False)
    for head in heads:
        numeric = head.startswith(">")
        table.add_column(
            head.removeprefix(">"), justify="right" if numeric else "left", no_wrap=not wrapped
        )
    for row in rows:
        table.add_row(*row)
    Console(highlight=False, markup=False, width=width).print(table)
