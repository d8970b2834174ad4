"""Derived columns, and rows that an analysis leaves out by what a column holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.values import (
    FaultError,
    as_float,
    label_of,
    labels,
    numeric_problem,
    rows_text,
)
from bayescluster.errors import DataError, Problem
from bayescluster.lookup import suggestion
from bayescluster.spec.columns import Where
from bayescluster.spec.data import (
    CombineColumns,
    Derivation,
    Exclusion,
    RecodeColumn,
    ScaleColumn,
    TransformColumn,
)

CODES_MEND = "if negative values mean no answer, list them under `missing_values`"


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


class Fault(NamedTuple):
    """Why a transform cannot be taken, and the mend."""

    what: str
    mend: str


def transform_fault(kind: str, column: str, values: Array, index: pd.Index) -> Fault | None:
    """Find rows whose value the transform cannot take; missing values pass.

    Parameters
    ----------
    kind
        Key of `TRANSFORMS`.
    column
        Name of the column, for the message.
    values
        One value a row.
    index
        Positions of the rows in the file, from 0.
    """
    transform = TRANSFORMS[kind]
    refused = transform.refused(values)
    if not refused.any():
        return None
    count = int(refused.sum())
    first = rows_text(index[refused][:1])
    what = (
        f"the {kind} of '{column}' cannot be taken: {count} of {values.size} rows are "
        f"{transform.refused_text} (first: {first})"
    )
    zeros_only = bool(transform.at_zero) and float(values[refused].min()) == 0
    mend = f"use {transform.at_zero}, which is 0 at 0" if zeros_only else CODES_MEND
    return Fault(what, mend)


SHOWN_VALUES = 3


class Derived(NamedTuple):
    """A table with its derived columns.

    ``failed`` names the columns that could not be made, so that nobody calls them unknown.
    """

    frame: pd.DataFrame
    problems: tuple[Problem, ...]
    failed: frozenset[str]


def derive(frame: pd.DataFrame, derivations: tuple[Derivation, ...], where: Where) -> Derived:
    """Make the derived columns, in order; a later one may use an earlier one.

    Parameters
    ----------
    frame
        Table as read; its index counts the rows of the file from 0.
    derivations
        What to make.
    where
        Says where a path stands in the analysis file.
    """
    problems: list[Problem] = []
    failed: set[str] = set()
    original = list(frame.columns)
    made: dict[str, pd.Series[Any]] = {str(name): frame[name] for name in original}
    for position, derivation in enumerate(derivations):
        base = ("data", "derive", position)
        missing = list(_missing_sources(derivation, made, failed, base, where))
        sources = _sources(derivation)
        if missing or any(source in failed for source in sources):
            problems += missing
            failed.add(derivation.name)
            continue
        try:
            _check_new(derivation.name, original)
            made[derivation.name] = _column(derivation, [made[source] for source in sources])
        except FaultError as fault:
            problems.append(Problem(fault.what, where((*base, fault.key or "of")), fault.mend))
            failed.add(derivation.name)
    return Derived(pd.DataFrame(made, index=frame.index), tuple(problems), frozenset(failed))


def _sources(derivation: Derivation) -> tuple[str, ...]:
    return derivation.of if isinstance(derivation, CombineColumns) else (derivation.of,)


def _missing_sources(
    derivation: Derivation,
    made: dict[str, pd.Series[Any]],
    failed: set[str],
    base: tuple[str | int, ...],
    where: Where,
) -> Iterator[Problem]:
    for position, source in enumerate(_sources(derivation)):
        if source not in made and source not in failed:
            step = (position,) if isinstance(derivation, CombineColumns) else ()
            yield Problem(
                f"no column '{source}' in the data to make '{derivation.name}' of",
                where((*base, "of", *step)),
                suggestion(source, made),
            )


def _check_new(name: str, original: list[str]) -> None:
    if name in original:
        raise FaultError(
            f"the data already have a column '{name}'", "give the derived column a new name", "name"
        )


def _column(derivation: Derivation, sources: list[pd.Series[Any]]) -> pd.Series[Any]:
    match derivation:
        case TransformColumn():
            return _transformed(derivation, sources[0])
        case ScaleColumn():
            return _numbers(sources[0], derivation.of) * derivation.multiply + derivation.add
        case RecodeColumn():
            return _recoded(derivation, sources[0])
        case CombineColumns():
            return _combined(derivation, sources)
        case _:
            assert_never(derivation)


def _numbers(series: pd.Series[Any], column: str) -> pd.Series[Any]:
    fault = numeric_problem(series)
    if fault is not None:
        raise FaultError(
            f"'{column}' is not a number: {fault}",
            "turn it into numbers first, with `kind: recode`",
        )
    return pd.Series(as_float(series), index=series.index)


def _transformed(derivation: TransformColumn, series: pd.Series[Any]) -> pd.Series[Any]:
    values = _numbers(series, derivation.of).to_numpy()
    fault = transform_fault(derivation.kind, derivation.of, values, series.index)
    if fault is not None:
        raise FaultError(fault.what, fault.mend)
    return pd.Series(TRANSFORMS[derivation.kind].function(values), index=series.index)


def _recoded(derivation: RecodeColumn, series: pd.Series[Any]) -> pd.Series[Any]:
    table = {label_of(old): new for old, new in derivation.values.items()}
    known = labels(series)
    listed = known.isin(list(table))
    unlisted = known[~listed & series.notna()]
    if len(unlisted) and derivation.otherwise == "error":
        raise FaultError(*_unlisted(derivation, unlisted, list(table)), "values")
    new = known.astype(object).map(table, na_action="ignore")
    return new.where(listed, series.astype(object)).infer_objects()


def _unlisted(
    derivation: RecodeColumn, unlisted: pd.Series[Any], known: list[str]
) -> tuple[str, str]:
    values = list(dict.fromkeys(unlisted))
    shown = ", ".join(f"'{value}'" for value in values[:SHOWN_VALUES])
    more = f" and {len(values) - SHOWN_VALUES} more" if len(values) > SHOWN_VALUES else ""
    what = (
        f"no new value is given for {shown}{more} of '{derivation.of}' "
        f"({rows_text(unlisted.index)})"
    )
    near = suggestion(values[0], known)
    hint = f"{near} Else list" if near.startswith("did you mean") else "list"
    return what, f"{hint} it under `values`, or set `otherwise: keep`"


def _combined(derivation: CombineColumns, sources: list[pd.Series[Any]]) -> pd.Series[Any]:
    parts = pd.DataFrame({position: labels(part) for position, part in enumerate(sources)})
    complete = parts.notna().all(axis=1)
    joined = parts.fillna("").agg(derivation.separator.join, axis=1)
    return joined.where(complete)


def exclusion_problems(
    frame: pd.DataFrame, exclude: Sequence[Exclusion], where: Where
) -> Iterator[Problem]:
    """Values that no row has, and bounds on what is no number.

    Columns that are not there are told elsewhere, with all others.
    """
    for position, item in enumerate(exclude):
        if item.column not in frame:
            continue
        base = ("data", "exclude", position)
        series = frame[item.column]
        known = list(labels(series).dropna().unique())
        for place, value in enumerate(item.one_of):
            if label_of(value) not in known:
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


def without_excluded(
    frame: pd.DataFrame, exclude: Sequence[Exclusion], where: Where
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Leave rows out; a row that has no value in the column stays.

    Returns
    -------
    pandas.DataFrame
        The rows that are left.
    tuple of str
        What each exclusion asked for, and how many rows it took.

    Raises
    ------
    DataError
        If no row is left.
    """
    said = []
    for position, item in enumerate(exclude):
        out = _excluded(frame[item.column], item)
        said.append(f"left out, {exclusion_words(item)} ({int(out.sum())} of {len(frame)} rows)")
        frame = frame[~out]
        if frame.empty:
            raise DataError(
                Problem(
                    f"no row is left after those with {exclusion_words(item)} are left out",
                    where(("data", "exclude", position)),
                    "leave fewer rows out",
                )
            )
    return frame, tuple(said)


def exclusion_words(item: Exclusion) -> str:
    """Say which rows are left out: ``industry: Furniture, Toys`` or ``employees below 10``."""
    if item.one_of:
        return f"{item.column}: {', '.join(label_of(value) for value in item.one_of)}"
    bounds = [
        f"{side} {label_of(bound)}"
        for side, bound in (("below", item.below), ("above", item.above))
        if bound is not None
    ]
    return f"{item.column} {' or '.join(bounds)}"


def _excluded(series: pd.Series[Any], item: Exclusion) -> NDArray[np.bool_]:
    """Whether each row is left out, ``(row,)``."""
    if item.one_of:
        wanted = [label_of(value) for value in item.one_of]
        return np.asarray(labels(series).isin(wanted), dtype=bool)
    values = as_float(series)
    below = np.zeros(len(values), dtype=bool) if item.below is None else values < item.below
    above = np.zeros(len(values), dtype=bool) if item.above is None else values > item.above
    found: NDArray[np.bool_] = below | above
    return found
