"""Text to numbers: decimal signs, thousands, percent, and what is written besides the value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from bayescluster.dataset.values import label_of

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
