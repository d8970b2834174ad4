from __future__ import annotations

from itertools import product
from typing import get_args

import numpy as np
import pytest

from bayescluster.names import HUMAN_CAPITAL, INTERACTION, INTERCEPT, SOCIAL_CAPITAL
from bayescluster.spec.equation import StructureName, TermName
from bayescluster.structures import STRUCTURES
from tests.oracles import fast_compile

RNG = np.random.default_rng(5)
HUMAN, SOCIAL = RNG.normal(size=7), RNG.normal(size=7)
VALUES = {INTERCEPT: 0.4, HUMAN_CAPITAL: -0.7, SOCIAL_CAPITAL: 1.1, INTERACTION: 0.25}
WANTED = {
    "intercept": lambda c, *_: c[INTERCEPT],
    "additive": lambda c, h, s: c[INTERCEPT] + c[HUMAN_CAPITAL] * h + c[SOCIAL_CAPITAL] * s,
    "interaction": lambda c, h, s: (
        c[INTERCEPT] + c[HUMAN_CAPITAL] * h + c[SOCIAL_CAPITAL] * s + c[INTERACTION] * h * s
    ),
}


def test_the_analysis_file_can_name_every_form_and_no_other():
    assert list(get_args(StructureName)) == list(STRUCTURES) == list(WANTED)


def test_the_analysis_file_can_name_every_term_and_no_other():
    terms = dict.fromkeys(term for form in STRUCTURES.values() for term in form.terms)
    assert list(get_args(TermName)) == list(terms)


@pytest.mark.parametrize("name", STRUCTURES)
def test_the_record_goes_by_its_name(name):
    assert STRUCTURES[name].name == name


@pytest.mark.parametrize("name", STRUCTURES)
def test_contribution_row_by_row(name):
    form = STRUCTURES[name]
    coefficients = {term: VALUES[term] for term in form.terms}
    found = np.broadcast_to(form.contribution(HUMAN, SOCIAL, coefficients), (7,))
    wanted = [WANTED[name](VALUES, h, s) for h, s in zip(HUMAN, SOCIAL, strict=True)]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("name", STRUCTURES)
def test_coefficients_may_differ_by_draw_and_row(name):
    form = STRUCTURES[name]
    coefficients = {term: RNG.normal(size=(3, 7)) for term in form.terms}
    found = form.contribution(HUMAN, SOCIAL, coefficients)
    for draw, row in product(range(3), range(7)):
        own = {term: values[draw, row] for term, values in coefficients.items()}
        assert found[draw, row] == pytest.approx(WANTED[name](own, HUMAN[row], SOCIAL[row]))


@pytest.mark.parametrize("name", STRUCTURES)
def test_graph_and_numpy_share_one_definition(name):
    import pytensor.tensor as pt

    form = STRUCTURES[name]
    with fast_compile():
        variables = {term: pt.constant(np.full(7, VALUES[term])) for term in form.terms}
        found = form.contribution(HUMAN, SOCIAL, variables).eval()
    wanted = form.contribution(HUMAN, SOCIAL, {term: VALUES[term] for term in form.terms})
    np.testing.assert_allclose(found, np.broadcast_to(wanted, (7,)), rtol=1e-12)


def test_forms_are_nested():
    nothing = {INTERACTION: 0.0}
    full, additive = STRUCTURES["interaction"], STRUCTURES["additive"]
    np.testing.assert_allclose(
        full.contribution(HUMAN, SOCIAL, VALUES | nothing),
        additive.contribution(HUMAN, SOCIAL, VALUES),
    )
