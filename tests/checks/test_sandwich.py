"""The sandwich against closed forms of the linear model, with draws from its exact posterior."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from bayescluster.checks.sandwich import sandwich, unit_of, weighting
from bayescluster.model.evaluate import Draws, GroupDraws
from tests.factories import firms, small_design

SIGMA, TAU, DRAWS = 4.0, 2.0, 20_000
MARGIN = 0.03
"""Relative error of an sd from so many draws, five times over."""


class Exact(NamedTuple):
    """Design, draws from its posterior, and its arrays: inputs, memberships, weights."""

    design: Any
    draws: Draws
    inputs: Any
    rows: Any


def exact(frame: pd.DataFrame, data: dict[str, Any], by: tuple[str, ...] = ()) -> Exact:
    """Draws of all coefficients and effects given sigma and tau, flat prior on the coefficients.

    Henderson's mixed model equations, each effect's precision times its unit's weight.
    """
    varying = {name: ["intercept"] for name in by}
    design = small_design("gaussian", "additive", varying, data=data, frame=frame)
    inputs = np.column_stack([np.ones(design.size), *design.capitals])
    weights = design.weights.rows
    z = [np.eye(design.index(name).max() + 1)[design.index(name)] for name in by]
    whole = np.column_stack([inputs, *z])
    ridge = [np.zeros(3)]
    for name, part in zip(by, z, strict=True):
        of = design.weights.clusters if name == "cluster" else None
        ridge.append((np.ones(part.shape[1]) if of is None else of) / TAU**2)
    precision = whole.T @ (weights[:, None] * whole) / SIGMA**2 + np.diag(np.concatenate(ridge))
    mean = np.linalg.solve(precision, whole.T @ (weights * design.outcome) / SIGMA**2)
    rng = np.random.default_rng(3)
    found = rng.multivariate_normal(mean, np.linalg.inv(precision), DRAWS)
    names = ("intercept", "human_capital", "social_capital")
    groups, start = {}, 3
    for name, part in zip(by, z, strict=True):
        effect = found[:, start : start + part.shape[1], None]
        start += part.shape[1]
        sd = np.full((DRAWS, 1), TAU)
        groups[name] = GroupDraws(("intercept",), design.index(name), effect, sd, None)
    population = {name: found[:, k] for k, name in enumerate(names)}
    sigma = {"sigma": np.full((DRAWS, 1), SIGMA)}
    draws = Draws(4, population, np.zeros((DRAWS, 0)), groups, sigma)
    return Exact(design, draws, inputs, weights)


def surveyed(rows: int = 240, clusters: int = 20, industries: int = 2) -> pd.DataFrame:
    frame = firms(rows=rows, industries=industries, clusters=clusters)
    rng = np.random.default_rng(11)
    each = rng.uniform(1.0, 6.0, industries * clusters)
    frame["drawn"] = each[frame["cluster"].str[1:].astype(int)]
    frame["stands_for"] = frame["drawn"] * rng.lognormal(0.0, 0.8, rows)
    return frame


def bread_and_meat(scores: Any, curvature: Any) -> tuple[Any, Any]:
    bread = np.linalg.inv(curvature)
    around = scores - scores.mean(axis=0)
    meat = around.T @ around * len(scores) / (len(scores) - 1)
    return np.sqrt(np.diag(bread)), np.sqrt(np.diag(bread @ meat @ bread))


def test_rows_without_clusters():
    alone = {"weight": "stands_for", "cluster": None, "industry": None}
    case = exact(surveyed(), alone)
    x, w, y = case.inputs, case.rows, case.design.outcome
    curvature = x.T @ (w[:, None] * x) / SIGMA**2
    beta = np.linalg.solve(curvature, x.T @ (w * y) / SIGMA**2)
    scores = x * (w * (y - x @ beta))[:, None] / SIGMA**2
    posterior, wanted = bread_and_meat(scores, curvature)
    found = sandwich(case.design, case.draws, unit_of(case.design))
    np.testing.assert_allclose(found.posterior, posterior, rtol=MARGIN)
    np.testing.assert_allclose(found.sandwich, wanted, rtol=MARGIN)
    assert (np.abs(wanted / posterior - 1) > 2 * MARGIN).any()


def test_effects_of_clusters_are_integrated_out():
    """Marginal scores ``w X' V^-1 e``, where ``V = sigma^2 W^-1 + tau^2`` within a cluster."""
    data = {"weight": "stands_for", "cluster_weight": "drawn", "industry": None}
    case = exact(surveyed(), data, ("cluster",))
    design, x, y = case.design, case.inputs, case.design.outcome
    index, clusters = design.index("cluster"), design.weights.clusters
    parts = []
    for j, weight in enumerate(clusters):
        mine = index == j
        within = case.rows[mine] / weight
        inverse = np.linalg.inv(np.diag(SIGMA**2 / within) + TAU**2)
        parts.append((weight * x[mine].T @ inverse, x[mine], y[mine]))
    curvature = sum(left @ own for left, own, _ in parts)
    beta = np.linalg.solve(curvature, sum(left @ outcome for left, _, outcome in parts))
    scores = np.array([left @ (outcome - own @ beta) for left, own, outcome in parts])
    posterior, wanted = bread_and_meat(scores, curvature)
    found = sandwich(design, case.draws, unit_of(design))
    np.testing.assert_allclose(found.posterior, posterior, rtol=MARGIN)
    np.testing.assert_allclose(found.sandwich, wanted, rtol=MARGIN)
    assert (np.abs(wanted / posterior - 1) > 2 * MARGIN).any()


def test_industries_raise_no_alarm_by_themselves():
    """Rows as the model says, weights that say nothing: a few industries are held, not resampled."""
    frame = surveyed(rows=1200, clusters=30, industries=4).assign(same=2.0)
    rng = np.random.default_rng(8)
    cluster = frame["cluster"].str[1:].astype(int).to_numpy()
    industry = frame["industry"].str[1:].astype(int).to_numpy()
    effects = TAU * (rng.normal(size=120)[cluster] + rng.normal(size=4)[industry])
    frame["growth"] = 3.0 * (frame["training"] - 3) + effects + SIGMA * rng.normal(size=1200)
    case = exact(frame, {"weight": "same"}, ("industry", "cluster"))
    found = sandwich(case.design, case.draws, unit_of(case.design))
    assert found.posterior[0] > 0.5 * TAU
    np.testing.assert_allclose(found.sandwich / found.posterior, 1.0, atol=0.2)


def test_it_warns_of_intervals_that_are_too_narrow():
    """Every firm written down four times, as if it were four."""
    frame = pd.concat([surveyed(rows=120)] * 4, ignore_index=True)
    data = {"weight": "stands_for", "cluster": None, "industry": None}
    case = exact(frame, data)
    found = weighting(case.design, case.draws)
    assert (found.unit, found.units) == ("firm", 120)
    assert found.note == "from 120 independent units a ratio is known to 6% at best"
    assert found.effective_rows == pytest.approx(
        frame["stands_for"].sum() ** 2 / (frame["stands_for"] ** 2).sum()
    )
    for row in found.rows:
        assert row.ratio > 1.5
        assert row.design_effect == pytest.approx(row.ratio**2)
        assert row.corrected.sd == pytest.approx(row.ratio * row.model.sd)
        assert row.corrected.mean == pytest.approx(row.model.mean)
        factor = f"{row.ratio:.2g}"
        assert row.warning == f"intervals of the model are too narrow by a factor of about {factor}"


def test_it_says_when_it_was_not_made():
    case = exact(surveyed(), {"weight": "stands_for", "industry": None}, ("cluster",))
    few = case.draws.thinned(40)
    found = weighting(case.design, few)
    assert found.rows == ()
    assert found.note == (
        "the sandwich check was not made: there are too few draws for what it holds fixed"
    )
    assert weighting(small_design("gaussian", "additive"), case.draws) is None


def test_it_says_how_well_a_ratio_is_known():
    data = {"weight": "stands_for", "industry": None}
    few = exact(surveyed(clusters=4), data, ("cluster",))
    assert weighting(few.design, few.draws).note == (
        "from 8 independent units a ratio is known to 25% at best; "
        "with fewer than 30 of them it tends to be too small"
    )
