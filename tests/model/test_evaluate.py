from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

from bayescluster.design.record import Design
from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.model import evaluate
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import (
    Draws,
    draws_of,
    expectation,
    linear_predictor,
    log_likelihood,
    replicate,
    row_coefficients,
)
from tests.factories import CONTROLS, firms, small_design
from tests.helpers import assert_within_mcse
from tests.model.graph import graph_of, named_values, shapes_of
from tests.model.oracle import Oracle, perturbed
from tests.oracles import fast_compile

RICH: dict[str, Any] = {
    "varying": {
        "industry": ["intercept", "human_capital"],
        "cluster": {"terms": ["intercept", "social_capital"], "correlated": True},
    },
    "controls": CONTROLS,
}
CASES: dict[str, Any] = {
    "bernoulli": ("bernoulli", "interaction", RICH),
    "ordinal": (
        "ordinal",
        "additive",
        {"varying": {"industry": ["intercept", "human_capital"]}, "controls": ["exporter"]},
    ),
    "ordinal, nothing else": ("ordinal", "intercept", {}),
    "negative binomial": (
        "negative_binomial",
        "additive",
        {"varying": {"cluster": {"terms": ["intercept"], "centred": True}}, "exposure": "exposure"},
    ),
    "known errors": ("gaussian", "intercept", {"standard_error": "error"}),
    "student t": ("student_t", "additive", {}),
    "monotonic": (
        "bernoulli",
        "conjunctive",
        {
            "varying": {"industry": ["both"], "cluster": ["intercept"]},
            "controls": ["exporter", {"column": "grade", "monotonic": True}],
        },
    ),
    "ces": ("poisson", "ces", {"varying": {"industry": ["gain", "share"]}, "exposure": "exposure"}),
}


def posterior_of(design: Design, points: list[Any]) -> xr.Dataset:
    """Named variables of the model at points, as a posterior of two chains."""
    values = named_values(design, list(reported_variables(design)))
    found = [values(point) for point in points]
    stacked = {name: np.stack([one[name] for one in found]) for name in found[0]}
    shaped = {
        name: (
            ("chain", "draw", *(f"{name}_{k}" for k in range(value.ndim - 1))),
            value.reshape(2, len(points) // 2, *value.shape[1:]),
        )
        for name, value in stacked.items()
    }
    return xr.Dataset(shaped)


@pytest.mark.parametrize("case", CASES)
def test_numpy_twin_is_the_graph(case):
    family, structure, keys = CASES[case]
    design = small_design(family, structure, **keys)
    graph, oracle = graph_of(design), Oracle(design)
    points = [perturbed(graph.shapes, seed) for seed in range(4)]
    draws = draws_of(design, posterior_of(design, points))
    assert (draws.chains, draws.size) == (2, 4)
    eta, density = linear_predictor(design, draws), log_likelihood(design, draws)
    assert eta.shape == density.shape == (4, design.size)
    for k, point in enumerate(points):
        np.testing.assert_allclose(eta[k], oracle.linear_predictor(point), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(density[k], graph.rows(point), rtol=1e-8)


@pytest.fixture(scope="module")
def rich() -> tuple[Design, Draws]:
    family, structure, keys = CASES["bernoulli"]
    design = small_design(family, structure, **keys)
    shapes = shapes_of(design)
    points = [perturbed(shapes, seed) for seed in range(6)]
    return design, draws_of(design, posterior_of(design, points))


def test_chunks_change_nothing(rich, monkeypatch):
    design, draws = rich
    whole = log_likelihood(design, draws)
    drawn = replicate(design, draws, np.random.default_rng(1))
    monkeypatch.setattr(evaluate, "CELLS_A_CHUNK", 2 * design.size + 1)
    assert [which for which, _ in draws.chunks(design.size)] == [
        slice(0, 2),
        slice(2, 4),
        slice(4, 6),
    ]
    np.testing.assert_array_equal(log_likelihood(design, draws), whole)
    np.testing.assert_array_equal(replicate(design, draws, np.random.default_rng(1)), drawn)


def test_a_part_of_the_draws(rich):
    design, draws = rich
    some = draws.part(np.array([4, 1]))
    assert (some.chains, some.size) == (1, 2)
    np.testing.assert_array_equal(
        linear_predictor(design, some), linear_predictor(design, draws)[[4, 1]]
    )
    np.testing.assert_array_equal(
        some.groups["cluster"].correlation, draws.groups["cluster"].correlation[[4, 1]]
    )


def test_thinned_draws_are_evenly_spaced(rich):
    design, draws = rich
    whole = linear_predictor(design, draws)
    np.testing.assert_array_equal(linear_predictor(design, draws.thinned(3)), whole[[0, 2, 5]])
    assert draws.thinned(6) is draws
    assert draws.thinned(100) is draws


def test_row_coefficients_add_the_groups_of_the_row(rich):
    design, draws = rich
    found = row_coefficients(draws)
    industry, cluster = (draws.groups[name] for name in ("industry", "cluster"))
    for row in (0, 1, 17, 47):
        i, c = design.index("industry")[row], design.index("cluster")[row]
        wanted = draws.population["intercept"] + industry.effect[:, i, 0] + cluster.effect[:, c, 0]
        np.testing.assert_allclose(found["intercept"][:, row], wanted)
        wanted = draws.population["human_capital"] + industry.effect[:, i, 1]
        np.testing.assert_allclose(found["human_capital"][:, row], wanted)
        wanted = draws.population["social_capital"] + cluster.effect[:, c, 1]
        np.testing.assert_allclose(found["social_capital"][:, row], wanted)
    np.testing.assert_array_equal(found["interaction"][:, 0], draws.population["interaction"])


def test_replicates_have_the_expected_mean(rich):
    design, draws = rich
    many = draws.part(np.repeat(3, 4000))
    drawn = replicate(design, many, np.random.default_rng(2))
    mean = expectation(design, linear_predictor(design, draws.part(np.array([3]))), draws)[0]
    assert_within_mcse(drawn, mean)


def test_expectation_of_reaching_a_level():
    design = small_design("ordinal", "additive", at_least=2)
    point = perturbed(shapes_of(design), 1)
    draws = draws_of(design, posterior_of(design, [point, point]))
    eta = linear_predictor(design, draws)
    cut = draws.parameters["cutpoints"][0, 0, 1]
    np.testing.assert_allclose(
        expectation(design, eta, draws)[0], 1 / (1 + np.exp(cut - eta[0])), rtol=1e-12
    )


def log_density_of(varying: dict[str, Any], point: Any) -> float:
    design = small_design("bernoulli", "interaction", varying)
    return graph_of(design).log_density(point)


def test_centred_and_not_are_the_same_model():
    terms = ["intercept", "human_capital"]
    apart = {"industry": {"terms": terms, "centred": False}}
    graph = graph_of(small_design("bernoulli", "interaction", apart))
    point = perturbed(graph.shapes, 5)
    sd = np.exp(point["industry_sd_log__"])
    moved = {k: v for k, v in point.items() if not k.endswith("_z")}
    for position, term in enumerate(terms):
        deviation = sd[position] * point[f"industry_{term}_z"]
        moved[f"industry_{term}_total"] = point["population"][position] + deviation
    centred = log_density_of({"industry": {"terms": terms, "centred": True}}, moved)
    assert centred == pytest.approx(graph.log_density(point) - 2 * np.log(sd).sum(), abs=1e-8)


def test_centred_and_not_are_the_same_model_where_correlated():
    terms = ["intercept", "human_capital", "interaction"]
    apart = {"cluster": {"terms": terms, "correlated": True, "centred": False}}
    design = small_design("bernoulli", "interaction", apart)
    graph = graph_of(design)
    point = perturbed(graph.shapes, 6)
    found = named_values(design, ["cluster_effect", "cluster_correlation"])(point)
    sd = np.exp(point["cluster_sd_log__"])
    covariance = sd[:, None] * found["cluster_correlation"] * sd
    jacobian = 6 * 0.5 * np.linalg.slogdet(covariance)[1]
    moved = {k: v for k, v in point.items() if k != "cluster_z"}
    moved["cluster_total"] = point["population"][[0, 1, 3]] + found["cluster_effect"]
    together = {"cluster": {"terms": terms, "correlated": True, "centred": True}}
    centred = log_density_of(together, moved)
    assert centred == pytest.approx(graph.log_density(point) - jacobian, abs=1e-8)


def test_an_additive_model_is_an_interaction_of_zero():
    additive = graph_of(small_design("poisson", "additive"))
    full = graph_of(small_design("poisson", "interaction"))
    point = perturbed(additive.shapes, 7)
    wider = {"population": np.append(point["population"], 0.0)}
    np.testing.assert_allclose(full.rows(wider), additive.rows(point), rtol=1e-12)


@pytest.fixture(scope="module")
def prior() -> tuple[Design, xr.Dataset]:
    frame = firms(industries=2, clusters=4)
    varying = {"industry": ["human_capital"], "cluster": ["intercept", "human_capital"]}
    design = small_design("gaussian", "additive", varying, controls=["exporter"], frame=frame)
    with fast_compile():
        found = sample_prior(design, build_model(design), reported_variables(design), 2000, 1)
    return design, found


def test_prior_draws_have_the_moments_of_the_priors(prior):
    design, found = prior
    unit = design.outcome.std(ddof=1)
    draws = draws_of(design, found)
    cluster = draws.groups["cluster"]
    assert_within_mcse(cluster.sd, 0.5 * unit * np.sqrt(2 / np.pi))
    assert_within_mcse(draws.parameters["sigma"], unit * np.sqrt(2 / np.pi))
    assert_within_mcse(draws.population["intercept"], design.outcome.mean())
    assert_within_mcse(draws.population["human_capital"] ** 2, unit**2)
    effects = cluster.effect.reshape(2000, -1)
    assert_within_mcse(effects, 0.0)
    # Var(effect) = E[sd^2] of a half normal
    assert_within_mcse(effects**2, (0.5 * unit) ** 2)
    # LKJ(2) of two terms: r is 2 Beta(2, 2) - 1, of variance 1/5
    correlation = cluster.correlation[:, 0, 1]
    assert_within_mcse(correlation, 0.0)
    assert_within_mcse(correlation**2, 0.2)
    # effects of one cluster go together as the correlation says
    z = cluster.effect / cluster.sd[:, None, :]
    assert_within_mcse(z[:, 0, 0] * z[:, 0, 1] - correlation, 0.0)
