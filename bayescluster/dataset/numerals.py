"""Text to numbers: decimal signs, thousands, percent, and what is written besides the value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from bayescluster.dataset.values import label_of

SAMPLE: Final = 2000
"""Distinct cells of a column that are looked at to tell the signs of a file."""
SPACES: Final = " \u00a0\u202f"
"""What stands between thousands where a space does."""
TRUTH: Final = {"True": True, "TRUE": True, "true": True} | {
    "False": False,
    "FALSE": False,
    "false": False,
}
LARGEST: Final = 2**63


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
        between = f"[{SPACES}]" if self.thousands == " " else re.escape(self.thousands)
        return re.compile(rf"[+-]?(?:\d{{1,3}}(?:{between}\d{{3}})+(?:{point}\d+)?|{plain})")

    def number(self, text: str) -> float | int:
        """Value of a text that has the pattern."""
        for sign in SPACES if self.thousands == " " else self.thousands:
            text = text.replace(sign, "")
        text = text.replace(self.decimal, ".")
        return int(text) if text.lstrip("+-").isdigit() else float(text)

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
        for point, between in product(points, ("", ",", ".", " ", "'"))
        if point != between
        and decimal in (None, point)
        and (thousands is None or between == thousands)
    ]
    ordered = sorted(known, key=lambda signs: signs != PLAIN)
    return max(ordered, key=lambda signs: sum(_all_numbers(cells, signs) for cells in marked))


def _all_numbers(cells: Sequence[str], signs: Signs) -> bool:
    pattern = signs.pattern
    return all(pattern.fullmatch(cell.removesuffix("%").rstrip()) for cell in cells)


class Numbers(NamedTuple):
    """A column as numbers; ``written`` holds its texts where the numbers do not say them again.

    ``unusual`` where they are numbers by other signs than the plain ones.
    """

    values: pd.Series[Any]
    written: pd.Series[Any] | None
    percent: bool
    unusual: bool


def numbers_of(cells: pd.Series[Any], signs: Signs) -> Numbers | None:
    """Read a column of texts (and numbers) as numbers; None where some of it is neither.

    Percent signs, where every cell has one, make hundredths. Texts that are numbers again as they
    are written in one way throughout (``1``, ``2.5``; or ``1.0``, ``2.5``) need not be kept.
    """
    answered = cells.dropna()
    if not len(answered):
        return None
    texts = answered.map(_text)
    if texts.isna().any():
        return None
    distinct = [str(text) for text in texts.unique()]
    percent = all(text.endswith("%") for text in distinct)
    pattern = signs.pattern
    values: dict[str, float | int] = {}
    for text in distinct:
        bare = text.removesuffix("%").rstrip() if percent else text
        if pattern.fullmatch(bare) is None:
            return None
        number = signs.number(bare)
        values[text] = number / 100 if percent else number
    column = texts.map(values.__getitem__).astype(object).reindex(cells.index)
    whole = all(isinstance(number, int) for number in values.values())
    fits = all(abs(number) < LARGEST for number in values.values())
    if whole and fits and len(answered) == len(cells):
        column = column.astype("int64")
    else:
        column = column.where(column.notna(), np.nan).astype("float64")
    again = column.dropna().map(label_of)
    same = (again == texts).all() or all(_as_float(text) == text for text in distinct)
    unusual = signs != PLAIN and not _all_numbers(distinct, PLAIN)
    return Numbers(column, None if same else texts.reindex(cells.index), percent, unusual)


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
    answered = cells.dropna()
    if not len(answered) or not answered.isin(list(TRUTH)).all():
        return None
    return cells.map(TRUTH, na_action="ignore").infer_objects()


def distinct_texts(columns: Iterable[pd.Series[Any]]) -> Iterator[list[str]]:
    """Distinct texts of each column, stripped, at most `SAMPLE`; columns without text are left out."""
    for column in columns:
        texts = [cell.strip() for cell in column.dropna().unique() if isinstance(cell, str)]
        if texts:
            yield texts[:SAMPLE]
