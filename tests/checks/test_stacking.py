from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from bayescluster.checks.loo import difference, stacking_weights, total_error


def test_no_single_move_of_weight_improves_the_score():
    rng = np.random.default_rng(2)
    elpd = -0.5 * rng.normal(size=(60, 5)) ** 2 - rng.random(5)
    weights = stacking_weights(elpd)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0).all()
    gradient = (np.exp(elpd) / (np.exp(elpd) @ weights)[:, None]).mean(axis=0)
    # at the best of a concave score no model has a slope above 1, and those in use are at 1
    assert (gradient <= 1 + 1e-4).all()
    assert gradient[weights > 1e-3] == pytest.approx(1.0, abs=1e-4)


def test_models_that_are_beaten_everywhere_get_nothing():
    base = np.random.default_rng(3).normal(-1000, 5, 40)
    weights = stacking_weights(np.column_stack([base, base - 1, base - 700]))
    assert weights == pytest.approx([1, 0, 0], abs=1e-8)
    assert stacking_weights(base[:, None]) == pytest.approx([1.0])


def test_as_arviz():
    import arviz as az

    rng = np.random.default_rng(4)
    outcome = rng.normal(0.3, 1.2, 80)
    trees, columns = {}, []
    for k, (mean, sd) in enumerate([(0.0, 1.0), (0.5, 1.3), (-1.0, 2.0)]):
        means = rng.normal(mean, 0.1, (2, 500, 1))
        density = xr.DataArray(norm.logpdf(outcome, means, sd), dims=("chain", "draw", "firm"))
        trees[f"m{k}"] = xr.DataTree.from_dict(
            {
                "posterior": xr.Dataset({"mean": (("chain", "draw"), means[..., 0])}),
                "log_likelihood": xr.Dataset({"y": density}),
            }
        )
        columns.append(az.loo(trees[f"m{k}"], pointwise=True).elpd_i.to_numpy())
    elpd = np.column_stack(columns)
    table = az.compare(trees, method="stacking", round_to="none")
    names = list(trees)
    assert stacking_weights(elpd) == pytest.approx(
        [float(table.loc[name, "weight"]) for name in names], abs=2e-3
    )
    best = elpd[:, names.index(table.index[0])]
    for k, name in enumerate(names):
        found = difference(elpd[:, k], best)
        assert found.total == pytest.approx(float(table.loc[name, "elpd_diff"]), abs=1e-6)
        assert found.error == pytest.approx(float(table.loc[name, "dse"]), rel=0.02, abs=1e-9)


def test_error_of_a_sum():
    assert total_error(np.array([3.0])) == 0.0
    assert total_error(np.array([1.0, 2.0, 6.0])) == pytest.approx(np.sqrt(3 * 7.0))
