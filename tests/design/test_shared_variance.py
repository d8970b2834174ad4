from __future__ import annotations

import pytest

from bayescluster.errors import ConfigError
from bayescluster.features.problems import check_semantics
from tests.factories import analysis_of, where

PLACE = "a.yaml:equations.upgrading.priors"
ONE_OF_TWO = "but r2d2m2 takes its place\n    leave out one of the two"
NORMAL = {"distribution": "normal", "sd": 1.0}
HEAD = "The analysis cannot be read"
FAULTS = [
    pytest.param(
        {"structure": "conjunctive", "priors": {"r2d2m2": {}}},
        f"{HEAD}:\n  {PLACE}.r2d2m2: r2d2m2 divides the variance among linear terms, and "
        "structure conjunctive is not linear\n"
        "    leave it out, or take one of: intercept, additive, interaction",
        id="not linear",
    ),
    pytest.param(
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
        f"{HEAD} (4 problems):\n"
        f"  {PLACE}.terms.human_capital: a prior is given for 'human_capital', {ONE_OF_TWO}\n"
        f"  {PLACE}.terms.exporter: a prior is given for 'exporter', {ONE_OF_TWO}\n"
        f"  {PLACE}.controls: a prior is given for the controls, {ONE_OF_TWO}\n"
        f"  {PLACE}.group_sd.cluster: a prior is given for the groups of 'cluster', {ONE_OF_TWO}",
        id="beside other priors",
    ),
    pytest.param(
        {"structure": "intercept", "priors": {"r2d2m2": {}}},
        f"{HEAD}:\n  {PLACE}.r2d2m2: r2d2m2 has nothing to divide: the model has no slope, "
        "control or varying effect\n    leave it out",
        id="nothing to share",
    ),
]


@pytest.mark.parametrize(("keys", "message"), FAULTS)
def test_what_is_refused(keys, message):
    with pytest.raises(ConfigError) as caught:
        check_semantics(analysis_of(**keys), where)
    assert str(caught.value) == message


def test_one_of_several_forms_is_enough_to_refuse():
    plain = analysis_of(structure=["additive", "ces"], priors={"r2d2m2": {}})
    with pytest.raises(ConfigError, match="structure ces is not linear"):
        check_semantics(plain, where)


def test_the_intercept_keeps_a_prior_of_its_own():
    priors = {"r2d2m2": {"mean_r2": 0.3}, "terms": {"intercept": NORMAL}}
    check_semantics(analysis_of(structure="additive", priors=priors), where)


@pytest.mark.parametrize("value", [{"mean_r2": 0.0}, {"mean_r2": 1.0}, {"precision": 0.0}])
def test_values_that_are_no_prior(value):
    with pytest.raises(ValueError, match="validation error"):
        analysis_of(priors={"r2d2m2": value})
