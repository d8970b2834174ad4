"""The model: its coefficients and priors, latent measurement, weights, shares of variance."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Estimate, Value
from bayescluster.results.identification import Identification


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
