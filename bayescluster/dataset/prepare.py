"""From a table to the firms of an analysis: derive, select, check, drop, group."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayescluster.dataset.derive import derive, fix
from bayescluster.dataset.read import Table
from bayescluster.dataset.values import (
    as_float,
    code_of,
    holds,
    label_of,
    labels,
    numeric_problem,
    rows_text,
    sheet_fault,
)
from bayescluster.errors import DataError, Problem
from bayescluster.lookup import counted, first_of, scalar, suggestion
from bayescluster.names import ALL
from bayescluster.spec.base import Scalar
from bayescluster.spec.columns import NeededColumn, Where
from bayescluster.spec.data import DEFAULT_CODES, Data, Exclusion, RecodeColumn

FIRM = "__firm__"
CLUSTER = "__cluster__"
INDUSTRY = "__industry__"
UNKNOWN_CLUSTER = "(missing)"
FEWEST_FIRMS = 2
SHOWN_CLUSTERS = 5
RESERVED = (FIRM, CLUSTER, INDUSTRY)
"""Columns that prepared firms have beside their own."""
GROUP_ROLES = ("cluster", "industry", "grouping", "moderator")
NAME_ROLES = ("firm", *GROUP_ROLES)
MISTYPED = 0.1
"""Share of the rows of a group up to which what sets them apart is rather a typing error."""
MENDS = {
    "error": "fill these cells, or leave such rows out with `missing: drop` under `data`",
    "impute": "the {role} cannot be imputed: fill these cells, "
    "or leave such rows out with `missing: drop` under `data`",
}


class Firms(NamedTuple):
    """The rows an analysis uses.

    Attributes
    ----------
    frame
        Derived and needed columns, and the labels ``__firm__``, ``__cluster__`` and
        ``__industry__``. The index counts the rows of the file from 0, so gaps are rows left out.
        Where firms are observed more than once, their labels repeat.
    label
        What messages and reports call the data.
    rows_read
        Rows of the file.
    dropped
        Rows left out for a missing value: columns ``variable``, ``cluster``, ``rows``. A row that
        lacks two variables is counted under both.
    filters
        What each filter and exclusion asked for, and how many rows it left or took.
    notes
        What was detected when the table was read, and what looks wrong in the columns that are used.
    """

    frame: pd.DataFrame
    label: str
    rows_read: int
    dropped: pd.DataFrame
    filters: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Examined(NamedTuple):
    """Firms of an analysis, if they can be made, and all that is wrong with them.

    Where there are problems the firms are those without missing values, so that what else is wrong can
    be found: no fit may be of them.
    """

    firms: Firms | None
    problems: tuple[Problem, ...]
    unknown: frozenset[str] = frozenset()
    """Columns that are named and are not there, or could not be made."""


def prepare(table: Table, data: Data, needed: Sequence[NeededColumn], where: Where) -> Firms:
    """Make the firms of an analysis from its table.

    Raises
    ------
    DataError
        If columns do not exist, a derivation or filter fails, values are missing where none may
        be, groups are spelt in several ways, firms are not nested in clusters or clusters in
        industries, or fewer than two firms are left; all faults at once.
    """
    found = examine(table, data, needed, where)
    if found.problems or found.firms is None:
        raise DataError(found.problems)
    return found.firms


def examine(table: Table, data: Data, needed: Sequence[NeededColumn], where: Where) -> Examined:
    """Make the firms of an analysis from its table, or find every reason why not; see `prepare`."""
    fixed = fix(table.frame, data.fix, where)
    derived = derive(fixed.frame, data.derive, where)
    empty = table.frame.isna().all(axis=1) & (table.frame.shape[1] > 1)
    derived = derived._replace(frame=derived.frame[~empty])
    columns = list(derived.frame.columns)
    unknown = [
        *fixed.problems,
        *derived.problems,
        *_reserved_names(data, needed, where),
        *_unknown_columns(columns, derived.failed, data, needed, where),
    ]
    selecting = list(_selection_problems(derived.frame, data, where))
    problems = [*unknown, *selecting]
    known = [item for item in needed if item.column in columns]
    rows, dropped = derived.frame, pd.DataFrame([], columns=["variable", "cluster", "rows"])
    filters: tuple[str, ...] = ()
    required = {item.column: item for item in reversed(known) if not item.optional}
    try:
        if not problems:
            rows, filters = selected(derived.frame, data, where)
        if data.missing != "drop":
            problems += _missing_problems(rows, required, MENDS[data.missing], where)
        if problems and rows[list(required)].isna().any(axis=1).all():
            return Examined(None, tuple(dict.fromkeys(problems)))
        rows, dropped = _without_missing(rows, required, _minima(known, data), data, where)
    except DataError as error:
        return Examined(None, tuple(dict.fromkeys((*problems, *error.problems))))
    labelled = _with_labels(rows, data)
    problems += _spelling_problems(labelled, data, known, where)
    problems += _named_problems(labelled, known, where)
    if not problems:
        problems += _too_few(labelled, where)
    if not data.crossed:
        problems += _nesting_problems(labelled, data, where)
    kept = {*(item.column for item in needed), *(item.name for item in data.derive)}
    names = [name for name in columns if name in kept and name not in RESERVED]
    frame = labelled[[*names, FIRM, CLUSTER, INDUSTRY]]
    blank = [f"Left out as empty: {rows_text(empty.index[empty])}."] * bool(empty.any())
    notes = (*fixed.notes, *blank, *_notes(table, labelled, data, known))
    firms = Firms(frame, table.label, len(table.frame), dropped, filters, notes)
    lacking = frozenset(
        item.column for item in needed if item.column not in columns or item.column in RESERVED
    )
    return Examined(firms, tuple(dict.fromkeys(problems)), lacking)


def _reserved_names(data: Data, needed: Sequence[NeededColumn], where: Where) -> Iterator[Problem]:
    """Columns that would be taken for those that prepared firms have."""
    derived = [
        NeededColumn(item.name, "derived column", ("data", "derive", position, "name"))
        for position, item in enumerate(data.derive)
    ]
    for item in (*derived, *needed):
        if item.column in RESERVED:
            yield Problem(
                f"a column cannot be called '{item.column}' ({item.role}): "
                "names with two underscores at both ends are bayescluster's own",
                where(item.path),
                "rename the column",
            )


def _notes(
    table: Table, frame: pd.DataFrame, data: Data, needed: Sequence[NeededColumn]
) -> tuple[str, ...]:
    """What was detected of the table, and what is suspicious in the columns that are used."""
    used = {item.column for item in needed}
    for item in data.derive:
        used.update((item.of,) if isinstance(item.of, str) else item.of)
    notes = [note.text for note in table.notes if note.column is None or note.column in used]
    return (*notes, *_codes_among_groups(frame, data, needed))


def _codes_among_groups(
    frame: pd.DataFrame, data: Data, needed: Sequence[NeededColumn]
) -> Iterator[str]:
    """Groups that are called like a code for "no answer" of other columns."""
    stated = data.missing_values
    common = stated if isinstance(stated, tuple) else stated.get(DEFAULT_CODES, ())
    texts = {label_of(code) for code in common}
    for item in needed:
        if item.role not in NAME_ROLES or item.column not in frame:
            continue
        cells = frame[item.column].dropna().map(code_of)
        for code in sorted(texts & set(cells)):
            if code not in {label_of(own) for own in data.codes_of(item.column, group=True)}:
                yield (
                    f"'{code}' means no answer elsewhere, and is a {item.role} in '{item.column}' "
                    f"({counted(int((cells == code).sum()), 'row')}). If it means no answer there too, write "
                    f"`missing_values: {{default: [{', '.join(sorted(texts))}], "
                    f"{item.column}: [{code}]}}`."
                )


def _unknown_columns(
    columns: list[str],
    failed: frozenset[str],
    data: Data,
    needed: Sequence[NeededColumn],
    where: Where,
) -> Iterator[Problem]:
    of_filters = [
        NeededColumn(item.column, role, ("data", key, position, "column"))
        for key, role in (("keep", "filter"), ("exclude", "exclusion"))
        for position, item in enumerate(getattr(data, key))
    ]
    for item in [*of_filters, *needed]:
        if item.column not in columns and item.column not in failed:
            yield Problem(
                f"no column '{item.column}' in the data ({item.role})",
                where(item.path),
                suggestion(item.column, columns),
            )


def _selection_problems(frame: pd.DataFrame, data: Data, where: Where) -> Iterator[Problem]:
    """Values that no row has, and bounds on what is not a number; unknown columns pass."""
    for key in ("keep", "exclude"):
        for position, item in enumerate(getattr(data, key)):
            if item.column not in frame:
                continue
            base, series = ("data", key, position), frame[item.column]
            known = list(labels(series).dropna().unique())
            for place, value in enumerate(item.one_of):
                if not holds(series, value).any():
                    yield Problem(
                        f"no row has '{label_of(value)}' in '{item.column}'",
                        where((*base, "one_of", place)),
                        suggestion(label_of(value), known),
                    )
            fault = None if item.one_of else numeric_problem(series)
            if fault:
                yield Problem(
                    f"'{item.column}' is not a column of numbers: {fault}",
                    where((*base, "column")),
                    "below and above go with numbers; name labels by one_of",
                )


def selected(frame: pd.DataFrame, data: Data, where: Where) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rows that pass all filters and no exclusion, and what each of these did, in words.

    A row that has no value in the column of an exclusion stays.
    """
    steps: list[str] = []
    for position, item in enumerate(data.keep):
        wanted = [label_of(value) for value in item.one_of]
        before = len(frame)
        frame = frame[_any_of(frame[item.column], item.one_of)]
        steps.append(f"{item.column}: {', '.join(wanted)} ({len(frame)} of {before} rows)")
        if frame.empty:
            raise DataError(
                Problem(
                    f"no row is left after the filter on '{item.column}'",
                    where(("data", "keep", position)),
                    f"rows must pass all filters; they leave {'; '.join(steps)}",
                )
            )
    for position, exclusion in enumerate(data.exclude):
        out, words = _excluded(frame[exclusion.column], exclusion), exclusion_words(exclusion)
        steps.append(f"left out, {words} ({int(out.sum())} of {len(frame)} rows)")
        frame = frame[~out]
        if frame.empty:
            raise DataError(
                Problem(
                    f"no row is left after those with {words} are left out",
                    where(("data", "exclude", position)),
                    "leave fewer rows out",
                )
            )
    return frame, tuple(steps)


def exclusion_words(item: Exclusion) -> str:
    """Which rows an exclusion leaves out: ``industry: Furniture``, or ``employees below 10``."""
    if item.one_of:
        return f"{item.column}: {', '.join(label_of(value) for value in item.one_of)}"
    bounds = [
        f"{side} {label_of(bound)}"
        for side, bound in (("below", item.below), ("above", item.above))
        if bound is not None
    ]
    return f"{item.column} {' or '.join(bounds)}"


def _excluded(series: pd.Series[Any], item: Exclusion) -> pd.Series[bool]:
    if item.one_of:
        return pd.Series(_any_of(series, item.one_of), index=series.index)
    values = as_float(series)
    below = values < (-np.inf if item.below is None else item.below)
    above = values > (np.inf if item.above is None else item.above)
    return pd.Series(below | above, index=series.index)


def _any_of(series: pd.Series[Any], values: Sequence[Scalar]) -> NDArray[np.bool_]:
    return np.any([holds(series, value) for value in values], axis=0)


def _missing_problems(
    frame: pd.DataFrame, required: dict[str, NeededColumn], mend: str, where: Where
) -> Iterator[Problem]:
    for column, item in reversed(required.items()):
        lacking = frame.index[frame[column].isna()]
        if len(lacking):
            yield Problem(
                f"'{column}' ({item.role}) is missing in {len(lacking)} of {len(frame)} rows "
                f"({rows_text(lacking)})",
                where(item.path),
                mend.format(role=item.role),
            )


def _minima(needed: Sequence[NeededColumn], data: Data) -> dict[str, tuple[list[str], int]]:
    """Indicators of constructs of which a row must have answered so many, where rows are dropped."""
    found: dict[str, tuple[list[str], int]] = {}
    for item in needed if data.missing == "drop" else ():
        if item.minimum is not None:
            name = item.role.removeprefix("indicator of ")
            found.setdefault(name, ([], item.minimum))[0].append(item.column)
    return found


def _without_missing(
    frame: pd.DataFrame,
    required: dict[str, NeededColumn],
    minima: Mapping[str, tuple[list[str], int]],
    data: Data,
    where: Where,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Drop rows that lack a required value, or answers of a construct; count by variable and cluster."""
    lacks = frame[list(reversed(required))].isna()
    for name, (items, minimum) in minima.items():
        lacks[name] = frame[items].notna().sum(axis=1) < minimum
    columns = list(lacks.columns)
    cluster = (
        labels(frame[data.cluster]) if data.cluster in frame else pd.Series(ALL, index=frame.index)
    )
    counts = lacks.groupby(cluster.fillna(UNKNOWN_CLUSTER)).sum()
    records = [
        (column, str(name), int(rows))
        for column in columns
        for name, rows in counts[column].items()
        if rows
    ]
    complete = frame[~lacks.any(axis=1)]
    if complete.empty:
        worst = str(lacks.sum().idxmax())
        raise DataError(
            Problem(
                f"no row has a value in all {len(columns)} columns the analysis needs",
                where(("data", "missing")),
                f"'{worst}' by itself is missing in {int(lacks[worst].sum())} of {len(frame)} rows",
            )
        )
    return complete, pd.DataFrame(records, columns=["variable", "cluster", "rows"])


def _with_labels(frame: pd.DataFrame, data: Data) -> pd.DataFrame:
    numbers = pd.Series([f"row {int(position) + 1}" for position in frame.index], frame.index)
    everyone = pd.Series(ALL, index=frame.index)
    return frame.assign(
        **{
            FIRM: labels(frame[data.firm]) if data.firm in frame else numbers,
            CLUSTER: labels(frame[data.cluster]) if data.cluster in frame else everyone,
            INDUSTRY: labels(frame[data.industry]) if data.industry in frame else everyone,
        }
    )


def _spelling_problems(
    frame: pd.DataFrame, data: Data, needed: Sequence[NeededColumn], where: Where
) -> Iterator[Problem]:
    """Groups and categories written in several ways: other case, blanks, or what cannot be seen.

    Names of firms may differ in case only.
    """
    for item in needed:
        if item.column not in frame or not _is_named(frame[item.column], item.role):
            continue
        counts = labels(frame[item.column]).value_counts()
        fold = str.casefold if item.role != "firm" else str
        spellings: dict[str, list[str]] = {}
        for label in counts.index:
            spellings.setdefault(fold(visible(str(label))), []).append(str(label))
        several = [each for each in spellings.values() if len(each) > 1]
        if several:
            yield Problem(
                _spelt(item, several, counts), where(item.path), _recode(item, several, data)
            )


def _spelt(item: NeededColumn, several: list[list[str]], counts: pd.Series[int]) -> str:
    """Groups with all their spellings; those that look alike are shown with what sets them apart."""
    groups = [
        ", ".join(f"'{revealed(each)}' ({counted(int(counts[each]), 'row')})" for each in variants)
        for variants in several
    ]
    if len(several) == 1:
        ways = f"one group in {len(several[0])} ways"
    else:
        ways = f"{len(several)} groups in several ways"
    listed = first_of(groups, SHOWN_CLUSTERS, "; ")
    return f"'{item.column}' ({item.role}) spells {ways}: {listed}"


def _recode(item: NeededColumn, several: list[list[str]], data: Data) -> str:
    """Lines that give each group its most frequent spelling; blanks at its ends are never meant."""
    pairs = [
        (each, visible(variants[0]))
        for variants in several
        for each in variants
        if each != visible(variants[0])
    ]
    listed = ", ".join(f'"{revealed(old)}": "{new}"' for old, new in pairs)
    name, column = scalar(f"{item.column}_clean"), scalar(item.column)
    line = f"{{kind: recode, name: {name}, of: {column}, values: {{{listed}}}, otherwise: keep}}"
    return f"if these are the same, {data.to_add('derive', line)}, and name {name} in its place"


def _is_named(series: pd.Series[Any], role: str) -> bool:
    words = role == "control" and series.map(lambda cell: isinstance(cell, str)).any()
    return role in NAME_ROLES or bool(words)


def visible(label: str) -> str:
    """What can be seen of a label: composed letters, single blanks, no characters without width."""
    seen = "".join(sign for sign in label if unicodedata.category(sign) not in ("Cf", "Cc"))
    return " ".join(unicodedata.normalize("NFC", seen).split())


def revealed(label: str) -> str:
    """Write what cannot be seen in a label by its number: an accent apart, or without width."""
    return "".join(
        f"\\u{ord(sign):04x}"
        if unicodedata.combining(sign) or unicodedata.category(sign) in ("Cf", "Cc")
        else sign
        for sign in label
    )


def _named_problems(
    frame: pd.DataFrame, needed: Sequence[NeededColumn], where: Where
) -> Iterator[Problem]:
    """Groups that are called like all of them, or by an error of a spreadsheet."""
    for item in needed:
        if item.role not in NAME_ROLES or item.column not in frame:
            continue
        cells = frame[item.column].dropna()
        faulty = cells[[sheet_fault(cell) != "" for cell in cells]]
        if len(faulty):
            yield Problem(
                f"'{item.column}' ({item.role}) holds {sheet_fault(faulty.iloc[0])}, "
                f"'{faulty.iloc[0]}', in {rows_text(faulty.index)}",
                where(item.path),
                "correct these cells, or open the workbook and save it again",
            )
        if item.role in ("cluster", "industry") and (labels(cells) == ALL).any():
            yield Problem(
                f"a {item.role} cannot be called '{ALL}' (in '{item.column}'), "
                "which stands for all firms",
                where(item.path),
                "recode it: `derive: kind: recode` with `otherwise: keep`",
            )


class _Nesting(NamedTuple):
    """What must lie within what: their roles, and the words of a message."""

    inner: str
    outer: str
    one: str
    several: str
    allowed: str
    """When they may."""
    same_name: str
    """When one name means several."""


NESTINGS = (
    _Nesting(
        *("cluster", "industry", "holds firms of", "hold firms of"),
        *("if a cluster may hold several industries", "if one name means several clusters"),
    ),
    _Nesting(
        *("firm", "cluster", "has rows in", "have rows in"),
        *("if firms do change their cluster", "if firms are numbered anew in each cluster"),
    ),
    _Nesting(
        *("firm", "industry", "has rows in", "have rows in"),
        *("if firms do change their industry", "if firms are numbered anew in each industry"),
    ),
)


def _nesting_problems(frame: pd.DataFrame, data: Data, where: Where) -> Iterator[Problem]:
    """Firms of more than one cluster, and clusters (without them, firms) of more than one industry."""
    for nesting in NESTINGS:
        inner, outer = (getattr(data, role) for role in nesting[:2])
        between = nesting.inner == "firm" and nesting.outer == "industry" and data.cluster
        if inner in frame and outer in frame and not between:
            yield from _not_nested(frame, nesting, data, where)


def _not_nested(
    frame: pd.DataFrame, nesting: _Nesting, data: Data, where: Where
) -> Iterator[Problem]:
    counts = Counter(zip(frame[f"__{nesting.inner}__"], frame[f"__{nesting.outer}__"], strict=True))
    held: dict[str, dict[str, int]] = {}
    for (name, kind), rows in sorted(counts.items()):
        held.setdefault(name, {})[kind] = rows
    crossed = {name: kinds for name, kinds in held.items() if len(kinds) > 1}
    if not crossed:
        return
    shown = [
        f"'{name}' ({', '.join(f'{kind} {counted(rows, "row")}' for kind, rows in kinds.items())})"
        for name, kinds in crossed.items()
    ]
    verb = nesting.one if len(crossed) == 1 else nesting.several
    remedies = [
        *_mistyped(frame, nesting, data, crossed),
        f"{nesting.allowed}: add `crossed: true` under data",
        f"{nesting.same_name}: {_key_of_both(nesting, data)}",
    ]
    yield Problem(
        f"{counted(len(crossed), nesting.inner)} {verb} more than one {nesting.outer}: "
        f"{first_of(shown, SHOWN_CLUSTERS, '; ')}",
        where(("data", nesting.inner)),
        "\n".join(remedies),
    )


def _key_of_both(nesting: _Nesting, data: Data) -> str:
    inner, outer = (str(getattr(data, role)) for role in nesting[:2])
    name = scalar(f"{inner}_{outer}")
    line = f"{{kind: combine, name: {name}, of: [{scalar(inner)}, {scalar(outer)}]}}"
    return f"{data.to_add('derive', line)}, and write `{nesting.inner}: {name}`"


def _mistyped(
    frame: pd.DataFrame,
    nesting: _Nesting,
    data: Data,
    crossed: Mapping[str, Mapping[str, int]],
) -> Iterator[str]:
    """Rows that are probably typing errors: few, in groups whose other rows all agree."""
    inner, outer = frame[f"__{nesting.inner}__"], frame[f"__{nesting.outer}__"]
    odd_rows: list[str] = []
    lines: list[str] = []
    column = _written_column(str(getattr(data, nesting.outer)), data)
    for name, kinds in crossed.items():
        usual = max(kinds, key=lambda kind: kinds[kind])
        total = sum(kinds.values())
        few = total - kinds[usual]
        if few > max(1, MISTYPED * total) or kinds[usual] < 2:
            return
        rows = frame.index[(inner == name) & (outer != usual)]
        odd = ", ".join(f"'{kind}'" for kind in kinds if kind != usual)
        odd_rows.append(f"{odd} in {rows_text(rows)}, where '{name}' is otherwise '{usual}'")
        lines += [
            f"{{column: {scalar(column)}, row: {row + 1}, to: {scalar(usual)}}}" for row in rows
        ]
    listed = first_of(odd_rows, SHOWN_CLUSTERS, "; ")
    groups = _written_column(str(getattr(data, nesting.inner)), data) or getattr(
        data, nesting.inner
    )
    mend = f"; if '{groups}' is right there, {data.to_add('fix', *lines)}" if column else ""
    errors = "a typing error" if len(lines) == 1 else "typing errors"
    either = f"in '{column or getattr(data, nesting.outer)}' or '{groups}'"
    yield f"most likely {errors} {either}: {listed}{mend}"


def _written_column(column: str, data: Data) -> str:
    """The column of the file in which a group is corrected; empty where it is made in another way."""
    derived = {item.name: item for item in data.derive}
    while column in derived:
        item = derived[column]
        if not (isinstance(item, RecodeColumn) and item.otherwise == "keep"):
            return ""
        column = item.of
    return column


def _too_few(frame: pd.DataFrame, where: Where) -> Iterator[Problem]:
    firms = frame[FIRM].nunique()
    if firms < FEWEST_FIRMS:
        yield Problem(
            f"only one firm is left ('{frame[FIRM].iloc[0]}', {len(frame)} rows)",
            where(("data", "firm")),
            "check the filters, and that `firm` names the column that tells firms apart",
        )
