"""Every way to ask for the weakest node that cannot be answered, and the whole message of each."""

from __future__ import annotations

from typing import Any

import pytest

from bayescluster.errors import ConfigError
from bayescluster.features.problems import check_semantics
from bayescluster.spec.analysis import Analysis
from tests.factories import analysis_dict, where
from tests.measured import HUMAN

HEAD = "The analysis cannot be read:\n  a.yaml:weakest_node"
ALONE: dict[str, Any] = {"cluster": None, "industry": None, "firm": None}

FAULTS = [
    pytest.param(
        {"by": ["all", "industry"]},
        {"data": ALONE},
        ".by: weakest_node asks by industry, but the data declare none\n"
        "    name the industry column under data, or leave industry out",
        id="groups not declared",
    ),
    pytest.param(
        {"scope": "new_cluster", "by": ["all"]},
        {"data": ALONE},
        ".scope: scope new_cluster needs clusters, but the data declare none\n"
        "    add `cluster:` with its column under data, or use `scope: observed`",
        id="scope without clusters",
    ),
    pytest.param(
        {"scope": "average_cluster"},
        {},
        ".scope: scope average_cluster needs effects of clusters, and none vary by cluster\n"
        "    add `cluster: [intercept]` under varying, or use `scope: observed`",
        id="scope without effects of clusters",
    ),
    pytest.param(
        {"costs": {"human_capital": 2}},
        {},
        ".costs: costs lacks social_capital: gains per cost can only be compared where both have one\n"
        "    add `social_capital:`, or leave costs out",
        id="one cost",
    ),
    pytest.param(
        {"budget": 100},
        {},
        ".budget: a budget can only be spent on what has a cost, and no costs are declared\n"
        "    add `costs:` of a step of both capitals, or leave budget out",
        id="budget without costs",
    ),
    pytest.param(
        {"unit": "original"},
        {"constructs": {"human_capital": HUMAN}},
        ".unit: steps are asked for in original units, but human_capital is latent and has none\n"
        "    use `unit: sd`",
        id="units of a latent capital",
    ),
    pytest.param(
        {"targets": [0.5, 1.2]},
        {},
        ".targets.1: the target 1.2 cannot be reached: the expected outcome is between 0 and 1\n"
        "    give targets on the scale of the outcome",
        id="target beyond the scale",
    ),
    pytest.param(
        {"targets": [-1]},
        {"family": "poisson"},
        ".targets.0: the target -1 cannot be reached: the expected outcome is never below 0\n"
        "    give targets on the scale of the outcome",
        id="target below a count",
    ),
    pytest.param(
        {},
        {"structure": "intercept"},
        ": weakest_node compares the capitals, but 'upgrading' has structure 'intercept', which uses "
        "neither\n    leave it out, or take a structure with both capitals",
        id="no capitals",
    ),
]


def asked(block: dict[str, Any], **keys: Any) -> Analysis:
    return Analysis.model_validate(analysis_dict(**keys) | {"weakest_node": block})


@pytest.mark.parametrize(("block", "keys", "message"), FAULTS)
def test_message(block, keys, message):
    with pytest.raises(ConfigError) as caught:
        check_semantics(asked(block, **keys), where)
    assert str(caught.value) == HEAD + message


def test_all_at_once():
    block = {"costs": {"human_capital": 2}, "targets": [2.0, 3.0]}
    with pytest.raises(ConfigError) as caught:
        check_semantics(asked(block), where)
    assert str(caught.value).count("a.yaml:weakest_node") == 3


@pytest.mark.parametrize(
    ("block", "keys"),
    [
        ({}, {}),
        ({"by": ["all", "industry", "cluster"], "targets": [-3.0, 12.0]}, {"family": "gaussian"}),
        ({"targets": [0.0, 1.0]}, {"family": "ordinal", "at_least": 2}),
        ({"scope": "new_cluster"}, {"varying": {"cluster": ["intercept"]}}),
        ({"costs": {"human_capital": 2, "social_capital": 1}, "budget": 10}, {}),
    ],
)
def test_what_can_be_answered_is_not_refused(block, keys):
    check_semantics(asked(block, **keys), where)


def test_clusters_as_observed_only():
    with pytest.raises(ValueError, match="by: cluster takes scope: observed, not new_cluster"):
        asked({"by": ["cluster"], "scope": "new_cluster"})
