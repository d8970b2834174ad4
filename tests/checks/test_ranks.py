"""Ranks, their uniformity and its words, against simulation, scipy and cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, kstest

from bayescluster.checks.thresholds import NOT_UNIFORM, RANKS_MIN
from bayescluster.checks.uniformity import (
    band,
    difference,
    exact_band,
    placed,
    points,
    simulated_band,
)
from bayescluster.checks.uniformity import rank_shape as shape
from bayescluster.checks.uniformity import rank_uniformity as uniformity
from bayescluster.studies.calibration.compute import Outcomes, bins, scores


def conjugate(
    seed: int, count: int = 200, prior: float = 1.0, noise: float = 1.0, wide: float = 1.0
) -> np.ndarray:
    """Positions of normal means among exact draws; ``prior`` and ``noise`` are what is believed.

    The truth is N(0, 1), and three observations have sd 1; ``wide`` multiplies the posterior sd.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        truth = rng.normal()
        mean = rng.normal(truth, 1.0, 3).mean()
        precision = 1 / prior**2 + 3 / noise**2
        centre = 3 / noise**2 * mean / precision
        draws = rng.normal(centre, wide * precision**-0.5, (2, 60))
        found.append(placed(truth, draws, 120.0, rng).position)
    return np.array(found)


def test_rank_counts_what_is_below():
    rng = np.random.default_rng(1)
    draws = np.arange(20.0).reshape(2, 10)
    found = placed(4.5, draws, 20.0, rng)
    assert (found.rank, found.among) == (5, 20)
    assert 5 / 21 <= found.position <= 6 / 21
    # every fourth draw of each chain: 0, 4, 8, 10, 14, 18
    assert placed(9.0, draws, 5.0, rng)[:2] == (3, 6)
    assert placed(9.0, draws, np.nan, rng)[:2] == (9, 20)


def test_ties_are_decided_by_chance():
    rng = np.random.default_rng(2)
    draws = np.array([[0.0, 1.0, 1.0, 1.0, 2.0]])
    ranks = [placed(1.0, draws, 5.0, rng).rank for _ in range(4000)]
    assert set(ranks) == {1, 2, 3, 4}
    counts = np.bincount(ranks)[1:]
    assert abs(counts - 1000).max() < 5 * np.sqrt(4000 * 0.25 * 0.75)


def test_positions_are_uniform_however_many_draws():
    rng = np.random.default_rng(3)
    positions = np.array(
        [
            placed(rng.normal(), rng.normal(size=(1, int(size))), size, rng).position
            for size in rng.integers(2, 9, 4000)
        ]
    )
    assert kstest(positions, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("count", [RANKS_MIN, 100])
def test_band_and_probability_say_the_same(count):
    """As often outside the band as it says, and outside exactly where p is small."""
    rng = np.random.default_rng(count)
    found = band(count)
    outside, small = 0, 0
    repeats = 600
    for _ in range(repeats):
        positions = rng.random(count)
        away = difference(positions)
        out = bool(((away < found.low - 1e-12) | (away > found.high + 1e-12)).any())
        p = uniformity(positions)
        assert out == (p <= NOT_UNIFORM)
        outside += out
        small += p <= 0.2
    low, high = binom.ppf([1e-4, 1 - 1e-4], repeats, NOT_UNIFORM)
    # positions are counted, so that the chance can only be below the level
    assert 0.6 * low <= outside <= high
    assert small <= binom.ppf(1 - 1e-4, repeats, 0.2)


def test_band_is_that_of_simulation():
    """Against the simulated bands of arviz, which are themselves a little uncertain."""
    from arviz_stats.ecdf_utils import get_pointwise_confidence_band, simulate_confidence_bands

    at = points(100)
    rng = np.random.default_rng(5)
    level = simulate_confidence_bands(100, 1, at, 0.95, 3000, rng)
    low, high = get_pointwise_confidence_band(level, 100, at)
    found = band(100)
    # counts of 100: at most one apart
    assert abs(found.low - (low - at)).max() < 0.0101
    assert abs(found.high - (high - at)).max() < 0.0101


def test_the_simulated_band_is_the_exact_one():
    """Two ways to one band; the counts at a point are whole, so they are at most one apart."""
    for count in (60, 250):
        exact = exact_band(count, 0.95)
        simulated = simulated_band(count, exact.points, 0.95, np.random.default_rng(6))
        assert abs(exact.low - simulated.low).max() < 1.01 / count
        assert abs(exact.high - simulated.high).max() < 1.01 / count
        assert (exact.low < simulated.high).all()


def test_probability_of_two_positions_by_hand(monkeypatch):
    """One point, two positions: both below 1/2 has probability 1/4, as has none."""
    from bayescluster.checks import uniformity as ranks

    monkeypatch.setattr(ranks, "RANKS_MIN", 2)
    assert points(2).tolist() == [0.5]
    assert uniformity(np.array([0.1, 0.2])) == pytest.approx(0.5)
    assert uniformity(np.array([0.1, 0.9])) == pytest.approx(1.0)


def test_too_few_positions_are_not_judged():
    assert uniformity(np.zeros(RANKS_MIN - 1)) is None
    assert uniformity(np.zeros(RANKS_MIN)) < 1e-6


def test_exact_posteriors_pass():
    for seed in range(5):
        assert uniformity(conjugate(seed)) > 0.001


@pytest.mark.parametrize(
    ("believed", "words"),
    [
        ({"prior": 0.5}, "overconfident"),
        ({"noise": 0.5}, "overconfident"),
        ({"wide": 1.5}, "underconfident"),
    ],
)
def test_wrong_posteriors_are_caught_and_named(believed, words):
    positions = conjugate(7, **believed)
    assert uniformity(positions) < 0.01
    assert shape(positions) == words


def test_shifts_are_named():
    rng = np.random.default_rng(4)
    assert shape(rng.beta(3, 1, 100)) == "too_low"
    assert shape(rng.beta(1, 3, 100)) == "too_high"
    assert shape((np.arange(100) + 0.5) / 100) == "other"


def outcomes(seed: int, bend: float = 1.0, events: int = 4, count: int = 300) -> Outcomes:
    """Stated probabilities; what comes true has ``bend`` times their log odds."""
    rng = np.random.default_rng(seed)
    stated = np.repeat(rng.beta(0.7, 0.7, count), events)
    odds = (stated / (1 - stated)) ** bend
    came = rng.random(stated.size) < odds / (1 + odds)
    return Outcomes(stated, came, np.repeat(np.arange(count), events))


def test_shares_count_replications():
    # 3 of 4 events in two replications: 1.5 of 2
    some = Outcomes(np.full(4, 0.5), np.array([1, 1, 1, 0]) > 0, np.array([0, 0, 1, 1]))
    assert (some.share.share, some.replications) == (0.75, 2)
    from scipy.stats import beta

    ends = (some.share.low, some.share.high)
    assert ends == pytest.approx(tuple(beta.ppf([0.05, 0.95], 2.0, 1.0)))
    none = Outcomes(np.full(3, 0.1), np.zeros(3, dtype=bool), np.arange(3))
    assert none.share.low == 0.0
    assert none.part(none.came).share is None


def test_bins_hold_every_event_once():
    some = outcomes(1)
    some = some._replace(stated=np.where(np.arange(some.stated.size) < 9, 1.0, some.stated))
    found = list(bins(some))
    assert sum(each.events for each in found) == some.stated.size
    assert all(each.low <= each.stated <= each.high for each in found)
    assert [each.low for each in found] == pytest.approx([k / 10 for k in range(10)])


def test_reliable_probabilities_have_the_scores_expected():
    some = outcomes(2, events=1, count=4000)
    found = scores(some, 500)
    assert found.brier == pytest.approx(found.brier_expected, abs=0.012)
    assert found.log == pytest.approx(found.log_expected, abs=0.03)
    assert abs(found.excess_z) < 4
    inside = [each.came.low <= each.stated <= each.came.high for each in bins(some)]
    assert sum(inside) >= 7


def test_overconfident_probabilities_cost_more():
    found = scores(outcomes(3, bend=0.4), 500)
    assert found.brier > found.brier_expected + 0.03
    assert found.log > found.log_expected + 0.1


def test_a_sure_mistake_has_a_finite_cost():
    found = scores(Outcomes(np.zeros(1), np.ones(1, dtype=bool), np.zeros(1, dtype="int64")), 98)
    assert found.log == pytest.approx(np.log(100))
    assert (found.brier, found.brier_expected) == (1.0, 0.0)
