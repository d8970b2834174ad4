from __future__ import annotations

from typing import Any

import pytest

from bayescluster.errors import ConfigError
from bayescluster.features.problems import check_semantics
from bayescluster.spec.analysis import Analysis
from tests.factories import analysis_dict, analysis_of, where

HEAD = "The analysis cannot be read:\n  a.yaml:"
EQUATION = "equations.upgrading"
REGION = "a default region exists for probabilities and shares only"
ALONE: dict[str, Any] = {"cluster": None, "industry": None, "firm": None}


def claim(kind: str, **keys: Any) -> dict[str, Any]:
    capital = (
        {} if kind in {"joint_sufficiency", "complementarity"} else {"capital": "human_capital"}
    )
    return {"kind": kind, **capital, **keys}


def anchored(low: dict[str, float], high: dict[str, float]) -> dict[str, Any]:
    return claim("necessary", anchors={"human_capital": {"low": low, "high": high}})


def refused(*args: Any, **keys: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        check_semantics(analysis_of(*args, **keys), where)
    assert caught.value.exit_code == 2
    return str(caught.value)


INFORMED = {"cases": "cases.csv", "strength": 1}
FAULTS = [
    pytest.param(
        {"trials": "attempts"},
        f"{EQUATION}.trials: trials goes with family binomial, not bernoulli\n"
        "    leave out trials, or change the family",
        id="trials",
    ),
    pytest.param(
        {"family": "student_t", "standard_error": "error"},
        f"{EQUATION}.standard_error: standard_error goes with family gaussian, not student_t\n"
        "    leave out standard_error, or change the family",
        id="standard error",
    ),
    pytest.param(
        {"family": "poisson", "at_least": 0},
        f"{EQUATION}.at_least: at_least is 0, which every outcome reaches\n"
        "    give a level above 0",
        id="at least nothing",
    ),
    pytest.param(
        {"at_least": 1},
        f"{EQUATION}.at_least: at_least asks for a level, but family bernoulli is yes or no\n"
        "    leave out at_least: the expected outcome is the probability already",
        id="at least of yes or no",
    ),
    pytest.param(
        {"family": "gaussian", "at_least": "high"},
        f"{EQUATION}.at_least: at_least is 'high', but the outcome of family gaussian is a "
        "number\n    give a number",
        id="at least a name",
    ),
    pytest.param(
        {"family": "beta", "at_least": 1},
        f"{EQUATION}.at_least: at_least is 1, which no outcome reaches: it is a share\n"
        "    give a level between 0 and 1",
        id="at least a whole share",
    ),
    pytest.param(
        {"family": "binomial", "hypotheses": [claim("necessary", at_least=3)]},
        "hypotheses.0.at_least: at_least is 3, which no outcome reaches: it is a share\n"
        "    give a level between 0 and 1",
        id="at least more than all trials",
    ),
    pytest.param(
        {"family": "gaussian", "hypotheses": [claim("necessary", at_least=9, eps=4)]},
        "hypotheses.0: eps is 4, but the expected outcome is a probability\n"
        "    give eps on the scale of the outcome",
        id="region of a level above 1",
    ),
    pytest.param(
        {
            "data": {"industry": None},
            "hypotheses": [claim("effect", by="all", scope="new_industry")],
        },
        "hypotheses.0: scope new_industry needs industries, but the data declare none\n"
        "    add `industry:` with its column under data, or use `scope: observed`",
        id="a new industry where none is declared",
    ),
    pytest.param(
        {
            "varying": {"cluster": ["intercept"]},
            "hypotheses": [claim("effect", by="all", scope="new_industry")],
        },
        "hypotheses.0: scope new_industry needs effects of industries, and none vary by "
        "industry\n    add `industry: [intercept]` under varying, or use `scope: observed`",
        id="a new industry without effects of industries",
    ),
    pytest.param(
        {"hypotheses": [anchored({"trainng": 3}, {"training": 5})]},
        "hypotheses.0.anchors.human_capital.low.trainng: 'trainng' is not an indicator of "
        "human_capital\n    did you mean 'training'?",
        id="an anchor of no indicator",
    ),
    pytest.param(
        {
            "constructs": {"human_capital": {"indicators": ["size", "training"], "method": "pca"}},
            "hypotheses": [anchored({"training": 3}, {"training": 5, "size": 2})],
        },
        "hypotheses.0.anchors.human_capital.low: the anchor lacks size: a level of "
        "human_capital takes all its indicators\n    add `size:` with its value",
        id="an anchor that lacks an indicator",
    ),
    pytest.param(
        {
            "constructs": {
                "human_capital": {
                    "indicators": [{"column": "size", "transform": "log"}, "training"],
                    "method": "mean",
                }
            },
            "hypotheses": [anchored({"size": 0, "training": 1}, {"size": 9, "training": 2})],
        },
        "hypotheses.0.anchors.human_capital.low.size: the log of 'size' cannot be taken at 0\n"
        "    give a value that is not 0 or below",
        id="an anchor without a logarithm",
    ),
    pytest.param(
        {"levels": [0, 1]},
        f"{EQUATION}.levels: levels goes with family ordinal, not bernoulli\n"
        "    leave out levels, or change the family",
        id="levels",
    ),
    pytest.param(
        {"data": {"industry": None}, "varying": {"industry": ["intercept"]}},
        f"{EQUATION}.varying.industry: effects vary by industry, but the data declare none\n"
        "    add `industry:` with its column under data, or leave the grouping out",
        id="no industry",
    ),
    pytest.param(
        {"data": {"firm": None}, "varying": {"firm": ["intercept"]}},
        f"{EQUATION}.varying.firm: effects vary by firm, but the data declare none\n"
        "    add `firm:` with its column under data, or leave the grouping out",
        id="no firm",
    ),
    pytest.param(
        {"structure": "ces", "priors": {"terms": {"gain": {"distribution": "normal", "sd": 1.0}}}},
        f"{EQUATION}.priors.terms.gain: the prior of 'gain' is normal, but it can be numbers "
        "above 0\n    take another distribution, such as half_normal",
        id="prior of another kind of number",
    ),
    pytest.param(
        {"structure": "additive", "varying": {"year": ["intercept", "interaction"]}},
        f"{EQUATION}.varying.year.terms.1: 'interaction' varies by year, but structure additive has no "
        "such term\n    its terms: intercept, human_capital, social_capital",
        id="no such term",
    ),
    pytest.param(
        {
            "family": "gaussian",
            "priors": {"family": {"sigm": {"distribution": "half_normal", "sd": 1}}},
        },
        f"{EQUATION}.priors.family.sigm: family gaussian has no parameter 'sigm'\n"
        "    did you mean 'sigma'?",
        id="prior of a parameter",
    ),
    pytest.param(
        {"priors": {"family": {"sigma": {"distribution": "half_normal", "sd": 1}}}},
        f"{EQUATION}.priors.family.sigma: family bernoulli has no parameter 'sigma'\n"
        "    leave it out",
        id="prior of a parameter where there is none",
    ),
    pytest.param(
        {"family": "gaussian", "priors": {"from": INFORMED}},
        f"{EQUATION}.priors.from: priors from cases go with family bernoulli or binomial, not "
        "gaussian\n    leave out `from`, or change the family",
        id="prior from cases of a mean",
    ),
    pytest.param(
        {"family": "ordinal", "priors": {"from": INFORMED}},
        f"{EQUATION}.priors.from: priors from cases go with family bernoulli or binomial, not "
        "ordinal\n    leave out `from`, or change the family",
        id="prior from cases of levels",
    ),
    pytest.param(
        {
            "varying": {"cluster": ["intercept"]},
            "priors": {"group_sd": {"clusters": {"distribution": "half_normal", "sd": 1}}},
        },
        f"{EQUATION}.priors.group_sd.clusters: a prior is given for the groups of 'clusters', but "
        "no effect varies by it\n    did you mean 'cluster'?",
        id="prior of groups",
    ),
    pytest.param(
        {"data": {"industry": None}, "hypotheses": [claim("effect")]},
        "hypotheses.0: effect asks by industry, but the data declare none\n"
        "    add `industry:` with its column under data, or use `by: all`",
        id="claim by industry",
    ),
    pytest.param(
        {"data": {"cluster": None}, "hypotheses": [claim("necessary", by="cluster")]},
        "hypotheses.0: necessary asks by cluster, but the data declare none\n"
        "    add `cluster:` with its column under data, or use `by: all`",
        id="claim by cluster",
    ),
    pytest.param(
        {"data": {"cluster": None}, "hypotheses": [claim("effect", scope="new_cluster")]},
        "hypotheses.0: scope new_cluster needs clusters, but the data declare none\n"
        "    add `cluster:` with its column under data, or use `scope: observed`",
        id="claim for a new cluster",
    ),
    pytest.param(
        {
            "varying": {"industry": ["intercept"]},
            "hypotheses": [claim("necessary", scope="new_cluster")],
        },
        "hypotheses.0: scope new_cluster needs effects of clusters, and none vary by cluster\n"
        "    add `cluster: [intercept]` under varying, or use `scope: observed`",
        id="new cluster without effects of clusters",
    ),
    pytest.param(
        {"data": {"cluster": "place"}, "varying": {"place": ["intercept"]}},
        f"{EQUATION}.varying.place: 'place' is the column of the cluster\n"
        "    write `cluster:` here",
        id="grouping by the column of a role",
    ),
    pytest.param(
        {"controls": [{"column": "trust", "transform": "square"}]},
        f"{EQUATION}.controls.0: the control 'trust' is an indicator of social_capital: it "
        "cannot stay as it is while the capital changes\n"
        "    leave it out of the controls, or out of the construct",
        id="transformed indicator among the controls",
    ),
    pytest.param(
        {"hypotheses": [claim("insufficient", theta_not=-0.1)]},
        "hypotheses.0: theta_not is -0.1, but the expected outcome is a probability\n"
        "    give theta_not on the scale of the outcome",
        id="probability below 0",
    ),
    pytest.param(
        {"family": "ordinal", "at_least": 2, "hypotheses": [claim("insufficient", delta=1.5)]},
        "hypotheses.0: delta is 1.5, but the expected outcome is a probability\n"
        "    give delta on the scale of the outcome",
        id="difference of probabilities above 1",
    ),
    pytest.param(
        {"family": "beta", "hypotheses": [claim("sufficient", theta=75)]},
        "hypotheses.0: theta is 75, but the expected outcome is a share\n"
        "    give theta on the scale of the outcome",
        id="share above 1",
    ),
    pytest.param(
        {"family": "lognormal", "hypotheses": [claim("necessary", eps=-1)]},
        "hypotheses.0: eps is -1, but the expected outcome is never below 0\n"
        "    give eps on the scale of the outcome",
        id="amounts below 0",
    ),
    pytest.param(
        {"family": "ordinal", "hypotheses": [claim("necessary", eps=-0.5)]},
        "hypotheses.0: eps is -0.5, but the expected outcome is never below 0\n"
        "    give eps on the scale of the outcome",
        id="levels below the first",
    ),
    pytest.param(
        {"family": "student_t", "hypotheses": [claim("sufficient", ratio=0.5)]},
        "hypotheses.0: ratio has no meaning for family student_t, whose mean may be 0 or below\n"
        "    state the region by eps, theta, theta_not or delta",
        id="ratio of means",
    ),
    pytest.param(
        {"data": {"cluster": None}, "hypotheses": [claim("difference", scope="average_cluster")]},
        "hypotheses.0: scope average_cluster needs clusters, but the data declare none\n"
        "    add `cluster:` with its column under data, or use `scope: observed`",
        id="difference in the average cluster",
    ),
]
REGIONS = {
    "necessary": [("eps", "ratio")],
    "sufficient": [("theta", "ratio")],
    "insufficient": [("theta_not", "delta")],
    "joint_sufficiency": [("theta",)],
}


def test_every_form_refuses_what_none_of_them_knows():
    found = refused(structure=["additive", "ces"], varying={"year": ["intercept", "both"]})
    assert found.count("'both' varies by year") == 2
    assert "structure additive has no such term" in found
    assert "structure ces has no such term" in found
    assert "its terms: intercept, gain, share, substitution" in found


@pytest.mark.parametrize(("keys", "message"), FAULTS)
def test_messages(keys, message):
    assert refused(**keys) == HEAD + message


@pytest.mark.parametrize("structure", ["ces", ["interaction", "ces"]])
def test_cases_inform_linear_terms_only(structure):
    assert refused("bernoulli", structure, priors={"from": INFORMED}) == (
        f"{HEAD}{EQUATION}.priors.from: cases cannot inform structure ces: it has the terms gain, "
        "share, substitution\n"
        "    leave out `from`, or take a structure made of intercept, human_capital, "
        "social_capital, interaction"
    )


@pytest.mark.parametrize("kind", REGIONS)
@pytest.mark.parametrize("family", ["gaussian", "lognormal", "poisson", "ordinal"])
def test_no_default_region_but_for_probabilities_and_shares(kind, family):
    keys = " or ".join(f"`{key}:`" for key in REGIONS[kind][0])
    assert refused(family, hypotheses=[claim(kind)]) == (
        f"{HEAD}hypotheses.0: {kind} needs its region for family {family}: {REGION}\n    add {keys}"
    )


def test_a_claim_of_two_regions_lacks_both():
    found = refused("poisson", hypotheses=[claim("necessary_not_sufficient")])
    what = f"necessary_not_sufficient needs its region for family poisson: {REGION}"
    assert found == (
        "The analysis cannot be read (2 problems):\n"
        f"  a.yaml:hypotheses.0: {what}\n    add `eps:` or `ratio:`\n"
        f"  a.yaml:hypotheses.0: {what}\n    add `theta_not:` or `delta:`"
    )


@pytest.mark.parametrize(
    "keys",
    [
        {"family": "bernoulli"},
        {"family": "probit"},
        {"family": "binomial"},
        {"family": "beta"},
        {"family": "ordinal", "at_least": 2},
    ],
)
def test_probabilities_and_shares_have_default_regions(keys):
    claims = [claim(kind) for kind in (*REGIONS, "necessary_not_sufficient", "complementarity")]
    check_semantics(analysis_of(hypotheses=claims, **keys), where)


def test_other_outcomes_have_the_regions_that_are_declared():
    claims = [
        claim("necessary", eps=-2.5),
        claim("sufficient", theta=8.0),
        claim("insufficient", theta_not=-1.0),
        claim("effect"),
    ]
    check_semantics(analysis_of("gaussian", hypotheses=claims), where)
    claims = [
        claim("necessary", ratio=0.5),
        claim("sufficient", theta=8.0),
        claim("insufficient", delta=3.0),
    ]
    for family in ("poisson", "negative_binomial", "ordinal", "lognormal"):
        check_semantics(analysis_of(family, hypotheses=claims), where)


def test_the_ends_of_the_scale_are_on_it():
    claims = [
        claim("necessary", eps=0.0),
        claim("sufficient", theta=1.0),
        claim("insufficient", theta_not=0.0),
    ]
    check_semantics(analysis_of(hypotheses=claims), where)


TAKEN = [
    "controls",
    "term",
    "firm",
    "human_capital",
    "interaction",
    "population",
    "cutpoints",
    "sigma",
    "chain",
]


@pytest.mark.parametrize("name", TAKEN)
def test_names_that_the_model_uses(name):
    raw = analysis_dict()
    raw["equations"] = {name: raw["equations"]["upgrading"]}
    with pytest.raises(ConfigError) as caught:
        check_semantics(Analysis.model_validate(raw), where)
    assert str(caught.value) == (
        f"{HEAD}equations.{name}: an equation cannot be called '{name}'\n"
        "    the model has a variable or dimension of that name: choose another"
    )


@pytest.mark.parametrize("name", sorted({*TAKEN} - {"firm"}))
def test_columns_that_the_model_uses(name):
    assert refused(varying={name: ["intercept"]}) == (
        f"{HEAD}{EQUATION}.varying.{name}: effects cannot vary by a column called '{name}'\n"
        "    the model has a variable or dimension of that name: rename the column"
    )


@pytest.mark.parametrize("scope", ["average_cluster", "new_cluster"])
def test_scopes_with_effects_of_clusters(scope):
    claims = [claim("effect", scope=scope)]
    check_semantics(analysis_of(varying={"cluster": ["intercept"]}, hypotheses=claims), where)


LEVELS = [
    ("gaussian", -3.5),
    ("student_t", 0),
    ("lognormal", 2),
    ("poisson", 1),
    ("negative_binomial", 0.5),
    ("binomial", 1),
    ("beta", 0.5),
    ("ordinal", 2),
]


@pytest.mark.parametrize(("family", "level"), LEVELS)
def test_families_of_more_than_two_values_can_be_asked_for_a_level(family, level):
    # a probability has a default region, and a ratio
    claims = [claim("necessary", at_least=level), claim("necessary", at_least=level, ratio=0.2)]
    check_semantics(analysis_of(family, hypotheses=claims), where)
    check_semantics(analysis_of(family, at_least=level, hypotheses=[claim("necessary")]), where)


def test_a_new_industry_with_effects_of_industries():
    claims = [claim("effect", by="all", scope="new_industry")]
    check_semantics(analysis_of(varying={"industry": ["intercept"]}, hypotheses=claims), where)


def test_all_contradictions_at_once():
    found = refused(
        trials="attempts",
        varying={"cluster": ["intercept"]},
        data=ALONE,
        hypotheses=[claim("difference"), claim("effect", by="all")],
    )
    assert found == (
        "The analysis cannot be read (3 problems):\n"
        "  a.yaml:equations.upgrading.trials: trials goes with family binomial, not bernoulli\n"
        "    leave out trials, or change the family\n"
        "  a.yaml:equations.upgrading.varying.cluster: effects vary by cluster, but the data "
        "declare none\n"
        "    add `cluster:` with its column under data, or leave the grouping out\n"
        "  a.yaml:hypotheses.0: difference asks by industry, but the data declare none\n"
        "    add `industry:` with its column under data, or use `by: all`"
    )
