from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from bayescluster.spec.scenario import Scenario

type Raw = dict[str, Any]


def _twice_named(raw: Raw) -> None:
    raw["industries"][1]["clusters"][0]["name"] = "Jepara furniture"


def _industry_left_out(raw: Raw) -> None:
    del raw["learning"][0]["by_industry"]["Resource-based"]


def _unknown_form(raw: Raw) -> None:
    raw["outcomes"][0]["learning"]["learning_rivals"] = 0.1


def _unknown_shift(raw: Raw) -> None:
    raw["industries"][0]["clusters"][0]["shifts"]["trusts"] = 0.1


def _unknown_missing(raw: Raw) -> None:
    raw["missing"]["shares"]["age"] = 0.1


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_twice_named, "Value error, cluster 'Jepara furniture' is named 2 times"),
        (
            _industry_left_out,
            "Value error, learning_buyers: industry 'Resource-based' is missing from by_industry",
        ),
        (_unknown_form, "Value error, process_upgrading: 'learning_rivals' is no learning form"),
        (
            _unknown_shift,
            "Value error, cluster 'Jepara furniture' shifts 'trusts', which is no indicator",
        ),
        (_unknown_missing, "Value error, missing: 'age' is neither an indicator nor firm_age"),
    ],
)
def test_names_must_agree(raw: Raw, spoil: Callable[[Raw], None], message: str) -> None:
    spoilt = copy.deepcopy(raw)
    spoil(spoilt)
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(spoilt)
    assert [error["msg"] for error in caught.value.errors()] == [message]


def test_all_wrong_names_are_told_at_once(raw: Raw) -> None:
    spoilt = copy.deepcopy(raw)
    _unknown_form(spoilt)
    _unknown_missing(spoilt)
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(spoilt)
    assert caught.value.errors()[0]["msg"] == (
        "Value error, process_upgrading: 'learning_rivals' is no learning form; "
        "missing: 'age' is neither an indicator nor firm_age"
    )


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ("industries", 0, "profile", "tier_shares"),
            [0.5, 0.5, 0.5, 0.0],
            "Value error, tier_shares sum to 1.5, not 1: change them so that they do",
        ),
        (
            ("industries", 0, "social_weights", "bonding"),
            0.5,
            "Value error, the weights sum to 0.9, not 1: change them so that they do",
        ),
        (
            ("indicators", 0, "loadings"),
            {"human_capital": 1.0},
            "Value error, tertiary_share: the squared loadings sum to 1 or more: lower them",
        ),
        (
            ("indicators", 3, "thresholds"),
            [],
            "Value error, engineers_employed: binary needs 1 thresholds, found 0",
        ),
        (
            ("indicators", 4, "thresholds"),
            [0.0, 1.0, 0.5, 2.0],
            "Value error, the thresholds must rise",
        ),
        (
            ("outcomes", 4, "family", "thresholds"),
            [1.0, 0.0],
            "Value error, the thresholds must rise",
        ),
        (("outcomes", 0, "prior"), 1, "Extra inputs are not permitted"),
    ],
)
def test_faults_of_one_value(
    raw: Raw, path: tuple[str | int, ...], value: object, message: str
) -> None:
    spoilt = copy.deepcopy(raw)
    place: Any = spoilt
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(spoilt)
    assert [error["msg"] for error in caught.value.errors()] == [message]


def test_scenario_cannot_change(scenario: Scenario) -> None:
    with pytest.raises(ValidationError, match="Instance is frozen"):
        scenario.seed = 1  # type: ignore[misc]


def test_scenario_survives_json(scenario: Scenario) -> None:
    assert Scenario.model_validate_json(scenario.model_dump_json()) == scenario
