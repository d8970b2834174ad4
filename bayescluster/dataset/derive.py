"""Columns derived from others, and the transforms that a column can take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, assert_never

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayescluster.arrays import Array
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
from bayescluster.lookup import suggestion
from bayescluster.spec.columns import Where
from bayescluster.spec.data import (
    CombineColumns,
    Derivation,
    RecodeColumn,
    ScaleColumn,
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
        sources = derivation.of if isinstance(derivation, CombineColumns) else (derivation.of,)
        if any(source not in columns or source in failed for source in sources):
            problems += [
                Problem(
                    f"no column '{source}' in the data to make '{derivation.name}' of",
                    where((*base, "of", *((step,) if derivation.kind == "combine" else ()))),
                    suggestion(source, columns),
                )
                for step, source in enumerate(sources)
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
            columns[derivation.name] = _column(derivation, [columns[name] for name in sources])
        except InputError as error:
            problems.append(error.at(where((*base, error.key or "of"))))
            failed.add(derivation.name)
    return Derived(pd.DataFrame(columns, index=frame.index), tuple(problems), frozenset(failed))


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
        case _:
            assert_never(derivation)


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
        shown = ", ".join(f"'{value}'" for value in values[:SHOWN_VALUES])
        more = f" and {len(values) - SHOWN_VALUES} more" if len(values) > SHOWN_VALUES else ""
        near = suggestion(values[0], [label_of(old) for old in derivation.values])
        hint = f"{near} Else list" if near.startswith("did you mean") else "list"
        raise InputError(
            f"no new value is given for {shown}{more} of '{derivation.of}' "
            f"({rows_text(unlisted.index)})",
            f"{hint} it under `values`, or set `otherwise: keep`",
            "values",
        )
    return new if any(isinstance(cell, Code) for cell in new) else new.infer_objects()
