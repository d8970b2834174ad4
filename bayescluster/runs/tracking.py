"""Following a stage: its status and time in the manifest, and the files of the report it leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bayescluster.errors import RunError
from bayescluster.runs.atomic import digest_of
from bayescluster.runs.layout import StageName, files_of
from bayescluster.runs.manifest import Manifest, Status, read_manifest, write_manifest
from bayescluster.runs.stages import begun, ended, recorded


class Stamp(NamedTuple):
    """Changes whenever a file is written anew, even with the same content."""

    modified: int
    inode: int


def edit(directory: Path, change: Callable[[Manifest], Manifest]) -> None:
    """Replace the manifest by a changed one."""
    write_manifest(directory, change(read_manifest(directory)))


@contextmanager
def tracked(directory: Path, name: StageName, key: str | None) -> Iterator[None]:
    """Record how a stage goes; see `RunDirectory.stage`."""
    before = read_manifest(directory)
    key = key or before.key
    old = before.stages.get(name)
    stale = _stamps(directory, old.files) if old and old.key != key else {}
    write_manifest(directory, begun(before, name, key))
    start = time.monotonic()

    def end(status: Status) -> None:
        elapsed = time.monotonic() - start
        edit(directory, lambda manifest: ended(manifest, name, status, elapsed))

    try:
        yield
        if name == "report":
            _take_in_report(directory, stale)
    except BaseException as error:
        try:
            end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        except RunError as second:  # the first error is the one to tell
            error.add_note(str(second))
        raise
    end("done")


def _take_in_report(directory: Path, stale: dict[str, Stamp]) -> None:
    """Record the files of the report, which others write; drop those of an earlier report."""
    for file, stamp in stale.items():
        if _stamps(directory, (file,)).get(file) == stamp:
            (directory / file).unlink()
    files = {file: digest_of(directory / file) for file in files_of(directory, "report")}
    edit(directory, lambda manifest: recorded(manifest, "report", files))


def _stamps(directory: Path, files: Iterable[str]) -> dict[str, Stamp]:
    stats = {file: (directory / file).stat() for file in files if (directory / file).is_file()}
    return {file: Stamp(stat.st_mtime_ns, stat.st_ino) for file, stat in stats.items()}
