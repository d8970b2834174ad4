"""Raising a firm, raising what surrounds it, and what the surroundings add."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from bayescluster.app.effects import context_rows
from bayescluster.design.coding import surroundings_of
from bayescluster.estimands.effects import contextual_effect, surface_draws
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.scopes import groups_of
from bayescluster.model.evaluate import Imputed, linear_predictor, row_coefficients
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import firms, small_design
from tests.model.test_measurement import design_for

H, S = "human_capital", "social_capital"
CLUSTER, FIRM = f"cluster_{H}", f"firm_{H}"
VARYING = {"industry": ["intercept", H, CLUSTER]}


def marginal(eta: np.ndarray, slope: np.ndarray) -> np.ndarray:
    return (expit(eta + 0.01 * slope) - expit(eta - 0.01 * slope)) / 0.02


def own_slope(design: Any, draws: Any) -> np.ndarray:
    c = row_coefficients(draws)
    return c[H] + c["interaction"] * design.capitals[1]


def test_the_firm_alone_the_whole_cluster_and_the_difference():
    design = small_design("bernoulli", "interaction", VARYING, contextual=[H], frame=firms(120))
    draws = known_draws(design, 20, cluster_human_capital=1.0)
    groups = groups_of(design, "industry")
    found = surface_draws(design, draws, default_levels(design), groups.weights)
    eta, c = linear_predictor(design, draws), row_coefficients(draws)
    alone, slope = own_slope(design, draws), c[CLUSTER]
    wanted_alone = marginal(eta, alone) @ groups.weights
    wanted_whole = marginal(eta, alone + slope) @ groups.weights
    np.testing.assert_allclose(found.marginal[H], wanted_alone, atol=1e-9)
    np.testing.assert_allclose(found.whole[CLUSTER], wanted_whole, atol=1e-9)
    less = contextual_effect(found, CLUSTER, ("cluster", H))
    np.testing.assert_allclose(less, wanted_whole - wanted_alone, atol=1e-9)


def test_corners_leave_the_surroundings_as_they_are():
    design = small_design("bernoulli", "interaction", contextual=[H], frame=firms(120))
    draws, levels = known_draws(design, 20, cluster_human_capital=1.0), None
    levels = default_levels(design)
    found = surface_draws(design, draws, levels, groups_of(design, "all").weights)
    c = {name: values[:, None] for name, values in draws.population.items()}
    for corner in ("LL", "HH"):
        h, s = levels.at(corner)
        eta = c["intercept"] + c[H] * h + c[S] * s + c["interaction"] * h * s
        eta = eta + c[CLUSTER] * design.context(CLUSTER)
        np.testing.assert_allclose(found.corners[corner][:, 0], expit(eta).mean(axis=1), atol=1e-9)


def test_a_whole_cluster_has_more_in_all_rows_of_its_firms():
    """With means of firms too, a cluster is compared with a firm that has more in all its rows."""
    design = small_design(
        "bernoulli",
        "interaction",
        data={"firm": "panel"},
        contextual={"cluster": [H], "firm": [H]},
        frame=firms(120),
    )
    draws = known_draws(design, 20, cluster_human_capital=1.0, firm_human_capital=-0.7)
    weights = groups_of(design, "all").weights
    found = surface_draws(design, draws, default_levels(design), weights)
    eta, c, alone = (
        linear_predictor(design, draws),
        row_coefficients(draws),
        own_slope(design, draws),
    )
    lasting = marginal(eta, alone + c[FIRM]) @ weights
    whole = marginal(eta, alone + c[FIRM] + c[CLUSTER]) @ weights
    np.testing.assert_allclose(found.whole[FIRM], lasting, atol=1e-9)
    np.testing.assert_allclose(found.whole[CLUSTER], whole, atol=1e-9)
    less = contextual_effect(found, CLUSTER, ("cluster", H))
    np.testing.assert_allclose(less, whole - lasting, atol=1e-9)
    less = contextual_effect(found, FIRM, ("firm", H))
    np.testing.assert_allclose(less, lasting - marginal(eta, alone) @ weights, atol=1e-9)


def test_a_yes_or_no_capital_goes_from_nobody_to_everybody():
    frame = firms(120)
    frame["training"] = (frame.training > 3).astype(int)
    design = small_design("bernoulli", "interaction", contextual=[H], frame=frame)
    draws = known_draws(design, 20, cluster_human_capital=1.0)
    weights = groups_of(design, "all").weights
    found = surface_draws(design, draws, default_levels(design), weights)
    c = {name: values[:, None] for name, values in draws.population.items()}
    means = []
    for level in (design.capitals[0].min(), design.capitals[0].max()):
        social = c[S] * design.capitals[1] + c["interaction"] * level * design.capitals[1]
        eta = c["intercept"] + (c[H] + c[CLUSTER]) * level + social
        means.append(expit(eta) @ weights)
    np.testing.assert_allclose(found.whole[CLUSTER], means[1] - means[0], atol=1e-9)


def test_of_a_latent_capital_the_surroundings_of_each_draw_are_raised():
    design = design_for("human latent", "bernoulli", contextual=[H])
    draws = known_draws(design, 10, cluster_human_capital=1.0)
    latent = np.random.default_rng(5).normal(size=(10, design.size))
    around = surroundings_of(design, "cluster").mean(latent) - design.context(CLUSTER)
    cells = {CLUSTER: Imputed(np.arange(design.size), around)}
    draws = replace(draws, capitals=(latent, np.tile(design.capitals[1], (10, 1))), imputed=cells)
    weights = groups_of(design, "all").weights
    found = surface_draws(design, draws, default_levels(design), weights)
    eta, c = linear_predictor(design, draws), row_coefficients(draws)
    slope = own_slope(design, draws)
    np.testing.assert_allclose(found.marginal[H], marginal(eta, slope) @ weights, atol=1e-9)
    whole = marginal(eta, slope + c[CLUSTER]) @ weights
    np.testing.assert_allclose(found.whole[CLUSTER], whole, atol=1e-9)


def judged(*claims: dict[str, Any], slope: float = 1.0) -> tuple[Evidence, Any]:
    design = small_design(
        "bernoulli", "interaction", VARYING, contextual=[H], frame=firms(120), hypotheses=claims
    )
    draws = known_draws(design, 200, spread=0.05, cluster_human_capital=slope)
    evidence = Evidence(design, draws, known_draws(design, 100, seed=3, spread=1.0), 7)
    return evidence, verdicts(design.analysis.hypotheses, evidence, True)


def claim(**keys: Any) -> dict[str, Any]:
    return {"kind": "contextual", "capital": H, "by": "all"} | keys


def test_claims_about_what_surrounds_a_firm():
    evidence, (less, whole, lower) = judged(
        claim(margin=0.02), claim(measure="whole"), claim(direction="negative")
    )
    surface = evidence.surface("observed", default_levels(evidence.design))
    draws = contextual_effect(surface, CLUSTER, ("cluster", H))[:, 0]
    assert less.probability == pytest.approx((draws > 0.02).mean())
    assert whole.probability == pytest.approx((surface.whole[CLUSTER][:, 0] > 0).mean())
    assert lower.probability == pytest.approx((draws < 0).mean())
    assert less.verdict == "supported"
    assert less.title == "The cluster's human capital adds to the firm's own"
    assert lower.title == "The cluster's human capital detracts from the firm's own"
    assert less.region == (
        "average effect of one sd more human capital in the whole cluster, less that in one firm "
        "while its neighbours keep theirs, above 0.02 (negligible: between -0.02 and 0.02)"
    )
    assert whole.title == (
        "More human capital in the whole cluster goes with a higher expected outcome"
    )


def test_a_contextual_effect_can_be_negligible():
    _, (verdict,) = judged(claim(margin=0.2, rope=0.2), slope=0.0)
    assert verdict.verdict == "negligible"


def test_rows_of_results_hold_all_three():
    evidence, _ = judged(claim())
    rows = context_rows(evidence)
    assert {(row.by, row.group) for row in rows} == {
        ("all", "all"),
        ("industry", "I0"),
        ("industry", "I1"),
    }
    for row in rows:
        assert row.whole.mean - row.alone.mean == pytest.approx(row.difference.mean)
