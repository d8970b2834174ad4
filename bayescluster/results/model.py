"""The typed model of ``results.json``: every number that any report shows, and nothing else.

A report reads this and nothing more, so a number stands in one place and can be traced to it.
"""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import INTERVAL, SCHEMA_VERSION, By, Estimate, Value
from bayescluster.results.comparison import Comparison
from bayescluster.results.identification import Identification

__all__ = ["INTERVAL", "SCHEMA_VERSION", "By", "Estimate", "Value"]


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


class Coefficient(Value):
    """A parameter with its prior and posterior, on the scale of the model (link scale)."""

    block: Literal["population", "controls", "group sd", "family", "background"]
    name: str
    prior: str
    estimate: Estimate


class Loading(Value):
    """How an indicator goes with its latent capital.

    ``estimate`` and ``prior`` are standardised loadings: the correlation of the indicator with the
    capital; of a binary or ordinal one, that of the continuous response behind it.
    """

    indicator: str
    kind: Literal["continuous", "binary", "ordinal"]
    levels: int
    """Levels of a binary or ordinal indicator, else 0."""
    answered: int
    estimate: Estimate
    prior: Estimate


class DepartureRow(Value):
    """How far an indicator lies off in a group: realised residuals given the capital.

    ``shift`` is in standard deviations of the indicator; ``loading`` the same per standard
    deviation of the capital.
    """

    by: By
    group: str
    indicator: str
    measure: Literal["shift", "loading"]
    rows: int
    estimate: Estimate
    flagged: bool


class Measured(Value):
    """A latent capital: what its indicators and its background say of it."""

    capital: str
    loadings: tuple[Loading, ...]
    reliability: Estimate
    """McDonald's omega of the sum of the standardised indicators."""
    reliability_prior: Estimate
    background: tuple[Coefficient, ...]
    """What clusters, controls and the other capital say of it, in sd of the raw capital given them."""
    departures: tuple[DepartureRow, ...]


class Measurement(Value):
    """The measurement model of latent capitals."""

    capitals: tuple[Measured, ...]
    correlation: Estimate
    """Correlation of the two capitals over all rows, free of measurement error where latent."""
    shift_least: dict[str, float]
    loading_least: float
    """Sizes from which departures are told."""


class GroupingFacts(Value):
    """Which coefficients vary by a grouping."""

    name: str
    groups: int
    terms: tuple[str, ...]
    centred: tuple[str, ...]
    correlated: bool


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
    identification: Identification | None = None
    """What the data say of the parameters of a form that is no sum; null for the others."""


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
    unsupported: str = ""
    """What the claim lacks in firms near a corner, whatever else stops the verdict."""


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


class PathRow(Value):
    """Effect of a capital on an outcome, low to high, by one path, in the unit of the outcome.

    ``direct`` and ``indirect`` add up to ``total``. ``through`` is the indirect effect by one equation
    alone, the others as under the capital's low level; these need not add up.
    """

    equation: str
    capital: str
    by: By
    group: str
    path: Literal["total", "direct", "indirect", "through"]
    through: str | None
    estimate: Estimate
    positive: float


class MediatedRow(Value):
    """Indirect over total effect: median and 90% interval of the ratio over the draws.

    Told only where the interval of the total effect excludes 0.
    """

    equation: str
    capital: str
    by: By
    group: str
    median: float
    low: float
    high: float


class MatrixRow(Value):
    """What an outcome goes with in one form of learning, in one group.

    ``estimate`` is the change of the expected outcome from no to yes, or per standard deviation of the
    form where it is not 0/1; ``standardised`` per standard deviation of the form in the group.
    """

    equation: str
    form: str
    binary: bool
    by: By
    group: str
    estimate: Estimate
    positive: float
    standardised: Estimate
    ranks: tuple[float, ...]
    """Probability of each rank of the standardised effect among the forms; the first: dominant."""


class DominanceRow(Value):
    """Posterior probability that another form dominates in ``second`` than in ``first``."""

    equation: str
    first: str
    second: str
    probability: float
    mcse: float


class SensitivityRow(Value):
    """Direct and indirect effect if learners had ``bias`` more of the outcome for another reason."""

    equation: str
    capital: str
    by: By
    group: str
    bias: float
    direct: Estimate
    indirect: Estimate


class TippingRow(Value):
    """Bias at which the mean of an indirect effect is 0, and at which its interval reaches 0.

    Null where no bias up to the limit does.
    """

    equation: str
    capital: str
    by: By
    group: str
    mean_at: float | None
    interval_at: float | None


class Learning(Value):
    """What acts through the outcomes of other equations, forms of learning as a rule."""

    declared: str
    """How low and high of the capitals were declared."""
    draws: int
    """Draws behind these estimands."""
    outcomes: tuple[str, ...]
    """Equations with predictors, the one in focus first."""
    forms: tuple[str, ...]
    """Equations that are predictors, in causal order."""
    through: tuple[str, ...]
    """Equations that the one in focus rests on, directly or not."""
    ways: dict[str, Literal["means", "combinations", "draws"]]
    """By outcome: how what is upstream was averaged over."""
    edges: tuple[tuple[str, str], ...]
    """Which equation enters which: predictor, then what it explains."""
    limit: float
    """Largest bias looked at for the tipping points: a probability, else a share of the outcome's sd."""
    paths: tuple[PathRow, ...]
    mediated: tuple[MediatedRow, ...]
    matrix: tuple[MatrixRow, ...]
    dominance: tuple[DominanceRow, ...]
    sensitivity: tuple[SensitivityRow, ...]
    tipping: tuple[TippingRow, ...]


class ResidualRow(Value):
    """Correlation of what two equations leave unexplained in a firm."""

    first: str
    second: str
    estimate: Estimate
    positive: float


class EquationResults(Value):
    """An equation beside the one in focus: its model, checks, and effects of the capitals."""

    outcome: OutcomeFacts
    model: ModelFacts
    predictive: tuple[PredictiveRow, ...]
    loo: Loo | None
    effects: tuple[EffectRow, ...]


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
    comparison: Comparison | None = None
    """Where several forms were fitted: effects, differences, ranks, corners and verdicts are then
    averages over them; all the rest is of the form that leads."""
    effects: tuple[EffectRow, ...]
    differences: tuple[DifferenceRow, ...]
    ranks: tuple[RankRow, ...]
    corners: tuple[Corners, ...]
    verdicts: tuple[Verdict, ...]
    curves: tuple[Curve, ...]
    surfaces: tuple[Surface, ...]
    others: tuple[EquationResults, ...] = ()
    """Equations beside the one in focus, in causal order."""
    residuals: tuple[ResidualRow, ...] = ()
    learning: Learning | None = None
    """Where an equation has others as predictors."""
    reproduction: Reproduction
    variance: SharedVariance | None = None
    """Where the analysis asks for the R2D2M2 prior."""
    weighting: Weighting | None = None
    """Where the analysis declares survey weights."""
    measurement: Measurement | None = None
    """Where a capital is latent."""
