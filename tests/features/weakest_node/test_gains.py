from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from bayescluster.features.weakest_node.gains import (
    POINTS,
    gain_draws,
    mean_along,
    raising_of,
    reach_of,
    supported_levels,
)
from bayescluster.features.weakest_node.spec import WeakestNode
from tests.draws import known_draws
from tests.factories import firms, small_design

BINARY: dict[str, Any] = {"human_capital": {"indicators": ["exporter"], "method": "single"}}


def gaussian(**keys: Any):
    """Means are sums by hand: intercept, two slopes and a product, nothing varying."""
    return small_design("gaussian", "interaction", **keys)


def by_hand(design, draws, asked, label: str, *, human: bool, social: bool):
    """Gain of one industry, firm by firm and draw by draw, ``(draw,)``."""
    p = draws.population
    member = next(k for k, name in enumerate(design.group_labels("industry")) if name == label)
    rows = np.flatnonzero(design.index("industry") == member)
    caps = [np.quantile(values[rows], asked.support) for values in design.capitals]
    total = np.zeros(draws.size)
    for row in rows:
        at = [values[row] for values in design.capitals]
        to = list(at)
        for k, (raised, step) in enumerate(zip((human, social), (0.7, 1.2), strict=True)):
            if raised:
                to[k] = max(at[k], min(at[k] + step, caps[k]))
        expected = [
            p["human_capital"] * h + p["social_capital"] * s + p["interaction"] * h * s
            for h, s in (at, to)
        ]
        total += expected[1] - expected[0]
    return total / rows.size


def test_gains_are_those_of_the_firms_one_by_one():
    design = gaussian()
    asked = WeakestNode(steps={"human_capital": 0.7, "social_capital": 1.2}, support=0.8)
    draws = known_draws(design, human_capital=0.5, social_capital=-0.2, interaction=0.3)
    raisings = [raising_of(design, draws, asked, by) for by in ("industry", "cluster")]
    industry, cluster = gain_draws(design, draws, raisings)
    assert industry.shape == (8, 3, 2)
    assert cluster.shape == (8, 3, 6)
    for g, label in enumerate(design.group_labels("industry")):
        for option, (human, social) in enumerate(((True, False), (False, True), (True, True))):
            wanted = by_hand(design, draws, asked, label, human=human, social=social)
            np.testing.assert_allclose(industry[:, option, g], wanted, rtol=1e-12)


def test_no_firm_is_raised_above_the_cap_nor_lowered_to_it():
    design = gaussian()
    asked = WeakestNode(support=0.6)
    draws = known_draws(design)
    one = raising_of(design, draws, asked, "industry")
    human = design.capitals[0]
    for g, member in enumerate(one.groups.members.T):
        assert one.caps[0][g] == pytest.approx(np.quantile(human[member], 0.6))
    reach = reach_of(design, one)
    for g, member in enumerate(one.groups.members.T):
        cap = one.caps[0][g]
        own = human[member]
        assert reach.fully[0, g] == pytest.approx((own + 1.0 <= cap).mean())
        assert reach.none[0, g] == pytest.approx((own >= cap).mean())
        assert reach.raised[0, g] == (own < cap).sum()
        assert reach.taken[0, g] == pytest.approx(np.clip(cap - own, 0, 1).mean())
        np.testing.assert_allclose(reach.fully[:, g] + reach.partly[:, g] + reach.none[:, g], 1.0)
        # both are raised as far as either goes
        assert reach.raised[2, g] >= max(reach.raised[0, g], reach.raised[1, g])


def test_a_step_in_original_units():
    design = gaussian()
    draws = known_draws(design)
    asked = WeakestNode(unit="original", steps={"human_capital": 2.0, "social_capital": 5.0})
    found = raising_of(design, draws, asked, "all")
    scales = [design.scaling(name).scale for name in ("human_capital", "social_capital")]
    assert found.steps == pytest.approx((2.0 / scales[0], 5.0 / scales[1]))


def test_a_yes_or_no_capital_goes_from_no_to_yes():
    design = small_design("bernoulli", "interaction", constructs=BINARY)
    draws = known_draws(design, human_capital=0.8, interaction=0.4)
    asked = WeakestNode(steps={"human_capital": 3.0}, support=0.6)
    one = raising_of(design, draws, asked, "all")
    assert one.steps[0] == 1.0
    (gains,) = gain_draws(design, draws, [one])
    human, social = design.capitals
    p = {name: values[:, None] for name, values in draws.population.items()}

    def mean(level):
        eta = p["intercept"] + p["human_capital"] * level + p["social_capital"] * social
        return expit(eta + p["interaction"] * level * social).mean(axis=1)

    wanted = mean(np.full(design.size, human.max())) - mean(human)
    np.testing.assert_allclose(gains[:, 0, 0], wanted, rtol=1e-12)
    reach = reach_of(design, one)
    assert reach.fully[0, 0] == pytest.approx((human < 0).mean())
    assert reach.partly[0, 0] == pytest.approx(0.0)


def test_where_nobody_has_it_nobody_can_be_raised():
    frame = firms()
    frame.loc[frame["industry"] == "I0", "exporter"] = 0
    design = small_design("bernoulli", "interaction", constructs=BINARY, frame=frame)
    draws = known_draws(design)
    one = raising_of(design, draws, WeakestNode(), "industry")
    (gains,) = gain_draws(design, draws, [one])
    reach = reach_of(design, one)
    assert (reach.raised[0, 0], reach.near[0, 0]) == (0, 0.0)
    np.testing.assert_array_equal(gains[:, 0, 0], 0.0)
    assert reach.raised[0, 1] > 0


def test_latent_capitals_are_raised_from_where_each_draw_has_them():
    design = gaussian()
    rng = np.random.default_rng(4)
    draws = known_draws(design, size=40)
    where = tuple(values + 0.3 * rng.normal(size=(40, design.size)) for values in design.capitals)
    draws = replace(draws, capitals=where)
    asked = WeakestNode(support=0.9)
    one = raising_of(design, draws, asked, "all")
    cap = np.quantile(where[0], 0.9)
    assert one.caps[0][0] == pytest.approx(cap)
    (gains,) = gain_draws(design, draws, [one])
    h, s = where
    up = np.maximum(h, np.minimum(h + 1.0, cap)) - h
    slope = (
        draws.population["human_capital"][:, None] + draws.population["interaction"][:, None] * s
    )
    np.testing.assert_allclose(gains[:, 0, 0], (slope * up).mean(axis=1), rtol=1e-10)


def test_neighbours_are_other_firms_near_on_both_capitals():
    frame = firms()
    rng = np.random.default_rng(2)
    half = np.arange(len(frame)) < 24
    # two crowds: raised by two sd on human capital alone, the lower one gets where nobody is
    frame["training"] = np.where(half, 0.0, 10.0) + rng.normal(size=len(frame)) * 0.01
    frame["trust"] = np.where(half, 0.0, 10.0) + rng.normal(size=len(frame)) * 0.01
    design = gaussian(frame=frame)
    asked = WeakestNode(steps={"human_capital": 1.98, "social_capital": 1.98}, support=1.0)
    reach = reach_of(design, raising_of(design, known_draws(design), asked, "all"))
    assert reach.near[0, 0] < 0.5
    assert reach.near[2, 0] == 1.0  # both together: into the other crowd


def test_levels_run_over_what_the_group_supports_and_means_are_those_of_the_surface():
    design = gaussian()
    draws = known_draws(design)
    one = raising_of(design, draws, WeakestNode(support=0.9), "industry")
    levels = supported_levels(design, one, 0.9)
    human, social = design.capitals
    assert levels[0].shape == (POINTS, 2)
    for g, member in enumerate(one.groups.members.T):
        assert levels[0][[0, -1], g] == pytest.approx(np.quantile(human[member], [0.1, 0.9]))
    means, _ = mean_along(design, draws, one, levels)
    member = one.groups.members[:, 1]
    p = draws.population
    at = levels[0][3, 1]
    s = social[member].mean()
    wanted = (
        p["intercept"] + p["human_capital"] * at + (p["social_capital"] + p["interaction"] * at) * s
    )
    np.testing.assert_allclose(means[:, 3, 1], wanted, rtol=1e-10)
