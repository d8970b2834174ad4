"""Named functions of a column, with the values they are defined on."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.values import rows_text

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
