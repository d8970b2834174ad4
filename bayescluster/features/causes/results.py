"""Typed results: probabilities of causation, and how much confounding they bear."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Estimate, Spread, Value
from bayescluster.results.claims import ClaimName, Flag

Contrast = Literal[
    "human_given_high", "social_given_high", "human_given_low", "social_given_low", "both"
]
"""What is compared: a capital high with it low, the other high, or low; or both with neither."""
Decision = Literal["supported", "rejected", "undecided"]


class CauseBounds(Spread):
    """A probability of causation: its bounds, and what monotonicity would add.

    The estimates are of the bounds: a posterior quantity each. ``point`` is null where monotonicity
    is not asked for, or does not give one number.
    """

    lower: Estimate
    upper: Estimate
    point: Estimate | None = None


class ContrastRow(Value):
    """PN, PS and PNS of one contrast in one group."""

    contrast: Contrast
    by: By
    group: str
    scope: str
    declared: str
    """Low and high, in words."""
    exposed: Estimate
    """Probability of the outcome with the exposure."""
    unexposed: Estimate
    pn: CauseBounds
    ps: CauseBounds
    pns: CauseBounds
    against_monotonicity: float
    """Posterior probability that the exposed have the outcome less often than the unexposed."""
    ratio: float | None
    """Median of the risk ratio, with its 90% interval; null where it is infinite."""
    ratio_low: float | None
    ratio_high: float | None
    e_value: float | None
    """Strength of the weakest confounder that explains the median away; null where none does."""
    e_value_limit: float | None
    """The same of the limit of the interval that is closest to 1."""
    support: int
    """Fewest firms near a corner that is compared."""


class Overturning(Spread):
    """What would overturn a verdict.

    Strengths are risk ratios of a confounder, the same with the outcome and with the exposure.
    """

    threshold: float | None
    """Strength at which the posterior median of the quantity is at its threshold; null where no
    strength does it."""
    inside: bool
    """Whether that median is in the region without a confounder."""
    verdict: float | None
    """Strength at which the verdict changes; null where there is none to change or no confounder
    changes it: see ``words``."""
    words: str
    probabilities: tuple[tuple[float, ...], ...]
    """Posterior probability of the region by strength with the outcome, then with the exposure."""
    against: bool
    """Whether the confounder of the grid works against the region; else in its favour."""


class CauseVerdict(Value):
    """One claim read as a probability of causation, for one group."""

    claim: ClaimName
    title: str
    by: By
    group: str
    quantity: str
    bounds: CauseBounds
    region: str
    probability: float
    """Posterior probability that the bounds lie wholly in the region."""
    possible: float
    """Posterior probability that they lie at least partly in it."""
    prior_probability: float
    verdict: Decision
    reason: str
    with_monotonicity: Decision | None
    """The verdict were monotonicity taken as given; null where that is not asked for."""
    flags: tuple[Flag, ...]
    support: int
    behind: str
    overturning: Overturning | None
    """Null where it is not computed."""


class DegreeRow(Value):
    """Degrees of necessity and of sufficiency in one group."""

    of: Literal["all", "human_capital", "social_capital"]
    """What makes firms differ: all that the model holds, or one capital only."""
    by: By
    group: str
    necessity: Estimate
    sufficiency: Estimate


class Benchmark(Value):
    """A measured control, in the terms of a confounder."""

    control: str
    change: str
    """From where to where, in words."""
    outcome: float
    """Risk ratio with the outcome, given all else, turned so that it is at least 1."""
    absence: float
    """Risk ratio with the absence of the outcome, likewise."""


class BothArms(Value):
    """Bounds from an experiment and the sample together; ``note`` says why there are none."""

    capital: str
    exposure: str
    """Which firms count as exposed, in words."""
    treated: Estimate | None = None
    control: Estimate | None = None
    pn: CauseBounds | None = None
    ps: CauseBounds | None = None
    pns: CauseBounds | None = None
    kept: float = 0.0
    """Share of the draws in which the arms can be of one population."""
    note: str = ""


class CausesResults(Value):
    """The tradition of causes."""

    notes: tuple[str, ...]
    """What could not be had, and how the outcome is read."""
    assumptions: tuple[str, ...]
    """What all of it rests on."""
    settings: dict[str, float | str]
    """Declared thresholds, defaults included."""
    strengths: tuple[float, ...]
    """Risk ratios of the grid of confounders."""
    contrasts: tuple[ContrastRow, ...] = ()
    verdicts: tuple[CauseVerdict, ...] = ()
    degrees: tuple[DegreeRow, ...] = ()
    degree_draws: int = 0
    benchmarks: tuple[Benchmark, ...] = ()
    """Measured controls, strongest first."""
    arms: BothArms | None = None
