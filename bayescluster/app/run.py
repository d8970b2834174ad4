"""From an analysis to a finished run: each stage kept, none done twice.

Further attempts after a failed gate, each a run of its own, and the record of all of them.

They are for analyses that give the number of draws. Where the sampler settles it, it makes its
attempts itself; see `bayescluster.app.fit`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bayescluster.app.fit import (
    Form,
    begin_run,
    fit_form,
    gate_of_fit,
    has_more_time,
    is_fitted,
    lengthen,
    likelihood_words,
)
from bayescluster.app.memory import STATED_FROM, memory_of, refuse_too_much
from bayescluster.app.prepare import (
    AnalysisSource,
    analysis_source,
    designs_of,
    fitted_analysis,
    key_of,
    read_designs,
)
from bayescluster.app.report import finish_report, write_run_report
from bayescluster.checks.remedies import RETRIES, Failure, remedied, settings_changed, with_settings
from bayescluster.checks.thresholds import WEIGHT_MIN
from bayescluster.design.record import Design
from bayescluster.inference.density import evaluated
from bayescluster.inference.watch import Silent, Watch, count
from bayescluster.names import CHAIN, DRAW
from bayescluster.results.facts import FitFacts, Reproduction
from bayescluster.results.fit import Attempt, Change, Gate
from bayescluster.results.model import SCHEMA_VERSION, Additions, Provenance, Results
from bayescluster.runs.find import declared_before
from bayescluster.runs.keys import resolved, results_key, versions
from bayescluster.runs.layout import FORMS
from bayescluster.runs.manifest import Manifest, Settled
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import yaml_text
from bayescluster.summaries.likelihood import Firms

if TYPE_CHECKING:
    import xarray as xr

    from bayescluster.app.collect import Opened
    from bayescluster.app.combine import Part
    from bayescluster.inference.nuts import ChainState


class Finished(NamedTuple):
    """A run that has its results and report."""

    directory: RunDirectory
    results: Results


class Drawn(NamedTuple):
    """An analysis whose posterior is drawn: the design of each form, and the directory."""

    designs: tuple[Design, ...]
    directory: RunDirectory
    posterior: xr.DataTree | None = None
    """That of the only form, where it was drawn just now."""

    def gates(self) -> dict[str, tuple[RunDirectory, Gate]]:
        """Run of each form, and what the gate says of its parameters; estimands are left to a run."""
        forms = self.directory.forms()
        found = {}
        for design in self.designs:
            run = forms.get(design.structure.name, self.directory)
            tree = run.load_posterior() if self.posterior is None else self.posterior
            found[design.structure.name] = run, gate_of_fit(design, run, tree)
        return found


def run_analysis(
    source: Analysis | Path | str, root: Path | str = "runs", watch: Watch | None = None
) -> Finished:
    """Fit an analysis, judge its hypotheses and write its report.

    Parameters
    ----------
    source
        Analysis file, or an analysis made in Python.
    root
        Folder of the runs.
    watch
        Receives the progress.

    Raises
    ------
    ConfigError, DataError, FitError, RunError
        See `bayescluster.errors`. Whatever was finished before is kept.
    """
    return run_source(analysis_source(source), Path(root), watch or Silent(), command_of(source))


def fit_analysis(
    source: Analysis | Path | str, root: Path | str = "runs", watch: Watch | None = None
) -> RunDirectory:
    """Draw the posterior of an analysis and keep it, without results and report."""
    return fit_source(analysis_source(source), Path(root), watch or Silent()).directory


def run_source(source: AnalysisSource, root: Path, watch: Watch, command: str) -> Finished:
    """Do what `run_analysis` does with an analysis that has been read, as ``command`` would."""
    run = _open(source, root, watch)
    with run.directory.lock():
        drawn = _fit(run, watch)
        return Finished(run.directory, _results(run, watch, command, finish_report, drawn))


def fit_source(source: AnalysisSource, root: Path, watch: Watch) -> Drawn:
    """Do what `fit_analysis` does with an analysis that has been read."""
    run = _open(source, root, watch)
    with run.directory.lock():
        drawn = _fit(run, watch)
    return Drawn(run.designs, run.directory, drawn)


def fit_in(source: AnalysisSource, directory: RunDirectory, watch: Watch, command: str) -> Results:
    """Fit an analysis in a directory made for its key and compute its results, without report.

    Parameters
    ----------
    source
        The analysis, and where its paths start.
    directory
        Run directory.
    watch
        Receives the progress.
    command
        What a user would type to get the same.
    """
    read = read_designs(source)
    designs = read.designs
    analysis = fitted_analysis(source.analysis, designs)
    run = _Run(analysis, designs, directory, source.directory, read.firms)
    with directory.lock():
        drawn = _fit(run, watch)
        return _results(run, watch, command, lambda *_: None, drawn)


def command_of(source: Analysis | Path | str) -> str:
    """Name the command, or the call, that gives a result again."""
    if isinstance(source, Analysis):
        return "bayescluster.fit(analysis)"
    return f"bayescluster run {Path(source).name}"


def key_of_results(fit: str, analysis: Analysis) -> str:
    """Key of the results of a fit: what they depend on other than the fit."""
    return results_key(fit, analysis, {"schema": SCHEMA_VERSION, "versions": versions()})


class NamedWatch:
    """Puts a name before the steps of a watch: the form or the universe they belong to."""

    def __init__(self, watch: Watch, name: str) -> None:
        self._watch, self._name = watch, name

    def step(self, message: str) -> None:
        """Pass a step on, the name before it."""
        self._watch.step(f"{self._name}: {message[:1].lower()}{message[1:]}")

    def chain(self, state: ChainState) -> None:
        """Pass on how far a chain is."""
        self._watch.chain(state)

    def count(self, what: str, finished: int, total: int) -> None:
        """Pass on how many are finished."""
        count(self._watch, f"{self._name}: {what}", finished, total)


class _FormRun(NamedTuple):
    """One structural form of a run: its design, the directory of its own run, and its watch."""

    design: Design
    directory: RunDirectory
    watch: Watch
    lock: Callable[[], AbstractContextManager[None]] = nullcontext
    firms: Firms | None = None

    @property
    def to_fit(self) -> Form:
        """What is fitted of it."""
        return Form(self.design, self.directory, self.watch, self.firms)

    @property
    def is_fitted(self) -> bool:
        """Whether its posterior is there."""
        return is_fitted(self.design, self.directory)


class _Run(NamedTuple):
    """An analysis, the design of each of its forms, and the directory of its run."""

    analysis: Analysis
    designs: tuple[Design, ...]
    directory: RunDirectory
    folder: Path
    """Where paths of the analysis start."""
    firms: tuple[Firms, ...] = ()
    """All firms under each form, where the designs are of a sample of them."""

    def forms(self, watch: Watch) -> list[_FormRun]:
        """Give the run of each form: the run itself where there is one, else runs inside it."""
        if len(self.designs) == 1:
            firms = self.firms[0] if self.firms else None
            return [_FormRun(self.designs[0], self.directory, watch, firms=firms)]
        forms = []
        every = self.firms or (None,) * len(self.designs)
        for design, firms in zip(self.designs, every, strict=True):
            name, analysis = design.structure.name, design.analysis
            title = f"{analysis.title}: {name}"
            report = analysis.report.model_copy(update={"title": title})
            titled = replace(design, analysis=analysis.model_copy(update={"report": report}))
            run = self.directory.form(name)
            forms.append(_FormRun(titled, run, NamedWatch(watch, name), run.lock, firms))
        return forms


def _open(source: AnalysisSource, root: Path, watch: Watch) -> _Run:
    watch.step("Reading the firms")
    read = read_designs(source)
    memory = memory_of(read.designs)
    refuse_too_much(memory)
    for line in memory.lines() if memory.total > STATED_FROM else ():
        watch.step(line[:1].upper() + line[1:])
    analysis = fitted_analysis(source.analysis, read.designs)
    key = key_of(analysis, read.designs[0])
    directory = RunDirectory.create(root, analysis.name, key)
    return _Run(analysis, read.designs, directory, source.directory, read.firms)


def _fit(run: _Run, watch: Watch) -> xr.DataTree | None:
    """Draw the posterior of every form, and of the ceiling models, or take what is there.

    The posterior of the only form is given, if it was drawn now; those of several are read again
    one by one, so that memory does not grow with their number.
    """
    directory, forms = run.directory, run.forms(watch)
    key = begin_run(run.analysis, run.designs[0], directory)
    directory.record_folder(run.folder)
    done = directory.is_done("forms", key) and all(form.is_fitted for form in forms)
    if directory.forms() and any(has_more_time(form.design, form.directory) for form in forms):
        directory.discard_draws()
    with directory.stage("forms") if directory.forms() and not done else nullcontext():
        for form in forms:
            with form.lock():
                drawn = fit_form(form.to_fit)
    if run.analysis.traditions.ceiling_models is not None:
        from bayescluster.features.ceiling_models.compute import fit_ceiling_models

        # a ceiling has no structural form: one fit serves them all
        fit_ceiling_models(run.designs[0], directory, watch)
    return drawn if len(forms) == 1 else None


def _results(
    run: _Run,
    watch: Watch,
    command: str,
    report: Callable[[RunDirectory, Results, Watch, Sequence[Opened]], None],
    drawn: xr.DataTree | None,
) -> Results:
    """Compute the results of every form, then of all together where there are several; report these.

    A report of one form among several is written when someone asks for it, since no answer is in it, and
    kept up to date from then on.
    """
    from bayescluster.app.collect import Opened
    from bayescluster.app.combine import Part

    parts = []
    for design, form in zip(run.designs, run.forms(watch), strict=True):
        with form.lock():
            fit = Opened(form.design, form.directory, drawn)
            results = _form_results(form, command, fit)
            while lengthen(form.to_fit, results.gate):
                fit = Opened(form.design, form.directory, fit_form(form.to_fit))
                results = _form_results(form, command, fit)
            if len(run.designs) > 1 and form.directory.report_path.is_file():
                report(form.directory, results, form.watch, [fit])
            parts.append(Part(design, fit, results))
    results = parts[0].results
    if len(parts) > 1:
        results = _combined_results(run, parts, watch, command)
    report(run.directory, results, watch, [part.fit for part in parts])
    return results


def _form_results(form: _FormRun, command: str, fit: Opened) -> Results:
    from bayescluster.app.collect import collect
    from bayescluster.features.ceiling_models.compute import ceiling_evidence

    design, directory = form.design, form.directory

    def compute(manifest: Manifest) -> Results:
        form.watch.step("Computing effects, checks and verdicts")
        provenance = Provenance(
            fit=_fit_facts(design, manifest, fit.tree["sample_stats"].to_dataset()),
            reproduction=_reproduction(design.analysis, manifest, command, directory),
        )
        ceilings = ceiling_evidence(design, directory)
        checks = manifest.settled.checks if manifest.settled else ()
        results = collect(fit, ceilings, provenance, checks, form.watch)
        if not manifest.settled or not manifest.attempts:
            return results
        # the last one is now held to the gate with every estimand
        gate, (*before, last) = results.gate, manifest.attempts
        whole = last.model_copy(update={"gate_passed": gate.passed, "failing": gate.failing})
        return Results.joined(results, Additions(attempts=(*before, whole)))

    return _kept_results(directory, design.analysis, form.watch, compute)


def _combined_results(run: _Run, parts: list[Part], watch: Watch, command: str) -> Results:
    from bayescluster.app.combine import combined
    from bayescluster.features.ceiling_models.compute import ceiling_evidence

    def compute(manifest: Manifest) -> Results:
        watch.step("Comparing the forms and averaging over them")
        ceilings = ceiling_evidence(run.designs[0], run.directory)
        again = _reproduction(run.analysis, manifest, command, run.directory)
        return combined(parts, ceilings.results if ceilings else None, again)

    return _kept_results(run.directory, run.analysis, watch, compute)


def _kept_results(
    directory: RunDirectory,
    analysis: Analysis,
    watch: Watch,
    compute: Callable[[Manifest], Results],
) -> Results:
    """Compute results and keep them, or take those that are there."""
    manifest = directory.read_manifest()
    key = key_of_results(manifest.key, analysis)
    if directory.is_done("results", key):
        watch.step("The results are there already")
        return directory.load_results()
    with directory.stage("results", key):
        results = compute(manifest)
        directory.save_results(results)
        # within the stage: results that are there already have their gate recorded
        directory.record_gate(results.gate.passed)
    return results


def _fit_facts(design: Design, manifest: Manifest, stats: xr.Dataset) -> FitFacts:
    settled, stages = manifest.settled or Settled(), manifest.stages
    sampling = with_settings(design.analysis, settled.settings).sampling
    fitting = (stages[name] for name in ("design", "sampling", "posterior") if name in stages)
    of_many = likelihood_words(manifest.likelihood)
    on = evaluated(design) + (f", with {of_many}" if of_many else "")
    return FitFacts(
        sampler=f"nutpie {manifest.versions['nutpie']} (No-U-Turn sampler) on {on}",
        chains=stats.sizes[CHAIN],
        draws=stats.sizes[DRAW],
        tune=sampling.tune,
        seed=sampling.seed,
        target_accept=sampling.target_accept,
        divergences=int(stats["diverging"].sum()),
        sampling_seconds=stages["sampling"].seconds,
        total_seconds=sum(stage.seconds for stage in fitting),
        minutes=settled.minutes,
    )


def _reproduction(
    analysis: Analysis, manifest: Manifest, command: str, directory: RunDirectory
) -> Reproduction:
    # runs of forms lie within that of all: runs/NAME/KEY/forms/FORM
    inside = directory.path.parent.name == FORMS
    root = directory.path.absolute().parents[3 if inside else 1]
    return Reproduction(
        command=command,
        analysis=yaml_text(resolved(analysis)),
        key=manifest.key,
        data_digest=manifest.data_digest,
        versions=manifest.versions,
        host=manifest.host,
        started=manifest.started,
        declared=declared_before(root, manifest) if analysis.hypotheses else None,
    )


class AttemptRun(NamedTuple):
    """One attempt: its run, what failed, and its results where they were computed."""

    directory: RunDirectory
    passed: bool
    failure: Failure
    designs: tuple[Design, ...]
    results: Results | None = None


class Retried(NamedTuple):
    """The attempt that passed, or else the last one, and the record of all."""

    last: AttemptRun
    attempts: tuple[Attempt, ...]


def run_with_retries(
    source: Analysis | Path | str, root: Path | str = "runs", watch: Watch | None = None
) -> Retried:
    """Run an analysis; after a failed gate draw again, as its reasons advise.

    Every attempt is a run of its own under its own key; none is overwritten. All of them are listed
    in the results, report and manifest of each. Parameters and errors as for
    `bayescluster.app.run.run_analysis`.
    """
    watch, command = watch or Silent(), command_of(source)

    def attempt(one: AnalysisSource) -> AttemptRun:
        directory, results = run_source(one, Path(root), watch, command)
        gate = results.gate
        designs = () if gate.passed else designs_of(one)
        failure = Failure(_failing(results), gate.reasons)
        return AttemptRun(directory, gate.passed, failure, designs, results)

    return _retried(analysis_source(source), attempt, watch)


def fit_with_retries(
    source: Analysis | Path | str, root: Path | str = "runs", watch: Watch | None = None
) -> Retried:
    """Draw the posterior of an analysis; where its parameters fail the gate, draw again.

    Estimands are not computed here: `run_with_retries` holds them to the gate as well.
    """
    watch = watch or Silent()

    def attempt(one: AnalysisSource) -> AttemptRun:
        drawn = fit_source(one, Path(root), watch)
        gates = [gate for _, gate in drawn.gates().values()]
        failing = dict.fromkeys(name for gate in gates for name in gate.failing)
        reasons = tuple(reason for gate in gates for reason in gate.reasons)
        passed = all(gate.passed for gate in gates)
        return AttemptRun(drawn.directory, passed, Failure(tuple(failing), reasons), drawn.designs)

    return _retried(analysis_source(source), attempt, watch)


def _failing(results: Results) -> tuple[str, ...]:
    """Checks that failed; of several forms, those of each form that counts."""
    if results.comparison is None:
        return results.gate.failing
    names = [
        name
        for row in results.comparison.forms
        if row.weight > WEIGHT_MIN or row.form == results.comparison.leading
        for name in row.failing
    ]
    return tuple(dict.fromkeys(names))


def _retried(
    source: AnalysisSource, attempt: Callable[[AnalysisSource], AttemptRun], watch: Watch
) -> Retried:
    first = source.analysis
    trials = [attempt(source)]
    if first.sampling.draws is None:
        # its sampler has made all attempts itself, within the run
        (trial,) = trials
        made = trial.results or trial.directory.read_manifest()
        return Retried(trial, made.attempts)
    attempts = [_record(0, trials[0], (), "")]
    while not trials[-1].passed and len(trials) <= RETRIES:
        last = trials[-1]
        step = remedied(source.analysis, last.failure, last.designs)
        if step is None:
            watch.step("Nothing is left to change but the model")
            break
        source = source._replace(analysis=step.analysis)
        changed = ", ".join(map(str, step.changes))
        watch.step(f"The gate failed. Attempt {len(trials)} of {RETRIES}: {changed}")
        trials.append(attempt(source))
        lines = yaml_text(settings_changed(first, step.analysis))
        attempts.append(_record(len(attempts), trials[-1], step.changes, lines))
    if len(attempts) == 1:
        return Retried(trials[0], ())
    record = tuple(attempts)
    return Retried([_recorded(each, record) for each in trials][-1], record)


def _record(number: int, trial: AttemptRun, changes: tuple[Change, ...], settings: str) -> Attempt:
    return Attempt(
        number=number,
        key=trial.directory.read_manifest().key,
        changes=changes,
        gate_passed=trial.passed,
        failing=() if trial.passed else trial.failure.checks,
        settings=settings,
    )


def _recorded(trial: AttemptRun, attempts: tuple[Attempt, ...]) -> AttemptRun:
    """List all attempts in the results, report and manifest of one; its numbers stay as they are."""
    directory, results = trial.directory, trial.results
    with directory.lock():
        listed = directory.read_manifest().attempts == attempts
        if results is not None and not (listed and results.attempts == attempts):
            additions = Additions(
                attempts=attempts, folds=results.folds, checklist=results.checklist
            )
            results = Results.joined(results, additions)
            directory.save_results(results)
            write_run_report(directory, results)
        # last, so that a process killed before it does the rest again
        directory.record_attempts(attempts)
    return trial._replace(results=results)
