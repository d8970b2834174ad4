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
from bayescluster.spec.columns import needed_columns
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


@pytest.mark.parametrize(("keys", "message"), INVALID)
def test_contradictions_within_a_part(keys, message, folder):
    path = Path(folder) / "b.yaml"
    path.write_text(yaml_of(analysis_dict(**keys)), encoding="utf-8")
    with pytest.raises(Exception, match="The analysis cannot be read") as caught:
        load_analysis(path)
    (problem,) = caught.value.problems
    assert problem.what == message
