"""Ceiling models: fits, effect sizes, ceilings, bottlenecks, and which model holds."""

from __future__ import annotations

from typing import Literal

from bayescluster.features.ceilings.results import CeilingLine, LeastLevel
from bayescluster.results.base import By, Estimate, Value

ModelName = Literal["ratio", "composed", "contaminated"]


class EffectSizeRow(Value):
    """Effect size ``d`` of a group: share of the scope above its ceiling.

    ``new`` marks a new cluster (of the industry, or of any), whose height is drawn from its
    distribution.
    """

    by: By
    group: str
    new: bool
    rows: int
    """Firms behind it; 0 for a new cluster."""
    estimate: Estimate
    prior: Estimate
    """The same before any firm is seen."""


class DistanceRow(Value):
    """Shares of the ceiling that firms reach: a statistic, observed and replicated, over the draws."""

    statistic: str
    observed: float
    """Mean over the draws: the share depends on the ceiling, which is not known exactly."""
    low: float
    high: float
    """90% interval of the replicated statistic."""
    tail: float
    """P(replicated >= observed), ties halved."""
    flagged: bool


class CeilingFit(Value):
    """One model of the ceiling of the outcome over one capital."""

    model: ModelName
    gate_passed: bool
    failing: tuple[str, ...]
    """Checks of the gate that failed, and what was found."""
    elpd: float
    se: float
    difference: float
    """elpd less that of the best model that passed its gate, over the same firms."""
    difference_se: float
    bad: int
    """Firms whose Pareto k is above the threshold."""
    khat_max: float | None
    best: bool
    extra: Estimate | None
    """Sd of the noise as a share of the scope, or share of firms that the ceiling does not bind."""
    shape: tuple[Estimate, Estimate]
    """``al`` and ``be`` of the share of the ceiling that firms reach."""
    slopes: dict[str, Estimate]
    """Slope of the ceiling by industry, in shares of the scope."""
    distances: tuple[DistanceRow, ...]
    effects: tuple[EffectSizeRow, ...]
    lines: tuple[CeilingLine, ...]
    needed: tuple[LeastLevel, ...]
    seconds: float


class CeilingOfCapital(Value):
    """Ceilings of the outcome over one capital."""

    capital: str
    low: float
    high: float
    outcome_low: float
    outcome_high: float
    """The scope, in own units."""
    declared: str
    """How it was declared, in words."""
    firms: int
    points: tuple[tuple[float, float, str], ...]
    """Firms shown in the figure: capital, outcome, panel."""
    fits: tuple[CeilingFit, ...]
    statement: str
    """Which model holds, and how ``d`` moves between them."""
    notes: tuple[str, ...]


class CeilingModelsResults(Value):
    """Results of the ceiling models of every capital."""

    floor: float
    capitals: tuple[CeilingOfCapital, ...]
