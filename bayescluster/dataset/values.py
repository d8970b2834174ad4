"""Cells as labels and as numbers, and how messages name their rows.

A cell that is a number may be more than its value: `01` and `1` are two groups, and a code of a survey
has a label. `Code` keeps all three, so that a column is numbers and groups at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any, Final, Self, TypeGuard

import numpy as np
import pandas as pd
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
