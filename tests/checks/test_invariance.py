"""Firms made from a known measurement model, their capital drawn given their answers exactly.

With known parameters nothing needs sampling, so that the rate of false alarms can be counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import stats

from bayescluster.design.record import Design
from bayescluster.features.measurement.compute import FEWEST, _fitted, _Residuals, departures
from tests.factories import small_design

DRAWS = 400
LOADING, ERROR = np.array([0.75, 0.7, 0.8, 0.7]), np.array([0.66, 0.71, 0.6, 0.71])
COLUMNS = ("a", "b", "c", "d")
CONSTRUCTS: dict[str, Any] = {
    "human_capital": {"method": "latent", "indicators": list(COLUMNS)},
    "social_capital": {"method": "single", "indicators": ["trust"]},
}


def made(seed: int, shift: float = 0.0, steeper: float = 0.0) -> tuple[Design, xr.Dataset]:
    """600 firms of 12 clusters in 3 industries; 'a' is shifted in C03 and steeper in I2."""
    rng = np.random.default_rng(seed)
    size = 600
    cluster = np.arange(size) % 12
    capital = rng.normal(size=size)
    answers = capital[:, None] * LOADING + ERROR * rng.normal(size=(size, 4))
    answers[:, 0] += shift * (cluster == 3) + steeper * capital * (cluster >= 8)
    frame = pd.DataFrame(answers, columns=list(COLUMNS)).assign(
        firm=[f"f{k}" for k in range(size)],
        cluster=[f"C{k:02d}" for k in cluster],
        industry=[f"I{k // 4}" for k in cluster],
        trust=rng.normal(size=size),
        growth=rng.normal(size=size),
    )
    design = small_design("gaussian", "additive", frame=frame, constructs=CONSTRUCTS)
    return design, posterior_of(design, rng)


def posterior_of(design: Design, rng: np.random.Generator) -> xr.Dataset:
    """Draws of the capital given the answers, by regression on them; parameters held."""
    values = design.items("human_capital").values
    covariance = np.outer(LOADING, LOADING) + np.diag(ERROR**2)
    weight = np.linalg.solve(covariance, LOADING)
    sd = np.sqrt(1 - weight @ LOADING)
    raw = values @ weight + sd * rng.normal(size=(DRAWS, design.size))
    center, spread = raw.mean(axis=1), raw.std(axis=1, ddof=1)

    def held(vector: Any) -> Any:
        return np.broadcast_to(vector, (1, DRAWS, len(vector)))

    dims = ("chain", "draw")
    return xr.Dataset(
        {
            "human_capital": ((*dims, "firm"), ((raw - center[:, None]) / spread[:, None])[None]),
            "human_capital_raw_mean": (dims, center[None]),
            "human_capital_raw_sd": (dims, spread[None]),
            "human_capital_loading": ((*dims, "item"), held(LOADING)),
            "human_capital_item_intercept": ((*dims, "item"), held(np.zeros(4))),
            "human_capital_item_error": ((*dims, "item"), held(ERROR)),
        }
    )


def found_of(seed: int, **keys: float) -> list[Any]:
    return departures(*made(seed, **keys), "human_capital", np.random.default_rng(seed))


def test_every_group_and_indicator_is_looked_at():
    found = found_of(1)
    assert {(d.by, d.measure) for d in found} == {
        ("industry", "shift"),
        ("industry", "loading"),
        ("cluster", "shift"),
    }
    assert len(found) == 4 * (3 + 3 + 12)
    assert {d.rows for d in found if d.by == "cluster"} == {50}


def test_indicators_that_mean_the_same_everywhere_are_seldom_flagged():
    flagged = [d.flagged for seed in range(10) for d in found_of(seed)]
    assert len(flagged) == 720
    assert np.mean(flagged) < 0.03


def test_a_shift_is_found_where_it_is():
    found = found_of(2, shift=0.7)
    worst = max((d for d in found if d.by == "cluster"), key=lambda d: abs(d.draws.mean()))
    assert (worst.indicator, worst.group, worst.measure) == ("a", "C03", "shift")
    assert worst.flagged
    # the capital goes some way with the indicator, which takes off the weight of its own loading
    design, _ = made(2, shift=0.7)
    weight = np.linalg.solve(np.outer(LOADING, LOADING) + np.diag(ERROR**2), LOADING)
    scale = np.std(design.data["human_capital_items"].to_numpy()[:, 0], ddof=1)
    assert scale == pytest.approx(1.0)
    assert worst.draws.mean() == pytest.approx(0.7 * (1 - LOADING[0] * weight[0]), abs=0.2)


def test_a_steeper_loading_is_found_where_it_is():
    found = found_of(3, steeper=0.5)
    loadings = [d for d in found if d.measure == "loading"]
    worst = max(loadings, key=lambda d: d.draws.mean())
    assert (worst.indicator, worst.group) == ("a", "I2")
    assert worst.flagged


def test_shift_and_slope_are_those_of_least_squares_with_their_errors():
    rng = np.random.default_rng(4)
    levels, residual = rng.normal(size=(2, 30)), rng.normal(size=(2, 30))
    members = (np.arange(30)[:, None] % 2 == np.arange(2)).astype(float)
    many = _Residuals(np.repeat(residual[:1], 20_000, axis=0), np.full((20_000, 30), 0.49))
    shift, slope = _fitted(many, np.repeat(levels[:1], 20_000, axis=0), members, rng)
    for k in (0, 1):
        x, y = levels[0, k::2], residual[0, k::2]
        line = stats.linregress(x, y)
        assert shift[:, k].mean() == pytest.approx(y.mean(), abs=0.006)
        assert shift[:, k].std() == pytest.approx(0.7 / np.sqrt(15), rel=0.03)
        assert slope[:, k].mean() == pytest.approx(line.slope, abs=0.008)
        assert slope[:, k].std() == pytest.approx(
            0.7 / np.sqrt(((x - x.mean()) ** 2).sum()), rel=0.03
        )


def test_small_groups_are_left_out():
    design, posterior = made(5)
    values = design.data["human_capital_items"].copy()
    few = np.flatnonzero(design.index("cluster") == 5)[FEWEST - 1 :]
    values[few, 1] = np.nan
    lacking = Design(design.analysis, design.data.assign(human_capital_items=values))
    found = departures(lacking, posterior, "human_capital", np.random.default_rng(1))
    looked = {(d.indicator, d.group) for d in found}
    assert ("b", "C05") not in looked
    assert ("a", "C05") in looked


def test_discrete_answers_have_the_mean_and_variance_of_their_probabilities():
    from bayescluster.features.measurement.compute import _residuals
    from tests.measured import CONSTRUCTS as MEASURED
    from tests.measured import measured_firms

    design = small_design(frame=measured_firms(), constructs=MEASURED["discrete only"])
    cut, loading = np.array([-1.0, 0.2, 1.4]), np.array([1.1, 0.8])
    levels = np.random.default_rng(1).normal(size=(1, design.size))
    dims = ("chain", "draw")
    posterior = xr.Dataset(
        {
            "human_capital_raw_mean": (dims, [[0.1]]),
            "human_capital_raw_sd": (dims, [[1.3]]),
            "human_capital_loading": ((*dims, "item"), loading[None, None]),
            "human_capital_threshold_rank": ((*dims, "k"), cut[None, None]),
        }
    )
    values = design.items("human_capital").values[:, 1]
    answered = np.isfinite(values)
    found = _residuals(design, posterior, ("human_capital", 1), levels[:, answered], slice(0, 1))
    unit = values[answered].std(ddof=1)
    for row, level in enumerate(levels[0, answered]):
        ends = np.concatenate([[-np.inf], cut, [np.inf]])
        share = np.diff(stats.logistic.cdf(ends - 0.8 * (0.1 + 1.3 * level)))
        mean = share @ np.arange(4)
        answer = values[answered][row]
        assert found.residual[0, row] == pytest.approx((answer - mean) / unit)
        variance = share @ np.arange(4) ** 2 - mean**2
        assert found.variance[0, row] == pytest.approx(variance / unit**2)
