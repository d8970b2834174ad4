"""Ceilings of the fitted form: effect sizes, bands and bottlenecks."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Estimate, Value

NeededLevel = float | Literal["NN", "NA"]
"""A level of a capital; NN: not needed, the target is reached at the lowest; NA: never reached."""


class FormCeiling(Value):
    """Ceiling effect size d of a capital in one group, and what it is held against.

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
    """CE-FDH effect size of the observed firms of the group; null where it cannot be had."""
    cr_fdh: float | None
    null_observed: float | None
    """Observed statistic that is held against the compensatory model."""
    null_expected: float | None
    """Its mean over replicates of that model."""
    null_p: float | None
    """How often the compensatory model gives as much."""
    null_clusters: int
    """Clusters that the statistic is averaged over; 0 where all firms are taken together."""


class NeededRow(Value):
    """Least level of a capital that an outcome takes: median and 90% interval.

    In units of the capital, and as percent of its scope. Not needed is below all levels, not
    reachable above.
    """

    capital: str
    by: By
    group: str
    target: float
    target_percent: float
    low: NeededLevel
    median: NeededLevel
    high: NeededLevel
    low_percent: NeededLevel
    median_percent: NeededLevel
    high_percent: NeededLevel
    not_needed: float
    """Probability that the lowest level of the scope is enough."""
    not_reachable: float
    """Probability that no level of the scope is."""


class CeilingBand(Value):
    """A ceiling along the levels of a capital, in its units: mean and 90% interval."""

    capital: str
    by: By
    group: str
    levels: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    steps: bool
    """The capital is yes or no."""


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
    bottlenecks: tuple[NeededRow, ...]
    bands: tuple[CeilingBand, ...]
    notes: tuple[str, ...] = ()
    """What could not be had, and why."""
