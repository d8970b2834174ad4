"""Firms simulated from a scenario, with the truth behind them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from bayescluster.simulate.equations import draw_cluster_effects, draw_learning, draw_outcomes
from bayescluster.simulate.population import measure, populate, uniform
from bayescluster.simulate.truth import Truth, find_truth
from bayescluster.spec.scenario import Scenario


class Firms(NamedTuple):
    """Simulated firms, one row each, and the truth they were drawn from."""

    firms: pd.DataFrame
    truth: Truth


def simulate(scenario: Scenario, rng: np.random.Generator) -> Firms:
    """Draw a survey of firms.

    Parameters
    ----------
    scenario
        What to draw from.
    rng
        Source of randomness; ``numpy.random.default_rng(scenario.seed)`` gives the data set that
        belongs to the scenario.

    Returns
    -------
    Firms
        The table as a survey would record it, with missing cells coded, and the truth.
    """
    population = populate(scenario, rng)
    effects = draw_cluster_effects(scenario, rng)
    indicators = measure(scenario, population, rng)
    learning = draw_learning(scenario, population, effects, rng)
    outcomes = draw_outcomes(scenario, population, effects, learning, rng)
    table = pd.concat([population.background, indicators, learning, outcomes], axis=1)
    return Firms(_with_missing(scenario, table, rng), find_truth(scenario, population, effects))


def _with_missing(
    scenario: Scenario, table: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    coded = {
        column: table[column].mask(uniform(rng, len(table)) < share, scenario.missing.code)
        for column, share in scenario.missing.shares.items()
    }
    return table.assign(**coded)
