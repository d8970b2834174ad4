"""A run directory may come from a stranger: nothing outside it is written, locked or deleted."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from bayescluster.errors import RunError
from bayescluster.runs import files as atomic
from bayescluster.runs.layout import in_place, locked
from bayescluster.runs.store import RunDirectory
from tests.cli.small import call

TITLE = "The run directory cannot be used:\n"
MEND = "restore it from a copy, or move the directory away and run the same command again"


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    path = tmp_path / "outside" / ".victim.partial"
    path.parent.mkdir()
    path.write_text("keep me")
    return path


@pytest.fixture
def reported(run: RunDirectory) -> RunDirectory:
    with run.stage("report", "r1"):
        atomic.write_text(run.report_path, "<html/>")
    return run


def poison(run: RunDirectory, **changes: Any) -> None:
    path = run.path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def files_of_report(run: RunDirectory, *files: str) -> None:
    stages = json.loads((run.path / "manifest.json").read_text())["stages"]
    stages["report"] |= {"key": "other", "files": dict.fromkeys(files, "0" * 64)}
    poison(run, stages=stages)


@pytest.mark.parametrize(
    "file",
    [
        "../outside/.victim.partial",
        "tables/../../../../outside/.victim.partial",
        "{victim}",
        "/dev/zero",
        "//dev/zero",
        "./report.html",
        "tables//a.csv",
        "tables\\..\\..\\a.csv",
        "C:/a.csv",
        "tables/a\0.csv",
        "tables/..",
        "",
        ".",
        "manifest.json",
        "results.json",
        "chains/chain-1.npz",
    ],
)
def test_a_manifest_names_only_files_of_its_own(
    reported: RunDirectory, victim: Path, file: str
) -> None:
    file = file.format(victim=victim)
    files_of_report(reported, file)
    found = [call(*words, str(reported.path)) for words in (("report",), ("show",))]
    found.append(call("runs", "verify", str(reported.path)))
    assert [ran.code for ran in found] == [5, 5, 5]
    for ran in found:
        assert "stage 'report' names a file that a run does not keep" in ran.err
    assert victim.read_text() == "keep me"
    with pytest.raises(RunError), reported.stage("report", "r2"):
        pytest.fail("the stage began")


def test_the_message_is_whole(reported: RunDirectory) -> None:
    files_of_report(reported, "../a.txt")
    with pytest.raises(RunError) as error:
        RunDirectory.open(reported.path)
    where = reported.path / "manifest.json"
    what = "the file: stage 'report' names a file that a run does not keep: '../a.txt'"
    assert str(error.value) == f"{TITLE}  {where}: {what}\n    {MEND}"


@pytest.mark.parametrize("form", ["{outside}", "../../../outside", "..", "", "a/b", "Interaction"])
def test_forms_are_those_there_are(reported: RunDirectory, victim: Path, form: str) -> None:
    poison(reported, forms=[form.format(outside=victim.parent)])
    for words in (("report",), ("runs", "verify"), ("show",), ("check", "--leave-out", "cluster")):
        assert call(*words, str(reported.path)).code == 5
    assert sorted(victim.parent.iterdir()) == [victim]


@pytest.mark.parametrize(
    "place",
    ["forms/ces", "tables", "chains", "report.html", ".lock", "results.json", "design.nc", "own"],
)
def test_links_are_refused(reported: RunDirectory, victim: Path, place: str) -> None:
    folder = place in {"forms/ces", "tables", "chains", "own"}
    path = reported.path / place
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(victim.parent if folder else victim)
    for words in (("report",), ("runs", "verify"), ("show",)):
        ran = call(*words, str(reported.path))
        assert ran.code == 5
        assert "there is a link where a run keeps plain files and folders only" in ran.err
    with pytest.raises(RunError), reported.lock():
        pytest.fail("it was locked")
    assert sorted(victim.parent.iterdir()) == [victim]
    assert victim.read_text() == "keep me"


def test_a_study_is_locked_by_the_same_rule(tmp_path: Path, victim: Path) -> None:
    study = tmp_path / "prior"
    study.mkdir()
    (study / "prior.html").symlink_to(victim)
    with pytest.raises(RunError), locked(study):
        pytest.fail("it was locked")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_special_files_are_refused_and_not_waited_for(reported: RunDirectory) -> None:
    os.mkfifo(reported.path / "results.json")
    ran = call("runs", "verify", str(reported.path))
    assert ran.code == 5
    assert "there is a special file where a run keeps plain files and folders only" in ran.err


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"schema_version": ' + "9" * 6000 + "}", '{"a": ' * 50_000]
)
def test_a_poisoned_manifest_does_not_hide_its_neighbours(
    reported: RunDirectory, text: str
) -> None:
    other = reported.path.with_name("f" * 16)
    shutil.copytree(reported.path, other)
    (other / "manifest.json").write_text(text)
    ran = call("runs", "list", "--out", str(reported.path.parents[1]))
    assert ran.code == 0
    assert "unreadable" in ran.out
    assert reported.path.name[:8] in ran.out
    assert call("runs", "verify", str(other)).code == 5


def test_every_place_of_a_stage_is_known() -> None:
    assert in_place("sampling", "chains/chain-12.npz")
    assert in_place("report", "tables/a.csv")
    assert in_place("report", "figures/more/a.svg")
    assert in_place("report", "report.html")
    assert in_place("folds", "folds/cluster/a.json")
    assert not in_place("design", "report.html")
    assert not in_place("forms", "forms/ces/manifest.json")
