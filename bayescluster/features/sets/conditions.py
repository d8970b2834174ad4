"""Sets of the set-theoretic reading: what an analysis cannot ask of them, and their columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.values import as_float, numeric_problem, rows_text
from bayescluster.errors import Problem
from bayescluster.families import YES_OR_NO
from bayescluster.lookup import suggestion
from bayescluster.names import CAPITALS, ROW, SET_CONDITION, SET_CONDITIONS
from bayescluster.spec.columns import Where

if TYPE_CHECKING:
    from bayescluster.spec.analysis import Analysis


BASE = ("traditions", "sets")


def set_problems(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Faults that need no data to be seen."""
    sets, equation = analysis.traditions.sets, analysis.equation
    crisp = equation.family in YES_OR_NO or equation.at_least is not None
    if sets.outcome is not None and crisp:
        yield Problem(
            f"the outcome '{equation.outcome}' is yes or no: a crisp set takes no anchors",
            where((*BASE, "outcome")),
            "leave the anchors of the outcome out",
        )
    known = [*CAPITALS, *(condition.column for condition in sets.conditions)]
    for name in sets.expect:
        if name not in known:
            yield Problem(
                f"'{name}' is no condition of the truth table",
                where((*BASE, "expect", name)),
                suggestion(name, known),
            )


def condition_variables(
    analysis: Analysis, firms: Firms, where: Where, problems: list[Problem]
) -> dict[str, Any]:
    """Further conditions as an array ``(row, condition)`` in their own units, NaN where missing.

    Faults are added to ``problems``; nothing where there are no conditions.
    """
    asked = analysis.traditions.sets.conditions
    columns = []
    for position, condition in enumerate(asked):
        path = (*BASE, "conditions", position)
        series = firms.frame[condition.column]
        fault = numeric_problem(series)
        if fault is not None:
            problems.append(
                Problem(
                    f"the condition '{condition.column}' is not a number: {fault}",
                    where((*path, "column")),
                    "turn it into numbers with `derive: kind: recode`, or name another column",
                )
            )
            continue
        values = as_float(series)
        outside = (values < 0) | (values > 1)
        if condition.anchors is None and outside.any():
            rows = firms.frame.index[outside]
            problems.append(
                Problem(
                    f"the condition '{condition.column}' has no anchors and is no membership between "
                    f"0 and 1: {values[outside][0]:g} in {rows_text(rows)}",
                    where((*path, "column")),
                    "give it anchors: exclusion, crossover and inclusion",
                )
            )
        columns.append(values)
    if not asked or len(columns) < len(asked):
        return {}
    names = np.array([condition.column for condition in asked], dtype=str)
    return {SET_CONDITIONS: ((ROW, SET_CONDITION), np.column_stack(columns)), SET_CONDITION: names}
