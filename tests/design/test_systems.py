"""Faults of equations together: the whole message of each."""

from __future__ import annotations

import pytest

from bayescluster.errors import ConfigError
from bayescluster.features.problems import check_semantics
from bayescluster.spec.analysis import Analysis
from tests.factories import where
from tests.helpers import row
from tests.systems import equation, system, system_dict

HEAD = "The analysis cannot be read:\n  a.yaml:"
BUYERS = equation("buyers")
PROBIT = equation("buyers", family="probit")
TIE = ["buyers", "upgrading"]
FAMILIES = (
    "residual_correlation: residuals correlate between equations of family probit, or between "
    "gaussian ones whose errors are estimated; these are {}\n"
    "    for outcomes of 0 and 1, write `family: probit`"
)

FAULTS = {
    "no such equation": row(
        {"buyers": BUYERS, "upgrading": equation("upgraded", predictors=["buyer"])},
        {},
        "equations.upgrading.predictors.0: the predictor 'buyer' is not another equation of this "
        "analysis\n    did you mean 'buyers'?",
    ),
    "its own predictor": row(
        {"buyers": BUYERS, "upgrading": equation("upgraded", predictors=["upgrading"])},
        {},
        "equations.upgrading.predictors.0: the predictor 'upgrading' is not another equation of this "
        "analysis\n    known: buyers",
    ),
    "a predictor twice": row(
        {"buyers": BUYERS, "upgrading": equation("upgraded", predictors=["buyers", "buyers"])},
        {},
        "equations.upgrading.predictors.1: 'buyers' enters 'upgrading' twice\n"
        "    list it once, under predictors",
    ),
    "a predictor that is a control": row(
        {
            "buyers": BUYERS,
            "upgrading": equation("upgraded", predictors=["buyers"], controls=["buyers"]),
        },
        {},
        "equations.upgrading.predictors.0: 'buyers' enters 'upgrading' twice\n"
        "    list it once, under predictors",
    ),
    "one equation tied": row(
        {"buyers": PROBIT, "upgrading": equation("upgraded", family="probit")},
        {"residual_correlation": ["upgrading"]},
        "residual_correlation: residual_correlation needs two equations or more, each once",
    ),
    "logit tied": row(
        {"buyers": BUYERS, "upgrading": equation("upgraded")},
        {"residual_correlation": TIE},
        FAMILIES.format("bernoulli"),
    ),
    "known errors tied": row(
        {
            "buyers": equation("growth", family="gaussian", standard_error="error"),
            "upgrading": equation("growth", family="gaussian"),
        },
        {"residual_correlation": TIE},
        FAMILIES.format("gaussian"),
    ),
    "tied to its own predictor": row(
        {
            "buyers": PROBIT,
            "upgrading": equation("upgraded", family="probit", predictors=["buyers"]),
        },
        {"residual_correlation": TIE},
        "residual_correlation: the residual of 'upgrading' cannot correlate with that of "
        "'buyers', which is among its predictors\n"
        "    leave one of the two out: indirect effects rest on their independence",
    ),
}


@pytest.mark.parametrize(("equations", "top", "message"), FAULTS.values(), ids=FAULTS)
def test_whole_message(equations, top, message):
    with pytest.raises(ConfigError) as caught:
        check_semantics(Analysis.model_validate(system_dict(equations, **top)), where)
    assert str(caught.value) == HEAD + message
    assert caught.value.exit_code == 2


def test_all_faults_at_once():
    equations = {
        "buyers": equation("buyers", predictors=["firms"]),
        "upgrading": equation("upgraded", predictors=["buyers", "buyers"]),
    }
    with pytest.raises(ConfigError) as caught:
        check_semantics(Analysis.model_validate(system_dict(equations)), where)
    assert [problem.where for problem in caught.value.problems] == [
        "a.yaml:equations.buyers.predictors.0",
        "a.yaml:equations.upgrading.predictors.1",
    ]


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ({"focus": "upgradng"}, "focus names 'upgradng', which is not an equation; did you mean"),
        (
            {"residual_correlation": ["buyers", "sales"]},
            "residual_correlation names 'sales', which is not an equation; known:",
        ),
    ],
)
def test_names_of_equations_that_are_none(top, message):
    equations = {"buyers": BUYERS, "upgrading": equation("upgraded")}
    with pytest.raises(ValueError, match=message):
        Analysis.model_validate(system_dict(equations, **top))


def test_a_sound_system_has_no_fault():
    equations = {
        "upgrading": equation("upgraded", family="probit", predictors=["providers"]),
        "buyers": PROBIT,
        "providers": equation("providers"),
    }
    design = system(equations, residual_correlation=TIE, focus="upgrading")
    assert design.equation_name == "upgrading"
    order = [each.equation_name for each in design.equations]
    assert order.index("providers") < order.index("upgrading")
