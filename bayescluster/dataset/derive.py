"""Columns derived from others, and the transforms that a column can take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple, assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.read import Note, Table
from bayescluster.dataset.values import (
    SHOWN_VALUES,
    Code,
    InputError,
    holds,
    label_of,
    labels,
    numbers,
    rows_text,
)
from bayescluster.errors import Problem
from bayescluster.lookup import counted, first_of, suggestion
from bayescluster.spec.columns import Where
from bayescluster.spec.data import (
    ArithmeticColumn,
    CombineColumns,
    Data,
    Derivation,
    Fix,
    GroupMeanColumn,
    LagColumn,
    RecodeColumn,
    ScaleColumn,
    ThresholdColumn,
    TransformColumn,
)


class Transform(NamedTuple):
    """A function, the values it cannot take, and what to use where those are zeros."""

    function: Callable[[Array], Array]
    refused: Callable[[Array], NDArray[np.bool_]]
    refused_text: str
    at_zero: str


TRANSFORMS: dict[str, Transform] = {
    "none": Transform(lambda x: x, lambda x: np.zeros(x.shape, dtype=bool), "", ""),
    "log": Transform(np.log, lambda x: x <= 0, "0 or below", "log1p"),
    "log1p": Transform(np.log1p, lambda x: x <= -1, "-1 or below", ""),
    "square": Transform(np.square, lambda x: np.zeros(x.shape, dtype=bool), "", ""),
    "sqrt": Transform(np.sqrt, lambda x: x < 0, "below 0", ""),
}


def transformed(kind: str, column: str, values: Array, index: pd.Index) -> Array:
    """Transform a column, ``(row,)``; missing values stay missing.

    ``index`` holds the positions of the rows in the file, from 0, for the message of an `InputError`
    where the transform cannot take a value.
    """
    transform = TRANSFORMS[kind]
    refused = transform.refused(values)
    if not refused.any():
        return transform.function(values)
    zeros_only = bool(transform.at_zero) and float(values[refused].min()) == 0
    raise InputError(
        f"the {kind} of '{column}' cannot be taken: {int(refused.sum())} of {values.size} rows are "
        f"{transform.refused_text} (first: {rows_text(index[refused][:1])})",
        f"use {transform.at_zero}, which is 0 at 0"
        if zeros_only
        else "if negative values mean no answer, list them under `missing_values`",
    )


class Fixed(NamedTuple):
    """A table with its corrected cells; ``notes`` say what each was and is."""

    frame: pd.DataFrame
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def fix(frame: pd.DataFrame, fixes: tuple[Fix, ...], where: Where) -> Fixed:
    """Correct single cells of a table, in order; the table that is given stays as it is."""
    problems: list[Problem] = []
    notes: list[str] = []
    for position, one in enumerate(fixes):
        try:
            frame, note = _fixed(frame, one)
            notes.append(note)
        except InputError as error:
            problems.append(error.at(where(("data", "fix", position, error.key or "column"))))
    return Fixed(frame, tuple(problems), tuple(notes))


def _fixed(frame: pd.DataFrame, one: Fix) -> tuple[pd.DataFrame, str]:
    known = [str(name) for name in frame.columns]
    for name in (one.column, *one.where):
        if name not in known:
            key = "column" if name == one.column else "where"
            raise InputError(
                f"no column '{name}' in the data to correct", suggestion(name, known), key
            )
    if one.row is not None and one.row > len(frame):
        raise InputError(f"the data have {len(frame)} rows, and no row {one.row}", "", "row")
    rows = np.zeros(len(frame), dtype=bool)
    if one.row is not None:
        rows[one.row - 1] = True
    else:
        rows = np.all([holds(frame[name], value) for name, value in one.where.items()], axis=0)
    if not rows.any():
        sought = ", ".join(f"{name}: {label_of(value)}" for name, value in one.where.items())
        raise InputError(f"no row has {sought}", "check these values against the file", "where")
    old = frame[one.column]
    shown = ", ".join(
        dict.fromkeys("empty" if pd.isna(cell) else f"'{label_of(cell)}'" for cell in old[rows])
    )
    new = old.astype(object).mask(rows, np.nan if one.to is None else one.to)
    held_codes = any(isinstance(cell, Code) for cell in new)
    frame = frame.assign(**{one.column: new if held_codes else new.infer_objects()})
    value = "no answer" if one.to is None else f"'{label_of(one.to)}'"
    return (
        frame,
        f"Corrected: '{one.column}' in {rows_text(frame.index[rows])} from {shown} to {value}.",
    )


class Derived(NamedTuple):
    """A table with its derived columns.

    ``failed`` names the columns that could not be made, so that they are not called unknown.
    """

    frame: pd.DataFrame
    problems: tuple[Problem, ...]
    failed: frozenset[str]


def derive(frame: pd.DataFrame, derivations: tuple[Derivation, ...], where: Where) -> Derived:
    """Make the derived columns of a table, in order; a later one may use an earlier one."""
    problems: list[Problem] = []
    failed: set[str] = set()
    columns: dict[str, pd.Series[Any]] = {str(name): frame[name] for name in frame.columns}
    original = list(columns)
    for position, derivation in enumerate(derivations):
        base = ("data", "derive", position)
        sources = _sources(derivation)
        if any(source not in columns or source in failed for _, source in sources):
            problems += [
                Problem(
                    f"no column '{source}' in the data to make '{derivation.name}' of",
                    where((*base, *path)),
                    suggestion(source, columns),
                )
                for path, source in sources
                if source not in columns and source not in failed
            ]
            failed.add(derivation.name)
            continue
        try:
            if derivation.name in original:
                raise InputError(
                    f"the data already have a column '{derivation.name}'",
                    "give the derived column a new name",
                    "name",
                )
            columns[derivation.name] = _column(derivation, [columns[name] for _, name in sources])
        except InputError as error:
            problems.append(error.at(where((*base, error.key or "of"))))
            failed.add(derivation.name)
    return Derived(pd.DataFrame(columns, index=frame.index), tuple(problems), frozenset(failed))


def as_used(table: Table, data: Data, where: Where) -> Table:
    """Take a table as an analysis uses it: corrected, with derived columns next to what they are made of.

    A recoded column is in the place of the one it is made of, unless something else is made of that too.
    The notes say what was corrected and recoded; what cannot be is left out.
    """
    fixed = fix(table.frame, data.fix, where)
    frame = derive(fixed.frame, data.derive, where).frame
    made = [item for item in data.derive if item.name in frame and item.name not in table.frame]
    uses = Counter(name for item in made for _, name in _sources(item))
    names, notes = list(table.frame.columns), [Note(text) for text in fixed.notes]
    for item in made:
        *_, source = (name for _, name in _sources(item))
        place = names.index(source)
        if isinstance(item, RecodeColumn) and uses[item.of] == 1:
            names[place] = item.name
            notes.append(_recoding_note(item, fixed.frame.get(item.of, frame[item.of])))
        else:
            names.insert(place + 1, item.name)
    filled = table.frame.notna().any(axis=1)
    return table._replace(frame=frame.loc[filled, names], notes=(*table.notes, *notes))


def _recoding_note(item: RecodeColumn, old: pd.Series[Any]) -> Note:
    steps = [
        f"{label_of(value)} as {label_of(new)} ({counted(int(holds(old, value).sum()), 'row')})"
        for value, new in item.values.items()
    ]
    text = f"Recoded: '{item.name}' is '{item.of}' with {first_of(steps, SHOWN_VALUES)}."
    return Note(text, item.name)


def _sources(derivation: Derivation) -> tuple[tuple[tuple[str | int, ...], str], ...]:
    """Columns that a derived column is made of, each with its place among the keys."""
    of: tuple[tuple[tuple[str | int, ...], str], ...]
    if isinstance(derivation.of, str):
        of = ((("of",), derivation.of),)
    else:
        of = tuple((("of", step), name) for step, name in enumerate(derivation.of))
    keys = ("by", "order")
    more = ((key, getattr(derivation, key, None)) for key in keys)
    return (*of, *(((key,), name) for key, name in more if name is not None))


def _column(derivation: Derivation, sources: list[pd.Series[Any]]) -> pd.Series[Any]:
    source = sources[0]
    match derivation:
        case TransformColumn(kind=kind, of=of):
            values = transformed(kind, of, _numbers(source, of), source.index)
            return pd.Series(values, index=source.index)
        case ScaleColumn(of=of, multiply=multiply, add=add):
            return pd.Series(_numbers(source, of) * multiply + add, index=source.index)
        case RecodeColumn():
            return _recoded(derivation, source)
        case CombineColumns(separator=separator):
            parts = pd.DataFrame({k: labels(part) for k, part in enumerate(sources)})
            joined = parts.fillna("").agg(separator.join, axis=1)
            return joined.where(parts.notna().all(axis=1))
        case ThresholdColumn(kind=kind, of=of, value=value):
            values = _numbers(source, of)
            reached = values > value if kind == "above" else values >= value
            return pd.Series(np.where(np.isnan(values), np.nan, reached), index=source.index)
        case ArithmeticColumn():
            return _arithmetic(derivation, sources)
        case LagColumn():
            return _lagged(derivation, *sources)
        case GroupMeanColumn():
            return _group_mean(derivation, *sources)
        case _:
            assert_never(derivation)


def _arithmetic(derivation: ArithmeticColumn, sources: list[pd.Series[Any]]) -> pd.Series[Any]:
    first, *others = (
        _numbers(source, name) for source, name in zip(sources, derivation.of, strict=True)
    )
    index = sources[0].index
    match derivation.kind:
        case "sum":
            return pd.Series(first + sum(others), index=index)
        case "difference":
            return pd.Series(first - others[0], index=index)
    zeros = index[others[0] == 0]
    if len(zeros):
        raise InputError(
            f"'{derivation.of[1]}' is 0 in {rows_text(zeros)}: nothing can be divided by it",
            "correct these cells, leave the rows out, or list 0 under `missing_values` for the column",
        )
    return pd.Series(first / others[0], index=index)


def _lagged(
    derivation: LagColumn, source: pd.Series[Any], firm: pd.Series[Any], time: pd.Series[Any]
) -> pd.Series[Any]:
    values, when = _numbers(source, derivation.of), _numbers(time, derivation.order)
    rows = pd.DataFrame({"firm": labels(firm), "time": when, "value": values}, index=source.index)
    known = rows.dropna(subset=["firm", "time"])
    twice = known.index[known.duplicated(["firm", "time"], keep=False)]
    if len(twice):
        raise InputError(
            f"a firm has several rows at one '{derivation.order}': {rows_text(twice)}",
            "leave out what was entered twice, or name the column that tells these rows apart",
            "order",
        )
    earlier = known.set_index(["firm", "time"])["value"]
    wanted = pd.MultiIndex.from_arrays([rows["firm"], rows["time"] - derivation.periods])
    return pd.Series(earlier.reindex(wanted).to_numpy(), index=source.index)


def _group_mean(
    derivation: GroupMeanColumn, source: pd.Series[Any], group: pd.Series[Any]
) -> pd.Series[Any]:
    values = pd.Series(_numbers(source, derivation.of), index=source.index)
    groups = values.groupby(labels(group))
    if not derivation.leave_out_own:
        return groups.transform("mean")
    others = groups.transform("count") - values.notna()
    total = groups.transform("sum") - values.fillna(0.0)
    return (total / others.where(others > 0)).astype("float64")


def _numbers(series: pd.Series[Any], column: str) -> Array:
    return numbers(series, f"'{column}'", "turn it into numbers first, with `kind: recode`")


def _recoded(derivation: RecodeColumn, series: pd.Series[Any]) -> pd.Series[Any]:
    listed = pd.Series(False, index=series.index)
    new = series.astype(object)
    for old, value in derivation.values.items():
        found = pd.Series(holds(series, old), index=series.index) & ~listed
        new, listed = new.mask(found, value), listed | found
    known = labels(series)
    unlisted = known[~listed & series.notna()]
    if len(unlisted) and derivation.otherwise == "error":
        values = list(dict.fromkeys(unlisted))
        shown = first_of([f"'{value}'" for value in values], SHOWN_VALUES)
        near = suggestion(values[0], [label_of(old) for old in derivation.values])
        hint = f"{near} Else list" if near.startswith("did you mean") else "list"
        raise InputError(
            f"no new value is given for {shown} of '{derivation.of}' ({rows_text(unlisted.index)})",
            f"{hint} it under `values`, or set `otherwise: keep`",
            "values",
        )
    return new if any(isinstance(cell, Code) for cell in new) else new.infer_objects()
