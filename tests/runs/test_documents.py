from __future__ import annotations

import json
from pathlib import Path

import pytest

from bayescluster.errors import RunError
from bayescluster.runs.files import read_tree
from bayescluster.runs.store import RunDirectory

MEND = "restore it from a copy, or move the directory away and run the same command again"


@pytest.mark.parametrize(
    ("content", "what", "mend"),
    [
        (
            b'{"name": ',
            "the file is not JSON (line 1, column 10: Expecting value)",
            MEND,
        ),
        (b"\xff\xfe\xff", "the file is not UTF-8 text", MEND),
        (b"[1]", "the file does not hold a JSON object", MEND),
        (
            b'{"schema_version": 99}',
            "the file has schema version 99, and this bayescluster reads version 2",
            "it is of a newer bayescluster: update this one to open it",
        ),
        (
            b"{}",
            "the file has schema version null, and this bayescluster reads version 2",
            "open it with the bayescluster that wrote it, or run the analysis again",
        ),
    ],
)
def test_broken_manifests_are_told(content: bytes, what: str, mend: str, run: RunDirectory) -> None:
    path = run.path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(RunError) as raised:
        RunDirectory.open(run.path)
    assert str(raised.value) == (f"The run directory cannot be used:\n  {path}: {what}\n    {mend}")
    assert raised.value.exit_code == 5
    assert path.read_bytes() == content


def test_manifest_that_is_a_directory(run: RunDirectory) -> None:
    path = run.path / "manifest.json"
    path.unlink()
    path.mkdir()
    with pytest.raises(RunError) as raised:
        run.read_manifest()
    assert str(raised.value) == (
        "The run directory cannot be used:\n"
        f"  {path}: the file cannot be read: Is a directory\n    {MEND}"
    )


def test_all_faults_of_a_manifest_are_told(run: RunDirectory) -> None:
    path = run.path / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["key"]
    content["seeds"] = [1, "x"]
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RunError) as raised:
        run.read_manifest()
    assert str(raised.value) == (
        "The run directory cannot be used (2 problems):\n"
        f"  {path}: key: Field required\n    {MEND}\n"
        f"  {path}: seeds.1: Input should be a valid integer, unable to parse string as an "
        f"integer\n    {MEND}"
    )


@pytest.mark.parametrize("content", [b"", b"\x89HDF\r\n\x1a\n", b"firm,outcome\n" * 100])
def test_files_that_are_not_netcdf(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "posterior.nc"
    path.write_bytes(content)
    with pytest.raises(RunError) as raised:
        read_tree(path)
    assert str(raised.value) == (
        f"The run directory cannot be used:\n  {path}: the file cannot be read as netCDF\n"
        "    delete it and run the same command again: only what is missing is made again"
    )
