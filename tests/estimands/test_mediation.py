"""Effects that act through other equations, against loops over firms, draws and combinations."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from bayescluster.estimands import effects
from bayescluster.estimands.effects import combinations, expected_outcome
from bayescluster.estimands.scopes import scoped
from tests.systems import equation, learners, system, system_draws

VARYING = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}
PRODUCT = {"product": ["exporter", "human_capital"]}
BINARY: dict[str, Any] = {
    "buyers": equation("buyers", varying=VARYING, controls=["exporter", PRODUCT]),
    "providers": equation("providers", family="probit", varying={"cluster": ["intercept"]}),
    "upgrading": equation(
        "upgraded",
        structure="interaction",
        predictors=["buyers", "providers"],
        controls=["exporter", PRODUCT],
        varying={"industry": ["intercept", "buyers"], "cluster": ["intercept"]},
    ),
}
CHAIN: dict[str, Any] = {
    "buyers": equation("buyers", varying=VARYING),
    "providers": equation("providers", predictors=["buyers"], varying=VARYING),
    "upgrading": equation("upgraded", predictors=["buyers", "providers"]),
}
LINEAR: dict[str, Any] = {
    "skill": equation("growth", family="gaussian", varying=VARYING),
    "buyers": equation("buyers"),
    "sales": equation("sales", family="gaussian", predictors=["skill", "buyers"]),
}
LOW, HIGH = (-1.1, 0.4), (1.2, 0.4)


def own_eta(design, draws, d: int, r: int, human: float, social: float, **entering: float):
    """Linear predictor of one row at one draw, coefficient by coefficient."""
    c = {name: values[d] for name, values in draws.population.items()}
    for name, group in draws.groups.items():
        for k, term in enumerate(group.terms):
            c[term] += group.effect[d, design.index(name)[r], k]
    eta = c["intercept"] + c["human_capital"] * human + c["social_capital"] * social
    eta += c.get("interaction", 0.0) * human * social
    owners = design.data["control_capital"].to_numpy()
    for k, owner in enumerate(owners):
        level = {"": 1.0, "human_capital": human, "social_capital": social}[owner]
        eta += draws.controls[d, k] * design.data["control_base"].to_numpy()[r, k] * level
    return eta + sum(c[name] * value for name, value in entering.items())


def looped(design, draws, own, through):
    """``E[Y(own, L(through))]`` of every row and draw by plain loops, for yes-or-no mediators."""
    names = [each.equation_name for each, _ in draws.upstream]
    through = through if isinstance(through, dict) else dict.fromkeys(names, through)
    out = np.zeros((draws.size, design.size))
    for d, r in product(range(draws.size), range(design.size)):
        for answers in product((0, 1), repeat=len(names)):
            given = dict(zip(names, answers, strict=True))
            chance = 1.0
            for each, part in draws.upstream:
                entering = {name: given[name] for name in each.equation.predictors}
                eta = own_eta(each, part, d, r, *through[each.equation_name], **entering)
                yes = norm.cdf(eta) if each.equation.family == "probit" else expit(eta)
                chance *= yes if given[each.equation_name] else 1 - yes
            entering = {name: given[name] for name in design.equation.predictors}
            entering |= {name: design.context(name)[r] for name in design.equation.contexts}
            out[d, r] += chance * expit(own_eta(design, draws, d, r, *own, **entering))
    return out


@pytest.mark.parametrize(
    "equations", [BINARY, CHAIN], ids=["beside each other", "one after the other"]
)
@pytest.mark.parametrize(("own", "through"), [(LOW, LOW), (HIGH, LOW), (HIGH, HIGH), (LOW, HIGH)])
def test_yes_or_no_mediators_by_hand(equations, own, through):
    design = system(equations)
    draws = system_draws(design, 3)
    found = expected_outcome(design, draws, own, through, np.arange(design.size))
    np.testing.assert_allclose(found, looped(design, draws, own, through), rtol=1e-12)


def test_what_surrounds_a_firm_stays_as_it_was_observed():
    beside = BINARY["upgrading"] | {"contextual": ["human_capital"]}
    design = system(BINARY | {"upgrading": beside})
    draws = system_draws(design, 3)
    found = expected_outcome(design, draws, HIGH, LOW, np.arange(design.size))
    np.testing.assert_allclose(found, looped(design, draws, HIGH, LOW), rtol=1e-12)


def test_through_one_mediator_alone():
    design = system(BINARY)
    draws = system_draws(design, 3)
    through = {"buyers": HIGH, "providers": LOW}
    found = expected_outcome(design, draws, HIGH, through, np.arange(design.size))
    np.testing.assert_allclose(found, looped(design, draws, HIGH, through), rtol=1e-12)
    alike = expected_outcome(design, draws, HIGH, LOW, np.arange(design.size))
    assert np.abs(found - alike).max() > 0.01


def test_a_form_that_is_not_linear_goes_through_mediators_too():
    equations = BINARY | {
        "upgrading": equation("upgraded", structure="conjunctive", predictors=["buyers"])
    }
    design = system(equations)
    draws = system_draws(design, 4)
    rows = np.arange(design.size)
    found = expected_outcome(design, draws, HIGH, LOW, rows)
    ((buyers, part),) = draws.upstream
    yes = effects.expectation(buyers, effects.predictor_at(buyers, part, LOW, rows), part)
    at = [
        effects.expectation(
            design,
            effects.predictor_at(design, draws, HIGH, rows, np.full((1, rows.size, 1), answer)),
            draws,
        )
        for answer in (0.0, 1.0)
    ]
    np.testing.assert_allclose(found, (1 - yes) * at[0] + yes * at[1], rtol=1e-12)


def test_some_rows_only():
    design = system(BINARY)
    draws = system_draws(design, 3)
    rows = np.array([3, 17, 40])
    whole = expected_outcome(design, draws, HIGH, LOW, np.arange(design.size))
    some = expected_outcome(design, draws.for_rows(rows), HIGH, LOW, rows)
    np.testing.assert_allclose(some, whole[:, rows], rtol=1e-12)


def test_combinations_are_a_distribution():
    design = system(CHAIN)
    draws = system_draws(design, 5)
    found = list(combinations(draws, HIGH, np.arange(design.size)))
    assert len(found) == 4
    np.testing.assert_allclose(sum(chance for chance, _ in found), 1.0, rtol=1e-12)


def test_linear_effects_are_products_of_coefficients():
    design = system(LINEAR)
    draws = system_draws(design, 6)
    rows = np.arange(design.size)
    mean = {
        (own, through): expected_outcome(design, draws, own, through, rows)
        for own in (LOW, HIGH)
        for through in (LOW, HIGH)
    }
    total = mean[HIGH, HIGH] - mean[LOW, LOW]
    direct = mean[HIGH, LOW] - mean[LOW, LOW]
    indirect = mean[HIGH, HIGH] - mean[HIGH, LOW]
    np.testing.assert_allclose(direct + indirect, total, rtol=1e-12)
    change = HIGH[0] - LOW[0]
    np.testing.assert_allclose(
        direct,
        np.broadcast_to(draws.population["human_capital"][:, None] * change, direct.shape),
        rtol=1e-9,
    )
    parts = {each.equation_name: (each, part) for each, part in draws.upstream}
    skill, part = parts["skill"]
    slope = (
        part.population["human_capital"][:, None]
        + part.groups["industry"].effect[:, skill.index("industry"), 1]
    )
    scale = skill.outcome.std(ddof=1)
    by_skill = slope * change / scale * draws.population["skill"][:, None]
    _, own = parts["buyers"]
    shares = [
        expit(
            own.population["intercept"]
            + own.population["human_capital"] * h
            + own.population["social_capital"] * s
        )
        for h, s in (LOW, HIGH)
    ]
    by_buyers = draws.population["buyers"] * (shares[1] - shares[0])
    np.testing.assert_allclose(indirect, by_skill + by_buyers[:, None], rtol=1e-9)


def test_what_is_drawn_agrees_with_what_is_enumerated(monkeypatch):
    design = system(BINARY, learners(480))
    draws = system_draws(design, 200)
    rows = np.arange(design.size)
    exact = expected_outcome(design, draws, HIGH, LOW, rows)
    monkeypatch.setattr(effects, "MOST_COMBINED", 0)
    drawn = expected_outcome(design, draws, HIGH, LOW, rows)
    error = (drawn - exact).ravel()
    assert np.abs(error).max() > 0.01
    assert abs(error.mean()) < 4.9 * error.std() / np.sqrt(error.size)


def test_counts_of_successes_enter_as_counts():
    equations = {
        "tries": equation("successes", family="binomial", trials="attempts"),
        "sales": equation("sales", family="gaussian", predictors=["tries"]),
    }
    design = system(equations)
    draws = system_draws(design, 4)
    rows = np.arange(design.size)
    found = expected_outcome(design, draws, HIGH, HIGH, rows)
    ((tries, part),) = draws.upstream
    p = part.population
    share = expit(p["intercept"] + p["human_capital"] * HIGH[0] + p["social_capital"] * HIGH[1])
    mean = share[:, None] * tries.rows.trials
    entering = (mean - tries.outcome.mean()) / tries.outcome.std(ddof=1)
    c = draws.population
    level = c["intercept"] + c["human_capital"] * HIGH[0] + c["social_capital"] * HIGH[1]
    np.testing.assert_allclose(found, level[:, None] + c["tries"][:, None] * entering, rtol=1e-9)


def test_levels_enter_as_levels_whatever_level_is_asked_about():
    graded = equation("grade", family="ordinal", at_least=2)
    sales = equation("sales", family="gaussian", predictors=["grade"])
    asked, plain = (
        system({"grade": each, "sales": sales})
        for each in (graded, {k: v for k, v in graded.items() if k != "at_least"})
    )
    rows = np.arange(asked.size)
    first, second = (
        expected_outcome(design, system_draws(design, 4), HIGH, LOW, rows)
        for design in (asked, plain)
    )
    np.testing.assert_allclose(first, second, rtol=1e-12)


def test_scopes_apply_upstream():
    design = system(BINARY)
    draws = system_draws(design, 5)
    average = scoped(design, draws, "average_cluster", 1)
    for _, part in average.upstream:
        assert (part.groups["cluster"].effect == 0).all()
    new = scoped(design, draws, "new_cluster", 1)
    effects = [part.groups["cluster"].effect for _, part in new.upstream]
    effects.append(new.groups["cluster"].effect)
    assert {effect.shape for effect in effects} == {(5, 2, 1)}
    flat = np.array([effect.ravel() for effect in effects])
    assert np.abs(np.corrcoef(flat) - np.eye(3)).max() < 0.9  # streams of their own
    # without deviations of clusters, rows alike in all else are alike
    without = expected_outcome(design, average, LOW, LOW, np.arange(design.size))
    with_effects = expected_outcome(design, draws, LOW, LOW, np.arange(design.size))
    assert np.abs(without - with_effects).max() > 0.01


def test_without_equations_upstream_outcomes_observed_enter():
    design = system(BINARY)
    draws = replace(system_draws(design, 3), upstream=())
    rows = np.arange(design.size)
    found = expected_outcome(design, draws, HIGH, LOW, rows)
    for d, r in product(range(3), range(0, design.size, 7)):
        entering = dict(zip(("buyers", "providers"), design.predictors[r], strict=True))
        eta = own_eta(design, draws, d, r, *HIGH, **entering)
        assert found[d, r] == pytest.approx(expit(eta), rel=1e-12)


def test_a_design_turned_to_another_equation_carries_the_rest():
    design = system(CHAIN)
    other = design.turned_to("providers")
    assert other.equation_name == "providers"
    assert [each.equation_name for each in other.others] == ["buyers", "upgrading"]
    assert [each.equation_name for each in other.equations] == ["buyers", "providers", "upgrading"]
    assert all(each.others == () for each in other.others)
    again = other.turned_to("upgrading")
    assert [each.equation_name for each in again.others] == ["buyers", "providers"]
