"""Comparing the files of a run with what its manifest says of them."""

from __future__ import annotations

from pathlib import Path

from bayescluster.errors import Problem, RunError
from bayescluster.runs.atomic import digest_of
from bayescluster.runs.documents import REMAKE
from bayescluster.runs.layout import FORMS, LOCK, MANIFEST, PARTIAL, StageName
from bayescluster.runs.manifest import Manifest, read_manifest

AGAIN = "run the same command again: only what is missing is made anew"
UNKNOWN_MEND = (
    "if you put it there, keep it elsewhere; if a run was stopped, run the same command again"
)


def fault_of(directory: Path, manifest: Manifest, stage: StageName, file: str) -> Problem | None:
    """Say what is wrong with a file that a stage should have finished; None if it is whole."""
    path = directory / file
    known = manifest.stages[stage].files.get(file) if stage in manifest.stages else None
    if known is None:
        return Problem(f"the run has no finished {file} yet", str(directory), AGAIN)
    try:
        if digest_of(path) == known:
            return None
        what, mend = "the file is not as it was written: its checksum has changed", REMAKE
    except FileNotFoundError:
        what, mend = "the file is missing", AGAIN
    except OSError as error:
        what, mend = f"the file cannot be read: {error.strerror or error}", REMAKE
    return Problem(what, str(path), mend)


def problems_of(directory: Path, manifest: Manifest) -> list[Problem]:
    """Find files that are altered, missing or unknown, in the order of the stages.

    Forms that have runs of their own are looked at one by one, by their own manifests.
    """
    faults = [
        fault_of(directory, manifest, name, file)
        for name, stage in manifest.stages.items()
        for file in stage.files
    ]
    known = {*manifest.files, MANIFEST, LOCK}
    own = [path for _, path in own_runs(directory, manifest)]
    unknown = [
        Problem("the manifest does not know this file", str(path), UNKNOWN_MEND)
        for path in sorted(directory.rglob("*"))
        if path.is_file()
        and path.suffix != PARTIAL
        and path.relative_to(directory).as_posix() not in known
        and not any(path.is_relative_to(form) for form in own)
    ]
    found = [problem for problem in faults if problem] + unknown
    for path in own:
        if (path / MANIFEST).exists() or _forms_done(manifest):
            found += _problems_of_form(path)
    return found


def _problems_of_form(directory: Path) -> list[Problem]:
    try:
        return problems_of(directory, read_manifest(directory))
    except RunError as error:
        return list(error.problems)


def own_runs(directory: Path, manifest: Manifest) -> list[tuple[str, Path]]:
    """Forms that have runs of their own inside a run, and where."""
    return [(form, directory / FORMS / form) for form in manifest.forms]


def _forms_done(manifest: Manifest) -> bool:
    return "forms" in manifest.stages and manifest.stages["forms"].status == "done"
