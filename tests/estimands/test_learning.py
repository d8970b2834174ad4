"""Paths, forms and sensitivity against loops and against each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from bayescluster.estimands.effects import expected_outcome
from bayescluster.estimands.levels import Levels
from bayescluster.estimands.scopes import groups_of
from bayescluster.features.learning.compute import (
    FormDraws,
    OutcomeDraws,
    PathDraws,
    confounded,
    form_draws,
    learners_gained,
    outcome_draws,
    tipping_of_interval,
    tipping_of_mean,
)
from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import draws_of
from bayescluster.model.imputation import completed, imputing
from tests.model.test_imputed_mediators import mediated
from tests.oracles import fast_compile
from tests.systems import equation, system, system_draws

LEVELS = Levels((-1.2, 1.4), (-0.9, 1.1), "by hand")
EQUATIONS: dict[str, Any] = {
    "buyers": equation("buyers", varying={"industry": ["intercept", "human_capital"]}),
    "providers": equation("providers", controls=["exporter"]),
    "upgrading": equation(
        "upgraded",
        structure="interaction",
        predictors=["buyers", "providers"],
        varying={"industry": ["intercept", "buyers"]},
    ),
}


@pytest.fixture(scope="module")
def design():
    return system(EQUATIONS)


@pytest.fixture(scope="module")
def draws(design):
    return system_draws(design, 6)


@pytest.fixture(scope="module")
def found(design, draws):
    return outcome_draws(design, draws, LEVELS, groups_of(design, "industry").weights)


def averaged(design, draws, own, through):
    """``(draw, industry)``; levels of human capital, social capital as it is."""
    social = design.capitals[1]
    at = expected_outcome(
        design,
        draws,
        (own, social),
        {name: (level, social) for name, level in through.items()},
        np.arange(design.size),
    )
    return at @ groups_of(design, "industry").weights


def test_paths_of_human_capital(design, draws, found):
    low, high = LEVELS.human
    at = {
        "ll": averaged(design, draws, low, {"buyers": low, "providers": low}),
        "hl": averaged(design, draws, high, {"buyers": low, "providers": low}),
        "hh": averaged(design, draws, high, {"buyers": high, "providers": high}),
        "buyers": averaged(design, draws, high, {"buyers": high, "providers": low}),
        "providers": averaged(design, draws, high, {"buyers": low, "providers": high}),
    }
    path = found.paths[0]
    assert path.capital == "human_capital"
    np.testing.assert_allclose(path.total, at["hh"] - at["ll"], rtol=1e-10)
    np.testing.assert_allclose(path.direct, at["hl"] - at["ll"], rtol=1e-10)
    np.testing.assert_allclose(path.indirect, at["hh"] - at["hl"], rtol=1e-10)
    for name in ("buyers", "providers"):
        np.testing.assert_allclose(path.through[name], at[name] - at["hl"], rtol=1e-9)


@pytest.mark.parametrize("position", [0, 1])
def test_direct_and_indirect_add_up(found, position):
    path = found.paths[position]
    np.testing.assert_allclose(path.direct + path.indirect, path.total, atol=1e-14)
    assert np.abs(path.indirect - sum(path.through.values())).max() > 1e-6


def test_an_equation_without_predictors_has_total_effects_only(design, draws):
    ((buyers, part), _) = draws.upstream
    found = outcome_draws(buyers, part, LEVELS, groups_of(design, "all").weights)
    assert found.forms == ()
    low, high = LEVELS.social
    p, industry = part.population, part.groups["industry"]
    member, human = buyers.index("industry"), buyers.capitals[0]
    base = p["intercept"][:, None] + industry.effect[:, member, 0]
    base = base + (p["human_capital"][:, None] + industry.effect[:, member, 1]) * human
    slope = p["social_capital"][:, None]
    wanted = (expit(base + slope * high) - expit(base + slope * low)).mean(axis=1)
    np.testing.assert_allclose(found.paths[1].total[:, 0], wanted, rtol=1e-10)
    assert found.paths[1].through == {}


def test_a_form_from_no_to_yes(design, draws, found):
    member, (human, social) = design.index("industry"), design.capitals
    p, industry = draws.population, draws.groups["industry"]
    base = p["intercept"][:, None] + industry.effect[:, member, 0]
    base = base + p["human_capital"][:, None] * human + p["social_capital"][:, None] * social
    base = base + p["interaction"][:, None] * human * social
    base = base + p["providers"][:, None] * design.predictors[:, 1]
    slope = p["buyers"][:, None] + industry.effect[:, member, 1]
    weights = groups_of(design, "industry").weights
    wanted = (expit(base + slope) - expit(base)) @ weights
    form = found.forms[0]
    assert (form.form, form.binary) == ("buyers", True)
    np.testing.assert_allclose(form.marginal, wanted, rtol=1e-10)
    spread = [design.predictors[member == k, 0].std() for k in range(2)]
    np.testing.assert_allclose(form.standardised, wanted * spread, rtol=1e-10)


@pytest.mark.parametrize("contextual", [[], ["human_capital"]])
def test_a_form_that_is_a_number_is_per_standard_deviation(contextual):
    equations = {
        "skill": equation("growth", family="gaussian"),
        "sales": equation("sales", family="gaussian", predictors=["skill"], contextual=contextual),
    }
    design = system(equations)
    draws = system_draws(design, 5)
    (form,) = form_draws(design, draws, groups_of(design, "all").weights)
    assert not form.binary
    np.testing.assert_allclose(form.marginal[:, 0], draws.population["skill"], rtol=1e-9)


def test_missing_forms_are_those_of_each_draw():
    design = mediated()
    with fast_compile():
        model = build_model(design)
        prior = sample_prior(design, model, reported_variables(design), 3, 4)
    prior = completed(design, prior, imputing(4), posterior=False)
    draws, weights = draws_of(design, prior), groups_of(design, "industry").weights
    found = form_draws(design, draws, weights)
    assert [form.binary for form in found] == [True, False]
    for k in range(3):
        one = draws.part(np.array([k]))
        cells = [one.imputed[name].added()[0] for name in design.equation.predictors]
        whole = np.nan_to_num(design.predictors) + np.column_stack(cells)
        filled = replace(design, data=design.data.assign(predictors=(("firm", "predictor"), whole)))
        alone = form_draws(filled, replace(one, imputed={}), weights)
        for form, wanted in zip(found, alone, strict=True):
            assert np.isfinite(form.marginal).all()
            np.testing.assert_allclose(form.marginal[k], wanted.marginal[0])
            np.testing.assert_allclose(form.standardised[k], wanted.standardised[0])


def test_dominance_and_ranks(design):
    standardised = {
        "a": np.array([[0.3, 0.1], [0.3, 0.3]]),
        "b": np.array([[0.2, 0.2], [0.1, 0.4]]),
        "c": np.array([[0.1, 0.3], [0.2, -0.5]]),
    }
    forms = tuple(FormDraws(name, True, v, v) for name, v in standardised.items())
    found = OutcomeDraws(design, "combinations", (), forms)
    np.testing.assert_array_equal(found.dominant, [[0, 2], [0, 1]])
    np.testing.assert_array_equal(found.rank[:, :, 0], [[0, 2], [0, 1]])
    np.testing.assert_array_equal(np.sort(found.rank, axis=-1)[0, 0], [0, 1, 2])


def test_a_confounder_of_learning_biases_by_what_the_formula_says():
    """Simulated whole: with the confounder left out, the bias is b for each learner gained."""
    effect, prevalence = 0.3, {0: 0.2, 1: 0.7}  # of U on Y; of U by learning
    bias = effect * (prevalence[1] - prevalence[0])
    learners = {"low": 0.25, "high": 0.65}
    slope, direct = 0.1, 0.15

    def mean(capital: str, learns: int) -> float:
        """E[Y | capital, learning], U averaged out as it goes with learning: what is estimated."""
        own = 0.1 + (direct if capital == "high" else 0.0)
        return own + slope * learns + effect * prevalence[learns]

    def nested(own: str, through: str) -> float:
        share = learners[through]
        return (1 - share) * mean(own, 0) + share * mean(own, 1)

    gained = np.array([[learners["high"] - learners["low"]]])
    path = PathDraws(
        "human_capital",
        np.array([[nested("high", "high") - nested("low", "low")]]),
        np.array([[nested("high", "low") - nested("low", "low")]]),
        np.array([[nested("high", "high") - nested("high", "low")]]),
        {},
    )
    found = confounded(path, gained, bias)
    # the true effect through learning is slope times the learners gained
    assert found.indirect[0, 0] == pytest.approx(slope * gained[0, 0])
    assert found.direct + found.indirect == pytest.approx(path.total)


def test_learners_gained_add_up(found):
    path = found.paths[0]
    forms = [path._replace(total=np.full((6, 2), value)) for value in (0.1, 0.25)]
    np.testing.assert_allclose(learners_gained(path, forms), 0.35)


def test_tipping_points():
    rng = np.random.default_rng(1)
    indirect, gained = rng.normal(0.06, 0.02, 4000), rng.normal(0.4, 0.03, 4000)
    at = tipping_of_mean(indirect, gained)
    assert (indirect - at * gained).mean() == pytest.approx(0.0, abs=1e-12)
    end = tipping_of_interval(indirect, gained, 0.05, 0.5)
    assert np.quantile(indirect - end * gained, 0.05) == pytest.approx(0.0, abs=1e-9)
    assert 0 < end < at
    assert tipping_of_interval(-indirect, -gained, 0.05, 0.5) == pytest.approx(end)
    # an interval that holds 0 already; a bias that only makes the effect larger
    assert tipping_of_interval(indirect - 0.05, gained, 0.05, 0.5) == 0.0
    assert tipping_of_interval(indirect, -gained, 0.05, 0.5) is None
    assert tipping_of_mean(indirect, -gained) is None


def test_thinning_keeps_chains_apart(draws):
    many = replace(draws.part(np.arange(6).repeat(4)), chains=2)  # 12 draws a chain
    some = many.thinned_by_chain(8)
    assert (some.size, some.chains) == (8, 2)
    wanted = [0, 3, 7, 11]
    picked = many.population["intercept"][[*wanted, *(12 + k for k in wanted)]]
    np.testing.assert_array_equal(some.population["intercept"], picked)
    assert some.upstream[0][1].size == 8
    assert many.thinned_by_chain(24) is many
