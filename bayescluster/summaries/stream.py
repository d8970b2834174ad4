"""A large table in parts, filtered and without missing values, and what one pass over all firms tells.

Parquet and csv files are read part by part; nothing as large as the file is ever held. Surveys of parts
(how many firms there are, moments of their answers, a sample of them) add up to that of the whole. Which
firms are sampled depends on the number of their row and the seed, however the file is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.csv as pa_csv  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.dataset.derive import derive, transformed
from bayescluster.dataset.prepare import exclusion_words
from bayescluster.dataset.values import InputError, as_number, label_of
from bayescluster.errors import DataError, Problem
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.base import Scalar
from bayescluster.spec.columns import group_columns, needed_columns
from bayescluster.spec.data import DELIMITERS
from bayescluster.spec.equation import ColumnControl, ProductControl
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


SAMPLE: Final = 4_000
"""Firms of the sample over which averages and checks are taken."""
SAMPLE_STREAM: Final = 0x9E3779B97F4A7C15
MOST_CELLS: Final = 20_000
"""Most combinations of groups; more of them are hardly a summary."""

Key = tuple[str, str]
"""A column and its transform."""


class Moments(NamedTuple):
    """Number of rows, and means and centred cross-products of columns."""

    rows: int
    mean: Array
    products: Array
    yes_or_no: NDArray[np.bool_]

    def __add__(self, other: Moments) -> Moments:  # type: ignore[override]
        """Moments of the rows of both (Chan, Golub and LeVeque 1983)."""
        if not self.rows or not other.rows:
            return self if self.rows else other
        rows = self.rows + other.rows
        gap = other.mean - self.mean
        return Moments(
            rows,
            self.mean + gap * (other.rows / rows),
            self.products + other.products + np.outer(gap, gap) * (self.rows * other.rows / rows),
            self.yes_or_no & other.yes_or_no,
        )

    @property
    def covariance(self) -> Array:
        """Covariances, ``ddof=1``."""
        return np.asarray(self.products / (self.rows - 1))


class Survey(NamedTuple):
    """Survey of some rows.

    ``cells`` counts rows by the labels of all groups, ``categories`` holds the labels of categorical
    controls, ``sample`` the rows with the smallest random numbers, and one of every group and category.
    """

    read: int
    moments: Moments
    cells: dict[tuple[str, ...], int]
    categories: dict[str, tuple[str, ...]]
    sample: pd.DataFrame
    missing: dict[str, int]
    excluded: dict[str, int]

    @property
    def rows(self) -> int:
        """Rows that are used."""
        return self.moments.rows


def numeric_keys(analysis: Analysis) -> tuple[Key, ...]:
    """Columns whose moments are needed, with their transforms: indicators, controls, outcome."""
    found: list[Key] = [
        (item.column, item.transform)
        for construct in analysis.constructs.values()
        for item in construct.items
    ]
    found += [
        (control.column, control.transform)
        for control in column_controls(analysis)
        if control.coding is None
    ]
    return tuple(dict.fromkeys(found))


def column_controls(analysis: Analysis) -> tuple[ColumnControl, ...]:
    """Controls of the equation in focus in their long form; products are left out."""
    return tuple(
        ColumnControl(column=one) if isinstance(one, str) else one
        for one in analysis.equation.controls
        if not isinstance(one, ProductControl)
    )


def group_names(analysis: Analysis) -> dict[str, str | None]:
    """Column of each grouping; of industry and cluster, none where the data declare none."""
    data = analysis.data
    found = {names.INDUSTRY: data.industry, names.CLUSTER: data.cluster}
    firm = {names.FIRM: data.firm}
    return found | {name: (found | firm).get(name, name) for name in analysis.equation.varying}


def survey_of(parts: Iterable[Survey], analysis: Analysis) -> Survey:
    """Add up the surveys of parts, in order."""
    whole = reduce(lambda one, other: _both(one, other, analysis), parts)
    if not whole.rows:
        raise DataError(Problem("no row is left after filters and rows without answers"))
    return whole._replace(sample=whole.sample.drop(columns=CHANCE).sort_index())


def survey_part(part: Part, layout: Layout) -> Survey:
    """Survey the rows of a part.

    Raises
    ------
    DataError
        If a column does not hold what the analysis takes it for.
    """
    try:
        surveys = (_survey(batch, layout) for batch in batches(part, layout))
        return reduce(lambda one, other: _both(one, other, layout.analysis), surveys)
    except InputError as error:
        raise DataError(error.at("")) from None


def _survey(batch: Batch, layout: Layout) -> Survey:
    analysis, frame = layout.analysis, batch.frame
    keys = numeric_keys(analysis)
    columns, textual = [], []
    for column, transform in keys:
        if _is_text(frame[column]):
            textual.append(column)
            columns.append(np.zeros(len(frame)))
        else:
            values = numbers_in(frame[column])
            columns.append(transformed(transform, column, values, frame.index))
    categories = {
        control.column: tuple(sorted(labels_in(frame[control.column])[1]))
        for control in column_controls(analysis)
        if control.coding or control.column in textual
    }
    numbered = frame.assign(**{CHANCE: chance(batch.number, analysis.sampling.seed)})
    return Survey(
        batch.read,
        _moments(columns, len(frame)),
        cell_counts(frame, analysis),
        categories,
        _sampled(numbered, tuple(categories), analysis),
        batch.missing,
        batch.excluded,
    )


CHANCE: Final = "__chance__"


def _is_text(series: pd.Series) -> bool:
    return isinstance(series.dtype, pd.CategoricalDtype) or series.dtype == object


def _moments(columns: list[Array], rows: int) -> Moments:
    if not columns or not rows:
        width = len(columns)
        return Moments(rows, np.zeros(width), np.zeros((width, width)), np.ones(width, bool))
    values = np.column_stack(columns)
    mean = values.mean(axis=0)
    centred = values - mean
    binary = np.array([bool(((column == 0) | (column == 1)).all()) for column in columns])
    return Moments(rows, mean, centred.T @ centred, binary)


def cell_counts(frame: pd.DataFrame, analysis: Analysis) -> dict[tuple[str, ...], int]:
    """Rows by the labels of all groups."""
    if not len(frame):
        return {}
    coded = [
        (np.zeros(len(frame), "int64"), [names.ALL]) if column is None else labels_in(frame[column])
        for column in group_names(analysis).values()
    ]
    sizes = tuple(len(labels) for _, labels in coded)
    flat = np.ravel_multi_index(tuple(codes for codes, _ in coded), sizes)
    cells, counts = np.unique(flat, return_counts=True)
    places = np.unravel_index(cells, sizes)
    if cells.size > MOST_CELLS:
        raise InputError(
            f"there are more than {MOST_CELLS:,} combinations of groups",
            "let coefficients vary by groups that hold many firms each",
        )
    texts = [[coded[k][1][place] for place in where] for k, where in enumerate(places)]
    return {cell: int(count) for cell, count in zip(zip(*texts, strict=True), counts, strict=True)}


def chance(number: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """A random number for each row, by its number and the seed (SplitMix64; Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = (number.astype("uint64") + np.uint64(seed) + np.uint64(1)) * np.uint64(SAMPLE_STREAM)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def _sampled(frame: pd.DataFrame, categories: tuple[str, ...], analysis: Analysis) -> pd.DataFrame:
    """Rows with the smallest random numbers, and the smallest of each group and category."""
    if not len(frame):
        return frame
    numbers = frame[CHANCE].to_numpy()
    order = np.argsort(numbers, kind="stable")
    kept = [order[:SAMPLE]]
    columns = [name for name in group_names(analysis).values() if name is not None]
    for together in ([columns] if columns else []) + [[name] for name in categories]:
        codes = frame.iloc[order].groupby(together, observed=True, sort=False).ngroup().to_numpy()
        kept.append(order[np.unique(codes, return_index=True)[1]])
    found = frame.iloc[np.unique(np.concatenate(kept))]
    texts = {str(name): found[name].astype(object) for name in found if _is_text(found[name])}
    return found.assign(**texts)


def _both(one: Survey, other: Survey, analysis: Analysis) -> Survey:
    cells, categories = dict(one.cells), dict(one.categories)
    for cell, count in other.cells.items():
        cells[cell] = cells.get(cell, 0) + count
    for name, labels in other.categories.items():
        categories[name] = tuple(sorted({*categories.get(name, ()), *labels}))
    frames = [each.sample for each in (one, other) if len(each.sample)]
    sample = _sampled(pd.concat(frames), tuple(categories), analysis) if frames else one.sample
    if len(cells) > MOST_CELLS:
        raise InputError(
            f"there are more than {MOST_CELLS:,} combinations of groups",
            "let coefficients vary by groups that hold many firms each",
        )
    return Survey(
        one.read + other.read,
        one.moments + other.moments,
        cells,
        categories,
        sample,
        _summed(one.missing, other.missing),
        _summed(one.excluded, other.excluded),
    )


def _summed(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
