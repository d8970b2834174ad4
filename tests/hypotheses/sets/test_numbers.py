"""Calibration and measures: their definitions written a second time, and what must always hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bayescluster.features.sets.measures import (
    calibrate,
    conjunction,
    disjunction,
    drawn_anchors,
    in_order,
    is_crisp,
    necessity,
    negation,
    passes,
    spread_between,
    sufficiency,
    total_of,
    unique_coverage,
)

MEMBERSHIPS = arrays(float, 12, elements=st.floats(0, 1))


def by_hand(x: float, e: float, c: float, i: float) -> float:
    odds = math.log(0.95 / 0.05)
    inside = x >= c if i > e else x <= c
    if inside:
        return 1 / (1 + math.exp(-odds * (x - c) / (i - c)))
    return 1 / (1 + math.exp(odds * (x - c) / (e - c)))


@pytest.mark.parametrize("anchors", [(400.0, 550.0, 900.0), (9.0, 4.0, -1.5)])
def test_calibration_at_the_anchors_and_between(anchors):
    e, _, i = anchors
    assert calibrate(np.array(anchors), np.array(anchors)) == pytest.approx([0.05, 0.5, 0.95])
    values = np.linspace(min(e, i) - 3, max(e, i) + 3, 41)
    found = calibrate(values, np.array(anchors))
    assert found == pytest.approx([by_hand(x, *anchors) for x in values], abs=1e-14)
    assert (np.diff(found) * np.sign(i - e) > 0).all()


def test_calibration_of_several_replicates_and_missing_values():
    anchors = np.array([[0.0, 1.0, 2.0], [0.5, 1.5, 4.0]])
    found = calibrate(np.array([1.0, np.nan, 2.0]), anchors)
    assert found.shape == (2, 3)
    assert np.isnan(found[:, 1]).all()
    assert found[1, 2] == pytest.approx(by_hand(2.0, 0.5, 1.5, 4.0))


def test_extreme_values_give_no_warning():
    found = calibrate(np.array([-1e300, 1e300]), np.array([0.0, 1.0, 2.0]))
    assert found.tolist() == [0.0, 1.0]


def test_drawn_anchors_keep_their_order_and_their_spread():
    rng = np.random.default_rng(3)
    falling = np.array([3.0, 2.0, 0.0])
    drawn = drawn_anchors(falling, np.array([0.8, 0.8, 0.0]), 4000, rng)
    assert (np.diff(drawn, axis=1) < 0).all()
    assert (drawn[:, 2] == 0.0).all()
    apart = drawn_anchors(np.array([0.0, 50.0, 100.0]), np.array([1.0, 2.0, 3.0]), 20000, rng)
    assert apart.std(axis=0) == pytest.approx([1, 2, 3], rel=0.03)
    assert drawn_anchors(falling, np.zeros(3), 100, rng).shape == (1, 3)
    assert in_order(np.array([[1, 2, 3], [3, 2, 1], [1, 1, 2], [1, 3, 2]])).tolist() == [1, 1, 0, 0]
    assert is_crisp(np.array([0, 1, np.nan]))
    assert not is_crisp(np.array([0, 0.5]))


def loops(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> dict[str, float]:
    """Every measure from the definitions, case by case."""
    m = [w[i] * min(x[i], y[i]) for i in range(len(x))]
    k = [w[i] * min(x[i], y[i], 1 - y[i]) for i in range(len(x))]
    n = [w[i] * (1 - min(x[i], y[i])) for i in range(len(x))]
    return {
        "inclN": sum(m) / sum(w * y),
        "covN": sum(m) / sum(w * x),
        "RoN": sum(w * (1 - x)) / sum(n),
        "inclS": sum(m) / sum(w * x),
        "PRI": (sum(m) - sum(k)) / (sum(w * x) - sum(k)),
    }


def test_measures_are_their_definitions_by_replicate_group_and_weight():
    rng = np.random.default_rng(11)
    x, y = rng.random((5, 40)), rng.random((5, 40))
    weights = rng.exponential(size=(5, 40))
    members = np.column_stack([np.ones(40, bool), np.arange(40) % 3 == 0])
    total = total_of(weights, members)
    nec, suf = necessity(x, y, total), sufficiency(x, y, total)
    assert nec.consistency.shape == (5, 2)
    for r in range(5):
        for g in range(2):
            mine = members[:, g]
            want = loops(x[r][mine], y[r][mine], weights[r][mine])
            found = {
                "inclN": nec.consistency[r, g],
                "covN": nec.coverage[r, g],
                "RoN": nec.relevance[r, g],
                "inclS": suf.consistency[r, g],
                "PRI": suf.pri[r, g],
            }
            assert found == pytest.approx(want)


@given(MEMBERSHIPS, MEMBERSHIPS)
def test_measures_stay_within_bounds_and_mirror_each_other(x, y):
    nec, suf = necessity(x, y), sufficiency(x, y)
    for measures in (nec, suf):
        for value in measures:
            assert np.isnan(value) or -1e-12 <= value <= 1 + 1e-12
    back = sufficiency(y, x)
    np.testing.assert_array_equal(nec.consistency, back.consistency)
    np.testing.assert_array_equal(nec.coverage, back.coverage)
    if suf.consistency < 1 and suf.pri == suf.pri:
        assert suf.pri <= suf.consistency + 1e-9


@given(MEMBERSHIPS, MEMBERSHIPS)
def test_de_morgan(x, y):
    np.testing.assert_allclose(
        negation(conjunction(x, y)), disjunction(negation(x), negation(y)), atol=1e-15
    )


@given(MEMBERSHIPS, MEMBERSHIPS, MEMBERSHIPS)
def test_alternatives_raise_necessity_and_requirements_raise_no_coverage(x, z, y):
    if y.sum() > 0:
        assert necessity(disjunction(x, z), y).consistency >= necessity(x, y).consistency - 1e-12
        assert sufficiency(conjunction(x, z), y).coverage <= sufficiency(x, y).coverage + 1e-12


def test_sets_without_members_have_no_measures():
    empty, some = np.zeros(3), np.array([0.2, 0.9, 1.0])
    assert np.isnan(necessity(some, empty).consistency)
    assert np.isnan(sufficiency(empty, some).consistency)
    assert not passes(sufficiency(empty, some), 0.8, 0.0)


def test_a_consistency_of_four_fifths_reaches_its_cut():
    x = np.ones(10)
    y = np.array([1.0] * 8 + [0.0] * 2)
    weights = np.full(10, 0.1)
    assert passes(sufficiency(x, y, total_of(weights)), 0.8, 0.5)
    assert not passes(sufficiency(x, y, total_of(weights)), 0.81, 0.5)


def test_unique_coverage_adds_up_to_the_whole_with_what_is_shared():
    rng = np.random.default_rng(5)
    a, b, y = rng.random((3, 30))
    both = sufficiency(disjunction(a, b), y).coverage
    first, second = unique_coverage([a, b], y)
    assert first == pytest.approx(both - sufficiency(b, y).coverage)
    assert second == pytest.approx(both - sufficiency(a, y).coverage)
    (alone,) = unique_coverage([a], y)
    assert alone == pytest.approx(sufficiency(a, y).coverage)


def test_spread_between_groups():
    assert spread_between(np.array([0.7, 0.7, 0.7])) == pytest.approx(0)
    values = [0.9, 0.6, 0.3]
    want = math.sqrt(sum((v / sum(values) - 1 / 3) ** 2 for v in values))
    assert spread_between(np.array(values)) == pytest.approx(want)
    found = spread_between(np.array([[0.9, 0.6, 0.3, np.nan], [0.5, 0.5, 0.5, 0.5]]))
    assert found == pytest.approx([want, 0.0])
