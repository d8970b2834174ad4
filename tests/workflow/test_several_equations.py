"""A whole run of several equations, with draws that come at once; and its tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bayescluster.app.prepare import design_summary
from bayescluster.app.run import run_analysis
from bayescluster.checks.convergence import convergence_gate
from bayescluster.features.learning.compute import learned, learning_estimands, learning_results
from bayescluster.spec.load import yaml_text
from tests.systems import equation, learners, system, system_dict, system_draws

VARYING = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}
EQUATIONS = {
    "buyers": equation("buyers", varying=VARYING, controls=["exporter"]),
    "providers": equation("providers", varying={"cluster": ["intercept"]}, controls=["exporter"]),
    "process": equation("process", predictors=["buyers"], controls=["exporter"]),
    "upgrading": equation(
        "upgraded",
        structure="interaction",
        predictors=["buyers", "providers"],
        controls=["exporter"],
        varying={"industry": ["intercept", "buyers"], "cluster": ["intercept"]},
    ),
}
SAMPLING = {"draws": 60, "tune": 10, "chains": 2, "seed": 3, "prior_draws": 100}
CLAIM = {"kind": "complementarity", "by": "industry"}


def systems_of(design, size=400):
    turned = [design, *(design.turned_to(each.equation_name) for each in design.others)]
    return [(each, replace(system_draws(each, size), chains=2)) for each in turned]


@pytest.fixture(scope="module")
def design():
    return system(EQUATIONS)


@pytest.fixture(scope="module")
def found(design):
    return learned(systems_of(design))


def test_tables(found):
    results = learning_results(found)
    groups = ["all", "I0", "I1"]
    assert results.outcomes == ("upgrading", "process")  # the one in focus first
    assert set(results.forms) == {"buyers", "providers"}
    assert set(results.through) == {"buyers", "providers"}
    assert results.draws == 400
    paths = {(row.equation, row.path, row.through) for row in results.paths if row.group == "all"}
    assert paths == {
        *((name, "total", None) for name in EQUATIONS),
        *((name, path, None) for name in results.outcomes for path in ("direct", "indirect")),
        ("upgrading", "through", "buyers"),
        ("upgrading", "through", "providers"),
        ("process", "through", "buyers"),
    }
    for row in results.matrix:
        assert sum(row.ranks) == pytest.approx(1.0)
    assert [row.group for row in results.matrix[:3]] == groups
    # one form alone cannot be dominant in one industry and not in another
    assert {row.equation for row in results.dominance} == {"upgrading"}
    means = {
        (row.equation, row.capital, row.group, row.path): row.estimate.mean
        for row in results.paths
        if row.through is None
    }
    for row in results.sensitivity:
        key = (row.equation, row.capital, row.group)
        total = row.direct.mean + row.indirect.mean
        assert total == pytest.approx(means[*key, "total"])
        if row.bias == 0:
            assert row.indirect.mean == pytest.approx(means[*key, "indirect"])


def test_a_share_is_told_only_where_there_is_a_total_effect(found):
    results = learning_results(found)
    told = {(row.equation, row.capital, row.group) for row in results.mediated}
    clear = {
        (row.equation, row.capital, row.group)
        for row in results.paths
        if row.path == "total"
        and row.equation in results.outcomes
        and not row.estimate.low <= 0 <= row.estimate.high
    }
    assert told == clear


def test_every_estimand_passes_the_gate_under_a_name_of_its_own(found):
    named = learning_estimands(found)
    results = learning_results(found)
    assert len(named) == len(results.paths) + len(results.matrix)
    row = next(r for r in results.paths if r.through == "providers" and r.group == "I1")
    name = f"upgrading: through providers effect of {row.capital} (industry I1)"
    assert named[name].mean() == pytest.approx(row.estimate.mean)


def test_the_gate_takes_estimands_of_fewer_draws():
    import xarray as xr

    rng = np.random.default_rng(1)
    tree = xr.DataTree.from_dict(
        {"posterior": xr.Dataset({"a": (("chain", "draw"), rng.normal(size=(2, 1500)))})}
    )
    stuck = np.repeat([0.0, 9.0], 500) + rng.normal(size=1000)
    gate = convergence_gate(tree, {"few": stuck, "many": rng.normal(size=3000)}, 10)
    (rhat,) = (item for item in gate.items if item.name == "R-hat")
    assert rhat.passed is False
    assert rhat.worst == ("few",)
    assert "over 3 parameters and estimands" in rhat.found


def test_forms_that_are_numbers_have_no_sensitivity_analysis():
    equations = {
        "skill": equation("growth", family="gaussian"),
        "upgrading": equation("upgraded", predictors=["skill"]),
    }
    results = learning_results(learned(systems_of(system(equations), 200)))
    assert results.sensitivity == results.tipping == ()
    assert results.ways == {"upgrading": "draws"}
    assert not results.matrix[0].binary


def test_without_predictors_there_is_nothing_to_tell():
    equations = {"buyers": equation("buyers"), "upgrading": equation("upgraded")}
    assert learned(systems_of(system(equations), 20)) is None


def test_summary_names_every_equation(design):
    assert design_summary([design]).lines[2:] == (
        "equation buyers: buyers: bernoulli, additive (a + b_H H + b_S S), 1 coded control",
        "  varying by industry (2 groups): intercept, human_capital",
        "  varying by cluster (6 groups): intercept",
        "equation providers: providers: bernoulli, additive (a + b_H H + b_S S), 1 coded control",
        "  varying by cluster (6 groups): intercept",
        (
            "equation process: process: bernoulli, additive (a + b_H H + b_S S), 1 coded control, "
            "with buyers as predictors"
        ),
        (
            "equation upgrading, in focus: upgraded: bernoulli, interaction "
            "(a + b_H H + b_S S + b_HS H S), 1 coded control, with buyers, providers as predictors"
        ),
        "  varying by industry (2 groups): intercept, buyers",
        "  varying by cluster (6 groups): intercept",
        (
            "effects and claims about upgrading are total: what acts through buyers, providers is in "
            "them"
        ),
        "0 hypotheses",
        "sampling: until every check of convergence passes, but no longer than 10 minutes",
    )


def test_a_whole_run(tmp_path: Path, instant):
    learners(120).to_csv(tmp_path / "firms.csv", index=False)
    config = tmp_path / "analysis.yaml"
    plain = system_dict(EQUATIONS, sampling=SAMPLING, hypotheses=[CLAIM])
    config.write_text(yaml_text(plain), encoding="utf-8")
    finished = run_analysis(config, tmp_path / "runs")
    results = finished.results
    assert instant.compiled == 1
    assert results.outcome.column == "upgraded"
    assert [one.model.equation for one in results.others] == ["buyers", "providers", "process"]
    for one in results.others:
        assert one.loo is not None
        assert one.loo.rows == 120
        assert {row.by for row in one.effects} == {"all", "industry"}
        assert {row.name for row in one.model.coefficients if row.block == "controls"} == {
            "exporter"
        }
    process = results.others[-1].model
    assert process.formula == "a + b_H H + b_S S + b_buyers buyers"
    # effects of the equation in focus are the totals of the section on learning
    contrast = {
        (row.capital, row.group): row.estimate.mean
        for row in results.effects
        if row.measure == "contrast" and row.by != "cluster"
    }
    total = {
        (row.capital, row.group): row.estimate.mean
        for row in results.learning.paths
        if (row.equation, row.path) == ("upgrading", "total")
    }
    assert contrast == pytest.approx(total)
    # and so are those of an equation beside it
    beside = {
        (row.capital, row.group): row.estimate.mean
        for row in results.others[-1].effects
        if row.measure == "contrast"
    }
    total = {
        (row.capital, row.group): row.estimate.mean
        for row in results.learning.paths
        if (row.equation, row.path) == ("process", "total")
    }
    assert beside == pytest.approx(total)
    page = finished.directory.report_path.read_text(encoding="utf-8")
    assert "Interactive learning" in page
    assert all(row.unpooled is None for row in results.effects)
