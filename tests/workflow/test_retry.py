from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bayescluster.results.model import Results
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.load import load_analysis
from bayescluster.workflow.prepare import asked
from bayescluster.workflow.retry import RETRIES, fit_with_retries, run_with_retries
from bayescluster.workflow.run import run_analysis
from tests.cli.small import call, write
from tests.instant import InstantSampler

PLAIN = {"chains: 2": "chains: 4", "tune: 500": "tune: 10, prior_draws: 200"}


class Tuned(InstantSampler):
    """Chains agree once they were tuned for long enough."""

    enough = 1000

    def sample_chains(self, design: Any, sampling: Any, *rest: Any) -> Iterator[Any]:
        self.apart = 0.0 if sampling.tune >= self.enough else 1.0
        return super().sample_chains(design, sampling, *rest)


@pytest.fixture
def sampler(monkeypatch: pytest.MonkeyPatch) -> Tuned:
    found = Tuned()
    found.stand_in(monkeypatch)
    return found


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, PLAIN)
    return tmp_path / "analysis.yaml"


def saved(root: Path) -> dict[str, Results]:
    return {path.name: RunDirectory(path).load_results() for path in (root / "small").iterdir()}


def test_a_failed_gate_is_tried_again_until_it_passes(sampler, config):
    found = run_with_retries(config, config.parent / "runs")
    assert [attempt.gate_passed for attempt in found.attempts] == [False, False, True]
    assert [[str(c) for c in attempt.changes] for attempt in found.attempts] == [
        [],
        ["sampling.tune: 10 to 500"],
        ["sampling.tune: 500 to 1000"],
    ]
    assert "R-hat" in found.attempts[0].failing
    assert found.last.results is not None
    assert found.last.results.gate.passed
    # each is a run of its own, whole, and all tell the same
    kept = saved(config.parent / "runs")
    assert set(kept) == {attempt.key for attempt in found.attempts}
    assert sampler.compiled == 3
    for key, results in kept.items():
        directory = RunDirectory(config.parent / "runs" / "small" / key)
        assert results.attempts == found.attempts
        assert directory.read_manifest().attempts == found.attempts
        assert directory.verify() == []
        assert "sampling.tune: 500 to 1000" in directory.report_path.read_text(encoding="utf-8")


def test_the_settings_told_give_the_attempt_again(sampler, config):
    found = run_with_retries(config, config.parent / "runs")
    lines = YAML(typ="safe").load(found.attempts[-1].settings)
    assert lines == {"sampling": {"tune": 1000}}
    write(config.parent, {**PLAIN, "tune: 500": "tune: 1000, prior_draws: 200"})
    compiled = sampler.compiled
    again = run_analysis(config, config.parent / "runs")
    assert again.directory.path == found.last.directory.path
    assert sampler.compiled == compiled


def test_again_nothing_is_fitted_or_written(sampler, config):
    first = run_with_retries(config, config.parent / "runs")
    compiled = sampler.compiled
    times = {p: p.stat().st_mtime_ns for p in config.parent.rglob("re*.*") if p.is_file()}
    again = run_with_retries(config, config.parent / "runs")
    assert again.attempts == first.attempts
    assert sampler.compiled == compiled
    assert {p: p.stat().st_mtime_ns for p in times} == times


@pytest.mark.usefixtures("sampler")
def test_what_was_drawn_first_is_not_overwritten(config):
    first = run_analysis(config, config.parent / "runs")
    posterior = (first.directory.path / "posterior.nc").read_bytes()
    run_with_retries(config, config.parent / "runs")
    assert (first.directory.path / "posterior.nc").read_bytes() == posterior
    after = first.directory.load_results()
    assert after.model_copy(update={"attempts": ()}) == first.results
    assert len(after.attempts) == 3


def test_attempts_are_bounded(sampler, config):
    sampler.enough = 10**9
    found = run_with_retries(config, config.parent / "runs")
    assert len(found.attempts) == 1 + RETRIES
    assert not found.last.passed


def test_a_passed_gate_is_not_tried_again(sampler, config):
    sampler.enough = 0
    found = run_with_retries(config, config.parent / "runs")
    assert found.attempts == ()
    assert sampler.compiled == 1


@pytest.mark.usefixtures("sampler")
def test_posterior_alone_is_tried_again_too(config):
    found = fit_with_retries(config, config.parent / "runs")
    assert [attempt.gate_passed for attempt in found.attempts] == [False, False, True]
    assert not found.last.directory.results_path.exists()
    manifests = [
        RunDirectory(path).read_manifest() for path in (config.parent / "runs/small").iterdir()
    ]
    assert all(manifest.attempts == found.attempts for manifest in manifests)


def test_several_forms_are_drawn_again_together(sampler, config):
    several = {"structure: interaction": "structure: [additive, interaction]"}
    write(config.parent, PLAIN | several)
    sampler.enough = 500
    found = run_with_retries(config, config.parent / "runs")
    assert [attempt.gate_passed for attempt in found.attempts] == [False, True]
    assert sampler.compiled == 4
    assert found.last.results is not None
    assert found.last.results.comparison is not None
    first = saved(config.parent / "runs")[found.attempts[0].key]
    leading = first.comparison.leading
    assert any(f"{leading}: R-hat" in reason.checks for reason in first.gate.reasons)


@pytest.mark.usefixtures("config")
def test_the_terminal_offers_it_after_a_failed_gate(sampler):
    found = call("run", "analysis.yaml")
    assert found.code == 4
    assert "`bayescluster run analysis.yaml --retry` draws again as advised" in found.out
    assert "several modes: chains sit in different places (upgrading)" in found.out
    sampler.enough = 0
    passed = call("run", "analysis.yaml", "--out", "other")
    assert passed.code == 0
    assert "--retry" not in passed.out


@pytest.mark.usefixtures("config", "sampler")
def test_the_terminal_says_what_passed():
    found = call("run", "analysis.yaml", "--retry")
    assert found.code == 0
    assert "The gate failed. Attempt 1 of 3: sampling.tune: 10 to 500" in found.err
    assert "Attempt 2 passed. In the analysis file it stands as:\n  sampling:\n    tune: 1000" in (
        found.out
    )
    said = json.loads(call("run", "analysis.yaml", "--retry", "--json").out)
    assert said["gate_passed"] is True
    assert [attempt["gate_passed"] for attempt in said["attempts"]] == [False, False, True]


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("command", ["run", "fit"])
def test_the_terminal_says_that_none_passed(sampler, command):
    sampler.enough = 10**9
    found = call(command, "analysis.yaml", "--retry")
    assert found.code == 4
    assert "No attempt passed. What is left to change is the model" in found.out
    assert "sampling.tune: 1000 to 2000: FAILED" in found.out


def test_paths_start_where_the_file_lies(sampler, config, monkeypatch):
    sampler.enough = 500
    monkeypatch.chdir("/")
    found = run_with_retries(config, config.parent / "runs")
    assert found.last.passed
    assert asked(config).analysis == load_analysis(config).value
