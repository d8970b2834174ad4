from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from bayescluster.spec.scenario import Scenario

type Raw = dict[str, Any]


def spoil(raw: Raw, path: tuple[str | int, ...], value: object) -> None:
    """Put a value at a path, or leave out what is there."""
    *way, last = path
    place: Any = raw
    for key in way:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value


def refused(raw: Raw, *changes: tuple[tuple[str | int, ...], object]) -> list[str]:
    spoilt = copy.deepcopy(raw)
    for path, value in changes:
        spoil(spoilt, path, value)
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(spoilt)
    return [error["msg"] for error in caught.value.errors()]


def test_all_wrong_names_are_reported_at_once(raw: Raw) -> None:
    form, share = ("outcomes", 0, "learning", "learning_rivals"), ("missing", "shares", "age")
    (message,) = refused(raw, (form, 0.1), (share, 0.1))
    assert message == (
        "Value error, process_upgrading: 'learning_rivals' is not a learning form; "
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
        (
            ("outcomes", 4, "family", "thresholds"),
            [],
            "Value should have at least 1 item after validation, not 0",
        ),
        (("industries", 0, "profile", "age_mean"), 0, "Input should be greater than 0"),
        (("outcomes", 0, "prior"), 1, "Extra inputs are not permitted"),
        (
            ("industries", 1, "clusters", 0, "name"),
            "Jepara furniture",
            "Value error, cluster 'Jepara furniture' is named 2 times",
        ),
        (
            ("learning", 0, "by_industry", "Resource-based"),
            None,
            "Value error, learning_buyers: industry 'Resource-based' is missing from by_industry",
        ),
        (
            ("industries", 0, "clusters", 0, "shifts", "trusts"),
            0.1,
            "Value error, cluster 'Jepara furniture' shifts 'trusts', which is not an indicator",
        ),
    ],
)
def test_faults_of_one_value(
    raw: Raw, path: tuple[str | int, ...], value: object, message: str
) -> None:
    assert refused(raw, (path, value)) == [message]


def test_an_industry_has_clusters(raw: Raw) -> None:
    messages = refused(raw, (("industries", 0, "clusters"), []))
    assert "Tuple should have at least 1 item after validation, not 0" in messages


def test_scenario_cannot_change(scenario: Scenario) -> None:
    with pytest.raises(ValidationError, match="Instance is frozen"):
        scenario.seed = 1  # type: ignore[misc]


def test_scenario_survives_json(scenario: Scenario) -> None:
    assert Scenario.model_validate_json(scenario.model_dump_json()) == scenario
