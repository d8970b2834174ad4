from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayescluster.features.causes.probabilities import (
    STRENGTHS,
    bounding_factor,
    e_value,
    e_value_of_limit,
    factor_to_reach,
    factor_to_undo,
    over_grid,
)


def test_published_e_values():
    # VanderWeele and Ding (2017): risk ratio 3.9 with interval 1.8 to 8.7
    assert e_value(3.9) == pytest.approx(7.26, abs=0.005)
    assert e_value_of_limit(1.8, 8.7) == pytest.approx(3.0, abs=0.005)
    assert e_value(1 / 3.9) == pytest.approx(e_value(3.9))
    assert e_value_of_limit(1 / 8.7, 1 / 1.8) == pytest.approx(3.0, abs=0.005)
    assert e_value_of_limit(0.9, 1.2) == 1.0
    assert e_value(1.0) == 1.0
    assert math.isinf(e_value(0.0))
    assert math.isinf(e_value(math.inf))


@given(st.floats(1, 1000))
def test_a_confounder_of_that_strength_just_explains_it(ratio):
    strength = e_value(ratio)
    assert bounding_factor(strength, strength) == pytest.approx(ratio)


@pytest.mark.parametrize("seed", range(20))
def test_no_confounder_biases_a_ratio_by_more(seed):
    """A made confounder, and firms at the two levels compared."""
    rng = np.random.default_rng(seed)
    frequency = rng.dirichlet(np.ones(3), 2)  # (level, kind of firm)
    outcome = rng.uniform(0.02, 0.98, (2, 3))
    share = rng.uniform(0.05, 0.95)
    seen = (frequency * outcome).sum(axis=1)
    overall = share * frequency[0] + (1 - share) * frequency[1]
    true = outcome @ overall
    for first, second in ((True, True), (False, False), (True, False)):
        # probability of the outcome, or of its absence, on each side
        of = [
            values if yes else 1 - values
            for yes, values in zip((first, second), outcome, strict=True)
        ]
        strong = max((side.max() / side.min()) for side in of)
        factors = [
            float(bounding_factor(strong, (a / b).max())) for a, b in (frequency, frequency[::-1])
        ]
        apart = [p if yes else 1 - p for yes, p in zip((first, second), seen, strict=True)]
        real = [p if yes else 1 - p for yes, p in zip((first, second), true, strict=True)]
        off = (apart[0] / apart[1]) / (real[0] / real[1])
        assert 1 / max(factors) - 1e-12 <= off <= max(factors) + 1e-12


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("size", [20, 101, 1000])
def test_the_factor_that_undoes_a_verdict_is_where_it_changes(level, size):
    ratios = np.random.default_rng(3).lognormal(-2, 0.2, size)
    factor = factor_to_undo(ratios, 0.5, level)
    assert factor > 1
    assert (ratios * factor * (1 - 1e-9) <= 0.5).mean() >= level - 1e-12
    assert (ratios * factor * (1 + 1e-9) <= 0.5).mean() < level
    reached = factor_to_reach(ratios, 0.01, level)
    assert reached > 1
    assert (ratios / reached / (1 - 1e-9) <= 0.01).mean() <= 1 - level + 1e-12
    assert (ratios / reached / (1 + 1e-9) <= 0.01).mean() > 1 - level


def test_ratios_without_end():
    assert math.isinf(factor_to_undo(np.zeros(10), 0.5, 0.95))
    assert factor_to_undo(np.full(10, np.inf), 0.5, 0.95) == 0
    assert math.isinf(factor_to_reach(np.full(10, np.inf), 0.5, 0.95))


def test_the_grid_counts_draws_under_each_confounder():
    ratios = np.random.default_rng(4).lognormal(-1, 1, 500)
    for against in (True, False):
        found = np.array(over_grid(ratios, 0.6, against=against))
        assert found.shape == (len(STRENGTHS),) * 2
        for i, j in ((0, 0), (3, 8), (12, 12), (12, 0)):
            u, e = STRENGTHS[i], STRENGTHS[j]
            factor = u * e / (u + e - 1)
            moved = ratios * factor if against else ratios / factor
            assert found[i, j] == (moved <= 0.6).mean()
        assert (np.diff(found, axis=0) * (-1 if against else 1) >= 0).all()
