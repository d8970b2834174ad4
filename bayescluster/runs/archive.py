"""A run as one file: packed for another machine, and unpacked only if it holds a run and nothing else.

An archive is a zip of ``NAME/KEY/...``: the manifests, and the files they list. They hold the hash
of every file, so nothing else has to be said in it, and any program can unpack it.
"""

from __future__ import annotations

import glob
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bayescluster.errors import Problem, RunError
from bayescluster.runs.files import WRITE_MEND, replacing
from bayescluster.runs.keys import KEY_LENGTH
from bayescluster.runs.layout import (
    FORMS,
    HALF_WRITTEN,
    LOCK,
    MANIFEST,
    PARTIAL,
    is_locked,
    locked,
)
from bayescluster.runs.manifest import Manifest, read_manifest
from bayescluster.runs.store import RunDirectory

MOST_FILES: Final = 20_000
"""Files of a run that are unpacked."""
MOST_BYTES: Final = 50 * 10**9
"""Size of all of them, unpacked."""
MOST_OF_MANIFEST: Final = 20 * 10**6
"""Size of a manifest, which is read whole."""
MOST_RATIO: Final = 100
"""How many times the size of the archive they may be in all: no run shrinks so far."""
ALWAYS: Final = 10**7
"""Size that is unpacked whatever the ratio."""
SHOWN: Final = 5
CHUNK: Final = 2**20
COMPRESSED: Final = (".json", ".csv", ".html", ".svg")
"""Files that are compressed; arrays are already, or do not shrink."""
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""Time of every file in an archive, so that the same run gives the same bytes."""
PLACE: Final = re.compile(
    rf"(?P<name>[A-Za-z][A-Za-z0-9_-]{{0,59}})/(?P<key>[0-9a-f]{{{KEY_LENGTH}}})/(?P<file>.+)",
    re.DOTALL,
)
UNREADABLE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    ValueError,
)
"""What damaged archives raise."""
UNPACK_MEND: Final = "ask for the archive again; it is made by: bayescluster runs export RUN"


class ArchiveError(RunError):
    """An archive that holds no run, or more than a run."""

    title = "The archive cannot be used"


def pack(run: RunDirectory, archive: Path) -> tuple[str, ...]:
    """Write a run as one archive, and give the files in it; the data file is in none.

    Raises
    ------
    RunError
        If the run is being written, a file of it is not as it was written, or the archive is there
        already or cannot be written.
    """
    if archive.exists():
        raise ArchiveError(Problem("there is such a file already", str(archive), "name another"))
    if is_locked(run.path):
        what = "another process is writing to this run"
        raise RunError(Problem(what, str(run.path), "wait until it ends"))
    if problems := run.verify():
        raise RunError(problems)
    manifest = run.read_manifest()
    top = f"{manifest.name}/{manifest.key}"
    files = tuple(_files_of(run.path, manifest))
    # what a process that was killed at the same archive has left
    for left in archive.parent.glob(f".{glob.escape(archive.name)}.*{PARTIAL}"):
        if HALF_WRITTEN.fullmatch(left.name):
            left.unlink(missing_ok=True)
    with replacing(archive) as partial, zipfile.ZipFile(partial, "w") as made:
        for file in files:
            info = zipfile.ZipInfo(f"{top}/{file}", EPOCH)
            shrinks = file.endswith(COMPRESSED)
            info.compress_type = zipfile.ZIP_DEFLATED if shrinks else zipfile.ZIP_STORED
            info.external_attr = 0o644 << 16
            with (run.path / file).open("rb") as source, made.open(info, "w") as member:
                shutil.copyfileobj(source, member, CHUNK)
    return files


def unpack(archive: Path, root: Path) -> RunDirectory:
    """Unpack a run below a folder of runs, once every file of it is known to be as it was written.

    Nothing is written outside ``root``, and nothing in it is replaced: the run is unpacked in a
    folder of its own and moved to its place when it is whole.

    Parameters
    ----------
    archive
        The archive, which may come from anyone.
    root
        Folder of the runs.

    Raises
    ------
    RunError
        If it is no archive of a run, holds anything else, is larger than runs are, was changed, or
        the run is there already.
    """
    with _opened(archive) as packed:
        members = _members(packed, archive)
        first = PLACE.fullmatch(next(iter(members)))
        assert first is not None  # all were matched
        place = root / first["name"] / first["key"]
        if place.exists():
            mend = f"see: bayescluster runs verify {place}; or unpack to another folder: --out"
            raise ArchiveError(Problem("this run is there already", str(place), mend))
        _refuse_full(sum(info.file_size for info in members.values()), root)
        with _beside(root, first["key"]) as folder:
            unpacked = RunDirectory(folder / first["name"] / first["key"])
            _unpack(packed, members, unpacked, archive)
            if problems := unpacked.verify():
                mend = UNPACK_MEND
                raise ArchiveError(Problem(one.what, str(archive), mend) for one in problems)
            _move(unpacked.path, place)
    return RunDirectory(place)


def _files_of(directory: Path, manifest: Manifest) -> Iterator[str]:
    """Files of a run, and of its forms, that their manifests know; the manifests themselves first."""
    yield MANIFEST
    yield from sorted(manifest.files)
    for form in manifest.forms:
        inside = directory / FORMS / form
        if (inside / MANIFEST).is_file():
            for file in _files_of(inside, read_manifest(inside)):
                yield f"{FORMS}/{form}/{file}"


@contextmanager
def _opened(archive: Path) -> Iterator[zipfile.ZipFile]:
    if not archive.is_file():  # a device would be read without end
        what = "this is no archive: it is not a file" if archive.exists() else "there is no archive"
        raise ArchiveError(Problem(what, str(archive), "name a file such as NAME-KEY.zip"))
    try:
        with zipfile.ZipFile(archive) as packed:
            yield packed
    except UNREADABLE as error:
        what = f"the archive is damaged, or no zip file: {str(error) or type(error).__name__}"
        raise ArchiveError(Problem(what, str(archive), UNPACK_MEND)) from error
    except OSError as error:
        what = f"the archive cannot be unpacked: {error.strerror or error}"
        where = str(error.filename or archive)
        raise ArchiveError(Problem(what, where, WRITE_MEND)) from error


def _members(packed: zipfile.ZipFile, archive: Path) -> dict[str, zipfile.ZipInfo]:
    """Members by name, before any of them is unpacked."""
    infos = packed.infolist()
    found = [*_too_much(infos, archive.stat().st_size)]
    names = Counter(info.filename for info in infos)
    found += [f"{name!a} is in it {n} times" for name, n in names.items() if n > 1]
    found += [f"{info.filename!a} {fault}" for info in infos if (fault := _fault(info))]
    places = [PLACE.fullmatch(info.filename) for info in infos]
    if not found and len({(one["name"], one["key"]) for one in places if one}) != 1:
        found.append("it holds more than one run" if infos else "it is empty")
    if found:
        more = [f"and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        raise ArchiveError(
            Problem(what, str(archive), UNPACK_MEND) for what in (*found[:SHOWN], *more)
        )
    return {info.filename: info for info in infos}


def _too_much(infos: list[zipfile.ZipInfo], size: int) -> Iterator[str]:
    total = sum(info.file_size for info in infos)
    if len(infos) > MOST_FILES:
        yield f"it holds {len(infos):,} files, a run at most {MOST_FILES:,}"
    if total > MOST_BYTES:
        yield f"it is {total / 1e9:,.0f} GB unpacked, a run at most {MOST_BYTES / 1e9:,.0f} GB"
    elif total > max(ALWAYS, MOST_RATIO * size):
        yield f"it is {total / max(size, 1):,.0f} times as large unpacked, a run at most {MOST_RATIO}"


def _fault(info: zipfile.ZipInfo) -> str:
    """What keeps a member from being a file of a run."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    parts = info.filename.split("/")
    if kind not in (0, stat.S_IFREG) or info.is_dir():
        return "is no plain file"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in a way that no run is"
    strange = not PLACE.fullmatch(info.filename) or "\\" in info.filename or ":" in info.filename
    # the name before zipfile mends it: what follows a null character is not lost
    if strange or not {"", ".", ".."}.isdisjoint(parts) or info.orig_filename != info.filename:
        return "is not in the place of a run: NAME/KEY/..."
    if parts[-1] == MANIFEST and info.file_size > MOST_OF_MANIFEST:
        return "is larger than any manifest"
    return ""


def _refuse_full(size: int, root: Path) -> None:
    there = next((path for path in (root, *root.absolute().parents) if path.is_dir()), root)
    free = shutil.disk_usage(there).free
    if size > free:
        what = f"the run takes {size / 1e9:,.1f} GB, and {free / 1e9:,.1f} GB are free"
        raise ArchiveError(Problem(what, str(root), "make room, or name another folder: --out"))


@contextmanager
def _beside(root: Path, key: str) -> Iterator[Path]:
    """A folder within the folder of runs, so that what is whole can be moved at once.

    What a killed process left in it is removed, and it is removed in the end.
    """
    folder = root / f".import-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        for left in folder.iterdir():
            if left.name != LOCK:
                shutil.rmtree(left)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _unpack(
    packed: zipfile.ZipFile,
    members: dict[str, zipfile.ZipInfo],
    run: RunDirectory,
    archive: Path,
) -> None:
    """Unpack the manifests, then the files that they list: anything else is refused first."""
    folder = run.path.parents[1]
    manifests = [name for name in members if name.rpartition("/")[2] == MANIFEST]
    for name in manifests:
        _write(packed, members[name], folder / name)
    if not (run.path / MANIFEST).is_file():
        what = "it has no manifest.json, which every run has"
        raise ArchiveError(Problem(what, str(archive), UNPACK_MEND))
    try:
        manifest = run.read_manifest()
        expected = {f"{_top(run)}/{file}" for file in _files_of(run.path, manifest)}
    except RunError as error:
        raise ArchiveError(
            Problem(one.what, str(archive), one.mend) for one in error.problems
        ) from None
    faults = [f"{name!a} is no file of the run" for name in sorted({*members} - expected)]
    faults += [f"{name} is missing" for name in sorted(expected - {*members})]
    if (manifest.name, manifest.key) != (run.path.parent.name, run.path.name):
        faults.append("the manifest is that of another run")
    if faults:
        raise ArchiveError(Problem(what, str(archive), UNPACK_MEND) for what in faults[:SHOWN])
    for name in sorted(expected.difference(manifests)):
        _write(packed, members[name], folder / name)


def _top(run: RunDirectory) -> str:
    return f"{run.path.parent.name}/{run.path.name}"


def _write(packed: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with packed.open(info) as member, path.open("xb") as target:
        shutil.copyfileobj(member, target, CHUNK)


def _move(run: Path, place: Path) -> None:
    place.parent.mkdir(exist_ok=True)
    run.rename(place)
