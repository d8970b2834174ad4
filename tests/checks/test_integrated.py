"""Joint scores of left-out groups against sums that were written independently."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import bernoulli, multivariate_normal, norm

from bayescluster.checks.comparison import (
    Own,
    enough_draws,
    integrated_likelihood,
    leave_group_out,
    marginal_likelihood,
    own_groups,
)
from bayescluster.names import HUMAN_CAPITAL, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.studies.folds.refits import fold_gate, log_score
from tests.draws import known_draws
from tests.factories import firms, small_design

NESTED = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}


def fixed_part(design, draws, s):
    human, social = design.capitals
    population = draws.population
    return (
        population[INTERCEPT][s]
        + population[HUMAN_CAPITAL][s] * human
        + population[SOCIAL_CAPITAL][s] * social
    )


def test_an_industry_of_several_clusters_is_a_multivariate_normal():
    """Intercept and slope of the industry, and intercepts of its clusters: all normal."""
    design = small_design("gaussian", "additive", NESTED, frame=firms(80, 2, 4))
    draws = known_draws(design, size=12, intercept=10.0)
    found = marginal_likelihood(design, draws, "industry")
    industry, cluster = design.index("industry"), design.index("cluster")
    human = design.capitals[0]
    for s in range(draws.size):
        sd = draws.groups["industry"].sd[s]
        inner = draws.groups["cluster"].sd[s, 0]
        for k in range(2):
            rows = industry == k
            inputs = np.column_stack([np.ones(rows.sum()), human[rows]])
            covariance = (
                draws.parameters["sigma"][s, 0] ** 2 * np.eye(rows.sum())
                + (inputs * sd**2) @ inputs.T
                + inner**2 * (cluster[rows][:, None] == cluster[rows])
            )
            mean = fixed_part(design, draws, s)[rows]
            wanted = multivariate_normal.logpdf(design.outcome[rows], mean, covariance)
            assert found[s, k] == pytest.approx(wanted, abs=0.15)


def test_what_is_known_of_other_groups_is_used():
    """A cluster is left out of an industry that stays: the industry's effects are the draw's own."""
    design = small_design("gaussian", "additive", NESTED, frame=firms(80, 2, 4))
    rows = np.flatnonzero(design.index("cluster") == 3)
    assert own_groups(design, rows, rows) == (Own("cluster", 3),)
    everywhere = np.flatnonzero(design.index("industry") == 0)
    inside = np.intersect1d(rows, everywhere)
    assert own_groups(design, inside, everywhere) == (Own("industry", 0), Own("cluster", 3))
    draws = known_draws(design, size=10, intercept=10.0)
    found = integrated_likelihood(design, draws, rows, own_groups(design, rows, rows))
    for s in range(draws.size):
        effect = draws.groups["industry"].effect[s, design.index("industry")[rows]]
        mean = fixed_part(design, draws, s)[rows] + effect[:, 0]
        mean = mean + effect[:, 1] * design.capitals[0][rows]
        covariance = draws.parameters["sigma"][s, 0] ** 2 * np.eye(rows.size)
        covariance += draws.groups["cluster"].sd[s, 0] ** 2
        wanted = multivariate_normal.logpdf(design.outcome[rows], mean, covariance)
        assert found[s] == pytest.approx(wanted, abs=1e-3)


def test_an_industry_of_yes_or_no_outcomes_against_nested_grids():
    design = small_design(
        "bernoulli",
        "additive",
        {"industry": ["intercept"], "cluster": ["intercept"]},
        frame=firms(60, 2, 3),
    )
    draws = known_draws(design, size=6)
    found = marginal_likelihood(design, draws, "industry")
    grid = np.linspace(-6, 6, 241)
    log_step = np.log(grid[1] - grid[0])
    for s in range(draws.size):
        upper = grid * draws.groups["industry"].sd[s, 0]
        lower = grid * draws.groups["cluster"].sd[s, 0]
        for k in range(2):
            total = norm.logpdf(grid) + log_step
            for j in np.unique(design.index("cluster")[design.index("industry") == k]):
                rows = design.index("cluster") == j
                eta = fixed_part(design, draws, s)[rows]
                eta = eta + upper[:, None, None] + lower[None, :, None]  # (upper, lower, row)
                each = bernoulli.logpmf(design.outcome[rows], 1 / (1 + np.exp(-eta))).sum(axis=2)
                total = total + logsumexp(each + norm.logpdf(grid) + log_step, axis=1)
            assert found[s, k] == pytest.approx(logsumexp(total), abs=0.05)


def test_many_groups_inside_go_group_by_group():
    """Twenty firms of several rows in each cluster: too many effects to integrate together."""
    frame = firms(160, 1, 2)
    frame["panel"] = [f"p{k % 40:02d}" for k in range(160)]
    design = small_design(
        "gaussian", "additive", {"cluster": ["intercept"], "panel": ["intercept"]}, frame=frame
    )
    draws = known_draws(design, size=8, intercept=10.0)
    cluster, panel = design.index("cluster"), design.index("panel")
    rows = np.flatnonzero(cluster == 0)
    own = own_groups(design, rows, rows)
    assert len(own) == 21
    assert enough_draws(design, own) < enough_draws(design, own[:1])
    found = integrated_likelihood(design, draws, rows, own)
    for s in range(draws.size):
        covariance = (
            draws.parameters["sigma"][s, 0] ** 2 * np.eye(rows.size)
            + draws.groups["cluster"].sd[s, 0] ** 2
            + draws.groups["panel"].sd[s, 0] ** 2 * (panel[rows][:, None] == panel[rows])
        )
        mean = fixed_part(design, draws, s)[rows]
        wanted = multivariate_normal.logpdf(design.outcome[rows], mean, covariance)
        assert found[s] == pytest.approx(wanted, abs=0.01)


def test_importance_sampling_leaves_out_industries_too():
    design = small_design("bernoulli", "additive", NESTED, frame=firms(60, 3, 2))
    found = leave_group_out(design, known_draws(design, size=200, spread=0.02), "industry")
    assert found.elpd.shape == (3,)
    assert found.khat_threshold == pytest.approx(1 - 1 / np.log10(200))
    direct = marginal_likelihood(
        design, known_draws(design, size=200, spread=0.02), "industry"
    ).mean(axis=0)
    assert np.abs(found.elpd - direct).max() < 5


def test_a_score_is_the_log_of_a_mean_density_with_its_error():
    rng = np.random.default_rng(1)
    densities = rng.normal(-100.0, 0.5, 4000)
    found = log_score(densities, 4)
    assert found.elpd == pytest.approx(np.log(np.mean(np.exp(densities + 100))) - 100)
    # of independent draws: sd over mean over the root of their number
    relative = np.exp(densities + 100)
    wanted = relative.std() / relative.mean() / np.sqrt(4000)
    assert found.mcse == pytest.approx(wanted, rel=0.15)
    assert log_score(np.full(100, -3.0), 2) == (-3.0, 0.0)
    assert log_score(np.full(100, -np.inf), 2) == (-np.inf, np.inf)


def test_a_refit_that_fails_says_why():
    import xarray as xr

    rng = np.random.default_rng(2)
    draws = rng.normal(size=(2, 400, 3))
    diverging = np.zeros((2, 400), dtype=bool)

    def gate(values, errors=(0.1,), divergent=0):
        diverging[0, :divergent] = True
        posterior = xr.Dataset({"population": (("chain", "draw", "term"), values)})
        stats = xr.Dataset({"diverging": (("chain", "draw"), diverging)})
        tree = xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})
        return fold_gate(tree, errors).reasons

    assert gate(draws) == ()
    apart = draws + np.array([0.0, 3.0])[:, None, None]
    first, second = gate(apart)
    assert first.startswith("R-hat ")
    assert second.startswith("effective sample size ")
    assert gate(draws, (0.1, 0.7)) == ("Monte Carlo error 0.70 of a log score, above 0.5",)
    assert gate(draws, (float("nan"),)) == ("Monte Carlo error nan of a log score, above 0.5",)
    assert gate(draws, divergent=3) == ("3 divergent draws",)
