"""Faults of the block on ceilings: the whole of each message."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bayescluster.errors import ConfigError
from bayescluster.features.ceilings.spec import Ceilings
from bayescluster.features.problems import check_semantics
from tests.factories import analysis_of, where


def refused(family: str, **asked: Any) -> str:
    analysis = analysis_of(family)
    ceilings = Ceilings.model_validate(asked)
    traditions = analysis.traditions.model_copy(update={"ceilings": ceilings})
    with pytest.raises(ConfigError) as caught:
        check_semantics(analysis.model_copy(update={"traditions": traditions}), where)
    return str(caught.value)


def test_all_faults_at_once() -> None:
    assert refused("bernoulli", outcome_scope=(0.2, 1.5), targets=(0.1, 0.5)) == (
        "The analysis cannot be read (2 problems):\n"
        "  a.yaml:traditions.ceilings.outcome_scope: outcome_scope goes from 0.2 to 1.5, and "
        "'upgraded' is a probability or a share\n"
        "    stay between 0 and 1, or leave it out\n"
        "  a.yaml:traditions.ceilings.targets: the target 0.1 lies outside the scope of 'upgraded', "
        "from 0.2 to 1.5\n"
        "    name levels of the outcome inside its scope"
    )


def test_amounts_have_any_scope() -> None:
    analysis = analysis_of("gaussian")
    ceilings = Ceilings(outcome_scope=(-5.0, 90.0), targets=(0.0, 80.0))
    traditions = analysis.traditions.model_copy(update={"ceilings": ceilings})
    check_semantics(analysis.model_copy(update={"traditions": traditions}), where)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"supported": (0.9, 0.1)}, "supported must go from a lower to a higher number"),
        ({"scope": (0.5, 0.5)}, "scope must go from a lower to a higher number"),
        ({"outcome_scope": (3, 1)}, "outcome_scope must go from a lower to a higher number"),
        ({"targets": (0.5, 0.2)}, "targets must go from low to high, each once"),
    ],
)
def test_pairs_go_up(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Ceilings.model_validate(asked)
