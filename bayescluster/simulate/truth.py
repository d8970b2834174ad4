"""What a fitted model should find: true coefficients and true expectations.

Expectations are those of g-computation: human and social capital are set, each firm keeps its
other covariates and its cluster, the learning forms answer to the two capitals as they would, and
the firms of an industry are averaged.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import expit

from bayescluster.simulate.population import (
    FAMILIES,
    ClusterEffects,
    Floats,
    Moments,
    Population,
    Terms,
    capitals,
    draw_cluster_effects,
    draw_learning,
    draw_outcomes,
    measure,
    populate,
    terms,
    uniform,
)
from bayescluster.spec.scenario import Outcome, Scenario

LEVELS = (0.1, 0.9)
CORNERS: tuple[tuple[str, int, int], ...] = (
    ("neither", 0, 0),
    ("human_capital_only", 1, 0),
    ("social_capital_only", 0, 1),
    ("both", 1, 1),
)
SCALE = (
    "Coefficients are on the scale of the linear predictor (logit for 0/1 and ordinal outcomes, "
    "log for value added and counts) and belong to latent human and social capital standardised "
    "over all firms of the file (mean 0, standard deviation 1). Expectations are probabilities "
    "for 0/1 outcomes, means otherwise, and include the part that acts through learning."
)
DIGITS = 6


class Truth(NamedTuple):
    """All that the simulation knows and a survey would not.

    Attributes
    ----------
    scenario
        What was simulated, with all coefficients.
    latent
        Standardised constructs of every firm, in the order of the firms.
    moments
        Mean and standard deviation of each construct before standardising.
    anchors
        Construct -> its 10th and 90th percentile over all firms.
    cluster_effects
        Equation -> cluster -> intercept.
    expectations
        Outcome -> industry -> expectation at the capitals the firms have.
    corners
        Outcome -> industry -> corner -> expectation with both capitals set to an anchor.
    """

    scenario: Scenario
    latent: pd.DataFrame
    moments: dict[str, Moments]
    anchors: dict[str, tuple[float, float]]
    cluster_effects: ClusterEffects
    expectations: dict[str, dict[str, float]]
    corners: dict[str, dict[str, dict[str, float]]]

    def record(self) -> dict[str, Any]:
        """Plain values for a JSON file; the firms' own latent values are left out."""
        scenario = self.scenario
        equations: dict[str, Any] = {
            equation.name: equation.model_dump(
                mode="json", exclude={"name", "title", "description", "unit"}
            )
            | {"cluster_effects": self.cluster_effects[equation.name]}
            for equation in scenario.equations
        }
        loadings = {item.column: dict(item.loadings) for item in scenario.indicators}
        weights = {
            industry.name: industry.social_weights.model_dump() for industry in scenario.industries
        }
        plain: dict[str, Any] = _rounded(
            {
                "synthetic": True,
                "scenario": scenario.name,
                "seed": scenario.seed,
                "scale": SCALE,
                "latent_moments": {k: moments._asdict() for k, moments in self.moments.items()},
                "anchors": {
                    k: {"p10": low, "p90": high} for k, (low, high) in self.anchors.items()
                },
                "social_capital_weights": weights,
                "loadings": loadings,
                "equations": equations,
                "expectations": self.expectations,
                "corners": self.corners,
            }
        )
        return plain


def find_truth(scenario: Scenario, population: Population, effects: ClusterEffects) -> Truth:
    """Work out the true expectations of a simulated population."""
    human, social = capitals(population)
    anchors = {
        name: (float(np.quantile(values, LEVELS[0])), float(np.quantile(values, LEVELS[1])))
        for name, values in (("human_capital", human), ("social_capital", social))
    }
    industry = population.background["industry"].to_numpy()
    expectations: dict[str, dict[str, float]] = {}
    corners: dict[str, dict[str, dict[str, float]]] = {}
    for outcome in scenario.outcomes:
        surface = Surface(scenario, population.background, effects, outcome)
        expectations[outcome.name] = _by_industry(surface.at(human, social), industry)
        at_corners = {
            corner: _by_industry(
                surface.at(anchors["human_capital"][h], anchors["social_capital"][s]), industry
            )
            for corner, h, s in CORNERS
        }
        corners[outcome.name] = {
            name: {corner: at_corners[corner][name] for corner, _, _ in CORNERS}
            for name in expectations[outcome.name]
        }
    return Truth(
        scenario, population.latent, population.moments, anchors, effects, expectations, corners
    )


class Surface:
    """Expected outcome of every firm as a function of its human and social capital."""

    def __init__(
        self,
        scenario: Scenario,
        background: pd.DataFrame,
        effects: ClusterEffects,
        outcome: Outcome,
    ) -> None:
        self._outcome = outcome
        self._direct = terms(outcome, background, effects[outcome.name])
        self._forms: dict[str, Terms] = {
            form.name: terms(form, background, effects[form.name])
            for form in scenario.learning
            if form.name in outcome.learning
        }

    def at(self, human: Floats | float, social: Floats | float) -> Floats:
        """Average the outcome of each firm over every pattern of learning forms."""
        eta = self._direct.at(human, social)
        family = self._outcome.family
        chances = {name: expit(form.at(human, social)) for name, form in self._forms.items()}
        total = np.zeros_like(eta)
        for pattern in product((0, 1), repeat=len(chances)):
            weight = np.ones_like(eta)
            shift = 0.0
            for learns, (name, chance) in zip(pattern, chances.items(), strict=True):
                weight = weight * (chance if learns else 1 - chance)
                shift += learns * self._outcome.learning[name]
            total += weight * FAMILIES[family.kind].expectation(eta + shift, family)
        return total


def _by_industry(values: Floats, industry: Floats) -> dict[str, float]:
    names = dict.fromkeys(industry.tolist())
    return {str(name): float(values[industry == name].mean()) for name in names}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return round(value, DIGITS) if isinstance(value, float) else value


class Survey(NamedTuple):
    """Simulated firms, one row each, and the truth they were drawn from."""

    firms: pd.DataFrame
    truth: Truth


def simulate(scenario: Scenario, rng: np.random.Generator) -> Survey:
    """Draw a survey of firms: the table as it would be recorded, with missing cells coded.

    ``numpy.random.default_rng(scenario.seed)`` gives the data set that belongs to the scenario.
    """
    population = populate(scenario, rng)
    effects = draw_cluster_effects(scenario, rng)
    indicators = measure(scenario, population, rng)
    learning = draw_learning(scenario, population, effects, rng)
    outcomes = draw_outcomes(scenario, population, effects, learning, rng)
    table = pd.concat([population.background, indicators, learning, outcomes], axis=1)
    coded = {
        column: table[column].mask(uniform(rng, len(table)) < share, scenario.missing.code)
        for column, share in scenario.missing.shares.items()
    }
    return Survey(table.assign(**coded), find_truth(scenario, population, effects))
