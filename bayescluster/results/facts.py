"""Facts of the firms, the measures, the model and the fit."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Estimate, Value


class Contraction(Value):
    """Share of a parameter's prior variance that the data have taken away, on its working scale.

    Near 1 the data determine it, near 0 they say nothing; below 0 they have spread it.
    """

    term: str
    contraction: float


class CornerWeight(Value):
    """Effective number of firms behind a corner of the conjunctive form, after its gates."""

    by: By
    group: str
    corner: Literal["LL", "HL", "LH", "HH"]
    firms: Estimate


class Identification(Value):
    """How far the data determine a form that is no sum."""

    contractions: tuple[Contraction, ...]
    corners: tuple[CornerWeight, ...] = ()
    substitution_flat: float | None = None
    """CES: posterior probability that ``|r|`` lies where the form is flat in it."""
    gain_small: float | None = None
    """CES: posterior probability of a gain so small that the mean it multiplies is unknown."""
    notes: tuple[str, ...] = ()
    """What is hardly identified, in words."""


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
    correlation: Estimate | None
    """Of two capitals, their correlation over all rows, free of measurement error where latent."""
    shift_least: dict[str, float]
    loading_least: float
    """Sizes from which departures are reported."""


class GroupingFacts(Value):
    """Which coefficients vary by a grouping."""

    name: str
    groups: int
    terms: tuple[str, ...]
    centred: tuple[str, ...]
    correlated: bool


class InformedPrior(Value):
    """Prior of a population coefficient before and after coded cases, next to its posterior.

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


class OutcomeFacts(Value):
    """What the outcome is and how it is reported."""

    column: str
    family: str
    scale: Literal["probability", "share", "rate", "mean", "level"]
    label: str
    """What an expected outcome is called on axes, e.g. ``probability of product_upgrading``."""
    levels: tuple[str, ...] = ()
    at_least: str | None = None

    @property
    def yes_or_no(self) -> bool:
        """Whether firms have the outcome or do not."""
        return self.scale == "probability" and not self.levels and self.at_least is None


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
    minutes: float | None = None
    """The time limit, where it ended the sampling before the checks passed."""


class Declared(Value):
    """When the hypotheses were declared, by the history of the runs kept of the same data."""

    digest: str
    """Hash of the hypotheses block, defaults written out."""
    at: str
    """When it was first declared, ISO 8601 in UTC."""
    before_fit: bool
    before_results: bool
    changes: int
    """Blocks that were first declared after results of these data had been computed."""

    @property
    def words(self) -> str:
        """The same in words."""
        if self.before_fit:
            return "declared before the first fit of these data"
        if self.before_results:
            return "declared after the first fit of these data, before results were computed"
        times = "once" if self.changes == 1 else f"{self.changes} times"
        return f"changed after results were seen ({times})"


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
    declared: Declared | None = None
    """When the hypotheses were declared; null without any, and outside a folder of runs."""
