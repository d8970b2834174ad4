"""The manifest: the analysis of a run, what made it, and which of its files are finished."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import ValidationError, model_validator
from pydantic_core import PydanticCustomError

from bayescluster.errors import RunError
from bayescluster.results.fit import Attempt, CheckItem, EstimandMeans
from bayescluster.runs.files import model_faults, read_document, write_json
from bayescluster.runs.keys import (
    host_facts,
    hypotheses_key,
    resolved,
    versions,
    without_directory,
)
from bayescluster.runs.layout import FORMAT, MANIFEST, StageName, in_place, refuse_links
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.base import Frozen
from bayescluster.spec.equation import StructureName

MANIFEST_MEND = "restore it from a copy, or move the directory away and run the same command again"

SHOWN_CHARACTERS = 120

KEPT = ("started", "stages", "gate_passed", "settled", "attempts", "likelihood", "folder")
"""What a manifest keeps when its run goes on."""

MARKED: Final[dict[StageName, str]] = {"posterior": "fitted", "forms": "fitted", "results": "seen"}
"""Stages whose end tells that the data have spoken, and where that is noted."""

Status = Literal["running", "done", "failed", "interrupted"]


class Stage(Frozen):
    """A step of the run. A file counts as finished once it is listed here."""

    status: Status
    started: str
    """When the stage was begun last, ISO 8601 in UTC."""
    seconds: float
    """Time spent on it, over all attempts; the time of a killed process is not known."""
    key: str
    """Hash of what the stage depends on."""
    files: dict[str, str] = {}
    """Path inside the run directory: sha256 of the content."""


class Settled(Frozen):
    """What the sampler settled itself, where the analysis does not say how many draws to make."""

    settings: dict[str, Any] = {}
    """What differs from the analysis as asked, as in its file: of the attempt that is running, or of
    the last one with its number of draws. Together they give the same draws again."""
    minutes: float | None = None
    """The time limit, where it ended the attempts before the checks passed."""
    before: EstimandMeans | None = None
    """Estimands of the attempt before, where the one that is running has to confirm them."""
    checks: tuple[CheckItem, ...] = ()
    """Checks of the draws where another attempt has confirmed them, or not."""


class LikelihoodUsed(Frozen):
    """In what form the likelihood of many firms was used."""

    kind: Literal["moments", "quadratic", "counts", "rows"]
    firms: int
    khat: float | None = None
    """Pareto k of the importance weights of the quadratic summaries: below 0.5 they are used."""
    share: float | None = None
    """Effective sample size of the weights over the number of draws."""
    draws: int | None = None
    """Draws at which the likelihood of every firm was computed."""


class Declaration(Frozen):
    """A hypotheses block that a run was asked to judge. Times are ISO 8601 in UTC; empty where not yet."""

    digest: str
    declared: str
    fitted: str = ""
    """When a posterior of these data was first finished under it."""
    seen: str = ""
    """When results were first finished under it."""


class Manifest(Frozen):
    """Everything that is known about a run, apart from its numbers."""

    schema_version: int = FORMAT
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
    folder: str | None = None
    """Folder of the analysis file as seen from the run directory: paths of the analysis start there."""
    seeds: tuple[int, ...]
    """Seed of each chain."""
    started: str
    """When the run was begun first, ISO 8601 in UTC."""
    declarations: tuple[Declaration, ...] = ()
    """Hypotheses blocks in the order in which they were declared; the last one is that of the analysis."""
    stages: dict[StageName, Stage] = {}
    gate_passed: bool | None = None
    """Whether the diagnostics gate was passed; null before it was tried."""
    settled: Settled | None = None
    """What the sampler settled itself; null where the analysis gives the number of draws."""
    likelihood: LikelihoodUsed | None = None
    """Of many firms, in what form their likelihood was used; null where it is that of the rows."""
    attempts: tuple[Attempt, ...] = ()
    """Where a failed gate was followed by further attempts: all of them."""
    checksum: str = ""
    """sha256 of all the rest, by which `bayescluster runs verify` finds a manifest that was changed."""

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

    @property
    def history(self) -> tuple[Declaration, ...]:
        """Hypotheses declared so far; of a manifest that did not note them, that there were results."""
        if self.declarations or "results" not in self.stages:
            return self.declarations
        seen = self.stages["results"].started
        return (Declaration(digest="", declared=self.started, fitted=seen, seen=seen),)

    def continuing(self, before: Manifest) -> Manifest:
        """Go on with a run of the same key: what is finished stays so."""
        kept = {name: getattr(before, name) for name in KEPT}
        declared = before.history
        if not declared or declared[-1].digest != self.declarations[-1].digest:
            declared = (*declared, *self.declarations)
        return self.model_copy(update=kept | {"declarations": declared})

    def begun(self, name: StageName, key: str) -> Manifest:
        """Mark a stage as running.

        What it has finished under the same key is kept; under another key it no longer counts.
        """
        before = self.stages.get(name)
        same = before is not None and before.key == key
        stage = Stage(
            status="running",
            started=now(),
            seconds=before.seconds if before and same and before.status != "done" else 0.0,
            key=key,
            files=before.files if before and same else {},
        )
        return self.model_copy(update={"stages": self.stages | {name: stage}})

    def ended(self, name: StageName, status: Status, seconds: float) -> Manifest:
        """Mark a stage as ended, after so many more seconds."""
        total = round(self._stage(name).seconds + seconds, 3)
        manifest = self._with(name, status=status, seconds=total)
        mark = MARKED.get(name) if status == "done" else None
        if mark is None or not self.declarations or getattr(self.declarations[-1], mark):
            return manifest
        *earlier, last = self.declarations
        last = last.model_copy(update={mark: now()})
        return manifest.model_copy(update={"declarations": (*earlier, last)})

    def recorded(self, name: StageName, files: dict[str, str]) -> Manifest:
        """Note files of a stage as finished, with their sha256."""
        return self._with(name, files=self._stage(name).files | files)

    def forgotten(self, name: StageName, path: str) -> Manifest:
        """Note a file of a stage as not finished."""
        files = {file: sha for file, sha in self._stage(name).files.items() if file != path}
        return self._with(name, files=files)

    def _with(self, name: StageName, **changes: Any) -> Manifest:
        stage = self._stage(name).model_copy(update=changes)
        return self.model_copy(update={"stages": self.stages | {name: stage}})

    def _stage(self, name: StageName) -> Stage:
        """Find a stage that has begun: files are saved inside ``with run.stage(name):``."""
        if name not in self.stages:
            raise ValueError(f"stage '{name}' has not begun")
        return self.stages[name]


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
        declarations=(Declaration(digest=hypotheses_key(analysis), declared=now()),),
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
    manifest = read_document(directory / MANIFEST, Manifest, FORMAT, MANIFEST_MEND)
    return manifest.model_copy(update={"checksum": ""})


def analysis_of(manifest: Manifest, directory: Path) -> Analysis:
    """Analysis of a run, from its manifest.

    Raises
    ------
    RunError
        If what the manifest holds is not an analysis of this version.
    """
    try:
        return Analysis.model_validate(manifest.analysis)
    except ValidationError as error:
        raise RunError(model_faults(error, directory / MANIFEST, MANIFEST_MEND)) from None


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Write the manifest of a run directory atomically."""
    content = manifest.model_dump(mode="json", exclude={"checksum"})
    write_json(directory / MANIFEST, content | {"checksum": _checksum(content)})


def is_as_written(directory: Path) -> bool:
    """Whether a manifest that can be read has the checksum it was written with, if it has one."""
    content = json.loads((directory / MANIFEST).read_bytes())
    written = content.pop("checksum", "")
    return not written or written == _checksum(content)


def _checksum(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def now() -> str:
    """Give the present time, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
