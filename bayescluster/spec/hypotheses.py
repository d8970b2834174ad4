"""The claims a user can put to the posterior, each with the region that decides it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from bayescluster.names import ALL, CLUSTER, INDUSTRY, WITHIN
from bayescluster.spec.base import (
    Column,
    Frozen,
    NonNegative,
    OpenProbability,
    Positive,
    Probability,
    Scalar,
)
from bayescluster.spec.data import Capital
from bayescluster.spec.equation import ContextLevel


def _joined(value: Any) -> Any:
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return WITHIN.join(value)
    return value


By = Annotated[
    str,
    Field(min_length=1),
    BeforeValidator(
        _joined, json_schema_input_type=str | Annotated[list[str], Field(max_length=2)]
    ),
]
"""Groups: all, industry, cluster, a categorical column, or two of these, the second within the first."""
Label = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]
"""Name of a group: a number is taken as it is written."""
Keys = tuple[tuple[str, ...], ...]
Scope = Literal["observed", "average_cluster", "new_cluster", "new_industry"]


class Claim(Frozen):
    """What every hypothesis says: for whom, and how sure is sure."""

    by: By = INDUSTRY
    """One verdict over all firms, or one for each industry, each cluster, or each category of a
    column, such as tier; [industry, tier] for each tier within each industry."""
    scope: Scope = "observed"
    """Firms in their own clusters, in the average cluster of the industry, in a new cluster, or in a
    new industry."""
    level: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.95
    """Supported at or above this probability, rejected at or below one minus it."""

    @model_validator(mode="after")
    def _scope_fits(self) -> Claim:
        columns = self.by.split(WITHIN)
        if CLUSTER in columns and self.scope != "observed":
            raise ValueError(f"by: cluster takes scope: observed, not {self.scope}")
        if INDUSTRY in columns and self.scope == "new_industry":
            raise ValueError(
                "by: industry cannot ask about a new industry; add `by: all`, or use another scope"
            )
        return self


def _anchor_tag(value: Any) -> str:
    return "by_indicator" if isinstance(value, Mapping) else "of_score"


Anchor = Annotated[
    Annotated[float, Tag("of_score")] | Annotated[dict[Column, float], Tag("by_indicator")],
    Discriminator(_anchor_tag),
]


class Anchors(Frozen):
    """Low and high of one capital: a number each, or a value of every indicator.

    A number is in the units of the construct: for ``single`` those of the column after its transform
    (reversed where its direction is negative), for the other methods those of the score. Values
    of indicators are as they are in the column, and become a score as the answers of a firm do.
    """

    low: Anchor
    high: Anchor

    @model_validator(mode="after")
    def _in_order(self) -> Anchors:
        kinds = {_anchor_tag(end) for end in (self.low, self.high)}
        if len(kinds) > 1:
            raise ValueError(
                "low and high must be of one kind; give two numbers, or the indicators for both"
            )
        if isinstance(self.low, float) and isinstance(self.high, float) and self.low >= self.high:
            raise ValueError("low must be below high")
        return self


class Corners(Claim):
    """A claim about the corners of the plane of the two capitals.

    Of each group of ``exclusive`` keys at most one may be given; of each group of ``needed`` keys at
    least one, where the outcome is no probability or share, for which all have defaults.
    """

    exclusive: ClassVar[Keys] = ()
    needed: ClassVar[Keys] = ()
    low: OpenProbability = 0.1
    """Quantile of each capital that counts as low."""
    high: OpenProbability = 0.9
    """Quantile of each capital that counts as high."""
    anchors: dict[Capital, Anchors] = {}
    """Low and high in units of the construct or of its indicators, in place of the quantiles."""
    at_least: Scalar | None = None
    """Judge P(outcome >= this level) instead of the expected outcome, as ``at_least`` of an
    equation does, for this claim only."""
    min_support: Annotated[int, Field(ge=0)] = 10
    """Least effective number of firms around each corner that the claim rests on."""

    @model_validator(mode="after")
    def _one_of_each(self) -> Corners:
        if self.low >= self.high:
            raise ValueError("low must be below high")
        for keys in self.exclusive:
            stated = [key for key in keys if getattr(self, key) is not None]
            if len(stated) > 1:
                raise ValueError(f"give one region, not {' and '.join(stated)}")
        return self


class Directed(Claim):
    """An effect lies beyond a margin, in a direction."""

    capital: Capital
    direction: Literal["positive", "negative"] = "positive"
    margin: NonNegative = 0.0
    """Smallest effect on the outcome scale that counts."""
    rope: Positive | None = None
    """An effect surely smaller than this, in either direction, is negligible; without it the margin,
    where that is above 0."""


class Effect(Directed):
    """The average effect of a capital, raised in one firm, lies beyond a margin, in a direction."""

    kind: Literal["effect"]
    measure: Literal["average_marginal_effect", "contrast"] = "average_marginal_effect"
    """Change per standard deviation, or from the low to the high level of the capital."""


class Contextual(Directed):
    """The capital of what surrounds a firm matters beyond its own, in a direction."""

    kind: Literal["contextual"]
    around: ContextLevel = "cluster"
    """The firms of the cluster, or all rows of the firm."""
    measure: Literal["difference", "whole"] = "difference"
    """A standard deviation more in the whole cluster less the same in the firm alone, its neighbours as
    they are; or in the whole cluster."""


ClaimKind = Literal[
    "necessary",
    "sufficient",
    "not_sufficient",
    "necessary_not_sufficient",
    "joint_sufficiency",
    "complementarity",
]
ABOUT_BOTH = ("joint_sufficiency", "complementarity")
"""Claims about both capitals at once, which name none."""


class Difference(Frozen):
    """Two groups differ: in an effect, in compensation, or in whether a claim holds."""

    kind: Literal["difference"]
    of: Literal["effect", "compensation"] | ClaimKind = "effect"
    """The average effect of the capital; how far the other capital alone makes up for a lack of it; or a
    claim, which holds in the first group and not in the second."""
    capital: Capital | None = None
    by: By = INDUSTRY
    """Groups that are compared: industries, or the categories of a column; [industry, tier] compares
    tiers within each industry."""
    between: tuple[Label, Label] | None = None
    """The two groups; every pair without it, where there are at most 12."""
    firms: Literal["own", "all"] = "own"
    """Effects over each group's own firms, or over all firms as if they were in the group (of an
    industry, in its average cluster): what is, or what the group does to the effect. Both are shown."""
    scope: Scope = "observed"
    level: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.95
    margin: NonNegative = 0.0
    """Smallest difference of effects, or of shares of the way, that counts."""

    @model_validator(mode="after")
    def _two_groups(self) -> Difference:
        if self.between is not None and self.between[0] == self.between[1]:
            raise ValueError(f"between names '{self.between[0]}' twice; name two groups")
        if self.by == ALL:
            raise ValueError("a difference is between groups; name the column of these in by")
        if self.by.split(WITHIN)[-1] == CLUSTER and self.scope != "observed":
            raise ValueError(f"by: cluster takes scope: observed, not {self.scope}")
        if self.scope == "new_industry":
            raise ValueError(
                "a difference is between industries of the data; use another scope than new_industry"
            )
        return self

    @model_validator(mode="after")
    def _capital_fits(self) -> Difference:
        if (self.capital is None) != (self.of in ABOUT_BOTH):
            lacks = self.capital is None
            raise ValueError(
                f"a difference of {self.of} needs its capital"
                if lacks
                else f"{self.of} is about both capitals; leave out capital"
            )
        if self.of not in ("effect", "compensation") and self.margin:
            raise ValueError("margin goes with a difference of effect or compensation")
        if self.firms == "all" and self.of != "effect":
            raise ValueError("firms: all goes with a difference of effect")
        return self


class _Assessed(Corners):
    """A claim that can be judged only where upgrading happens at all."""

    assess: Positive | None = None
    """Assessable where the expected outcome with both capitals high is at least this (0.25) for a
    probability or share; for other outcomes, where it exceeds that with both low by at least this
    (half a standard deviation of the outcome)."""


class Necessary(_Assessed):
    """Where the capital is low, upgrading stays low, and the other capital does not make up for it."""

    kind: Literal["necessary"]
    capital: Capital
    ratio: OpenProbability | None = None
    """Low means at most this share of the outcome where both are high (1/3)."""
    kappa: OpenProbability | None = None
    """The other capital alone covers at most this share of the way from both low to both high, on
    the link scale (0.40)."""
    eps: float | None = None
    """Necessary in kind: the expected outcome is also at most this. No default."""


class Sufficient(_Assessed):
    """Where the capital is high and the other low, upgrading is common."""

    exclusive: ClassVar[Keys] = (("theta", "ratio"),)
    needed: ClassVar[Keys] = (("theta", "ratio"),)
    kind: Literal["sufficient"]
    capital: Capital
    theta: float | None = None
    """Common means an expected outcome of at least this (0.75)."""
    ratio: Probability | None = None
    """Or: at least this share of the outcome where both are high."""


class NotSufficient(_Assessed):
    """Where the capital is high and the other low, upgrading falls well short of both high."""

    needed: ClassVar[Keys] = (("theta_not", "delta"),)
    kind: Literal["not_sufficient"]
    capital: Capital
    theta_not: float | None = None
    """An expected outcome of at most this is not enough (0.50)."""
    delta: Positive | None = None
    """It lies at least this much below the outcome where both are high (0.10)."""


class NecessaryNotSufficient(_Assessed):
    """Both at once: necessary, and not sufficient."""

    needed: ClassVar[Keys] = (("theta_not", "delta"),)
    kind: Literal["necessary_not_sufficient"]
    capital: Capital
    ratio: OpenProbability | None = None
    """Necessary: where the capital is low, at most this share of the outcome where both are high (1/3)."""
    kappa: OpenProbability | None = None
    """Necessary: the other capital alone covers at most this share of the way from both low to both
    high, on the link scale (0.40)."""
    eps: float | None = None
    """Necessary in kind: where the capital is low, the expected outcome is also at most this. No default."""
    theta_not: float | None = None
    """Not sufficient: the capital alone gives an expected outcome of at most this (0.50)."""
    delta: Positive | None = None
    """Not sufficient: it lies at least this much below the outcome where both are high (0.10)."""


class JointSufficiency(Corners):
    """Where both capitals are high, upgrading is common; where both are low, it is not."""

    needed: ClassVar[Keys] = (("theta",),)
    kind: Literal["joint_sufficiency"]
    theta: float | None = None
    """Common means an expected outcome of at least this (0.75)."""


class Complementarity(Corners):
    """The capitals raise each other's effect, on the outcome scale and on the link scale."""

    kind: Literal["complementarity"]
    margin: NonNegative | None = None
    """Smallest cross difference of the four corners that counts (0.05 for a probability or share, a
    tenth of a standard deviation of other outcomes)."""


Hypothesis = Annotated[
    Effect
    | Contextual
    | Difference
    | Necessary
    | Sufficient
    | NotSufficient
    | NecessaryNotSufficient
    | JointSufficiency
    | Complementarity,
    Field(discriminator="kind"),
]
