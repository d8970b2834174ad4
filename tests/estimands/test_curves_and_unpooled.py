from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.optimize
import statsmodels.api as sm

from bayescluster.estimands import approximation as unpooled
from bayescluster.estimands.approximation import unpooled_effects
from bayescluster.estimands.effects import Setting, conditional_effects, outcome_surface, surfaces
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.scopes import groups_of
from bayescluster.families import FAMILIES
from tests.draws import known_draws
from tests.factories import firms, small_design

COEFFICIENTS = {"human_capital": 0.8, "social_capital": 0.5, "interaction": 0.6}


@pytest.fixture(scope="module")
def fitted():
    design = small_design("bernoulli", "interaction", {"industry": ["intercept"]}, frame=firms(120))
    return design, known_draws(design, 40, **COEFFICIENTS), groups_of(design, "industry")


def test_effect_of_one_capital_across_the_other(fitted):
    design, draws, groups = fitted
    levels = default_levels(design)
    curves = conditional_effects(design, draws, levels, groups)
    assert [(curve.capital, curve.group) for curve in curves] == [
        ("human_capital", "I0"),
        ("human_capital", "I1"),
        ("social_capital", "I0"),
        ("social_capital", "I1"),
    ]
    for position, curve in ((0, curves[1]), (1, curves[3])):
        own, other = (levels.human, levels.social)[position], design.capitals[1 - position]
        members = groups.members[:, 1]
        assert curve.at[0] == pytest.approx(np.quantile(other[members], 0.02))
        assert curve.at[-1] == pytest.approx(np.quantile(other[members], 0.98))
        for k in (0, 4, 8):
            pair = [(level, curve.at[k])[:: 1 - 2 * position] for level in own]
            mean = outcome_surface(
                design, draws, [Setting(*each) for each in pair], groups.weights
            )[:, :, 1]
            effect = mean[:, 1] - mean[:, 0]
            assert curve.mean[k] == pytest.approx(effect.mean())
            assert (curve.low[k], curve.high[k]) == pytest.approx(
                tuple(np.quantile(effect, [0.05, 0.95]))
            )


def test_surfaces_of_each_group(fitted):
    design, draws, groups = fitted
    found = list(surfaces(design, draws, groups, np.random.default_rng(1)))
    assert [surface.group for surface in found] == ["I0", "I1"]
    one = found[1]
    setting = Setting(one.human[2], one.social[7])
    mean = outcome_surface(design, draws, [setting], groups.weights)[:, 0, 1].mean()
    assert one.mean[2][7] == pytest.approx(mean)
    assert (one.points_shown, one.points_total) == (60, 60)
    members = np.flatnonzero(groups.members[:, 1])
    rows = zip(
        *(v[members].round(4) for v in design.capitals), design.outcome[members], strict=True
    )
    assert one.points == tuple(rows)


def test_an_industry_alone_is_its_own_regression():
    """A normal outcome under wide priors: least squares on the industry's rows."""
    wide = {"distribution": "normal", "sd": 1e4}
    terms = ("intercept", "human_capital", "social_capital")
    design = small_design(
        "gaussian",
        "additive",
        {"industry": ["intercept"]},
        priors={"terms": dict.fromkeys(terms, wide)},
        frame=firms(160),
    )
    groups = groups_of(design, "industry")
    found = unpooled_effects(design, default_levels(design), groups, np.random.default_rng(1))
    for k, label in enumerate(groups.labels):
        rows = groups.members[:, k]
        x = sm.add_constant(np.column_stack([values[rows] for values in design.capitals]))
        wanted = sm.OLS(design.outcome[rows], x).fit()
        draws = found[label]["human_capital", "average_marginal_effect"]
        error = wanted.bse[1] / np.sqrt(unpooled.DRAWS)
        assert abs(draws.mean() - wanted.params[1]) < 5 * error
        assert draws.std() == pytest.approx(wanted.bse[1], rel=0.15)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_be_fitted_alone(family):
    design = small_design(family, "interaction", {"industry": ["intercept"]}, frame=firms(160))
    groups = groups_of(design, "industry")
    levels = default_levels(design)
    found = unpooled_effects(design, levels, groups, np.random.default_rng(1))
    assert set(found) == {"I0", "I1"}
    for effects in found.values():
        assert len(effects) == 4
        assert all(np.isfinite(draws).all() and draws.std() > 0 for draws in effects.values())
    # the firms were made with a positive effect of human capital
    assert found["I0"]["human_capital", "average_marginal_effect"].mean() > 0


def test_small_groups_are_not_fitted():
    design = small_design("bernoulli", "additive", frame=firms(48))
    groups = groups_of(design, "cluster")
    assert unpooled_effects(design, default_levels(design), groups, np.random.default_rng(1)) == {}


def test_nothing_is_fitted_alone_where_firms_repeat():
    frame = firms(160)
    groups_and_found = []
    for column in ("firm", "panel"):
        design = small_design("bernoulli", "additive", data={"firm": column}, frame=frame)
        groups, levels = groups_of(design, "industry"), default_levels(design)
        found = unpooled_effects(design, levels, groups, np.random.default_rng(1))
        groups_and_found.append(set(found))
    assert groups_and_found == [{"I0", "I1"}, set()]


@pytest.mark.parametrize(("share", "labels"), [(0.9, {"I0", "I1"}), (1.1, set())])
def test_a_mode_that_was_not_reached_is_not_used(share, labels, monkeypatch):
    design = small_design("bernoulli", "additive", frame=firms(160))
    reached = scipy.optimize.minimize

    def stopped(*arguments: Any, **keys: Any) -> Any:
        found = reached(*arguments, **keys)
        # 80 rows in each industry
        found.jac = np.zeros_like(found.jac)
        found.jac[1] = -share * unpooled.UNPOOLED_STATIONARY * 80
        return found

    monkeypatch.setattr(scipy.optimize, "minimize", stopped)
    groups, levels = groups_of(design, "industry"), default_levels(design)
    found = unpooled_effects(design, levels, groups, np.random.default_rng(1))
    assert set(found) == labels


SCALES: list[tuple[dict[str, Any], Any]] = [
    ({"family": "bernoulli"}, lambda frame: frame["upgraded"]),
    ({"family": "gaussian"}, lambda frame: frame["growth"]),
    ({"family": "binomial"}, lambda frame: frame["successes"] / frame["attempts"]),
    ({"family": "poisson"}, lambda frame: frame["patents"]),
    (
        {"family": "poisson", "exposure": "exposure"},
        lambda frame: frame["patents"] / frame["exposure"],
    ),
    ({"family": "ordinal"}, lambda frame: frame["grade"]),
    ({"family": "ordinal", "at_least": 2}, lambda frame: frame["grade"] >= 2),
    ({"family": "gaussian", "at_least": 9.5}, lambda frame: frame["growth"] >= 9.5),
    (
        {"family": "binomial", "at_least": 0.5},
        lambda frame: frame["successes"] >= 0.5 * frame["attempts"],
    ),
    (
        {"family": "poisson", "exposure": "exposure", "at_least": 1},
        lambda frame: frame["patents"] >= frame["exposure"],
    ),
]


@pytest.mark.parametrize(("keys", "wanted"), SCALES)
def test_points_are_on_the_scale_of_the_expectation(keys, wanted):
    design, frame = small_design(structure="additive", **keys), firms()
    np.testing.assert_allclose(design.reported, wanted(frame).astype(float))
    (found,) = surfaces(
        design, known_draws(design, 4), groups_of(design, "all"), np.random.default_rng(1)
    )
    shown = [point[2] for point in found.points]
    np.testing.assert_allclose(shown, wanted(frame).astype(float))
