"""Rows that an analysis leaves out by what a column holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayescluster.dataset.values import as_float, label_of, labels, numeric_problem
from bayescluster.errors import DataError, Problem
from bayescluster.lookup import suggestion
from bayescluster.spec.columns import Where
from bayescluster.spec.data import Exclusion


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
