from __future__ import annotations

import pytest

from bayescluster.design.forms import forms_of, of_form
from tests.factories import analysis_of

FORMS = ["additive", "interaction", "conjunctive", "ces"]


def test_one_analysis_a_form_in_the_order_of_the_file():
    found = forms_of(analysis_of(structure=FORMS))
    assert [each.equation.structure for each in found] == [(form,) for form in FORMS]


@pytest.mark.parametrize(
    ("form", "terms"),
    [
        ("additive", ("intercept", "human_capital", "social_capital")),
        ("interaction", ("intercept", "human_capital", "social_capital", "interaction")),
        ("conjunctive", ("neither", "human_only", "social_only", "both")),
        ("ces", ("intercept", "gain", "share")),
    ],
)
def test_all_stands_for_the_terms_of_the_form(form, terms):
    analysis = analysis_of(structure=FORMS, varying={"industry": "all", "cluster": ["intercept"]})
    found = of_form(analysis, form).equation.groupings
    assert found["industry"].terms == terms
    assert found["cluster"].terms == ("intercept",)


def test_terms_and_priors_of_other_forms_are_left_out():
    normal = {"distribution": "normal", "sd": 0.5}
    priors = {"terms": {"interaction": normal, "human_capital": normal}}
    varying = {"industry": {"terms": ["intercept", "interaction"], "centred": ["interaction"]}}
    analysis = analysis_of(structure=["additive", "interaction"], varying=varying, priors=priors)
    additive, interaction = forms_of(analysis)
    assert list(additive.equation.priors.terms) == ["human_capital"]
    assert additive.equation.groupings["industry"].terms == ("intercept",)
    assert additive.equation.groupings["industry"].centred == ()
    assert list(interaction.equation.priors.terms) == ["interaction", "human_capital"]
    assert interaction.equation.groupings["industry"].centred == ("interaction",)


def test_a_grouping_without_terms_of_the_form_is_left_out():
    analysis = analysis_of(
        structure=["additive", "ces"], varying={"industry": ["gain"], "cluster": "all"}
    )
    additive, ces = forms_of(analysis)
    assert list(additive.equation.varying) == ["cluster"]
    assert list(ces.equation.varying) == ["industry", "cluster"]


def test_what_no_form_knows_stays_to_be_refused():
    analysis = analysis_of(structure=["additive", "ces"], varying={"industry": ["humn_capital"]})
    assert forms_of(analysis)[0].equation.groupings["industry"].terms == ("humn_capital",)
