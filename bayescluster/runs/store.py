"""A run directory: its files are saved whole, recorded with their sha256, and checked when read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from bayescluster.errors import Problem, RunError
from bayescluster.runs.files import read_tree
from bayescluster.runs.layout import CHAINS, PARTIAL, chain_file
from bayescluster.runs.manifest import Manifest

if TYPE_CHECKING:
    import xarray as xr

    from bayescluster.inference.nuts import Chain


import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bayescluster.results.model import SCHEMA_VERSION, Results
from bayescluster.runs.files import (
    REMAKE,
    WRITE_MEND,
    digest_of,
    document_text,
    read_document,
    write_netcdf,
    write_text,
)
from bayescluster.runs.find import find_run
from bayescluster.runs.layout import (
    DESIGN,
    FORMS,
    LOCK,
    MANIFEST,
    POSTERIOR,
    REPORT,
    RESULTS,
    StageName,
    ceiling_file,
    files_of,
    locked,
)
from bayescluster.runs.manifest import Stage, Status, now, read_manifest, write_manifest

if TYPE_CHECKING:
    import xarray as xr

    from bayescluster.inference.nuts import Chain
    from bayescluster.results.fit import Attempt


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


@dataclass(frozen=True)
class RunDirectory:
    """The directory of one run.

    A file counts once the manifest records it. It is written whole, then recorded, so a process
    that is killed at any moment leaves finished files and unfinished ones, never doubtful ones.

    Parameters
    ----------
    path
        The directory, ``<root>/<name>/<key>``.
    """

    path: Path

    @classmethod
    def create(cls, root: Path, name: str, key: str) -> RunDirectory:
        """Make the directory of a run, or give the one that is there.

        Raises
        ------
        RunError
            If it cannot be made.
        """
        path = root / name / key
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"the directory cannot be made: {error.strerror or error}"
            raise RunError(Problem(what, str(path), WRITE_MEND)) from error
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> RunDirectory:
        """Find a run from its directory, a file in it, or the directory of its name.

        Of several runs of one name, the newest is taken.

        Raises
        ------
        RunError
            If there is no run, or its manifest cannot be read.
        """
        run = cls(find_run(path))
        run.read_manifest()
        return run

    def form(self, name: str) -> RunDirectory:
        """Make the run of one of several forms, inside this one, or give the one that is there."""
        return RunDirectory.create(self.path, FORMS, name)

    def forms(self) -> dict[str, RunDirectory]:
        """Give the runs of several forms by name; none where there is but one form."""
        return {
            name: RunDirectory(path) for name, path in own_runs(self.path, self.read_manifest())
        }

    @property
    def results_path(self) -> Path:
        """File of every number a report shows."""
        return self.path / RESULTS

    @property
    def report_path(self) -> Path:
        """File of the report."""
        return self.path / REPORT

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only writer; files that a killed process left half written are removed.

        Raises
        ------
        RunError
            If another process is writing to the run.
        """
        with locked(self.path):
            for partial in self.path.rglob(f".*{PARTIAL}"):
                partial.unlink(missing_ok=True)
            yield

    def read_manifest(self) -> Manifest:
        """Read the manifest; `RunError` if it is broken."""
        return read_manifest(self.path)

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest."""
        write_manifest(self.path, manifest)

    def begin(self, manifest: Manifest) -> Manifest:
        """Write the manifest of a run that begins, or go on with the one that is there.

        What is finished stays so; the analysis, versions and host become those of ``manifest``.

        Raises
        ------
        RunError
            If the manifest that is there is broken or is that of another fit.
        """
        if (self.path / MANIFEST).exists():
            manifest = continued(self.read_manifest(), manifest, self.path)
        self.write_manifest(manifest)
        return manifest

    def record_gate(self, passed: bool) -> None:
        """Note whether the diagnostics gate was passed."""
        edit(self.path, lambda manifest: manifest.model_copy(update={"gate_passed": passed}))

    def record_attempts(self, attempts: tuple[Attempt, ...]) -> None:
        """Note the attempts of which this run is one."""
        edit(self.path, lambda manifest: manifest.model_copy(update={"attempts": attempts}))

    @contextmanager
    def stage(self, name: StageName, key: str | None = None) -> Iterator[None]:
        """Record the status and time of a stage.

        The stage ``report`` also takes in the files that stand in its places at the end; those of a
        report under another key that were not written again are removed.

        Parameters
        ----------
        name
            The stage; see `bayescluster.runs.layout.PLACES`.
        key
            Hash of what the stage depends on; that of the fit without it.
        """
        with tracked(self.path, name, key):
            yield

    def is_done(self, stage: StageName, key: str) -> bool:
        """Whether a stage was finished under this key and its files are still there."""
        found = self.read_manifest().stages.get(stage)
        return (
            found is not None
            and (found.status, found.key) == ("done", key)
            and all((self.path / file).is_file() for file in found.files)
        )

    def save_design(self, design: xr.DataTree) -> None:
        """Save the arrays of the design, a group for each equation."""
        self._save("design", DESIGN, lambda path: write_netcdf(path, design))

    def load_design(self) -> xr.DataTree:
        """Load the arrays of the design; `RunError` if they are missing or altered."""
        return read_tree(self._finished("design", DESIGN))

    def save_chain(self, chain: Chain) -> None:
        """Save a finished chain."""
        file = chain_file(chain.number)
        self._save("sampling", file, lambda path: write_netcdf(path, chain_tree(chain)))

    def chain_numbers(self) -> tuple[int, ...]:
        """Numbers of the finished chains, counted from 0."""
        return finished_chains(self.path, self.read_manifest())

    def load_chains(self) -> list[Chain]:
        """Load the finished chains, in the order of their numbers.

        Raises
        ------
        RunError
            If chains are not as they were written; all of them are named.
        """
        return read_chains(self.path, self.read_manifest())

    def save_posterior(self, tree: xr.DataTree) -> None:
        """Save everything the fit knows."""
        self._save("posterior", POSTERIOR, lambda path: write_netcdf(path, tree))

    def load_posterior(self) -> xr.DataTree:
        """Load everything the fit knows; `RunError` if it is missing or altered."""
        return read_tree(self._finished("posterior", POSTERIOR))

    def save_ceiling_model(self, capital: str, model: str, tree: xr.DataTree) -> None:
        """Save the posterior of a ceiling model."""
        file = ceiling_file(capital, model)
        self._save("ceiling_models", file, lambda path: write_netcdf(path, tree))

    def load_ceiling_model(self, capital: str, model: str) -> xr.DataTree | None:
        """Load the posterior of a ceiling model; nothing where none was finished."""
        file = ceiling_file(capital, model)
        if not self._stands("ceiling_models", file):
            return None
        return read_tree(self._finished("ceiling_models", file))

    def save_results(self, results: Results) -> None:
        """Save every number a report shows.

        Raises
        ------
        RunError
            If a number that must be there is not one, so that the file could not be read again.
        """
        text = document_text(results, self.results_path)
        self._save("results", RESULTS, lambda path: write_text(path, text))

    def load_results(self) -> Results:
        """Load every number a report shows; `RunError` if they are missing or altered."""
        path = self._finished("results", RESULTS)
        return read_document(path, Results, SCHEMA_VERSION, REMAKE)

    def save_document(self, stage: StageName, file: str, document: BaseModel) -> None:
        """Save a typed document of a stage."""
        text = document.model_dump_json(indent=1) + "\n"
        self._save(stage, file, lambda path: write_text(path, text))

    def load_document[M: BaseModel](
        self, stage: StageName, file: str, kind: type[M], version: int
    ) -> M | None:
        """Load a typed document of a stage; nothing where it was not finished or was lost.

        Raises
        ------
        RunError
            If the file is not as it was written.
        """
        if not self._stands(stage, file):
            return None
        return read_document(self._finished(stage, file), kind, version, REMAKE)

    def verify(self) -> list[Problem]:
        """Compare every file with what the manifest says of it; an empty list is a whole run."""
        try:
            return problems_of(self.path, self.read_manifest())
        except RunError as error:
            return list(error.problems)

    def _save(self, stage: StageName, file: str, write: Callable[[Path], None]) -> None:
        # between the two notes the file counts as unfinished, whatever stands in its place
        edit(self.path, lambda manifest: forgotten(manifest, stage, file))
        write(self.path / file)
        digest = digest_of(self.path / file)
        edit(self.path, lambda manifest: recorded(manifest, stage, {file: digest}))

    def _stands(self, stage: StageName, file: str) -> bool:
        """Whether a file was finished and is still there, whatever its content."""
        found = self.read_manifest().stages.get(stage)
        return found is not None and file in found.files and (self.path / file).is_file()

    def _finished(self, stage: StageName, file: str) -> Path:
        problem = fault_of(self.path, self.read_manifest(), stage, file)
        if problem:
            raise RunError(problem)
        return self.path / file


CHAIN_FILE = re.compile(rf"{CHAINS}/chain-([1-9][0-9]*)\.nc")


def chain_tree(chain: Chain) -> xr.DataTree:
    """Arrange a chain as its file holds it."""
    import xarray as xr

    return xr.DataTree.from_dict({"posterior": chain.posterior, "sample_stats": chain.sample_stats})


def finished_chains(directory: Path, manifest: Manifest) -> tuple[int, ...]:
    """Numbers of the chains that were finished and are still there, counted from 0."""
    stage = manifest.stages.get("sampling")
    matches = (CHAIN_FILE.fullmatch(file) for file in (stage.files if stage else {}))
    numbers = sorted(int(match[1]) - 1 for match in matches if match)
    return tuple(n for n in numbers if (directory / chain_file(n)).is_file())


def read_chains(directory: Path, manifest: Manifest) -> list[Chain]:
    """Read the finished chains, in the order of their numbers.

    Raises
    ------
    RunError
        If chains are not as they were written; all of them are named.
    """
    numbers = finished_chains(directory, manifest)
    found = [fault_of(directory, manifest, "sampling", chain_file(n)) for n in numbers]
    problems = [problem for problem in found if problem]
    if problems:
        raise RunError(problems)
    return [_read_chain(directory, number) for number in numbers]


def _read_chain(directory: Path, number: int) -> Chain:
    from bayescluster.inference.nuts import Chain

    tree = read_tree(directory / chain_file(number))
    return Chain(number, tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset())
