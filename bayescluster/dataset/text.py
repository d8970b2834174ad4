"""Files of text: encoding, what parts the cells, and where the names of columns are."""

from __future__ import annotations

import codecs
import csv
import io
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import charset_normalizer
import pandas as pd

from bayescluster.dataset.values import PLAIN, InputError
from bayescluster.lookup import counted, listed
from bayescluster.spec.data import DELIMITERS, Data

LONGEST_CELL: Final = 131_072
"""Characters; what is longer is a quotation mark without its other."""
LOOKED_AT: Final = 60
"""First rows of a table from which its headings are told."""
DEEPEST: Final = 15
"""Rows within which the names of columns are looked for."""
FEWEST_BELOW: Final = 5
"""Rows of numbers below words from which these are taken to describe the columns."""
UNNAMED: Final = "Unnamed: "
"""Begins what a column with cells, but without a name, is called."""

Row = Sequence[object]


class Headings(NamedTuple):
    """Names of columns, as many as there are columns.

    ``first`` is the position of the first row of data; ``unnamed`` holds the positions of the columns
    without a name, ``note`` says where the names were found if that is not the first row.
    ``descriptions`` are what rows below the names say of each column, as survey platforms write them.
    """

    names: tuple[str, ...]
    first: int
    unnamed: tuple[int, ...]
    note: str
    descriptions: tuple[str, ...] = ()
    described: int = 0
    """Rows that describe."""


def headings_of(rows: Sequence[Row], label: str, stated: int | None = None) -> Headings:
    """Tell the names of columns from the first rows of a table.

    Raises
    ------
    InputError
        If two columns have one name, or the row that is stated is empty.
    """
    width = max(len(row) for row in rows)
    grid = [[_text(cell) for cell in (*row, *[""] * (width - len(row)))] for row in rows]
    used = [any(row[k] for row in grid) for k in range(width)]
    while width > 1 and not used[width - 1]:
        width -= 1
    grid = [row[:width] for row in grid]
    if stated is not None:
        if stated > len(grid) or not any(grid[stated - 1]):
            raise InputError(
                f"row {stated} of '{label}' is empty", "name the row of the names", "header_row"
            )
        names, first = grid[stated - 1], stated
    else:
        names, first = _found(grid)
    refuse_twice(names, label)
    blank = tuple(k for k, name in enumerate(names) if not name)
    called = tuple(name or f"{UNNAMED}{k}" for k, name in enumerate(names))
    usual = next((k for k, row in enumerate(grid) if any(row)), 0) + 1
    note = f"the names of columns are in row {first}" if stated is None and first > usual else ""
    deep = next((k for k in (2, 1) if _describe(grid[first : first + k], grid[first + k :])), 0)
    if not deep:
        return Headings(called, first, blank, note)
    note = f"the names of columns are in row {first}, and what describes them in the {counted(deep, 'row')} below"
    texts = tuple(
        " ".join(filter(None, cells)) for cells in zip(*grid[first : first + deep], strict=True)
    )
    return Headings(called, first + deep, blank, note, texts, deep)


def refuse_twice(names: Sequence[str], label: str) -> None:
    """Refuse columns of one name."""
    twice = {
        name: [str(k + 1) for k, other in enumerate(names) if other == name]
        for name, count in Counter(filter(None, names)).items()
        if count > 1
    }
    if twice:
        shown = "; ".join(f"'{name}' (columns {listed(places)})" for name, places in twice.items())
        raise InputError(
            f"'{label}' has more than one column called {shown}",
            "rename them in the file, or delete what is there twice",
        )


def _describe(rows: list[list[str]], below: list[list[str]]) -> bool:
    """Whether each of some rows has words in all columns that hold numbers below them."""
    if not rows or len(below) < FEWEST_BELOW:
        return False
    numbers = []
    for k, cells in enumerate(zip(*below, strict=True)):
        if sum(map(bool, cells)) < FEWEST_BELOW or not all(map(_is_number, filter(None, cells))):
            continue
        if not all(row[k] and not _is_number(row[k]) for row in rows):
            return False
        numbers.append(k)
    return len(numbers) > 1 and all(len({row[k] for k in numbers}) > 1 for row in rows)


def _found(grid: list[list[str]]) -> tuple[list[str], int]:
    """Names, and the position of the first row of data."""
    top = next((k for k, row in enumerate(grid) if any(row)), 0)
    width, head = len(grid[top]), grid[top]
    filled = [any(row[k] for row in grid[top + 1 :]) for k in range(width)]
    lacking = [k for k in range(width) if filled[k] and not head[k]]
    if not lacking:
        return head, top + 1
    for place in range(top + 1, min(top + DEEPEST, len(grid) - 1)):
        row = grid[place]
        below = grid[place + 1 :]
        data = [k for k in range(width) if any(other[k] for other in below)]
        over_numbers = any(row[k] and _mostly_numbers([other[k] for other in below]) for k in data)
        if not over_numbers or any(_is_number(cell) for cell in row if cell):
            continue
        if all(row[k] for k in data):
            return row, place + 1
        # a heading merged over several rows has its text in the first of them
        joined = [row[k] or grid[place - 1][k] for k in range(width)]
        if all(joined[k] for k in data):
            return joined, place + 1
    return head, top + 1


def _text(cell: object) -> str:
    return "" if cell is None or cell != cell else str(cell).strip()  # noqa: PLR0124 (NaN)


def _is_number(text: str) -> bool:
    return PLAIN.pattern.fullmatch(text) is not None


def _mostly_numbers(cells: list[str]) -> bool:
    answered = [cell for cell in cells if cell]
    return bool(answered) and sum(map(_is_number, answered)) > len(answered) / 2


MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order marks, and the encodings they stand for."""
EUROPEAN: Final = {"windows-1252": "Windows-1252", "windows-1250": "Windows-1250"}
"""Encodings of letters with marks between plain ones, the usual one first."""
SURE: Final = 0.9
"""Share of characters beyond ASCII inside words of plain letters from which one of these is meant."""
NOT_GUESSED: Final = ["utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_7", "utf_8"]
"""Encodings that are known by their marks or their form, and never guessed."""


class Decoded(NamedTuple):
    """A text and the encoding it was in; ``note`` says so where that had to be guessed."""

    text: str
    note: str


def decoded(raw: bytes, label: str, stated: str | None) -> Decoded:
    """Decode a file.

    Raises
    ------
    InputError
        If the encoding that is stated is not known or does not fit, or none can be told.
    """
    if stated is not None:
        return Decoded(_stated(raw, label, stated), "")
    for mark, encoding in MARKS.items():
        if raw.startswith(mark):
            return Decoded(_stated(raw, label, encoding), "" if "8" in encoding else "UTF-16")
    if (wide := _wide(raw)) is not None:
        return Decoded(_stated(raw, label, wide), "UTF-16")
    try:
        return Decoded(raw.decode("utf-8"), "")
    except UnicodeDecodeError:
        pass
    if (mixed := _mixed(raw)) is not None:
        return Decoded(mixed, "Windows-1252, but for lines in UTF-8")
    for encoding, name in EUROPEAN.items():
        text = raw.decode(encoding, errors="replace")
        if "\ufffd" not in text and _inside_words(text) >= SURE:
            return Decoded(text, name)
    best = charset_normalizer.from_bytes(raw, cp_exclusion=NOT_GUESSED).best()
    if best is None:
        raise InputError(
            f"the encoding of '{label}' cannot be told",
            "state it, for example `encoding: windows-1252`, or save the file as UTF-8",
            "encoding",
        )
    return Decoded(str(best), best.encoding.replace("_", "-"))


def _mixed(raw: bytes) -> str | None:
    """Lines in UTF-8 among lines in Windows-1252, as files pasted together are; None of any other file."""
    lines, utf8, western = [], 0, 0
    for line in raw.splitlines(keepends=True):
        if line.isascii():
            lines.append(line.decode("ascii"))
            continue
        try:
            lines.append(line.decode("utf-8"))
            utf8 += 1
        except UnicodeDecodeError:
            text = line.decode("windows-1252", errors="replace")
            if "\ufffd" in text or _inside_words(text) < SURE:
                return None
            lines.append(text)
            western += 1
    return "".join(lines) if utf8 and western else None


def _stated(raw: bytes, label: str, encoding: str) -> str:
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise InputError(
            f"there is no encoding '{encoding}'",
            "known are, for example, utf-8, utf-16, windows-1252, latin-1, gb18030, shift_jis",
            "encoding",
        ) from None
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError(
            f"'{label}' is not {encoding} text: see line {line}",
            "leave `encoding` out to have it detected",
            "encoding",
        ) from None


def _wide(raw: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of plain letters is zero."""
    start = raw[:4000]
    pairs = len(start) // 2
    if pairs < 2 or start.count(0) < pairs // 2:
        return None
    return "utf-16-le" if start[1::2].count(0) > start[0::2].count(0) else "utf-16-be"


def _inside_words(text: str) -> float:
    """Share of characters beyond ASCII that are letters next to plain letters, or punctuation."""
    odd = inside = 0
    for before, here, after in zip(" " + text[:-1], text, text[1:] + " ", strict=True):
        if ord(here) < 128:
            continue
        odd += 1
        letter = here.isalpha() and here not in "ªº"
        alone = not (ord(before) > 127 and ord(after) > 127)
        punctuation = here in "‘’“”–—…€°«»\u00a0" and ord(before) < 128
        inside += (letter and alone) or punctuation
    return inside / odd if odd else 1.0


class TextTable(NamedTuple):
    """Cells of a file as text, missing where empty; ``notes`` say what was detected."""

    frame: pd.DataFrame
    headings: Headings
    delimiter: str
    encoding: str
    """Encoding that had to be detected, or empty."""


def read_text(raw: bytes, label: str, data: Data) -> TextTable:
    """Read a file of text; cells are not yet numbers.

    Raises
    ------
    InputError
        If it cannot be decoded or is empty.
    """
    text, encoding = decoded(raw, label, data.encoding)
    first, _, rest = text.partition("\n")
    stated = DELIMITERS.get(data.delimiter or "", "")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        # Excel says so in a line of its own
        stated, text = stated or first.strip()[-1], rest
    delimiter = stated or max(DELIMITERS.values(), key=lambda sign: _regular(text, sign))
    rows = list(_rows(text, delimiter))
    if not any(any(cells) for _, cells in rows):
        raise pd.errors.EmptyDataError
    headings = headings_of([cells for _, cells in rows], label, data.header_row)
    skipped, header = rows[headings.first - 1][0], rows[headings.first - headings.described - 1][1]
    with warnings.catch_warnings():
        # rows longer than the header would else lose their last cells
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            header=None,
            # a row with more cells than the header is a fault, not a column without a name
            names=list(headings.names[: len(header)]),
            skiprows=skipped,
            dtype=object,
            keep_default_na=False,
            na_values=[""],
            index_col=False,
            low_memory=False,
        )
    # of thousands of columns even looking at each takes seconds
    return TextTable(
        frame.apply(_unwrapped) if '="' in text else frame, headings, delimiter, encoding
    )


def _unwrapped(cells: pd.Series[Any]) -> pd.Series[Any]:
    """Cells written as ``="0012"``, so that a spreadsheet keeps them as text, without that."""
    first = cells.dropna().head(1)
    if not first.astype(str).str.startswith('="').any():
        return cells
    return cells.str.replace(r'^="(.*)"$', r"\1", regex=True)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """First rows of a file, each with the number of lines up to its end."""
    csv.field_size_limit(LONGEST_CELL)  # another package may have raised it
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    for row in islice(reader, LOOKED_AT):
        yield reader.line_num, row


def _regular(text: str, sign: str) -> tuple[float, int]:
    """Share of rows with the usual number of cells, where that is above 1; and that number."""
    try:
        counts = [len(row) for _, row in _rows(text, sign) if row]
    except csv.Error:  # a cell too long to be one
        return (0.0, 1)
    usual = max(set(counts), key=counts.count, default=1)
    return (round(counts.count(usual) / len(counts), 1), usual) if usual > 1 else (0.0, 1)
