from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import bernoulli, multivariate_normal, norm

from bayescluster.checks.comparison import (
    leave_cluster_out,
    log_mean_density,
    marginal_likelihood,
    why_not,
)
from bayescluster.model.evaluate import Draws, GroupDraws
from bayescluster.names import HUMAN_CAPITAL, INTERCEPT, SOCIAL_CAPITAL
from tests.factories import firms, small_design

DRAWS = 40


def draws_for(design, rng, correlation: float | None = None, size: int = DRAWS) -> Draws:
    """Parameters anywhere near the data, not a posterior: densities must agree at each."""
    center, spread = (10.0, 4.0) if design.family.name == "gaussian" else (0.0, 1.0)
    population = {
        INTERCEPT: center + spread * 0.3 * rng.normal(size=size),
        HUMAN_CAPITAL: spread * 0.5 * rng.normal(size=size),
        SOCIAL_CAPITAL: spread * 0.5 * rng.normal(size=size),
    }
    groups = {}
    for grouping in design.groupings:
        count, terms = len(grouping.labels), len(grouping.terms)
        sd = spread * rng.uniform(0.02, 1.5, size=(size, terms))
        tie = None
        if correlation is not None and terms == 2:
            tie = np.broadcast_to([[1.0, correlation], [correlation, 1.0]], (size, 2, 2))
        effect = rng.normal(size=(size, count, terms)) * sd[:, None, :]
        groups[grouping.name] = GroupDraws(
            grouping.terms, design.index(grouping.name), effect, sd, tie
        )
    parameters = {
        parameter.name: rng.uniform(1.0, 4.0, size=(size, 1))
        for parameter in design.family.parameters
    }
    controls = rng.normal(size=(size, len(design.control_names)))
    return Draws(1, population, controls, groups, parameters)


def mean_without_clusters(design, draws, s):
    """Linear predictor of every row, the cluster's own effects left out."""
    human, social = design.capitals
    found = (
        draws.population[INTERCEPT][s]
        + draws.population[HUMAN_CAPITAL][s] * human
        + draws.population[SOCIAL_CAPITAL][s] * social
    )
    if "industry" in draws.groups:
        group = draws.groups["industry"]
        found = found + group.effect[s, group.member, 0]
    return found + design.controls @ draws.controls[s]


def close(found, wanted, tolerance):
    assert np.abs(found - wanted).max() < tolerance, np.abs(found - wanted).max()


def test_one_effect_in_a_gaussian_model_is_a_multivariate_normal():
    design = small_design(
        "gaussian",
        "additive",
        {"industry": ["intercept"], "cluster": ["intercept"]},
        controls=["exporter"],
    )
    draws = draws_for(design, np.random.default_rng(1))
    found = marginal_likelihood(design, draws)
    cluster = design.index("cluster")
    for s in range(DRAWS):
        mean = mean_without_clusters(design, draws, s)
        sigma, sd = draws.parameters["sigma"][s, 0], draws.groups["cluster"].sd[s, 0]
        for j in range(found.shape[1]):
            rows = cluster == j
            covariance = sigma**2 * np.eye(rows.sum()) + sd**2
            wanted = multivariate_normal.logpdf(design.outcome[rows], mean[rows], covariance)
            close(found[s, j], wanted, 1e-3)


@pytest.mark.parametrize("correlation", [None, 0.7])
def test_two_effects_in_a_gaussian_model(correlation):
    design = small_design("gaussian", "additive", {"cluster": ["intercept", "human_capital"]})
    draws = draws_for(design, np.random.default_rng(2), correlation)
    found = marginal_likelihood(design, draws)
    cluster, human = design.index("cluster"), design.capitals[0]
    wanted = np.empty_like(found)
    for s in range(DRAWS):
        mean = mean_without_clusters(design, draws, s)
        sigma = draws.parameters["sigma"][s, 0]
        sd = np.diag(draws.groups["cluster"].sd[s])
        tie = np.eye(2) if correlation is None else draws.groups["cluster"].correlation[s]
        for j in range(found.shape[1]):
            rows = cluster == j
            inputs = np.column_stack([np.ones(rows.sum()), human[rows]])
            covariance = sigma**2 * np.eye(rows.sum()) + inputs @ sd @ tie @ sd @ inputs.T
            wanted[s, j] = multivariate_normal.logpdf(design.outcome[rows], mean[rows], covariance)
    close(found, wanted, 0.03)
    assert abs((found - wanted).mean()) < 0.002


def test_a_yes_or_no_outcome_against_a_fine_grid():
    design = small_design("bernoulli", "additive", {"cluster": ["intercept"]})
    draws = draws_for(design, np.random.default_rng(3))
    found = marginal_likelihood(design, draws)
    grid = np.linspace(-9, 9, 4001)
    step = grid[1] - grid[0]
    for s in range(0, DRAWS, 4):
        mean, sd = mean_without_clusters(design, draws, s), draws.groups["cluster"].sd[s, 0]
        for j in range(found.shape[1]):
            rows = design.index("cluster") == j
            chance = 1 / (1 + np.exp(-(mean[rows] + sd * grid[:, None])))
            each = bernoulli.logpmf(design.outcome[rows], chance).sum(axis=1)
            close(found[s, j], logsumexp(each + norm.logpdf(grid)) + np.log(step), 1e-5)


def test_the_integrand_may_have_two_humps():
    def density(z):
        return np.logaddexp(norm.logpdf(z[:, 0], -1.0, 0.5), norm.logpdf(z[:, 0], 1.2, 0.6))

    found = log_mean_density(density, np.array([[-1.0], [0.0], [1.2]]))
    wanted = np.logaddexp(
        norm.logpdf(-1.0, 0, np.hypot(1, 0.5)), norm.logpdf(1.2, 0, np.hypot(1, 0.6))
    )
    close(found, wanted, 0.1)


def test_clusters_left_out_of_a_conjugate_model():
    """Normal mean and cluster effects with known variances: every prediction has a closed form."""
    frame = firms(rows=120, industries=2, clusters=6)
    design = small_design("gaussian", "additive", {"cluster": ["intercept"]}, frame=frame)
    sigma, sd, center, spread, size = 4.0, 2.0, 10.0, 5.0, 4000
    outcome, cluster = design.outcome, design.index("cluster")
    count = cluster.max() + 1
    # intercept and effects given the outcome: a normal with this precision
    inputs = np.column_stack([np.ones(outcome.size), np.eye(count)[cluster]])
    precision = inputs.T @ inputs / sigma**2 + np.diag([spread**-2, *[sd**-2] * count])
    covariance = np.linalg.inv(precision)
    mean = covariance @ (inputs.T @ outcome / sigma**2 + np.r_[center / spread**2, np.zeros(count)])
    theta = np.random.default_rng(4).multivariate_normal(mean, covariance, size)
    draws = Draws(
        1,
        {INTERCEPT: theta[:, 0], HUMAN_CAPITAL: np.zeros(size), SOCIAL_CAPITAL: np.zeros(size)},
        np.zeros((size, 0)),
        {
            "cluster": GroupDraws(
                ("intercept",), cluster, theta[:, 1:, None], np.full((size, 1), sd), None
            )
        },
        {"sigma": np.full((size, 1), sigma)},
    )
    found = leave_cluster_out(design, draws)
    whole = (
        sigma**2 * np.eye(outcome.size)
        + sd**2 * (cluster[:, None] == cluster)
        + spread**2 * np.ones((outcome.size, outcome.size))
    )
    wanted = []
    for j in range(count):
        out, kept = cluster == j, cluster != j
        gain = np.linalg.solve(whole[np.ix_(kept, kept)], whole[np.ix_(kept, out)]).T
        wanted.append(
            multivariate_normal.logpdf(
                outcome[out],
                center + gain @ (outcome[kept] - center),
                whole[np.ix_(out, out)] - gain @ whole[np.ix_(kept, out)],
            )
        )
    assert not found.bad.any()
    close(found.elpd, np.array(wanted), 0.1)
    assert abs(found.elpd.sum() - sum(wanted)) < 0.2


def test_when_clusters_cannot_be_left_out():
    assert why_not(small_design("bernoulli", "additive", {"cluster": ["intercept"]})) == ""
    alone = small_design("bernoulli", "additive", data={"cluster": None})
    assert why_not(alone) == "the data declare no clusters"
    frame = firms()
    frame["panel"] = frame["cluster"] + (frame.groupby("cluster").cumcount() % 3).astype(str)
    nested = small_design(
        "bernoulli", "additive", {"cluster": ["intercept"], "panel": ["intercept"]}, frame=frame
    )
    assert why_not(nested) == "several effects by panel lie within one cluster"


def test_an_industry_of_one_cluster_is_left_out_with_it():
    """Nothing else is known of its effect: the sd of both is what spreads the cluster."""
    frame = firms(rows=60, industries=6, clusters=1)
    design = small_design(
        "gaussian", "additive", {"industry": ["intercept"], "cluster": ["intercept"]}, frame=frame
    )
    draws = draws_for(design, np.random.default_rng(5))
    found = marginal_likelihood(design, draws)
    rows = design.index("cluster") == 2
    for s in range(0, DRAWS, 5):
        none = draws.groups["industry"]._replace(
            effect=np.zeros_like(draws.groups["industry"].effect)
        )
        bare = Draws(1, draws.population, draws.controls, {"industry": none}, draws.parameters)
        mean = mean_without_clusters(design, bare, s)[rows]
        spread = sum(draws.groups[name].sd[s, 0] ** 2 for name in ("industry", "cluster"))
        covariance = draws.parameters["sigma"][s, 0] ** 2 * np.eye(rows.sum()) + spread
        wanted = multivariate_normal.logpdf(design.outcome[rows], mean, covariance)
        close(found[s, 2], wanted, 0.05)
