"""Files that are whole or not there: written beside their place, flushed, then renamed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayescluster.errors import Problem, RunError
from bayescluster.runs.layout import PARTIAL

if TYPE_CHECKING:
    import xarray as xr

COMPRESSED_BYTES = 100_000
"""Arrays above this size are compressed; below it, chunks cost more than they save."""

COMPRESSION = {"zlib": True, "complevel": 1, "shuffle": True}

WRITE_MEND = (
    "make room on the disk or allow writing there, then run the same command again: "
    "what is saved is kept"
)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to; what is there afterwards takes the place of ``path``.

    If anything goes wrong before the end, ``path`` is as it was.

    Raises
    ------
    RunError
        If the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{PARTIAL}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            _flush(partial, os.O_RDWR)
            os.replace(partial, path)  # noqa: PTH105
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        if os.name != "nt":  # directories cannot be flushed on Windows
            _flush(path.parent, os.O_RDONLY)
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunError(
            Problem(f"the file cannot be written: {reason}", str(path), WRITE_MEND)
        ) from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes atomically."""
    with replacing(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write text atomically, as UTF-8 with the line ends it has."""
    write_bytes(path, content.encode())


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically; numbers that JSON does not know are refused."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_netcdf(path: Path, data: xr.Dataset | xr.DataTree) -> None:
    """Write arrays atomically as netCDF-4, large ones compressed without loss."""
    import xarray as xr

    with replacing(path) as partial:
        if isinstance(data, xr.DataTree):
            data.to_netcdf(
                partial,
                engine="h5netcdf",
                encoding={
                    node.path: _encoding(node.to_dataset(inherit=False)) for node in data.subtree
                },
            )
        else:
            data.to_netcdf(partial, engine="h5netcdf", encoding=_encoding(data))


def digest_of(path: Path) -> str:
    """Compute the sha256 of a file, as hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _encoding(dataset: xr.Dataset) -> dict[str, dict[str, Any]]:
    return {
        str(name): dict(COMPRESSION)
        for name, array in dataset.variables.items()
        if array.dtype.kind in "fiub" and array.nbytes > COMPRESSED_BYTES
    }


def _flush(path: Path, mode: int) -> None:
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
