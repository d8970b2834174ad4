from __future__ import annotations

from pathlib import Path

import pytest

from bayescluster.errors import RunError
from bayescluster.runs.find import RunSummary, list_runs
from bayescluster.runs.manifest import Manifest
from bayescluster.runs.store import RunDirectory

KEY = "0123456789abcdef"


def another(run: RunDirectory, manifest: Manifest, key: str, started: str) -> RunDirectory:
    made = RunDirectory.create(run.path.parents[1], "toy", key)
    made.begin(manifest.model_copy(update={"key": key, "started": started}))
    return made


@pytest.mark.parametrize("inside", ["", "manifest.json", "chains", "chains/chain-1.npz"])
def test_a_run_is_found_from_what_is_in_it(inside: str, run: RunDirectory) -> None:
    (run.path / "chains").mkdir()
    (run.path / "chains" / "chain-1.npz").touch()
    assert RunDirectory.open(run.path / inside) == run


def test_the_newest_run_of_a_name_is_taken(run: RunDirectory, manifest: Manifest) -> None:
    newest = another(run, manifest, "a" * 16, "2999-01-01T00:00:00.000+00:00")
    another(run, manifest, "f" * 16, "1999-01-01T00:00:00.000+00:00")
    assert RunDirectory.open(run.path.parent) == newest


def test_relative_path(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path.parents[2])
    assert RunDirectory.open(Path("runs/toy")).path == Path("runs/toy") / KEY


@pytest.mark.parametrize(
    ("given", "what", "mend"),
    [
        ("runs/tyo", "there is no such run", "did you mean 'toy'?"),
        (f"runs/toy/{KEY}/results.jsn", "there is no such run", "known: chains"),
        (
            "nowhere/toy",
            "there is no such run",
            "make one with: bayescluster run ANALYSIS.yaml",
        ),
        (
            "runs",
            "this is not a run: it has no manifest.json",
            "name one of the runs in it: toy",
        ),
        (
            "empty",
            "this is not a run: it has no manifest.json",
            "name a directory that holds a manifest.json, such as runs/NAME/KEY",
        ),
    ],
)
def test_what_is_not_a_run_is_told(
    given: str, what: str, mend: str, run: RunDirectory, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (run.path / "chains").mkdir()
    with pytest.raises(RunError) as raised:
        RunDirectory.open(tmp_path / given)
    assert str(raised.value) == (
        f"The run directory cannot be used:\n  {tmp_path / given}: {what}\n    {mend}"
    )


def test_runs_are_listed_newest_first_and_broken_ones_last(
    run: RunDirectory, manifest: Manifest
) -> None:
    root = run.path.parents[1]
    old = another(run, manifest, "a" * 16, "1999-01-01T00:00:00.000+00:00")
    broken = another(run, manifest, "b" * 16, "2999-01-01T00:00:00.000+00:00")
    (broken.path / "manifest.json").write_text("{")
    run.record_gate(False)
    assert list_runs(root) == [
        RunSummary("toy", KEY, manifest.started, "unfinished", False, run.path),
        RunSummary("toy", "a" * 16, "1999-01-01T00:00:00.000+00:00", "unfinished", None, old.path),
        RunSummary("toy", "b" * 16, "", "unreadable", None, broken.path),
    ]
    with pytest.raises(RunError, match="there is no such folder"):
        list_runs(root / "none")


def status(run: RunDirectory) -> str:
    (found,) = list_runs(run.path.parents[1])
    return found.status


def test_status_of_a_run(run: RunDirectory) -> None:
    with run.lock(), run.stage("design"):
        assert status(run) == "running"
    assert status(run) == "unfinished"
    with pytest.raises(KeyboardInterrupt), run.stage("sampling"):  # noqa: PT012
        # no lock is held: so looks a run whose process was killed
        assert status(run) == "interrupted"
        raise KeyboardInterrupt
    assert status(run) == "interrupted"
    with pytest.raises(ZeroDivisionError), run.stage("results"):
        raise ZeroDivisionError
    assert status(run) == "failed"
    for name in ("sampling", "posterior", "results", "report"):
        with run.stage(name):
            pass
    assert status(run) == "done"
