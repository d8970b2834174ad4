"""Runs that were made, and finding the one that a path means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from bayescluster.errors import Problem, RunError
from bayescluster.lookup import suggestion
from bayescluster.results.facts import Declared
from bayescluster.runs.layout import MANIFEST, STAGES, STAGES_OF_FORMS, is_locked
from bayescluster.runs.manifest import Declaration, Manifest, read_manifest

RunStatus = Literal["running", "done", "failed", "interrupted", "unfinished", "unreadable"]


class RunSummary(NamedTuple):
    """One line about a run.

    ``unfinished`` means that stages are still to be done, ``unreadable`` that its manifest is
    broken; ``gate`` is None before the diagnostics gate was tried.
    """

    name: str
    key: str
    started: str
    status: RunStatus
    gate: bool | None
    path: Path
    forms: tuple[str, ...] = ()
    """Structural forms, where there are several."""


def list_runs(root: Path) -> list[RunSummary]:
    """List the runs under ``root/<name>/<key>``, newest first, unreadable ones last.

    Raises
    ------
    RunError
        If there is no such folder.
    """
    if not root.is_dir():
        mend = "name the folder of the runs by --out, or make a run: bayescluster run ANALYSIS.yaml"
        raise RunError(Problem("there is no such folder", str(root), mend))
    return summaries(root.glob(f"*/*/{MANIFEST}"))


def summaries(manifests: Iterable[Path]) -> list[RunSummary]:
    """Summarise the runs that these manifest files belong to, newest first."""
    runs = (_summary(path.parent) for path in manifests)
    return sorted(runs, key=lambda run: (run.started, run.key), reverse=True)


def _summary(directory: Path) -> RunSummary:
    try:
        manifest = read_manifest(directory)
    except RunError:
        return RunSummary(directory.parent.name, directory.name, "", "unreadable", None, directory)
    return RunSummary(
        manifest.name,
        manifest.key,
        manifest.started,
        status_of(manifest, directory),
        manifest.gate_passed,
        directory,
        manifest.forms,
    )


def status_of(manifest: Manifest, directory: Path) -> RunStatus:
    """Tell how far a run is."""
    statuses = {stage.status for stage in manifest.stages.values()}
    if "running" in statuses:
        # a process that was killed leaves the word behind, but not the lock
        return "running" if is_locked(directory) else "interrupted"
    if "failed" in statuses:
        return "failed"
    if "interrupted" in statuses:
        return "interrupted"
    wanted = STAGES_OF_FORMS if manifest.forms else STAGES
    return "done" if set(wanted) <= set(manifest.stages) else "unfinished"


def declared_before(root: Path, manifest: Manifest) -> Declared:
    """When the hypotheses of a run were declared, by the history of all runs of the same data.

    Parameters
    ----------
    root
        Folder of the runs.
    manifest
        Of the run, its hypotheses declared.
    """
    digest = manifest.declarations[-1].digest
    history = [*manifest.declarations, *_declarations(root, manifest)]
    first: dict[str, str] = {}
    for one in history:
        first[one.digest] = min(one.declared, first.get(one.digest, one.declared))
    fitted = min((one.fitted for one in history if one.fitted), default="")
    seen = min((one.seen for one in history if one.seen), default="")
    later = sum(declared > seen for declared in first.values()) if seen else 0
    at = first[digest]
    return Declared(
        digest=digest,
        at=at,
        before_fit=not fitted or at <= fitted,
        before_results=not seen or at <= seen,
        changes=later,
    )


def _declarations(root: Path, own: Manifest) -> Iterator[Declaration]:
    """Hypotheses that other runs of the same data declared."""
    for path in root.glob(f"*/*/{MANIFEST}"):
        try:
            manifest = read_manifest(path.parent)
        except RunError:
            continue  # a run that cannot be read has no history
        if manifest.data_digest == own.data_digest and manifest.key != own.key:
            yield from manifest.history


def find_run(path: Path) -> Path:
    """Find the directory of a run from itself, from a file in it, or from the directory above.

    Of several runs in the directory above, the newest is taken.

    Raises
    ------
    RunError
        If there is no such run; the nearest name there is is suggested.
    """
    if not path.exists():
        raise RunError(Problem("there is no such run", str(path), _nearest(path)))
    for directory in (path, *path.absolute().parents[:2]):
        if (directory / MANIFEST).is_file():
            return directory
    if inside := summaries(path.glob(f"*/{MANIFEST}")):
        return inside[0].path
    names = sorted({item.parents[1].name for item in path.glob(f"*/*/{MANIFEST}")})
    mend = (
        f"name one of the runs in it: {', '.join(names)}"
        if names
        else "name a directory that holds a manifest.json, such as runs/NAME/KEY"
    )
    raise RunError(Problem("this is not a run: it has no manifest.json", str(path), mend))


def _nearest(path: Path) -> str:
    names = sorted(item.name for item in path.parent.glob("*") if item.is_dir())
    return suggestion(path.name, names) or "make one with: bayescluster run ANALYSIS.yaml"
