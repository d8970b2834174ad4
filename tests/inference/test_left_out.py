"""Refits without rows are fits of the other rows, and what arviz asks of a wrapper is there."""

from __future__ import annotations

import warnings

import arviz as az
import numpy as np
import pytest
import xarray as xr

from bayescluster.checks.loo import row_log_likelihood
from bayescluster.design.arrays import replaced, with_unit_weights
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import diagnostics
from bayescluster.model.evaluate import draws_of, log_likelihood
from bayescluster.names import ROW
from bayescluster.spec.analysis import Sampling
from bayescluster.studies.folds.refits import LeftOut
from tests.draws import known_draws
from tests.factories import small_design
from tests.fits import posterior_of
from tests.helpers import MINIMUM_ESS
from tests.workflow.left_out_made import InstantLeftOut

NESTED = {"industry": ["intercept"], "cluster": ["intercept"]}
SAMPLING = Sampling(draws=50, tune=50, chains=2, seed=3)


@pytest.mark.parametrize("family", ["bernoulli", "gaussian", "ordinal"])
def test_density_of_rows_is_that_of_all_rows(family):
    design = small_design(family, "interaction", NESTED, controls=["exporter"])
    draws = known_draws(design)
    rows = np.array([3, 4, 17])
    every = log_likelihood(design, draws)
    np.testing.assert_allclose(row_log_likelihood(design, draws, rows), every[:, rows])


def instant(design: Design, tree: xr.DataTree | None = None) -> LeftOut:
    return LeftOut(design, SAMPLING, InstantLeftOut().of(design, weighted=True), tree)


def test_rows_without_weight_are_left_out():
    design = small_design("bernoulli", "additive", NESTED)
    wrapper = instant(design)
    weights, out = wrapper.sel_observations([5, 2])
    assert np.flatnonzero(weights == 0).tolist() == [2, 5]
    assert weights.sum() == design.size - 2
    assert out.tolist() == [5, 2]
    assert (
        wrapper.check_implemented_methods(
            ["sel_observations", "sample", "get_inference_data", "log_likelihood__i"]
        )
        == []
    )


def test_arviz_refits_with_it():
    """`arviz.reloo` gives the bad row the score that its refit has, and leaves the others."""
    design = small_design("bernoulli", "additive", NESTED)
    refit = instant(design).refit(np.array([0]))
    density = log_likelihood(design, refit.draws).reshape(2, 50, design.size)
    tree = xr.DataTree.from_dict(
        {
            "posterior": refit.tree["posterior"].to_dataset(),
            "log_likelihood": xr.Dataset(
                {"upgrading": (("chain", "draw", ROW), density)},
                {ROW: list(design.labels(ROW)), "chain": [0, 1], "draw": np.arange(50)},
            ),
        }
    )
    wrapper = instant(design, tree)
    with warnings.catch_warnings():
        # arviz warns of large Pareto k, which draws from no posterior have
        warnings.simplefilter("ignore", UserWarning)
        before = az.loo(tree, var_name="upgrading", pointwise=True)
    before.pareto_k[7] = 2.0
    limit = float(np.sort(before.pareto_k.to_numpy())[-2]) + 0.01
    found = az.reloo(wrapper, before, var_name="upgrading", k_threshold=limit, pointwise=True)
    mine = row_log_likelihood(design, wrapper.refit(np.array([7])).draws, np.array([7]))
    assert float(found.elpd_i[7]) == pytest.approx(np.log(np.mean(np.exp(mine))))
    others = np.arange(design.size) != 7
    np.testing.assert_array_equal(found.elpd_i[others], before.elpd_i[others])


def test_a_refit_is_a_fit_of_the_other_rows():
    """A cluster is left out, then its rows are truly taken away: the same posterior, to its error."""
    design = small_design("bernoulli", "additive", {"cluster": ["intercept"]})
    rows = np.flatnonzero(design.index("cluster") == 2)
    kept = np.flatnonzero(design.index("cluster") != 2)
    sampling = Sampling(draws=1000, tune=500, chains=2, seed=5)
    left_out = LeftOut(design, sampling).refit(rows)
    fewer = replaced(design, design.outcome)
    fewer = Design(
        design.analysis.model_copy(update={"sampling": sampling.model_copy(update={"seed": 6})}),
        fewer.data.isel({ROW: kept}),
    )
    vars(fewer)["groupings"] = design.groupings
    truly = draws_of(fewer, posterior_of(fewer))
    assert with_unit_weights(design).weights is not None
    _same(_summaries(left_out.draws), _summaries(truly))
    # the effect of the cluster without rows has nothing but its distribution
    standard = (
        left_out.draws.groups["cluster"].effect[:, 2, 0] / left_out.draws.groups["cluster"].sd[:, 0]
    )
    assert abs(standard.mean()) < 0.2
    assert standard.std() == pytest.approx(1.0, abs=0.15)


def _summaries(draws) -> np.ndarray:
    group = draws.groups["cluster"]
    effects = group.effect[:, :, 0]
    first = [*draws.population.values(), group.sd[:, 0], *effects.T]
    return np.column_stack([*first, *(each**2 for each in first)])


def _same(one: np.ndarray, other: np.ndarray) -> None:
    errors = []
    for draws in (one, other):
        _, ess, _, mcse = diagnostics(draws, 2)
        assert ess.min() >= MINIMUM_ESS / 2
        errors.append(mcse)
    z = (one.mean(axis=0) - other.mean(axis=0)) / np.hypot(*errors)
    assert np.abs(z).max() < 4.5, z
