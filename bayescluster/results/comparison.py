"""Typed results: several structural forms of one analysis, compared and averaged."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Estimate, Value

Criterion = Literal["leave-one-cluster-out", "PSIS-LOO"]


class Score(Value):
    """Predictive accuracy of a form by one criterion.

    ``difference`` is to the form with the highest elpd, whose own is 0; ``bad`` counts the left-out
    units (rows or clusters) whose Pareto k is above the threshold.
    """

    elpd: float
    se: float
    difference: float
    difference_se: float
    weight: float
    """Stacking weight by this criterion."""
    bad: int
    khat_max: float | None


class FormRow(Value):
    """One form: how well it predicts, and what it weighs."""

    form: str
    formula: str
    report: str
    """Path of its own report, from that of the comparison."""
    gate_passed: bool
    failing: tuple[str, ...]
    """Names of the checks that its gate failed."""
    non_compensatory: bool
    """Whether a lack of one capital cannot be made up by the other, by shape or by estimate."""
    p_loo: float
    rows: Score
    """Rows left out one by one (PSIS-LOO)."""
    clusters: Score | None
    """Clusters left out one by one, each predicted as a new one."""
    weight: float
    """Weight in the averages."""
    apart: bool
    """Whether it predicts worse than the best by more than the data leave open."""


class FormCorner(Value):
    """Expected outcome at a corner of the plane of the capitals under one form."""

    form: str
    scope: str
    declared: str
    by: By
    group: str
    corner: Literal["LL", "HL", "LH", "HH"]
    estimate: Estimate
    at_least: str | None = None
    """Level of the outcome that a claim asks for: the estimate is then a probability."""


class FormVerdict(Value):
    """What one form by itself says of a claim."""

    form: str
    claim: int
    """Position of the verdict among those of the results, from 0."""
    title: str
    group: str
    verdict: Literal["supported", "rejected", "undecided"]
    probability: float
    prior_probability: float


class LeftOutCluster(Value):
    """A cluster predicted from the others by one form."""

    form: str
    cluster: str
    rows: int
    elpd: float
    khat: float | None


class Comparison(Value):
    """Several forms fitted to the same firms."""

    criterion: Criterion
    """What the weights of the averages come from."""
    criterion_reason: str
    leading: str
    """Form with the largest weight; whatever is not averaged is of this form."""
    forms: tuple[FormRow, ...]
    non_compensatory_weight: float
    khat_threshold: float | None
    """Largest Pareto k that leaving out clusters can bear."""
    clusters: tuple[LeftOutCluster, ...]
    corners: tuple[FormCorner, ...]
    verdicts: tuple[FormVerdict, ...]
    statements: tuple[str, ...]
    """What the comparison says, in sentences made by rule."""
