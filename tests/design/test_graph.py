from __future__ import annotations

from itertools import pairwise

import pytest

from bayescluster.design.record import ancestors, causal_order, cycle_of
from bayescluster.spec.analysis import Analysis
from tests.systems import equation, system_dict


def equations_of(**predictors: list[str]) -> dict:
    plain = {name: equation("upgraded", predictors=found) for name, found in predictors.items()}
    return Analysis.model_validate(system_dict(plain)).equations


DIAMOND = {"last": ["left", "right"], "left": ["first"], "right": ["first"], "first": []}


def test_predictors_come_first():
    order = causal_order(equations_of(**DIAMOND))
    assert order[0] == "first"
    assert order[-1] == "last"
    assert cycle_of(equations_of(**DIAMOND)) == ()


def test_ancestors_are_direct_or_not_each_once():
    equations = equations_of(**DIAMOND, apart=[])
    assert set(ancestors(equations, "last")) == {"first", "left", "right"}
    assert ancestors(equations, "last")[0] == "first"
    assert ancestors(equations, "left") == ("first",)
    assert ancestors(equations, "first") == ancestors(equations, "apart") == ()


@pytest.mark.parametrize(
    "predictors", [{"a": ["b"], "b": ["a"]}, {"a": ["c"], "b": ["a"], "c": ["b"], "d": ["a"]}]
)
def test_a_circle_is_told_whole(predictors):
    found = cycle_of(equations_of(**predictors))
    assert found[0] == found[-1]
    assert len(found) == len(predictors.keys() - {"d"}) + 1
    for one, after in pairwise(found):
        # each feeds the next
        assert one in predictors[after]
