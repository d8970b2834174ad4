"""Firms before they are asked anything: background and latent capital."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri
from scipy.stats import beta, gamma

from bayescluster.simulate.draws import (
    Bools,
    Floats,
    allocate,
    normal,
    stratified,
    top_share,
    uniform,
)
from bayescluster.spec.scenario import Cluster, Industry, Profile, Scenario, Trait

TRAITS: tuple[Trait, ...] = ("human_capital", "bonding", "bridging", "transnational")
CONSTRUCTS = ("human_capital", "social_capital", "bonding", "bridging", "transnational")
AGE_SHAPE = 2.0
EXPORT_PRECISION = 5.0
SIZE_WEIGHT = 0.7
HUMAN_CAPITAL_WEIGHT = 0.8


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
    """Draw background and latent capital of every firm.

    Parameters
    ----------
    scenario
        What to draw from.
    rng
        Source of randomness.
    """
    parts = [
        _draw_cluster(scenario, industry, cluster, rng)
        for industry in scenario.industries
        for cluster in industry.clusters
    ]
    background = pd.concat([part[0] for part in parts], ignore_index=True)
    raw = pd.concat([part[1] for part in parts], ignore_index=True)
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


def _draw_cluster(
    scenario: Scenario, industry: Industry, cluster: Cluster, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    background = _draw_background(industry, cluster, rng)
    traits = _draw_traits(scenario, cluster, background, rng)
    weights = industry.social_weights
    social = (
        weights.bonding * traits["bonding"]
        + weights.bridging * traits["bridging"]
        + weights.transnational * traits["transnational"]
    )
    return background, traits.assign(social_capital=social)[list(CONSTRUCTS)]


def _draw_background(
    industry: Industry, cluster: Cluster, rng: np.random.Generator
) -> pd.DataFrame:
    profile = cluster.profile or industry.profile
    size = cluster.firms
    tier = np.repeat([1, 2, 3, 4], allocate(size, profile.tier_shares))
    tnc_owned = _share_by_tier(tier, profile.tnc_by_tier, uniform(rng, size))
    employees = _draw_employees(profile, tnc_owned, rng)
    wish = SIZE_WEIGHT * np.log(employees) / profile.size_log_sd + normal(rng, size)
    exporter = top_share(wish, profile.exporter_share)
    return pd.DataFrame(
        {
            "firm_id": [f"{cluster.code}-{number:04d}" for number in range(1, size + 1)],
            "cluster": cluster.name,
            "industry": industry.name,
            "employees": employees.astype(np.int64),
            "firm_age": _draw_age(profile, size, rng),
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


def _draw_employees(profile: Profile, tnc_owned: Floats, rng: np.random.Generator) -> Floats:
    log_size = np.empty(tnc_owned.size)
    # In strata for each kind of owner: one large TNC subsidiary can outweigh a whole cluster.
    for owned in (0, 1):
        rows = np.flatnonzero(tnc_owned == owned)
        log_size[rows] = (
            profile.size_log_mean
            + profile.tnc_size_shift * owned
            + profile.size_log_sd * ndtri(stratified(rng, rows.size))
        )
    return np.asarray(np.clip(np.rint(np.exp(log_size)), 1, 9999), dtype=np.float64)


def _draw_age(profile: Profile, size: int, rng: np.random.Generator) -> Floats:
    years = gamma.ppf(stratified(rng, size), AGE_SHAPE, scale=profile.age_mean / AGE_SHAPE)
    return np.asarray(np.clip(np.rint(years), 1, 99), dtype=np.int64)


def _draw_export_share(profile: Profile, exporter: Bools, rng: np.random.Generator) -> Floats:
    first, second = (
        EXPORT_PRECISION * profile.export_share,
        EXPORT_PRECISION * (1 - profile.export_share),
    )
    share = np.zeros(exporter.size)
    count = int(exporter.sum())
    if count:
        drawn = beta.ppf(stratified(rng, count), first, second)
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
