"""Loops over firms that are compiled; apart, so that numba is imported only where they run."""

from __future__ import annotations

from typing import Any

import numba

from bayescluster.arrays import Array


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def predict(inputs: Array, cell: Any, centre: Array, out: Array) -> None:
    """Add the linear predictor of rows to ``out``, ``(row,)``, by the coefficients of their cells."""
    for i in range(inputs.shape[0]):
        total, c = 0.0, cell[i]
        for k in range(inputs.shape[1]):
            total += inputs[i, k] * centre[c, k]
        out[i] += total


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def gather(inputs: Array, cell: Any, terms: Array, quadratic: Any, third: Array) -> None:
    """Add value, slope, curvature (lower triangle), size and third derivatives of rows to their cells."""
    value, slope, curvature, size = quadratic
    width, cubic = inputs.shape[1], third.shape[0] > 0
    for i in range(inputs.shape[0]):
        c = cell[i]
        value[c] += terms[0, i]
        size[c] += 1.0
        for j in range(width):
            x = inputs[i, j]
            slope[c, j] += terms[1, i] * x
            for k in range(j + 1):
                xx = x * inputs[i, k]
                curvature[c, j, k] += terms[2, i] * xx
                if cubic:
                    for m in range(k + 1):
                        third[c, j, k, m] += terms[3, i] * xx * inputs[i, m]
