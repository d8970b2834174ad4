from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from bayescluster.app.run import fit_analysis, run_analysis
from bayescluster.errors import RunError
from bayescluster.results.model import Results
from bayescluster.runs.layout import EXPLORER, POSTERIOR
from bayescluster.runs.store import RunDirectory
from tests.cli.small import call, write
from tests.instant import InstantSampler

PLAIN = {
    "chains: 2": "chains: 4",
    "tune: 500": "tune: 10, prior_draws: 200",
}
STEPS = [
    "Reading the firms",
    "Preparing the model",
    "Sampling 4 of 4 chains",
    "Drawing the prior and replicated outcomes",
    "Computing effects, checks and verdicts",
    "Writing the report of small",
]
AGAIN = [
    "Reading the firms",
    "The posterior is there already: nothing is fitted again",
    "The results are there already",
    "The report is there already",
]


class Told:
    """Notes the steps it is told of."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.chains: list[int] = []

    def step(self, message: str) -> None:
        self.steps.append(message)

    def chain(self, state) -> None:
        self.chains.append(state.chain)


class First(NamedTuple):
    """A finished run of the unchanged analysis, and what was told of it."""

    directory: RunDirectory
    results: Results
    told: Told


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A folder with a finished run, made once and copied by the tests."""
    folder = tmp_path_factory.mktemp("finished")
    write(folder, PLAIN)
    told = Told()
    with pytest.MonkeyPatch.context() as patch:
        InstantSampler().stand_in(patch)
        run_analysis(folder / "analysis.yaml", folder / "runs", told)
    (folder / "told.json").write_text(json.dumps([told.steps, told.chains]))
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The analysis and its firms, in the working directory."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, PLAIN)
    return tmp_path


@pytest.fixture
def first(finished, folder) -> First:
    """A finished run in the folder."""
    shutil.copytree(finished, folder, dirs_exist_ok=True)
    (path,) = (folder / "runs" / "small").iterdir()
    directory, told = RunDirectory(path), Told()
    told.steps, told.chains = json.loads((folder / "told.json").read_text())
    return First(directory, directory.load_results(), told)


@pytest.fixture
def go(folder):
    """Run the analysis in the folder, changed in parts; what was told, and what came out."""

    def run(swaps: Mapping[str, str] | None = None):
        write(folder, PLAIN | dict(swaps or {}))
        told = Told()
        finished = run_analysis(folder / "analysis.yaml", folder / "runs", told)
        return told, finished

    return run


def _times(path: Path) -> dict[str, int]:
    return {
        item.relative_to(path).as_posix(): item.stat().st_mtime_ns
        for item in path.rglob("*")
        if item.is_file() and item.name not in {"manifest.json", ".lock"}
    }


def test_every_stage_is_told_and_recorded(first):
    assert first.told.steps == STEPS
    assert first.told.chains == [0, 1, 2, 3]
    manifest = first.directory.read_manifest()
    assert list(manifest.stages) == [
        "design",
        "sampling",
        "posterior",
        "results",
        "explorer",
        "report",
    ]
    assert {stage.status for stage in manifest.stages.values()} == {"done"}
    assert manifest.gate_passed is True
    assert first.directory.verify() == []
    assert first.results.reproduction.command == "bayescluster run analysis.yaml"


def test_the_second_run_writes_nothing(first, go, instant):
    before = _times(first.directory.path)
    told, second = go()
    assert told.steps == AGAIN
    assert (instant.compiled, instant.sampled) == (0, [])
    assert _times(second.directory.path) == before
    assert second.results == first.results


def test_other_hypotheses_keep_the_posterior(first, go, instant):
    posterior = _times(first.directory.path)["posterior.nc"]
    told, second = go({"by: industry": "by: all"})
    assert told.steps == [*AGAIN[:2], *STEPS[4:]]
    assert instant.compiled == 0
    assert second.directory.path == first.directory.path
    assert _times(second.directory.path)["posterior.nc"] == posterior
    assert [verdict.group for verdict in first.results.verdicts] == ["Electronics", "Goods"]
    assert [verdict.group for verdict in second.results.verdicts] == ["all"]
    assert second.directory.verify() == []


def test_the_explorer_of_an_older_run_is_made_from_its_posterior(first):
    run = first.directory
    kept = (run.path / EXPLORER).read_bytes()
    manifest = run.read_manifest()
    stages = {name: stage for name, stage in manifest.stages.items() if name != "explorer"}
    run.write_manifest(manifest.model_copy(update={"stages": stages}))
    (run.path / EXPLORER).unlink()
    assert call("report", str(run.path)).code == 0
    assert (run.path / EXPLORER).read_bytes() == kept
    assert run.verify() == []
    assert 'id="explorer-data"' in run.report_path.read_text(encoding="utf-8")


def test_without_the_posterior_a_report_has_no_explorer(first):
    run = first.directory
    for file in (EXPLORER, POSTERIOR):
        (run.path / file).unlink()
    assert call("report", str(run.path)).code == 0
    assert 'id="explorer-data"' not in run.report_path.read_text(encoding="utf-8")


def test_another_title_changes_the_page_and_no_number(first, go, instant):
    before = _times(first.directory.path)
    told, second = go({"hypotheses:": "report: {title: Other words}\nhypotheses:"})
    assert told.steps == [*AGAIN[:2], *STEPS[4:]]
    assert instant.compiled == 0
    assert _times(second.directory.path)["posterior.nc"] == before["posterior.nc"]
    assert "Other words" in second.directory.report_path.read_text(encoding="utf-8")
    assert second.results.effects == first.results.effects
    assert second.results.verdicts == first.results.verdicts


@pytest.mark.parametrize(
    "change",
    [{"seed: 1": "seed: 2"}, {"structure: interaction": "structure: additive"}],
    ids=["seed", "structure"],
)
def test_another_model_is_another_run(change, first, folder, instant):
    write(folder, PLAIN | change)
    told = Told()
    second = fit_analysis(folder / "analysis.yaml", folder / "runs", told)
    assert told.steps == STEPS[:4]
    assert instant.compiled == 1
    assert second.path != first.directory.path
    assert first.directory.verify() == []


def test_a_stopped_run_goes_on_with_the_chains_it_lacks(go, folder, finished, instant):
    instant.stop_after = 1
    with pytest.raises(KeyboardInterrupt):
        go()
    (path,) = (folder / "runs" / "small").iterdir()
    stopped = RunDirectory(path)
    assert stopped.chain_numbers() == (0,)
    assert stopped.read_manifest().stages["sampling"].status != "done"
    chain = _times(path)["chains/chain-1.npz"]

    instant.stop_after = None
    told, resumed = go()
    assert told.steps == [
        *STEPS[:2],
        "Sampling 3 of 4 chains (1 kept from before)",
        *STEPS[3:],
    ]
    assert instant.sampled == [0, 1, 2, 3]
    assert resumed.directory.path == path
    assert _times(path)["chains/chain-1.npz"] == chain
    assert resumed.directory.verify() == []
    (never_stopped,) = (finished / "runs" / "small").iterdir()
    whole = RunDirectory(never_stopped).load_results()
    assert resumed.results.verdicts == whole.verdicts
    assert resumed.results.effects == whole.effects


def test_fit_then_run(go, folder, instant):
    directory = fit_analysis(folder / "analysis.yaml", folder / "runs")
    assert not directory.results_path.exists()
    told, finished = go()
    assert told.steps == [*AGAIN[:2], *STEPS[4:]]
    assert finished.directory.path == directory.path
    assert instant.compiled == 1


@pytest.mark.usefixtures("folder")
def test_failed_gate(instant):
    instant.apart = 1.0
    found = call("run", "analysis.yaml", "--json")
    assert found.code == 4
    said = json.loads(found.out)
    assert said["gate_passed"] is False
    assert len(said["verdicts"]) == 2
    for verdict in said["verdicts"]:
        assert verdict["verdict"] == "undecided"
        assert "gate" in verdict["reason"]
    manifest = RunDirectory(Path(said["run"])).read_manifest()
    assert manifest.gate_passed is False
    assert Path(said["report"]).is_file()


def test_one_writer_at_a_time(first, go, instant):
    with first.directory.lock(), pytest.raises(RunError) as caught:
        go()
    assert str(caught.value) == (
        "The run directory cannot be used:\n"
        f"  {first.directory.path}: another process is writing to this run\n"
        "    wait until it ends or stop it, then run the same command again: what is saved is kept"
    )
    assert instant.compiled == 0


def test_a_damaged_posterior_is_told_not_used(first, go, instant):
    path = first.directory.path / "posterior.nc"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(RunError) as caught:
        go({"by: industry": "by: all"})
    assert str(path) in str(caught.value)
    assert instant.compiled == 0


def test_a_lost_posterior_is_made_again_from_the_chains(first, go, instant):
    (first.directory.path / "posterior.nc").unlink()
    told, second = go()
    assert told.steps[:2] == [STEPS[0], STEPS[3]]
    assert (instant.compiled, instant.sampled) == (0, [])
    assert second.results == first.results
    assert second.directory.verify() == []
