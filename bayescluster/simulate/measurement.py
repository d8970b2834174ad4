"""What a survey would record of the latent constructs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import expit

from bayescluster.simulate.draws import Floats, normal
from bayescluster.simulate.population import Population
from bayescluster.spec.scenario import Indicator, Scenario

LINKS: dict[str, Callable[[Floats], Floats]] = {
    "identity": np.asarray,
    "exp": np.exp,
    "logistic": expit,
}


def measure(scenario: Scenario, population: Population, rng: np.random.Generator) -> pd.DataFrame:
    """Record every indicator of every firm.

    Parameters
    ----------
    scenario
        Its indicators say how a column is made from the constructs.
    population
        Firms with their latent capital.
    rng
        Source of randomness.
    """
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
        value,
        -np.inf if item.low is None else item.low,
        np.inf if item.high is None else item.high,
    )
    if item.kind == "count":
        return np.rint(held).astype(np.int64)
    return np.round(held, item.decimals)
