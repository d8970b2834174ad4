"""Faults of the block on ceilings that need no data to be seen."""

from __future__ import annotations

from collections.abc import Iterator

from bayescluster.errors import Problem
from bayescluster.families import FAMILIES
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where

BASE = ("traditions", "ceilings")


def ceiling_problems(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Refuse a scope or targets that the outcome in focus cannot have."""
    asked, equation = analysis.traditions.ceilings, analysis.equation
    scale = FAMILIES[equation.family].scale
    bounded = scale in ("probability", "share") or equation.at_least is not None
    scope = asked.outcome_scope or ((0.0, 1.0) if bounded else None)
    if scope is None:
        return
    if bounded and not 0 <= scope[0] < scope[1] <= 1:
        yield Problem(
            f"outcome_scope goes from {scope[0]:g} to {scope[1]:g}, and '{equation.outcome}' is a "
            "probability or a share",
            where((*BASE, "outcome_scope")),
            "stay between 0 and 1, or leave it out",
        )
    for target in asked.targets or ():
        if not scope[0] <= target <= scope[1]:
            yield Problem(
                f"the target {target:g} lies outside the scope of '{equation.outcome}', "
                f"from {scope[0]:g} to {scope[1]:g}",
                where((*BASE, "targets")),
                "name levels of the outcome inside its scope",
            )
