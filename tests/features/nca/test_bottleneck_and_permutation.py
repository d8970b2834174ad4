from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayescluster.features.nca.compute import Observed, Settings, analyse_pair
from bayescluster.features.nca.observed import (
    CEILINGS,
    CORNERED,
    CORNERS,
    FALLING,
    SINGLE,
    Scope,
    effect_size,
    permuted,
    shape_of,
    unit_cases,
)
from bayescluster.features.nca.results import BottleneckRow, Pair

X = np.array([0.0, 2.0, 4.0, 10.0, 10.0])
Y = np.array([10.0, 30.0, 20.0, 50.0, 0.0])
"""A staircase that can be read off: 10 from the start, 30 from x = 2, 50 from x = 10."""

numbers = st.integers(-6, 6).map(float)
tables = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=12).filter(
    lambda cases: all(len({case[k] for case in cases}) > 1 for k in (0, 1))
)


def _pair(x=X, y=Y, declared=None, **asked) -> Pair:
    names = [f"firm {k + 1}" for k in range(len(x))]
    observed = Observed("training", "all", names, np.asarray(x), np.asarray(y), 0, declared)
    asked = {"ceilings": ("ce_fdh",), "steps": 5, "permutations": 0} | asked
    return analyse_pair(observed, Settings(**asked), np.random.default_rng(1))


def _shown(rows: tuple[BottleneckRow, ...]) -> list[tuple[float, float | str]]:
    return [(row.level, row.status if row.needed is None else row.needed) for row in rows]


TURNED = {"x": 10 - X, "corner": "upper_right", "bottleneck": "actual"}
WIDER = {"declared": Scope(0, 10, 0, 100), "steps": 4}


@pytest.mark.parametrize(
    ("options", "needs", "short"),
    [
        ({}, "0 NN, 20 NN, 40 20, 60 20, 80 100, 100 100", "001133"),
        ({"bottleneck": "actual"}, "0 NN, 10 NN, 20 2, 30 2, 40 10, 50 10", "001133"),
        # of five firms one has less than 2, three have less than 10
        ({"bottleneck": "percentile", "steps": 4}, "0 NN, 25 NN, 50 20, 75 20, 100 60", "00113"),
        (WIDER, "0 NN, 25 20, 50 100, 75 NA, 100 NA", "01355"),
        # the same firms, an axis turned round: high outcomes now need little of the condition
        (TURNED, "0 NN, 10 NN, 20 8, 30 8, 40 0, 50 0", "001133"),
        (
            {"y": 50 - Y, "corner": "lower_left"},
            "100 NN, 80 NN, 60 20, 40 20, 20 100, 0 100",
            "001133",
        ),
    ],
)
def test_what_levels_need(options, needs, short):
    rows = _pair(**options).bottlenecks
    shown = (
        f"{level:g} {need if isinstance(need, str) else f'{need:g}'}"
        for level, need in _shown(rows)
    )
    assert ", ".join(shown) == needs
    assert "".join(str(row.short) for row in rows) == short


def test_levels_in_units_of_the_outcome():
    assert [row.outcome for row in _pair().bottlenecks] == [0, 10, 20, 30, 40, 50]
    rows = _pair(bottleneck="percentile", steps=4).bottlenecks
    assert [row.outcome for row in rows] == [0, 10, 20, 30, 50]


def test_a_straight_ceiling_and_its_inefficiencies():
    # peers (0, 10), (2, 30), (10, 50): the line through them by hand
    slope, intercept = np.polyfit([0, 2, 10], [10, 30, 50], 1)
    pair = _pair(ceilings=("cr_fdh",))
    (row,) = pair.ceilings
    assert (row.slope, row.intercept) == pytest.approx((slope, intercept))
    assert row.condition_inefficiency == pytest.approx(1 - min((50 - intercept) / slope, 10) / 10)
    assert row.outcome_inefficiency == pytest.approx(intercept / 50)
    assert row.peers == ("firm 1", "firm 2", "firm 4")
    assert row.outliers == ("firm 2",)
    assert (row.above, row.accuracy) == (1, 0.8)
    needed = {row.level: row.value for row in pair.bottlenecks}
    assert needed[60] == pytest.approx((30 - intercept) / slope)


def test_slope_and_intercept_in_a_turned_corner():
    (row,) = _pair(-X, Y, ceilings=("cr_fdh",), corner="upper_right").ceilings
    slope, intercept = np.polyfit([0, -2, -10], [10, 30, 50], 1)
    assert (row.slope, row.intercept) == pytest.approx((slope, intercept))


def test_area_of_a_line_follows_from_its_inefficiencies():
    # the triangle above a line that leaves the scope by its upper edge
    (row,) = _pair([0, 1, 2, 4], [1, 3, 2, 4], ceilings=("cols",)).ceilings
    assert row.condition_inefficiency > 0
    expected = (1 - row.condition_inefficiency) * (1 - row.outcome_inefficiency) / 2
    assert row.effect_size == pytest.approx(expected)
    assert row.relative_inefficiency == pytest.approx(1 - 2 * row.effect_size)


def test_notes_say_why_nothing_is_empty():
    cornered = _pair([0, 1], [1, 0], ceilings=CEILINGS).ceilings
    assert {row.effect_size for row in cornered} == {0.0}
    assert {row.note for row in cornered} == {CORNERED}
    (falling,) = _pair([0, 0, 1, 2], [3, 4, 5, 0], ceilings=("cols",)).ceilings
    assert (falling.effect_size, falling.note) == (0.0, FALLING)


def test_a_single_peer():
    pair = _pair([1, 2], [3, 1], Scope(0, 3, 0, 4), ceilings=("cr_fdh", "ce_fdh"), steps=4)
    line, steps = pair.ceilings
    assert (line.effect_size, line.above, line.accuracy, line.note) == (None, None, None, SINGLE)
    assert {row.status for row in pair.bottlenecks[:5]} == {"NA"}
    assert steps.effect_size == pytest.approx(0.5)
    # left of the first case all is empty
    assert _shown(pair.bottlenecks[5:])[:2] == [(0, "NN"), (25, pytest.approx(100 / 3))]


@given(tables, st.sampled_from(CEILINGS), st.sampled_from(CORNERS))
def test_what_a_level_needs_is_where_the_ceiling_reaches_it(cases, ceiling, corner):
    x, y = np.array(cases).T
    unit = unit_cases(x, y[None, :], corner)
    shape = shape_of(unit, ceiling)
    assert (np.diff(shape.u) >= 0).all()
    assert (np.diff(shape.v) >= 0).all()
    for level in np.linspace(0, 1, 7):
        found = shape.needed(level)
        if found is None:
            assert shape.v[-1] < level
            continue
        at = shape.height(np.array([found, max(found - 1e-6, 0)]))
        assert at[0] >= level - 1e-8
        if found > 1e-6:
            assert at[1] < level + 1e-8


@given(tables, st.sampled_from(CEILINGS))
def test_the_path_encloses_the_effect_size(cases, ceiling):
    x, y = np.array(cases).T
    shape = shape_of(unit_cases(x, y[None, :]), ceiling)
    assert 1 - np.trapezoid(shape.v, shape.u) == pytest.approx(effect_size(x, y, ceiling), abs=1e-9)


@given(tables)
def test_envelopments_have_no_case_above(cases):
    x, y = np.array(cases).T
    pair = _pair(x, y, ceilings=("ce_fdh", "ce_vrs", "cols", "c_lp"))
    assert {row.accuracy for row in pair.ceilings if row.note != FALLING} <= {1.0}


def test_permutation_p_is_the_share_of_all_orders():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=6), rng.normal(size=6)
    found = permuted(unit_cases(x, y[None, :]), CEILINGS, 20_000, rng)
    orders = list(permutations(y))
    for ceiling in CEILINGS:
        observed = effect_size(x, y, ceiling)
        share = np.mean([effect_size(x, order, ceiling) >= observed - 1e-9 for order in orders])
        assert found[ceiling].mcse == pytest.approx(np.sqrt(share * (1 - share) / 20_000), rel=0.1)
        assert abs(found[ceiling].p - share) < 5 * max(found[ceiling].mcse, 1e-3)


def test_permutation_p_is_never_zero():
    x = np.arange(30.0)
    found = permuted(unit_cases(x, x[None, :]), ("ce_vrs",), 199, np.random.default_rng(1))
    assert found["ce_vrs"].p == 1 / 200


def test_ties_count_as_at_least_as_large():
    # whatever the order, one firm has it all or not: half of the orders leave the corner empty
    found = permuted(unit_cases([0, 1], [[0, 1]]), ("ce_fdh",), 999, np.random.default_rng(1))
    assert 0.4 < found["ce_fdh"].p < 0.6
    assert 0.4 < found["ce_fdh"].mean < 0.6


def test_the_same_seed_gives_the_same_p_in_chunks_too(monkeypatch):
    unit = unit_cases(X, Y[None, :])
    whole = permuted(unit, ("ce_fdh",), 500, np.random.default_rng(9))
    monkeypatch.setattr("bayescluster.features.nca.observed.CELLS", 35)
    assert permuted(unit, ("ce_fdh",), 500, np.random.default_rng(9)) == whole


def test_permutations_without_a_line_count_against_necessity():
    rng = np.random.default_rng(2)
    unit = unit_cases([1, 2, 3], [[1.0, 2.0, 3.0]], scope=(0, 4, 0, 4))
    found = permuted(unit, ("cr_fdh",), 600, rng)["cr_fdh"]
    # a third of the orders begin with the highest outcome
    assert 150 < found.undefined < 250
    assert found.p >= (found.undefined + 1) / 601
    pair = _pair([1, 2, 3], [1, 2, 3], Scope(0, 4, 0, 4), ceilings=("cr_fdh",), permutations=60)
    assert pair.ceilings[0].note.endswith(
        " permutations no line can be drawn; they count as at least as large."
    )


def test_fit_is_told_up_to_the_staircase_only():
    # a steep start puts the line through the peers below the staircase, and d above that of it
    steps, line = _pair([0, 1, 10], [0, 8, 10], ceilings=("ce_fdh", "cr_fdh")).ceilings
    assert line.effect_size > steps.effect_size
    assert (steps.fit, line.fit) == (1.0, None)
    steps, line = _pair([0, 9, 10], [0, 2, 10], ceilings=("ce_fdh", "cr_fdh")).ceilings
    assert line.fit == pytest.approx(line.effect_size / steps.effect_size)
