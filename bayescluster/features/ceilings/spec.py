"""How ceilings are read: what counts as a ceiling, and over which firms it is taken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from bayescluster.errors import Problem
from bayescluster.spec.base import Frozen, OpenProbability
from bayescluster.spec.columns import Where

if TYPE_CHECKING:
    from bayescluster.spec.analysis import Analysis


class Ceilings(Frozen):
    """Ceilings of a fitted form, their effect sizes and bottlenecks."""

    d_min: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1
    """Smallest effect size that counts; 0.1 is where Dul's medium effects begin."""
    quantile: OpenProbability = 0.95
    """The ceiling of an amount or a count is this quantile of its posterior predictive
    distribution; that of a yes-or-no outcome, a share of trials or a level is its expectation."""
    supported: tuple[OpenProbability, OpenProbability] = (0.05, 0.95)
    """Quantiles between which levels of the other capital count as supported, in each group."""
    scope: tuple[OpenProbability, OpenProbability] | None = None
    """Quantiles of the capital that bound the scope, in each group; without them its range."""
    outcome_scope: tuple[float, float] | None = None
    """Lowest and highest outcome of the scope; without it 0 and 1 for probabilities and shares,
    and the range of the sample for others."""
    targets: Annotated[tuple[float, ...], Field(min_length=1)] | None = None
    """Levels of the outcome whose bottlenecks are reported; without them every tenth of its scope."""

    @model_validator(mode="after")
    def _in_order(self) -> Ceilings:
        for name in ("supported", "scope", "outcome_scope"):
            pair = getattr(self, name)
            if pair is not None and pair[0] >= pair[1]:
                raise ValueError(f"{name} must go from a lower to a higher number")
        if self.targets is not None and list(self.targets) != sorted(set(self.targets)):
            raise ValueError("targets must go from low to high, each once")
        return self


BASE = ("traditions", "ceilings")


def ceiling_problems(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Refuse a scope or targets that the outcome in focus cannot have."""
    from bayescluster.families import FAMILIES

    options, equation = analysis.traditions.ceilings, analysis.equation
    scale = FAMILIES[equation.family].scale
    bounded = scale in ("probability", "share") or equation.at_least is not None
    scope = options.outcome_scope or ((0.0, 1.0) if bounded else None)
    if scope is None:
        return
    if bounded and not 0 <= scope[0] < scope[1] <= 1:
        yield Problem(
            f"outcome_scope goes from {scope[0]:g} to {scope[1]:g}, and '{equation.outcome}' is a "
            "probability or a share",
            where((*BASE, "outcome_scope")),
            "stay between 0 and 1, or leave it out",
        )
    for target in options.targets or ():
        if not scope[0] <= target <= scope[1]:
            yield Problem(
                f"the target {target:g} lies outside the scope of '{equation.outcome}', "
                f"from {scope[0]:g} to {scope[1]:g}",
                where((*BASE, "targets")),
                "name levels of the outcome inside its scope",
            )
