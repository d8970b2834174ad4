"""Runs that were made, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from bayescluster.errors import RunError
from bayescluster.runs.layout import MANIFEST, STAGES, STAGES_OF_FORMS
from bayescluster.runs.lock import is_locked
from bayescluster.runs.manifest import Manifest, read_manifest

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
    """List the runs under ``root/<name>/<key>``, newest first, unreadable ones last."""
    return summaries(root.glob(f"*/*/{MANIFEST}"))


def summaries(manifests: Iterable[Path]) -> list[RunSummary]:
    """Summarise the runs that these manifest files belong to, newest first."""
    found = [_summary(path.parent) for path in manifests]
    return sorted(found, key=lambda run: (run.started, run.key), reverse=True)


def _summary(directory: Path) -> RunSummary:
    try:
        manifest = read_manifest(directory)
    except RunError:
        return RunSummary(directory.parent.name, directory.name, "", "unreadable", None, directory)
    return RunSummary(
        manifest.name,
        manifest.key,
        manifest.started,
        _status(manifest, directory),
        manifest.gate_passed,
        directory,
        manifest.forms,
    )


def _status(manifest: Manifest, directory: Path) -> RunStatus:
    found = {stage.status for stage in manifest.stages.values()}
    if "running" in found:
        # a process that was killed leaves the word behind, but not the lock
        return "running" if is_locked(directory) else "interrupted"
    if "failed" in found:
        return "failed"
    if "interrupted" in found:
        return "interrupted"
    wanted = STAGES_OF_FORMS if manifest.forms else STAGES
    return "done" if set(wanted) <= set(manifest.stages) else "unfinished"
