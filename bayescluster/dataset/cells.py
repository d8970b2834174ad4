"""Cells of a table as read: plain types, missing codes, value labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayescluster.dataset.values import label_of
from bayescluster.spec.base import Scalar


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Give every column a plain type: numbers, booleans, text or objects, NaN where missing."""
    return pd.DataFrame({str(name): _plain(frame[name]) for name in frame.columns})


def _plain(series: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(series.dtype, np.dtype) and series.dtype != object:
        return series
    cells = series.astype(object)
    cells = cells.mask(cells.isna() | cells.isin([""]), np.nan)
    if pd.api.types.infer_dtype(cells, skipna=True) == "decimal":
        return cells.astype(float)
    return cells.infer_objects()


def without_codes(frame: pd.DataFrame, codes: Sequence[Scalar]) -> pd.DataFrame:
    """Make the codes for "no answer" missing, in columns of numbers and of text.

    Numbers and their text are the same code: -9 is also found as ``'-9'`` and the reverse.
    """
    if not codes:
        return frame
    return pd.DataFrame({name: _without(frame[name], codes) for name in frame.columns})


def _without(series: pd.Series[Any], codes: Sequence[Scalar]) -> pd.Series[Any]:
    texts = {label_of(code) for code in codes}
    if pd.api.types.is_bool_dtype(series) or series.dtype == object:
        # cell by cell: True is no 1
        coded = series.map(label_of).isin(texts)
    elif pd.api.types.is_numeric_dtype(series):
        coded = series.isin([number for number in map(_number, texts) if number is not None])
    else:
        coded = series.isin(list(texts))
    return series.mask(coded).infer_objects() if coded.any() else series


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def apply_labels(
    frame: pd.DataFrame, value_labels: Mapping[str, Mapping[Any, str]]
) -> pd.DataFrame:
    """Replace codes by their labels in columns where every value left has one.

    A column with labels on missing codes only, or on the ends of a scale only, stays as it is.
    """
    changed = {
        name: frame[name].astype(object).map(dict(known))
        for name, known in value_labels.items()
        if name in frame and _fully_labelled(frame[name], known)
    }
    return frame.assign(**{name: column.infer_objects() for name, column in changed.items()})


def _fully_labelled(series: pd.Series[Any], known: Mapping[Any, str]) -> bool:
    values = series.dropna().unique()
    return bool(len(values)) and all(value in known for value in values)


def digest_of(frame: pd.DataFrame) -> str:
    """Hash names, types and cells of a table: sha256 in hexadecimal."""
    names = [[str(name), str(dtype)] for name, dtype in frame.dtypes.items()]
    digest = hashlib.sha256(json.dumps([len(frame), names]).encode())
    for name in frame.columns:
        digest.update(pd.util.hash_array(_hashable(frame[name])).tobytes())
    return digest.hexdigest()


def _hashable(series: pd.Series[Any]) -> np.ndarray[Any, Any]:
    if pd.api.types.is_numeric_dtype(series):
        return series.to_numpy()
    # the type tells True from 'True', and a missing cell from the text 'nan'
    cells = series.astype(object)
    return cells.map(lambda cell: f"{type(cell).__name__} {cell}").to_numpy(dtype=object)
