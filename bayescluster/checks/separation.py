"""Separation: whether predictors foretell a yes or no without error in the sample.

Konis (2007), Linear programming algorithms for detecting separated data in binary logistic
regression models, DPhil thesis, University of Oxford: coefficients exist for which no row is on the
wrong side, and some row on the right one, just where a linear program has a positive optimum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from bayescluster.arrays import Array

Mask = NDArray[np.bool_]

TOLERANCE = 1e-6
"""Margins below it are those of the solver."""


class Separation(NamedTuple):
    """Columns that separate, whether completely, and the share of rows that are foretold."""

    columns: tuple[str, ...]
    complete: bool
    share: float


def separation(columns: Mapping[str, Array], yes: Mask, no: Mask) -> Separation | None:
    """Look for separation of a yes or no outcome by a linear predictor.

    Parameters
    ----------
    columns
        Coded predictors by name, ``(row,)`` each, without the constant; finite.
    yes, no
        Whether a row has any yes, and any no, ``(row,)``: a row of several trials can have both.

    Returns
    -------
    Separation or None
        Columns that separate alone, or else a smallest set that does so together; None where
        the outcome overlaps everywhere, or has one value only.
    """
    known = {
        name: (values - values.mean()) / values.std()
        for name, values in columns.items()
        if values.std() > 0
    }
    if not known or not (yes.any() and no.any()):
        return None
    whole = _rule(list(known.values()), yes, no)
    if whole is None:
        return None
    alone = [name for name, values in known.items() if _rule([values], yes, no) is not None]
    signed = _signed(list(known.values()), yes, no)
    complete = _is_complete(signed)
    right = 1.0 if complete else float((signed @ whole > TOLERANCE).mean())
    return Separation(tuple(alone or _fewest(known, yes, no)), complete, right)


def _fewest(known: Mapping[str, Array], yes: Mask, no: Mask) -> list[str]:
    """Columns that separate together and no longer do when one more is left out."""
    kept = dict(known)
    for name in known:
        rest = [values for other, values in kept.items() if other != name]
        if rest and _rule(rest, yes, no) is not None:
            del kept[name]
    return list(kept)


def _signed(columns: list[Array], yes: Mask, no: Mask) -> Array:
    """Rows with the constant, turned round for each no, ``(observation, coefficient)``."""
    rows = np.column_stack([np.ones(len(yes)), *columns])
    return np.concatenate([rows[yes], -rows[no]])


def _rule(columns: list[Array], yes: Mask, no: Mask) -> Array | None:
    """Coefficients with no row on the wrong side and some on the right one."""
    signed = _signed(columns, yes, no)
    found = linprog(
        -signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1.0, 1.0)
    )
    if found.x is None or -found.fun <= TOLERANCE * len(signed):
        return None
    return np.asarray(found.x)


def _is_complete(signed: Array) -> bool:
    """Whether a rule has every row on its right side by a margin."""
    size = signed.shape[1]
    found = linprog(
        np.append(np.zeros(size), -1.0),
        A_ub=np.column_stack([-signed, np.ones(len(signed))]),
        b_ub=np.zeros(len(signed)),
        bounds=[(-1.0, 1.0)] * size + [(0.0, 1.0)],
    )
    return found.x is not None and float(found.x[-1]) > TOLERANCE
