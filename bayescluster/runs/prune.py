"""What can be removed from a folder of runs: files left half written, and the files of older runs.

Only files that a manifest lists are removed, and those that carry the name of a file half written.
Of an older run the manifest stays: it says when which hypotheses were declared and results were seen,
which reports of the same data tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bayescluster.errors import Problem, RunError
from bayescluster.runs.files import WRITE_MEND
from bayescluster.runs.find import RunSummary, list_runs
from bayescluster.runs.layout import FORMS, is_locked, partial_files
from bayescluster.runs.store import RunDirectory


class Leftover(NamedTuple):
    """Files of one run that can be removed: half-written ones, or all that its manifest lists."""

    run: Path
    why: str
    files: tuple[Path, ...]
    forgotten: bool
    """Whether the manifest is to list them no more."""

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum(file.stat().st_size for file in self.files)


def leftovers(root: Path, keep: int | None = None) -> tuple[Leftover, ...]:
    """Find what can be removed below a folder of runs; nothing of a run that is being written.

    Parameters
    ----------
    root
        Folder of the runs.
    keep
        How many runs of each analysis keep their files, the newest; all of them without it.

    Raises
    ------
    RunError
        If there is no such folder.
    """
    readable = [run for run in list_runs(root) if run.status not in ("unreadable", "running")]
    return tuple(one for run in readable for one in _half_written(run)) + tuple(
        one for run in _older(readable, keep) for one in _files_of(run)
    )


def remove(found: tuple[Leftover, ...]) -> None:
    """Remove what was found; of a run, its manifest lists nothing more once the files are gone.

    Raises
    ------
    RunError
        If a file cannot be removed, or a run is being written now.
    """
    for one in found:
        run = RunDirectory(one.run)
        with run.lock():
            try:
                for file in one.files:
                    file.unlink(missing_ok=True)
                    with suppress(OSError):  # not empty yet, or for good: something else is in it
                        if file.parent != run.path:
                            file.parent.rmdir()
            except OSError as error:
                what = f"the file cannot be removed: {error.strerror or error}"
                raise RunError(Problem(what, str(error.filename), WRITE_MEND)) from error
            if one.forgotten:
                for each in (run, *run.forms().values()):
                    each.forget()


def _half_written(run: RunSummary) -> Iterator[Leftover]:
    if files := tuple(partial_files(run.path)):
        yield Leftover(run.path, "left half written", files, forgotten=False)


def _older(runs: list[RunSummary], keep: int | None) -> Iterator[RunSummary]:
    """Runs of each analysis beyond the newest; the list is from new to old."""
    seen: Counter[str] = Counter()
    for run in runs if keep is not None else ():
        seen[run.name] += 1
        if seen[run.name] > (keep or 0):
            yield run


def _files_of(run: RunSummary) -> Iterator[Leftover]:
    directory = RunDirectory(run.path)
    every = [directory, *(form for form in _readable_forms(directory) if not is_locked(form.path))]
    files = tuple(
        path
        for one in every
        for file in one.read_manifest().files
        if (path := one.path / file).is_file()
    )
    if files:
        yield Leftover(run.path, f"an older run of {run.name}", files, forgotten=True)


def _readable_forms(directory: RunDirectory) -> Iterator[RunDirectory]:
    for form in (directory.path / FORMS).glob("*"):
        with suppress(RunError):
            RunDirectory(form).read_manifest()
            yield RunDirectory(form)
