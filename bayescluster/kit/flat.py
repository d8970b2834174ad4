"""Records as tables that are only written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from bayescluster.kit.table import Raw, RawTable, csv_text, fields_of, flat, harmless

__all__ = ["RawTable", "Value", "csv_text", "flat", "harmless", "table", "table_of"]

Value = Raw


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
    columns = tuple(dict.fromkeys((*before, *fields_of(kind))))
    return RawTable(
        name, columns, tuple(tuple(row.get(column) for column in columns) for row in rows)
    )
