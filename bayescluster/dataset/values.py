"""Cells as labels and as numbers, and how messages name their rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayescluster.errors import Problem

SHOWN_VALUES = 3
SHOWN_ROWS = 5
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


def label_of(value: object) -> str:
    """Write a value as a label: 3, 3.0 and '3' are the same."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def labels(series: pd.Series[Any]) -> pd.Series[Any]:
    """Write a column as labels; missing values stay missing."""
    known = {value: label_of(value) for value in series.dropna().unique()}
    # True == 1 as a key: a column that mixes them is labelled cell by cell
    if series.dtype == object:
        return series.astype(object).map(label_of, na_action="ignore")
    return series.astype(object).map(known)


def sorted_labels(labels: Sequence[object] | NDArray[np.object_]) -> list[str]:
    """Sort labels, as numbers where all are."""
    texts = [str(label) for label in labels]
    try:
        return sorted(texts, key=float)
    except ValueError:
        return sorted(texts)


def rows_text(index: Iterable[Any]) -> str:
    """Name rows, given by positions from 0, as the user counts them: from 1, without the header."""
    numbers = [int(position) + 1 for position in index]
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    shown = ", ".join(str(number) for number in numbers[:SHOWN_ROWS])
    more = len(numbers) - SHOWN_ROWS
    return f"rows {shown} and {more} more" if more > 0 else f"rows {shown}"


def numeric_problem(series: pd.Series[Any]) -> str | None:
    """Name up to three values of a column that are not numbers, each with its first row.

    Booleans are numbers (1 and 0); ``Yes`` and ``No`` are not. Missing values pass.
    """
    answered = series.dropna()
    if pd.api.types.is_bool_dtype(answered):
        return None
    if pd.api.types.is_numeric_dtype(answered):
        bad = answered[np.isinf(answered.to_numpy(dtype=float))]
        return _offending(bad) if len(bad) else None
    text = answered[
        [
            not (isinstance(value, Real | Decimal | np.bool_) and np.isfinite(float(value)))
            for value in answered
        ]
    ]
    if not len(text):
        return None
    wordy = text[[not _reads_as_number(value) for value in text]]
    return _offending(wordy) if len(wordy) else f"numbers written as text, {_offending(text)}"


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


def _reads_as_number(value: object) -> bool:
    try:
        return bool(np.isfinite(float(value))) if isinstance(value, str) else False
    except ValueError:
        return False


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
