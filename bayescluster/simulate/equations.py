"""Learning forms and outcomes: linear predictors, families, and their draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit, ndtr, ndtri
from scipy.stats import nbinom

from bayescluster.simulate.population import Floats, Population, normal, predictors
from bayescluster.spec.scenario import Bernoulli, Equation, NegativeBinomial, Ordinal, Scenario

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
