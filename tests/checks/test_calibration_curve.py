from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize, special, stats

from bayescluster.checks import calibration as module
from bayescluster.checks.calibration import (
    CROOKED,
    EXTREME,
    FEW,
    FEW_EVENTS,
    LESS,
    MORE,
    NO_EVENT,
    TIMID,
    WEIGHTED,
    Event,
    Member,
    bars_of,
    calibrated,
    calibration,
    events_of,
    isotonic,
    ordered,
    split_score,
    why_no_calibration,
)
from bayescluster.checks.calibration import curve_shape as shape
from bayescluster.checks.loo import LeftOut, left_out, reached
from bayescluster.checks.uniformity import holm
from tests.checks.test_loo_pit import draws_of_intercept, scores_of
from tests.factories import firms, small_design

DRAWS = 200


def curve_of(predicted: Any, happened: Any) -> tuple[Any, Any, Any]:
    """Distinct predictions, rows of each, and the isotonic curve."""
    order = ordered(np.asarray(predicted)[None])
    curve = isotonic(order, np.asarray(happened)[None])
    values, rows = np.unique(predicted, return_counts=True)
    return values, rows, order.rising(curve)[0]


def test_score_is_split_into_its_parts():
    rng = np.random.default_rng(2)
    predicted = np.round(rng.random(200), 2)
    happened = (rng.random(200) < predicted**2).astype(float)
    found = split_score(predicted, happened)
    at, _, curve = curve_of(predicted, happened)
    again = np.interp(predicted, at, curve)
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


def test_a_model_that_fits_is_flagged_no_more_often_than_the_nominal_rate():
    rng = np.random.default_rng(3)
    ps = []
    for _ in range(100):
        # clusters of 12 rows, whose shares have a known distribution
        share = rng.beta(2.0, 3.0, (30, 1))
        happened = (rng.random((30, 12)) < share).astype(float)
        yes = happened.sum(axis=1)
        draws = rng.beta(2.0 + yes, 15.0 - yes, (DRAWS, 30))
        ps.append(calibrated(np.repeat(draws, 12, axis=1), happened.ravel(), rng).p)
    assert np.mean(np.array(ps) < 0.05) <= 0.05


def test_known_probabilities_have_uniform_p_values():
    rng = np.random.default_rng(4)
    ps = []
    for _ in range(150):
        predicted = rng.beta(1.0, 2.0, 150)
        happened = (rng.random(150) < predicted).astype(float)
        ps.append(calibrated(np.tile(predicted, (DRAWS, 1)), happened, rng).p)
    assert stats.kstest(ps, "uniform").pvalue > 1e-3


def test_band_holds_the_curve_of_known_probabilities():
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(100):
        predicted = rng.random(120)
        happened = (rng.random(120) < predicted).astype(float)
        curve = calibrated(np.tile(predicted, (DRAWS, 1)), happened, rng).curve
        inside.append(((curve.low <= curve.happened) & (curve.happened <= curve.high)).mean())
    assert 0.86 < np.mean(inside) < 0.95


def fitted_logit(x: Any, y: Any, rng: Any) -> Any:
    """Probabilities of a logit at draws of its normal approximation, ``(draw, row)``."""
    beta = np.zeros(x.shape[1])
    for _ in range(50):
        mean = special.expit(x @ beta)
        hessian = x.T @ (x * (mean * (1 - mean))[:, None])
        beta = beta + np.linalg.solve(hessian, x.T @ (y - mean))
    draws = rng.multivariate_normal(beta, np.linalg.inv(hessian), DRAWS)
    return special.expit(draws @ x.T)


def test_draws_that_agree_have_the_p_value_of_one():
    rng = np.random.default_rng(13)
    predicted = rng.random(200)
    happened = (rng.random(200) < predicted**1.3).astype(float)
    found = calibrated(np.tile(predicted, (DRAWS, 1)), happened, rng)
    lost = split_score(predicted, happened).miscalibration
    drawn = (rng.random((2000, 200)) < predicted).astype(float)
    tail = np.mean([split_score(predicted, one).miscalibration >= lost for one in drawn])
    # of 200 and 2000 replicates
    assert abs(found.p - tail) < 4 * np.sqrt(tail * (1 - tail) * (1 / 200 + 1 / 2000)) + 1 / 200
    assert found.split == pytest.approx(split_score(predicted, happened))


def test_a_logit_of_another_link_is_caught():
    rng = np.random.default_rng(6)
    x = rng.normal(size=1500)
    # an event that never passes four in ten, however large x
    share = 0.4 * special.expit(4 * x)
    y = (rng.random(1500) < share).astype(float)
    chances = fitted_logit(np.column_stack([np.ones(1500), x]), y, rng)
    found = calibrated(chances, y, rng)
    assert found.p < 0.01
    assert found.split.miscalibration > 2 * found.expected
    outside = (found.curve.happened < found.curve.low) | (found.curve.happened > found.curve.high)
    assert outside.mean() > 0.1
    # the same data by the probabilities that made them
    right = calibrated(np.tile(share, (DRAWS, 1)), y, rng)
    assert right.p > 0.05


def test_a_logit_that_fits_is_not_flagged():
    rng = np.random.default_rng(12)
    ps = []
    for _ in range(60):
        x = np.column_stack([np.ones(300), rng.normal(size=(300, 5))])
        y = (rng.random(300) < special.expit(x @ rng.normal(0, 0.5, 6))).astype(float)
        ps.append(calibrated(fitted_logit(x, y, rng), y, rng).p)
    # 60 tests at 0.05: more than 8 have a probability below 0.01
    assert np.sum(np.array(ps) < 0.05) <= 8


def test_a_logit_that_leaves_out_the_industry_is_caught_in_the_industries():
    # all firms together are calibrated but for chance: 1 of 25 such data sets is flagged
    rng = np.random.default_rng(8)
    x, where = rng.normal(size=900), np.arange(900) % 3
    y = (rng.random(900) < special.expit(x + np.array([-1.0, 0.0, 1.0])[where])).astype(float)
    chances = fitted_logit(np.column_stack([np.ones(900), x]), y, rng)
    groups = [Member("all", "all", np.ones(900, bool))]
    groups += [Member("industry", f"I{k}", where == k) for k in range(3)]
    found = calibration([Event("yes", chances, chances.mean(axis=0), y)], groups, rng)
    rows = {row.group: row for row in found.rows}
    assert not rows["all"].flagged
    assert [rows[f"I{k}"].flagged for k in range(3)] == [True, False, True]
    assert LESS in rows["I0"].shape
    assert MORE in rows["I2"].shape
    ps = [rows[f"I{k}"].p for k in range(3)]
    assert [rows[f"I{k}"].adjusted for k in range(3)] == holm(ps)
    assert rows["all"].left_out_score == pytest.approx(np.mean((chances.mean(axis=0) - y) ** 2))
    assert found.draws == DRAWS


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


@pytest.mark.parametrize("ties", [1, 5])
def test_many_curves_at_once_are_those_of_scipy(ties):
    rng = np.random.default_rng(12)
    predicted = np.round(rng.random((30, 80)) * 20 / ties) * ties / 20
    happened = (rng.random((30, 80)) < predicted**2).astype(float)
    order = ordered(predicted)
    found = isotonic(order, happened)
    for one, curve, y in zip(predicted, found, happened, strict=True):
        _, where, rows = np.unique(one, return_inverse=True, return_counts=True)
        shares = np.bincount(where, weights=y) / rows
        wanted = optimize.isotonic_regression(shares, weights=rows.astype(float)).x
        np.testing.assert_allclose(curve, np.repeat(wanted, rows), atol=1e-12)


def test_blocks_of_draws_change_nothing(monkeypatch):
    rng = np.random.default_rng(13)
    chances, y = rng.random((40, 50)), (rng.random(50) < 0.5).astype(float)
    whole = calibrated(chances, y, np.random.default_rng(1))
    monkeypatch.setattr(module, "CELLS_A_BLOCK", 350)  # 7 draws at a time
    again = calibrated(chances, y, np.random.default_rng(1))
    assert again.split == whole.split
    assert (again.p, again.expected) == (whole.p, pytest.approx(whole.expected))
    np.testing.assert_array_equal(again.curve.low, whole.curve.low)


# --- of a design ---------------------------------------------------------------------------------


def test_chance_of_yes_is_that_of_the_conjugate_model():
    design = small_design("bernoulli", "intercept")
    y, n = design.outcome, design.size
    share = np.random.default_rng(9).beta(1 + y.sum(), 1 + n - y.sum(), (4, 5000))
    draws = draws_of_intercept(special.logit(share))
    (event,) = events_of(design, draws, left_out(design, draws, 1.0, bars_of(design)))
    exact = (1 + y.sum() - y) / (2 + n - 1)
    np.testing.assert_allclose(event.left_out, exact, atol=0.002)
    np.testing.assert_allclose(event.chances.mean(), share.mean(), atol=0.01)
    assert event.chances.shape == (1000, n)
    np.testing.assert_array_equal(event.happened, y)
    assert event.name == "yes"


def test_levels_are_cumulated():
    design = small_design("ordinal", "intercept")
    rng = np.random.default_rng(10)
    eta, cut = rng.normal(size=30), np.array([-1.0, 0.1, 1.2]) + rng.normal(0, 0.1, (30, 1))
    weights = rng.dirichlet(np.ones(30), design.size).T
    draws = draws_of_intercept(eta, cutpoints=cut[:, None, :])
    every = np.broadcast_to(eta[:, None], weights.shape)
    above = reached(design, draws, every, np.arange(design.size), weights, bars_of(design))
    events = events_of(design, draws, LeftOut(scores_of(design.size), above, np.zeros(30)))
    assert [event.name for event in events] == ["at least 1", "at least 2", "at least 3"]
    for k, event in enumerate(events):
        chances = special.expit(eta - cut[:, k])
        np.testing.assert_allclose(event.left_out, weights.T @ chances)
        np.testing.assert_allclose(event.chances, np.tile(chances[:, None], design.size))
        np.testing.assert_array_equal(event.happened, design.outcome >= k + 1)


def test_where_it_is_not_made():
    assert why_no_calibration(small_design("bernoulli", "intercept")) == ""
    assert why_no_calibration(small_design("ordinal", "intercept")) == ""
    assert why_no_calibration(small_design("poisson", "intercept")) == NO_EVENT
    frame = firms().assign(stands_for=np.linspace(1, 2, 48))
    weighted = small_design("bernoulli", "intercept", data={"weight": "stands_for"}, frame=frame)
    assert why_no_calibration(weighted) == WEIGHTED
    rng = np.random.default_rng(11)
    chances = rng.random((DRAWS, 40))
    rare = Event("rare", chances, chances[0], (np.arange(40) < 4).astype(float))
    few = np.arange(40) < 9
    groups = [Member("all", "all", np.ones(40, bool)), Member("industry", "few", few)]
    found = calibration([rare], groups, rng)
    assert [row.reason for row in found.rows] == [FEW_EVENTS, FEW]
    assert [row.p for row in found.rows] == [None, None]
    assert found.curves == ()
