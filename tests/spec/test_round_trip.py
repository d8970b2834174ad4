from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from bayescluster.families import FAMILIES
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import (
    asked_groupings,
    group_columns,
    label_columns,
    moderators,
    needed_columns,
)
from bayescluster.spec.data import Data
from bayescluster.spec.explain import schema_text
from bayescluster.spec.load import load_analysis
from bayescluster.structures import STRUCTURES
from tests.factories import analysis_dict

COLUMNS = st.text(
    st.characters(codec="utf-8", categories=("L", "N"), include_characters="_ .-#:'\""),
    min_size=1,
    max_size=8,
)
SCALARS = st.one_of(
    COLUMNS, st.integers(-99, 99), st.booleans(), st.floats(-1e3, 1e3, allow_nan=False)
)
POSITIVE = st.floats(1e-3, 1e3)
CAPITALS = ("human_capital", "social_capital")

REAL_PRIORS = st.one_of(
    st.fixed_dictionaries({"distribution": st.just("normal"), "sd": POSITIVE}),
    st.fixed_dictionaries({"distribution": st.just("student_t"), "scale": POSITIVE}),
)
POSITIVE_PRIORS = st.one_of(
    st.fixed_dictionaries({"distribution": st.just("half_normal"), "sd": POSITIVE}),
    st.fixed_dictionaries({"distribution": st.just("exponential"), "rate": POSITIVE}),
    st.fixed_dictionaries({"distribution": st.just("gamma"), "shape": POSITIVE, "rate": POSITIVE}),
)
CASES = st.fixed_dictionaries(
    {"cases": COLUMNS, "strength": st.floats(1e-3, 20)}, optional={"outcome": COLUMNS}
)
CLAIMS = st.one_of(
    st.fixed_dictionaries(
        {"kind": st.just("effect"), "capital": st.sampled_from(CAPITALS)},
        optional={"margin": POSITIVE, "by": st.sampled_from(("all", "cluster"))},
    ),
    st.fixed_dictionaries(
        {"kind": st.just("necessary"), "capital": st.sampled_from(CAPITALS)}
        | {"eps": st.floats(-100, 100)},
        optional={"low": st.floats(0.01, 0.4), "min_support": st.integers(0, 9)},
    ),
    st.fixed_dictionaries({"kind": st.just("difference"), "capital": st.sampled_from(CAPITALS)}),
    st.fixed_dictionaries(
        {"kind": st.just("complementarity")},
        optional={
            "anchors": st.just({"human_capital": {"low": 0.5, "high": 3}}),
            "scope": st.sampled_from(("observed", "average_cluster", "new_cluster")),
        },
    ),
)
CONTROLS = st.one_of(
    COLUMNS,
    st.fixed_dictionaries(
        {"column": COLUMNS},
        optional={"transform": st.sampled_from(("log", "square")), "spline": st.integers(3, 9)},
    ),
    st.fixed_dictionaries({"product": st.tuples(COLUMNS, COLUMNS).map(list)}),
)


@st.composite
def analyses(draw: st.DrawFn) -> dict[str, Any]:
    structure = draw(st.sampled_from(list(STRUCTURES)))
    terms = st.lists(
        st.sampled_from(STRUCTURES[structure].terms), min_size=1, max_size=3, unique=True
    )
    varying = st.one_of(terms, st.fixed_dictionaries({"terms": terms, "centred": st.booleans()}))
    raw = analysis_dict(
        draw(st.sampled_from(list(FAMILIES))),
        structure,
        draw(st.dictionaries(st.one_of(st.just("cluster"), COLUMNS), varying, max_size=2)),
        {
            "missing_values": draw(st.lists(SCALARS, max_size=3)),
            "keep": draw(
                st.lists(
                    st.fixed_dictionaries(
                        {"column": COLUMNS, "one_of": st.lists(SCALARS, min_size=1, max_size=3)}
                    ),
                    max_size=2,
                )
            ),
        },
        hypotheses=[] if structure == "intercept" else draw(st.lists(CLAIMS, max_size=3)),
        controls=draw(st.lists(CONTROLS, max_size=3)),
        priors={
            "terms": draw(st.dictionaries(COLUMNS, REAL_PRIORS, max_size=2)),
            "group_sd": draw(st.dictionaries(COLUMNS, POSITIVE_PRIORS, max_size=2)),
        }
        | draw(st.fixed_dictionaries({}, optional={"from": CASES})),
    )
    return raw | {
        "description": draw(st.text(st.characters(codec="ascii"), max_size=20).map(ascii))
    }


def yaml_of(content: Any) -> str:
    stream = io.StringIO()
    YAML(typ="safe", pure=True).dump(content, stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("analyses")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=analyses())
def test_an_analysis_is_the_same_through_yaml(raw, folder):
    wanted = Analysis.model_validate(raw)
    path = Path(folder) / "a.yaml"
    path.write_text(yaml_of(raw), encoding="utf-8")
    assert load_analysis(path).value == wanted
    # and as resolved, with every default written out
    path.write_text(yaml_of(wanted.model_dump(mode="json")), encoding="utf-8")
    assert load_analysis(path).value == wanted


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=analyses())
def test_the_schema_accepts_every_analysis(raw):
    Draft202012Validator(json.loads(schema_text())).validate(raw)


def test_the_schema_refuses_unknown_keys():
    schema = Draft202012Validator(json.loads(schema_text()))
    assert not list(schema.iter_errors(analysis_dict()))
    assert list(schema.iter_errors(analysis_dict() | {"samplng": {}}))
    assert list(schema.iter_errors(analysis_dict(famly="poisson")))


def test_columns_that_an_analysis_names():
    analysis = Analysis.model_validate(
        analysis_dict(
            "binomial",
            varying={"cluster": ["intercept"], "year": ["intercept"]},
            constructs={
                "human_capital": {
                    "indicators": ["a", {"column": "b"}],
                    "method": "mean",
                    "minimum_answered": 1,
                }
            },
            controls=["size", {"product": ["size", "human_capital"]}, {"column": "age"}],
        )
    )
    base = ("equations", "upgrading")
    assert [
        (item.column, item.role, item.path, item.optional) for item in needed_columns(analysis)
    ] == [
        ("firm", "firm", ("data", "firm"), False),
        ("cluster", "cluster", ("data", "cluster"), False),
        ("industry", "industry", ("data", "industry"), False),
        ("a", "indicator of human_capital", ("constructs", "human_capital", "indicators", 0), True),
        ("b", "indicator of human_capital", ("constructs", "human_capital", "indicators", 1), True),
        (
            "trust",
            "indicator of social_capital",
            ("constructs", "social_capital", "indicators", 0),
            False,
        ),
        ("successes", "outcome", (*base, "outcome"), False),
        ("attempts", "trials", (*base, "trials"), False),
        ("size", "control", (*base, "controls", 0), False),
        ("age", "control", (*base, "controls", 2), False),
        ("year", "grouping", (*base, "varying", "year"), False),
    ]


ROLES = {"firm": "id", "cluster": "town", "industry": "sector"}


def test_columns_that_name_groups_are_text():
    """A key is made of groups too; what only has labels to compare is text, and no group."""
    data = ROLES | {
        "derive": [
            {"kind": "combine", "name": "town", "of": ["region", "place"]},
            {"kind": "combine", "name": "other", "of": ["c", "d"]},
            {"kind": "log", "name": "sector", "of": "x"},
            {"kind": "recode", "name": "big", "of": "size", "values": {1: 0}},
            {"kind": "group_mean", "name": "m", "of": "trust", "by": "district"},
            {"kind": "scale", "name": "s", "of": "sales"},
        ],
        "keep": [{"column": "country", "one_of": ["NO"]}],
        "exclude": [{"column": "wave", "one_of": [1]}, {"column": "age", "below": 2}],
        "fix": [{"column": "staff", "where": {"questionnaire": 7}, "to": 3}],
    }
    analysis = Analysis.model_validate(
        analysis_dict(
            data=data,
            varying={"cluster": ["intercept"], "panel": ["intercept"]},
            controls=[
                {"column": "owner", "coding": "sum"},
                {"column": "grade", "monotonic": True},
                {"column": "size", "transform": "log"},
            ],
            hypotheses=[{"kind": "effect", "capital": "human_capital", "by": ["industry", "tier"]}],
        )
    )
    groups = {"id", "town", "sector", "panel", "region", "place"}
    assert group_columns(analysis) == groups
    labels = {"c", "d", "size", "district", "country", "wave", "questionnaire", "tier"}
    assert label_columns(analysis) == groups | labels | {"owner", "grade"}


def test_what_asks_for_groups_is_named_with_its_place():
    claim = {"kind": "effect", "capital": "human_capital"}
    raw = analysis_dict(hypotheses=[claim, claim | {"by": "tier"}])
    analysis = Analysis.model_validate(raw | {"traditions": {"by": ["all", "cluster"]}})
    assert [(one.by, one.path, one.what) for one in asked_groupings(analysis)] == [
        ("industry", ("hypotheses", 0), "effect"),
        ("tier", ("hypotheses", 1, "by"), "effect"),
        ("all", ("traditions", "by", 0), "traditions"),
        ("cluster", ("traditions", "by", 1), "traditions"),
    ]
    assert moderators(analysis) == ("tier",)


def test_codes_for_no_answer():
    same = Data.model_validate({"source": "f.csv", "missing_values": [-9]})
    own = {"default": [-9], "staff": [], "town": ["?"]}
    apart = Data.model_validate({"source": "f.csv", "missing_values": own})
    for data, column, group, codes in (
        (same, "staff", False, (-9,)),
        (same, "town", True, ()),
        (apart, "sales", False, (-9,)),
        (apart, "staff", False, ()),
        (apart, "firm", True, ()),
        (apart, "town", True, ("?",)),
    ):
        assert data.codes_of(column, group) == codes


INVALID = [
    ({"varying": {"cluster": ["intercept", "intercept"]}}, "a term is listed twice"),
    (
        {"varying": {"cluster": {"terms": ["intercept"], "centred": ["human_capital"]}}},
        "centred names 'human_capital', which does not vary here",
    ),
    (
        {"varying": {"cluster": {"terms": ["intercept"], "correlated": True}}},
        "correlated effects need at least two terms",
    ),
    (
        {
            "varying": {
                "cluster": {
                    "terms": ["intercept", "human_capital"],
                    "centred": ["intercept"],
                    "correlated": True,
                }
            }
        },
        "correlated effects are centred all together, or not at all",
    ),
    (
        {"controls": [{"column": "a", "coding": "sum", "transform": "log"}]},
        "a categorical control (coding) takes no transform",
    ),
    (
        {"controls": [{"column": "a", "coding": "sum", "reference": "x"}]},
        "reference goes with coding: treatment only",
    ),
    (
        {"controls": [{"column": "a", "coding": "sum", "spline": 4}]},
        "a spline is of numbers: leave out coding, or spline",
    ),
    (
        {"controls": [{"column": "a", "standardise": False, "spline": 4}]},
        "a spline is the same in any unit: leave out standardise",
    ),
    (
        {"controls": [{"column": "a", "monotonic": True, "transform": "log"}]},
        "a monotonic control takes its levels as they are: leave out transform",
    ),
    (
        {"controls": [{"column": "a", "monotonic": True, "spline": 4}]},
        "a monotonic control takes its levels as they are: leave out spline",
    ),
    ({"controls": [{"column": "a", "levels": [1, 2, 3]}]}, "levels go with monotonic: true only"),
    (
        {"controls": [{"column": "a", "monotonic": True, "levels": ["low", "mid", "low"]}]},
        "a level is listed twice",
    ),
    (
        {"data": {"derive": [{"kind": "log", "name": "x", "of": "a"}] * 2}},
        "the derived column 'x' is declared twice",
    ),
    (
        {"data": {"derive": [{"kind": "ratio", "name": "x", "of": ["a", "b", "c"]}]}},
        "a ratio is of two columns, 3 given",
    ),
    (
        {"data": {"exclude": [{"column": "a", "below": 5, "above": 2}]}},
        "below must not be above `above`: no row would be left",
    ),
    ({"data": {"exclude": [{"column": "a"}]}}, "an exclusion says which rows are left out"),
    (
        {"data": {"exclude": [{"column": "a", "one_of": [1], "above": 2}]}},
        "one_of goes with labels, below and above with numbers",
    ),
    ({"data": {"fix": [{"column": "a", "to": 1}]}}, "a fix says which cells it corrects"),
    (
        {"data": {"fix": [{"column": "a", "row": 1, "where": {"b": 2}, "to": 1}]}},
        "a fix says which cells it corrects",
    ),
    ({"data": {"decimal": ",", "thousands": ","}}, "decimal and thousands are both ','"),
    (
        {"constructs": {"human_capital": {"indicators": ["a"], "method": "pca"}}},
        "method 'pca' takes at least two indicators",
    ),
    (
        {"constructs": {"human_capital": {"indicators": ["a", "a"], "method": "mean"}}},
        "an indicator is listed twice",
    ),
    (
        {
            "constructs": {
                "human_capital": {"indicators": ["a", "b"], "method": "mean", "minimum_answered": 3}
            }
        },
        "minimum_answered is 3, but there are 2 indicators",
    ),
    (
        {"hypotheses": [{"kind": "complementarity", "low": 0.6, "high": 0.5}]},
        "low must be below high",
    ),
    (
        {
            "hypotheses": [
                {"kind": "sufficient", "capital": "human_capital"} | {"theta": 0.5, "ratio": 0.2}
            ]
        },
        "give one region, not theta and ratio",
    ),
]


@pytest.mark.parametrize("bounds", [{"below": 2}, {"above": 5}, {"below": 2, "above": 2}])
def test_rows_are_left_out_beyond_one_bound_or_two(bounds):
    (found,) = Data.model_validate(
        {"source": "f.csv", "exclude": [{"column": "a"} | bounds]}
    ).exclude
    assert found.model_dump(exclude_none=True) == {"column": "a", "one_of": ()} | bounds


@pytest.mark.parametrize(("keys", "message"), INVALID)
def test_contradictions_within_a_part(keys, message, folder):
    path = Path(folder) / "b.yaml"
    path.write_text(yaml_of(analysis_dict(**keys)), encoding="utf-8")
    with pytest.raises(Exception, match="The analysis cannot be read") as caught:
        load_analysis(path)
    (problem,) = caught.value.problems
    assert problem.what == message
