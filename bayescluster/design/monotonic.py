"""A control with ordered levels, whose steps are estimated and all go one way.

Such a control adds ``change * (sum of the shares of the steps up to the row's level)`` to the linear
predictor: ``change`` is that from the lowest to the highest level, and the shares of the steps are a
simplex (Bürkner and Charpentier 2020, who write the change of an average step). The design holds the
level of every row; until shares are known, the steps count as equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayescluster.dataset.transforms import Fault
from bayescluster.dataset.values import label_of, numeric_problem
from bayescluster.design.record import Design
from bayescluster.lookup import suggestion
from bayescluster.names import MONOTONIC, MONOTONIC_CODE, ROW, STEP, STEP_CONTROL
from bayescluster.spec.equation import ColumnControl

FEWEST_LEVELS = 3
"""With two there is one step, and nothing to estimate about it."""


class Ladder(NamedTuple):
    """Levels from lowest to highest, and the position of each row's level, ``(row,)``."""

    levels: tuple[str, ...]
    codes: NDArray[np.int64]

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the steps from one level to the next."""
        pairs = zip(self.levels[:-1], self.levels[1:], strict=True)
        return tuple(f"{low} | {high}" for low, high in pairs)


class Monotonic(NamedTuple):
    """A control whose steps are estimated: column ``position`` of the controls has them equal.

    With ``shares`` of the steps, a simplex ``(step,)``, the column is ``cumsum([0, *shares])[codes]``
    and its coefficient the change from the lowest level to the highest.
    """

    name: str
    position: int
    steps: tuple[str, ...]
    codes: NDArray[np.int64]
    """Position of each row's level, ``(row,)``."""


def ladder_of(control: ColumnControl, series: pd.Series, found: list[str]) -> Ladder | Fault:
    """Put the levels of a control in order, or say why that cannot be done.

    Parameters
    ----------
    control
        The control; where it declares no levels, their numbers tell the order.
    series
        Its column, one value a row, none missing.
    found
        Levels that the column holds, sorted.
    """
    column = control.column
    if not control.levels and numeric_problem(series) is not None:
        return Fault(
            f"the levels of '{column}' are words, whose order is not known: {', '.join(found)}",
            "list them from lowest to highest under `levels`",
        )
    levels = [label_of(level) for level in control.levels] or found
    fault = _level_fault(column, levels, found, len(series))
    if fault is not None:
        return fault
    position = {level: code for code, level in enumerate(levels)}
    codes: NDArray[np.int64] = series.map(label_of).map(position).to_numpy().astype("int64")
    return Ladder(tuple(levels), codes)


def ladder_variables(ladders: Mapping[str, Ladder]) -> dict[str, Any]:
    """Variables of the design for the controls with a ladder, by name; none, no variables."""
    if not ladders:
        return {}
    owners = [name for name, ladder in ladders.items() for _ in ladder.steps]
    labels = [step for ladder in ladders.values() for step in ladder.steps]
    codes = np.column_stack([ladder.codes for ladder in ladders.values()])
    return {
        MONOTONIC: (MONOTONIC, np.array(list(ladders), dtype=str)),
        STEP: (STEP, np.array(labels, dtype=str)),
        STEP_CONTROL: (STEP, np.array(owners, dtype=str)),
        MONOTONIC_CODE: ((ROW, MONOTONIC), codes),
    }


def monotonic_controls(design: Design) -> tuple[Monotonic, ...]:
    """Controls of a design whose steps are estimated, in the order of the analysis."""
    if MONOTONIC not in design.data.coords:
        return ()
    steps = tuple(zip(design.labels(STEP_CONTROL), design.labels(STEP), strict=True))
    codes = np.asarray(design.data[MONOTONIC_CODE].to_numpy(), dtype="int64")
    return tuple(
        Monotonic(
            name,
            design.control_names.index(name),
            tuple(step for owner, step in steps if owner == name),
            codes[:, column],
        )
        for column, name in enumerate(design.labels(MONOTONIC))
    )


def _level_fault(column: str, levels: list[str], found: list[str], rows: int) -> Fault | None:
    for level in found:
        if level not in levels:
            return Fault(
                f"'{column}' holds '{level}', which is not among its declared levels",
                f"{suggestion(level, levels)}; list it, or leave such rows out with `keep`",
            )
    for level in levels:
        if level not in found:
            return Fault(
                f"no firm has the level '{level}' of '{column}'", "leave it out, or merge levels"
            )
    if len(levels) < FEWEST_LEVELS:
        return Fault(
            f"the control '{column}' has {len(levels)} level{'s' * (len(levels) != 1)}: "
            "there are no steps to tell apart",
            "enter it without `monotonic`",
        )
    if len(levels) > rows // 2:
        return Fault(
            f"the control '{column}' has {len(levels)} levels in {rows} rows",
            "enter it as a number, without `monotonic`, or as a `spline`",
        )
    return None
