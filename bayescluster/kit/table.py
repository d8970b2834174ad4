"""What a table is, once: columns that hold their heading, their value and how it is written.

A `View` is a table of records. It is shown as a `Table` of text cells, which HTML and the terminal
print (and any other page could), and written as a `RawTable` of unrounded values, which csv files and
data frames hold. Adding a column is one `Column`, and it is in all of them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from types import MappingProxyType, UnionType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

from pydantic import BaseModel

from bayescluster.results.base import Spread

if TYPE_CHECKING:
    import pandas as pd

Raw = str | int | float | bool | None
Look = Literal["", "good", "bad", "thin", "head", "inside"]
APART: Final = ("figures", "probabilities")
"""Fields that are never written: the figures of a verdict have a table, the grid of confounders none."""
JOINED: Final = "; "
"""Between the items of a list within a cell."""
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""A cell of text that begins so can be run as a formula by a spreadsheet."""


class Cell(NamedTuple):
    """A cell as it is shown: text, a remark in small print below it, and how it looks."""

    text: str
    note: str = ""
    look: Look = ""
    link: str = ""


class Head(NamedTuple):
    """A heading, and whether numbers stand below it."""

    label: str
    numeric: bool = False


class Table(NamedTuple):
    """A table as it is shown. The first cell of a row is its heading."""

    caption: str
    columns: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    folded: str = ""
    """Where given, the table is folded away below these words."""


class RawTable(NamedTuple):
    """A table as it is written: a file name without ending, headings and rows."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Raw, ...], ...]


def plain(value: object) -> str:
    """Write a value as it is."""
    return "" if value is None else str(value)


@dataclass(frozen=True)
class Column[Row]:
    """A column of a view.

    Attributes
    ----------
    label
        Heading.
    value
        Name of a field of the record, or a function of the record: the value, unrounded.
    format
        How the value is written for reading: as text, or as a whole cell.
    note
        A remark of the record in small print below the value.
    look, link
        How the cell looks, and where it leads.
    numeric
        Whether numbers stand in it.
    key
        Heading in files. A column whose value is a field is written under the name of that field;
        one that is computed is written under its key, and not at all without one.
    """

    label: str
    value: str | Callable[[Row], Any]
    format: Callable[[Any], str | Cell] = plain
    note: Callable[[Row], str] | None = None
    look: Callable[[Row], Look] | None = None
    link: Callable[[Row], str] | None = None
    numeric: bool = False
    key: str = ""

    def of(self, row: Row) -> Any:
        """Value of a record."""
        return getattr(row, self.value) if isinstance(self.value, str) else self.value(row)

    def cell(self, row: Row) -> Cell:
        """Write the value of a record for reading."""
        text = self.format(self.of(row))
        if isinstance(text, Cell):
            return text
        return Cell(
            text,
            self.note(row) if self.note else "",
            self.look(row) if self.look else "",
            self.link(row) if self.link else "",
        )


def number[Row](
    label: str,
    value: str | Callable[[Row], Any],
    format: Callable[[Any], str | Cell] = plain,
    **more: Any,
) -> Column[Row]:
    """Make a column of numbers."""
    return Column(label, value, format, numeric=True, **more)


@dataclass(frozen=True)
class View[Row]:
    """A table of records.

    Several views may have one name: they are shown one by one, and written as one table.

    Attributes
    ----------
    name
        Name of the file it is written to, and of the data frame.
    kind
        Class of the records: all its fields are written, shown or not.
    caption, note, folded
        See `Table`.
    columns, rows
        Columns from the left, records from the top. Without columns it is written and not shown.
    records
        What is written, where that is not the rows that are shown.
    before
        Values that are written before each record.
    after
        Rows below the last record that are only shown: a total.
    head
        Words for a row of its own above the first of each run of records that share them.
    """

    name: str
    kind: type[BaseModel]
    caption: str = ""
    columns: tuple[Column[Row], ...] = ()
    rows: tuple[Row, ...] = ()
    note: str = ""
    folded: str = ""
    records: tuple[BaseModel, ...] | None = None
    before: Mapping[str, Raw] = MappingProxyType({})
    after: tuple[tuple[Cell, ...], ...] = ()
    head: Callable[[Row], str] | None = None

    @property
    def table(self) -> Table:
        """The view as it is shown."""
        return Table(
            self.caption,
            tuple(Head(column.label, column.numeric) for column in self.columns),
            (*self._cells(), *self.after),
            self.note,
            self.folded,
        )

    @property
    def raw(self) -> RawTable:
        """The view as it is written: every field of the records, then what columns compute."""
        names = dict.fromkeys((*self.before, *fields_of(self.kind)))
        rows = []
        for row in self.rows if self.records is None else self.records:
            computed = self._computed(row)
            names |= dict.fromkeys(computed)
            rows.append({**self.before, **flat(row), **computed})
        return RawTable(
            self.name, tuple(names), tuple(tuple(row.get(name) for name in names) for row in rows)
        )

    def _cells(self) -> Iterator[tuple[Cell, ...]]:
        above = ""
        for row in self.rows:
            head = self.head(row) if self.head else ""
            if head != above:
                above = head
                yield Cell(head, look="head"), *(Cell("") for _ in self.columns[1:])
            yield tuple(column.cell(row) for column in self.columns)

    def _computed(self, row: Any) -> dict[str, Raw]:
        """What columns with a key compute for a record; for none where other records are written."""
        keyed = [] if self.records is not None else [one for one in self.columns if one.key]
        return {k: v for one in keyed for k, v in spread(one.key, one.of(row)).items()}


def raw_tables(views: Iterable[View[Any]]) -> tuple[RawTable, ...]:
    """Views as they are written: those of one name together, in the order of their first."""
    parts: dict[str, list[RawTable]] = {}
    for view in views:
        parts.setdefault(view.name, []).append(view.raw)
    return tuple(_one_below_another(some) for some in parts.values())


def _one_below_another(tables: Sequence[RawTable]) -> RawTable:
    if len(tables) == 1:
        return tables[0]
    columns = tuple(dict.fromkeys(name for table in tables for name in table.columns))
    rows: list[tuple[Raw, ...]] = []
    for table in tables:
        position = {name: k for k, name in enumerate(table.columns)}
        places = [position.get(name) for name in columns]
        rows += (tuple(None if k is None else row[k] for k in places) for row in table.rows)
    return RawTable(tables[0].name, columns, tuple(rows))


def fields_of(kind: type[BaseModel], prefix: str = "") -> list[str]:
    """Headings of the fields of a record; those of an estimate within it are spread."""
    found: list[str] = []
    for name, field in kind.model_fields.items():
        if (parts := _parts(field.annotation)) is not None:
            found += fields_of(parts, _inside(prefix, name))
        elif name not in APART:
            found.append(f"{prefix}{name}")
    return found


def flat(record: object, prefix: str = "") -> dict[str, Raw]:
    """Make a record, or records side by side in a tuple, a flat row."""
    if isinstance(record, BaseModel):
        values: Iterable[tuple[str, Any]] = (
            (name, getattr(record, name)) for name in type(record).model_fields
        )
        return {
            key: value
            for name, one in values
            if name not in APART
            for key, value in spread(name, one, prefix).items()
        }
    parts = record if isinstance(record, tuple) else ()
    return {key: value for part in parts for key, value in flat(part, prefix).items()}


def spread(name: str, value: Any, prefix: str = "") -> dict[str, Raw]:
    """Write one value under its name: an estimate over several columns, a list in one cell."""
    if isinstance(value, Spread):
        return flat(value, _inside(prefix, name))
    if isinstance(value, tuple):
        return {f"{prefix}{name}": JOINED.join(str(item) for item in value)}
    return {f"{prefix}{name}": value}


def _inside(prefix: str, name: str) -> str:
    """Prefix of the columns of a record within a record; the estimate of a row has none."""
    return prefix if name == "estimate" else f"{prefix}{name}_"


def _parts(annotation: object) -> type[BaseModel] | None:
    """Record whose fields stand each in a column of its own; nothing for plain values."""
    either = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    kinds = (kind for kind in either if isinstance(kind, type))
    return next((kind for kind in kinds if issubclass(kind, Spread)), None)


def csv_text(table: RawTable) -> str:
    """Write a table as comma-separated text that no spreadsheet takes for formulas."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([harmless(cell) for cell in row] for row in table.rows)
    return buffer.getvalue()


def harmless(value: Any) -> Any:
    """Put a quote before text that a spreadsheet would run."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def frame(table: RawTable) -> pd.DataFrame:
    """Give a table as a data frame."""
    import pandas as pd

    return pd.DataFrame(list(table.rows), columns=list(table.columns))


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
