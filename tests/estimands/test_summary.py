from __future__ import annotations

import numpy as np
import pytest

from bayescluster.estimands.diagnostics import (
    diagnostics,
    estimate,
    estimates,
    interval,
    number,
    probability_error,
)

RNG = np.random.default_rng(9)
IID = RNG.normal(2.0, 3.0, (4000, 3))


def test_mean_sd_and_interval():
    found = estimate(np.arange(101.0))
    assert (found.mean, found.low, found.high) == pytest.approx((50.0, 5.0, 95.0))
    assert found.sd == pytest.approx(np.std(np.arange(101.0), ddof=1))
    assert found.mcse is found.rhat is found.ess_bulk is found.ess_tail is None
    assert interval(np.arange(101.0)) == pytest.approx((5.0, 95.0))


def test_independent_draws():
    for found, column in zip(estimates(IID, 4), IID.T, strict=True):
        assert found.mean == column.mean()
        assert found.sd == pytest.approx(column.std(ddof=1), rel=1e-12)
        assert (found.low, found.high) == interval(column)
        assert found.rhat == pytest.approx(1.0, abs=0.005)
        assert found.ess_bulk == pytest.approx(4000, rel=0.15)
        assert found.mcse == pytest.approx(3.0 / np.sqrt(4000), rel=0.1)


def test_repeated_draws_count_once():
    repeated = np.repeat(IID[:, :1].reshape(4, 1000)[:, :100], 10, axis=1).reshape(-1, 1)
    (found,) = estimates(repeated, 4)
    assert found.ess_bulk == pytest.approx(400, rel=0.35)
    assert found.mcse == pytest.approx(3.0 / np.sqrt(400), rel=0.35)


def test_chains_that_disagree():
    apart = IID[:, :1] + 10 * (np.arange(4000)[:, None] // 1000)
    (found,) = estimates(apart, 4)
    assert found.rhat > 2
    # the order of the draws is chain by chain: mixed over the chains they agree
    (mixed,) = estimates(apart.reshape(4, 1000).T.reshape(-1, 1), 4)
    assert mixed.rhat < 1.01


def test_constants_and_single_chains_have_no_diagnostics():
    rhat, bulk, tail, mcse = diagnostics(np.column_stack([np.ones(400), IID[:400, 0]]), 1)
    assert np.isnan([rhat[0], rhat[1], bulk[0], tail[0], mcse[0]]).all()
    assert np.isfinite([bulk[1], tail[1], mcse[1]]).all()
    (found,) = estimates(np.ones((400, 1)), 4)
    assert found.mcse is found.rhat is found.ess_bulk is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_only_finite_numbers_are_told(value):
    assert number(value) is None
    assert number(np.float64(1.5)) == 1.5


def test_error_of_a_probability():
    events = RNG.random(4000) < 0.3
    assert probability_error(events, 4) == pytest.approx(np.sqrt(0.21 / 4000), rel=0.15)


@pytest.mark.parametrize("events", [np.zeros(1000, bool), np.ones(1000, bool)])
def test_error_of_a_probability_is_never_zero(events):
    share = 1 / 1002
    wanted = np.sqrt(share * (1 - share) / 1000)
    assert probability_error(events, 4) == pytest.approx(wanted)
    assert probability_error(events, 4) > 0


def test_error_where_one_draw_differs():
    events = np.zeros(1000, bool)
    events[500] = True
    assert probability_error(events, 4) > 0


def test_draws_of_two_values_warn_of_nothing():
    (found,) = estimates(np.tile([[-1.0], [1.0]], (200, 1)), 2)
    assert (found.mean, found.rhat is None or found.rhat >= 0) == (0.0, True)
    assert probability_error(np.arange(400) % 2 == 0, 2) > 0


def test_a_mean_that_a_few_draws_carry_off_is_no_centre():
    heavy = np.exp(np.linspace(-1.0, 1.0, 4000))
    heavy[::200] = 1e9  # half of a percent of the draws
    RNG.shuffle(heavy)
    (found,) = estimates(heavy[:, None], 4)
    assert heavy.mean() > found.high
    assert found.mean == estimate(heavy).mean == np.median(heavy)
    assert found.low < found.mean < found.high
    assert found.mcse is None
    assert found.rhat is not None
    # a mean within its interval stays, though the distribution is skewed
    skewed = np.exp(IID[:, 0] / 3.0)
    assert estimate(skewed).mean == skewed.mean()
