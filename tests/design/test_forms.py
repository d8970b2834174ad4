from __future__ import annotations

from typing import Any

import pytest

from bayescluster.design.forms import forms_of, of_form, with_default_forms
from bayescluster.spec.analysis import Analysis
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


def test_a_prior_of_the_intercept_is_for_the_forms_whose_level_it_sets():
    priors = {"terms": {"intercept": {"distribution": "normal", "sd": 2}}}
    found = forms_of(analysis_of(structure=FORMS, priors=priors))
    kept = {each.equation.form: list(each.equation.priors.terms) for each in found}
    assert kept == {name: [] if name == "conjunctive" else ["intercept"] for name in FORMS}
    alone = of_form(analysis_of(structure="conjunctive", priors=priors), "conjunctive")
    assert list(alone.equation.priors.terms) == ["intercept"]  # to be refused, with its place


def test_a_form_without_the_slopes_that_are_named_lets_its_own_vary():
    slopes = ["intercept", "human_capital", "social_capital", "interaction"]
    analysis = analysis_of(
        structure=["interaction", "conjunctive", "ces", "additive"],
        varying={"industry": slopes, "cluster": ["intercept"]},
    )
    found = {each.equation.form: each.equation.groupings for each in forms_of(analysis)}
    assert found["interaction"]["industry"].terms == tuple(slopes)
    assert found["conjunctive"]["industry"].terms == (
        "neither",
        "human_only",
        "social_only",
        "both",
    )
    assert found["ces"]["industry"].terms == ("intercept", "gain", "share")
    assert found["additive"]["industry"].terms == tuple(slopes[:3])
    assert {each["cluster"].terms for each in found.values()} == {("intercept",)}


CORNERS = {"kind": "necessary", "capital": "human_capital", "by": "all"}
EFFECT = {"kind": "effect", "capital": "human_capital", "by": "all"}
DEFAULT = ("interaction", "conjunctive", "ces", "additive")


def open_form(*claims: dict[str, str], **keys: Any) -> Analysis:
    """An analysis whose file says nothing of the form, or what ``keys`` say."""
    raw = analysis_of("bernoulli", "additive", hypotheses=list(claims)).model_dump(mode="json")
    equation = raw["equations"]["upgrading"] | keys
    if "structure" not in keys:
        del equation["structure"]
    return Analysis.model_validate(raw | {"equations": {"upgrading": equation}})


@pytest.mark.parametrize(
    ("claims", "keys", "forms"),
    [
        ([CORNERS, EFFECT], {}, DEFAULT),
        ([{"kind": "complementarity", "by": "all"}], {}, DEFAULT),
        # effects need no corners
        ([EFFECT], {}, ("interaction",)),
        ([], {}, ("interaction",)),
        # a form that is named stays as it is; several with gates get the sum beside them
        ([CORNERS], {"structure": "interaction"}, ("interaction",)),
        ([CORNERS], {"structure": ["ces", "interaction"]}, ("ces", "interaction", "additive")),
        ([CORNERS], {"structure": ["additive", "ces"]}, ("additive", "ces")),
        ([EFFECT], {"structure": ["ces", "interaction"]}, ("ces", "interaction")),
        # one explained variance is divided among the terms of a sum
        ([CORNERS], {"priors": {"r2d2m2": {}}}, ("interaction",)),
    ],
)
def test_claims_about_corners_are_put_to_several_forms(claims, keys, forms):
    found = with_default_forms(open_form(*claims, **keys))
    assert found.equation.structure == forms
    # an analysis as resolved is read back as it is
    again = Analysis.model_validate(found.model_dump(mode="json"))
    assert with_default_forms(again).equation.structure == forms


def test_what_no_form_knows_stays_to_be_refused():
    analysis = analysis_of(structure=["additive", "ces"], varying={"industry": ["humn_capital"]})
    assert forms_of(analysis)[0].equation.groupings["industry"].terms == ("humn_capital",)
