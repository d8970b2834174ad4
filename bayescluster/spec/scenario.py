"""A scenario: everything a simulated survey of firms is drawn from.

Human capital and social capital are latent. The coefficients of a scenario belong to the latent
variables standardised over all simulated firms (mean 0, standard deviation 1 overall), so an
effect reads as: one standard deviation of the whole sample, on the scale of the linear predictor.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bayescluster.spec.base import Frozen


def _rising(values: tuple[float, ...]) -> tuple[float, ...]:
    if list(values) != sorted(set(values)):
        raise ValueError("the thresholds must rise")
    return values


def _sums_to_one(what: str, values: Iterable[float]) -> None:
    total = sum(values)
    if abs(total - 1) > 1e-9:
        raise ValueError(f"{what} sum to {total:g}, not 1: change them so that they do")


type Trait = Literal["human_capital", "bonding", "bridging", "transnational"]
type Construct = Trait | Literal["social_capital"]
type Background = Literal["log_employees", "exporter", "tnc_owned", "first_tier"]
type Share = Annotated[float, Field(ge=0, le=1)]
type Below = Annotated[float, Field(ge=0, lt=1)]
type Positive = Annotated[float, Field(gt=0)]
type ByTier = tuple[Share, Share, Share, Share]
type Rising = Annotated[tuple[float, ...], AfterValidator(_rising)]


class Profile(Frozen):
    """What the firms of an industry, or of one cluster, look like apart from the two capitals."""

    size_log_mean: float = Field(description="Mean of log employees of firms not owned by a TNC.")
    size_log_sd: Positive = Field(description="Standard deviation of log employees.")
    tnc_size_shift: float = Field(0.0, description="Added to log employees of TNC-owned firms.")
    age_mean: Positive = Field(description="Mean age of the firm, in years.")
    tier_shares: ByTier = Field(description="Shares of firms in tiers 1 to 4; they sum to 1.")
    tnc_by_tier: ByTier = Field(description="Share of TNC-owned firms in each tier.")
    certified_by_tier: ByTier = Field(description="Share of certified firms in each tier.")
    exporter_share: Share = Field(description="Share of firms that export.")
    export_share: float = Field(gt=0, lt=1, description="Mean share of output exporters export.")

    @model_validator(mode="after")
    def _tiers_sum_to_one(self) -> Self:
        _sums_to_one("tier_shares", self.tier_shares)
        return self


class Traits(Frozen):
    """One number for human capital and for each side of social capital."""

    human_capital: float
    bonding: float
    bridging: float
    transnational: float


class Spreads(Frozen):
    """Within-cluster standard deviations of the latent traits."""

    human_capital: Positive = 0.8
    bonding: Positive = 0.8
    bridging: Positive = 0.8
    transnational: Positive = 0.8


class SocialWeights(Frozen):
    """How much each side of social capital counts in an industry; they sum to 1."""

    bonding: Share
    bridging: Share
    transnational: Share

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        _sums_to_one("the weights", (self.bonding, self.bridging, self.transnational))
        return self


class Cluster(Frozen):
    """One cluster: its firms and the level of each latent trait."""

    name: str = Field(min_length=1)
    code: str = Field(pattern=r"^[A-Z]{3}$", description="First part of firm_id.")
    firms: int = Field(ge=1)
    means: Traits = Field(description="Means of the latent traits, before standardising.")
    sds: Spreads = Spreads()
    shifts: dict[str, float] = Field(
        {}, description="Indicator -> shift of its latent response, beyond what capital implies."
    )
    profile: Profile | None = Field(None, description="In place of the profile of the industry.")


class Industry(Frozen):
    """An industry category: its clusters and what they have in common."""

    name: str = Field(min_length=1)
    social_weights: SocialWeights
    profile: Profile
    clusters: tuple[Cluster, ...] = Field(min_length=1)


class Indicator(Frozen):
    """One question of the survey.

    The latent response is the loadings times the standardised constructs, plus a normal residual
    with variance one less the squared loadings. It is turned into the column by ``kind``:
    continuous and count columns are ``link(location + scale * response)`` held within the bounds;
    ordinal and binary columns count the thresholds the response exceeds.
    """

    column: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    description: str
    unit: str
    kind: Literal["continuous", "count", "ordinal", "binary"]
    loadings: dict[Construct, float] = Field(min_length=1)
    link: Literal["identity", "exp", "logistic"] = "identity"
    location: float = 0.0
    scale: Positive = 1.0
    factor: Positive = Field(
        1.0, description="Multiplies the link: 100 makes a share a percentage."
    )
    low: float | None = None
    high: float | None = None
    decimals: int = Field(0, ge=0, le=3)
    thresholds: Rising = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if sum(loading**2 for loading in self.loadings.values()) >= 1:
            raise ValueError(f"{self.column}: the squared loadings sum to 1 or more: lower them")
        wanted = {"ordinal": 4, "binary": 1}.get(self.kind, 0)
        if len(self.thresholds) != wanted:
            raise ValueError(
                f"{self.column}: {self.kind} needs {wanted} thresholds, found "
                f"{len(self.thresholds)}"
            )
        return self


class Effects(Frozen):
    """Coefficients of one industry on the scale of the linear predictor."""

    intercept: float
    human_capital: float = 0.0
    social_capital: float = 0.0
    product: float = Field(0.0, description="Coefficient of human capital times social capital.")
    first_tier: float = Field(0.0, description="Added for firms that supply the lead firm.")


class Equation(Frozen):
    """What learning forms and outcomes have in common."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    description: str
    unit: str = "0/1"
    by_industry: dict[str, Effects]
    controls: dict[Background, float] = Field(
        default_factory=dict, description="log_employees is centred at its mean over all firms."
    )
    cluster_sd: float = Field(ge=0, description="Standard deviation of the cluster intercepts.")


class Bernoulli(Frozen):
    """Yes or no, logit link."""

    kind: Literal["bernoulli"]


class Lognormal(Frozen):
    """Positive and continuous, normal on the log scale; a share of the firms may have 0 instead."""

    kind: Literal["lognormal"]
    sigma: Positive
    zero_share: Below = 0.0


class NegativeBinomial(Frozen):
    """Count, log link, variance ``mean + mean**2 / dispersion``; a share may have 0 whatever it is."""

    kind: Literal["negative_binomial"]
    dispersion: Positive
    zero_share: Below = 0.0


class Ordinal(Frozen):
    """Ordered categories 0, 1, ...: cumulative logit with rising thresholds."""

    kind: Literal["ordinal"]
    thresholds: Rising = Field(min_length=1)


type Family = Annotated[
    Bernoulli | Lognormal | NegativeBinomial | Ordinal, Field(discriminator="kind")
]


class Outcome(Equation):
    """One upgrading outcome."""

    family: Family
    learning: dict[str, float] = Field(
        default_factory=dict, description="Learning form -> its coefficient."
    )


class Missing(Frozen):
    """Cells left unanswered, completely at random."""

    code: int = -9
    shares: dict[str, Below] = Field({}, description="Column -> share of its cells missing.")


class Scenario(Frozen):
    """A simulated survey of firms in clusters."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    title: str
    note: str = Field(description="What the numbers rest on; goes into the data package.")
    seed: int = Field(ge=0)
    latent_correlation: Below = Field(
        0.0, description="Correlation of the latent traits within a cluster."
    )
    outcome_correlation: Below = Field(
        0.0, description="Correlation of what is unexplained in the outcomes of one firm."
    )
    selection: dict[Trait, dict[Background, float]] = Field(
        {}, description="Trait -> background -> shift of the trait: makes it a confounder."
    )
    industries: tuple[Industry, ...] = Field(min_length=1)
    indicators: tuple[Indicator, ...] = Field(min_length=1)
    learning: tuple[Equation, ...] = ()  # yes or no, logit link
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    missing: Missing = Missing()

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """All clusters, industry by industry."""
        return tuple(cluster for industry in self.industries for cluster in industry.clusters)

    @property
    def equations(self) -> tuple[Equation, ...]:
        """The learning forms, then the outcomes."""
        return (*self.learning, *self.outcomes)

    @model_validator(mode="after")
    def _names_agree(self) -> Self:
        problems = [*_duplicates(self), *_unknown(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _duplicates(scenario: Scenario) -> Iterator[str]:
    named: dict[str, Iterable[str]] = {
        "industry": (industry.name for industry in scenario.industries),
        "cluster": (cluster.name for cluster in scenario.clusters),
        "cluster code": (cluster.code for cluster in scenario.clusters),
        "column": [
            *(indicator.column for indicator in scenario.indicators),
            *(equation.name for equation in scenario.equations),
        ],
    }
    for what, names in named.items():
        for name, count in Counter(names).items():
            if count > 1:
                yield f"{what} '{name}' is named {count} times"


def _unknown(scenario: Scenario) -> Iterator[str]:
    columns = {indicator.column for indicator in scenario.indicators}
    forms = {form.name for form in scenario.learning}
    industries = {industry.name for industry in scenario.industries}
    for cluster in scenario.clusters:
        for name in cluster.shifts.keys() - columns:
            yield f"cluster '{cluster.name}' shifts '{name}', which is not an indicator"
    for equation in scenario.equations:
        for name in sorted(equation.by_industry.keys() ^ industries):
            where = "missing from" if name in industries else "unknown in"
            yield f"{equation.name}: industry '{name}' is {where} by_industry"
    for outcome in scenario.outcomes:
        for name in sorted(outcome.learning.keys() - forms):
            yield f"{outcome.name}: '{name}' is not a learning form"
    for name in sorted(scenario.missing.shares.keys() - columns - {"firm_age"}):
        yield f"missing: '{name}' is neither an indicator nor firm_age"
