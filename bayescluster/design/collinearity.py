"""Columns that determine each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-8


def dependent_columns(columns: Mapping[str, NDArray[np.float64]]) -> tuple[str, ...]:
    """Name the columns of one exact linear dependence, the constant included.

    Returns
    -------
    tuple of str
        Columns with a part in the dependence that has the smallest singular value; empty where the
        columns are independent. Rows that lack a value are left aside; where too few are left,
        nothing is said.
    """
    if not columns:
        return ()
    matrix = np.column_stack(list(columns.values()))
    complete = np.isfinite(matrix).all(axis=1)
    if not complete.all() and complete.sum() <= matrix.shape[1]:
        return ()
    matrix = matrix[complete]
    centred = matrix - matrix.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    if (length == 0).any():
        return tuple(name for name, size in zip(columns, length, strict=True) if size == 0)
    _, singular, directions = np.linalg.svd(centred / length, full_matrices=False)
    if len(matrix) > matrix.shape[1] and singular[-1] > TOLERANCE * singular[0]:
        return ()
    part = np.abs(directions[-1])
    return tuple(name for name, size in zip(columns, part, strict=True) if size > 1e-6)
