from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from arviz_stats.base import array_stats
from scipy import special, stats

from bayescluster.checks.calibration import (
    FEW,
    RANDOMISATIONS,
    WEIGHTED,
    YES_NO,
    Member,
    Steps,
    bars_of,
    loo_pit,
    members,
    pit_values,
    steps,
    why_no_pit,
)
from bayescluster.checks.loo import RowScores, left_out, reached, smoothed
from bayescluster.checks.uniformity import (
    GRID,
    OTHER_SHAPE,
    SHAPES,
    combined,
    ecdf_difference,
    holm,
    shape,
    simulated_band,
    uniformity,
)
from bayescluster.model.evaluate import Draws
from tests.checks.test_predictive_and_loo import NOISE
from tests.factories import firms, small_design


def draws_of_intercept(intercept: Any, **parameters: Any) -> Draws:
    """Draws of a model without capitals, controls and groups."""
    flat = np.asarray(intercept).ravel()
    return Draws(
        4,
        {"intercept": flat},
        np.zeros((flat.size, 0)),
        {},
        {name: np.asarray(values) for name, values in parameters.items()},
    )


def scores_of(size: int) -> RowScores:
    return RowScores(np.zeros(size), np.zeros(size), 0.7, 0.0, 0.0)


def judged(values: Any, *rows: Any) -> Any:
    size = values.shape[-1]
    groups = [Member("all", "all", np.ones(size, bool))]
    groups += [Member("industry", f"I{k}", one) for k, one in enumerate(rows)]
    rng = np.random.default_rng(35)
    return loo_pit(np.atleast_2d(values), scores_of(size), groups, rng)


# --- values ------------------------------------------------------------------------------------


def test_values_are_those_of_the_conjugate_model():
    frame = firms().assign(error=NOISE)
    design = small_design("gaussian", "intercept", standard_error="error", frame=frame)
    y, n = design.outcome, design.size
    mean = np.random.default_rng(20).normal(y.mean(), NOISE / np.sqrt(n), (4, 5000))
    found = left_out(design, draws_of_intercept(mean), 1.0, bars_of(design))
    got = steps(design, found.reached)
    # the posterior without a row is normal as well
    others = (y.sum() - y) / (n - 1)
    exact = stats.norm.cdf(y, others, NOISE * np.sqrt(1 + 1 / (n - 1)))
    within = stats.norm.cdf(y, mean.ravel()[:, None], NOISE)  # (draw, row)
    weights = np.exp(smoothed(-stats.norm.logpdf(y, mean.ravel()[:, None], NOISE).T, 1.0)[0].T)
    np.testing.assert_allclose(weights.sum(axis=0), 1.0)
    error = np.sqrt((weights**2 * (within - exact) ** 2).sum(axis=0))
    z = (got.below - exact) / error
    assert np.abs(z).max() < 4
    assert error.max() < 0.005
    # of the fit with the row, they would be off by more than that
    seen = stats.norm.cdf(y, y.mean(), NOISE * np.sqrt(1 + 1 / n))
    assert np.abs((seen - exact) / error).max() > 10
    assert got.up_to is got.below


@pytest.mark.parametrize(
    "family", ["poisson", "negative_binomial", "binomial", "ordinal", "hurdle_lognormal"]
)
def test_steps_of_discrete_outcomes(family):
    design = small_design(family, "intercept")
    rng = np.random.default_rng(4)
    eta = rng.normal(0.2, 0.1, 40)
    parameters: dict[str, Any] = {}
    outcome = design.outcome[None, :]
    at = (eta[:, None], outcome)
    if family == "poisson":
        below, up_to = (stats.poisson.cdf(outcome - k, np.exp(at[0])) for k in (1, 0))
    elif family == "negative_binomial":
        spread = rng.uniform(0.4, 0.8, (40, 1))
        parameters = {"overdispersion": spread}
        size = spread**-2
        share = size / (size + np.exp(at[0]))
        below, up_to = (stats.nbinom.cdf(outcome - k, size, share) for k in (1, 0))
    elif family == "binomial":
        trials = design.rows.trials
        below, up_to = (stats.binom.cdf(outcome - k, trials, special.expit(at[0])) for k in (1, 0))
    elif family == "hurdle_lognormal":
        parameters = {"sigma": rng.uniform(1, 2, (40, 1)), "zero_share": rng.beta(4, 6, (40, 1))}
        none = parameters["zero_share"]
        # the distribution of an amount has one step, at 0
        up_to = none + (1 - none) * stats.lognorm.cdf(
            outcome, parameters["sigma"], scale=np.exp(at[0])
        )
        below = np.where(outcome == 0, 0.0, up_to)
        assert (outcome == 0).any()
    else:
        cut = np.array([-1.0, 0.1, 1.2]) + rng.normal(0, 0.1, (40, 1))
        parameters = {"cutpoints": cut[:, None, :]}
        padded = np.column_stack([np.full(40, -np.inf), cut, np.full(40, np.inf)])
        code = design.outcome.astype(int)
        below, up_to = (special.expit(padded[:, code + k] - at[0]) for k in (0, 1))
    weights = rng.dirichlet(np.ones(40), design.size).T
    rows, draws = np.arange(design.size), draws_of_intercept(eta, **parameters)
    every = np.broadcast_to(eta[:, None], weights.shape)
    got = steps(design, reached(design, draws, every, rows, weights, bars_of(design)))
    np.testing.assert_allclose(got.below, (weights * below).sum(axis=0), atol=1e-12)
    np.testing.assert_allclose(got.up_to, (weights * up_to).sum(axis=0), atol=1e-12)
    values = pit_values(got, rng)
    assert values.shape == (RANDOMISATIONS, design.size)
    assert ((values >= got.below) & (values <= got.up_to)).all()


# --- the test ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 30, 400])
def test_p_value_is_that_of_arviz(size):
    rng = np.random.default_rng(size)
    for values in (rng.random(size), rng.random(size) ** 1.5, np.full(size, 0.5), np.ones(size)):
        found = uniformity(values[None]).p
        assert found == pytest.approx(float(array_stats.uniformity_test(values)[0]), rel=1e-10)


def test_band_holds_whole_curves_as_often_as_it_says():
    rng = np.random.default_rng(1)
    at, low, high = simulated_band(80, GRID, 0.95, rng)
    curves = (np.sort(rng.random((4000, 80)))[:, :, None] <= at).mean(axis=1) - at
    inside = ((curves >= low - 1e-12) & (curves <= high + 1e-12)).all(axis=1).mean()
    # 4 standard errors of both simulations
    assert abs(inside - 0.95) < 4 * np.sqrt(0.05 * 0.95 * (1 / 4000 + 1 / 2000))


def leave_one_out(y: Any, x: Any) -> Any:
    """Exact LOO-PIT of a normal regression under the reference prior."""
    hat = x @ np.linalg.solve(x.T @ x, x.T)
    rest, lever = y - hat @ y, np.diag(hat)
    free = len(y) - x.shape[1] - 1
    variance = (rest @ rest - rest**2 / (1 - lever)) / free
    return stats.t.cdf(rest / np.sqrt(variance * (1 - lever)), free)


@pytest.mark.parametrize(
    ("noise", "what"),
    [
        (lambda rng: rng.standard_t(2.5, 400), SHAPES[3][0]),
        (lambda rng: rng.exponential(size=400), SHAPES[2][0]),
        (lambda rng: -rng.exponential(size=400), SHAPES[2][1]),
        (lambda rng: rng.uniform(-1, 1, 400), SHAPES[3][1]),
    ],
)
def test_a_normal_model_of_other_noise_is_caught_and_named(noise, what):
    rng = np.random.default_rng(5)
    x = np.column_stack([np.ones(400), rng.normal(size=(400, 3))])
    found = judged(leave_one_out(noise(rng), x))
    assert found.groups[0].flagged
    assert what in found.groups[0].shape


def test_a_poisson_model_of_overdispersed_counts_is_caught():
    rng = np.random.default_rng(6)
    mean = np.exp(rng.normal(1.0, 0.5, 300))
    y = rng.poisson(mean * rng.gamma(2.0, 0.5, 300))
    values = pit_values(Steps(stats.poisson.cdf(y - 1, mean), stats.poisson.cdf(y, mean)), rng)
    found = judged(values)
    assert found.randomised == RANDOMISATIONS
    assert found.groups[0].p < 1e-3
    assert SHAPES[1][0] in found.groups[0].shape
    curve = found.curve
    outside = [
        d < a or d > b for d, a, b in zip(curve.difference, curve.low, curve.high, strict=True)
    ]
    assert any(outside)


def test_poisson_counts_are_not_flagged_more_often_than_the_nominal_rate():
    rng = np.random.default_rng(7)
    flagged = 0
    for _ in range(300):
        mean = np.exp(rng.normal(0.0, 0.5, 80))
        y = rng.poisson(mean)
        found = Steps(stats.poisson.cdf(y - 1, mean), stats.poisson.cdf(y, mean))
        flagged += uniformity(pit_values(found, rng)).p < 0.05
    # the tests of 20 randomisations are put together
    assert flagged / 300 < 0.085


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda u: u**1.4, SHAPES[0][1]),
        (lambda u: u**0.7, SHAPES[0][0]),
        (lambda u: stats.norm.cdf(1.4 * stats.norm.ppf(u)), SHAPES[1][0]),
        (lambda u: stats.norm.cdf(0.7 * stats.norm.ppf(u)), SHAPES[1][1]),
    ],
)
def test_shapes(change, what):
    found = judged(change(np.random.default_rng(8).random(500)))
    assert found.groups[0].flagged
    assert found.groups[0].shape.startswith(what)


def test_components_are_standard_normal_of_uniform_values():
    rng = np.random.default_rng(9)
    parts = np.array([uniformity(rng.random((1, 50))).components for _ in range(1500)])
    assert np.abs(parts.mean(axis=0)).max() < 4 / np.sqrt(1500)
    assert np.abs(parts.var(axis=0) - 1).max() < 4 * np.sqrt(2.5 / 1500)


def test_no_clear_component_is_said_so():
    assert shape((0.4, -1.9, 1.0, 1.2)) == OTHER_SHAPE
    assert shape((0.4, -2.1, 1.0, 3.0)) == f"{SHAPES[3][0]} and {SHAPES[1][1]}"


def test_industries_are_adjusted_for_their_number_and_small_ones_not_tested():
    rng = np.random.default_rng(10)
    u = rng.random(300)
    where = np.arange(300) // 100
    u[where == 1] **= 2.0
    few = np.zeros(300, bool)
    few[:9] = True
    found = judged(u, where == 0, where == 1, where == 2, few)
    rows = {row.group: row for row in found.groups}
    assert [row.flagged for row in found.groups if row.by == "industry"] == [
        False,
        True,
        False,
        False,
    ]
    assert rows["all"].adjusted == rows["all"].p
    tests = [rows[f"I{k}"] for k in range(3)]
    assert [row.adjusted for row in tests] == holm([row.p for row in tests])
    assert (rows["I3"].p, rows["I3"].reason) == (None, FEW)


def test_holm_by_hand():
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.5]) == [1.0, 1.0]
    assert holm([]) == []


def test_equal_p_values_combine_to_themselves():
    assert combined([0.02] * 7) == pytest.approx(0.02)
    assert combined([1.0]) == 1.0
    assert combined([1.0, 0.001, 0.001]) < 0.01


def test_rows_without_a_value_are_left_out_and_counted():
    u = np.random.default_rng(11).random(60)
    u[3] = np.nan
    found = judged(u)
    assert (found.rows, found.left_out, found.groups[0].rows) == (60, 1, 59)


def test_rows_the_draws_cannot_leave_out_are_counted():
    khat = np.zeros(60)
    khat[:2] = 0.9, np.nan
    scores = scores_of(60)._replace(khat=khat)
    values = np.random.default_rng(12).random((1, 60))
    groups = [Member("all", "all", np.ones(60, bool))]
    found = loo_pit(values, scores, groups, np.random.default_rng(35))
    assert (found.bad, found.khat_threshold) == (2, 0.7)


def test_curve_is_the_mean_over_randomisations():
    values = np.array([[0.105, 0.5, 0.9], [0.305, 0.5, 0.9]])
    curve = ecdf_difference(values, 0.95, np.random.default_rng(1))
    at = dict(zip(np.round(curve.at, 2).tolist(), curve.difference, strict=True))
    assert at[0.2] == pytest.approx(1 / 6 - 0.2)
    assert at[0.95] == pytest.approx(1 - 0.95)


# --- where it is not made ----------------------------------------------------------------------


def test_where_it_is_not_made():
    assert why_no_pit(small_design("gaussian", "intercept")) == ""
    assert why_no_pit(small_design("bernoulli", "intercept")) == YES_NO
    assert why_no_pit(small_design("probit", "intercept")) == YES_NO
    frame = firms().assign(stands_for=np.linspace(1, 2, 48))
    weighted = small_design("gaussian", "intercept", data={"weight": "stands_for"}, frame=frame)
    assert why_no_pit(weighted) == WEIGHTED
    assert why_no_pit(small_design("gaussian", "intercept", frame=firms().head(9))) == FEW


def test_groups_are_all_firms_and_the_industries_of_known_outcomes():
    frame = firms()
    frame.loc[[0, 7], "growth"] = np.nan
    design = small_design("gaussian", "intercept", data={"missing": "impute"}, frame=frame)
    found = members(design)
    assert [(one.by, one.group) for one in found] == [
        ("all", "all"),
        ("industry", "I0"),
        ("industry", "I1"),
    ]
    assert all(one.rows.size == 46 for one in found)
    assert found[1].rows.sum() + found[2].rows.sum() == 46
