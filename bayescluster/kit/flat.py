"""Records as flat rows: a column a field, an estimate spread over its own."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from io import StringIO
from types import UnionType
from typing import Any, Final, NamedTuple, get_args

from pydantic import BaseModel

from bayescluster.results.base import Spread

Value = str | int | float | bool | None
APART = ("figures", "probabilities")
"""Fields that have no column: the figures of a verdict have a table, the grid of confounders none."""
JOINED = "; "
"""Between the items of a list within a cell."""


class RawTable(NamedTuple):
    """A table as it is written: a file name without ending, headings and rows."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


def table_of(name: str, kind: type[BaseModel], records: Iterable[BaseModel]) -> RawTable:
    """Make a table of records of one kind, a column a field."""
    return table(name, kind, map(flat, records))


def table(
    name: str,
    kind: type[BaseModel],
    rows: Iterable[Mapping[str, Value]],
    before: tuple[str, ...] = (),
) -> RawTable:
    """Make a table of flat rows: the columns of ``before``, then those of a kind of record."""
    columns = (*before, *_columns(kind))
    return RawTable(
        name, columns, tuple(tuple(row.get(column) for column in columns) for row in rows)
    )


def _columns(kind: type[BaseModel], prefix: str = "") -> list[str]:
    """Fields of a record, those of an estimate within it spread; what stands apart is left out."""
    found: list[str] = []
    for name, field in kind.model_fields.items():
        if (parts := _parts(field.annotation)) is not None:
            found += _columns(parts, _inside(prefix, name))
        elif name not in APART:
            found.append(f"{prefix}{name}")
    return found


def _inside(prefix: str, name: str) -> str:
    """Prefix of the columns of a record within a record; the estimate of a row has none."""
    return prefix if name == "estimate" else f"{prefix}{name}_"


def _parts(annotation: object) -> type[BaseModel] | None:
    """Record whose fields stand each in a column of its own; nothing for plain values."""
    either = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    kinds = (kind for kind in either if isinstance(kind, type))
    return next((kind for kind in kinds if issubclass(kind, Spread)), None)


def flat(record: BaseModel, prefix: str = "") -> dict[str, Value]:
    """Make a record a flat row; the fields of an estimate within it have its name before theirs."""
    found: dict[str, Value] = {}
    for name in type(record).model_fields:
        value = getattr(record, name)
        if isinstance(value, Spread):
            found |= flat(value, _inside(prefix, name))
        elif isinstance(value, tuple):
            found[f"{prefix}{name}"] = JOINED.join(str(item) for item in value)
        else:
            found[f"{prefix}{name}"] = value
    return found


FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins with one of these could be run as a formula by a spreadsheet."""


def harmless(cell: Any) -> Any:
    """Keep text from being run as a formula; numbers stay as they are."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def csv_text(table: RawTable) -> str:
    """Write a table as comma-separated text."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([harmless(cell) for cell in row] for row in table.rows)
    return buffer.getvalue()
