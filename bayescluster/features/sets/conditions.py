"""What an analysis cannot ask of its sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bayescluster.errors import Problem
from bayescluster.families import YES_OR_NO
from bayescluster.lookup import suggestion
from bayescluster.names import CAPITALS
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
                f"'{name}' is not a condition of the truth table",
                where((*BASE, "expect", name)),
                suggestion(name, known),
            )
