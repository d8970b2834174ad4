from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from bayescluster.features.causes.probabilities import (
    ArmsError,
    Experimental,
    Observed,
    combined,
    consistent,
    contradictions,
    exogenous,
    harm,
    monotonic_synergy,
    points,
    synergy,
)

PROBABILITY = st.one_of(st.sampled_from([0.0, 1.0, 1e-300, 0.5]), st.floats(0, 1))


def extremes(wanted, rows, values) -> tuple[float, float]:
    """Least and largest value of a linear function of the shares of response types."""
    found = []
    for sign in (1, -1):
        solved = linprog(sign * np.asarray(wanted), A_eq=rows, b_eq=values, bounds=(0, 1))
        assert solved.status == 0, solved.message
        found.append(sign * solved.fun)
    return found[0], found[1]


# published numbers ------------------------------------------------------------------------------


def test_leukemia_and_radiation():
    # Tian and Pearl (2000): deaths and survivors of exposed and of unexposed children
    found = points(30 / (30 + 69130), 16 / (16 + 59010))
    assert found.pn == pytest.approx(0.3751002, abs=5e-8)
    assert found.ps == pytest.approx(1.627539e-4, abs=5e-11)
    assert found.pns == pytest.approx(1.627098e-4, abs=5e-11)


def arms(treated, control, takers, others):
    """Arms from probabilities, and (outcome, all) of those who take and those who do not."""
    total = takers[1] + others[1]
    cells = (takers[0], takers[1] - takers[0], others[0], others[1] - others[0])
    return Experimental(treated, control), Observed(*(cell / total for cell in cells))


@pytest.mark.parametrize(
    ("experiment", "seen", "pns", "pn", "ps", "hurt"),
    [
        (*arms(0.49, 0.21, (980, 1400), (420, 600)), (0.49, 0.49), (1, 1), (0, 0), (0.21, 0.21)),
        (*arms(0.489, 0.210, (378, 1400), (420, 600)), (0.279, 0.279), None, None, (0, 0)),
        (
            *arms(16 / 1000, 14 / 1000, (2, 1000), (28, 1000)),
            (0.002, 0.016),
            (1, 1),
            (0.0020576, 0.0308642),
            None,
        ),
    ],
    ids=["recovery", "recovery of the other sex", "drug"],
)
def test_published_bounds_of_both_arms(experiment, seen, pns, pn, ps, hurt):
    found = combined(experiment, seen)
    asked = ((found.pns, pns), (found.pn, pn), (found.ps, ps), (harm(experiment, found.pns), hurt))
    for got, wanted in asked:
        if wanted is not None:
            assert (float(got.lower), float(got.upper)) == pytest.approx(wanted, abs=5e-8)


# linear programs --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_bounds_of_both_arms_are_sharp(seed):
    # shares of the eight kinds of units: exposed or not, outcome with exposure, without it
    rng = np.random.default_rng(seed)
    kinds = np.array(list(product((1, 0), (1, 0), (1, 0))))
    truth = rng.dirichlet(np.full(8, 0.4))
    x, y1, y0 = kinds.T
    y = np.where(x == 1, y1, y0)
    cells = [(x == a) & (y == b) for a, b in ((1, 1), (1, 0), (0, 1), (0, 0))]
    rows = np.array([y1, y0, *cells], float)
    values = rows @ truth
    found = combined(Experimental(values[0], values[1]), Observed(*values[2:]))
    caused = (y1 == 1) & (y0 == 0)
    pns = extremes(caused, rows, values)
    pn = np.array(extremes(caused & (x == 1), rows, values)) / values[2]
    ps = np.array(extremes(caused & (x == 0), rows, values)) / values[5]
    for bounds, wanted in ((found.pns, pns), (found.pn, pn), (found.ps, ps)):
        assert (float(bounds.lower), float(bounds.upper)) == pytest.approx(tuple(wanted), abs=1e-7)


@pytest.mark.parametrize("seed", range(25))
def test_bounds_under_exogeneity_are_sharp(seed):
    rng = np.random.default_rng(seed)
    kinds = np.array(list(product((1, 0), (1, 0))))
    y1, y0 = kinds.T
    values = np.array([1.0, *rng.uniform(0.02, 0.98, 2)])
    rows = np.array([np.ones(4), y1, y0], float)
    low, high = extremes((y1 == 1) & (y0 == 0), rows, values)
    found = exogenous(values[1], values[2])
    for bounds, of in ((found.pns, 1.0), (found.pn, values[1]), (found.ps, 1 - values[2])):
        assert (float(bounds.lower), float(bounds.upper)) == pytest.approx(
            (low / of, high / of), abs=1e-7
        )


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("monotonic", [False, True])
def test_bounds_of_synergy_are_sharp(seed, monotonic):
    # sixteen kinds of firms, by their outcome with both, the first, the second, neither
    rng = np.random.default_rng(seed)
    kinds = np.array(list(product((1, 0), repeat=4)))
    if monotonic:
        both, first, second, neither = kinds.T
        kinds = kinds[(both >= first) & (both >= second) & (neither <= first) & (neither <= second)]
    values = np.array([1.0, *(rng.dirichlet(np.ones(len(kinds))) @ kinds)])
    rows = np.array([np.ones(len(kinds)), *kinds.T], float)
    wanted = extremes((kinds[:, :3] == (1, 0, 0)).all(axis=1), rows, values)
    found = monotonic_synergy(*values[1:]) if monotonic else synergy(*values[1:4])
    assert (float(found.lower), float(found.upper)) == pytest.approx(wanted, abs=1e-7)


# edges ------------------------------------------------------------------------------------------


@given(PROBABILITY, PROBABILITY)
def test_bounds_stay_within_zero_and_one(exposed, unexposed):
    found = exogenous(exposed, unexposed)
    for bounds in found:
        assert 0 <= bounds.lower <= bounds.upper <= 1
    point = points(exposed, unexposed)
    if exposed >= unexposed:
        for value, bounds in zip(point, found, strict=True):
            if np.isfinite(value):
                assert value == pytest.approx(float(bounds.lower), abs=1e-12)
    for bounds in (synergy(exposed, unexposed, 0.0), monotonic_synergy(1.0, exposed, 0.0, 0.0)):
        assert 0 <= bounds.lower <= bounds.upper <= 1


def test_nothing_is_asked_of_outcomes_that_never_come_or_always():
    never = exogenous(0.0, [0.0, 1.0])
    np.testing.assert_array_equal(never.pn.lower, [0, 0])
    np.testing.assert_array_equal(never.pn.upper, [1, 1])
    always = exogenous([0.0, 1.0], 1.0)
    np.testing.assert_array_equal(always.ps.lower, [0, 0])
    np.testing.assert_array_equal(always.ps.upper, [1, 1])
    assert np.isnan(points(0.0, 0.0).pn)
    assert np.isnan(points(1.0, 1.0).ps)


@given(st.lists(st.floats(0, 1), min_size=8, max_size=8))
def test_bounds_of_both_arms_stay_within_zero_and_one(shares):
    total = sum(shares)
    truth = np.array(shares) / total if total > 1e-200 else np.full(8, 1 / 8)
    kinds = np.array(list(product((1, 0), (1, 0), (1, 0))))
    x, y1, y0 = kinds.T
    y = np.where(x == 1, y1, y0)
    cells = [((x == a) & (y == b)) @ truth for a, b in ((1, 1), (1, 0), (0, 1), (0, 0))]
    found = combined(Experimental(y1 @ truth, y0 @ truth), Observed(*cells))
    true = truth @ ((y1 == 1) & (y0 == 0))
    assert found.pns.lower - 1e-9 <= true <= found.pns.upper + 1e-9
    for bounds in found:
        assert 0 <= bounds.lower <= bounds.upper <= 1


# arms that contradict each other ----------------------------------------------------------------


def test_arms_that_contradict_each_other():
    experiment, seen = Experimental(0.10, 0.95), Observed(0.30, 0.20, 0.30, 0.20)
    assert contradictions(experiment, seen) == tuple(
        f"the outcome under {name} has probability {share} in the experiment, but the observations "
        "allow 0.3 to 0.8"
        for name, share in (("treatment", 0.1), ("control", 0.95))
    )
    with pytest.raises(ArmsError) as raised:
        combined(experiment, seen)
    assert str(raised.value) == "; ".join(contradictions(experiment, seen))
    many = Experimental(np.array([0.5, 0.1]), np.array([0.5, 0.5]))
    np.testing.assert_array_equal(consistent(many, seen), [True, False])
    with pytest.raises(ArmsError, match="^the experiment contradicts the observations$"):
        combined(many, seen)
    assert contradictions(Experimental(0.3, 0.8), seen) == ()
