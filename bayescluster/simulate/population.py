"""Firms of a scenario: background, latent capital and its indicators, forms of learning, outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri
from scipy.stats import beta, gamma, nbinom

from bayescluster.spec.scenario import (
    Bernoulli,
    Cluster,
    Equation,
    Indicator,
    Industry,
    NegativeBinomial,
    Ordinal,
    Profile,
    Scenario,
    Trait,
)

type Floats = NDArray[np.float64]
type Bools = NDArray[np.bool_]

SMALLEST = 2.0**-54
TRAITS: tuple[Trait, ...] = ("human_capital", "bonding", "bridging", "transnational")
CONSTRUCTS = ("human_capital", "social_capital", "bonding", "bridging", "transnational")
AGE_SHAPE = 2.0
EXPORT_PRECISION = 5.0
SIZE_WEIGHT = 0.7
HUMAN_CAPITAL_WEIGHT = 0.8
LINKS: dict[str, Callable[[Floats], Floats]] = {
    "identity": np.asarray,
    "exp": np.exp,
    "logistic": expit,
}


class Moments(NamedTuple):
    """Mean and standard deviation of a construct before it was standardised."""

    mean: float
    sd: float


class Population(NamedTuple):
    """All firms of a scenario, one row each, in the same order in both tables.

    ``background`` has the columns that stand outside the model of capital and upgrading;
    ``latent`` has the five constructs, standardised over all firms.
    """

    background: pd.DataFrame
    latent: pd.DataFrame
    moments: dict[str, Moments]


def populate(scenario: Scenario, rng: np.random.Generator) -> Population:
    """Draw background and latent capital of every firm."""
    backgrounds, constructs = [], []
    for industry in scenario.industries:
        for cluster in industry.clusters:
            firms = _draw_background(industry, cluster, rng)
            traits = _draw_traits(scenario, cluster, firms, rng)
            weights = industry.social_weights
            social = (
                weights.bonding * traits["bonding"]
                + weights.bridging * traits["bridging"]
                + weights.transnational * traits["transnational"]
            )
            backgrounds.append(firms)
            constructs.append(traits.assign(social_capital=social)[list(CONSTRUCTS)])
    background = pd.concat(backgrounds, ignore_index=True)
    raw = pd.concat(constructs, ignore_index=True)
    latent = (raw - raw.mean()) / raw.std(ddof=0)
    moments = {
        name: Moments(float(raw[name].mean()), float(raw[name].std(ddof=0))) for name in raw.columns
    }
    certified = _draw_certified(scenario, background, latent, rng)
    return Population(background.assign(certified=certified), latent, moments)


def predictors(background: pd.DataFrame) -> pd.DataFrame:
    """Columns that a control or a selection effect may name, per firm."""
    log_employees = np.log(background["employees"].astype(float))
    return pd.DataFrame(
        {
            "log_employees": log_employees - log_employees.mean(),
            "exporter": background["exporter"].astype(float),
            "tnc_owned": background["tnc_owned"].astype(float),
            "first_tier": (background["tier"] == 1).astype(float),
        }
    )


def _draw_background(
    industry: Industry, cluster: Cluster, rng: np.random.Generator
) -> pd.DataFrame:
    profile = cluster.profile or industry.profile
    size = cluster.firms
    tier = np.repeat([1, 2, 3, 4], allocate(size, profile.tier_shares))
    tnc_owned = _share_by_tier(tier, profile.tnc_by_tier, uniform(rng, size))
    log_size = np.empty(tnc_owned.size)
    # In strata for each kind of owner: one large TNC subsidiary can outweigh a whole cluster.
    for owned in (0, 1):
        rows = np.flatnonzero(tnc_owned == owned)
        log_size[rows] = (
            profile.size_log_mean
            + profile.tnc_size_shift * owned
            + profile.size_log_sd * ndtri(stratified(rng, rows.size))
        )
    employees = np.asarray(np.clip(np.rint(np.exp(log_size)), 1, 9999), dtype=np.float64)
    wish = SIZE_WEIGHT * np.log(employees) / profile.size_log_sd + normal(rng, size)
    exporter = top_share(wish, profile.exporter_share)
    years = gamma.ppf(stratified(rng, size), AGE_SHAPE, scale=profile.age_mean / AGE_SHAPE)
    return pd.DataFrame(
        {
            "firm_id": [f"{cluster.code}-{number:04d}" for number in range(1, size + 1)],
            "cluster": cluster.name,
            "industry": industry.name,
            "employees": employees.astype(np.int64),
            "firm_age": np.clip(np.rint(years), 1, 99).astype(np.int64),
            "exporter": exporter.astype(np.int64),
            "export_share": _draw_export_share(profile, exporter, rng),
            "tnc_owned": tnc_owned.astype(np.int64),
            "tier": tier,
        }
    )


def _share_by_tier(tier: Floats, shares: tuple[float, ...], propensity: Floats) -> Floats:
    chosen = np.zeros(tier.size)
    for level, share in enumerate(shares, start=1):
        rows = np.flatnonzero(tier == level)
        chosen[rows] = top_share(propensity[rows], share)
    return chosen


def _draw_export_share(profile: Profile, exporter: Bools, rng: np.random.Generator) -> Floats:
    share, mean = np.zeros(exporter.size), profile.export_share
    if exporter.any():
        level = stratified(rng, int(exporter.sum()))
        drawn = beta.ppf(level, EXPORT_PRECISION * mean, EXPORT_PRECISION * (1 - mean))
        share[np.flatnonzero(exporter)] = np.clip(np.round(drawn, 2), 0.01, 1.0)
    return share


def _draw_traits(
    scenario: Scenario, cluster: Cluster, background: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    size = len(background)
    common = np.sqrt(scenario.latent_correlation) * normal(rng, size)
    own = np.sqrt(1 - scenario.latent_correlation)
    firm = predictors(background)
    # Centred within the cluster, so that selection moves firms and leaves the mean of the cluster.
    firm = firm - firm.mean()
    traits = {}
    for trait in TRAITS:
        noise = common + own * normal(rng, size)
        value = getattr(cluster.means, trait) + getattr(cluster.sds, trait) * noise
        for name, shift in scenario.selection.get(trait, {}).items():
            value = value + shift * firm[name].to_numpy()
        traits[trait] = value
    return pd.DataFrame(traits)


def _draw_certified(
    scenario: Scenario, background: pd.DataFrame, latent: pd.DataFrame, rng: np.random.Generator
) -> Floats:
    noise = normal(rng, len(background))
    propensity = HUMAN_CAPITAL_WEIGHT * latent["human_capital"].to_numpy() + noise
    certified = np.zeros(len(background))
    for industry in scenario.industries:
        for cluster in industry.clusters:
            profile = cluster.profile or industry.profile
            rows = np.flatnonzero(background["cluster"] == cluster.name)
            tier = background["tier"].to_numpy()[rows]
            certified[rows] = _share_by_tier(tier, profile.certified_by_tier, propensity[rows])
    return certified.astype(np.int64)


def measure(scenario: Scenario, population: Population, rng: np.random.Generator) -> pd.DataFrame:
    """Record every indicator of every firm, as the scenario makes it from the constructs."""
    shifts = {cluster.name: cluster.shifts for cluster in scenario.clusters}
    cluster = population.background["cluster"]
    columns = {}
    for item in scenario.indicators:
        own = cluster.map({name: by.get(item.column, 0.0) for name, by in shifts.items()})
        response = own.to_numpy(dtype=np.float64) + _response(item, population.latent, rng)
        columns[item.column] = _record(item, response)
    return pd.DataFrame(columns)


def _response(item: Indicator, latent: pd.DataFrame, rng: np.random.Generator) -> Floats:
    explained = np.zeros(len(latent))
    for construct, loading in item.loadings.items():
        explained = explained + loading * latent[construct].to_numpy()
    residual_sd = np.sqrt(1 - sum(loading**2 for loading in item.loadings.values()))
    return np.asarray(explained + residual_sd * normal(rng, len(latent)))


def _record(item: Indicator, response: Floats) -> Floats:
    if item.thresholds:
        # A binary answer is 0 or 1, an ordinal one starts at 1.
        first = 0 if item.kind == "binary" else 1
        return np.asarray(first + np.searchsorted(item.thresholds, response), dtype=np.int64)
    value = item.factor * LINKS[item.link](item.location + item.scale * response)
    held = np.clip(
        value, -np.inf if item.low is None else item.low, np.inf if item.high is None else item.high
    )
    if item.kind == "count":
        return np.rint(held).astype(np.int64)
    return np.round(held, item.decimals)


def uniform(rng: np.random.Generator, size: int) -> Floats:
    """Draw uniform numbers in the open interval (0, 1)."""
    return np.maximum(rng.random(size), SMALLEST)


def normal(rng: np.random.Generator, size: int) -> Floats:
    """Draw standard normal numbers, by the quantile function."""
    return np.asarray(ndtri(uniform(rng, size)), dtype=np.float64)


def stratified(rng: np.random.Generator, size: int) -> Floats:
    """Draw uniform numbers, one in each of ``size`` equal strata, in random order.

    A cluster of a few dozen firms then has the mean it is meant to have.
    """
    strata = np.argsort(uniform(rng, size), kind="stable")
    return np.asarray((strata + uniform(rng, size)) / size, dtype=np.float64)


def top_share(propensity: Floats, share: float) -> Bools:
    """Mark the given share of firms, those with the highest propensity.

    The number is rounded half up, so a share stated for a cluster holds to within half a firm.
    """
    count = int(np.floor(share * propensity.size + 0.5))
    chosen = np.zeros(propensity.size, dtype=np.bool_)
    chosen[np.argsort(-propensity, kind="stable")[:count]] = True
    return chosen


def allocate(size: int, shares: Sequence[float]) -> NDArray[np.int64]:
    """Divide ``size`` firms in proportion to shares that sum to 1, by largest remainders."""
    exact = size * np.asarray(shares, dtype=np.float64)
    counts = np.floor(exact + 1e-9).astype(np.int64)
    order = np.argsort(counts - exact, kind="stable")
    counts[order[: size - int(counts.sum())]] += 1
    return counts


# A high upper tail is all a count of products can use; it keeps the quantile finite.
LARGEST_TAIL = 1 - 1e-12


class FamilyDraws(NamedTuple):
    """Two functions of a linear predictor.

    ``draw(eta, shock, family)`` turns a standard normal shock into an outcome;
    ``expectation(eta, family)`` is its mean over shocks.
    """

    draw: Callable[[Floats, Floats, Any], Floats]
    expectation: Callable[[Floats, Any], Floats]


def _with_zeros(plain: FamilyDraws) -> FamilyDraws:
    """Let the lowest shocks give 0, as many as the family has zeros of their own."""

    def draw(eta: Floats, shock: Floats, family: Any) -> Floats:
        none = family.zero_share
        if none == 0.0:
            return plain.draw(eta, shock, family)
        level = ndtr(shock)
        rest = ndtri(np.clip((level - none) / (1.0 - none), 1.0 - LARGEST_TAIL, LARGEST_TAIL))
        drawn = plain.draw(eta, np.asarray(rest), family)
        return np.where(level < none, np.zeros_like(drawn), drawn)

    return FamilyDraws(
        draw, lambda eta, family: (1.0 - family.zero_share) * plain.expectation(eta, family)
    )


def _draw_negative_binomial(eta: Floats, shock: Floats, family: NegativeBinomial) -> Floats:
    size = family.dispersion
    level = np.minimum(ndtr(shock), LARGEST_TAIL)
    return np.asarray(nbinom.ppf(level, size, size / (size + np.exp(eta))), dtype=np.int64)


def _below(eta: Floats, family: Ordinal) -> Floats:
    """Probability of lying below each threshold, ``(..., threshold)``."""
    return np.asarray(expit(np.asarray(family.thresholds) - eta[..., np.newaxis]))


FAMILIES: dict[str, FamilyDraws] = {
    "bernoulli": FamilyDraws(
        lambda eta, shock, _: (ndtr(shock) > 1 - expit(eta)).astype(np.int64),
        lambda eta, _: np.asarray(expit(eta)),
    ),
    "lognormal": _with_zeros(
        FamilyDraws(
            lambda eta, shock, family: np.round(np.exp(eta + family.sigma * shock), 2),
            lambda eta, family: np.asarray(np.exp(eta + family.sigma**2 / 2)),
        )
    ),
    "negative_binomial": _with_zeros(
        FamilyDraws(_draw_negative_binomial, lambda eta, _: np.asarray(np.exp(eta)))
    ),
    "ordinal": FamilyDraws(
        lambda eta, shock, family: (
            (ndtr(shock)[:, np.newaxis] > _below(eta, family)).sum(axis=1).astype(np.int64)
        ),
        lambda eta, family: np.asarray((1 - _below(eta, family)).sum(axis=-1)),
    ),
}
LOGIT = Bernoulli(kind="bernoulli")

type ClusterEffects = dict[str, dict[str, float]]
"""Equation -> cluster -> intercept."""


class Terms(NamedTuple):
    """Linear predictor of one equation as a function of the two capitals; arrays over firms."""

    offset: Floats
    human_capital: Floats
    social_capital: Floats
    product: Floats

    def at(self, human: Floats | float, social: Floats | float) -> Floats:
        """Linear predictor where human and social capital have the given standardised values."""
        return np.asarray(
            self.offset
            + self.human_capital * human
            + self.social_capital * social
            + self.product * human * social
        )


def draw_cluster_effects(scenario: Scenario, rng: np.random.Generator) -> ClusterEffects:
    """Draw the intercept of every cluster in every equation, on the scale of the linear predictor."""
    names = [cluster.name for cluster in scenario.clusters]
    effects: ClusterEffects = {}
    for equation in scenario.equations:
        drawn = equation.cluster_sd * normal(rng, len(names))
        effects[equation.name] = dict(zip(names, drawn.tolist(), strict=True))
    return effects


def terms(equation: Equation, background: pd.DataFrame, by_cluster: dict[str, float]) -> Terms:
    """Terms of a learning form or an outcome, given the intercepts of its clusters."""
    firm = predictors(background)
    effects = [equation.by_industry[name] for name in background["industry"]]
    coefficient = {
        name: np.array([getattr(effect, name) for effect in effects])
        for name in ("intercept", "human_capital", "social_capital", "product", "first_tier")
    }
    offset = coefficient["intercept"] + coefficient["first_tier"] * firm["first_tier"].to_numpy()
    offset = offset + np.array([by_cluster[name] for name in background["cluster"]])
    for name, slope in equation.controls.items():
        offset = offset + slope * firm[name].to_numpy()
    return Terms(
        offset, coefficient["human_capital"], coefficient["social_capital"], coefficient["product"]
    )


def draw_learning(
    scenario: Scenario, population: Population, effects: ClusterEffects, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw with whom each firm learns; independent forms, given the capitals."""
    human, social = capitals(population)
    columns = {}
    for form in scenario.learning:
        eta = terms(form, population.background, effects[form.name]).at(human, social)
        columns[form.name] = FAMILIES["bernoulli"].draw(eta, normal(rng, eta.size), LOGIT)
    return pd.DataFrame(columns, index=population.background.index)


def draw_outcomes(
    scenario: Scenario,
    population: Population,
    effects: ClusterEffects,
    learning: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw every outcome; what is unexplained has a part in common within a firm."""
    human, social = capitals(population)
    common = np.sqrt(scenario.outcome_correlation) * normal(rng, len(learning))
    own = np.sqrt(1 - scenario.outcome_correlation)
    columns = {}
    for outcome in scenario.outcomes:
        eta = terms(outcome, population.background, effects[outcome.name]).at(human, social)
        for name, slope in outcome.learning.items():
            eta = eta + slope * learning[name].to_numpy()
        shock = common + own * normal(rng, eta.size)
        columns[outcome.name] = FAMILIES[outcome.family.kind].draw(eta, shock, outcome.family)
    return pd.DataFrame(columns)


def capitals(population: Population) -> tuple[Floats, Floats]:
    """Standardised human and social capital of every firm."""
    latent = population.latent
    return latent["human_capital"].to_numpy(), latent["social_capital"].to_numpy()
