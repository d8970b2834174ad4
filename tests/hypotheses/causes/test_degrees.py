from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayescluster.features.causes.probabilities import degrees

ONE = np.ones((1, 1))


def test_published_degrees():
    # Gleiss and Schemper (2019): a binary cause, by counts
    n00, n01, n10, n11 = 8120, 36, 4331, 177
    p = np.array([[n01 / (n00 + n01), n11 / (n10 + n11)]])
    weights = np.array([[n00 + n01], [n10 + n11]]) / (n00 + n01 + n10 + n11)
    found = degrees(p, weights)
    assert found.necessity[0, 0] == pytest.approx(0.7375681257727829, abs=1e-12)
    assert found.sufficiency[0, 0] == pytest.approx(0.02282815540200639, abs=1e-12)


def test_degrees_by_group_are_means_over_the_firms_below_and_above():
    rng = np.random.default_rng(2)
    p, weights = rng.random((5, 30)), rng.random((30, 3)) * (rng.random((30, 3)) < 0.7)
    weights /= weights.sum(axis=0)
    found = degrees(p, weights)
    for draw in range(5):
        for group in range(3):
            mean = np.average(p[draw], weights=weights[:, group])
            low, high = p[draw] < mean, p[draw] > mean
            need = np.average((mean - p[draw, low]) / mean, weights=weights[low, group])
            enough = np.average((p[draw, high] - mean) / (1 - mean), weights=weights[high, group])
            assert found.necessity[draw, group] == pytest.approx(need)
            assert found.sufficiency[draw, group] == pytest.approx(enough)


@given(st.lists(st.sampled_from([0.0, 1.0, 0.1, 0.3, 1e-300, 0.999999]), min_size=1, max_size=6))
def test_degrees_stay_within_zero_and_one(values):
    p = np.array([values])
    found = degrees(p, np.full((len(values), 1), 1 / len(values)))
    for degree in found:
        assert 0 <= degree[0, 0] <= 1 + 1e-12
    if len(set(values)) == 1:
        assert found.necessity[0, 0] == pytest.approx(0, abs=1e-12)


def test_extremes():
    # outcomes that come to one half always, to the other never
    found = degrees(np.array([[0.0, 0.0, 1.0, 1.0]]), np.full((4, 1), 0.25))
    assert found == (ONE, ONE)
    for p in (0.0, 1.0, 0.4):
        alone = degrees(np.array([[p]]), ONE)
        assert alone == (0 * ONE, 0 * ONE)
    # weights that sum to 1 but for their last digits
    near = degrees(np.ones((1, 3)), np.full((3, 1), (1 - 3e-16) / 3))
    assert near == (0 * ONE, 0 * ONE)
    empty = degrees(np.array([[0.2, 0.4]]), np.zeros((2, 1)))
    assert np.isnan(empty).all()
