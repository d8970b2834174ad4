"""The files of a run directory, which stage each belongs to, and one writer at a time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final, Literal

from filelock import FileLock, Timeout

from bayescluster.errors import Problem, RunError

StageName = Literal[
    "design",
    "sampling",
    "posterior",
    "forms",
    "ceiling_models",
    "results",
    "explorer",
    "folds",
    "report",
]

MANIFEST: Final = "manifest.json"
LOCK: Final = ".lock"
LOG: Final = "log.jsonl"
"""What happened when, a line each; of no account for the numbers, so it has no hash."""
DESIGN: Final = "design.nc"
CHAINS: Final = "chains"
POSTERIOR: Final = "posterior.nc"
RESULTS: Final = "results.json"
EXPLORER: Final = "explorer.json"
"""Thinned draws that a report computes from on the page; made when it is first written."""
TABLES: Final = "tables"
FIGURES: Final = "figures"
REPORT: Final = "report.html"
FORMS: Final = "forms"
"""Folder of the runs of each form, where an analysis has several."""

CEILING_MODELS: Final = "ceiling_models"
"""Folder of the posteriors of ceiling models, where an analysis asks for them."""

FOLDS: Final = "folds.json"
FOLDS_FOLDER: Final = "folds"
"""What was found by leaving out, and the folder of the refits behind it, a file each."""

SHOWN_LINKS: Final = 5

PARTIAL: Final = ".partial"
"""Ending of a file that is being written; it is renamed when it is whole."""
HALF_WRITTEN: Final = re.compile(rf"\..+\.[0-9]+{re.escape(PARTIAL)}")
"""Name of a file that is being written: that of the file, and the number of the process."""

PLACES: Final[dict[StageName, tuple[str, ...]]] = {
    "design": (DESIGN,),
    "sampling": (f"{CHAINS}/chain-*.npz",),
    "posterior": (POSTERIOR,),
    "forms": (),
    "ceiling_models": (f"{CEILING_MODELS}/*.nc",),
    "results": (RESULTS,),
    "explorer": (EXPLORER,),
    "folds": (FOLDS, f"{FOLDS_FOLDER}/**/*"),
    "report": (f"{TABLES}/**/*", f"{FIGURES}/**/*", REPORT),
}
"""Stages in their order, and where each keeps its files.

The files of the forms are those of their own runs, each with a manifest of its own.
"""

FORMAT: Final = 2
"""Version of the manifest and of the files that it lists."""

STAGES: Final[tuple[StageName, ...]] = ("design", "sampling", "posterior", "results", "report")
"""Stages of a run of one form; that of ceiling models is made where it is asked for."""
AFTER_DRAWS: Final[tuple[StageName, ...]] = (
    "sampling",
    "posterior",
    "results",
    "explorer",
    "folds",
    "report",
)
"""Stages whose files rest on the draws."""
STAGES_OF_FORMS: Final[tuple[StageName, ...]] = ("forms", "results", "report")
"""Stages of a run of several forms."""


def chain_file(number: int) -> str:
    """Path of a chain inside the run; chains are numbered from 0, their files from 1."""
    return f"{CHAINS}/chain-{number + 1}.npz"


def ceiling_file(capital: str, model: str) -> str:
    """Path of the posterior of a ceiling model inside the run."""
    return f"{CEILING_MODELS}/{capital}-{model}.nc"


def files_of(directory: Path, stage: StageName) -> tuple[str, ...]:
    """Files in the places of a stage, as relative paths, sorted."""
    found = (path for pattern in PLACES[stage] for path in directory.glob(pattern))
    return tuple(
        sorted(
            path.relative_to(directory).as_posix()
            for path in found
            if path.is_file() and path.suffix != PARTIAL
        )
    )


def partial_files(directory: Path) -> Iterator[Path]:
    """Files below a directory that were being written; left behind where a process was killed."""
    for path in directory.rglob(f".*{PARTIAL}"):
        if HALF_WRITTEN.fullmatch(path.name) and path.is_file():
            yield path


def in_place(stage: StageName, file: str) -> bool:
    """Whether a path is one that this stage writes: relative, without detours, in its place."""
    plain = PurePosixPath(file).as_posix() == file and "\0" not in file
    parts = PureWindowsPath(file)  # the stricter reading: it knows drives and both slashes
    inside = not parts.anchor and ".." not in parts.parts and "\\" not in file
    # in fnmatch a star crosses folders, so one pattern covers both kinds of star
    return (
        plain
        and inside
        and any(fnmatchcase(file, pattern.replace("**/*", "*")) for pattern in PLACES[stage])
    )


def refuse_links(directory: Path) -> None:
    """Refuse a directory that holds links or devices: what is written there could land elsewhere.

    Raises
    ------
    RunError
        If anything inside is neither a plain file nor a folder; the first few are named.
    """
    strange = [Path(item.path) for item in _strange(directory)]
    if strange:
        raise RunError(
            Problem(
                f"there is {'a link' if path.is_symlink() else 'a special file'} where "
                "a run keeps plain files and folders only",
                str(path),
                "if you trust this run, put a copy of the file in its place; otherwise delete it",
            )
            for path in strange[:SHOWN_LINKS]
        )


def _strange(directory: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield from _strange(Path(entry.path))
                elif not entry.is_file(follow_symlinks=False):
                    yield entry
    except OSError:
        return  # what cannot be listed is reported where it is needed


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lock of the directory of a run or a study; the system frees it if the process dies.

    Files that a killed process left half written are removed.

    Raises
    ------
    RunError
        If another process writes to the directory, no lock can be placed there, or the directory
        holds links that lead out of it.
    """
    refuse_links(directory)
    lock = FileLock(directory / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(
            Problem(
                "another process is writing to this run",
                str(directory),
                "wait until it ends or stop it, then run the same command again: "
                "what is saved is kept",
            )
        ) from None
    except OSError as error:
        raise RunError(
            Problem(
                f"the run cannot be locked for writing: {error.strerror or error}",
                str(directory),
                "allow writing there, or name another directory with --out",
            )
        ) from error
    try:
        for partial in partial_files(directory):
            partial.unlink(missing_ok=True)
        yield
    finally:
        lock.release()


def is_locked(directory: Path) -> bool:
    """Whether a process is writing to a run directory now, as far as the lock shows."""
    if not (directory / LOCK).exists():
        return False
    try:
        with FileLock(directory / LOCK, timeout=0):
            return False
    except (Timeout, OSError):
        return True
