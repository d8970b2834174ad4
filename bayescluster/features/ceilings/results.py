"""Ceilings of the fitted form: effect sizes, bands and bottlenecks."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Curve, Estimate, Spread, Value


class Level(Spread):
    """A level of a capital in its units, or a word in its place.

    ``NN``: not needed, the lowest level is enough. ``NA``: not reachable at any level.
    """

    sd: float | None = None
    """In standard deviations."""
    original: float | None = None
    """In units of the construct; null for a latent capital."""
    percent: float | None = None
    """Percent of the range over which levels are considered, from its lowest."""
    word: Literal["", "NN", "NA"] = ""


class LeastLevel(Value):
    """Least level of a capital at which the outcome of a group, or its ceiling, reaches a target.

    ``low``, ``median`` and ``high`` are the 5th, 50th and 95th percentile of the posterior, in which
    NN comes before and NA after all levels.
    """

    capital: str
    by: By
    group: str
    target: float
    target_percent: float | None
    """Percent of the scope of the outcome; null where it has none."""
    low: Level
    median: Level
    high: Level
    not_needed: float
    """Probability of NN."""
    not_reached: float
    """Probability of NA."""


class CeilingLine(Curve):
    """Ceiling of a group along a capital, in own units."""

    by: By
    steps: bool = False
    """The capital is yes or no: there is nothing between its two levels."""


class FormCeiling(Value):
    """Ceiling effect size d of a capital in one group, and what it is compared with.

    ``within`` is the part of d below the ceiling's own highest point: the rest no level of this
    capital reaches.
    """

    capital: str
    by: By
    group: str
    rows: int
    estimate: Estimate
    prior: Estimate
    within: Estimate
    at_least: float
    """Posterior probability that d is at least its smallest size that counts."""
    prior_at_least: float
    ce_fdh: float | None
    """CE-FDH effect size of the observed firms of the group; null where it is not defined."""
    cr_fdh: float | None
    null_observed: float | None
    """Observed statistic that is compared with the compensatory model."""
    null_expected: float | None
    """Its mean over replicates of that model."""
    null_p: float | None
    """How often the compensatory model gives as much."""
    null_clusters: int
    """Clusters that the statistic is averaged over; 0 where all firms are taken together."""


class Ceilings(Value):
    """Ceilings of the fitted form, by capital and group, with what was declared."""

    height: str
    """What the ceiling is the largest of, in words."""
    d_min: float
    level: float
    supported: tuple[float, float]
    """Quantiles between which levels of the other capital count as supported."""
    scope: str
    """Levels of the capital in the scope, in words."""
    outcome_low: float
    outcome_high: float
    draws: int
    replicates: int
    null: str
    """Which compensatory model, in words; empty where none could be found."""
    rows: tuple[FormCeiling, ...]
    bottlenecks: tuple[LeastLevel, ...]
    lines: tuple[CeilingLine, ...]
    notes: tuple[str, ...] = ()
    """What is not available, and why."""
