"""Plain tables, for commands that take no analysis file: read by the same rules, and with the same keys."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from pydantic import ValidationError

from bayescluster.dataset.read import Names, Table, read_table, table_of
from bayescluster.errors import ConfigError, Problem
from bayescluster.lookup import suggestion
from bayescluster.spec.data import DEFAULT_CODES, DELIMITERS, Data


class Reading(NamedTuple):
    """How a plain table is read: the keys of the data section of an analysis, as options.

    A code for "no answer" holds for all columns but groups and names, or (``COLUMN=CODE``) for one.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    missing_values: tuple[str, ...] = ()


def read_plain(
    source: str,
    reading: Reading,
    groups: Collection[str | None] = (),
    directory: Path = Path(),
    frame: pd.DataFrame | None = None,
) -> Table:
    """Read a table; ``groups`` are the columns of groups and names, ``frame`` it if it is in memory.

    Raises
    ------
    ConfigError
        If an option is not one of those there are.
    DataError
        If the table cannot be read.
    """
    named = frozenset(name for name in groups if name is not None)
    names = Names(named, named)
    keys: dict[str, Any] = {**reading._asdict(), "missing_values": _codes(reading.missing_values)}
    if frame is not None:
        return table_of(frame, source, keys["missing_values"], names)
    try:
        data = Data.model_validate({"source": source, **keys})
    except ValidationError as error:
        known = {"delimiter": tuple(DELIMITERS), "decimal": (".", ","), "thousands": tuple(",. '")}
        places = dict.fromkeys(str(detail["loc"][0]) for detail in error.errors() if detail["loc"])
        raise ConfigError(
            Problem(
                f"unknown {place.replace('_', ' ')} '{keys[place]}'",
                option(place),
                suggestion(str(keys[place]), known.get(place, ())),
            )
            for place in places
        ) from None
    return read_table(data, directory, lambda path: option(str(path[-1])), names)


def option(key: str) -> str:
    """Option of the command line that sets a key of the data section."""
    special = {"source": "TABLE", "missing_values": "--missing-value"}
    return special.get(key, f"--{key.replace('_', '-')}")


def _codes(texts: Sequence[str]) -> tuple[str, ...] | dict[str, tuple[str, ...]]:
    """Codes for all columns; or by column, where any names one."""
    parts = [text.rpartition("=") for text in texts]
    if not any(column for column, _, _ in parts):
        return tuple(texts)
    common = tuple(code for column, _, code in parts if not column)
    columns = dict.fromkeys(column for column, _, _ in parts if column)
    of_columns = {
        name: (*common, *(code for column, _, code in parts if column == name)) for name in columns
    }
    return {DEFAULT_CODES: common, **of_columns}


def notes_of(table: Table, columns: Collection[str]) -> Iterator[str]:
    """Remarks on a table and on those of its columns that are used."""
    yield from (note.text for note in table.notes if note.column is None or note.column in columns)
