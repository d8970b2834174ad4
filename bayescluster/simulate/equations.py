"""Linear predictors of learning forms and outcomes, and draws from them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from bayescluster.simulate.draws import Floats, normal
from bayescluster.simulate.families import FAMILIES
from bayescluster.simulate.population import Population, predictors
from bayescluster.spec.scenario import Bernoulli, Equation, Outcome, Scenario

LOGIT = Bernoulli(kind="bernoulli")

type ClusterEffects = dict[str, dict[str, float]]


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
    """Draw the intercept of every cluster in every equation.

    Returns
    -------
    dict
        Equation -> cluster -> intercept, on the scale of the linear predictor.
    """
    names = [cluster.name for cluster in scenario.clusters]
    return {
        equation.name: dict(
            zip(names, (equation.cluster_sd * normal(rng, len(names))).tolist(), strict=True)
        )
        for equation in scenario.equations
    }


def terms(equation: Equation, background: pd.DataFrame, by_cluster: dict[str, float]) -> Terms:
    """Collect what one equation needs to be evaluated at any human and social capital.

    Parameters
    ----------
    equation
        A learning form or an outcome.
    background
        Firms; one row each.
    by_cluster
        Intercepts of the clusters.
    """
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
        offset,
        coefficient["human_capital"],
        coefficient["social_capital"],
        coefficient["product"],
    )


def draw_learning(
    scenario: Scenario,
    population: Population,
    effects: ClusterEffects,
    rng: np.random.Generator,
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
        eta = eta + learned(outcome, learning)
        shock = common + own * normal(rng, eta.size)
        columns[outcome.name] = FAMILIES[outcome.family.kind].draw(eta, shock, outcome.family)
    return pd.DataFrame(columns)


def learned(outcome: Outcome, learning: pd.DataFrame) -> Floats:
    """Part of the linear predictor of an outcome that comes from the learning forms."""
    part = np.zeros(len(learning))
    for name, slope in outcome.learning.items():
        part = part + slope * learning[name].to_numpy()
    return part


def capitals(population: Population) -> tuple[Floats, Floats]:
    """Standardised human and social capital of every firm."""
    latent = population.latent
    return latent["human_capital"].to_numpy(), latent["social_capital"].to_numpy()
