"""A numeric control as a smooth curve: the columns of a cubic B-spline."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import BSpline

from bayescluster.arrays import Array
from bayescluster.dataset.transforms import Fault

DEGREE = 3
"""Cubic: two continuous derivatives, which is as smooth as an eye can tell."""


def spline_fault(name: str, values: Array, df: int) -> Fault | None:
    """Say why a column cannot carry a spline, and what to do instead.

    Parameters
    ----------
    name
        Name of the control, for the message.
    values
        One value a row.
    df
        Degrees of freedom: columns of the spline.
    """
    distinct, counts = np.unique(values, return_counts=True)
    if distinct.size <= df:
        few = distinct.size - 1
        other = f"`spline: {few}`, " if few >= DEGREE else ""
        return Fault(
            f"the control '{name}' has {distinct.size} different values, "
            f"too few for a spline of {df} columns",
            f"use {other}`coding: treatment`, or enter it without `spline`",
        )
    if (np.diff(_breaks(values, df)) <= 0).any():
        most, share = distinct[counts.argmax()], counts.max() / values.size
        return Fault(
            f"the knots of a spline of {df} columns for '{name}' fall on each other: "
            f"{100 * share:.0f}% of the rows hold {most:g}",
            "ask for fewer columns, or enter it without `spline`",
        )
    return None


def spline_columns(values: Array, df: int) -> Array:
    """Columns of a cubic B-spline, without its first.

    The knots inside stand at quantiles of the values, so that each stretch holds as many rows; the
    ends at the smallest and largest value. All columns of a B-spline add up to 1, which is the
    intercept: the first is left out, and the curve is 0 at the smallest value.

    Parameters
    ----------
    values
        One value a row, of which `spline_fault` finds nothing wrong.
    df
        Number of columns.

    Returns
    -------
    ndarray
        ``(row, df)``, each between 0 and 1.
    """
    breaks = _breaks(values, df)
    knots = np.concatenate([[breaks[0]] * DEGREE, breaks, [breaks[-1]] * DEGREE])
    full = BSpline.design_matrix(values, knots, DEGREE).toarray()
    return np.asarray(full[:, 1:], dtype="float64")


def _breaks(values: Array, df: int) -> Array:
    """Ends and knots between them, in order."""
    return np.asarray(np.quantile(values, np.linspace(0, 1, df - DEGREE + 2)))
