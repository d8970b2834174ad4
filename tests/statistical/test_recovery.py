"""Recovery: outcomes drawn from the model at known parameters are found again at the nominal rate.

The truth of each replication is a draw from the prior, the firms are those shipped, and the outcome
is drawn anew. A 90% interval then covers its truth with probability exactly .9 on average, so the
number of hits over replications must lie inside a binomial band.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom

from bayescluster.app.prepare import analysis_source, design_of
from bayescluster.design.forms import of_form
from bayescluster.estimands.effects import surface_draws
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.scopes import groups_of
from bayescluster.inference.density import compile_design, draw_prior
from bayescluster.inference.nuts import sample_chains
from bayescluster.model.evaluate import Draws, draws_of, replicate
from bayescluster.names import CAPITALS, OUTCOME

pytestmark = pytest.mark.slow

REPLICATIONS = 24
INTERVAL = 0.90
BAND = 0.998
"""Chance that a right program passes each band."""


@pytest.fixture(scope="module")
def scenario():
    question = analysis_source("configs/asian_clusters_forms.yaml")
    analysis = of_form(question.analysis, "interaction")
    sampling = analysis.sampling.model_copy(
        update={"draws": 500, "tune": 500, "chains": 2, "target_accept": 0.9}
    )
    return design_of(question._replace(analysis=analysis.model_copy(update={"sampling": sampling})))


def _quantities(design, draws: Draws) -> dict[str, np.ndarray]:
    """Quantities that are looked for, ``(draw, quantity)`` each."""
    groups = groups_of(design, "industry")
    surface = surface_draws(design, draws, default_levels(design), groups.weights)
    found = {"population": np.column_stack(list(draws.population.values()))}
    found["controls"] = draws.controls
    found["group sds"] = np.column_stack([group.sd for group in draws.groups.values()])
    for capital in CAPITALS:
        found[f"marginal effect of {capital}"] = surface.marginal[capital]
    found["corners"] = np.column_stack(list(surface.corners.values()))
    return found


def _replication(design, truth: Draws, seed: int) -> dict[str, np.ndarray]:
    outcome = replicate(design, truth, np.random.default_rng(seed))[0]
    data = design.data.assign({OUTCOME: (design.data[OUTCOME].dims, outcome)})
    again = replace(design, data=data)
    compiled = compile_design(again, 1)
    sampling = again.analysis.sampling.model_copy(update={"seed": seed})
    chains = sorted(sample_chains(compiled, sampling, range(sampling.chains)))
    posterior = draws_of(again, xr.concat([chain.posterior for chain in chains], "chain"))
    wanted, found = _quantities(design, truth), _quantities(again, posterior)
    tail = (1 - INTERVAL) / 2
    hits = {}
    for name, draws in found.items():
        low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
        hits[name] = (low <= wanted[name][0]) & (wanted[name][0] <= high)
    return hits


def test_intervals_cover_the_truth_at_the_nominal_rate(scenario) -> None:
    prior = draws_of(scenario, draw_prior(scenario, REPLICATIONS, 5))
    counted: dict[str, list[np.ndarray]] = {}
    for seed in range(REPLICATIONS):
        truth = prior.part(np.array([seed]))
        for name, hits in _replication(scenario, truth, seed).items():
            counted.setdefault(name, []).append(hits)
    rates = {name: np.concatenate(hits).mean() for name, hits in counted.items()}
    for name, hits in counted.items():
        # quantities of one replication go together: the band is that of the replications alone
        low, high = binom.interval(BAND, REPLICATIONS, INTERVAL)
        rate = np.concatenate(hits).mean() * REPLICATIONS
        assert low <= rate <= high, f"{name}: {rates}"
