"""Changes to a manifest as its stages go on: pure functions from one manifest to the next."""

from __future__ import annotations

from pathlib import Path

from bayescluster.errors import Problem, RunError
from bayescluster.runs.layout import StageName
from bayescluster.runs.manifest import Manifest, Stage, Status, now

KEPT = ("started", "stages", "gate_passed", "attempts")
"""What a manifest keeps when its run goes on."""


def continued(before: Manifest, manifest: Manifest, directory: Path) -> Manifest:
    """Go on with a run under a new manifest: what is finished stays so.

    Raises
    ------
    RunError
        If the manifest that was there is that of another fit.
    """
    if before.key != manifest.key:
        raise RunError(
            Problem(
                f"the run there has the key {before.key}, not {manifest.key}",
                str(directory),
                "move that directory away, then run the same command again",
            )
        )
    return manifest.model_copy(update={name: getattr(before, name) for name in KEPT})


def begun(manifest: Manifest, name: StageName, key: str) -> Manifest:
    """Mark a stage as running.

    What it has finished under the same key is kept; under another key it no longer counts.
    """
    before = manifest.stages.get(name)
    same = before is not None and before.key == key
    stage = Stage(
        status="running",
        started=now(),
        seconds=before.seconds if before and same and before.status != "done" else 0.0,
        key=key,
        files=before.files if before and same else {},
    )
    return _with(manifest, name, stage)


def ended(manifest: Manifest, name: StageName, status: Status, seconds: float) -> Manifest:
    """Mark a stage as ended, after so many more seconds."""
    stage = stage_of(manifest, name)
    update = {"status": status, "seconds": round(stage.seconds + seconds, 3)}
    return _with(manifest, name, stage.model_copy(update=update))


def recorded(manifest: Manifest, name: StageName, files: dict[str, str]) -> Manifest:
    """Note files of a stage as finished, with their sha256."""
    stage = stage_of(manifest, name)
    return _with(manifest, name, stage.model_copy(update={"files": stage.files | files}))


def forgotten(manifest: Manifest, name: StageName, path: str) -> Manifest:
    """Note a file of a stage as not finished."""
    stage = stage_of(manifest, name)
    files = {known: sha for known, sha in stage.files.items() if known != path}
    return _with(manifest, name, stage.model_copy(update={"files": files}))


def stage_of(manifest: Manifest, name: StageName) -> Stage:
    """Find a stage that has begun.

    Raises
    ------
    ValueError
        If it has not: files are saved inside ``with run.stage(name):``.
    """
    try:
        return manifest.stages[name]
    except KeyError:
        raise ValueError(f"stage '{name}' has not begun") from None


def _with(manifest: Manifest, name: StageName, stage: Stage) -> Manifest:
    return manifest.model_copy(update={"stages": manifest.stages | {name: stage}})
