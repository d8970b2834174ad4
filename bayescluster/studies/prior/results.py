"""Every number of what an analysis says before its data: outcomes, estimands and claims."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Spread, StudyResults, Value
from bayescluster.results.facts import Coefficient, OutcomeFacts

PRIOR_VERSION = 1

Outlook = Literal["decided_for", "decided_against", "leans_for", "leans_against", "open"]
EstimandKind = Literal["average_marginal_effect", "contrast", "corner", "cross_difference"]


class PriorSpread(Spread):
    """Quantiles of the prior, the outer two with `interval` between them; null where not finite.

    The mean is null as well where it is not finite: some priors have none.
    """

    median: float | None
    low: float | None
    high: float | None
    mean: float | None


class PriorPredictiveRow(Value):
    """A statistic of outcomes drawn from the prior, in one group of firms."""

    by: By
    group: str
    rows: int
    statistic: str
    spread: PriorSpread


class PriorRange(Value):
    """Expected outcome of a group under the prior, and how much of it is hard to believe."""

    by: By
    group: str
    rows: int
    spread: PriorSpread
    possible: str
    """Values that are possible or declared, in words."""
    implausible: str
    """What is held to be implausible, in words; empty where nothing can be said without data."""
    share: float | None
    """Share of the prior that is implausible, or orders of magnitude that it spans."""
    flagged: bool


class PriorEstimand(Value):
    """The prior of an estimand, on the scale of the outcome."""

    kind: EstimandKind
    of: str
    """Capital of an effect, or corner of the plane of the capitals; empty for a cross difference."""
    scope: str
    declared: str
    """Low and high levels of the capitals, in words."""
    at_least: str | None
    by: By
    group: str
    spread: PriorSpread
    positive: float | None
    """Prior probability that it is above 0; null for a corner."""


class PriorEvent(Value):
    """Prior probability of the event that decides a claim for one group."""

    claim: int
    """Number of the hypothesis in the analysis, from 1."""
    kind: str
    capital: str | None
    title: str
    by: By
    group: str
    scope: str
    region: str
    level: float
    probability: float
    mcse: float
    outlook: Outlook
    to_support: float | None
    """Factor by which the data must multiply the odds until the claim is supported; null where the
    prior draws cannot tell the odds."""
    to_reject: float | None
    """Factor by which they must divide the odds until it is rejected."""
    turns_on: str = ""
    """Block of `priors` that the event turns most on, in words."""
    unsupported: str = ""
    """What the claim lacks in firms near a corner, whatever the outcomes are."""


class PriorWarning(Value):
    """What the prior already says, and what to do next."""

    form: str
    equation: str
    about: Literal["outcome", "claim"]
    what: str
    advice: str


class PriorPart(Value):
    """The prior of one equation under one structural form."""

    form: str
    equation: str
    focus: bool
    outcome: OutcomeFacts
    coefficients: tuple[Coefficient, ...]
    """Parameters with their prior in words; the estimate is of prior draws."""
    ranges: tuple[PriorRange, ...]
    predictive: tuple[PriorPredictiveRow, ...]
    estimands: tuple[PriorEstimand, ...]
    events: tuple[PriorEvent, ...]
    """Of the equation in focus."""


class PriorStudy(StudyResults):
    """All that an analysis says before its data."""

    schema_version: int = PRIOR_VERSION
    draws: int
    seed: int
    odds: float
    """Prior odds from which the prior leans."""
    edge_share: float
    magnitudes: float
    parts: tuple[PriorPart, ...]
    warnings: tuple[PriorWarning, ...]
