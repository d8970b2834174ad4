from __future__ import annotations

from pathlib import Path

import pytest

from bayescluster.runs.files import write_text
from bayescluster.runs.find import list_runs
from bayescluster.runs.prune import leftovers, remove
from bayescluster.runs.store import RunDirectory
from tests.cli.small import call

KEYS = ("a" * 16, "b" * 16, "c" * 16)


@pytest.fixture
def root(tmp_path: Path, manifest) -> Path:
    """Three runs of one analysis, from old to new, each with a report; and one of another."""
    for day, key in enumerate(KEYS, start=1):
        _made(tmp_path / "runs", manifest, name="toy", key=key, started=f"2026-01-0{day}")
    _made(tmp_path / "runs", manifest, name="other", key="d" * 16, started="2025-01-01")
    return tmp_path / "runs"


def _made(root: Path, manifest, name: str, key: str, started: str) -> None:
    run = RunDirectory.create(root, name, key)
    run.begin(manifest.model_copy(update={"name": name, "key": key, "started": started}))
    with run.stage("report", "r"):
        write_text(run.path / "tables" / "a.csv", "a\n")
        write_text(run.report_path, "<html/>")


def test_nothing_is_removed_without_a_reason(root: Path) -> None:
    assert leftovers(root) == ()
    ran = call("runs", "prune", "--out", str(root))
    assert (ran.code, ran.out) == (0, f"Nothing to remove in {root}.\n")


def test_older_runs_keep_their_manifest_and_what_is_not_theirs(root: Path) -> None:
    own = root / "toy" / KEYS[0] / "tables" / "mine.csv"
    own.write_text("keep me")
    strange = root / "toy" / KEYS[1] / "notes.txt"
    strange.write_text("keep me")
    found = leftovers(root, keep=1)
    assert [one.run.name for one in found] == [KEYS[1], KEYS[0]]
    declared = RunDirectory(root / "toy" / KEYS[0]).read_manifest().declarations
    remove(found)
    assert own.read_text() == strange.read_text() == "keep me"
    for key in KEYS[:2]:
        run = RunDirectory(root / "toy" / key)
        assert not run.report_path.exists()
        assert run.read_manifest().stages == {}
        assert run.read_manifest().declarations == declared
    assert not (root / "toy" / KEYS[1] / "tables").exists()
    assert RunDirectory(root / "toy" / KEYS[2]).verify() == []
    assert len(list_runs(root)) == 4
    assert leftovers(root, keep=1) == ()


def test_half_written_files_are_found_by_their_name(root: Path) -> None:
    run = root / "toy" / KEYS[2]
    half = run / "tables" / ".a.csv.4711.partial"
    half.write_text("1,2")
    others = [run / ".mine.partial", run / "a.csv.4711.partial", root / ".a.csv.4711.partial"]
    for each in others:
        each.write_text("keep me")
    ran = call("runs", "prune", "--out", str(root))
    assert ran.out == (
        f"{run}: left half written (1 file, 0.0 MB)\n"
        "Nothing was removed yet: the same command with --yes removes these files.\n"
    )
    assert half.exists()
    ran = call("runs", "prune", "--out", str(root), "--yes")
    assert ran.out.endswith("Removed 1 file.\n")
    assert not half.exists()
    assert all(each.exists() for each in others)


def test_a_run_that_is_written_is_left_alone(root: Path) -> None:
    run = RunDirectory(root / "toy" / KEYS[0])
    found = leftovers(root, keep=1)
    with run.lock(), run.stage("report", "r"):
        assert [one.run.name for one in leftovers(root, keep=1)] == [KEYS[1]]
        ran = call("runs", "prune", "--out", str(root), "--keep", "1")
        assert KEYS[0] not in ran.out
    assert len(found) == 2


def test_a_run_of_a_stranger_removes_nothing_outside(root: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_text("keep me")
    path = root / "toy" / KEYS[0] / "manifest.json"
    path.write_text(path.read_text().replace('"report.html"', '"../../../victim.txt"'))
    ran = call("runs", "prune", "--out", str(root), "--keep", "1", "--yes")
    assert ran.code == 0
    assert KEYS[0] not in ran.out  # its manifest cannot be read
    assert victim.read_text() == "keep me"


def test_no_such_folder(tmp_path: Path) -> None:
    assert call("runs", "prune", "--out", str(tmp_path / "none")).code == 5
