from __future__ import annotations

from itertools import product
from typing import get_args

import numpy as np
import pytest

from bayescluster.names import HUMAN_CAPITAL, INTERACTION, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.spec.equation import StructureName
from bayescluster.structures import STRUCTURES, TERMS
from bayescluster.structures.arithmetic import ces_mean, natural, working
from bayescluster.structures.conjunctive import corner_weights
from tests.model.oracle import ces, conjunctive
from tests.oracles import fast_compile

RNG = np.random.default_rng(5)
HUMAN, SOCIAL = RNG.normal(size=7), RNG.normal(size=7)
VALUES = {
    INTERCEPT: 0.4,
    HUMAN_CAPITAL: -0.7,
    SOCIAL_CAPITAL: 1.1,
    INTERACTION: 0.25,
    "neither": -1.4,
    "human_only": -0.3,
    "social_only": -0.8,
    "both": 1.2,
    "human_threshold": 0.2,
    "human_steepness": 0.6,
    "social_threshold": -0.4,
    "social_steepness": 0.9,
    "gain": 0.3,
    "share": -0.5,
    "substitution": -1.7,
}
"""On the working scale: logs of what is positive, log odds of a share."""
LINKS = ("logit", "log", "identity", "probit")
WANTED = {
    "intercept": lambda c, *_: c[INTERCEPT],
    "human_capital": lambda c, h, _: c[INTERCEPT] + c[HUMAN_CAPITAL] * h,
    "social_capital": lambda c, _, s: c[INTERCEPT] + c[SOCIAL_CAPITAL] * s,
    "additive": lambda c, h, s: c[INTERCEPT] + c[HUMAN_CAPITAL] * h + c[SOCIAL_CAPITAL] * s,
    "interaction": lambda c, h, s: (
        c[INTERCEPT] + c[HUMAN_CAPITAL] * h + c[SOCIAL_CAPITAL] * s + c[INTERACTION] * h * s
    ),
    "conjunctive": lambda c, h, s, link="logit": conjunctive(c, h, s, link),
    "ces": lambda c, h, s, link="logit": ces(c, h, s, link),
}


def test_the_analysis_file_can_name_every_form_and_no_other():
    assert list(get_args(StructureName)) == list(STRUCTURES) == list(WANTED)


def test_every_term_of_a_form_has_a_record_and_no_other():
    terms = dict.fromkeys(term for form in STRUCTURES.values() for term in form.terms)
    assert list(TERMS) == list(terms)
    for form in STRUCTURES.values():
        assert set(form.varying) <= set(form.terms)
        assert form.level in form.population


@pytest.mark.parametrize("name", STRUCTURES)
def test_contribution_row_by_row(name):
    form = STRUCTURES[name]
    coefficients = {term: VALUES[term] for term in form.terms}
    found = np.broadcast_to(form.contribution(HUMAN, SOCIAL, coefficients, "logit"), (7,))
    wanted = [WANTED[name](VALUES, h, s) for h, s in zip(HUMAN, SOCIAL, strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("name", STRUCTURES)
def test_coefficients_may_differ_by_draw_and_row(name):
    form = STRUCTURES[name]
    coefficients = {term: RNG.normal(size=(3, 7)) for term in form.terms}
    found = form.contribution(HUMAN, SOCIAL, coefficients, "logit")
    for draw, row in product(range(3), range(7)):
        own = {term: values[draw, row] for term, values in coefficients.items()}
        assert found[draw, row] == pytest.approx(WANTED[name](own, HUMAN[row], SOCIAL[row]))


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("name", ["conjunctive", "ces"])
def test_expectations_are_mixed_whatever_the_link(name, link):
    form = STRUCTURES[name]
    found = form.contribution(HUMAN, SOCIAL, VALUES, link)
    wanted = [WANTED[name](VALUES, h, s, link) for h, s in zip(HUMAN, SOCIAL, strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=1e-10)


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("name", STRUCTURES)
def test_graph_and_numpy_share_one_definition(name, link):
    import pytensor.tensor as pt

    form = STRUCTURES[name]
    with fast_compile():
        variables = {term: pt.constant(np.full(7, VALUES[term])) for term in form.terms}
        found = form.contribution(HUMAN, SOCIAL, variables, link).eval()
    wanted = form.contribution(HUMAN, SOCIAL, {term: VALUES[term] for term in form.terms}, link)
    np.testing.assert_allclose(found, np.broadcast_to(wanted, (7,)), rtol=1e-10)


def test_forms_are_nested():
    nothing = {INTERACTION: 0.0}
    full, additive = STRUCTURES["interaction"], STRUCTURES["additive"]
    np.testing.assert_allclose(
        full.contribution(HUMAN, SOCIAL, VALUES | nothing, "logit"),
        additive.contribution(HUMAN, SOCIAL, VALUES, "logit"),
    )


@pytest.mark.parametrize(
    ("substitution", "wanted", "digits"),
    [(0.0, 0.540384, 6), (-1.0, 0.48, 12), (1.0, 0.6, 12), (-200.0, 0.30138, 5)],
)
def test_ces_at_levels_of_three_and_eight_tenths(substitution, wanted, digits):
    found = np.exp(ces_mean(np.log(0.3), np.log(0.8), np.log(0.4 / 0.6), substitution))
    assert found == pytest.approx(wanted, abs=0.6 * 10.0**-digits)


def test_ces_is_smooth_through_the_weighted_mean():
    near = np.array([-2e-4, -1.01e-4, -0.99e-4, -1e-9, 0.0, 1e-9, 0.99e-4, 1.01e-4, 2e-4])
    found = ces_mean(1.0, 0.0, 0.3, near)
    share = natural(0.3, "share")
    np.testing.assert_allclose(found, share + share * (1 - share) * near / 2, atol=1e-9)


def test_ces_ends_are_the_lesser_and_the_greater():
    np.testing.assert_allclose(
        ces_mean(HUMAN, SOCIAL, 0.3, -5e4), np.minimum(HUMAN, SOCIAL), atol=1e-4
    )
    np.testing.assert_allclose(
        ces_mean(HUMAN, SOCIAL, 0.3, 5e4), np.maximum(HUMAN, SOCIAL), atol=1e-4
    )


def test_two_gates_by_hand():
    gates = {"human_threshold": 0.0, "human_steepness": np.log(2.0)}
    gates |= {"social_threshold": 0.0, "social_steepness": np.log(2.0)}
    found = corner_weights(1.0, -1.0, gates)
    assert found["both"] == pytest.approx(0.104994, abs=5e-7)
    assert sum(found.values()) == pytest.approx(1.0)


def test_no_form_overflows_far_out():
    far = {term: 1.0 for term in TERMS}
    for name in ("conjunctive", "ces"):
        for link in ("logit", "log", "identity"):
            found = STRUCTURES[name].contribution(
                np.array([-400.0, 400.0]), np.array([400.0, -400.0]), far, link
            )
            assert np.isfinite(found).all()


@pytest.mark.parametrize(("scale", "value"), [("real", -2.0), ("positive", 2.5), ("share", 0.3)])
def test_working_scales_and_back(scale, value):
    assert natural(working(value, scale), scale) == pytest.approx(value)


def test_ces_gradient_is_finite_at_the_weighted_mean():
    import pytensor
    import pytensor.tensor as pt

    with fast_compile():
        r = pt.scalar("r")
        slope = pytensor.function([r], pytensor.grad(ces_mean(1.0, 0.0, 0.3, r), r))
        share = natural(0.3, "share")
        for at in (0.0, 5e-5, -2e-4):
            assert slope(at) == pytest.approx(share * (1 - share) / 2, rel=1e-3)
