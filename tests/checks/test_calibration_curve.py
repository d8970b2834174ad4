from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special, stats

from bayescluster.checks import calibration_curve
from bayescluster.checks.calibration import (
    FEW_EVENTS,
    NO_EVENT,
    Event,
    calibration,
    events_of,
    why_no_calibration,
)
from bayescluster.checks.calibration_curve import (
    CROOKED,
    EXTREME,
    LESS,
    MORE,
    TIMID,
    calibrated,
    isotonic,
    shape,
    split_score,
)
from bayescluster.checks.left_out_predictive import WEIGHTED
from bayescluster.checks.loo import LeftOut, left_out
from bayescluster.checks.loo_pit import FEW, Member
from bayescluster.checks.uniformity import holm
from tests.checks.test_loo_pit import draws_of_intercept, scores_of
from tests.checks.test_predictive_and_loo import tree_of
from tests.factories import firms, small_design


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(calibration_curve, "SIMULATIONS", 199)


# --- pooling adjacent violators and the split score ----------------------------------------------


def test_pooled_by_hand():
    # 0 1 1 0 1 | the third and fourth violate, and draw in the second
    found = isotonic(np.array([0.1, 0.2, 0.3, 0.4, 0.9]), np.array([0.0, 1.0, 1.0, 0.0, 1.0]))
    np.testing.assert_allclose(found.happened, [0, 2 / 3, 2 / 3, 2 / 3, 1])
    np.testing.assert_allclose(found.predicted, [0.1, 0.2, 0.3, 0.4, 0.9])


def test_falling_events_are_pooled_whole():
    found = isotonic(np.linspace(0.1, 0.9, 6), np.array([1.0, 1, 1, 0, 0, 0]))
    np.testing.assert_allclose(found.happened, 0.5)


def test_equal_predictions_are_one_point():
    predicted = np.array([0.7, 0.2, 0.2, 0.7, 0.2, 0.7])
    found = isotonic(predicted, np.array([1.0, 0, 1, 1, 0, 0]))
    np.testing.assert_allclose(found.predicted, [0.2, 0.7])
    np.testing.assert_allclose(found.happened, [1 / 3, 2 / 3])
    np.testing.assert_allclose(found.rows, [3, 3])


def test_pooled_minimises_the_squares_among_rising_curves():
    rng = np.random.default_rng(1)
    predicted, happened = rng.random(30), (rng.random(30) < 0.5).astype(float)
    found = isotonic(predicted, happened)
    order = np.argsort(predicted)
    y = happened[order]
    # the greatest convex minorant of the cumulated events, by its min-max formula
    exact = [
        max(min(y[a : b + 1].mean() for b in range(k, 30)) for a in range(k + 1)) for k in range(30)
    ]
    np.testing.assert_allclose(found.happened, exact)


def test_score_is_split_into_its_parts():
    rng = np.random.default_rng(2)
    predicted = np.round(rng.random(200), 2)
    happened = (rng.random(200) < predicted**2).astype(float)
    found = split_score(predicted, happened)
    curve = isotonic(predicted, happened)
    again = np.interp(predicted, curve.predicted, curve.happened)
    recalibrated = np.mean((again - happened) ** 2)
    base = np.mean((happened.mean() - happened) ** 2)
    assert found.score == pytest.approx(np.mean((predicted - happened) ** 2))
    assert found.miscalibration == pytest.approx(found.score - recalibrated)
    assert found.discrimination == pytest.approx(base - recalibrated)
    assert found.uncertainty == pytest.approx(base)
    total = found.miscalibration - found.discrimination + found.uncertainty
    assert found.score == pytest.approx(total)


def test_parts_of_simple_predictions():
    happened = np.array([0.0, 0, 0, 1, 1, 0, 1, 1])
    constant = split_score(np.full(8, 0.5), happened)
    assert constant == pytest.approx((0.25, 0.0, 0.0, 0.25))
    perfect = split_score(happened, happened)
    assert perfect == pytest.approx((0.0, 0.0, 0.25, 0.25))
    wrong = split_score(1 - happened, happened)
    assert wrong == pytest.approx((1.0, 0.75, 0.0, 0.25))


# --- the test ------------------------------------------------------------------------------------


def left_out_shares(rng: Any, clusters: int = 30, rows: int = 12) -> tuple[Any, Any]:
    """Exact leave-one-out probabilities of yes or no in clusters, beta-binomial."""
    share = rng.beta(2.0, 3.0, (clusters, 1))
    happened = (rng.random((clusters, rows)) < share).astype(float)
    others = happened.sum(axis=1, keepdims=True) - happened
    return ((2.0 + others) / (5.0 + rows - 1)).ravel(), happened.ravel()


@pytest.mark.usefixtures("quick")
def test_a_model_that_fits_is_flagged_no_more_often_than_the_nominal_rate():
    rng = np.random.default_rng(3)
    ps = np.array([calibrated(*left_out_shares(rng), rng).p for _ in range(200)])
    # 4 standard errors of 200 tests above 0.05
    assert (ps < 0.05).mean() < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 200)


@pytest.mark.usefixtures("quick")
def test_right_predictions_have_uniform_p_values():
    rng = np.random.default_rng(4)
    ps = []
    for _ in range(200):
        predicted = rng.beta(1.0, 2.0, 150)
        ps.append(calibrated(predicted, (rng.random(150) < predicted).astype(float), rng).p)
    assert stats.kstest(ps, "uniform").pvalue > 1e-3


@pytest.mark.usefixtures("quick")
def test_band_holds_the_curve_of_right_predictions():
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(100):
        predicted = rng.random(120)
        curve = calibrated(predicted, (rng.random(120) < predicted).astype(float), rng).curve
        inside.append(((curve.low <= curve.happened) & (curve.happened <= curve.high)).mean())
    assert 0.86 < np.mean(inside) < 0.95


def fitted_logit(x: Any, y: Any) -> Any:
    """Probabilities of a logit fitted by maximum likelihood."""
    beta = np.zeros(x.shape[1])
    for _ in range(50):
        mean = special.expit(x @ beta)
        step = np.linalg.solve(x.T @ (x * (mean * (1 - mean))[:, None]), x.T @ (y - mean))
        beta = beta + step
    return special.expit(x @ beta)


@pytest.mark.usefixtures("quick")
def test_a_logit_of_another_link_is_caught():
    rng = np.random.default_rng(6)
    x = rng.normal(size=1500)
    # an event that never passes four in ten, however large x
    y = (rng.random(1500) < 0.4 * special.expit(4 * x)).astype(float)
    predicted = fitted_logit(np.column_stack([np.ones(1500), x]), y)
    found = calibrated(predicted, y, rng)
    assert found.p < 0.01
    outside = (found.curve.happened < found.curve.low) | (found.curve.happened > found.curve.high)
    assert outside.mean() > 0.1
    # the same data by the link that made them
    right = calibrated(0.4 * special.expit(4 * x), y, rng)
    assert right.p > 0.01
    assert right.split.miscalibration < found.split.miscalibration


@pytest.mark.usefixtures("quick")
def test_a_logit_that_leaves_out_the_industry_is_caught_in_the_industries():
    rng = np.random.default_rng(7)
    x, where = rng.normal(size=900), np.arange(900) % 3
    y = (rng.random(900) < special.expit(x + np.array([-1.0, 0.0, 1.0])[where])).astype(float)
    predicted = fitted_logit(np.column_stack([np.ones(900), x]), y)
    groups = [Member("all", "all", np.ones(900, bool))]
    groups += [Member("industry", f"I{k}", where == k) for k in range(3)]
    found = calibration([Event("yes", predicted, y)], groups, rng)
    rows = {row.group: row for row in found.rows}
    assert not rows["all"].flagged
    assert [rows[f"I{k}"].flagged for k in range(3)] == [True, False, True]
    assert LESS in rows["I0"].shape
    assert MORE in rows["I2"].shape
    ps = [rows[f"I{k}"].p for k in range(3)]
    assert [rows[f"I{k}"].adjusted for k in range(3)] == holm(ps)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda eta: eta + 1.0, LESS),
        (lambda eta: eta - 1.0, MORE),
        (lambda eta: 2.5 * eta, EXTREME),
        (lambda eta: 0.3 * eta, TIMID),
    ],
)
def test_shapes(change, words):
    rng = np.random.default_rng(8)
    eta = rng.normal(size=2000)
    y = (rng.random(2000) < special.expit(eta)).astype(float)
    assert words in shape(special.expit(change(eta)), y)


def test_a_curve_of_another_shape_is_said_so():
    predicted = np.repeat([0.1, 0.5, 0.9], 100)
    y = np.concatenate([np.arange(100) < k for k in (10, 50, 90)]).astype(float)
    assert shape(predicted, y) == CROOKED


# --- of a design ---------------------------------------------------------------------------------


def test_chance_of_yes_is_that_of_the_conjugate_model():
    design = small_design("bernoulli", "intercept")
    y, n = design.outcome, design.size
    share = np.random.default_rng(9).beta(1 + y.sum(), 1 + n - y.sum(), (4, 5000))
    density = stats.bernoulli.logpmf(y, share[..., None])
    found = left_out(design, tree_of(design, log_likelihood=density))
    (event,) = events_of(design, draws_of_intercept(special.logit(share)), found)
    exact = (1 + y.sum() - y) / (2 + n - 1)
    np.testing.assert_allclose(event.predicted, exact, atol=0.002)
    np.testing.assert_array_equal(event.happened, y)
    assert event.name == "yes"


def test_levels_are_cumulated():
    design = small_design("ordinal", "intercept")
    rng = np.random.default_rng(10)
    eta, cut = rng.normal(size=30), np.array([-1.0, 0.1, 1.2]) + rng.normal(0, 0.1, (30, 1))
    weights = rng.dirichlet(np.ones(30), design.size).T
    draws = draws_of_intercept(eta, cutpoints=cut[:, None, :])
    events = events_of(design, draws, LeftOut(scores_of(design.size), weights))
    assert [event.name for event in events] == ["at least 1", "at least 2", "at least 3"]
    for k, event in enumerate(events):
        wanted = weights.T @ special.expit(eta - cut[:, k])
        np.testing.assert_allclose(event.predicted, wanted)
        np.testing.assert_array_equal(event.happened, design.outcome >= k + 1)


@pytest.mark.usefixtures("quick")
def test_where_it_is_not_made():
    assert why_no_calibration(small_design("bernoulli", "intercept")) == ""
    assert why_no_calibration(small_design("ordinal", "intercept")) == ""
    assert why_no_calibration(small_design("poisson", "intercept")) == NO_EVENT
    frame = firms().assign(stands_for=np.linspace(1, 2, 48))
    weighted = small_design("bernoulli", "intercept", data={"weight": "stands_for"}, frame=frame)
    assert why_no_calibration(weighted) == WEIGHTED
    rng = np.random.default_rng(11)
    predicted = rng.random(40)
    rare = Event("rare", predicted, (np.arange(40) < 4).astype(float))
    few = np.arange(40) < 9
    groups = [Member("all", "all", np.ones(40, bool)), Member("industry", "few", few)]
    found = calibration([rare], groups, rng)
    assert [row.reason for row in found.rows] == [FEW_EVENTS, FEW]
    assert [row.p for row in found.rows] == [None, None]
    assert found.curves == ()
