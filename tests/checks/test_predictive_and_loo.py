from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bayescluster.checks import predictive
from bayescluster.checks.loo import psis_loo, row_scores
from bayescluster.checks.predictive import (
    STATISTICS,
    Known,
    counted,
    predictive_checks,
    replicates,
    statistics,
)
from bayescluster.checks.thresholds import khat_max
from bayescluster.design.record import Design
from bayescluster.families import FAMILIES
from bayescluster.model.evaluate import Draws
from tests.factories import firms, small_design

COUNTS = ["mean", "sd", "variance over mean", "share of zeros", "largest"]
AMOUNTS = ["mean", "sd", "skewness", "smallest", "95% quantile", "largest"]


@pytest.mark.parametrize(
    ("family", "wanted"),
    [
        ("bernoulli", ["mean"]),
        ("binomial", ["mean", "sd", "sd of rates", "share of zeros", "largest"]),
        ("poisson", COUNTS),
        ("negative_binomial", COUNTS),
        ("probit", ["mean"]),
        ("beta", ["mean", "sd", "smallest", "largest"]),
        ("gaussian", AMOUNTS),
        ("student_t", AMOUNTS),
        ("lognormal", AMOUNTS),
        ("hurdle_lognormal", ["mean", "sd", "share of zeros", "95% quantile", "largest"]),
        ("zero_inflated_beta", ["mean", "sd", "share of zeros", "largest"]),
        ("zero_inflated_poisson", COUNTS),
        ("zero_inflated_negative_binomial", COUNTS),
        ("ordinal", ["mean", "sd", "share of 0", "share of 1", "share of 2", "share of 3"]),
    ],
)
def test_statistics_of_each_family(family, wanted):
    assert list(statistics(small_design(family, "additive"))) == wanted


def test_every_family_has_statistics():
    assert set(FAMILIES) == set(STATISTICS)


IN_CLUSTERS = {
    "poisson": {"mean", "share of zeros"},
    "binomial": {"mean", "share of zeros"},
    "beta": {"mean"},
    "gaussian": {"mean"},
    "ordinal": {"mean", "share of 3"},
}


@pytest.mark.parametrize("family", list(IN_CLUSTERS))
def test_statistics_against_their_replicates(family):
    design = small_design(family, "additive")
    drawn = np.random.default_rng(1).integers(0, 4, (60, design.size)).astype(float)
    rows = predictive_checks(design, drawn)
    by_hand = {
        "mean": np.mean,
        "sd": np.std,
        "share of zeros": lambda v: np.mean(v == 0),
        "smallest": np.min,
        "largest": np.max,
        "skewness": lambda v: np.nan_to_num(stats.skew(v)) if np.ptp(v) else 0.0,
        "variance over mean": lambda v: np.var(v) / np.mean(v) if np.any(v) else 0.0,
        "95% quantile": lambda v: np.quantile(v, 0.95, method="inverted_cdf"),
    } | {f"share of {k}": lambda v, k=k: np.mean(v == k) for k in range(4)}
    assert {row.by for row in rows} == {"all", "industry", "cluster"}
    for row in rows:
        labels = {"all": ["all"]}.get(row.by) or design.group_labels(row.by)
        index = np.zeros(design.size, int) if row.by == "all" else design.index(row.by)
        members = np.flatnonzero(index == list(labels).index(row.group))
        if row.statistic == "sd of rates":
            trials = design.rows.trials[members]
            replicated = np.array([np.std(one[members] / trials) for one in drawn])
            observed = np.std(design.outcome[members] / trials)
        else:
            function = by_hand[row.statistic]
            replicated = np.array([function(one[members]) for one in drawn])
            observed = function(design.outcome[members])
        assert row.rows == members.size
        assert row.observed == pytest.approx(observed)
        assert (row.low, row.high) == pytest.approx(tuple(np.quantile(replicated, [0.05, 0.95])))
        ties = np.isclose(replicated, observed)
        wanted = np.mean((replicated > observed) & ~ties) + 0.5 * ties.mean()
        assert row.tail == pytest.approx(wanted)
        assert row.flagged == (min(wanted, 1 - wanted) < 0.01)
    inside = {row.statistic for row in rows if row.by == "cluster"}
    assert inside == IN_CLUSTERS[family]
    assert {row.statistic for row in rows if row.by == "industry"} == set(statistics(design))


def test_weighted_statistics_are_those_of_repeated_rows():
    values = np.random.default_rng(6).gamma(1.0, 1.0, (3, 40))
    times = np.arange(40) % 4 + 1
    repeated = np.repeat(values, times, axis=1)
    for family, found in STATISTICS.items():
        for statistic in found.values():
            trials = None if family != "binomial" else np.full(40, 5.0)
            more = None if trials is None else np.full(repeated.shape[1], 5.0)
            weighted = statistic(values, Known(times / times.mean(), trials))
            np.testing.assert_allclose(weighted, statistic(repeated, Known(None, more)))


def test_equal_outcomes_have_neither_dispersion_nor_skewness():
    for value in (0.0, 0.1, 2.1):
        same = np.full((2, 7), value)
        assert (STATISTICS["gaussian"]["skewness"](same, Known()) == 0).all()
        assert np.abs(STATISTICS["poisson"]["variance over mean"](same, Known())).max() < 1e-12


def test_counts_that_poisson_does_not_make_are_flagged_by_their_dispersion():
    design = small_design("poisson", "intercept")
    rng = np.random.default_rng(7)
    mean = 3.0
    drawn = rng.poisson(mean, (1000, design.size)).astype(float)
    wide = rng.poisson(mean * rng.gamma(0.5, 2.0, design.size)).astype(float)
    data = design.data.assign(outcome=design.data["outcome"].copy(data=wide))
    rows = predictive_checks(replace(design, data=data), drawn)
    whole = {row.statistic: row for row in rows if row.by == "all"}
    assert whole["variance over mean"].flagged
    assert whole["share of zeros"].flagged


def test_flags_are_counted_beside_those_of_chance():
    design = small_design("gaussian", "additive")
    rng = np.random.default_rng(8)
    y = design.outcome
    drawn = rng.normal(y.mean(), y.std(), (800, design.size))
    rows = predictive_checks(design, drawn)
    found = counted(rows)
    assert found.checked == len(rows)
    assert found.flagged == sum(row.flagged for row in rows)
    assert found.by_chance == pytest.approx(0.02 * len(rows))


def test_at_most_so_many_replicates_of_evenly_spaced_draws(monkeypatch):
    design = small_design("gaussian", "intercept")
    level = {"intercept": np.arange(100.0)}
    many = Draws(4, level, np.zeros((100, 0)), {}, {"sigma": np.full((100, 1), 1e-9)})
    monkeypatch.setattr(predictive, "REPLICATES", 3)
    found = replicates(design, many)
    np.testing.assert_allclose(
        found, np.array([[0.0], [49.0], [99.0]]) + np.zeros(design.size), atol=1e-6
    )
    np.testing.assert_array_equal(found, replicates(design, many))


NOISE = 2.0


def gaussian_fit(chains: int = 4, draws: int = 2000) -> tuple[Design, Any]:
    """Known noise and one mean under a flat prior: everything about it is known by algebra."""
    frame = firms().assign(error=NOISE)
    design = small_design("gaussian", "intercept", standard_error="error", frame=frame)
    y = design.outcome
    rng = np.random.default_rng(20)
    mean = rng.normal(y.mean(), NOISE / np.sqrt(y.size), (chains, draws))
    return design, stats.norm.logpdf(y, mean[..., None], NOISE)


def test_loo_is_that_of_the_conjugate_model():
    design, density = gaussian_fit(draws=10_000)
    found = psis_loo(design, row_scores(density.reshape(-1, design.size)))
    y, n = design.outcome, design.size
    left_out = (y.sum() - y) / (n - 1)
    exact = stats.norm.logpdf(y, left_out, NOISE * np.sqrt(1 + 1 / (n - 1)))
    # Monte Carlo error of each row's estimate, by the delta method on its importance weights
    weights = np.exp(-density.reshape(-1, n))
    weights /= weights.sum(axis=0)
    ratio = np.exp(density.reshape(-1, n) - exact)
    error = np.sqrt((weights**2 * (ratio - 1) ** 2).sum(axis=0)).sum()
    assert abs(found.elpd - exact.sum()) < 4 * error
    assert 4 * error < 0.5
    assert found.se == pytest.approx(np.sqrt(n * exact.var()), rel=0.02)
    within = stats.norm.logpdf(y, y.mean(), NOISE * np.sqrt(1 + 1 / n)).sum()
    assert abs(found.p_loo - (within - exact.sum())) < 4 * error
    assert found.khat_max < found.khat_threshold == 0.7
    assert (found.bad, found.rows, found.worst, found.advice) == (0, n, (), "")


def test_a_row_that_the_draws_cannot_leave_out_is_named():
    design, density = gaussian_fit(draws=500)
    # importance ratios 1 / p with a tail of index 1: k near 1
    density[..., 5] = np.log(np.random.default_rng(3).random((4, 500)))
    found = psis_loo(design, row_scores(density.reshape(-1, design.size)))
    assert found.bad == 1
    assert found.khat_max > found.khat_threshold == pytest.approx(1 - 1 / np.log10(2000))
    assert found.worst == (f"f05 ({found.khat_max:.2f})",)
    assert found.advice == (
        "the estimate leans on a few rows: read elpd with care, and look at these rows"
    )


@pytest.mark.parametrize(("draws", "limit"), [(100, 0.5), (1000, 2 / 3), (10_000, 0.7)])
def test_largest_khat_by_the_number_of_draws(draws, limit):
    assert khat_max(draws) == pytest.approx(limit)


def test_a_row_without_a_khat_is_named():
    design, density = gaussian_fit(draws=500)
    density[..., 7] = -np.abs(np.random.default_rng(3).standard_cauchy((4, 500)))
    found = psis_loo(design, row_scores(density.reshape(-1, design.size)))
    assert (found.bad, found.worst) == (1, ("f07 (nan)",))
    assert found.khat_max < 0.7
