"""A run directory: its files are saved whole, recorded with their sha256, and checked when read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from bayescluster.errors import Problem, RunError
from bayescluster.results.model import (
    SCHEMA_VERSION,
    Results,
)
from bayescluster.runs.atomic import WRITE_MEND, digest_of, write_netcdf, write_text
from bayescluster.runs.chains import chain_tree, finished_chains, read_chains
from bayescluster.runs.documents import REMAKE, document_text, read_document, read_tree
from bayescluster.runs.find import find_run
from bayescluster.runs.layout import (
    DESIGN,
    FORMS,
    MANIFEST,
    PARTIAL,
    POSTERIOR,
    REPORT,
    RESULTS,
    StageName,
    ceiling_file,
    chain_file,
)
from bayescluster.runs.lock import locked
from bayescluster.runs.manifest import Manifest, read_manifest, write_manifest
from bayescluster.runs.stages import continued, forgotten, recorded
from bayescluster.runs.tracking import edit, tracked
from bayescluster.runs.verify import fault_of, own_runs, problems_of

if TYPE_CHECKING:
    import xarray as xr

    from bayescluster.inference.nuts import Chain
    from bayescluster.results.gate import Attempt


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
