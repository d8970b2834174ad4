"""Cells as labels and as numbers, and how messages name the rows they stand in."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SHOWN_VALUES = 3
SHOWN_ROWS = 5


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


def rows_text(index: Iterable[Any]) -> str:
    """Name rows as the user counts them: from 1, the header left out.

    Parameters
    ----------
    index
        Positions in the file, from 0.
    """
    numbers = [int(position) + 1 for position in index]
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    shown = ", ".join(str(number) for number in numbers[:SHOWN_ROWS])
    more = len(numbers) - SHOWN_ROWS
    return f"rows {shown} and {more} more" if more > 0 else f"rows {shown}"


def numeric_problem(series: pd.Series[Any]) -> str | None:
    """Say why a column is not one of numbers.

    Booleans are numbers (1 and 0); ``Yes`` and ``No`` are not. Missing values are no fault.

    Returns
    -------
    str or None
        Up to three offending values with their first row; None if there are none.
    """
    answered = series.dropna()
    if pd.api.types.is_bool_dtype(answered):
        return None
    if pd.api.types.is_numeric_dtype(answered):
        bad = answered[np.isinf(answered.to_numpy(dtype=float))]
        return _offending(bad) if len(bad) else None
    text = answered[[not _is_number(value) for value in answered]]
    if not len(text):
        return None
    wordy = text[[not _reads_as_number(value) for value in text]]
    return _offending(wordy) if len(wordy) else f"numbers written as text, {_offending(text)}"


def as_float(series: pd.Series[Any]) -> NDArray[np.float64]:
    """Turn a column without a `numeric_problem` into floats; missing values are NaN."""
    return np.asarray(series.astype(object).where(series.notna(), np.nan), dtype=np.float64)


def _is_number(value: object) -> bool:
    return isinstance(value, Real | Decimal | np.bool_) and bool(np.isfinite(float(value)))


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


class FaultError(Exception):
    """A fault of a table or a column.

    Parameters
    ----------
    what
        What was found.
    mend
        How to mend it.
    key
        Which part of what the analysis says there it belongs to; the usual one without it.
    """

    def __init__(self, what: str, mend: str = "", key: str | None = None) -> None:
        self.what, self.mend, self.key = what, mend, key
        super().__init__(what)
