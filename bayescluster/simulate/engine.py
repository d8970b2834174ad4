"""A survey of firms simulated from a scenario, with the truth behind it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from bayescluster.simulate.equations import draw_cluster_effects, draw_learning, draw_outcomes
from bayescluster.simulate.population import measure, populate, uniform
from bayescluster.simulate.truth import Truth, find_truth
from bayescluster.spec.scenario import Scenario


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
