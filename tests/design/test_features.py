"""What features cannot be asked: the whole message of each, before any fit."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bayescluster.errors import ConfigError
from bayescluster.features.causes.spec import Causes
from bayescluster.features.ceilings.spec import Ceilings
from bayescluster.features.problems import check_semantics
from bayescluster.spec.analysis import Analysis
from tests.factories import analysis_dict, where
from tests.helpers import row
from tests.measured import HUMAN

HEAD = "The analysis cannot be read:\n  a.yaml:"
ALONE: dict[str, Any] = {"cluster": None, "industry": None, "firm": None}


def check(block: dict[str, Any], **keys: Any) -> None:
    """Check an analysis with a block at its top, such as ``weakest_node`` or ``traditions``."""
    check_semantics(Analysis.model_validate(analysis_dict(**keys) | block), where)


def refused(block: dict[str, Any], **keys: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        check(block, **keys)
    return str(caught.value)


def causes(**keys: Any) -> dict[str, Any]:
    return {"traditions": {"causes": keys}}


WEAKEST = {
    "groups not declared": row(
        {"by": ["all", "industry"]},
        {"data": ALONE},
        ".by.1: weakest_node asks by industry, but the data declare none\n"
        "    add `industry:` with its column under data, or use `by: all`",
    ),
    "scope without effects of clusters": row(
        {"scope": "average_cluster"},
        {},
        ".scope: scope average_cluster needs effects of clusters, and none vary by cluster\n"
        "    add `cluster: [intercept]` under varying, or use `scope: observed`",
    ),
    "one cost": row(
        {"costs": {"human_capital": 2}},
        {},
        ".costs: costs lacks social_capital: gains per cost can only be compared where both have one\n"
        "    add `social_capital:`, or leave costs out",
    ),
    "budget without costs": row(
        {"budget": 100},
        {},
        ".budget: a budget can only be spent on what has a cost, and no costs are declared\n"
        "    add `costs:` of a step of both capitals, or leave budget out",
    ),
    "units of a latent capital": row(
        {"unit": "original"},
        {"constructs": {"human_capital": HUMAN}},
        ".unit: steps are asked for in original units, but human_capital is latent and has none\n"
        "    use `unit: sd`",
    ),
    "target beyond the scale": row(
        {"targets": [0.5, 1.2]},
        {},
        ".targets.1: the target 1.2 cannot be reached: the expected outcome is between 0 and 1\n"
        "    give targets on the scale of the outcome",
    ),
    "no capitals": row(
        {},
        {"structure": "intercept"},
        ": weakest_node compares the capitals, but 'upgrading' has structure 'intercept', which uses "
        "neither\n    leave it out, or take a structure with both capitals",
    ),
}


@pytest.mark.parametrize(("block", "keys", "message"), WEAKEST.values(), ids=WEAKEST)
def test_weakest_node(block, keys, message):
    assert refused({"weakest_node": block}, **keys) == f"{HEAD}weakest_node{message}"


def test_all_faults_of_the_weakest_node_at_once():
    block = {"costs": {"human_capital": 2}, "targets": [2.0, 3.0]}
    assert refused({"weakest_node": block}).count("a.yaml:weakest_node") == 3


@pytest.mark.parametrize(
    ("block", "keys", "message"),
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
def test_causes(block, keys, message):
    assert refused(causes(**block), **keys) == f"{HEAD}traditions.causes{message}"


def test_ceilings():
    ceilings = {"outcome_scope": (0.2, 1.5), "targets": (0.1, 0.5)}
    assert refused({"traditions": {"ceilings": ceilings}}) == (
        "The analysis cannot be read (2 problems):\n"
        "  a.yaml:traditions.ceilings.outcome_scope: outcome_scope goes from 0.2 to 1.5, and "
        "'upgraded' is a probability or a share\n"
        "    stay between 0 and 1, or leave it out\n"
        "  a.yaml:traditions.ceilings.targets: the target 0.1 lies outside the scope of 'upgraded', "
        "from 0.2 to 1.5\n"
        "    name levels of the outcome inside its scope"
    )


ANSWERED = [
    *(
        ({"weakest_node": block}, keys)
        for block, keys in (
            ({}, {}),
            (
                {"by": ["all", "industry", "cluster"], "targets": [-3.0, 12.0]},
                {"family": "gaussian"},
            ),
            ({"targets": [0.0, 1.0]}, {"family": "ordinal", "at_least": 2}),
            ({"scope": "new_cluster"}, {"varying": {"cluster": ["intercept"]}}),
            ({"costs": {"human_capital": 2, "social_capital": 1}, "budget": 10}, {}),
        )
    ),
    # what a run keeps of its analysis holds every default
    (causes(**Causes().model_dump()), {"family": "gaussian"}),
    (causes(**Causes().model_dump()), {"structure": "intercept"}),
    (causes(pn_min=0.6), {"family": "ordinal", "at_least": 2}),
    (
        {"traditions": {"ceilings": {"outcome_scope": (-5.0, 90.0), "targets": (0.0, 80.0)}}},
        {"family": "gaussian"},
    ),
]


@pytest.mark.parametrize(("block", "keys"), ANSWERED)
def test_what_can_be_answered_is_not_refused(block, keys):
    check(block, **keys)


ARMS = {"treated": {"events": 12, "firms": 10}, "control": {"events": 1, "firms": 10}}
WRONG = [
    (Causes, {"low": 0.9, "high": 0.1}, "low must be below high"),
    (
        Causes,
        {"experiment": {"capital": "human_capital", **ARMS}},
        "12 events are more than the 10 firms of the arm",
    ),
    (Ceilings, {"supported": (0.9, 0.1)}, "supported must go from a lower to a higher number"),
    (Ceilings, {"scope": (0.5, 0.5)}, "scope must go from a lower to a higher number"),
    (Ceilings, {"outcome_scope": (3, 1)}, "outcome_scope must go from a lower to a higher number"),
    (Ceilings, {"targets": (0.5, 0.2)}, "targets must go from low to high, each once"),
]


@pytest.mark.parametrize(("model", "block", "message"), WRONG)
def test_values_that_cannot_be(model, block, message):
    with pytest.raises(ValidationError, match=message):
        model.model_validate(block)


def test_clusters_as_observed_only():
    with pytest.raises(ValueError, match="by: cluster takes scope: observed, not new_cluster"):
        check({"weakest_node": {"by": ["cluster"], "scope": "new_cluster"}})
