"""How ceilings are read: what counts as a ceiling, and over which firms it is taken."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from bayescluster.spec.base import Frozen, OpenProbability


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
    """Levels of the outcome whose bottlenecks are told; without them every tenth of its scope."""

    @model_validator(mode="after")
    def _in_order(self) -> Ceilings:
        for name in ("supported", "scope", "outcome_scope"):
            pair = getattr(self, name)
            if pair is not None and pair[0] >= pair[1]:
                raise ValueError(f"{name} must go from a lower to a higher number")
        if self.targets is not None and list(self.targets) != sorted(set(self.targets)):
            raise ValueError("targets must go from low to high, each once")
        return self
