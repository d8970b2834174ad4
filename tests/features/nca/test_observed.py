from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bayescluster.features.nca.observed import (
    AREAS,
    CORNERS,
    LINES,
    areas,
    effect_size,
    effect_sizes,
    hull_of,
    unit_cases,
)
from bayescluster.features.nca.results import CeilingName, CornerName
from tests.features.nca import oracle

CEILINGS: tuple[CeilingName, ...] = get_args(CeilingName)
GRID = 5e-3
"""What the oracle's numerical integral of a clipped line can be wrong by."""

numbers = st.integers(-6, 6).map(float) | st.floats(-50, 50).map(lambda value: round(value, 2))
tables = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=12).filter(
    lambda cases: all(len({case[k] for case in cases}) > 1 for k in (0, 1))
)
ceilings = st.sampled_from(CEILINGS)
corners = st.sampled_from(CORNERS)


def _columns(cases: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.array(cases).T
    return x, y


def _box(cases: list[tuple[float, float]], wider: float = 0.0) -> tuple[float, ...]:
    x, y = _columns(cases)
    return (x.min() - wider, x.max() + wider, y.min() - wider, y.max() + wider)


def test_every_ceiling_is_in_one_table():
    assert sorted([*AREAS, *LINES]) == sorted(CEILINGS)


def _share(box: tuple[float, ...], height: Callable[[float], float], at: list[float]) -> float:
    """The oracle's area above a ceiling, as a share of the scope."""
    return oracle.area(box, height, at) / ((box[1] - box[0]) * (box[3] - box[2]))


@given(tables, st.sampled_from([0.0, 1.5]))
def test_staircase_is_the_area_above_the_best_so_far(cases, wider):
    box = _box(cases, wider)
    expected = _share(box, lambda at: oracle.staircase(cases, at), [x for x, _ in cases])
    assert effect_size(*_columns(cases), "ce_fdh", scope=box) == pytest.approx(expected, abs=1e-9)


@given(tables, st.sampled_from([0.0, 1.5]))
def test_hull_is_the_area_above_the_convex_hull(cases, wider):
    box = _box(cases, wider)
    peers = np.array(oracle.hull_peers(cases))

    def height(at: float) -> float:
        return -np.inf if at < peers[0, 0] else float(np.interp(at, *peers.T))

    expected = _share(box, height, list(peers[:, 0]))
    assert effect_size(*_columns(cases), "ce_vrs", scope=box) == pytest.approx(expected, abs=1e-6)


@given(tables, st.sampled_from(["cr_fdh", "cr_vrs"]))
def test_regressions_through_the_peers(cases, ceiling):
    chosen = oracle.staircase_peers if ceiling == "cr_fdh" else oracle.hull_peers
    peers, size = np.array(chosen(cases)), effect_size(*_columns(cases), ceiling)
    if len(peers) == 1:  # with the range as scope it is in the corner
        assert size == 0
        return
    slope, intercept = np.polyfit(*peers.T, 1)
    expected = _share(_box(cases), lambda at: intercept + slope * at, [])
    assert size == pytest.approx(expected, abs=GRID)


@given(tables)
def test_the_line_of_the_linear_program(cases):
    x, y = _columns(cases)
    slope = oracle.slope_above_all(cases)
    # a mean on a vertex of the hull has many solutions
    assume(np.abs(x - x.mean()).min() > 1e-6)
    found = unit_cases(x, y[None, :])
    unit_slope = slope * np.ptp(x) / np.ptp(y)
    line = LINES["c_lp"](found)
    if unit_slope <= 1e-9:
        assert line.slope[0] <= 1e-9
        assert effect_size(x, y, "c_lp") == 0
    else:
        assert line.slope[0] == pytest.approx(unit_slope, rel=1e-6)


@given(tables, ceilings, corners)
def test_effect_sizes_are_shares(cases, ceiling, corner):
    assert 0 <= effect_size(*_columns(cases), ceiling, corner) <= 1


@given(tables, ceilings, corners, st.floats(0.1, 20), st.floats(0.1, 20), st.floats(-1000, 1000))
def test_units_do_not_matter(cases, ceiling, corner, of_x, of_y, shift):
    x, y = _columns(cases)
    found = effect_size(x, y, ceiling, corner)
    moved = effect_size(of_x * x + shift, of_y * y - shift, ceiling, corner)
    assume(ceiling != "c_lp" or np.abs(x - x.mean()).min() > 1e-6)
    assert moved == pytest.approx(found, abs=1e-7)


@given(tables, ceilings, corners)
def test_a_case_in_the_corner_leaves_nothing_empty(cases, ceiling, corner):
    x, y = _columns(cases)
    at_x = x.max() if corner.endswith("right") else x.min()
    at_y = y.min() if corner.startswith("lower") else y.max()
    assert effect_size([*x, at_x], [*y, at_y], ceiling, corner) == 0


@given(tables, ceilings)
def test_corners_are_one_with_an_axis_turned_round(cases, ceiling):
    x, y = _columns(cases)
    # a case at the mean of x leaves the slope of the closest line above all open
    assume(ceiling != "c_lp" or np.abs(x - x.mean()).min() > 1e-6)
    upper_left = effect_size(x, y, ceiling, "upper_left")
    turned: dict[CornerName, tuple[np.ndarray, np.ndarray]] = {
        "upper_right": (-x, y),
        "lower_left": (x, -y),
        "lower_right": (-x, -y),
    }
    for corner, (a, b) in turned.items():
        assert effect_size(a, b, ceiling, corner) == pytest.approx(upper_left, abs=1e-9)
    box = (x.min() - 1, x.max() + 2, y.min() - 3, y.max() + 4)
    flipped = (-box[1], -box[0], -box[3], -box[2])
    wide = effect_size(x, y, ceiling, "upper_left", box)
    assert effect_size(-x, -y, ceiling, "lower_right", flipped) == pytest.approx(
        wide, abs=1e-9, nan_ok=True
    )


@given(tables)
def test_the_staircase_is_the_largest_of_the_envelopments(cases):
    x, y = _columns(cases)
    assert effect_size(x, y, "ce_vrs") <= effect_size(x, y, "ce_fdh") + 1e-12


@given(st.lists(tables, min_size=1, max_size=3), ceilings)
def test_many_sets_at_once_are_each_alone(several, ceiling):
    size = min(len(cases) for cases in several)
    x = np.array([case[0] for case in several[0]][:size])
    y = np.array([[case[1] for case in cases][:size] for cases in several])
    assume(np.ptp(x) > 0)
    assume((np.ptp(y, axis=1) > 0).all())
    together = effect_sizes(x, y, ceiling)
    alone = [effect_size(x, row, ceiling) for row in y]
    np.testing.assert_allclose(together, alone, atol=1e-12)


def test_a_perfect_step_is_a_full_effect():
    # all of the outcome comes with the whole condition only
    assert effect_size([0, 1], [0, 1], "ce_fdh") == 1
    assert effect_size([0, 1], [0, 1], "ce_vrs") == 0.5


def test_duplicate_peers_count_once_or_each():
    x = np.array([0.0, 0.0, 0.0, 1.0, 2.0])
    y = np.array([1.0, 1.0, 0.0, 3.0, 4.0])
    cases = unit_cases(x, y[None, :])
    keep = cases._replace(duplicate_peers="keep")
    for found, peers in ((cases, [0, 1, 2]), (keep, [0, 0, 1, 2])):
        slope, intercept = np.polyfit(np.array([0, 0.5, 1])[peers], np.array([1, 3, 4])[peers], 1)
        line = LINES["cr_fdh"](found)
        assert line.slope[0] == pytest.approx(slope / 4)
        assert line.intercept[0] == pytest.approx(intercept / 4)
    assert areas(cases, "cr_fdh")[0] != pytest.approx(areas(keep, "cr_fdh")[0])


def test_of_collinear_peers_the_hull_keeps_the_ends():
    x = np.array([0.0, 0.1, 0.2, 0.3, 1.0])
    cases = unit_cases(x, np.array([[0.0, 0.3, 0.6, 0.9, 1.0]]))
    assert hull_of(cases.peers)[0].tolist() == [True, False, False, True, True]


def test_one_peer_makes_no_line():
    # the case that is highest has the least condition too, but the scope goes beyond it
    assert np.isnan(effect_size([1, 2], [3, 1], "cr_fdh", scope=(0, 3, 0, 4)))
    assert effect_size([1, 2], [3, 1], "ce_fdh", scope=(0, 3, 0, 4)) == pytest.approx(
        (1 * 4 + 2 * 1) / 12
    )


KNOWN_CORNERS = "upper_left, upper_right, lower_left, lower_right"
KNOWN = "ce_fdh, cr_fdh, ce_vrs, cr_vrs, cols, c_lp"
SMALL = (1.5, 2, 1, 2)


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        ([1, 1], [1, 2], {}, "the scope has no area: x or y does not vary"),
        ([1, 2], [1, 1], {}, "the scope has no area: x or y does not vary"),
        ([1, 2], [1, np.nan], {}, "x and y must be finite"),
        ([1, 2, 3], [1, 2], {}, "x (3,) and y (1, 2) are not of the same cases"),
        (
            [1, 2],
            [1, 2],
            {"corner": "upper"},
            f"no corner is called 'upper'; known: {KNOWN_CORNERS}",
        ),
        ([1, 2], [1, 2], {"scope": SMALL}, "the scope (1.5, 2, 1, 2) does not hold all cases"),
        ([1, 2], [1, 2], {"ceiling": "ce_fhd"}, f"no ceiling is called 'ce_fhd'; known: {KNOWN}"),
    ],
)
def test_what_has_no_effect_size(x, y, options, message):
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        effect_size(x, y, **options)
    assert str(raised.value) == message
