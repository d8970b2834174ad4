from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bayescluster.errors import RunError
from bayescluster.runs import files as atomic
from bayescluster.runs.files import (
    digest_of,
    read_arrays,
    read_tree,
    write_arrays,
    write_bytes,
    write_json,
    write_netcdf,
    write_text,
)


class Crash(BaseException):
    pass


def crash(*_: object) -> None:
    raise Crash


def every_type() -> xr.Dataset:
    rng = np.random.default_rng(1)
    return xr.Dataset(
        {
            "draws": (("chain", "firm", "cell"), rng.normal(size=(2, 3, 9000))),
            "count": (("firm", "cell"), rng.integers(0, 9, (3, 9000))),
            "flag": (("chain", "firm"), rng.random((2, 3)) < 0.5),
            "lacking": (("firm",), [1.0, np.nan, np.inf]),
            "none": (("firm", "control"), np.zeros((3, 0))),
            "scalar": 3.5,
            "label": (("firm",), ["Møbel", "", "Jepara x 2"]),
        },
        {"chain": [0, 1], "firm": ["f1", "f2", "firm 3"], "control": np.array([], dtype=str)},
        {"details": "y" * 200_000},
    )


def assert_same(found: xr.Dataset, written: xr.Dataset) -> None:
    xr.testing.assert_identical(found, written)
    for name, array in written.variables.items():
        assert found[name].dtype == array.dtype, name
        assert found[name].to_numpy().tobytes() == array.to_numpy().tobytes(), name
        assert not found[name].encoding


def test_dataset_round_trip_is_exact(tmp_path: Path) -> None:
    written = every_type()
    write_netcdf(tmp_path / "a.nc", written)
    assert_same(read_tree(tmp_path / "a.nc").to_dataset(), written)


def test_tree_round_trip_is_exact_and_can_be_saved_again(tmp_path: Path) -> None:
    groups = {"posterior": every_type(), "prior": every_type().isel(chain=[0])}
    write_netcdf(tmp_path / "a.nc", xr.DataTree.from_dict(groups))
    write_netcdf(tmp_path / "b.nc", read_tree(tmp_path / "a.nc").isel(firm=[0, 2]))
    first, second = read_tree(tmp_path / "a.nc"), read_tree(tmp_path / "b.nc")
    assert list(first.children) == ["posterior", "prior"]
    for name, written in groups.items():
        assert_same(first[name].to_dataset(), written)
        xr.testing.assert_identical(second[name].to_dataset(), written.isel(firm=[0, 2]))


def test_plain_arrays_round_trip_exactly_and_give_the_same_bytes(tmp_path: Path) -> None:
    groups = {"posterior": every_type().drop_attrs(), "sample_stats": xr.Dataset({"x": 1.0})}
    for name in ("a.npz", "b.npz"):
        write_arrays(tmp_path / name, xr.DataTree.from_dict(groups))
    found = read_arrays(tmp_path / "a.npz")
    for name, written in groups.items():
        assert_same(found[name].to_dataset(), written)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_labels_that_are_objects_are_kept_as_text(tmp_path: Path) -> None:
    labels = np.array(["Jepara", "Møbel"], dtype=object)
    write_arrays(tmp_path / "a.npz", xr.DataTree(xr.Dataset({"x": ("firm", labels)})))
    assert read_arrays(tmp_path / "a.npz")["x"].to_numpy().tolist() == ["Jepara", "Møbel"]


@pytest.mark.parametrize("what", ["torn", "other", "flipped", "pickled"])
def test_plain_arrays_that_are_not_whole_are_refused(what: str, tmp_path: Path) -> None:
    path = tmp_path / "chain-1.npz"
    write_arrays(path, xr.DataTree.from_dict({"posterior": every_type()}))
    content = path.read_bytes()
    middle = len(content) // 2
    if what == "pickled":
        np.savez(path, dimensions=np.array([{"x": []}], dtype=object))
    else:
        path.write_bytes(
            {
                "torn": content[:middle],
                "other": b"firm,outcome\n" * 100,
                "flipped": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            }[what]
        )
    with pytest.raises(RunError) as raised:
        read_arrays(path)
    assert str(raised.value) == (
        f"The run directory cannot be used:\n  {path}: the file cannot be read as arrays\n"
        "    delete it and run the same command again: only what is missing is made again"
    )


def test_large_arrays_alone_are_compressed(tmp_path: Path) -> None:
    write_netcdf(tmp_path / "a.nc", every_type())
    with xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf") as stored:
        zipped = {
            str(name) for name, array in stored.variables.items() if array.encoding.get("zlib")
        }
    assert zipped == {"draws", "count"}


def test_text_and_json_are_utf8_with_their_own_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Møbel\n")
    write_json(tmp_path / "a.json", {"a": "Møbel"})
    assert (tmp_path / "a.txt").read_bytes() == b"M\xc3\xb8bel\n"
    assert (tmp_path / "a.json").read_bytes() == b'{\n  "a": "M\xc3\xb8bel"\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", float("nan"))


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize(
    "write",
    [lambda path: write_bytes(path, b"new"), lambda path: write_netcdf(path, every_type())],
    ids=["bytes", "netcdf"],
)
def test_a_stop_before_the_rename_leaves_the_old_file(
    step: str, write: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    monkeypatch.setattr(atomic.os, step, crash)
    with pytest.raises(Crash):
        write(path)
    assert [item.name for item in tmp_path.iterdir()] == ["a"]
    assert path.read_bytes() == b"old"


def test_a_killed_process_leaves_the_old_file_and_a_partial_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    code = (
        "import os, sys; from pathlib import Path; from bayescluster.runs import files;"
        "os.replace = lambda *_: os._exit(9);"
        "files.write_bytes(Path(sys.argv[1]), b'new')"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=False)
    assert ended.returncode == 9
    assert (tmp_path / "a").read_bytes() == b"old"
    (partial,) = tmp_path.glob(".a.*.partial")
    assert partial.read_bytes() == b"new"


def test_content_is_flushed_before_the_rename_and_the_directory_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def flush(handle: int) -> None:
        steps.append("directory" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")  # noqa: PTH112
        fsync(handle)

    def rename(old: Path, new: Path) -> None:
        steps.append("rename")
        replace(old, new)

    monkeypatch.setattr(atomic.os, "fsync", flush)
    monkeypatch.setattr(atomic.os, "replace", rename)
    write_bytes(tmp_path / "a", b"new")
    assert steps == ["file", "rename", "directory"]


def test_full_disk_is_told_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(RunError) as raised:
        write_bytes(tmp_path / "a", b"new")
    assert str(raised.value) == (
        "The run directory cannot be used:\n"
        f"  {tmp_path / 'a'}: the file cannot be written: No space left on device\n"
        "    make room on the disk or allow writing there, then run the same command again: it goes on "
        "from what the run has finished, if anything"
    )
    assert list(tmp_path.iterdir()) == []


def test_digest_is_sha256_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert digest_of(tmp_path / "a") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
