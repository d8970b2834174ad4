"""Derived columns: transforms, scalings, recodings and keys of several columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, assert_never

import pandas as pd

from bayescluster.dataset.fault import FaultError
from bayescluster.dataset.transforms import TRANSFORMS, transform_fault
from bayescluster.dataset.values import as_float, label_of, labels, numeric_problem, rows_text
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
