"""Estimands that were computed from a posterior, named for the gate."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from bayescluster.arrays import Array
from bayescluster.dataset.values import label_of
from bayescluster.estimands.effects import SurfaceDraws
from bayescluster.hypotheses.evidence import Evidence, Looked


def reported(evidence: Evidence) -> dict[str, Array]:
    """Every estimand that was computed from the posterior, by name, ``(draw,)`` each."""
    found: dict[str, Array] = {}
    for looked, surface in evidence.computed().items():
        if looked.source == "posterior":
            found |= _of_groups(evidence, looked, surface)
            if looked.scope != "new_industry":  # it takes the place of every industry
                found |= _differences(evidence, looked, surface)
    return found


def _declared(evidence: Evidence, looked: Looked) -> str:
    """Levels in words, with the level of the outcome where another is asked for than the equation's."""
    declared = looked.levels.declared
    if looked.at_least is None or looked.at_least == evidence.design.equation.at_least:
        return declared
    return f"{declared}; at least {label_of(looked.at_least)}"


def _of_groups(evidence: Evidence, looked: Looked, surface: SurfaceDraws) -> dict[str, Array]:
    named = {f"effect of {name}": values for name, values in surface.marginal.items()}
    named |= {f"contrast of {name}": values for name, values in surface.contrast.items()}
    named |= {f"corner {name}": values for name, values in surface.corners.items()}
    named["cross difference"] = surface.cross_difference
    columns = list(_columns(evidence))
    if looked.scope == "new_industry":
        columns = columns[:1]
    where = f"{looked.scope}; {_declared(evidence, looked)}"
    return {
        f"{name} ({label}; {where})": values[:, column]
        for name, values in named.items()
        for column, label in columns
    }


def _differences(evidence: Evidence, looked: Looked, surface: SurfaceDraws) -> dict[str, Array]:
    where = f"{looked.scope}; {_declared(evidence, looked)}"
    return {
        f"effect of {name} ({a} less {b}; {where})": values[:, first] - values[:, second]
        for (first, a), (second, b) in combinations(evidence.columns("industry"), 2)
        for name, values in surface.marginal.items()
    }


def _columns(evidence: Evidence) -> Iterator[tuple[int, str]]:
    """Columns of all groups, the whole sample first, each with the name of its group."""
    for by in ("all", "industry", "cluster"):
        for column, label in evidence.columns(by):
            yield column, label if by == "all" else f"{by} {label}"
