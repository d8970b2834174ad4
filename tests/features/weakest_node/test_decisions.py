from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linprog

from bayescluster.features.weakest_node.compute import (
    best_plan,
    expected_losses,
    plan_gains,
    rank_probabilities,
    unsupported_because,
    weakest_of,
)
from bayescluster.verdicts.decide import GATE_FAILED

LARGER = "of the posterior has the larger gain with"
WORTH = arrays(float, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=st.floats(-5, 5))


@given(WORTH)
def test_losses_by_going_through_the_draws(worth):
    found = expected_losses(worth)
    for option in range(worth.shape[1]):
        wanted = sum(max(draw) - draw[option] for draw in worth.tolist()) / len(worth)
        assert found[option] == pytest.approx(wanted, abs=1e-12)
    assert (found >= 0).all()
    # the value of knowing for certain: best choice in each draw, less the best choice in all
    known = np.mean([max(draw) for draw in worth.tolist()]) - worth.mean(axis=0).max()
    assert found.min() == pytest.approx(known, abs=1e-12)
    assert found[worth.mean(axis=0).argmax()] <= found.min() + 1e-12


@given(WORTH)
def test_ranks_are_a_double_distribution(worth):
    found = rank_probabilities(worth)
    np.testing.assert_allclose(found.sum(axis=0), 1.0)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    first = [int(np.argmax(draw)) for draw in worth]
    for option in range(worth.shape[1]):
        assert found[option, 0] == pytest.approx(first.count(option) / len(first))


def optimum(costs, gains, budget):
    """Largest expected gain by linear programming: shares of each group in each choice."""
    keep = np.isfinite(costs)
    bounds = [(0, 1) if one else (0, 0) for one in keep.ravel()]
    groups, choices = costs.shape
    one_each = np.kron(np.eye(groups), np.ones(choices))
    found = linprog(
        -np.nan_to_num(gains).ravel(),
        A_ub=np.nan_to_num(costs).reshape(1, -1),
        b_ub=[budget],
        A_eq=one_each,
        b_eq=np.ones(groups),
        bounds=bounds,
    )
    assert found.success
    return -found.fun


@pytest.mark.parametrize("seed", range(40))
def test_a_plan_gains_what_linear_programming_finds(seed):
    rng = np.random.default_rng(seed)
    groups = 4
    each = rng.uniform(0.5, 3.0, (groups, 2))
    costs = np.column_stack([np.zeros(groups), each, each.sum(axis=1)])
    gains = np.column_stack([np.zeros(groups), rng.normal(0.4, 1.0, (groups, 3))])
    costs[rng.random((groups, 4)) < 0.2] = np.nan
    costs[:, 0] = 0.0
    budget = float(rng.uniform(0.5, 12.0))
    plan = best_plan(costs, gains, budget)
    found = sum(m.share * (gains[m.group, m.after] - gains[m.group, m.before]) for m in plan)
    assert found == pytest.approx(optimum(costs, gains, budget), abs=1e-9)
    assert sum(m.spent for m in plan) <= budget + 1e-9
    rates = [m.rate for m in plan]
    assert rates == sorted(rates, reverse=True)
    assert all(m.share == 1.0 for m in plan[:-1])
    draws = np.stack([gains, 2 * gains])
    np.testing.assert_allclose(plan_gains(plan, draws).sum(axis=1), [found, 2 * found])


def test_of_firms_that_had_the_first_capital_the_second_adds_what_it_adds():
    # alone 3 and 2, together 4: substitutes
    plan = best_plan(np.array([[0.0, 1.0, 1.0, 2.0]]), np.array([[0.0, 3.0, 2.0, 4.0]]), 10.0)
    assert [(m.before, m.after, m.rate) for m in plan] == [(0, 1, 3.0), (1, 3, 1.0)]
    # together 9: complements, raised at once
    plan = best_plan(np.array([[0.0, 1.0, 1.0, 2.0]]), np.array([[0.0, 3.0, 2.0, 9.0]]), 1.0)
    assert [(m.before, m.after, m.share, m.spent) for m in plan] == [(0, 3, 0.5, 1.0)]


def test_nothing_is_spent_on_a_loss():
    assert best_plan(np.array([[0.0, 1.0]]), np.array([[0.0, -1.0]]), 5.0) == ()
    assert plan_gains((), np.zeros((3, 1, 2))).shape == (3, 0)


@pytest.mark.parametrize(
    ("human", "stopped", "weakest", "reason"),
    [
        (97, "", "human_capital", f"97.0% {LARGER} human capital, at least the 95% asked for."),
        (4, "", "social_capital", f"96.0% {LARGER} social capital, at least the 95% asked for."),
        (
            94,
            "",
            "undecided",
            f"94.0% {LARGER} human capital: neither capital has the 95% asked for.",
        ),
        (100, GATE_FAILED, "undecided", GATE_FAILED),
    ],
)
def test_the_weakest_node(human, stopped, weakest, reason):
    event = np.arange(100) < human
    assert weakest_of(event, ~event, 0.95, stopped) == (weakest, reason)


def test_equal_gains_name_neither():
    none = np.zeros(10, dtype=bool)
    assert weakest_of(none, none, 0.95, "")[0] == "undecided"


@given(arrays(bool, st.integers(1, 60)))
def test_only_one_capital_is_named(human):
    assume(human.any())
    named, _ = weakest_of(human, ~human, 0.8, "")
    share = human.mean()
    assert (named == "human_capital") == (share >= 0.8)
    assert (named == "social_capital") == (1 - share >= 0.8 - 1e-12)


@pytest.mark.parametrize(
    ("raised", "near", "reason"),
    [
        (0, 0.0, "no firm is below the most that its group supports"),
        (3, 1.0, "only 3 of its firms can be raised, fewer than 5"),
        (
            30,
            0.41,
            (
                "only 41% of the raised firms would have another firm of the group nearby: the gain would "
                "rest on extrapolation"
            ),
        ),
        (5, 0.5, ""),
    ],
)
def test_why_a_gain_goes_beyond_the_sample(raised, near, reason):
    assert unsupported_because(raised, near, 5) == reason
