"""A latent capital finds the effect that errors of measurement hide from the mean of indicators.

Firms are made with three indicators a capital, of reliability .7 together, and an outcome that
rests on the capital itself. Each replication is a model of its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import binom

from bayescluster.design.record import Design
from bayescluster.inference.density import compile_design
from bayescluster.inference.nuts import sample_chains
from bayescluster.model.evaluate import draws_of
from tests.factories import small_design

SIZE = 400
EFFECT = 1.0
LOADING = np.sqrt(0.7 / 3 / (0.3 + 0.7 / 3))
"""Three such indicators have a reliability of 3 l^2 / (1 + 2 l^2) = .7."""
TAIL = 0.05
BAND = 0.998


class Interval(NamedTuple):
    """A 90% interval of the effect of human capital, and its middle."""

    low: float
    mean: float
    high: float

    @property
    def covers(self) -> bool:
        """Whether the true effect lies inside."""
        return self.low <= EFFECT <= self.high


def made(seed: int) -> pd.DataFrame:
    """Firms whose growth rises by 1 for a standard deviation of human capital."""
    rng = np.random.default_rng((seed, 4))
    human, social = rng.normal(size=(2, SIZE))
    human, social = ((values - values.mean()) / values.std(ddof=1) for values in (human, social))
    frame = {
        "firm": [f"f{k}" for k in range(SIZE)],
        "trust": social,
        "growth": 0.3 + EFFECT * human + 0.5 * social + rng.normal(size=SIZE),
    }
    for name in "abc":
        frame[name] = LOADING * human + np.sqrt(1 - LOADING**2) * rng.normal(size=SIZE)
    return pd.DataFrame(frame)


def design_of(frame: pd.DataFrame, method: str) -> Design:
    constructs: dict[str, Any] = {
        "human_capital": {"method": method, "indicators": ["a", "b", "c"]},
        "social_capital": {"method": "single", "indicators": ["trust"]},
    }
    return small_design(
        "gaussian",
        "additive",
        frame=frame,
        constructs=constructs,
        data={"cluster": None, "industry": None},
    )


def interval_of(design: Design, seed: int) -> Interval:
    """Sample two chains, and take the effect of human capital."""
    compiled = compile_design(design, 1)
    sampling = design.analysis.sampling.model_copy(
        update={"draws": 400, "tune": 400, "chains": 2, "target_accept": 0.9, "seed": seed}
    )
    chains = sorted(sample_chains(compiled, sampling, range(2)))
    draws = draws_of(design, xr.concat([chain.posterior for chain in chains], "chain"))
    effect = draws.population["human_capital"]
    low, high = np.quantile(effect, [TAIL, 1 - TAIL])
    return Interval(float(low), float(effect.mean()), float(high))


def intervals(replications: int, method: str) -> list[Interval]:
    return [interval_of(design_of(made(seed), method), seed) for seed in range(replications)]


def test_reliability_is_as_declared():
    frame = pd.concat([made(seed) for seed in range(20)])
    correlation = np.corrcoef(frame[["a", "b", "c"]].to_numpy().T)
    mean = correlation[np.triu_indices(3, 1)].mean()
    assert 3 * mean / (1 + 2 * mean) == pytest.approx(0.7, abs=0.02)


@pytest.mark.slow
def test_latent_capital_finds_the_effect_that_the_mean_of_indicators_hides():
    latent, mean = intervals(2, "latent"), intervals(2, "mean")
    # errors of measurement take the square root of the reliability off the effect of a score
    for one in mean:
        assert one.high < EFFECT
        assert one.mean == pytest.approx(EFFECT * np.sqrt(0.7), abs=0.15)
    for one in latent:
        assert one.mean == pytest.approx(EFFECT, abs=0.2)


def test_no_chain_stays_in_the_mirror_image():
    # with free signs one of these chains had all loadings but the first negative, and the effect turned round
    design = design_of(made(0), "latent")
    compiled = compile_design(design, 1)
    sampling = design.analysis.sampling.model_copy(
        update={"draws": 200, "tune": 300, "chains": 4, "target_accept": 0.9, "seed": 3}
    )
    for chain in sample_chains(compiled, sampling, range(4)):
        assert (chain.posterior["human_capital_loading"].mean("draw") > 0.4).all()
        assert chain.posterior["population"].sel(term="human_capital").mean() > 0.7


@pytest.mark.slow
def test_latent_intervals_cover_and_those_of_the_mean_miss():
    replications = 30
    hits = sum(one.covers for one in intervals(replications, "latent"))
    low, high = binom.interval(BAND, replications, 1 - 2 * TAIL)
    assert low <= hits <= high
    assert sum(one.covers for one in intervals(replications, "mean")) < replications / 3
