from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayescluster.design.claims import region_problems
from bayescluster.errors import ConfigError
from bayescluster.features.problems import check_semantics
from bayescluster.spec.analysis import Analysis
from tests.factories import analysis_dict, analysis_of, where
from tests.helpers import row

HEAD = "The analysis cannot be read:\n  a.yaml:"
EQUATION = "equations.upgrading"
REGION = "a default region exists for probabilities, and shares without zeros of their own, only"


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


ONE_OF_TWO = "but r2d2m2 takes its place\n    leave out one of the two"
NORMAL = {"distribution": "normal", "sd": 1.0}
INFORMED = {"cases": "cases.csv", "strength": 1}
FAULTS = {
    "trials": row(
        {"trials": "attempts"},
        f"{EQUATION}.trials: trials goes with family binomial, not bernoulli\n"
        "    leave out trials, or change the family",
    ),
    "standard error": row(
        {"family": "student_t", "standard_error": "error"},
        f"{EQUATION}.standard_error: standard_error goes with family gaussian, not student_t\n"
        "    leave out standard_error, or change the family",
    ),
    "at least nothing": row(
        {"family": "poisson", "at_least": 0},
        f"{EQUATION}.at_least: at_least is 0, which every outcome reaches\n"
        "    give a level above 0",
    ),
    "at least of yes or no": row(
        {"at_least": 1},
        f"{EQUATION}.at_least: at_least asks for a level, but family bernoulli is yes or no\n"
        "    leave out at_least: the expected outcome is the probability already",
    ),
    "at least a name": row(
        {"family": "gaussian", "at_least": "high"},
        f"{EQUATION}.at_least: at_least is 'high', but the outcome of family gaussian is a "
        "number\n    give a number",
    ),
    "at least a whole share": row(
        {"family": "beta", "at_least": 1},
        f"{EQUATION}.at_least: at_least is 1, which no outcome reaches: it is a share\n"
        "    give a level between 0 and 1",
    ),
    "at least more than all trials": row(
        {"family": "binomial", "hypotheses": [claim("necessary", at_least=3)]},
        "hypotheses.0.at_least: at_least is 3, which no outcome reaches: it is a share\n"
        "    give a level between 0 and 1",
    ),
    "a new industry where none is declared": row(
        {
            "data": {"industry": None},
            "hypotheses": [claim("effect", by="all", scope="new_industry")],
        },
        "hypotheses.0: scope new_industry needs industries, but the data declare none\n"
        "    add `industry:` with its column under data, or use `scope: observed`",
    ),
    "a new industry without effects of industries": row(
        {
            "varying": {"cluster": ["intercept"]},
            "hypotheses": [claim("effect", by="all", scope="new_industry")],
        },
        "hypotheses.0: scope new_industry needs effects of industries, and none vary by "
        "industry\n    add `industry: [intercept]` under varying, or use `scope: observed`",
    ),
    "an anchor of no indicator": row(
        {"hypotheses": [anchored({"trainng": 3}, {"training": 5})]},
        "hypotheses.0.anchors.human_capital.low.trainng: 'trainng' is not an indicator of "
        "human_capital\n    did you mean 'training'?",
    ),
    "an anchor that lacks an indicator": row(
        {
            "constructs": {"human_capital": {"indicators": ["size", "training"], "method": "pca"}},
            "hypotheses": [anchored({"training": 3}, {"training": 5, "size": 2})],
        },
        "hypotheses.0.anchors.human_capital.low: the anchor lacks size: a level of "
        "human_capital takes all its indicators\n    add `size:` with its value",
    ),
    "an anchor without a logarithm": row(
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
    ),
    "levels": row(
        {"levels": [0, 1]},
        f"{EQUATION}.levels: levels goes with family ordinal, not bernoulli\n"
        "    leave out levels, or change the family",
    ),
    "no firm": row(
        {"data": {"firm": None}, "varying": {"firm": ["intercept"]}},
        f"{EQUATION}.varying.firm: effects vary by firm, but the data declare none\n"
        "    add `firm:` with its column under data, or leave the grouping out",
    ),
    "prior of another kind of number": row(
        {"structure": "ces", "priors": {"terms": {"gain": {"distribution": "normal", "sd": 1.0}}}},
        f"{EQUATION}.priors.terms.gain: the prior of 'gain' is normal, but it can be numbers "
        "above 0\n    take another distribution, such as half_normal",
    ),
    "prior of a parameter": row(
        {
            "family": "gaussian",
            "priors": {"family": {"sigm": {"distribution": "half_normal", "sd": 1}}},
        },
        f"{EQUATION}.priors.family.sigm: family gaussian has no parameter 'sigm'\n"
        "    did you mean 'sigma'?",
    ),
    "prior from cases of a mean": row(
        {"family": "gaussian", "priors": {"from": INFORMED}},
        f"{EQUATION}.priors.from: priors from cases go with family bernoulli or binomial, not "
        "gaussian\n    leave out `from`, or change the family",
    ),
    "claim by cluster": row(
        {"data": {"cluster": None}, "hypotheses": [claim("necessary", by="cluster")]},
        "hypotheses.0.by: necessary asks by cluster, but the data declare none\n"
        "    add `cluster:` with its column under data, or use `by: all`",
    ),
    "claim for a new cluster": row(
        {"data": {"cluster": None}, "hypotheses": [claim("effect", scope="new_cluster")]},
        "hypotheses.0: scope new_cluster needs clusters, but the data declare none\n"
        "    add `cluster:` with its column under data, or use `scope: observed`",
    ),
    "share above 1": row(
        {"family": "beta", "hypotheses": [claim("sufficient", theta=75)]},
        "hypotheses.0: theta is 75, but the expected outcome is a share\n"
        "    give theta on the scale of the outcome",
    ),
    "difference in the average cluster": row(
        {"data": {"cluster": None}, "hypotheses": [claim("difference", scope="average_cluster")]},
        "hypotheses.0: scope average_cluster needs clusters, but the data declare none\n"
        "    add `cluster:` with its column under data, or use `scope: observed`",
    ),
    "r2d2m2 of a form that is not linear": row(
        {"structure": "conjunctive", "priors": {"r2d2m2": {}}},
        f"{EQUATION}.priors.r2d2m2: r2d2m2 divides the variance among linear terms, and "
        "structure conjunctive is not linear\n"
        "    leave it out, or take one of: additive, interaction",
    ),
    "r2d2m2 with other priors": row(
        {
            "varying": {"cluster": ["intercept"]},
            "controls": ["exporter"],
            "priors": {
                "r2d2m2": {},
                "terms": {"intercept": NORMAL, "human_capital": NORMAL, "exporter": NORMAL},
                "controls": NORMAL,
                "group_sd": {"cluster": {"distribution": "half_normal", "sd": 1.0}},
            },
        },
        f"The analysis cannot be read (4 problems):\n"
        f"  a.yaml:{EQUATION}.priors.terms.human_capital: a prior is given for 'human_capital', {ONE_OF_TWO}\n"
        f"  a.yaml:{EQUATION}.priors.terms.exporter: a prior is given for 'exporter', {ONE_OF_TWO}\n"
        f"  a.yaml:{EQUATION}.priors.controls: a prior is given for the controls, {ONE_OF_TWO}\n"
        f"  a.yaml:{EQUATION}.priors.group_sd.cluster: a prior is given for the groups of 'cluster', {ONE_OF_TWO}",
    ),
    "r2d2m2 without parts": row(
        {"structure": "intercept", "priors": {"r2d2m2": {}}},
        f"{EQUATION}.priors.r2d2m2: r2d2m2 has nothing to divide: the model has no slope, "
        "control or varying effect\n    leave it out",
    ),
}
REGIONS = {
    "sufficient": [("theta", "ratio")],
    "not_sufficient": [("theta_not", "delta")],
    "joint_sufficiency": [("theta",)],
}


def test_every_form_refuses_what_none_of_them_knows():
    found = refused(structure=["additive", "ces"], varying={"year": ["intercept", "both"]})
    assert found.count("'both' varies by year") == 2
    assert "structure additive has no such term" in found
    assert "structure ces has no such term" in found
    assert "its terms: intercept, gain, share, substitution" in found


@pytest.mark.parametrize(("keys", "message"), FAULTS.values(), ids=FAULTS)
def test_messages(keys, message):
    assert refused(**keys) == (message if message.startswith("The") else HEAD + message)


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


@pytest.mark.parametrize("family", ["gaussian", "lognormal", "poisson", "ordinal"])
def test_compensation_has_a_default_whatever_the_scale(family):
    check_semantics(analysis_of(family, hypotheses=[claim("necessary")]), where)


def test_a_claim_of_two_regions_lacks_the_one_without_default():
    found = refused("poisson", hypotheses=[claim("necessary_not_sufficient")])
    what = f"necessary_not_sufficient needs its region for family poisson: {REGION}"
    assert found == (f"{HEAD}hypotheses.0: {what}\n    add `theta_not:` or `delta:`")


ANY = [*REGIONS, "necessary", "necessary_not_sufficient", "complementarity"]
AMOUNT = [claim("necessary", ratio=0.5), claim("sufficient", theta=8.0)]
AMOUNT += [claim("not_sufficient", delta=3.0)]
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
SOUND: list[dict[str, Any]] = [
    # probabilities and shares have default regions; the ends of their scale are on it
    *(
        {"family": family, "hypotheses": [claim(kind) for kind in ANY]}
        for family in ("bernoulli", "probit", "binomial", "beta")
    ),
    {"family": "ordinal", "at_least": 2, "hypotheses": [claim(kind) for kind in ANY]},
    {
        "hypotheses": [
            claim("necessary", eps=0.0),
            claim("sufficient", theta=1.0),
            claim("not_sufficient", theta_not=0.0),
        ]
    },
    # other outcomes have the regions that are declared
    {
        "family": "gaussian",
        "hypotheses": [
            claim("necessary", eps=-2.5),
            claim("sufficient", theta=8.0),
            claim("not_sufficient", theta_not=-1.0),
            claim("effect"),
        ],
    },
    *(
        {"family": family, "hypotheses": AMOUNT}
        for family in ("poisson", "negative_binomial", "ordinal", "lognormal")
    ),
    # families of more than two values can be asked for a level, whose probability has a region
    *(
        {
            "family": family,
            "hypotheses": [
                claim("necessary", at_least=level, **more) for more in ({}, {"ratio": 0.2})
            ],
        }
        for family, level in LEVELS
    ),
    *(
        {"family": family, "at_least": level, "hypotheses": [claim("necessary")]}
        for family, level in LEVELS
    ),
    *(
        {"varying": {"cluster": ["intercept"]}, "hypotheses": [claim("effect", scope=scope)]}
        for scope in ("average_cluster", "new_cluster")
    ),
    {
        "varying": {"industry": ["intercept"]},
        "hypotheses": [claim("effect", by="all", scope="new_industry")],
    },
    {
        "structure": "additive",
        "priors": {"r2d2m2": {"mean_r2": 0.3}, "terms": {"intercept": NORMAL}},
    },
]


@pytest.mark.parametrize("keys", SOUND)
def test_a_sound_analysis_is_not_refused(keys):
    check_semantics(analysis_of(**keys), where)


def test_one_of_several_forms_is_enough_to_refuse():
    found = refused(structure=["additive", "ces"], priors={"r2d2m2": {}})
    assert "structure ces is not linear" in found


@pytest.mark.parametrize("value", [{"mean_r2": 0.0}, {"mean_r2": 1.0}, {"precision": 0.0}])
def test_values_that_are_no_prior(value):
    with pytest.raises(ValueError, match="validation error"):
        analysis_of(priors={"r2d2m2": value})


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


def test_a_claim_without_region_has_two_suggested_by_the_data():
    observed = np.array([0.0] * 40 + [10.0] * 30 + [30.0] * 30)
    analysis = analysis_of(
        "hurdle_lognormal", hypotheses=[claim("sufficient"), claim("not_sufficient")]
    )
    found = [problem.mend for problem in region_problems(analysis, where, observed)]
    # mean 12, sd 12.5; a quarter lies at the highest, so half way to it stands in
    assert found == [
        (
            "state what counts in your field; these data suggest `theta: 21` (half way from the mean to "
            "the highest) or `theta: 18.2` (half an sd above the mean)"
        ),
        (
            "state what counts in your field; these data suggest `theta_not: 12` (the mean) or "
            "`delta: 6.24` (half an sd)"
        ),
    ]
