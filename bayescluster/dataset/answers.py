"""Answers to the indicators of a latent construct, as its measurement model takes them."""

from __future__ import annotations

import numpy as np

from bayescluster.arrays import Array
from bayescluster.dataset.scaling import standardise
from bayescluster.spec.constructs import Construct

MOST_LEVELS = 12
"""An ordinal answer with more levels than this is as good as continuous."""


def mean_answer(standardised: Array) -> Array:
    """Mean of the answers a firm gave, ``(firm, item) -> (firm,)``; 0 where it gave none."""
    answered = np.isfinite(standardised)
    total = np.where(answered, standardised, 0.0).sum(axis=1)
    return np.asarray(total / np.maximum(answered.sum(axis=1), 1))


def as_answers(items: Array, construct: Construct) -> tuple[Array, tuple[int, ...]]:
    """Code answers: continuous ones standardised, binary and ordinal ones from 0.

    Parameters
    ----------
    items
        Answers, transformed and turned the same way, ``(firm, item)``; NaN where missing.
    construct
        Declares which indicators are ordinal.

    Returns
    -------
    tuple
        Answers ``(firm, item)``, and the number of levels of each item (0 where continuous).
    """
    columns, levels = [], []
    for values, item in zip(items.T, construct.items, strict=True):
        known = np.unique(values[np.isfinite(values)])
        if np.isin(known, (0.0, 1.0)).all() or item.kind == "ordinal":
            codes = np.searchsorted(known, values).astype("float64")
            columns.append(np.where(np.isfinite(values), codes, np.nan))
            levels.append(known.size)
        else:
            columns.append(standardise(values).values)
            levels.append(0)
    return np.column_stack(columns), tuple(levels)
