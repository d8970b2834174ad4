from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
import xarray as xr
from pytensor.compile.mode import Mode
from scipy import integrate, stats

from bayescluster.design.arrays import design_from, design_tree
from bayescluster.estimands.effects import conditional_effects
from bayescluster.estimands.levels import CORNERS, default_levels, support
from bayescluster.estimands.scopes import groups_of
from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import draws_of, linear_predictor, log_likelihood
from bayescluster.structures import STRUCTURES
from tests.factories import small_design
from tests.measured import CONSTRUCTS, NO_CLUSTER, measured_firms
from tests.model.graph import graph_of, named_values, shapes_of
from tests.model.measured_oracle import MeasuredOracle, discrete
from tests.model.oracle import perturbed
from tests.oracles import fast_compile

PLAIN: dict[str, Any] = {"controls": ["exporter", {"column": "size", "transform": "log"}]}
CASES: dict[str, dict[str, Any]] = {
    "human latent": PLAIN | {"constructs": CONSTRUCTS["human latent"]},
    "social latent": PLAIN | {"constructs": CONSTRUCTS["social latent"]},
    "both latent": PLAIN | {"constructs": CONSTRUCTS["both latent"]},
    "discrete only": PLAIN | {"constructs": CONSTRUCTS["discrete only"]},
    "no clusters": PLAIN | {"constructs": CONSTRUCTS["both latent"], "data": NO_CLUSTER},
    "no controls": {"constructs": CONSTRUCTS["human latent"]},
    "nothing else": {"constructs": CONSTRUCTS["both latent"], "data": NO_CLUSTER},
    "complete": PLAIN | {"constructs": CONSTRUCTS["both latent"]},
}


def design_for(
    case: str, family: str = "gaussian", structure: str = "interaction", **keys: Any
) -> Any:
    frame = measured_firms(complete=case == "complete")
    return small_design(family, structure, frame=frame, **CASES[case], **keys)


SELDOM = ("social latent", "no clusters", "no controls", "nothing else")
"""Cases left to the slow tests: parts of those that stay."""


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] * (case in SELDOM)) for case in CASES]
)
def test_log_density_is_the_oracle(case):
    design = design_for(case)
    graph, oracle = graph_of(design), MeasuredOracle(design)
    for seed in (1, 2):
        point = perturbed(graph.shapes, seed)
        assert graph.log_density(point) == pytest.approx(oracle.log_density(point), rel=1e-9)
        np.testing.assert_allclose(graph.rows(point), oracle.rows(point), rtol=1e-8)
        assert np.isfinite(graph.gradient(point)).all()


def test_rows_with_all_some_and_no_answers_are_among_them():
    answered = np.isfinite(design_for("human latent").items("human_capital").values).sum(axis=1)
    assert set(answered) >= {0, 2, 4, 5}


@pytest.mark.parametrize("case", ["both latent", "discrete only"])
def test_raw_capital_is_the_textbook_conditional_normal(case):
    design = design_for(case)
    names = [c for c in ("human_capital", "social_capital") if design.is_latent(c)]
    graph = graph_of(design)
    point = perturbed(graph.shapes, 3)
    told, _ = MeasuredOracle(design).told(point)
    wanted = [f"{name}{tail}" for name in names for tail in ("", "_raw_mean", "_raw_sd")]
    found = named_values(design, wanted)(point)
    for name in names:
        np.testing.assert_allclose(found[name], told[name].capital, atol=1e-10)
        assert found[f"{name}_raw_mean"] == pytest.approx(told[name].raw.mean())
        assert found[f"{name}_raw_sd"] == pytest.approx(told[name].raw.std(ddof=1))


class Measured(NamedTuple):
    """A design with a latent capital, a point, and the density of what rests on its deviations."""

    design: Any
    point: Any
    density: Any


@pytest.fixture(scope="module")
def measured() -> Measured:
    design = design_for("human latent")
    with fast_compile():
        model = build_model(design)
        parts = model.logp(vars=[model["human_capital_z"], *model.potentials], jacobian=False)
        density = model.compile_fn(
            parts,
            inputs=model.value_vars,
            mode=Mode("py", "fast_compile"),
            on_unused_input="ignore",
        )
        shapes = {name: np.shape(value) for name, value in model.initial_point().items()}
    return Measured(design, perturbed(shapes, 4), density)


@pytest.mark.parametrize("row", [0, 1, 3, 4])
def test_the_deviation_integrates_to_the_capital(row, measured):
    # over z, one row's density must be that of prior times likelihoods over the raw capital itself
    design, point, density = measured
    items = design.items("human_capital")
    rows = MeasuredOracle(design).told(point)[0]["human_capital"].rows
    rest = rows.sum() - rows[row]

    def along(z: float) -> float:
        moved = point["human_capital_z"].copy()
        moved[row] = z
        return float(np.exp(density(point | {"human_capital_z": moved}) - rest))

    at = np.linspace(-8, 8, 161)
    by_deviation = integrate.simpson([along(z) for z in at], x=at)
    mean = MeasuredOracle(design).mean_of(point, "human_capital", design.capitals[1])[0][row]
    wanted, _ = integrate.quad(_joint(items, point, row, mean), mean - 9, mean + 9, epsabs=1e-13)
    assert by_deviation == pytest.approx(wanted, rel=1e-6)


def _joint(items: Any, point: Any, row: int, mean: float) -> Any:
    loading = np.exp(point["human_capital_loading_log__"])
    free = point["human_capital_threshold_rank_ordered__"]
    cuts = {
        3: point["human_capital_threshold_engineers"],
        4: np.cumsum(np.append(free[0], np.exp(free[1:]))),
    }
    values = items.values[row]
    error = np.exp(point["human_capital_item_error_log__"])
    intercept = point["human_capital_item_intercept"]

    def joint(raw: float) -> float:
        total = stats.norm.logpdf(raw, mean) + discrete(values, loading, cuts, raw)
        for k in range(3):
            if np.isfinite(values[k]):
                expected = intercept[k] + loading[k] * raw
                total += stats.norm.logpdf(values[k], expected, error[k])
        return float(np.exp(total))

    return joint


def posterior_at(design: Any, points: list[Any]) -> xr.Dataset:
    """Named variables at points, as a posterior of one chain."""
    values = named_values(design, list(reported_variables(design)))
    found = [values(point) for point in points]
    capitals = ("human_capital", "social_capital")
    return xr.Dataset(
        {
            name: (
                (
                    "chain",
                    "draw",
                    *(
                        ["firm"]
                        if name in capitals
                        else (f"{name}_{k}" for k in range(np.ndim(value)))
                    ),
                ),
                np.stack([one[name] for one in found])[None],
            )
            for name, value in found[0].items()
        }
    )


@pytest.mark.parametrize(
    "structure",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name in ("additive", "conjunctive")))
        for name, form in STRUCTURES.items()
        if len(form.capitals) == 2
    ],
)
def test_every_form_takes_latent_capitals(structure):
    design = design_for("both latent", "bernoulli", structure)
    graph, oracle = graph_of(design), MeasuredOracle(design)
    points = [perturbed(graph.shapes, seed) for seed in (5, 6)]
    draws = draws_of(design, posterior_at(design, points))
    eta, density = linear_predictor(design, draws), log_likelihood(design, draws)
    for k, point in enumerate(points):
        assert np.isfinite(graph.log_density(point))
        assert np.isfinite(graph.gradient(point)).all()
        np.testing.assert_allclose(density[k], graph.rows(point), rtol=1e-8)
        np.testing.assert_allclose(density[k], oracle.rows(point), rtol=1e-8)
    assert eta.shape == (2, design.size)
    assert not np.allclose(eta[0], eta[1])


def test_one_latent_capital_leaves_the_other_as_it_is():
    design = design_for("human latent")
    points = [perturbed(shapes_of(design), seed) for seed in (5, 6)]
    draws = draws_of(design, posterior_at(design, points))
    human, social = draws.capitals
    np.testing.assert_allclose(human.std(axis=1, ddof=1), 1.0)
    np.testing.assert_allclose(human.mean(axis=1), 0.0, atol=1e-12)
    np.testing.assert_array_equal(social, np.broadcast_to(design.capitals[1], social.shape))


def test_a_design_with_answers_is_saved_and_opened():
    design = design_for("both latent")
    again = design_from(design.analysis, design_tree(design))
    for capital in ("human_capital", "social_capital"):
        assert again.is_latent(capital)
        ours, theirs = design.items(capital), again.items(capital)
        assert (ours.columns, ours.levels) == (theirs.columns, theirs.levels)
        np.testing.assert_array_equal(ours.values, theirs.values)
    assert design.items("human_capital").levels == (0, 0, 0, 2, 4)
    assert design.items("human_capital").continuous == (0, 1, 2)


def test_levels_and_support_follow_the_score_and_say_so():
    design = design_for("human latent", "bernoulli")
    levels = default_levels(design)
    assert (
        levels.declared
        == "human: quantiles 0.1 and 0.9 of its score; social: quantiles 0.1 and 0.9"
    )
    assert levels.human == tuple(np.quantile(design.capitals[0], [0.1, 0.9]))
    groups = groups_of(design, "industry")
    assert support(design, levels, groups.members).firms.shape == (len(CORNERS), 2)
    points = [perturbed(shapes_of(design), seed) for seed in (5, 6)]
    draws = draws_of(design, posterior_at(design, points))
    curves = conditional_effects(design, draws, levels, groups)
    assert [curve.capital for curve in curves] == ["human_capital"] * 2 + ["social_capital"] * 2
    assert np.isfinite([curve.mean for curve in curves]).all()


def test_prior_draws_keep_thresholds_in_order():
    design = design_for("human latent")
    with fast_compile():
        found = sample_prior(design, build_model(design), reported_variables(design), 400, 1)
    cut = found["human_capital_threshold_rank"].to_numpy()[0]
    assert (np.diff(cut, axis=1) > 0).all()
    assert np.ptp(cut[:, 0]) > 1.0
