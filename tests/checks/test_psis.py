"""Pareto smoothing of many sets of weights, and leaving rows out block by block, give arviz's numbers."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats

from bayescluster.checks import loo as module
from bayescluster.checks.calibration import bars_of
from bayescluster.checks.loo import left_out, relative_efficiency, row_scores, smoothed
from bayescluster.model.evaluate import log_likelihood
from tests.draws import known_draws
from tests.factories import small_design

DIMS = ("chain", "draw", "firm")


@pytest.mark.parametrize("spread", [0.01, 0.5, 4.0])
@pytest.mark.parametrize(("draws", "relative"), [(37, 1.0), (800, 0.4), (2000, 1.6)])
def test_weights_and_khat_are_those_of_arviz(draws, relative, spread):
    rng = np.random.default_rng(draws)
    ratios = spread * rng.normal(size=(40, draws)) * rng.random((40, 1))
    log_weights, khat = array_stats.psislw(-ratios, r_eff=relative, axis=-1)
    found = smoothed(ratios, relative)
    np.testing.assert_allclose(found.khat, khat, rtol=1e-9)
    np.testing.assert_allclose(found.log_weights, log_weights, atol=1e-9)


def test_weights_without_a_tail_stay_as_they_are():
    short, flat = np.log(np.arange(1.0, 21.0))[None], np.zeros((2, 400))
    for ratios in (short, flat):
        found = smoothed(ratios, 1.0)
        assert np.isnan(found.khat).all()
        weights = np.exp(ratios) / np.exp(ratios).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(np.exp(found.log_weights), weights)


def test_scores_are_those_of_arviz():
    rng = np.random.default_rng(5)
    density = rng.normal(-1.0, 0.2, (4, 250, 30)) * rng.uniform(0.2, 6.0, 30)
    parameters = {"a": (DIMS[:2], rng.normal(size=(4, 250))), "b": (DIMS[:2], np.ones((4, 250)))}
    posterior = xr.Dataset(parameters | {"c": (DIMS, np.cumsum(density, axis=1))})
    tree = xr.DataTree.from_dict(
        {"posterior": posterior, "log_likelihood": xr.Dataset({"y": (DIMS, density)})}
    )
    wanted = az.loo(tree, var_name="y", pointwise=True)
    found = row_scores(density.reshape(1000, 30), relative_efficiency(posterior))
    np.testing.assert_allclose(found.elpd, wanted.elpd_i, rtol=1e-9)
    np.testing.assert_allclose(found.khat, wanted.pareto_k, rtol=1e-9)
    assert (found.error, found.p_loo) == pytest.approx((wanted.se, wanted.p), rel=1e-9)
    assert relative_efficiency(posterior.isel(chain=[0])) == 1.0


@pytest.mark.parametrize("family", ["bernoulli", "ordinal", "negative_binomial", "gaussian"])
def test_blocks_of_rows_change_nothing(family, monkeypatch):
    design = small_design(family, "interaction", {"industry": ["human_capital"]})
    draws = known_draws(design, 200, 4, spread=0.3)
    whole = left_out(design, draws, 0.8, bars_of(design))
    scores = row_scores(log_likelihood(design, draws), 0.8)
    np.testing.assert_allclose(whole.scores.elpd, scores.elpd, rtol=1e-12)
    np.testing.assert_allclose(whole.scores.khat, scores.khat, rtol=1e-9)
    monkeypatch.setattr(module, "CELLS_A_BLOCK", 1400)  # 7 rows at a time
    again = left_out(design, draws, 0.8, bars_of(design))
    np.testing.assert_allclose(again.scores.elpd, whole.scores.elpd, rtol=1e-12)
    np.testing.assert_allclose(again.reached, whole.reached, rtol=1e-12)
