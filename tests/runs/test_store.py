from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bayescluster.errors import Problem, RunError
from bayescluster.inference.nuts import Chain, chain_seeds
from bayescluster.results.facts import FitFacts
from bayescluster.results.model import Results
from bayescluster.runs import files as atomic
from bayescluster.runs import store as tracking
from bayescluster.runs.keys import fit_key
from bayescluster.runs.manifest import Manifest, new_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis

KEY = "0123456789abcdef"
TITLE = "The run directory cannot be used:\n"
REMAKE = "delete it and run the same command again: only what is missing is made again"
AGAIN = "run the same command again: only what is missing is made again"
ALTERED = "the file is not as it was written: its checksum has changed"

Chains = Callable[[int], Chain]


def message(what: str, where: Path, mend: str) -> str:
    return f"{TITLE}  {where}: {what}\n    {mend}"


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def design() -> xr.DataTree:
    data = xr.Dataset({"outcome": ("firm", [0.0, 1.0])}, {"firm": ["a", "b"]}, {"details": "{}"})
    return xr.DataTree.from_dict({"upgrading": data})


@pytest.fixture
def full(
    run: RunDirectory, design: xr.DataTree, chain_of: Chains, results: Results
) -> RunDirectory:
    with run.stage("design"):
        run.save_design(design)
    with run.stage("sampling"):
        for number in (2, 0, 1):
            run.save_chain(chain_of(number))
    with run.stage("posterior"):
        run.save_posterior(xr.DataTree.from_dict({"posterior": chain_of(0).posterior}))
    with run.stage("results", "r1"):
        run.save_results(results)
    with run.stage("report", "r1"):
        atomic.write_text(run.path / "tables" / "verdicts.csv", "a,b\n")
        atomic.write_text(run.path / "figures" / "more" / "surface.svg", "<svg/>")
        atomic.write_text(run.report_path, "<html/>")
    return run


def test_round_trips(
    full: RunDirectory, design: xr.DataTree, chain_of: Chains, results: Results
) -> None:
    again = RunDirectory.open(full.path)
    assert again == full
    xr.testing.assert_identical(again.load_design(), design)
    chains = again.load_chains()
    assert [chain.number for chain in chains] == [0, 1, 2] == list(again.chain_numbers())
    for chain in chains:
        written = chain_of(chain.number)
        xr.testing.assert_identical(chain.posterior, written.posterior)
        xr.testing.assert_identical(chain.sample_stats, written.sample_stats)
        assert chain.posterior["term"].dtype.kind == "U"
    posterior = again.load_posterior()["posterior"].to_dataset()
    xr.testing.assert_identical(posterior, chain_of(0).posterior)
    assert again.load_results() == results
    assert again.verify() == []


def test_ceiling_models_are_there_once_they_are_finished(
    run: RunDirectory, design: xr.DataTree
) -> None:
    assert run.load_ceiling_model("human_capital", "quantile") is None
    with run.stage("ceiling_models", "c1"):
        run.save_ceiling_model("human_capital", "quantile", design)
    found = run.load_ceiling_model("human_capital", "quantile")
    assert found is not None
    xr.testing.assert_identical(found, design)
    assert run.load_ceiling_model("social_capital", "quantile") is None
    assert run.verify() == []


def test_the_folder_of_the_analysis_is_noted_as_seen_from_the_run(run: RunDirectory) -> None:
    project = run.path.parents[2] / "project"
    for folder, seen in (
        (project, "../../../project"),
        (project, "../../../project"),
        (run.path.parents[2], "../../.."),
    ):
        run.record_folder(folder)
        assert run.read_manifest().folder == seen


def test_layout(full: RunDirectory) -> None:
    files = {path.relative_to(full.path).as_posix() for path in full.path.rglob("*.*")}
    assert files - {".lock", "log.jsonl"} == {
        "manifest.json",
        "design.nc",
        "chains/chain-1.npz",
        "chains/chain-2.npz",
        "chains/chain-3.npz",
        "posterior.nc",
        "results.json",
        "tables/verdicts.csv",
        "figures/more/surface.svg",
        "report.html",
    }
    assert set(full.read_manifest().files) == files - {".lock", "log.jsonl", "manifest.json"}
    assert full.path.parts[-3:] == ("runs", "toy", KEY)


def test_manifest_says_what_was_asked_and_no_path(full: RunDirectory, analysis: Analysis) -> None:
    manifest = full.read_manifest()
    again = Analysis.model_validate(manifest.analysis)
    assert again.model_dump(exclude={"data"}) == analysis.model_dump(exclude={"data"})
    assert fit_key(again, "d") == fit_key(analysis, "d")
    assert manifest.seeds == chain_seeds(7, 3)
    assert manifest.gate_passed is None
    text = (full.path / "manifest.json").read_text(encoding="utf-8")
    assert str(full.path.parents[2]) not in text
    assert {name: stage.status for name, stage in manifest.stages.items()} == dict.fromkeys(
        ("design", "sampling", "posterior", "results", "report"), "done"
    )


def test_label_of_the_data_loses_its_directory(analysis: Analysis) -> None:
    made = new_manifest(analysis, KEY, data_label="/home/ann/firms.csv", data_digest="d")
    assert made.data_label == "firms.csv"


def test_begin_keeps_what_is_finished(full: RunDirectory, manifest: Manifest) -> None:
    full.record_gate(True)
    before = full.read_manifest()
    later = manifest.model_copy(update={"started": "2999", "analysis": {"name": "new"}})
    assert full.begin(later) == before.model_copy(update={"analysis": {"name": "new"}})
    assert full.read_manifest().gate_passed is True


def test_begin_refuses_another_fit(run: RunDirectory, manifest: Manifest) -> None:
    with pytest.raises(RunError) as raised:
        run.begin(manifest.model_copy(update={"key": "f" * 16}))
    assert str(raised.value) == message(
        f"the run there has the key {KEY}, not ffffffffffffffff",
        run.path,
        "move that directory away, then run the same command again",
    )
    assert run.read_manifest() == manifest


def test_is_done_needs_status_key_and_files(full: RunDirectory) -> None:
    assert full.is_done("results", "r1")
    assert full.is_done("sampling", KEY)
    assert not full.is_done("results", "r2")
    (full.path / "chains" / "chain-2.npz").unlink()
    assert not full.is_done("sampling", KEY)
    assert full.chain_numbers() == (0, 2)
    with pytest.raises(ValueError, match="boom"), full.stage("results", "r1"):
        raise ValueError("boom")
    assert not full.is_done("results", "r1")


def test_stage_not_begun_is_not_done(run: RunDirectory, design: xr.DataTree) -> None:
    assert not run.is_done("design", KEY)
    with pytest.raises(ValueError, match="stage 'design' has not begun"):
        run.save_design(design)


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt, "interrupted"), (ZeroDivisionError, "failed"), (SystemExit, "failed")],
)
def test_a_stage_that_stops_keeps_its_finished_files(
    error: type[BaseException],
    status: str,
    run: RunDirectory,
    chain_of: Chains,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([10.0, 12.5, 20.0, 21.25])
    monkeypatch.setattr(tracking.time, "monotonic", lambda: next(clock))
    with pytest.raises(error), run.stage("sampling"):  # noqa: PT012
        run.save_chain(chain_of(1))
        raise error
    stage = run.read_manifest().stages["sampling"]
    assert (stage.status, stage.seconds, list(stage.files)) == (status, 2.5, ["chains/chain-2.npz"])
    with run.stage("sampling"):
        assert [chain.number for chain in run.load_chains()] == [1]
        run.save_chain(chain_of(0))
    stage = run.read_manifest().stages["sampling"]
    assert (stage.status, stage.seconds, len(stage.files)) == ("done", 3.75, 2)


def test_the_first_error_is_told_when_the_manifest_cannot_be_written(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(ZeroDivisionError) as raised, run.stage("design"):  # noqa: PT012
        monkeypatch.setattr(atomic.os, "fsync", full_disk)
        raise ZeroDivisionError
    assert "No space left on device" in raised.value.__notes__[0]


def test_results_under_another_key_do_not_count(full: RunDirectory) -> None:
    with pytest.raises(KeyboardInterrupt), full.stage("results", "r2"):
        raise KeyboardInterrupt
    with pytest.raises(RunError) as raised:
        full.load_results()
    assert str(raised.value) == message(
        "the run has no finished results.json yet", full.path, AGAIN
    )
    assert full.results_path.is_file()


def test_a_new_report_drops_what_only_the_old_one_had(full: RunDirectory) -> None:
    note = full.path / "tables" / "mine.csv"
    note.write_text("kept")
    with full.stage("report", "r2"):
        atomic.write_text(full.report_path, "<html/>")
    assert set(full.read_manifest().stages["report"].files) == {"tables/mine.csv", "report.html"}
    assert not (full.path / "tables" / "verdicts.csv").exists()
    assert note.read_text() == "kept"


def test_a_stop_while_a_chain_is_written_leaves_it_unfinished(
    run: RunDirectory, chain_of: Chains, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = atomic.os.replace

    def crash_on_chain(old: Path, new: Path) -> None:
        if new.suffix == ".npz":
            raise KeyboardInterrupt
        replace(old, new)

    with run.stage("sampling"):
        run.save_chain(chain_of(0))
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):  # noqa: PT012
            patched.setattr(atomic.os, "replace", crash_on_chain)
            run.save_chain(chain_of(1))
        assert [chain.number for chain in run.load_chains()] == [0]
        # killed between the file and its record: the file does not count either
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):  # noqa: PT012
            patched.setattr(Manifest, "recorded", _interrupt)
            run.save_chain(chain_of(2))
        assert (run.path / "chains" / "chain-3.npz").is_file()
        assert run.chain_numbers() == (0,)


def _interrupt(*_: object) -> Manifest:
    raise KeyboardInterrupt


def test_lock_removes_partial_files_alone(full: RunDirectory) -> None:
    partial = full.path / "chains" / ".chain-4.npz.123.partial"
    partial.write_bytes(b"half")
    assert full.verify() == []
    with full.lock():
        assert not partial.exists()
    assert full.verify() == []


def test_altered_chains_are_all_named(full: RunDirectory) -> None:
    first, third = full.path / "chains" / "chain-1.npz", full.path / "chains" / "chain-3.npz"
    flip(first)
    third.write_bytes(third.read_bytes()[:1000])
    with pytest.raises(RunError) as raised:
        full.load_chains()
    assert str(raised.value) == (
        "The run directory cannot be used (2 problems):\n"
        f"  {first}: {ALTERED}\n    {REMAKE}\n"
        f"  {third}: {ALTERED}\n    {REMAKE}"
    )
    assert raised.value.exit_code == 5
    first.unlink()
    third.unlink()
    assert [chain.number for chain in full.load_chains()] == [1]


@pytest.mark.parametrize(
    ("file", "load"),
    [
        ("design.nc", RunDirectory.load_design),
        ("posterior.nc", RunDirectory.load_posterior),
        ("results.json", RunDirectory.load_results),
    ],
)
def test_altered_and_missing_files_are_told(
    file: str, load: Callable[[RunDirectory], object], full: RunDirectory
) -> None:
    flip(full.path / file)
    with pytest.raises(RunError) as raised:
        load(full)
    assert str(raised.value) == message(ALTERED, full.path / file, REMAKE)
    (full.path / file).unlink()
    with pytest.raises(RunError) as raised:
        load(full)
    assert str(raised.value) == message("the file is missing", full.path / file, AGAIN)


def test_sampling_end_does_not_make_an_altered_chain_good(
    full: RunDirectory, chain_of: Chains
) -> None:
    flip(full.path / "chains" / "chain-1.npz")
    with full.stage("sampling"):
        run_again = chain_of(1)
        full.save_chain(run_again)
    assert [Path(problem.where).name for problem in full.verify()] == ["chain-1.npz"]


def test_verify_names_every_fault(full: RunDirectory) -> None:
    flip(full.path / "posterior.nc")
    (full.path / "report.html").unlink()
    (full.path / "notes.txt").write_text("mine")
    assert full.verify() == [
        Problem(ALTERED, str(full.path / "posterior.nc"), REMAKE),
        Problem("the file is missing", str(full.path / "report.html"), AGAIN),
        Problem(
            "the manifest does not know this file",
            str(full.path / "notes.txt"),
            "if you put it there, keep it elsewhere; "
            "if a run was stopped, run the same command again",
        ),
    ]


def test_verify_tells_of_a_broken_manifest(full: RunDirectory) -> None:
    (full.path / "manifest.json").write_text("{")
    (problem,) = full.verify()
    assert problem.what == (
        "the file is not JSON (line 1, column 2: Expecting property name enclosed in double quotes)"
    )


def test_results_that_could_not_be_read_again_are_refused(
    full: RunDirectory, results: Results
) -> None:
    facts = FitFacts.model_validate(results.fit.model_dump() | {"total_seconds": float("nan")})
    with pytest.raises(RunError) as raised:
        full.save_results(results.model_copy(update={"fit": facts}))
    assert str(raised.value) == message(
        "fit.total_seconds: Input should be a valid number",
        full.results_path,
        "this is a fault of bayescluster: report it with the analysis; what is saved is kept",
    )
    assert full.load_results() == results


def test_numbers_keep_every_digit(full: RunDirectory, results: Results) -> None:
    value = float(np.nextafter(0.3, 1))
    facts = results.sample.model_copy(update={"capital_correlation": value})
    with full.stage("results", "r3"):
        full.save_results(results.model_copy(update={"sample": facts}))
    assert full.load_results().sample.capital_correlation == value


def test_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(RunError) as raised:
        RunDirectory.create(tmp_path / "runs", "toy", KEY)
    assert str(raised.value) == message(
        "the directory cannot be made: Not a directory",
        tmp_path / "runs" / "toy" / KEY,
        "make room on the disk or allow writing there, then run the same command again: it goes on "
        "from what the run has finished, if anything",
    )


def test_manifest_is_json_that_people_can_read(full: RunDirectory) -> None:
    text = (full.path / "manifest.json").read_text(encoding="utf-8")
    assert text.startswith('{\n  "schema_version": 2,\n  "name": "toy",\n')
    assert json.loads(text)["stages"]["results"]["key"] == "r1"


def test_file_that_cannot_be_read(full: RunDirectory) -> None:
    full.report_path.unlink()
    full.report_path.mkdir()
    where = str(full.report_path)
    assert full.verify() == [Problem("the file cannot be read: Is a directory", where, REMAKE)]


def test_a_file_half_replaced_is_unfinished_not_altered(
    full: RunDirectory, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = results.model_copy(update={"title": "Another"})
    monkeypatch.setattr(Manifest, "recorded", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        full.save_results(changed)
    with pytest.raises(RunError) as raised:
        full.load_results()
    assert str(raised.value) == message(
        "the run has no finished results.json yet", full.path, AGAIN
    )
