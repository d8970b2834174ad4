"""Which equation feeds which: a directed graph without cycles."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from bayescluster.spec.equation import Equation


def causal_order(equations: Mapping[str, Equation]) -> list[str]:
    """Equations in an order in which every predictor comes before what it explains.

    Raises
    ------
    graphlib.CycleError
        If equations feed each other in a circle.
    """
    before = {
        name: [other for other in equation.predictors if other in equations]
        for name, equation in equations.items()
    }
    return list(TopologicalSorter(before).static_order())


def cycle_of(equations: Mapping[str, Equation]) -> tuple[str, ...]:
    """Equations that feed each other in a circle, the first named again at the end; or none."""
    try:
        causal_order(equations)
    except CycleError as error:
        return tuple(error.args[1])
    return ()


def ancestors(equations: Mapping[str, Equation], name: str) -> tuple[str, ...]:
    """Equations that an equation rests on, directly or not, in causal order."""
    behind: set[str] = set()
    waiting = list(equations[name].predictors)
    while waiting:
        parent = waiting.pop()
        if parent not in behind:
            behind.add(parent)
            waiting += equations[parent].predictors
    return tuple(each for each in causal_order(equations) if each in behind)
