"""Further conditions of truth tables, as arrays in their own units."""

from __future__ import annotations

from typing import Any

import numpy as np

from bayescluster.arrays import Array
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.values import InputError, numbers, rows_text
from bayescluster.errors import Problem
from bayescluster.names import ROW, SET_CONDITION, SET_CONDITIONS
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where


def condition_variables(
    analysis: Analysis, firms: Firms, where: Where, problems: list[Problem]
) -> dict[str, Any]:
    """Conditions as an array ``(row, condition)``, NaN where missing; empty where there are none.

    Faults are added to ``problems``.
    """
    conditions = analysis.traditions.sets.conditions
    columns: list[Array] = []
    for position, condition in enumerate(conditions):
        what = f"the condition '{condition.column}'"
        try:
            values = numbers(firms.frame[condition.column], what)
            columns.append(values)
            outside = (values < 0) | (values > 1)
            if condition.anchors is None and outside.any():
                raise InputError(
                    f"{what} has no anchors and is not a membership between 0 and 1: "
                    f"{values[outside][0]:g} in {rows_text(firms.frame.index[outside])}",
                    "give it anchors: exclusion, crossover and inclusion",
                )
        except InputError as error:
            path = ("traditions", "sets", "conditions", position, "column")
            problems.append(error.at(where(path)))
    if not conditions or len(columns) < len(conditions):
        return {}
    names = np.array([condition.column for condition in conditions], dtype=str)
    return {SET_CONDITIONS: ((ROW, SET_CONDITION), np.column_stack(columns)), SET_CONDITION: names}
