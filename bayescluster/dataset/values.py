"""Cells as labels and as numbers, numbers as they are written, and how messages name rows.

A cell that is a number may be more than its value: `01` and `1` are two groups, and a code of a survey
has a label. `Code` keeps all three, so that a column is numbers and groups at once. Text becomes a number
by its decimal sign, thousands and percent; what is written besides the value is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import product
from numbers import Real
from typing import Any, Final, NamedTuple, Self, TypeGuard

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from bayescluster.errors import Problem
from bayescluster.lookup import first_of

LARGEST: Final = 1e100
"""Beyond this, squares and products of numbers are infinite: no measurement is so large."""
SHOWN_VALUES = 3
SHOWN_ROWS = 5
EXCEL_ERRORS: Final = frozenset(
    ("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!")
)
"""What a workbook shows where a formula has no value."""
RECODE = "turn it into numbers with `derive: kind: recode`"


class InputError(Exception):
    """What is wrong with a table or a column; who catches it knows the place in the analysis file.

    ``key`` names the part of that place it belongs to, where that is not the usual one.
    """

    def __init__(self, what: str, mend: str = "", key: str | None = None) -> None:
        self.what, self.mend, self.key = what, mend, key
        super().__init__(what)

    def at(self, place: str) -> Problem:
        """Give it its place."""
        return Problem(self.what, place, self.mend)


class Code(float):
    """A number with the text it is written as, and the label it stands for, if it has one."""

    __slots__ = ("label", "written")

    written: str
    label: str

    def __new__(cls, value: float, written: str, label: str = "") -> Self:
        """Keep the texts beside the number."""
        code = super().__new__(cls, value)
        code.written, code.label = written, label
        return code


def label_of(value: object) -> str:
    """Write a value as a label: 3, 3.0 and '3' are the same; a code by its label, or as written."""
    if isinstance(value, Code):
        return value.label or value.written
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def code_of(value: object) -> str:
    """Write a value as its code, whatever label that has."""
    return value.written if isinstance(value, Code) else label_of(value)


def is_labelled(series: pd.Series[Any]) -> bool:
    """Whether the values of a column are codes with labels."""
    return series.dtype == object and any(
        isinstance(value, Code) and value.label for value in series.dropna()
    )


def holds(series: pd.Series[Any], wanted: object) -> NDArray[np.bool_]:
    """Which cells are a value that the analysis names, ``(row,)``.

    As they are written, else by the label of a code, by a code, or (a number) by their value: the
    first of these that any cell matches.
    """
    text, cells = label_of(wanted), series.astype(object)
    answered = series.notna().to_numpy(dtype=bool)
    for form in (code_of, label_of):
        found = answered & (cells.map(form) == text).to_numpy(dtype=bool)
        if found.any():
            return found
    if isinstance(wanted, bool) or not isinstance(wanted, int | float):
        return np.zeros(len(series), dtype=bool)
    return np.array([_is_number(value) and float(value) == wanted for value in cells], dtype=bool)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Real | Decimal) and not isinstance(value, bool)


def text_for(series: pd.Series[Any], levels: Sequence[object]) -> Callable[[object], str]:
    """How levels of a column are written: as codes, or as labels where ``levels`` names these."""
    names = {label_of(value) for value in series.dropna()} if is_labelled(series) else set()
    codes = {code_of(value) for value in series.dropna()} if names else set()
    by_label = any(label_of(level) in names - codes for level in levels)
    return label_of if by_label else code_of


def labels(series: pd.Series[Any]) -> pd.Series[Any]:
    """Write a column as labels; missing values stay missing."""
    # True == 1, so that a column which mixes them is labelled cell by cell
    if series.dtype == object:
        return series.map(label_of, na_action="ignore")
    place, values = pd.factorize(series)
    texts = np.array([*map(label_of, values), np.nan], dtype=object)  # missing is -1: the last
    return pd.Series(texts[place], series.index, dtype=object)


def sorted_labels(labels: Sequence[object] | NDArray[np.object_]) -> list[str]:
    """Sort labels, as numbers where all are."""
    texts = [str(label) for label in labels]
    try:
        return sorted(texts, key=lambda text: (float(text), text))
    except ValueError:
        return sorted(texts)


def ordered_labels(series: pd.Series[Any]) -> list[str]:
    """Distinct labels of a column in their order: that of the codes where there are codes."""
    cells = series.dropna()
    # codes with several labels are equal
    cells = (cells if cells.dtype == object else cells.drop_duplicates()).astype(object)
    if not all(_is_number(value) for value in cells):
        return sorted_labels(cells.map(label_of).unique())
    pairs = {(float(value), label_of(value)) for value in cells}
    return list(dict.fromkeys(label for _, label in sorted(pairs)))


def rows_text(index: Iterable[Any]) -> str:
    """Name rows, given by positions from 0, as the user counts them: from 1, without the header."""
    numbers = [int(position) + 1 for position in index]
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    return f"rows {first_of(list(map(str, numbers)), SHOWN_ROWS)}"


def numeric_problem(series: pd.Series[Any]) -> str | None:
    """Name up to three values of a column that are not numbers, each with its first row.

    Booleans are numbers (1 and 0); ``Yes`` and ``No`` are not. Missing values pass.
    """
    answered = series.dropna()
    if pd.api.types.is_bool_dtype(answered):
        return None
    if pd.api.types.is_numeric_dtype(answered):
        sizes = np.abs(answered.to_numpy(dtype=float))
        bad = answered[np.isinf(sizes)]
        large = answered[(sizes > LARGEST) & ~np.isinf(sizes)]
        if len(large):
            return f"too large to compute with, {_offending(large)}"
        return _offending(bad) if len(bad) else None
    text = answered[
        [
            not (isinstance(value, Real | Decimal | np.bool_) and np.isfinite(float(value)))
            for value in answered
        ]
    ]
    if not len(text):
        return None
    faulty = text[[sheet_fault(value) != "" for value in text]]
    if len(faulty):
        return f"{sheet_fault(faulty.iloc[0])}, {_offending(faulty)}"
    wordy = text[[as_number(str(value)) is None for value in text]]
    return _offending(wordy) if len(wordy) else f"numbers written as text, {_offending(text)}"


def sheet_fault(value: object) -> str:
    """Name the fault of a cell that a workbook could not compute; empty where there is none."""
    if not isinstance(value, str):
        return ""
    if value in EXCEL_ERRORS:
        return "an error of the spreadsheet"
    return "a formula without a stored value" if value.startswith("=") else ""


def as_float(series: pd.Series[Any]) -> NDArray[np.float64]:
    """Turn a column without a `numeric_problem` into floats; missing values are NaN."""
    return np.asarray(series.astype(object).where(series.notna(), np.nan), dtype=np.float64)


def numbers(
    series: pd.Series[Any], what: str, mend: str = f"{RECODE}, or name another column"
) -> NDArray[np.float64]:
    """Turn a column into floats; ``what`` is what the message of an `InputError` calls it."""
    fault = numeric_problem(series)
    if fault is not None:
        raise InputError(f"{what} is not a number: {fault}", mend)
    return as_float(series)


def as_number(text: str) -> float | None:
    """Read a text as a number; None where it is none, or not finite."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def values_of_levels(levels: tuple[str, ...]) -> NDArray[np.float64]:
    """What ordered levels are worth, ``(level,)``: their numbers, or 1, 2, 3, ... if they are words."""
    numbers = [as_number(level) for level in levels]
    if any(number is None for number in numbers):
        return np.arange(1.0, len(levels) + 1)
    return np.array(numbers, dtype="float64")


def _offending(bad: pd.Series[Any]) -> str:
    """``'n/a' in row 3, '?' in row 9 and 2 other values``."""
    firsts = bad.astype(str).drop_duplicates()
    shown = ", ".join(
        f"'{value}' in {rows_text([position])}"
        for position, value in firsts.head(SHOWN_VALUES).items()
    )
    more = len(firsts) - SHOWN_VALUES
    if more <= 0:
        return shown
    return f"{shown} and {more} other {'value' if more == 1 else 'values'}"


SAMPLE: Final = 2000
"""Distinct cells of a column that are looked at to tell the signs of a file."""
SPACES: Final = " \u00a0\u202f"
"""What stands between thousands where a space does."""
CURRENCIES: Final = "$€£¥₹₩฿₫"
"""Signs of currencies; where every cell of a column has one and the same, it is left aside."""
NO_CURRENCY: Final = str.maketrans("", "", CURRENCIES)
TRUTH: Final = {"True": True, "TRUE": True, "true": True} | {
    "False": False,
    "FALSE": False,
    "false": False,
}


class Signs(NamedTuple):
    """Decimal sign of a file, and the sign between thousands, if there is one."""

    decimal: str = "."
    thousands: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a number looks like."""
        point = re.escape(self.decimal)
        end = rf"(?:{point}\d*)?(?:[eE][+-]?\d+)?"
        plain = rf"\d+{end}|{point}\d+(?:[eE][+-]?\d+)?"
        if not self.thousands:
            return re.compile(rf"[+-]?(?:{plain})")
        # people who mix signs between thousands mix theirs with blanks
        between = (
            f"[{SPACES}]" if self.thousands == " " else f"[{re.escape(self.thousands)}{SPACES}]"
        )
        return re.compile(rf"[+-]?(?:\d{{1,3}}(?:{between}\d{{3}})+(?:{point}\d+)?|{plain})")

    def __str__(self) -> str:
        """In words, where they are not the usual ones."""
        words = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
        parts = ["decimal commas"] * (self.decimal == ",")
        if self.thousands:
            parts.append(f"{words[self.thousands]} between thousands")
        return ", ".join(parts)


PLAIN: Final = Signs()


def signs_of(
    columns: Iterable[Sequence[str]],
    decimal: str | None = None,
    thousands: str | None = None,
    commas_decimal: bool = True,
) -> Signs:
    """Tell the signs of a file from the cells of its columns.

    The signs win under which most columns with a point, comma, space or apostrophe are numbers; of
    equals, the plain ones, then (``commas_decimal``) those in which a comma is the decimal sign.

    Parameters
    ----------
    columns
        Distinct cells of each column, stripped.
    decimal, thousands
        Signs that are stated.
    commas_decimal
        Whether ``1,234`` by itself is rather 1.234 than 1234: not where commas part the cells.
    """
    marked = [cells for cells in columns if any(set(cell) & set(".,'" + SPACES) for cell in cells)]
    points: tuple[str, ...] = (",", ".") if commas_decimal else (".", ",")
    known = [
        Signs(point, between)
        for point, between in product(points, ("", " ", ",", ".", "'"))
        if point != between
        and decimal in (None, point)
        and (thousands is None or between == thousands)
    ]
    ordered = sorted(known, key=lambda signs: signs != PLAIN)
    return max(ordered, key=lambda signs: sum(_all_numbers(cells, signs) for cells in marked))


def _all_numbers(cells: Sequence[str], signs: Signs) -> bool:
    pattern = signs.pattern
    return all(
        pattern.fullmatch(cell.translate(NO_CURRENCY).strip(SPACES).removesuffix("%").rstrip())
        for cell in cells
    )


class Numbers(NamedTuple):
    """A column as numbers; ``written`` holds its texts where the numbers do not say them again.

    ``unusual`` where they are numbers by other signs than the plain ones.
    """

    values: pd.Series[Any]
    written: pd.Series[Any] | None
    percent: bool
    unusual: bool
    currency: str = ""


def numbers_of(cells: pd.Series[Any], signs: Signs, keep: bool = False) -> Numbers | None:
    """Read a column of texts (and numbers) as numbers; None where some of it is neither.

    Percent signs, where every cell has one, make hundredths. With ``keep`` the texts are kept, unless
    they are numbers again as written in one way throughout (``1``, ``2.5``; or ``1.0``, ``2.5``).
    """
    known = _known(cells)
    if not len(known):
        return None
    first = str(known[0])
    if not all(isinstance(cell, str) for cell in known[:SAMPLE]):
        cells = cells.map(_text, na_action="ignore")
        if any(cell is None for cell in cells):
            return None
        first = str(_known(cells)[0])
    try:
        texts = pc.utf8_trim_whitespace(pa.array(cells, type=pa.string(), from_pandas=True))
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        # a truth value, or something else, among the texts
        return None
    percent = "%" in first and bool(pc.all(pc.ends_with(texts, "%")).as_py())
    currency = next((sign for sign in CURRENCIES if sign in first and _all_have(texts, sign)), "")
    if currency:
        blanks = f"[{SPACES}]*"
        texts = pc.replace_substring_regex(texts, f"{blanks}{re.escape(currency)}{blanks}", "")
    bare = (
        pc.utf8_rtrim_whitespace(pc.replace_substring_regex(texts, "%$", "")) if percent else texts
    )
    if not _all_match(bare, signs.pattern.pattern):
        return None
    unusual = signs != PLAIN and not _all_match(bare, PLAIN.pattern.pattern)
    values = _values(bare, signs)
    column = pd.Series(values / 100 if percent else values, index=cells.index)
    written = pd.Series(texts.to_pylist(), index=cells.index, dtype=object) if keep else None
    if written is not None and _says_itself(column, written):
        written = None
    return Numbers(column, written, percent, unusual, currency)


def _all_have(texts: pa.Array, sign: str) -> bool:
    return bool(pc.all(pc.match_substring(texts, sign)).as_py())


def _all_match(texts: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, f"^(?:{pattern})$")).as_py())


def _values(texts: pa.Array, signs: Signs) -> np.ndarray[Any, Any]:
    """Values of texts that have the pattern: whole numbers if all are, and none is missing."""
    for sign in (*SPACES, signs.thousands) if signs.thousands else ():
        texts = pc.replace_substring(texts, sign, "")
    texts = pc.replace_substring(texts, signs.decimal, ".")
    texts = pc.replace_substring_regex(texts, r"^\+", "")
    if texts.null_count == 0 and _all_match(texts, r"-?\d+"):
        try:
            return np.asarray(texts.cast(pa.int64()).to_numpy(zero_copy_only=False))
        except pa.ArrowInvalid:
            # more digits than a whole number of the machine has
            pass
    try:
        return np.asarray(texts.cast(pa.float64()).to_numpy(zero_copy_only=False))
    except pa.ArrowInvalid:
        # a form of numbers that pyarrow does not read
        return np.array([np.nan if text is None else float(text) for text in texts.to_pylist()])


def _says_itself(column: pd.Series[Any], written: pd.Series[Any]) -> bool:
    """Whether the numbers of a column, written as labels, are its texts."""
    texts = written.dropna()
    again = column[written.notna()].map(label_of)
    return bool((again == texts).all()) or all(_as_float(text) == text for text in texts)


def _known(cells: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Cells that are not missing; `Series.dropna` takes ten times as long, which many columns feel."""
    values = cells.to_numpy()
    return values[~pd.isna(values)]


def _text(cell: object) -> str | None:
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return None
    return label_of(cell)


def _as_float(text: str) -> str:
    try:
        return repr(float(text))
    except ValueError:
        return ""


def truths_of(cells: pd.Series[Any]) -> pd.Series[Any] | None:
    """Read a column of True and False; None where it holds anything else."""
    known = _known(cells)
    if not len(known) or not all(isinstance(cell, str) and cell in TRUTH for cell in known):
        return None
    return cells.map(TRUTH, na_action="ignore").infer_objects()


def distinct_texts(columns: Iterable[pd.Series[Any]]) -> Iterator[list[str]]:
    """Distinct texts of each column, stripped, at most `SAMPLE`; columns without text are left out."""
    for column in columns:
        distinct = column.dropna().unique()[:SAMPLE]
        texts = [cell.strip() for cell in distinct if isinstance(cell, str)]
        if texts:
            yield texts
