"""Further attempts after a failed gate, each a run of its own, and the record of all of them.

They are for analyses that give the number of draws. Where the sampler settles it, it makes its
attempts itself; see `bayescluster.app.fit`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bayescluster.app.prepare import AnalysisSource, analysis_source, designs_of
from bayescluster.app.report import write_run_report
from bayescluster.app.run import command_of, fit_source, run_source
from bayescluster.checks.remedies import RETRIES, Failure, remedied, settings_changed
from bayescluster.checks.thresholds import WEIGHT_MIN
from bayescluster.design.record import Design
from bayescluster.inference.watch import Silent, Watch
from bayescluster.results.fit import Attempt, Change
from bayescluster.results.model import Additions, Results
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import yaml_text


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
