"""What `runs verify` says of manifests that were changed, and of runs that are not finished."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from bayescluster.errors import RunError
from bayescluster.runs import files as atomic
from bayescluster.runs.store import RunDirectory
from tests.cli.small import call


@pytest.fixture
def reported(run: RunDirectory) -> RunDirectory:
    with run.stage("report", "r1"):
        atomic.write_text(run.report_path, "<html/>")
    return run


def test_a_changed_manifest_is_found(reported: RunDirectory) -> None:
    path = reported.path / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"data_label": "other.csv"}))
    ran = call("runs", "verify", str(reported.path))
    assert (ran.code, ran.err) == (
        5,
        (
            f"The run directory cannot be used:\n  {path}: the manifest is not as it was written: its "
            "checksum has changed\n    restore it from a copy, or move the directory away and run the "
            "same command again\n"
        ),
    )
    # whatever else is wrong may follow from it
    reported.report_path.write_text("<html>other</html>")
    assert [problem.where for problem in reported.verify()] == [
        str(path),
        str(reported.report_path),
    ]


def test_any_flipped_bit_of_a_manifest_is_found(reported: RunDirectory) -> None:
    path = reported.path / "manifest.json"
    raw, rng = path.read_bytes(), random.Random(17)
    assert not reported.verify()
    for _ in range(300):
        damaged = bytearray(raw)
        damaged[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        assert reported.verify(), damaged


def test_a_manifest_without_checksum_is_that_of_an_earlier_version(reported: RunDirectory) -> None:
    path = reported.path / "manifest.json"
    content = json.loads(path.read_text())
    del content["checksum"]
    path.write_text(json.dumps(content))
    assert not reported.verify()


def test_an_unfinished_run_is_called_so(reported: RunDirectory) -> None:
    ran = call("runs", "verify", str(reported.path))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        f"{reported.path}: every file that is finished is as it was written, but the run is "
        "unfinished. The command that began it goes on from there.\n"
    )
    with pytest.raises(KeyboardInterrupt), reported.stage("results", "r1"):
        raise KeyboardInterrupt
    assert "the run is interrupted" in call("runs", "verify", str(reported.path)).out


def test_a_torn_report_is_not_taken_for_finished(reported: RunDirectory) -> None:
    assert reported.is_done("report", "r1")
    reported.report_path.write_text("<ht")
    assert not reported.is_done("report", "r1")


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    ran = call("runs", "list", "--out", str(tmp_path / "none"))
    assert (ran.code, ran.err) == (
        5,
        (
            f"The run directory cannot be used:\n  {tmp_path / 'none'}: there is no such folder\n    "
            "name the folder of the runs by --out, or make a run: bayescluster run ANALYSIS.yaml\n"
        ),
    )


@pytest.mark.parametrize("held", [{}, {"name": "x"}, {"name": 3, "data": []}])
def test_a_manifest_without_an_analysis(reported: RunDirectory, held: object) -> None:
    path = reported.path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"analysis": held}))
    with pytest.raises(RunError, match=r"data: (Field required|Input should be)"):
        reported.analysis()


@pytest.mark.parametrize("limit", [0, 1000, 30_000])
def test_a_full_disk_leaves_a_message_and_what_was_there(run: RunDirectory, limit: int) -> None:
    import resource

    import numpy as np
    import xarray as xr

    tree = xr.DataTree.from_dict(
        {"a": xr.Dataset({"x": ("d", np.random.default_rng(1).random(9000))})}
    )
    with run.stage("design"):
        run.save_design(tree)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        path = run.path / "other.nc"
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            with pytest.raises(RunError, match="the file cannot be written"):
                atomic.write_netcdf(path, tree)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not path.exists()
    assert not list(run.path.glob(".*.partial"))
    assert not [problem for problem in run.verify() if problem]
