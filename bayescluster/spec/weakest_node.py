"""Which capital holds a group back: the step, what it costs, and where it is asked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bayescluster.spec.base import Frozen, Positive
from bayescluster.spec.constructs import Capital
from bayescluster.spec.hypotheses import By, Scope


class WeakestNode(Frozen):
    """Gains from raising either capital by a step, compared, priced and ranked."""

    steps: dict[Capital, Positive] = {}
    """By how much a firm's capital is raised; 1 where none is given. A yes-or-no capital goes from
    no to yes, whatever the step."""
    unit: Literal["sd", "original"] = "sd"
    """Unit of the steps: standard deviations, or units of the construct."""
    costs: dict[Capital, Positive] = {}
    """Cost of one step for one firm, of both capitals; without it gains are not priced."""
    currency: str = ""
    """What costs and budget are counted in; printed beside them."""
    budget: Positive | None = None
    """What can be spent: the plan with the largest expected gain is then worked out."""
    by: Annotated[tuple[By, ...], Field(min_length=1)] | None = None
    """Kinds of groups; without it industry and cluster, as far as the data declare them."""
    scope: Scope = "observed"
    """Firms in their own clusters, in the average cluster of the industry, or in a new cluster."""
    targets: tuple[float, ...] | None = None
    """Levels of the expected outcome for the bottleneck table; for probabilities and shares 0.25,
    0.5 and 0.75 without it, for other outcomes none."""
    level: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.95
    """A capital is called the weakest node at or above this probability."""
    support: Annotated[float, Field(gt=0.5, le=1.0)] = 0.95
    """No firm is raised above this quantile of the capital within its group."""
    min_support: Annotated[int, Field(ge=0)] = 5
    """Fewest firms of a group that must be raised for its gain to count as supported."""

    @model_validator(mode="after")
    def _scope_fits(self) -> WeakestNode:
        if self.scope != "observed" and "cluster" in (self.by or ()):
            raise ValueError(f"by: cluster takes scope: observed, not {self.scope}")
        return self

    def step(self, capital: Capital) -> float:
        """Size of a step of a capital, in the declared unit."""
        return self.steps.get(capital, 1.0)
