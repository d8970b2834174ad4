"""A large table in parts: columns that an analysis needs, filtered and without missing values.

Parquet and csv files are read part by part; nothing as large as the file is ever held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.csv as pa_csv  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.derive import derive
from bayescluster.dataset.prepare import exclusion_words
from bayescluster.dataset.values import InputError, as_number, label_of
from bayescluster.errors import DataError, Problem
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.base import Scalar
from bayescluster.spec.columns import group_columns, needed_columns
from bayescluster.spec.data import DELIMITERS
from bayescluster.spec.load import dotted

ROWS_A_PART: Final = 1_000_000
ROWS_A_BATCH: Final = 262_144
BLOCK_BYTES: Final = 8_388_608
LOOKED_AT: Final = 1_048_576
"""Bytes of a csv file from which its number of rows is estimated."""
STREAMED: Final = (".parquet", ".csv", ".tsv", ".txt")


class Part(NamedTuple):
    """Rows of a file that are read together; of a Parquet file some of its row groups."""

    path: str
    first: int
    groups: tuple[int, ...] = ()


class Layout(NamedTuple):
    """How the parts of a file are read: the analysis, its columns, and the delimiter of a csv file."""

    analysis: Analysis
    columns: tuple[str, ...]
    texts: frozenset[str]
    delimiter: str = ","


class Batch(NamedTuple):
    """Rows that are used, by column; ``number`` counts the rows of the file from 0."""

    frame: pd.DataFrame
    number: NDArray[np.int64]
    read: int
    missing: dict[str, int]
    """Rows left out, by the variable they lack."""
    excluded: dict[str, int]
    """Rows left out by filters and exclusions, by their words."""


def rows_in(path: Path) -> int:
    """Number of rows of a file that can be streamed: of a csv file an estimate; 0 of any other."""
    if path.suffix.lower() not in STREAMED:
        return 0
    try:
        if not path.is_file():
            return 0
        if path.suffix.lower() == ".parquet":
            return int(pq.read_metadata(path).num_rows)
        with path.open("rb") as file:
            start = file.read(LOOKED_AT)
    except (OSError, pa.ArrowException):
        return 0  # whoever reads the file says what is wrong with it
    lines = start.count(b"\n")
    return int(path.stat().st_size / max(len(start), 1) * lines)


def digest_of(path: Path) -> str:
    """sha256 of the content of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def layout_of(analysis: Analysis, path: Path) -> Layout:
    """Find the columns of a file that an analysis needs; those it lacks are left out."""
    delimiter = _delimiter(analysis, path)
    names = _names(path, delimiter)
    derived = {one.name for one in analysis.data.derive}
    wanted = {item.column for item in needed_columns(analysis)} - derived
    wanted |= {item.column for item in analysis.data.keep} - derived
    wanted |= {item.column for item in analysis.data.exclude} - derived
    for one in analysis.data.derive:
        wanted |= set((one.of,) if isinstance(one.of, str) else one.of) - derived
    columns = tuple(name for name in names if name in wanted)
    return Layout(analysis, columns, group_columns(analysis), delimiter)


def parts_of(path: Path) -> tuple[Part, ...]:
    """Parts of a file, in order; a csv file is read from its beginning to its end, as one."""
    if path.suffix.lower() != ".parquet":
        return (Part(str(path), 0),)
    metadata = pq.read_metadata(path)
    found: list[Part] = []
    groups: list[int] = []
    first = rows = 0
    for group in range(metadata.num_row_groups):
        groups.append(group)
        rows += metadata.row_group(group).num_rows
        if rows >= ROWS_A_PART or group == metadata.num_row_groups - 1:
            found.append(Part(str(path), first, tuple(groups)))
            first, rows, groups = first + rows, 0, []
    return tuple(found)


def batches(part: Part, layout: Layout) -> Iterator[Batch]:
    """Read a part: the rows that are used, in batches."""
    first = part.first
    for raw in _frames(part, layout):
        yield _selected(raw, layout.analysis, first)
        first += len(raw)


def head_of(path: Path, layout: Layout, rows: int = 1000) -> pd.DataFrame:
    """First rows of a file, with all its columns."""
    if path.suffix.lower() == ".parquet":
        for batch in pq.ParquetFile(path).iter_batches(rows):
            frame: pd.DataFrame = batch.to_pandas()
            return frame
        return pd.DataFrame()
    return pd.read_csv(path, sep=layout.delimiter, nrows=rows, keep_default_na=False)


def _delimiter(analysis: Analysis, path: Path) -> str:
    if path.suffix.lower() == ".parquet":
        return ","
    if analysis.data.delimiter is not None:
        return DELIMITERS[analysis.data.delimiter]
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        line = file.readline()
    return max(DELIMITERS.values(), key=line.count)


def _names(path: Path, delimiter: str) -> list[str]:
    if path.suffix.lower() == ".parquet":
        return [str(name) for name in pq.read_schema(path).names]
    options = pa_csv.ParseOptions(delimiter=delimiter)
    with pa_csv.open_csv(path, parse_options=options) as reader:
        return [str(name) for name in reader.schema.names]


def _frames(part: Part, layout: Layout) -> Iterator[pd.DataFrame]:
    path = Path(part.path)
    if path.suffix.lower() == ".parquet":
        file = pq.ParquetFile(path)
        read = file.iter_batches(ROWS_A_BATCH, list(part.groups), list(layout.columns))
    else:
        read = _csv(path, layout)
    for batch in read:
        yield pa.Table.from_batches([batch]).to_pandas(
            strings_to_categorical=True, split_blocks=True
        )


def _csv(path: Path, layout: Layout) -> Iterator[Any]:
    blocks = pa_csv.ReadOptions(block_size=BLOCK_BYTES)
    parse = pa_csv.ParseOptions(delimiter=layout.delimiter)
    types = dict.fromkeys(layout.texts & set(layout.columns), pa.string())
    options: dict[str, Any] = {
        "include_columns": list(layout.columns),
        "null_values": [""],
        "strings_can_be_null": True,
    }
    guess = pa_csv.ConvertOptions(column_types=types, **options)
    with pa_csv.open_csv(path, blocks, parse, guess) as reader:
        for field in reader.schema:
            if pa.types.is_integer(field.type) or pa.types.is_null(field.type):
                types[field.name] = pa.float64()
            else:
                types[field.name] = field.type
    settled = pa_csv.ConvertOptions(column_types=types, **options)
    try:
        with pa_csv.open_csv(path, blocks, parse, settled) as reader:
            yield from reader
    except pa.ArrowInvalid as error:
        raise DataError(
            Problem(
                f"'{path.name}' cannot be read in parts: {str(error).splitlines()[0]}",
                mend="correct the file, list codes for no answer that are words as empty cells, or "
                "save it as Parquet",
            )
        ) from None


def _selected(raw: pd.DataFrame, analysis: Analysis, first: int) -> Batch:
    data, read = analysis.data, len(raw)
    groups = group_columns(analysis)
    frame = raw.assign(
        **{
            name: raw[name].mask(matches(raw[name], codes))
            for name in raw.columns
            if (codes := data.codes_of(name, name in groups))
        }
    )
    frame.index = pd.RangeIndex(first, first + read)
    if data.derive:
        derived = derive(frame, data.derive, lambda path: f"analysis.{dotted(path)}")
        if derived.problems:
            raise DataError(derived.problems)
        frame = derived.frame
    excluded: dict[str, int] = {}
    for item in data.keep:
        kept = matches(frame[item.column], item.one_of)
        words = f"{item.column}: {', '.join(map(label_of, item.one_of))}"
        excluded[words] = int((~kept).sum())
        frame = frame[kept]
    for out in data.exclude:
        gone = _beyond(frame[out.column], out.below, out.above)
        gone |= matches(frame[out.column], out.one_of)
        excluded[f"left out, {exclusion_words(out)}"] = int(gone.sum())
        frame = frame[~gone]
    return _complete(frame, analysis, Batch(frame, np.empty(0, "int64"), read, {}, excluded))


def _complete(frame: pd.DataFrame, analysis: Analysis, batch: Batch) -> Batch:
    every = needed_columns(analysis)
    needed = {item.column: item for item in every if item.column in frame and not item.optional}
    lacks = frame[list(needed)].isna()
    counts = {str(name): int(count) for name, count in lacks.sum().items() if count}
    if counts and analysis.data.missing != "drop":
        raise DataError(
            Problem(
                f"'{name}' ({needed[name].role}) is missing in {count} rows or more",
                f"analysis.{dotted(needed[name].path)}",
                "leave such rows out with `missing: drop` under `data`",
            )
            for name, count in counts.items()
        )
    if counts:
        frame = frame[~lacks.any(axis=1)]
    return batch._replace(frame=frame, number=frame.index.to_numpy(), missing=counts)


def matches(series: pd.Series[Any], wanted: Sequence[Scalar]) -> NDArray[np.bool_]:
    """Which cells are one of the values, ``(row,)``: numbers by value, text as it is written."""
    if not wanted:
        return np.zeros(len(series), dtype=bool)
    texts = {label_of(value) for value in wanted}
    if isinstance(series.dtype, pd.CategoricalDtype):
        known = np.array([label_of(value) in texts for value in series.cat.categories], dtype=bool)
        codes = series.cat.codes.to_numpy()
        return np.append(known, False)[codes] if known.size else np.zeros(len(series), dtype=bool)
    numbers = [number for text in texts if (number := as_number(text)) is not None]
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        return series.isin(numbers).to_numpy()
    return series.map(label_of).isin(texts).to_numpy()


def _beyond(series: pd.Series[Any], below: float | None, above: float | None) -> NDArray[np.bool_]:
    if below is None and above is None:
        return np.zeros(len(series), dtype=bool)
    values = numbers_in(series)
    low, high = -np.inf if below is None else below, np.inf if above is None else above
    return (values < low) | (values > high)


def numbers_in(series: pd.Series[Any]) -> Array:
    """Cells as floats, ``(row,)``.

    Raises
    ------
    InputError
        If the column holds text.
    """
    try:
        return np.asarray(series.to_numpy(dtype="float64", na_value=np.nan))
    except (ValueError, TypeError):
        raise InputError(
            f"'{series.name}' is not a column of numbers",
            "turn it into numbers, or enter it as categories",
        ) from None


def labels_in(series: pd.Series[Any]) -> tuple[NDArray[np.int64], list[str]]:
    """Cells as labels: the position of each row's label, ``(row,)``, and the labels."""
    codes, values = pd.factorize(series)
    return codes.astype("int64"), [label_of(value) for value in np.asarray(values, dtype=object)]
