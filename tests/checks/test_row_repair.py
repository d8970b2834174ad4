"""Rows whose importance weights fail: a planted outlier, against a closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from bayescluster.design.arrays import replaced
from bayescluster.model.evaluate import Draws, GroupDraws, log_likelihood
from bayescluster.names import HUMAN_CAPITAL, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.studies.folds.rows import conditional_density, integrated_row, unit_of
from tests.draws import known_draws
from tests.factories import firms, small_design

SIGMA, SD, CENTER, SPREAD, SIZE = 1.0, 4.0, 10.0, 5.0, 4000


def outlying():
    """Firms of which one stands alone in its cluster, far from all others."""
    frame = firms(rows=61, industries=1, clusters=6)
    frame.loc[60, "cluster"] = "C99"
    design = small_design("gaussian", "additive", {"cluster": ["intercept"]}, frame=frame)
    rng = np.random.default_rng(3)
    effect = SD * rng.normal(size=7)
    outcome = CENTER + effect[design.index("cluster")] + SIGMA * rng.normal(size=61)
    outcome[60] = CENTER + 20.0
    return replaced(design, outcome)


def posterior(design) -> Draws:
    """Exact draws: normal mean and cluster effects with known variances."""
    cluster = design.index("cluster")
    inputs = np.column_stack([np.ones(cluster.size), np.eye(7)[cluster]])
    precision = inputs.T @ inputs / SIGMA**2 + np.diag([SPREAD**-2, *[SD**-2] * 7])
    covariance = np.linalg.inv(precision)
    shift = np.r_[CENTER / SPREAD**2, np.zeros(7)]
    mean = covariance @ (inputs.T @ design.outcome / SIGMA**2 + shift)
    theta = np.random.default_rng(4).multivariate_normal(mean, covariance, SIZE)
    none = np.zeros(SIZE)
    return Draws(
        4,
        {INTERCEPT: theta[:, 0], HUMAN_CAPITAL: none, SOCIAL_CAPITAL: none},
        np.zeros((SIZE, 0)),
        {
            "cluster": GroupDraws(
                ("intercept",), cluster, theta[:, 1:, None], np.full((SIZE, 1), SD), None
            )
        },
        {"sigma": np.full((SIZE, 1), SIGMA)},
    )


def exact(design, row: int) -> float:
    """Log density of a row given all others, everything else integrated out."""
    cluster = design.index("cluster")
    whole = SIGMA**2 * np.eye(61) + SD**2 * (cluster[:, None] == cluster) + SPREAD**2
    kept = np.arange(61) != row
    gain = np.linalg.solve(whole[np.ix_(kept, kept)], whole[kept, row])
    mean = CENTER + gain @ (design.outcome[kept] - CENTER)
    return float(
        norm.logpdf(design.outcome[row], mean, np.sqrt(whole[row, row] - gain @ whole[kept, row]))
    )


def test_a_planted_outlier_is_mended_by_integrating_its_effect_out():
    from arviz_stats.base import array_stats
    from scipy.special import logsumexp

    design = outlying()
    draws = posterior(design)
    density = log_likelihood(design, draws)
    log_weights, khat = array_stats.psislw(density, r_eff=1.0, axis=0)
    plain = logsumexp(np.asarray(log_weights)[60] + density[:, 60])
    assert khat[60] > 0.7
    wanted = exact(design, 60)
    assert abs(plain - wanted) > 0.5
    found = integrated_row(design, draws, 60)
    assert found.reliable
    assert found.elpd == pytest.approx(wanted, abs=0.2)
    # a row that was well as it was stays so
    usual = integrated_row(design, draws, 5)
    assert usual.reliable
    assert usual.elpd == pytest.approx(exact(design, 5), abs=0.05)


def test_density_given_the_others_of_the_group():
    design = small_design(
        "gaussian", "additive", {"industry": ["intercept"], "cluster": ["intercept"]}
    )
    assert unit_of(design) == "cluster"
    assert unit_of(small_design("gaussian", "additive")) == ""
    draws = known_draws(design, size=6, intercept=10.0)
    cluster = design.index("cluster")
    rows = np.flatnonzero(cluster == cluster[7])
    found = conditional_density(design, draws, rows, 7)
    human, social = design.capitals
    for s in range(draws.size):
        population, groups = draws.population, draws.groups
        mean = population[INTERCEPT][s] + population[HUMAN_CAPITAL][s] * human[rows]
        mean = mean + population[SOCIAL_CAPITAL][s] * social[rows]
        mean = mean + groups["industry"].effect[s, design.index("industry")[rows], 0]
        covariance = draws.parameters["sigma"][s, 0] ** 2 * np.eye(rows.size)
        covariance += groups["cluster"].sd[s, 0] ** 2
        others = rows != 7
        wanted = multivariate_normal.logpdf(design.outcome[rows], mean, covariance)
        wanted -= multivariate_normal.logpdf(
            design.outcome[rows][others], mean[others], covariance[np.ix_(others, others)]
        )
        assert found[s] == pytest.approx(wanted, abs=2e-3)


def test_weights_that_fail_still_are_told():
    design = outlying()
    draws = posterior(design)
    # the population mean itself hangs on the outlier: nothing is left to integrate out
    skewed = replace(
        draws, population=draws.population | {INTERCEPT: draws.population[INTERCEPT] ** 3}
    )
    assert not integrated_row(design, skewed, 60).reliable
