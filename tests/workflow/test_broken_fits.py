"""Fits that are broken on purpose: each is caught, with the advice that names the right thing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from bayescluster.app.run import Retried, run_analysis, run_with_retries
from bayescluster.results.model import Results
from tests.quick import without_report, without_traditions

ANALYSIS = """\
name: broken
data: {{source: firms.csv, firm: firm, cluster: cluster}}
constructs:
  human_capital: {{indicators: [training], method: single}}
  social_capital: {{indicators: [trust], method: single}}
equations:
  upgrading:
    outcome: y
    family: {family}
    structure: additive
    varying: {varying}
sampling: {{draws: 500, tune: 300, chains: 2, seed: 3, prior_draws: 200}}
hypotheses:
  - {{kind: effect, capital: human_capital, by: all}}
"""


def written(
    folder: Path, family: str, varying: str = "{}", clusters: int = 4, **columns: np.ndarray
) -> Path:
    """Write the analysis and its firms."""
    rows = len(columns["y"])
    table = {
        "firm": [f"f{k}" for k in range(rows)],
        "cluster": [f"C{k % clusters}" for k in range(rows)],
    }
    pd.DataFrame(table | columns).to_csv(folder / "firms.csv", index=False)
    path = folder / "analysis.yaml"
    path.write_text(ANALYSIS.format(family=family, varying=varying), encoding="utf-8")
    return path


def bare_run(config: Path, folder: Path) -> Results:
    """Results of a real fit, without what the gate and its reasons do not rest on."""
    with pytest.MonkeyPatch.context() as patch:
        without_traditions(patch)
        without_report(patch)
        return run_analysis(config, folder / "runs").results


def counts(folder: Path, family: str, apart: float) -> Results:
    """Counts that spread more than a poisson model makes; ``apart``: how the capitals differ."""
    rng = np.random.default_rng(33)
    human = rng.normal(size=120)
    social = human + apart * rng.normal(size=120)
    mean = np.exp(1 + 0.3 * human)
    upgrades = rng.negative_binomial(0.5, 0.5 / (0.5 + mean))
    config = written(folder, family, training=human, trust=social, y=upgrades)
    return bare_run(config, folder)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A poisson model of such counts, of firms whose capitals rise together."""
    return counts(tmp_path_factory.mktemp("crowded"), "poisson", apart=0.25)


@pytest.fixture(scope="module")
def advised(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The family that is advised, and firms that have one capital without the other."""
    return counts(tmp_path_factory.mktemp("advised"), "negative_binomial", apart=3.0)


def kinds(results: Results) -> dict[str, list[str]]:
    """Advice by kind of reason."""
    found: dict[str, list[str]] = {}
    for reason in results.gate.reasons:
        found.setdefault(reason.kind, []).append(reason.advice)
    return found


def test_overdispersed_counts_name_the_family(crowded: Results) -> None:
    (advice,) = kinds(crowded)["misspecified_family"]
    assert "negative_binomial" in advice
    (reason,) = [one for one in crowded.gate.reasons if one.kind == "misspecified_family"]
    assert "sd" in reason.parameters


def test_collinear_capitals_are_named(crowded: Results) -> None:
    (advice,) = kinds(crowded)["collinear_capitals"]
    assert "tell the capitals apart" in advice


def test_empty_corners_are_named(crowded: Results) -> None:
    corners = [one for one in crowded.gate.reasons if one.kind == "empty_corner"]
    assert [one.parameters for one in corners] == [("corner HL",), ("corner LH",)]
    assert all("not on firms" in one.advice for one in corners)


def test_a_separated_logit_names_the_predictor(tmp_path: Path) -> None:
    rng = np.random.default_rng(33)
    human, social = rng.normal(size=80), rng.normal(size=80)
    upgraded = (human > 0.2).astype(int)
    config = written(tmp_path, "bernoulli", training=human, trust=social, y=upgraded)
    results = bare_run(config, tmp_path)
    (reason,) = [one for one in results.gate.reasons if one.kind == "separation"]
    assert reason.parameters == ("human_capital",)
    assert "complete separation" in reason.found
    assert "prior" in reason.advice


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["misspecified_family", "collinear_capitals", "empty_corner"])
def test_what_was_advised_repairs_it(crowded: Results, advised: Results, kind: str) -> None:
    assert kind in kinds(crowded)
    assert kind not in kinds(advised)
    assert advised.gate.passed


@pytest.mark.slow
def test_firms_that_break_the_rule_end_the_separation(tmp_path: Path) -> None:
    rng = np.random.default_rng(33)
    human, social = rng.normal(size=80), rng.normal(size=80)
    upgraded = (human + rng.logistic(size=80) > 0.2).astype(int)
    config = written(tmp_path, "bernoulli", training=human, trust=social, y=upgraded)
    results = bare_run(config, tmp_path)
    assert "separation" not in kinds(results)
    assert results.gate.passed


@pytest.fixture(scope="module")
def funnel(tmp_path_factory: pytest.TempPathFactory) -> Retried:
    """A gaussian outcome that hardly differs between five clusters, their effects centred."""
    folder, rng = tmp_path_factory.mktemp("funnel"), np.random.default_rng(33)
    human, social = rng.normal(size=40), rng.normal(size=40)
    growth = human + 3 * rng.normal(size=40)
    varying = "{cluster: {terms: [intercept], centred: true}}"
    config = written(
        folder, "gaussian", varying, clusters=5, training=human, trust=social, y=growth
    )
    return run_with_retries(config, folder / "runs")


@pytest.mark.slow
def test_a_funnel_names_its_grouping_and_is_repaired(funnel: Retried) -> None:
    first, *rest = funnel.attempts
    assert not first.gate_passed
    assert "Divergences" in first.failing
    changes = {change.setting: change for change in rest[0].changes}
    way = changes["equations.upgrading.varying.cluster.centred"]
    assert (way.before, way.after) == ("[intercept]", "false")
    assert "sampling.target_accept" in changes
    assert funnel.last.passed
    lines = YAML(typ="safe").load(funnel.attempts[-1].settings)
    assert lines["equations"]["upgrading"]["varying"]["cluster"]["centred"] is False
