"""The block ``weakest_node``: its options, and what an analysis cannot ask of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from bayescluster.errors import Problem
from bayescluster.names import CLUSTER, INTERCEPT, WITHIN
from bayescluster.spec.base import Frozen, Positive
from bayescluster.spec.columns import Where
from bayescluster.spec.data import CAPITALS, Capital
from bayescluster.spec.equation import Equation
from bayescluster.spec.hypotheses import By, Scope

if TYPE_CHECKING:
    from bayescluster.spec.analysis import Analysis

NAME = "weakest_node"


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
    """What costs and budget are counted in; printed next to them."""
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
        columns = {column for by in self.by or () for column in by.split(WITHIN)}
        if self.scope != "observed" and CLUSTER in columns:
            raise ValueError(f"by: cluster takes scope: observed, not {self.scope}")
        return self

    def step(self, capital: Capital) -> float:
        """Size of a step of a capital, in the declared unit."""
        return self.steps.get(capital, 1.0)


def weakest_node_problems(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Find what the block asks for that the analysis cannot give."""
    options = analysis.weakest_node
    if options is None:
        return
    if len(analysis.constructs) == 1:
        yield Problem(
            "the weakest node is the capital of the two that would add more, and constructs has one",
            where((NAME,)),
            f"leave {NAME} out: the effect by industry and cluster is in the report",
        )
        return
    if analysis.equation.structure == (INTERCEPT,):
        yield Problem(
            f"weakest_node compares the capitals, but '{analysis.equation_name}' has structure "
            "'intercept', which uses neither",
            where((NAME,)),
            "leave it out, or take a structure with both capitals",
        )
    yield from _group_problems(analysis, options, where)
    yield from _cost_problems(options, where)
    for capital in CAPITALS if options.unit == "original" else ():
        construct = analysis.constructs.get(capital)
        if construct is not None and construct.method == "latent":
            yield Problem(
                f"steps are asked for in original units, but {capital} is latent and has none",
                where((NAME, "unit")),
                "use `unit: sd`",
            )
    yield from _target_problems(analysis.equation, options, where)


def _group_problems(analysis: Analysis, options: WeakestNode, where: Where) -> Iterator[Problem]:
    if options.scope == "observed":
        return
    at = where((NAME, "scope"))
    if analysis.data.cluster is None:
        yield Problem(
            f"scope {options.scope} needs clusters, but the data declare none",
            at,
            "add `cluster:` with its column under data, or use `scope: observed`",
        )
    elif "cluster" not in analysis.equation.varying:
        yield Problem(
            f"scope {options.scope} needs effects of clusters, and none vary by cluster",
            at,
            "add `cluster: [intercept]` under varying, or use `scope: observed`",
        )


def _cost_problems(options: WeakestNode, where: Where) -> Iterator[Problem]:
    lacking = next((capital for capital in CAPITALS if capital not in options.costs), None)
    if options.costs and lacking:
        yield Problem(
            f"costs lacks {lacking}: gains per cost can only be compared where both have one",
            where((NAME, "costs")),
            f"add `{lacking}:`, or leave costs out",
        )
    if options.budget is not None and not options.costs:
        yield Problem(
            "a budget can only be spent on what has a cost, and no costs are declared",
            where((NAME, "budget")),
            "add `costs:` of a step of both capitals, or leave budget out",
        )


def _target_problems(equation: Equation, options: WeakestNode, where: Where) -> Iterator[Problem]:
    from bayescluster.families import FAMILIES

    family = FAMILIES[equation.family]
    bounded = family.scale in ("probability", "share") or equation.at_least is not None
    floor = -math.inf if family.link == "identity" and not bounded else 0.0
    scale = "between 0 and 1" if bounded else "never below 0"
    for position, target in enumerate(options.targets or ()):
        if not floor <= target <= (1.0 if bounded else math.inf):
            yield Problem(
                f"the target {target:g} cannot be reached: the expected outcome is {scale}",
                where((NAME, "targets", position)),
                "give targets on the scale of the outcome",
            )
