from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import bayescluster as bc
from bayescluster.app.run import fit_analysis, run_analysis
from bayescluster.errors import DataError, RunError
from bayescluster.runs.manifest import write_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.studies.compare.provenance import (
    compare_records,
    explain_run,
    reproduce_run,
)
from tests.cli.small import call, write
from tests.instant import InstantSampler

PLAIN = {"tune: 500": "tune: 10, prior_draws: 200", "draws: 500": "draws: 100"}
SEED = {"seed: 1": "seed: 2"}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of one analysis under two seeds, made once and copied by the tests."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        InstantSampler().stand_in(patch)
        for swaps in (SEED, {}):
            write(folder, PLAIN | swaps)
            run_analysis(folder / "analysis.yaml", folder / "runs")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "project"))


@pytest.fixture
def runs(folder: Path) -> dict[int, Path]:
    """Runs by their seed."""
    found = (RunDirectory(path.parent) for path in folder.glob("runs/small/*/manifest.json"))
    return {run.read_manifest().analysis["sampling"]["seed"]: run.path for run in found}


def states(path: Path, config: Path | None = None) -> list[tuple[str, str]]:
    return [(each.state, each.why) for each in explain_run(path, config).stages]


def test_a_run_is_the_same_as_itself(runs: dict[int, Path]) -> None:
    found = compare_records(runs[1], runs[1])
    assert found.same_draws is True
    assert (found.inputs, found.moved, found.other_verdicts) == ((), (), ())
    assert found.quantities > 60
    ran = call("runs", "diff", str(runs[1]), str(runs[1]))
    assert "Inputs: none differs.\nPosteriors: every draw is the same" in ran.out


def test_another_seed_moves_means_by_their_monte_carlo_error(runs: dict[int, Path]) -> None:
    found = compare_records(runs[1], runs[2])
    assert [(row.input, row.place, row.first, row.second) for row in found.inputs] == [
        ("sampler", "sampling.seed", "1", "2")
    ]
    assert found.same_draws is False
    assert 0 < found.furthest < found.limit
    assert found.moved[0].in_sd == max(row.in_sd for row in found.moved)
    one = RunDirectory(runs[1]).load_posterior()["posterior"]["population"]
    row = next(row for row in found.moved if row.name == "population[human_capital]")
    draws = one.sel(upgrading_term="human_capital") if "upgrading_term" in one.dims else one[..., 1]
    assert row.first == pytest.approx(float(draws.mean()))


def test_differences_are_shown(runs: dict[int, Path]) -> None:
    ran = call("runs", "diff", str(runs[1]), str(runs[2]))
    assert ran.code == 0
    assert "sampler  sampling.seed  1  2" in ran.out
    assert "Posterior means that lie furthest apart" in ran.out
    ran = call("runs", "diff", str(runs[1]), str(runs[2]), "--json")
    assert json.loads(ran.out)["inputs"][0]["place"] == "sampling.seed"


def test_verdicts_that_differ_are_named(runs: dict[int, Path]) -> None:
    run = RunDirectory(runs[2])
    results = run.load_results()
    first = results.verdicts[0].model_copy(update={"verdict": "rejected"})
    key = run.read_manifest().stages["results"].key
    with run.stage("results", key):
        run.save_results(results.model_copy(update={"verdicts": (first, *results.verdicts[1:])}))
    found = compare_records(runs[1], runs[2])
    assert [row.title for row in found.other_verdicts] == [first.title]
    assert "Verdicts that differ" in call("runs", "diff", str(runs[1]), str(runs[2])).out


def test_a_run_without_results_is_compared_by_its_draws(
    folder: Path, runs: dict[int, Path]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        InstantSampler().stand_in(patch)
        fitted = fit_analysis(folder / "analysis.yaml", folder / "other")
    found = compare_records(fitted.path, runs[1])
    assert found.same_draws is True
    assert found.verdicts == 0


def test_each_input_invalidates_what_rests_on_it(folder: Path, runs: dict[int, Path]) -> None:
    config = folder / "analysis.yaml"
    fit = [("made again", "rests on the fit"), ("made again", "rests on the results")]
    write(folder, PLAIN | {"capital: human_capital, by": "capital: social_capital, by"})
    assert states(runs[1], config) == [
        ("kept", ""),
        ("made again", "changed: claims"),
        ("made again", "rests on the results"),
    ]
    write(folder, PLAIN | {"structure: interaction": "structure: additive"})
    assert states(runs[1], config) == [("made again", "changed: model"), *fit]
    write(folder, PLAIN | {"seed: 1": "seed: 3"})
    assert states(runs[1], config) == [("made again", "changed: sampler"), *fit]
    write(folder, PLAIN, {"f01,Sialkot,Goods,12": "f01,Sialkot,Goods,13"})
    found = explain_run(runs[1], config)
    assert [(row.input, row.place) for row in found.inputs] == [
        ("data", "content of the data (sha256)")
    ]
    assert states(runs[1], config) == [("made again", "changed: data"), *fit]
    # without a file: the data as they lie there now
    assert states(runs[1]) == [("made again", "changed: data"), *fit]


def test_other_versions_and_lost_files_are_reasons(runs: dict[int, Path]) -> None:
    run = RunDirectory(runs[1])
    (run.path / "report.html").unlink()
    assert states(runs[1])[2] == ("made again", "report.html: the file is missing")
    manifest = run.read_manifest()
    versions = manifest.versions | {"pandas": "2.0"}
    write_manifest(run.path, manifest.model_copy(update={"versions": versions}))
    found = explain_run(run.path)
    assert [(row.input, row.place, row.first) for row in found.inputs] == [
        ("versions", "pandas", "2.0")
    ]
    ran = call("runs", "why", str(run.path))
    assert ran.code == 0
    assert "versions  pandas  2.0" in ran.out


def test_data_that_are_gone_are_taken_as_unchanged(folder: Path, runs: dict[int, Path]) -> None:
    (folder / "firms.csv").unlink()
    found = explain_run(runs[1])
    assert [each.state for each in found.stages] == ["kept"] * 3
    assert found.notes[0].startswith("The data cannot be read: taken as unchanged (the file is not")


@pytest.mark.parametrize(
    "equations",
    [
        {"upgrading": "none"},
        {"upgrading": {"outcome": "upgraded"}},
        {"upgrading": {"priors": []}},
        3,
    ],
)
def test_a_manifest_whose_analysis_is_none_is_refused(
    runs: dict[int, Path], equations: Any
) -> None:
    manifest = RunDirectory(runs[1]).read_manifest()
    wrong = manifest.analysis | {"equations": equations}
    write_manifest(runs[1], manifest.model_copy(update={"analysis": wrong}))
    for command in (("why",), ("reproduce",), ("diff", str(runs[2]))):
        name, *more = command
        ran = call("runs", name, str(runs[1]), *more)
        assert (ran.code, "manifest.json" in ran.err) == (5, True), ran.err


def test_an_unfinished_run_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = InstantSampler()
    sampler.stand_in(monkeypatch)
    sampler.stop_after = 1
    with pytest.raises(KeyboardInterrupt):
        run_analysis(folder / "analysis.yaml", folder / "other")
    path = next(folder.glob("other/small/*"))
    assert [each.state for each in explain_run(path).stages] == ["not finished"] * 3
    assert call("runs", "diff", str(path), str(path)).code == 0
    with pytest.raises(RunError, match="no posterior to compare with"):
        reproduce_run(path)


def test_a_run_is_reproduced_from_its_manifest_alone(
    folder: Path, runs: dict[int, Path], instant: InstantSampler, tmp_path: Path
) -> None:
    (folder / "analysis.yaml").unlink()
    moved = tmp_path / "moved"
    folder.rename(moved)  # as a whole: the run knows where its data lie from it
    path = moved / "runs" / "small" / runs[1].name
    found = reproduce_run(path)
    assert (found.outcome, found.directory) == ("identical", "")
    assert found.records.other_verdicts == ()
    assert instant.sampled == [0, 1]
    kept = reproduce_run(path, out=tmp_path / "again")
    assert RunDirectory(Path(kept.directory)).verify() == []
    assert RunDirectory(Path(kept.directory)).load_results().verdicts
    assert found.words.startswith("Reproduced: every draw is the same, bit for bit (")


def test_other_draws_are_within_error_or_not(
    runs: dict[int, Path], instant: InstantSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = instant.chain

    def other(design, sampling, number, draws):
        return chain(design, sampling.model_copy(update={"seed": 99}), number, draws)

    monkeypatch.setattr(instant, "chain", other)
    ran = call("runs", "reproduce", str(runs[1]))
    assert ran.code == 0
    assert "Reproduced within Monte Carlo error: the means of " in ran.out

    def shifted(design, sampling, number, draws):
        drawn = other(design, sampling, number, draws)
        return drawn._replace(posterior=drawn.posterior + 1.0)

    monkeypatch.setattr(instant, "chain", shifted)
    ran = call("runs", "reproduce", str(runs[1]))
    assert ran.code == 5
    assert "NOT reproduced: the means of " in ran.err


def test_the_data_have_to_be_those_of_the_run(
    folder: Path, runs: dict[int, Path], instant: InstantSampler, tmp_path: Path
) -> None:
    write(folder, PLAIN, {"f01,Sialkot,Goods,12": "f01,Sialkot,Goods,13"})
    with pytest.raises(DataError, match="the content is not that of the run: sha256 "):
        reproduce_run(runs[1])
    (folder / "firms.csv").unlink()
    ran = call("runs", "reproduce", str(runs[1]))
    assert ran.code == 3
    assert "firms.csv: the file is not there (looked for in " in ran.err
    assert "name the file, or the folder that holds it: --data PATH" in ran.err
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write(elsewhere, PLAIN)
    (elsewhere / "firms.csv").rename(elsewhere / "renamed.csv")
    assert reproduce_run(runs[1], elsewhere / "renamed.csv").outcome == "identical"
    (elsewhere / "renamed.csv").rename(elsewhere / "firms.csv")
    assert reproduce_run(runs[1], elsewhere).outcome == "identical"
    assert instant.sampled == [0, 1, 0, 1]


@pytest.mark.usefixtures("instant")
def test_an_analysis_with_forms(tmp_path: Path) -> None:
    write(tmp_path, PLAIN | {"structure: interaction": "structure: [additive, interaction]"})
    run = bc.fit(tmp_path / "analysis.yaml", tmp_path / "runs")
    found = run.reproduce()
    assert found.outcome == "identical"
    assert len(found.records.moved) == 0
    assert found.records.quantities > 80  # parameters of either form have names of their own
    assert [each.state for each in run.why().stages] == ["kept"] * 3
    assert run.diff(run.path).same_draws is True
