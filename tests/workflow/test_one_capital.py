"""Analyses that measure one capital: its effects and no claims about corners, from file to answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from bayescluster.app.run import run_analysis
from bayescluster.errors import ConfigError
from bayescluster.estimands.levels import default_levels
from bayescluster.features.problems import check_semantics
from bayescluster.inference.assemble import reported_variables
from bayescluster.report.answer import question
from bayescluster.spec.analysis import Analysis
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import analysis_dict, design_of, firms, where
from tests.instant import InstantSampler

CLAIMS = [
    {"kind": "effect", "capital": "human_capital", "by": "industry"},
    {"kind": "difference", "capital": "human_capital"},
    {"kind": "contextual", "capital": "human_capital"},
]
VARYING = {"industry": "all", "cluster": ["intercept"]}


def plain(capital: str = "human_capital", **changes: Any) -> dict[str, Any]:
    """An analysis with one capital that says nothing of its form."""
    found = analysis_dict(varying=VARYING, contextual=[capital], hypotheses=CLAIMS)
    found["constructs"] = {capital: found["constructs"][capital]}
    found["equations"]["upgrading"] |= {"structure": "additive"} | changes
    return found


def test_the_capital_alone_is_the_form() -> None:
    design = design_of(Analysis.model_validate(plain()))
    assert design.structure.name == "human_capital"
    assert design.present == ("human_capital",)
    assert design.terms == ("intercept", "human_capital", "cluster_human_capital")
    assert not design.capitals[1].any()


def test_effects_are_those_of_its_slope_and_there_are_no_corners() -> None:
    design = design_of(Analysis.model_validate(plain()))
    draws = known_draws(design, human_capital=0.8)
    evidence = Evidence(design, draws, draws, 1)
    surface = evidence.surface("observed", default_levels(design))
    assert set(surface.marginal) == {"human_capital"}
    assert not surface.corners
    industry, cluster = draws.groups["industry"], draws.groups["cluster"]
    slope = draws.population["human_capital"][:, None] + industry.effect[:, industry.member, 1]
    eta = draws.population["intercept"][:, None] + industry.effect[:, industry.member, 0]
    eta = eta + cluster.effect[:, cluster.member, 0] + slope * design.capitals[0]
    eta = eta + draws.population["cluster_human_capital"][:, None] * design.predictors[:, 0]
    chance = 1 / (1 + np.exp(-eta))
    by_hand = (chance * (1 - chance) * slope).mean(axis=1)
    np.testing.assert_allclose(surface.marginal["human_capital"][:, 0], by_hand, rtol=1e-4)


def test_a_latent_capital_rests_on_no_other() -> None:
    content = plain()
    content["constructs"]["human_capital"] = {"method": "latent", "indicators": ["a", "b"]}
    rng = np.random.default_rng(1)
    frame = firms().assign(a=rng.normal(size=48), b=rng.normal(size=48))
    design = design_of(Analysis.model_validate(content), frame)
    assert not [name for name in reported_variables(design) if "on_other" in name]


@pytest.mark.parametrize("form", ["interaction", ["conjunctive", "ces"]])
def test_forms_of_both_capitals_are_refused(form: object) -> None:
    with pytest.raises(ValidationError, match="uses both capitals: declare it, or leave structure"):
        Analysis.model_validate(plain(structure=form))


def test_claims_about_what_is_not_measured_are_refused_all_at_once() -> None:
    content = plain()
    content["hypotheses"] = [
        {"kind": "joint_sufficiency", "by": "all"},
        {"kind": "effect", "capital": "social_capital"},
        {"kind": "necessary", "capital": "human_capital"},
    ]
    content["weakest_node"] = {}
    with pytest.raises(ConfigError) as refused:
        check_semantics(Analysis.model_validate(content), where)
    told = [problem.what for problem in refused.value.problems]
    assert len(told) == 4
    assert told[0].startswith("joint_sufficiency is about both capitals")
    assert told[1].startswith("effect is about social_capital")


@pytest.mark.parametrize("capital", ["human_capital", "social_capital"])
def test_a_run_answers_by_effects(
    capital: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    InstantSampler().stand_in(monkeypatch)
    firms(96, industries=2, clusters=4).to_csv(tmp_path / "firms.csv", index=False)
    content = plain(capital)
    content["hypotheses"] = [one | {"capital": capital} for one in CLAIMS]
    content["sampling"] = {"draws": 60, "chains": 2}
    path = tmp_path / "analysis.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    finished = run_analysis(path, tmp_path / "runs")
    results = finished.results
    assert {row.capital for row in results.effects} == {capital}
    assert not results.corners
    assert results.claims is None
    assert {verdict.kind for verdict in results.verdicts} == {one["kind"] for one in CLAIMS}
    assert capital.replace("_", " ") in question(results)
    page = (finished.directory.path / "report.html").read_text(encoding="utf-8")
    absent = {"human_capital": "Social capital", "social_capital": "Human capital"}[capital]
    assert absent not in page
