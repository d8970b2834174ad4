from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from bayescluster.app.run import RETRIES, Retried, fit_with_retries, run_analysis, run_with_retries
from bayescluster.runs.store import RunDirectory
from tests.cli.small import call, write
from tests.instant import InstantSampler

PLAIN = {
    "draws: 500": "draws: 250",
    "chains: 2": "chains: 4",
    "tune: 500": "tune: 10, prior_draws: 200",
}


class Tuned(InstantSampler):
    """Chains agree once they were tuned for long enough."""

    enough = 1000

    def sample_chains(self, design: Any, sampling: Any, *rest: Any) -> Iterator[Any]:
        self.apart = 0.0 if sampling.tune >= self.enough else 1.0
        return super().sample_chains(design, sampling, *rest)


class Done(NamedTuple):
    """A run that failed, and the attempts that followed."""

    folder: Path
    retried: Retried
    compiled: int


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A failed run and its attempts, made once; tests that write copy it."""
    folder, sampler = tmp_path_factory.mktemp("retried"), Tuned()
    write(folder, PLAIN)
    with pytest.MonkeyPatch.context() as patch:
        sampler.stand_in(patch)
        run_analysis(folder / "analysis.yaml", folder / "runs")
        retried = run_with_retries(folder / "analysis.yaml", folder / "runs")
    return Done(folder, retried, sampler.compiled)


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


@pytest.fixture
def copied(done: Done, config: Path) -> Path:
    """The analysis with its finished attempts, in the working directory."""
    shutil.copytree(done.folder, config.parent, dirs_exist_ok=True)
    return config


def test_a_failed_gate_is_tried_again_until_it_passes(done: Done) -> None:
    attempts = done.retried.attempts
    assert [attempt.gate_passed for attempt in attempts] == [False, False, True]
    assert [[str(change) for change in attempt.changes] for attempt in attempts] == [
        [],
        ["sampling.tune: 10 to 500"],
        ["sampling.tune: 500 to 1000"],
    ]
    assert "R-hat" in attempts[0].failing
    assert attempts[-1].failing == ()
    assert done.retried.last.results is not None
    assert done.retried.last.results.gate.passed


def test_each_attempt_is_a_run_of_its_own_and_tells_of_all(done: Done) -> None:
    attempts = done.retried.attempts
    runs = {path.name: RunDirectory(path) for path in (done.folder / "runs" / "small").iterdir()}
    assert set(runs) == {attempt.key for attempt in attempts}
    assert done.compiled == len(runs) == 3
    for directory in runs.values():
        assert directory.load_results().attempts == attempts
        assert directory.read_manifest().attempts == attempts
        assert directory.verify() == []
        assert "sampling.tune: 500 to 1000" in directory.report_path.read_text(encoding="utf-8")


def test_the_settings_told_give_the_attempt_again(sampler, copied, done):
    lines = YAML(typ="safe").load(done.retried.attempts[-1].settings)
    assert lines == {"sampling": {"tune": 1000}}
    write(copied.parent, {**PLAIN, "tune: 500": "tune: 1000, prior_draws: 200"})
    again = run_analysis(copied, copied.parent / "runs")
    assert again.directory.path.name == done.retried.attempts[-1].key
    assert sampler.compiled == 0


def test_again_nothing_is_fitted_or_written(sampler, copied, done):
    files = [*copied.parent.rglob("report.html"), *copied.parent.rglob("results.json")]
    times = {path: path.stat().st_mtime_ns for path in files}
    again = run_with_retries(copied, copied.parent / "runs")
    assert again.attempts == done.retried.attempts
    assert sampler.compiled == 0
    assert len(times) == 6
    assert {path: path.stat().st_mtime_ns for path in files} == times


def test_attempts_are_bounded(sampler, config):
    sampler.enough = 10**9
    found = fit_with_retries(config, config.parent / "runs")
    assert len(found.attempts) == 1 + RETRIES
    assert not found.last.passed


def test_a_passed_gate_is_not_tried_again(sampler, config):
    sampler.enough = 0
    found = fit_with_retries(config, config.parent / "runs")
    assert (found.attempts, found.last.passed, sampler.compiled) == ((), True, 1)


@pytest.mark.usefixtures("sampler")
def test_posterior_alone_is_tried_again_wherever_it_is_asked_for(config, monkeypatch):
    monkeypatch.chdir("/")  # paths start where the file lies
    found = fit_with_retries(config, config.parent / "runs")
    assert [attempt.gate_passed for attempt in found.attempts] == [False, False, True]
    assert not found.last.directory.results_path.exists()
    runs = list((config.parent / "runs" / "small").iterdir())
    assert len(runs) == 3
    assert all(RunDirectory(run).read_manifest().attempts == found.attempts for run in runs)


SEVERAL = {"structure: interaction": "structure: [additive, interaction]"}


def test_several_forms_are_drawn_again_together(sampler, config):
    write(config.parent, PLAIN | SEVERAL)
    sampler.enough = 500
    found = fit_with_retries(config, config.parent / "runs")
    assert [attempt.gate_passed for attempt in found.attempts] == [False, True]
    assert sampler.compiled == 4


@pytest.mark.usefixtures("copied", "sampler")
def test_the_terminal_offers_it_after_a_failed_gate():
    found = call("run", "analysis.yaml")
    assert found.code == 4
    assert "`bayescluster run analysis.yaml --retry` draws again as advised" in found.out
    assert "several modes: chains sit in different places (upgrading)" in found.out
    assert "try: more draws will not help" in found.out


@pytest.mark.usefixtures("copied", "sampler")
def test_the_terminal_says_what_passed():
    found = call("run", "analysis.yaml", "--retry")
    assert found.code == 0
    assert "The gate failed. Attempt 1 of 3: sampling.tune: 10 to 500" in found.err
    assert "Attempt 2 passed. In the analysis file it stands as:\n  sampling:\n    tune: 1000" in (
        found.out
    )
    assert "draws again as advised" not in found.out
    said = json.loads(call("run", "analysis.yaml", "--retry", "--json").out)
    assert said["gate_passed"] is True
    assert [attempt["gate_passed"] for attempt in said["attempts"]] == [False, False, True]


@pytest.mark.usefixtures("config")
def test_the_terminal_says_that_none_passed(sampler):
    sampler.enough = 10**9
    found = call("fit", "analysis.yaml", "--retry")
    assert found.code == 4
    assert "No attempt passed. What is left to change is the model" in found.out
    assert "sampling.tune: 1000 to 2000: FAILED" in found.out
