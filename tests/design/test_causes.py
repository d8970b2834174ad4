from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bayescluster.errors import ConfigError
from bayescluster.features.causes.spec import Causes
from bayescluster.features.problems import check_semantics
from bayescluster.spec.analysis import Analysis
from tests.factories import analysis_dict, where

HEAD = "The analysis cannot be read:\n  a.yaml:traditions.causes"


def check(causes: dict[str, Any], **keys: Any) -> None:
    plain = analysis_dict(**keys) | {"traditions": {"causes": causes}}
    check_semantics(Analysis.model_validate(plain), where)


@pytest.mark.parametrize(
    ("causes", "keys", "message"),
    [
        pytest.param(
            {"pn_min": 0.6},
            {"family": "gaussian"},
            ": traditions: causes needs an outcome that comes or does not, and the expected outcome "
            "of family gaussian is no probability\n    leave causes out, or take another outcome, "
            "such as an ordinal one with `at_least:`",
        ),
        pytest.param(
            {"pn_min": 0.6},
            {"structure": "intercept"},
            ": traditions: causes asks about the capitals, but the analysis declares none\n"
            "    leave causes out, or declare constructs",
        ),
        pytest.param(
            {"low": 0.2, "anchors": {"human_capital": {"low": 1, "high": 2}}},
            {},
            ".anchors.human_capital: traditions: causes has both quantiles and anchors for "
            "human_capital\n    leave out low and high, or the anchors",
        ),
    ],
)
def test_faults_of_the_block_are_told_before_the_fit(causes, keys, message):
    with pytest.raises(ConfigError) as raised:
        check(causes, **keys)
    assert str(raised.value) == f"{HEAD}{message}"


def test_a_block_that_says_nothing_new_is_never_at_fault():
    # what a run keeps of its analysis holds every default
    plain = Causes().model_dump()
    check(plain, family="gaussian")
    check(plain, structure="intercept")
    check({"pn_min": 0.6}, family="ordinal", at_least=2)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"low": 0.9, "high": 0.1}, "low must be below high"),
        (
            {
                "experiment": {
                    "capital": "human_capital",
                    "treated": {"events": 12, "firms": 10},
                    "control": {"events": 1, "firms": 10},
                }
            },
            "12 events are more than the 10 firms of the arm",
        ),
    ],
)
def test_values_that_cannot_be(block, message):
    with pytest.raises(ValidationError, match=message):
        Causes.model_validate(block)
