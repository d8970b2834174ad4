"""Runs as records: which inputs of two runs differ, how far their posteriors and verdicts lie apart.

`compare` puts what runs say side by side; here it is asked what made them, and whether one is the
other made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
from scipy.stats import norm

from bayescluster.app.prepare import AnalysisSource, analysis_source, fitted_analysis, read_designs
from bayescluster.app.prepare import key_of as key_of_fit
from bayescluster.app.report import open_design
from bayescluster.app.run import fit_in, key_of_results
from bayescluster.checks.convergence import element_names
from bayescluster.checks.remedies import with_settings
from bayescluster.errors import BayesClusterError, DataError, Problem, RunError
from bayescluster.estimands.diagnostics import mcse_of_mean
from bayescluster.inference.assemble import reported_variables
from bayescluster.inference.watch import Silent, Watch
from bayescluster.kit import words
from bayescluster.kit.table import Column, Table, View, number
from bayescluster.names import CHAIN, DRAW
from bayescluster.results.base import Estimate, Value
from bayescluster.results.model import Results
from bayescluster.runs.keys import resolved
from bayescluster.runs.layout import MANIFEST, POSTERIOR, StageName
from bayescluster.runs.manifest import Manifest, analysis_of, new_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import dotted
from bayescluster.studies.compare.compute import verdict_rows
from bayescluster.studies.compare.results import Changes, ComparedVerdict
from bayescluster.studies.compare.settings import differing
from bayescluster.studies.compare.view import GROUP, verdict_words

Input = Literal["data", "model", "sampler", "versions", "claims", "texts", "machine"]
"""What an input of a run is; of the first four depends the fit, of ``claims`` what it is asked."""
OF_SETTINGS: Final[Mapping[Changes, Input]] = {
    "model": "model",
    "claims": "claims",
    "sampling": "sampler",
    "report": "texts",
}
OF_FIT: Final[tuple[Input, ...]] = ("data", "model", "sampler", "versions")
OF_RESULTS: Final[tuple[Input, ...]] = ("claims", "texts", "versions")
StageOfRun = Literal["fit", "results", "report"]
REPRODUCE: Final = "bayescluster runs reproduce RUN"
DATA_MEND: Final = "name the file, or the folder that holds it: --data PATH"
SURE: Final = 0.001
"""Probability that any of all quantities differs by more than the limit by chance alone."""
SHOWN_DIGEST: Final = 12


class DifferingInput(Value):
    """An input in which two runs differ; null where one does not have it."""

    input: Input
    place: str
    first: str | None
    second: str | None


class MovedQuantity(Value):
    """A parameter or estimand whose posterior means differ between two runs."""

    name: str
    first: float
    second: float
    in_sd: float | None
    """Difference of the means in posterior standard deviations; null where nothing varies."""
    in_mcse: float | None
    """The same in Monte Carlo standard errors of the difference; null where there are none."""


class ComparedRecords(Value):
    """Two runs as records."""

    first: str
    second: str
    inputs: tuple[DifferingInput, ...]
    quantities: int
    """Parameters and estimands that both have under one name."""
    same_draws: bool | None
    """Whether all draws are the same, bit for bit; null where a posterior is not there."""
    moved: tuple[MovedQuantity, ...]
    """Quantities whose means differ, those that differ most first."""
    verdicts: int
    """Claims about a group that both judge."""
    other_verdicts: tuple[ComparedVerdict, ...]
    """Those that they judge otherwise, and claims that only one makes."""

    @property
    def limit(self) -> float:
        """Monte Carlo standard errors that means may lie apart if the posterior is the same."""
        return float(norm.isf(SURE / 2 / max(self.quantities, 1)))

    @property
    def furthest(self) -> float:
        """Largest difference of means in Monte Carlo standard errors."""
        return max((one.in_mcse or 0.0 for one in self.moved), default=0.0)


def compare_records(first: Path | str, second: Path | str) -> ComparedRecords:
    """Compare two runs, finished or not: their inputs, draws, and what was made of these.

    Raises
    ------
    RunError
        If there is no such run, or a file of it is not as it was written.
    """
    runs = [RunDirectory.open(Path(path)) for path in (first, second)]
    return records_of(runs[0], runs[1])


def records_of(one: RunDirectory, other: RunDirectory) -> ComparedRecords:
    """Do what `compare_records` does with runs that are open."""
    results = [run.load_results() if _has(run, "results") else None for run in (one, other)]
    draws = [dict(_draws_of(run)) for run in (one, other)]
    moved, shared = _moved(draws, results)
    told = verdict_rows([each for each in results if each]) if all(results) else ()
    return ComparedRecords(
        first=str(one.path),
        second=str(other.path),
        inputs=differing_inputs(
            (one.read_manifest(), one.path), (other.read_manifest(), other.path)
        ),
        quantities=shared,
        same_draws=_same(draws) if all(draws) else None,
        moved=moved,
        verdicts=sum(None not in row.told for row in told),
        other_verdicts=tuple(row for row in told if _other(row)),
    )


def differing_inputs(
    first: tuple[Manifest, Path], second: tuple[Manifest, Path]
) -> tuple[DifferingInput, ...]:
    """Inputs in which two manifests, each of a directory, differ: those of the fit first."""
    (one, _), (other, _) = first, second
    same_data = one.data_digest == other.data_digest
    found = [
        DifferingInput(input=OF_SETTINGS[row.changes], place=row.place, first=a, second=b)
        for row in differing([analysis_of(*first), analysis_of(*second)], same_data)
        for a, b in [row.values]
    ]
    if not same_data:
        digests = [manifest.data_digest[:SHOWN_DIGEST] for manifest in (one, other)]
        found.append(_input("data", "content of the data (sha256)", *digests))
    pairs: tuple[tuple[Input, Mapping[str, str], Mapping[str, str]], ...] = (
        ("versions", one.versions, other.versions),
        ("machine", one.host, other.host),
    )
    for kind, mine, theirs in pairs:
        for name in dict.fromkeys((*mine, *theirs)):
            if mine.get(name) != theirs.get(name):
                found.append(_input(kind, name, mine.get(name), theirs.get(name)))
    return tuple(sorted(found, key=lambda row: get_args(Input).index(row.input)))


def _input(kind: Input, place: str, first: str | None, second: str | None) -> DifferingInput:
    return DifferingInput(input=kind, place=place, first=first, second=second)


class NamedDraws(NamedTuple):
    """A variable of a posterior: names of its elements, and draws ``(chain * draw, element)``."""

    names: tuple[str, ...]
    draws: np.ndarray
    chains: int


def _draws_of(run: RunDirectory) -> Iterator[tuple[str, NamedDraws]]:
    """Parameters of a run by name; of several forms, each with the name of its form."""
    for form, each in run.forms().items():
        for name, draws in _draws_of(each):
            names = tuple(f"{form}: {element}" for element in draws.names)
            yield f"{form}: {name}", draws._replace(names=names)
    if not _has(run, "posterior"):
        return
    posterior = run.load_posterior()["posterior"].to_dataset()
    for name in reported_variables(open_design(run)):
        values = posterior[name].transpose(CHAIN, DRAW, ...)
        chains, count = values.sizes[CHAIN], values.sizes[DRAW]
        flat = values.to_numpy().reshape(chains * count, -1)
        names = tuple(f"{name}{label}" for label in element_names(values))
        yield name, NamedDraws(names, flat, chains)


def _has(run: RunDirectory, stage: Literal["posterior", "results"]) -> bool:
    kept = run.read_manifest().stages.get(stage)
    there = stage != "posterior" or (run.path / POSTERIOR).is_file()
    return kept is not None and kept.status == "done" and there


def _same(draws: Sequence[Mapping[str, NamedDraws]]) -> bool:
    one, other = draws
    return one.keys() == other.keys() and all(
        one[name].names == other[name].names and np.array_equal(one[name].draws, other[name].draws)
        for name in one
    )


class _Summary(NamedTuple):
    mean: float
    sd: float
    mcse: float


def _moved(
    draws: Sequence[Mapping[str, NamedDraws]], results: Sequence[Results | None]
) -> tuple[tuple[MovedQuantity, ...], int]:
    """Quantities whose means differ, and how many were compared."""
    one, other = (
        dict(_parameters(some)) | dict(_estimands(each) if each else ())
        for some, each in zip(draws, results, strict=True)
    )
    shared = [name for name in one if name in other]
    found = [_difference(name, one[name], other[name]) for name in shared]
    moved = [each for each in found if each.first != each.second]
    moved.sort(key=lambda each: -(each.in_sd if each.in_sd is not None else np.inf))
    return tuple(moved), len(shared)


def _parameters(draws: Mapping[str, NamedDraws]) -> Iterator[tuple[str, _Summary]]:
    for each in draws.values():
        means, sds = each.draws.mean(axis=0), each.draws.std(axis=0, ddof=1)
        errors = mcse_of_mean(each.draws, each.chains)
        for name, *numbers in zip(each.names, means, sds, errors, strict=True):
            yield name, _Summary(*map(float, numbers))


def _estimands(results: Results) -> Iterator[tuple[str, _Summary]]:
    for row in results.effects:
        if row.scope == "observed":
            what = row.measure.replace("_", " ")
            yield f"{what} of {row.capital}, {row.by} {row.group}", _summary(row.estimate)
    for table in results.corners:
        for each in table.rows:
            what = f"corner {each.corner} ({table.declared}; {table.scope})"
            yield f"{what}, {each.by} {each.group}", _summary(each.estimate)


def _summary(one: Estimate) -> _Summary:
    return _Summary(one.mean, one.sd, np.nan if one.mcse is None else one.mcse)


def _difference(name: str, one: _Summary, other: _Summary) -> MovedQuantity:
    apart = abs(one.mean - other.mean)
    sd, error = float(np.hypot(one.sd, other.sd)) / np.sqrt(2), np.hypot(one.mcse, other.mcse)
    return MovedQuantity(
        name=name,
        first=one.mean,
        second=other.mean,
        in_sd=apart / sd if sd > 0 else None,
        in_mcse=float(apart / error) if error > 0 else None,
    )


def _other(row: ComparedVerdict) -> bool:
    one, other = row.told
    return one is None or other is None or one.verdict != other.verdict


class StageState(Value):
    """A stage of a run, and whether it still serves."""

    stage: StageOfRun
    state: Literal["kept", "made again", "not finished"]
    why: str


class Explained(Value):
    """Why a run would be made again, or not."""

    run: str
    against: str
    """What it is held against: an analysis file, or the run's own analysis today."""
    inputs: tuple[DifferingInput, ...]
    stages: tuple[StageState, ...]
    notes: tuple[str, ...] = ()


def explain_run(path: Path | str, config: Path | str | None = None) -> Explained:
    """Say which inputs changed since a run was made, and which of its stages that invalidates.

    Parameters
    ----------
    path
        The run.
    config
        Analysis file it is held against; without one, its own analysis with the data as they lie
        there now and the packages that are installed now.

    Raises
    ------
    ConfigError, DataError, RunError
        If the analysis cannot be read, its data do not fit it, or there is no such run.
    """
    run = RunDirectory.open(Path(path))
    manifest, notes = run.read_manifest(), []
    if config is not None:
        today = _today(analysis_source(config))
    else:
        try:
            today = _today(source_of(run))
        except BayesClusterError as error:
            notes.append(f"The data cannot be read: taken as unchanged ({error.problems[0].what}).")
            today = _as_if_unchanged(run)
    inputs = differing_inputs((manifest, run.path), (today, run.path))
    return Explained(
        run=str(run.path),
        against="its own analysis now" if config is None else str(config),
        inputs=inputs,
        stages=tuple(_stages(run, today, inputs)),
        notes=tuple(notes),
    )


def _today(source: AnalysisSource) -> Manifest:
    """Manifest of the run that an analysis would begin now."""
    designs = read_designs(source).designs
    analysis, details = fitted_analysis(source.analysis, designs), designs[0].details
    key = key_of_fit(analysis, designs[0])
    return new_manifest(analysis, key, data_label=details.label, data_digest=details.digest)


def _as_if_unchanged(run: RunDirectory) -> Manifest:
    """Manifest of the same run begun now, its data taken from its design."""
    manifest, analysis, key = run.read_manifest(), run.analysis(), ""
    if _has(run, "posterior") or manifest.forms:
        key = key_of_fit(analysis, open_design(run))
    return new_manifest(
        analysis,
        key or manifest.key,
        data_label=manifest.data_label,
        data_digest=manifest.data_digest,
    )


def _stages(
    run: RunDirectory, today: Manifest, inputs: Sequence[DifferingInput]
) -> Iterator[StageState]:
    """Stages in their order: what is made again takes all that rests on it along."""
    manifest, again = run.read_manifest(), ""
    faults = {problem.where: problem.what for problem in run.verify()}
    wanted = key_of_results(today.key, analysis_of(today, run.path))
    results = manifest.stages.get("results")
    causes: tuple[tuple[StageOfRun, StageName, tuple[Input, ...], bool], ...] = (
        ("fit", "forms" if manifest.forms else "posterior", OF_FIT, today.key != manifest.key),
        ("results", "results", OF_RESULTS, results is not None and results.key != wanted),
        ("report", "report", (), False),
    )
    for name, stage, kinds, changed in causes:
        kept = manifest.stages.get(stage)
        files = kept.files if kept else ()
        broken = [file for file in files if str(run.path / file) in faults]
        if kept is None or kept.status != "done":
            yield StageState(stage=name, state="not finished", why="")
            again = again or f"the {name} to be finished"
            continue
        if not again and changed:
            changes = dict.fromkeys(row.input for row in inputs if row.input in kinds)
            again = f"changed: {', '.join(changes)}" if changes else "changed: the program itself"
        elif not again and broken:
            again = f"{broken[0]}: {faults[str(run.path / broken[0])]}"
        yield StageState(stage=name, state="made again" if again else "kept", why=again)
        again = again and f"rests on the {name}"


def source_of(run: RunDirectory, data: Path | None = None) -> AnalysisSource:
    """Analysis of a run as its manifest has it, its data found again.

    Parameters
    ----------
    run
        The run.
    data
        The data file, or a folder that holds it. Without it, files are looked for from where the
        analysis file lay, as seen from the run, and from the working directory.

    Raises
    ------
    DataError
        If a file that the analysis names is not there; every one is named, with where it was sought.
    """
    manifest = run.read_manifest()
    folders = [Path.cwd()] if data is None else [data]
    if data is None and manifest.folder is not None:
        folders.insert(0, run.path / manifest.folder)
    problems: list[Problem] = []

    def found(name: str) -> str:
        places = [
            place
            for folder in folders
            for place in (
                (folder,) if folder.is_file() else (folder / name, folder / Path(name).name)
            )
        ]
        for place in places:
            if place.is_file():
                return str(place.resolve())
        sought = ", ".join(dict.fromkeys(str(place.parent) for place in places))
        problems.append(Problem(f"the file is not there (looked for in {sought})", name, DATA_MEND))
        return name

    # read as an analysis first: a manifest may hold anything
    plain = resolved(analysis_of(manifest, run.path))
    if isinstance(plain["data"]["source"], str):
        plain["data"]["source"] = found(plain["data"]["source"])
    for equation in plain["equations"].values():
        if equation["priors"]["from"] is not None:
            equation["priors"]["from"]["cases"] = found(equation["priors"]["from"]["cases"])
    if problems:
        raise DataError(problems)
    analysis = analysis_of(manifest.model_copy(update={"analysis": plain}), run.path)
    # what is written out is not all given: options that go with other families would be refused
    given = Analysis.model_validate(analysis.model_dump(exclude_defaults=True))
    return AnalysisSource(given, Path.cwd(), lambda place: f"{MANIFEST}: {dotted(place)}")


class Reproduced(Value):
    """A run made again from its manifest alone, and how far the two lie apart."""

    directory: str
    outcome: Literal["identical", "within Monte Carlo error", "different"]
    """``identical``: every draw, bit for bit."""
    records: ComparedRecords

    @property
    def words(self) -> str:
        """What came out, with the tolerance it was held to."""
        found = self.records
        count = f"{found.quantities:,} parameters and estimands"
        if self.outcome == "identical":
            return f"Reproduced: every draw is the same, bit for bit ({count})."
        apart = (
            f"the means of {count} lie at most {found.furthest:.2f} Monte Carlo standard errors "
            f"apart (asked: at most {found.limit:.2f})"
        )
        if self.outcome == "different":
            return f"NOT reproduced: {apart}."
        return f"Reproduced within Monte Carlo error: {apart}."


def reproduce_run(
    path: Path | str,
    data: Path | str | None = None,
    out: Path | str | None = None,
    watch: Watch | None = None,
) -> Reproduced:
    """Make a run again from its manifest alone, and compare draws, estimands and verdicts.

    Parameters
    ----------
    path
        The run.
    data
        The data file, or a folder that holds it; found from the manifest without it.
    out
        Folder that keeps the run made again; without one it is removed.
    watch
        Receives the progress.

    Raises
    ------
    DataError
        If the data are not there, or are not those of the run.
    RunError
        If the run has no posterior to compare with.
    """
    run, watch = RunDirectory.open(Path(path)), watch or Silent()
    manifest = run.read_manifest()
    if not dict(_draws_of(run)):
        mend = "finish it first: bayescluster run ANALYSIS.yaml"
        raise RunError(Problem("the run has no posterior to compare with", str(run.path), mend))
    source = source_of(run, None if data is None else Path(data))
    today = _today(source)
    if today.data_digest != manifest.data_digest:
        raise DataError(
            Problem(
                "the content is not that of the run: sha256 "
                f"{today.data_digest[:SHOWN_DIGEST]}, and {manifest.data_digest[:SHOWN_DIGEST]} then",
                str(source.analysis.data.source),
                "name the file that the run was made from: --data FILE",
            )
        )
    if manifest.settled is not None and not manifest.forms:
        # how many draws there are was decided then: time would decide it otherwise now
        settled = with_settings(source.analysis, manifest.settled.settings)
        source = source._replace(analysis=settled)
    with TemporaryDirectory(prefix="bayescluster-") if out is None else nullcontext(out) as folder:
        again = fit_again(source, Path(folder), watch)
        found = records_of(run, again)
        outcome: Literal["identical", "within Monte Carlo error", "different"] = "different"
        if found.same_draws:
            outcome = "identical"
        elif found.furthest <= found.limit:
            outcome = "within Monte Carlo error"
        return Reproduced(
            directory="" if out is None else str(again.path), outcome=outcome, records=found
        )


def fit_again(source: AnalysisSource, root: Path, watch: Watch) -> RunDirectory:
    """Fit an analysis below a folder, with results and without report."""
    designs = read_designs(source).designs
    analysis = fitted_analysis(source.analysis, designs)
    directory = RunDirectory.create(root, analysis.name, key_of_fit(analysis, designs[0]))
    fit_in(source, directory, watch, REPRODUCE)
    return directory


MOST: Final = 10
"""Quantities that are shown."""


def _far(value: float | None) -> str:
    return words.NONE if value is None else f"{value:.2f}"


def _inputs(rows: tuple[DifferingInput, ...], first: str, second: str) -> Iterator[str | Table]:
    if not rows:
        yield "Inputs: none differs."
        return
    columns = (
        Column[DifferingInput]("What", "input"),
        Column[DifferingInput]("Which", "place"),
        *(
            Column[DifferingInput](head, name, lambda value: words.NONE if value is None else value)
            for head, name in ((first, "first"), (second, "second"))
        ),
    )
    yield View("inputs", DifferingInput, "Inputs that differ", columns, rows).table


def records_printed(found: ComparedRecords) -> Iterator[str | Table]:
    """Two runs as records: inputs, draws, quantities, verdicts."""
    yield f"A: {found.first}"
    yield f"B: {found.second}"
    yield from _inputs(found.inputs, "A", "B")
    yield from _posteriors(found)
    yield from _verdicts(found)


def _posteriors(found: ComparedRecords) -> Iterator[str | Table]:
    if found.same_draws is None and not found.quantities:
        yield "Posteriors: not compared, a run has none."
        return
    if found.same_draws:
        yield f"Posteriors: every draw is the same ({found.quantities:,} quantities)."
        return
    yield (
        f"Posteriors: {len(found.moved):,} of {found.quantities:,} means differ, at most by "
        f"{found.furthest:.2f} Monte Carlo standard errors (the same posterior: at most "
        f"{found.limit:.2f})."
    )
    columns: tuple[Column[MovedQuantity], ...] = (
        Column("Quantity", "name"),
        number("A", "first", lambda value: f"{value:.4g}"),
        number("B", "second", lambda value: f"{value:.4g}"),
        number("In sd", "in_sd", _far),
        number("In MCSE", "in_mcse", _far),
    )
    if found.moved:
        title = "Posterior means that lie furthest apart"
        yield View("moved", MovedQuantity, title, columns, found.moved[:MOST]).table


def _verdicts(found: ComparedRecords) -> Iterator[str | Table]:
    if not found.other_verdicts:
        yield f"Verdicts: the same ({found.verdicts})."
        return
    columns: tuple[Column[Any], ...] = (
        Column("Claim", "title"),
        GROUP,
        Column("A", lambda row: row.told[0], verdict_words),
        Column("B", lambda row: row.told[1], verdict_words),
    )
    yield View(
        "verdicts", ComparedVerdict, "Verdicts that differ", columns, found.other_verdicts
    ).table


def explained_printed(found: Explained) -> Iterator[str | Table]:
    """What changed since a run was made, and what that invalidates."""
    yield f"{found.run}, held against {found.against}"
    yield from found.notes
    yield from _inputs(found.inputs, "Then", "Now")
    columns: tuple[Column[StageState], ...] = (
        Column("Stage", "stage"),
        Column("State", "state"),
        Column("Why", "why"),
    )
    yield View("stages", StageState, "What is made again", columns, found.stages).table


def reproduced_printed(found: Reproduced) -> Iterator[str | Table]:
    """What came out of making a run again."""
    inputs = [row for row in found.records.inputs if row.input in ("versions", "machine")]
    yield from _inputs(tuple(inputs), "Then", "Now")
    yield from _verdicts(found.records)
    yield found.words
    if found.directory:
        yield f"Made again in {found.directory}"
