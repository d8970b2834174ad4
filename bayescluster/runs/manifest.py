"""The manifest: what a run was asked, what made it, and which of its files are finished."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from bayescluster.results.fit import Attempt
from bayescluster.runs.files import read_document, write_json
from bayescluster.runs.keys import host_facts, resolved, versions, without_directory
from bayescluster.runs.layout import MANIFEST, StageName, in_place, refuse_links
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.base import Frozen
from bayescluster.spec.equation import StructureName

SCHEMA_VERSION = 1
MANIFEST_MEND = "restore it from a copy, or move the directory away and run the same command again"

SHOWN_CHARACTERS = 120

Status = Literal["running", "done", "failed", "interrupted"]


class Stage(Frozen):
    """A step of the run. A file counts as finished once it stands here."""

    status: Status
    started: str
    """When the stage was begun last, ISO 8601 in UTC."""
    seconds: float
    """Time spent on it, over all attempts; the time of a killed process is not known."""
    key: str
    """Hash of what the stage depends on."""
    files: dict[str, str] = {}
    """Path inside the run directory: sha256 of the content."""


class Manifest(Frozen):
    """Everything that is known about a run, apart from its numbers."""

    schema_version: int = SCHEMA_VERSION
    name: str
    key: str
    analysis: dict[str, Any]
    """The analysis with all defaults written out."""
    data_label: str
    data_digest: str
    versions: dict[str, str]
    host: dict[str, str]
    forms: tuple[StructureName, ...] = ()
    """Structural forms that have runs of their own in this one; none where there is but one."""
    seeds: tuple[int, ...]
    """Seed of each chain."""
    started: str
    """When the run was begun first, ISO 8601 in UTC."""
    stages: dict[StageName, Stage] = {}
    gate_passed: bool | None = None
    """Whether the diagnostics gate was passed; null before it was tried."""
    attempts: tuple[Attempt, ...] = ()
    """Where a failed gate was followed by further attempts: all of them, each a run of its own."""

    @model_validator(mode="after")
    def _stay_inside(self) -> Self:
        """A manifest may come from anyone: no name in it leads out of the run directory."""
        for name, stage in self.stages.items():
            for file in stage.files:
                if not in_place(name, file):
                    raise PydanticCustomError(
                        "place",
                        "stage '{stage}' names a file that a run does not keep: {file}",
                        {"stage": name, "file": ascii(file[:SHOWN_CHARACTERS])},
                    )
        return self

    @property
    def files(self) -> dict[str, str]:
        """All finished files of all stages, with their sha256."""
        return {path: sha for stage in self.stages.values() for path, sha in stage.files.items()}


def new_manifest(analysis: Analysis, key: str, *, data_label: str, data_digest: str) -> Manifest:
    """Manifest of a run that begins now on this machine.

    Parameters
    ----------
    analysis
        What is asked.
    key
        Key of the fit; see `bayescluster.runs.keys.fit_key`.
    data_label, data_digest
        Where the data come from, and the digest of their content.
    """
    from bayescluster.inference.nuts import chain_seeds

    forms = analysis.equation.structure
    return Manifest(
        name=analysis.name,
        key=key,
        forms=forms if len(forms) > 1 else (),
        analysis=resolved(analysis),
        data_label=without_directory(data_label),
        data_digest=data_digest,
        versions=versions(),
        host=host_facts(),
        seeds=chain_seeds(analysis.sampling.seed, analysis.sampling.chains),
        started=now(),
    )


def read_manifest(directory: Path) -> Manifest:
    """Read the manifest of a run directory.

    Raises
    ------
    RunError
        If it cannot be read, was written by another version of its form, or names files outside
        the run directory; or if the directory holds links.
    """
    refuse_links(directory)
    return read_document(directory / MANIFEST, Manifest, SCHEMA_VERSION, MANIFEST_MEND)


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Write the manifest of a run directory atomically."""
    write_json(directory / MANIFEST, manifest.model_dump(mode="json"))


def now() -> str:
    """Give the present time, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
