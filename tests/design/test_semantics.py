from __future__ import annotations

from typing import Any

import pytest

from bayescluster.design.semantics import check_semantics
from bayescluster.errors import ConfigError
from tests.factories import analysis_of, where

HEAD = "The analysis cannot be read:\n  a.yaml:"
EQUATION = "equations.upgrading"
REGION = "a default region exists for probabilities only"
ALONE: dict[str, Any] = {"cluster": None, "industry": None, "firm": None}


def claim(kind: str, **keys: Any) -> dict[str, Any]:
    capital = (
        {} if kind in {"joint_sufficiency", "complementarity"} else {"capital": "human_capital"}
    )
    return {"kind": kind, **capital, **keys}


def refused(*args: Any, **keys: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        check_semantics(analysis_of(*args, **keys), where)
    assert caught.value.exit_code == 2
    return str(caught.value)


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "trials": (
        {"trials": "attempts"},
        (
            f"{EQUATION}.trials: trials goes with family binomial, not bernoulli\n"
            "    leave out trials, or change the family"
        ),
    ),
    "exposure": (
        {"exposure": "exposure"},
        (
            f"{EQUATION}.exposure: exposure goes with family poisson or negative_binomial, not "
            "bernoulli\n    leave out exposure, or change the family"
        ),
    ),
    "standard error": (
        {"family": "student_t", "standard_error": "error"},
        (
            f"{EQUATION}.standard_error: standard_error goes with family gaussian, not student_t\n"
            "    leave out standard_error, or change the family"
        ),
    ),
    "at least": (
        {"family": "poisson", "at_least": 0},
        (
            f"{EQUATION}.at_least: at_least goes with family ordinal, not poisson\n"
            "    leave out at_least, or change the family"
        ),
    ),
    "levels": (
        {"levels": [0, 1]},
        (
            f"{EQUATION}.levels: levels goes with family ordinal, not bernoulli\n"
            "    leave out levels, or change the family"
        ),
    ),
    "no trials": (
        {"family": "binomial", "trials": None},
        f"{EQUATION}.family: family binomial needs trials\n    add `trials:` with a column",
    ),
    "no industry": (
        {"data": {"industry": None}, "varying": {"industry": ["intercept"]}},
        (
            f"{EQUATION}.varying.industry: effects vary by industry, but the data declare none\n"
            "    add `industry:` with its column under data, or leave the grouping out"
        ),
    ),
    "no firm": (
        {"data": {"firm": None}, "varying": {"firm": ["intercept"]}},
        (
            f"{EQUATION}.varying.firm: effects vary by firm, but the data declare none\n"
            "    add `firm:` with its column under data, or leave the grouping out"
        ),
    ),
    "no such term": (
        {"structure": "additive", "varying": {"year": ["intercept", "interaction"]}},
        (
            f"{EQUATION}.varying.year: 'interaction' varies by year, but structure additive has no "
            "such term\n    its terms: intercept, human_capital, social_capital"
        ),
    ),
    "prior of a parameter": (
        {
            "family": "gaussian",
            "priors": {"family": {"sigm": {"distribution": "half_normal", "sd": 1}}},
        },
        (
            f"{EQUATION}.priors.family.sigm: family gaussian has no parameter 'sigm'\n"
            "    did you mean 'sigma'?"
        ),
    ),
    "prior of a parameter where there is none": (
        {"priors": {"family": {"sigma": {"distribution": "half_normal", "sd": 1}}}},
        (
            f"{EQUATION}.priors.family.sigma: family bernoulli has no parameter 'sigma'\n"
            "    leave it out"
        ),
    ),
    "prior of groups": (
        {
            "varying": {"cluster": ["intercept"]},
            "priors": {"group_sd": {"clusters": {"distribution": "half_normal", "sd": 1}}},
        },
        (
            f"{EQUATION}.priors.group_sd.clusters: a prior is given for the groups of 'clusters', but "
            "no effect varies by it\n    did you mean 'cluster'?"
        ),
    ),
    "claim by industry": (
        {"data": {"industry": None}, "hypotheses": [claim("effect")]},
        (
            "hypotheses.0: effect asks by industry, but the data declare none\n"
            "    add `industry:` with its column under data, or use `by: all`"
        ),
    ),
    "claim by cluster": (
        {"data": {"cluster": None}, "hypotheses": [claim("necessary", by="cluster")]},
        (
            "hypotheses.0: necessary asks by cluster, but the data declare none\n"
            "    add `cluster:` with its column under data, or use `by: all`"
        ),
    ),
    "claim for a new cluster": (
        {"data": {"cluster": None}, "hypotheses": [claim("effect", scope="new_cluster")]},
        (
            "hypotheses.0: scope new_cluster needs clusters, but the data declare none\n"
            "    add `cluster:` with its column under data, or use `scope: observed`"
        ),
    ),
    "difference in the average cluster": (
        {"data": {"cluster": None}, "hypotheses": [claim("difference", scope="average_cluster")]},
        (
            "hypotheses.0: scope average_cluster needs clusters, but the data declare none\n"
            "    add `cluster:` with its column under data, or use `scope: observed`"
        ),
    ),
}
REGIONS = {
    "necessary": [("eps", "ratio")],
    "sufficient": [("theta", "ratio")],
    "insufficient": [("theta_not", "delta")],
    "joint_sufficiency": [("theta",)],
}


@pytest.mark.parametrize("case", FAULTS)
def test_messages(case):
    keys, message = FAULTS[case]
    assert refused(**keys) == HEAD + message


@pytest.mark.parametrize("kind", REGIONS)
@pytest.mark.parametrize("family", ["gaussian", "poisson", "ordinal"])
def test_no_default_region_but_for_probabilities(kind, family):
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
        {"family": "binomial"},
        {"family": "ordinal", "at_least": 2},
    ],
)
def test_probabilities_have_default_regions(keys):
    claims = [claim(kind) for kind in (*REGIONS, "necessary_not_sufficient", "complementarity")]
    check_semantics(analysis_of(hypotheses=claims, **keys), where)


def test_other_outcomes_have_the_regions_that_are_declared():
    claims = [claim("necessary", ratio=0.5), claim("sufficient", theta=8.0), claim("effect")]
    check_semantics(analysis_of("gaussian", hypotheses=claims), where)


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
