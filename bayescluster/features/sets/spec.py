"""How the set-theoretic tradition (fsQCA) reads a run: calibration, conditions, cuts, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from bayescluster.errors import Problem
from bayescluster.lookup import suggestion
from bayescluster.names import CAPITALS
from bayescluster.spec.base import Column, Frozen, NonNegative, OpenProbability, Probability
from bayescluster.spec.columns import Where

if TYPE_CHECKING:
    from bayescluster.spec.analysis import Analysis


Expected = Literal["present", "absent", "either"]


class SetAnchors(Frozen):
    """Three anchors of a fuzzy set, rising or falling, and how sure they are.

    Those of a capital are in the units of its construct; those of the outcome in its own.
    """

    exclusion: float
    """Fully out of the set: membership .05."""
    crossover: float
    """Neither in nor out: membership .5."""
    inclusion: float
    """Fully in the set: membership .95."""
    sd: tuple[NonNegative, NonNegative, NonNegative] = (0.0, 0.0, 0.0)
    """Standard deviations of the three anchors: each is normal around its value, in this order."""

    @model_validator(mode="after")
    def _in_order(self) -> SetAnchors:
        rising = self.exclusion < self.crossover < self.inclusion
        falling = self.exclusion > self.crossover > self.inclusion
        if not rising and not falling:
            raise ValueError("exclusion, crossover and inclusion must rise or fall in this order")
        return self


class SetCondition(Frozen):
    """A further condition of the truth table: a column of the data."""

    column: Column
    anchors: SetAnchors | None = None
    """Without them the column must hold memberships between 0 and 1."""


class NecessityCuts(Frozen):
    """What counts as necessary."""

    consistency: Probability = 0.9
    relevance: Probability = 0.5
    """Least relevance of necessity (RoN): below it the condition is trivial."""


class SufficiencyCuts(Frozen):
    """What counts as sufficient, and which rows of a truth table are coded at all."""

    consistency: Probability = 0.8
    pri: Probability = 0.5
    """Least proportional reduction in inconsistency: below it a set is as consistent with the
    absence of the outcome."""
    cases: Annotated[int, Field(ge=1)] = 1
    """Rows of the truth table with fewer cases are logical remainders."""


class Sets(Frozen):
    """How sets are calibrated and judged."""

    human_capital: SetAnchors | None = None
    social_capital: SetAnchors | None = None
    outcome: SetAnchors | None = None
    """Yes-or-no outcomes are crisp sets and take none."""
    quantiles: tuple[OpenProbability, OpenProbability, OpenProbability] = (0.1, 0.5, 0.9)
    """Anchors from the sample where none are declared. They say where firms stand among the others
    of the sample, not what theory calls high: declare anchors where there are grounds for them."""
    conditions: tuple[SetCondition, ...] = ()
    """Conditions of the truth table beside the two capitals."""
    necessity: NecessityCuts = NecessityCuts()
    sufficiency: SufficiencyCuts = SufficiencyCuts()
    expect: dict[str, Expected] = {}
    """By capital or condition: whether its presence or its absence is expected to go with the
    outcome, for the intermediate solution. The presence of the capitals is expected without it."""
    order: Annotated[int, Field(ge=1, le=4)] = 2
    """Most conditions in a combination of the superset and subset search."""
    min_cases: Annotated[int, Field(ge=0)] = 5
    """Fewest firms with membership above .5 that a reading must rest on."""
    replicates: Annotated[int, Field(ge=100, le=10_000)] = 1000
    """Replicates behind intervals and probabilities."""

    @model_validator(mode="after")
    def _quantiles_rise(self) -> Sets:
        if not self.quantiles[0] < self.quantiles[1] < self.quantiles[2]:
            raise ValueError("quantiles must rise")
        return self

    @model_validator(mode="after")
    def _conditions_differ(self) -> Sets:
        names = [condition.column for condition in self.conditions]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the condition '{twice[0]}' is listed twice")
        if len(names) > MOST_CONDITIONS:
            raise ValueError(f"a truth table takes at most {MOST_CONDITIONS} further conditions")
        return self


MOST_CONDITIONS = 6
"""Further conditions beyond these make more rows than a table of firms can fill."""


BASE = ("traditions", "sets")


def set_problems(analysis: Analysis, where: Where) -> Iterator[Problem]:
    """Faults that need no data to be seen."""
    from bayescluster.families import YES_OR_NO

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
