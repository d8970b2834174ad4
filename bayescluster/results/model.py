"""The typed model of ``results.json``: every number that any report shows, and nothing else.

A report reads this and nothing more, so a number stands in one place and can be traced to it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1
INTERVAL = 0.90
"""Probability inside every interval (equal tails)."""

By = Literal["all", "industry", "cluster"]


class Value(BaseModel):
    """Base of the parts: frozen, no unknown keys; infinities and missing numbers kept as null."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", ser_json_inf_nan="null", use_attribute_docstrings=True
    )


class Estimate(Value):
    """A posterior quantity: mean, sd, 90% equal-tailed interval, and how well it is known.

    The last four are null where they do not apply (no chains behind the number).
    """

    mean: float
    sd: float
    low: float
    high: float
    mcse: float | None = None
    rhat: float | None = None
    ess_bulk: float | None = None
    ess_tail: float | None = None


class OutcomeFacts(Value):
    """What the outcome is and how it is reported."""

    column: str
    family: str
    scale: Literal["probability", "share", "rate", "mean", "level"]
    label: str
    """What an expected outcome is called on axes, e.g. ``probability of product_upgrading``."""
    levels: tuple[str, ...] = ()
    at_least: str | None = None


class GroupRow(Value):
    """One industry or cluster of the sample. Capital means are in standard deviations."""

    by: By
    group: str
    industry: str | None
    """Industry of a cluster, where nested."""
    clusters: int
    rows: int
    outcome_mean: float | None
    """Of the rows that have an outcome; null where none has."""
    human_capital: float | None
    social_capital: float | None


class Dropped(Value):
    """Rows left out because a variable is missing, by cluster."""

    variable: str
    cluster: str
    rows: int


class ImputedCells(Value):
    """Missing cells of a variable in a cluster, estimated inside the model; ``rows`` counts all."""

    variable: str
    cluster: str
    cells: int
    rows: int


class MissingPattern(Value):
    """Variables that are missing together, and no other, and in how many rows."""

    variables: tuple[str, ...]
    rows: int


class SampleFacts(Value):
    """Which firms were analysed."""

    label: str
    """Where the data come from, as written in the analysis."""
    title: str
    synthetic: bool
    rows_read: int
    rows: int
    firms: int
    clusters: int
    industries: int
    crossed: bool
    dropped: tuple[Dropped, ...]
    filters: tuple[str, ...]
    notes: tuple[str, ...]
    groups: tuple[GroupRow, ...]
    imputed: tuple[ImputedCells, ...] = ()
    patterns: tuple[MissingPattern, ...] = ()
    capital_correlation: float | None
    """Correlation of the two capitals over all rows."""


class Indicator(Value):
    """An indicator and its weight in the construct."""

    column: str
    weight: float


class MeasureFacts(Value):
    """How a capital was measured; one standard deviation is ``scale`` units from ``center``."""

    capital: str
    method: str
    unit: str
    center: float
    scale: float
    indicators: tuple[Indicator, ...]
    reliability: float | None
    binary: bool


class GroupingFacts(Value):
    """Which coefficients vary by a grouping."""

    name: str
    groups: int
    terms: tuple[str, ...]
    centred: tuple[str, ...]
    correlated: bool


class Coefficient(Value):
    """A parameter with its prior and posterior, on the scale of the model (link scale)."""

    block: Literal["population", "controls", "group sd", "family"]
    name: str
    prior: str
    estimate: Estimate


class InformedPrior(Value):
    """Prior of a population coefficient before and after coded cases, beside its posterior.

    ``stated`` marks a prior that the analysis gives itself: it stays, whatever the cases say.
    """

    term: str
    default: str
    cases_mean: float
    cases_sd: float
    from_cases: str
    used: str
    stated: bool
    estimate: Estimate


class CaseRow(Value):
    """A coded case: its ratings, and the numbers they were read as. ``lacks`` leaves it out.

    Levels of the capitals are in standard deviations of the firms; ``share`` is that of the outcome.
    """

    case: str
    human_capital: str | None
    social_capital: tuple[str, ...]
    outcome: str | None
    human_level: float | None
    social_level: float | None
    share: float | None
    lacks: tuple[str, ...]


class CaseFacts(Value):
    """Priors from coded evidence: where from, how, and what became of them."""

    label: str
    digest: str
    outcome: str
    strength: float
    account: str
    """How ratings became priors, in two sentences."""
    caution: str
    priors: tuple[InformedPrior, ...]
    cases: tuple[CaseRow, ...]


class SandwichRow(Value):
    """A coefficient as the pseudo-posterior has it, and with the spread of the sandwich.

    ``ratio`` is the sandwich's standard deviation over that of the model, ``design_effect`` its
    square; ``corrected`` never takes the place of ``model``. On the scale of the model.
    """

    block: Literal["population", "controls"]
    name: str
    model: Estimate
    corrected: Estimate
    ratio: float
    design_effect: float
    warning: str = ""


class Weighting(Value):
    """Survey weights, and the sandwich check of the pseudo-posterior they make.

    ``smallest`` and ``largest`` are relative to the mean weight of a row; ``effective_rows`` is
    Kish's effective sample size.
    """

    weight: str | None
    cluster_weight: str | None
    smallest: float
    largest: float
    effective_rows: float
    unit: Literal["cluster", "firm"]
    """What is taken as independent in the sandwich."""
    units: int
    rows: tuple[SandwichRow, ...]
    note: str = ""


class ShareRow(Value):
    """Share of the explained variance that a component has, under its prior and its posterior."""

    level: str
    """``population``, ``controls`` or the grouping."""
    term: str
    prior: Estimate
    posterior: Estimate


class SharedVariance(Value):
    """The explained variance under the R2D2M2 prior, and how it is shared out."""

    residual: str
    """What explained variance is measured against, in words."""
    r2_prior: Estimate
    r2: Estimate
    rows: tuple[ShareRow, ...]


class ModelFacts(Value):
    """The model in words and symbols."""

    equation: str
    link: str
    structure: str
    formula: str
    groupings: tuple[GroupingFacts, ...]
    coefficients: tuple[Coefficient, ...]
    group_effect_prior: str
    """How varying effects are distributed, in one sentence."""
    cases: CaseFacts | None = None
    """Priors from coded cases, where the analysis asks for them."""


class CheckItem(Value):
    """One diagnostic of the gate: what was asked, what was found, and what to do about it.

    ``passed`` is null where the check could not be made; the gate then fails.
    """

    name: str
    question: str
    found: str
    threshold: str
    passed: bool | None
    worst: tuple[str, ...] = ()
    """Names of the parameters or estimands that fail, worst first."""
    advice: str = ""


class Gate(Value):
    """The convergence gate: closed unless every check was made and passed."""

    passed: bool
    items: tuple[CheckItem, ...]


class PredictiveRow(Value):
    """Observed statistic against the replicated one (90% interval) and its tail probability."""

    by: By
    group: str
    rows: int
    statistic: str
    observed: float
    low: float
    high: float
    tail: float
    """P(replicated >= observed) with ties halved: near 0 or 1 the model does not make such data."""
    flagged: bool


class Loo(Value):
    """PSIS leave-one-out cross-validation; ``bad`` counts rows with khat above the threshold."""

    elpd: float
    se: float
    p_loo: float
    khat_max: float
    khat_threshold: float
    bad: int
    rows: int
    worst: tuple[str, ...]
    advice: str


class EffectRow(Value):
    """Average effect of a capital in one group, on the outcome scale.

    ``average_marginal_effect`` is the change per standard deviation of the capital (from no to yes
    for a 0/1 capital); ``contrast`` the change from its low to its high level.
    """

    capital: str
    measure: Literal["average_marginal_effect", "contrast"]
    by: By
    group: str
    scope: str
    rows: int
    estimate: Estimate
    positive: float
    """Posterior probability that the effect is above 0."""
    unpooled: Estimate | None = None
    """The same from this industry's rows alone (normal approximation), where it could be had."""


class DifferenceRow(Value):
    """Effect in ``first`` less effect in ``second``."""

    capital: str
    first: str
    second: str
    scope: str
    estimate: Estimate
    positive: float


class RankRow(Value):
    """Probability that an industry's effect of a capital has each rank (1 = largest)."""

    capital: str
    group: str
    probabilities: tuple[float, ...]


class CornerRow(Value):
    """Expected outcome at one corner of the plane of the capitals, for one group."""

    by: By
    group: str
    corner: Literal["LL", "HL", "LH", "HH"]
    """Level of human capital, then of social capital."""
    estimate: Estimate
    support: int
    """Firms of the group within a third of the way of the corner on both capitals."""


class Corners(Value):
    """The four corners at one declared pair of levels and one scope."""

    scope: str
    human_low: float
    human_high: float
    social_low: float
    social_high: float
    declared: str
    """How low and high were declared, in words."""
    rows: tuple[CornerRow, ...]


class VerdictFigure(Value):
    """A quantity a verdict rests on: the expected outcome at a corner, or an effect.

    ``support`` counts the firms near the corner; an effect, which is a difference, has none.
    """

    label: str
    estimate: Estimate
    support: int | None = None


class Verdict(Value):
    """One claim put to the posterior for one group."""

    kind: str
    capital: str | None
    by: By
    group: str
    scope: str
    title: str
    """The claim in words, e.g. ``Human capital is necessary``."""
    region: str
    """The declared region in words: what the event is."""
    verdict: Literal["supported", "rejected", "undecided"]
    reason: str
    """Why, in a sentence that says no more than the numbers do."""
    probability: float
    mcse: float
    prior_probability: float
    odds_ratio: float | None
    """Posterior odds over prior odds; null where the draws cannot tell one of them."""
    level: float
    figures: tuple[VerdictFigure, ...]


class Curve(Value):
    """Effect of one capital (low to high) across levels of the other (in sd), for one group."""

    capital: str
    group: str
    at: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class Surface(Value):
    """Expected outcome over the plane of the capitals (in sd), for one industry.

    ``mean[i][j]`` is at ``human[i]``, ``social[j]``; ``points`` are rows: (human, social, outcome).
    """

    group: str
    human: tuple[float, ...]
    social: tuple[float, ...]
    mean: tuple[tuple[float, ...], ...]
    points: tuple[tuple[float, float, float], ...]
    points_shown: int
    points_total: int


class FitFacts(Value):
    """How the posterior was drawn."""

    sampler: str
    chains: int
    draws: int
    tune: int
    seed: int
    target_accept: float
    divergences: int
    sampling_seconds: float
    total_seconds: float


class Reproduction(Value):
    """What is needed to get the same result again."""

    command: str
    analysis: str
    """The analysis as resolved, as YAML text."""
    key: str
    data_digest: str
    versions: dict[str, str]
    host: dict[str, str]
    started: str


class Results(Value):
    """Everything a report shows."""

    schema_version: int = SCHEMA_VERSION
    name: str
    title: str
    description: str
    limits: tuple[str, ...]
    outcome: OutcomeFacts
    sample: SampleFacts
    measures: tuple[MeasureFacts, ...]
    model: ModelFacts
    fit: FitFacts
    gate: Gate
    predictive: tuple[PredictiveRow, ...]
    loo: Loo | None
    effects: tuple[EffectRow, ...]
    differences: tuple[DifferenceRow, ...]
    ranks: tuple[RankRow, ...]
    corners: tuple[Corners, ...]
    verdicts: tuple[Verdict, ...]
    curves: tuple[Curve, ...]
    surfaces: tuple[Surface, ...]
    reproduction: Reproduction
    variance: SharedVariance | None = None
    """Where the analysis asks for the R2D2M2 prior."""
    weighting: Weighting | None = None
    """Where the analysis declares survey weights."""
