"""A run directory: its files are saved whole, recorded with their sha256, and checked when read.

Its log has a line of JSON for each thing that happened. It is for finding out what went on: when which
process began or ended a stage, how long it took, what stopped the work, and what libraries warned of. No
number rests on it.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from bayescluster.errors import Problem, RunError
from bayescluster.results.model import SCHEMA_VERSION, Results
from bayescluster.runs.files import (
    REMAKE,
    WRITE_MEND,
    by_firm,
    digest_of,
    document_text,
    in_chains,
    read_arrays,
    read_document,
    read_tree,
    with_rows,
    without_rows,
    write_arrays,
    write_netcdf,
    write_text,
)
from bayescluster.runs.find import find_run
from bayescluster.runs.layout import (
    AFTER_DRAWS,
    CHAINS,
    DESIGN,
    FORMS,
    LOCK,
    LOG,
    MANIFEST,
    PARTIAL,
    POSTERIOR,
    REPORT,
    RESULTS,
    StageName,
    ceiling_file,
    chain_file,
    files_of,
    locked,
)
from bayescluster.runs.manifest import (
    MANIFEST_MEND,
    LikelihoodUsed,
    Manifest,
    Settled,
    Stage,
    Status,
    analysis_of,
    is_as_written,
    now,
    read_manifest,
    write_manifest,
)

if TYPE_CHECKING:
    import xarray as xr

    from bayescluster.inference.nuts import Chain
    from bayescluster.results.fit import Attempt
    from bayescluster.spec.analysis import Analysis

AGAIN = "run the same command again: only what is missing is made again"
UNKNOWN_MEND = (
    "if you put it there, keep it elsewhere; if a run was stopped, run the same command again"
)
CHAIN_FILE = re.compile(rf"{CHAINS}/chain-([1-9][0-9]*)\.npz")


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
        names = self.read_manifest().forms
        return {name: RunDirectory(self.path / FORMS / name) for name in names}

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
        """Be the only writer, and log warnings; see `bayescluster.runs.layout.locked`.

        Raises
        ------
        RunError
            If another process is writing to the run.
        """
        with locked(self.path), logged(self.path):
            yield

    def read_manifest(self) -> Manifest:
        """Read the manifest; `RunError` if it is broken."""
        return read_manifest(self.path)

    def analysis(self) -> Analysis:
        """Analysis of the run; `RunError` if the manifest holds none."""
        return analysis_of(self.read_manifest(), self.path)

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
            before = self.read_manifest()
            if before.key != manifest.key:
                raise RunError(
                    Problem(
                        f"the run there has the key {before.key}, not {manifest.key}",
                        str(self.path),
                        "move that directory away, then run the same command again",
                    )
                )
            manifest = manifest.continuing(before)
        self.write_manifest(manifest)
        return manifest

    def record_folder(self, folder: Path) -> None:
        """Note where the paths of the analysis start, as seen from here: both may be moved together."""
        try:
            seen = Path(os.path.relpath(folder, self.path)).as_posix()
        except ValueError:  # on another drive
            return
        if self.read_manifest().folder != seen:
            self._edit(lambda manifest: manifest.model_copy(update={"folder": seen}))

    def record_gate(self, passed: bool) -> None:
        """Note whether the diagnostics gate was passed."""
        self._edit(lambda manifest: manifest.model_copy(update={"gate_passed": passed}))

    def record_attempts(self, attempts: tuple[Attempt, ...]) -> None:
        """Note the attempts of which this run is one."""
        self._edit(lambda manifest: manifest.model_copy(update={"attempts": attempts}))

    def record_settled(self, settled: Settled, attempts: tuple[Attempt, ...]) -> None:
        """Note what the sampler has settled so far, and the attempts behind it."""
        found = {"settled": settled, "attempts": attempts}
        self._edit(lambda manifest: manifest.model_copy(update=found))

    def record_likelihood(self, likelihood: LikelihoodUsed) -> None:
        """Note in what form the likelihood of many firms was used."""
        self._edit(lambda manifest: manifest.model_copy(update={"likelihood": likelihood}))

    def forget(self, stages: Iterable[StageName] | None = None) -> dict[StageName, Stage]:
        """Note that stages, or all of them, are still to be done, and give them as they were."""
        manifest = self.read_manifest()
        made = {k: v for k, v in manifest.stages.items() if stages is None or k in stages}
        kept = {name: stage for name, stage in manifest.stages.items() if name not in made}
        update = {"stages": kept, "settled": None, "attempts": (), "gate_passed": None}
        self.write_manifest(manifest.model_copy(update=update))
        return made

    def discard_draws(self) -> None:
        """Remove the draws, what the sampler settled about them, and all that was made of them."""
        # first forgotten, then deleted: what a killed process leaves is unknown, never doubtful
        for stage in self.forget(AFTER_DRAWS).values():
            for file in stage.files:
                (self.path / file).unlink(missing_ok=True)

    @contextmanager
    def stage(self, name: StageName, key: str | None = None) -> Iterator[None]:
        """Record the status and time of a stage.

        The stage ``report`` also records the files that lie in its places at the end; those of a
        report under another key that were not written again are removed.

        Parameters
        ----------
        name
            The stage; see `bayescluster.runs.layout.PLACES`.
        key
            Hash of what the stage depends on; that of the fit without it.
        """
        before = self.read_manifest()
        key = key or before.key
        old = before.stages.get(name)
        stale = self._stamps(old.files) if old and old.key != key else {}
        self.write_manifest(before.begun(name, key))
        log(self.path, "begun", stage=name, process=os.getpid())
        start = time.monotonic()

        def end(status: Status) -> None:
            elapsed = time.monotonic() - start
            self._edit(lambda manifest: manifest.ended(name, status, elapsed))
            log(self.path, status, stage=name, seconds=round(elapsed, 3))

        try:
            yield
            if name == "report":
                self._take_in_report(stale)
        except BaseException as error:
            try:
                end("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
            except RunError as second:  # the first error is the one to report
                error.add_note(str(second))
            raise
        end("done")

    def _take_in_report(self, stale: dict[str, tuple[int, int]]) -> None:
        """Record the files of the report, which others write; drop those of an earlier report."""
        for file, stamp in stale.items():
            if self._stamps((file,)).get(file) == stamp:
                (self.path / file).unlink()
        files = {file: digest_of(self.path / file) for file in files_of(self.path, "report")}
        self._edit(lambda manifest: manifest.recorded("report", files))

    def _stamps(self, files: Iterable[str]) -> dict[str, tuple[int, int]]:
        """Time and inode of files, which change when one is written again, even with the same content."""
        stats = {file: (self.path / file).stat() for file in files if (self.path / file).is_file()}
        return {file: (stat.st_mtime_ns, stat.st_ino) for file, stat in stats.items()}

    def is_done(self, stage: StageName, key: str) -> bool:
        """Whether a stage was finished under this key and its files are still there.

        Those of a report have to be as they were written: it is given to the user, not read back.
        """
        manifest = self.read_manifest()
        kept = manifest.stages.get(stage)
        if kept is None or (kept.status, kept.key) != ("done", key):
            return False
        if stage == "report":
            return not any(self._fault(manifest, stage, file) for file in kept.files)
        return all((self.path / file).is_file() for file in kept.files)

    def save_design(self, design: xr.DataTree) -> None:
        """Save the arrays of the design, a group for each equation."""
        self._save("design", DESIGN, lambda path: write_netcdf(path, design))

    def load_design(self) -> xr.DataTree:
        """Load the arrays of the design; `RunError` if they are missing or altered."""
        return read_tree(self._finished("design", DESIGN))

    def save_chain(self, chain: Chain) -> None:
        """Save a finished chain."""
        import xarray as xr

        groups = {"posterior": chain.posterior, "sample_stats": chain.sample_stats}
        tree = xr.DataTree.from_dict(groups)
        self._save("sampling", chain_file(chain.number), lambda path: write_arrays(path, tree))

    def chain_numbers(self) -> tuple[int, ...]:
        """Numbers of the finished chains, counted from 0."""
        stage = self.read_manifest().stages.get("sampling")
        matches = map(CHAIN_FILE.fullmatch, stage.files if stage else ())
        numbers = sorted(int(match[1]) - 1 for match in matches if match)
        return tuple(n for n in numbers if (self.path / chain_file(n)).is_file())

    def load_chains(self) -> list[Chain]:
        """Load the finished chains, in the order of their numbers.

        Raises
        ------
        RunError
            If chains are not as they were written; all of them are named.
        """
        from bayescluster.inference.nuts import Chain

        manifest, files = self.read_manifest(), {n: chain_file(n) for n in self.chain_numbers()}
        faults = [self._fault(manifest, "sampling", file) for file in files.values()]
        if problems := [problem for problem in faults if problem]:
            raise RunError(problems)
        trees = {number: read_arrays(self.path / file) for number, file in files.items()}
        return [
            Chain(number, tree["posterior"].to_dataset(), tree["sample_stats"].to_dataset())
            for number, tree in trees.items()
        ]

    def save_posterior(self, tree: xr.DataTree) -> None:
        """Save everything the fit knows, but for what its chains have for every firm."""
        if by_firm(tree):
            tree = without_rows(tree, self.load_chains(), self._files_of_chains())
        self._save("posterior", POSTERIOR, lambda path: write_netcdf(path, tree))

    def load_posterior(self) -> xr.DataTree:
        """Load everything the fit knows; `RunError` if it, or a chain it needs, is missing or altered."""
        path = self._finished("posterior", POSTERIOR)
        tree = read_tree(path)
        try:
            lacking = in_chains(tree)
            if lacking is None:
                return tree
            chains = self.load_chains()
            if self._files_of_chains() != lacking.files or len(chains) != len(lacking.files):
                what = "the chains that it was made of are missing"
                raise RunError(Problem(what, str(path), REMAKE))
            return with_rows(tree, chains, lacking.order)
        except (KeyError, ValueError) as error:
            raise RunError(Problem("it does not fit its chains", str(path), REMAKE)) from error

    def _files_of_chains(self) -> dict[str, str]:
        """Digest of the file of each finished chain."""
        stage = self.read_manifest().stages.get("sampling")
        return dict(stage.files) if stage else {}

    def save_ceiling_model(self, capital: str, model: str, tree: xr.DataTree) -> None:
        """Save the posterior of a ceiling model."""
        file = ceiling_file(capital, model)
        self._save("ceiling_models", file, lambda path: write_netcdf(path, tree))

    def load_ceiling_model(self, capital: str, model: str) -> xr.DataTree | None:
        """Load the posterior of a ceiling model; nothing where none was finished."""
        file = ceiling_file(capital, model)
        if not self._is_there("ceiling_models", file):
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
        if not self._is_there(stage, file):
            return None
        return read_document(self._finished(stage, file), kind, version, REMAKE)

    def verify(self) -> list[Problem]:
        """Find files that are altered, missing or unknown, in the order of the stages; none is whole.

        Forms that have runs of their own are looked at one by one, by their own manifests.
        """
        try:
            manifest = self.read_manifest()
        except RunError as error:
            return list(error.problems)
        faults = [
            self._fault(manifest, name, file)
            for name, stage in manifest.stages.items()
            for file in stage.files
        ]
        forms = [RunDirectory(self.path / FORMS / name) for name in manifest.forms]
        if not is_as_written(self.path):
            what = "the manifest is not as it was written: its checksum has changed"
            faults.insert(0, Problem(what, str(self.path / MANIFEST), MANIFEST_MEND))
        known = {*manifest.files, MANIFEST, LOCK, LOG}
        unknown = [
            Problem("the manifest does not know this file", str(path), UNKNOWN_MEND)
            for path in sorted(self.path.rglob("*"))
            if path.is_file()
            and path.suffix != PARTIAL
            and path.relative_to(self.path).as_posix() not in known
            and not any(path.is_relative_to(form.path) for form in forms)
        ]
        fitted = "forms" in manifest.stages and manifest.stages["forms"].status == "done"
        of_forms = [
            problem
            for form in forms
            if fitted or (form.path / MANIFEST).exists()
            for problem in form.verify()
        ]
        return [*(problem for problem in faults if problem), *unknown, *of_forms]

    def _edit(self, change: Callable[[Manifest], Manifest]) -> None:
        """Replace the manifest by a changed one."""
        self.write_manifest(change(self.read_manifest()))

    def _save(self, stage: StageName, file: str, write: Callable[[Path], None]) -> None:
        # between the two notes the file counts as unfinished, whatever lies in its place
        self._edit(lambda manifest: manifest.forgotten(stage, file))
        write(self.path / file)
        digest = digest_of(self.path / file)
        self._edit(lambda manifest: manifest.recorded(stage, {file: digest}))

    def _is_there(self, stage: StageName, file: str) -> bool:
        """Whether a file was finished and still exists, whatever its content."""
        kept = self.read_manifest().stages.get(stage)
        return kept is not None and file in kept.files and (self.path / file).is_file()

    def _finished(self, stage: StageName, file: str) -> Path:
        if problem := self._fault(self.read_manifest(), stage, file):
            raise RunError(problem)
        return self.path / file

    def _fault(self, manifest: Manifest, stage: StageName, file: str) -> Problem | None:
        """Say what is wrong with a file that a stage should have finished; None if it is whole."""
        path = self.path / file
        known = manifest.stages[stage].files.get(file) if stage in manifest.stages else None
        if known is None:
            return Problem(f"the run has no finished {file} yet", str(self.path), AGAIN)
        try:
            if digest_of(path) == known:
                return None
            what, mend = "the file is not as it was written: its checksum has changed", REMAKE
        except FileNotFoundError:
            what, mend = "the file is missing", AGAIN
        except OSError as error:
            what, mend = f"the file cannot be read: {error.strerror or error}", REMAKE
        return Problem(what, str(path), mend)


MOST_CHARACTERS: Final = 2000
"""Of a message of a library."""
MOST_BYTES: Final = 5_000_000
"""Size from which a log takes nothing more: something goes on and on."""


def log(directory: Path, event: str, **facts: str | float) -> None:
    """Add a line to the log of a run; where it cannot be written, the run goes on without."""
    line = json.dumps({"time": now(), "event": event, **facts}, ensure_ascii=False)
    path = directory / LOG
    try:
        if not path.exists() or path.stat().st_size < MOST_BYTES:
            with path.open("a", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(line + "\n")
    except OSError:  # a full disk stops the run where it writes what counts
        return


@contextmanager
def logged(directory: Path) -> Iterator[None]:
    """Log how the work within fails, and what libraries warn of meanwhile."""
    handler = _Warnings(directory)
    root = logging.getLogger()
    root.addHandler(handler)
    logging.captureWarnings(capture=True)
    try:
        yield
    except BaseException as error:
        log(directory, "stopped", error=type(error).__name__, message=str(error)[:MOST_CHARACTERS])
        raise
    finally:
        root.removeHandler(handler)
        if not any(isinstance(other, _Warnings) for other in root.handlers):
            logging.captureWarnings(capture=False)


class _Warnings(logging.Handler):
    """Puts warnings of libraries into the log of a run, each text once."""

    def __init__(self, directory: Path) -> None:
        super().__init__(logging.WARNING)
        self._directory, self._seen = directory, set[str]()

    def emit(self, record: logging.LogRecord) -> None:
        """Log a warning."""
        text = record.getMessage()[:MOST_CHARACTERS]
        if text not in self._seen:
            self._seen.add(text)
            log(self._directory, "warning", source=record.name, message=text)
