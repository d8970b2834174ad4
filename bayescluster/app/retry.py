"""Further attempts after a failed gate, each a run of its own, and the record of all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from bayescluster.app.collect import Fitted, explained
from bayescluster.app.prepare import Asked, asked, designs_of
from bayescluster.app.run import command_of, fit_asked, run_asked, write_run_report
from bayescluster.checks.convergence import convergence_gate
from bayescluster.checks.remedies import Failure, remedied, settings_changed
from bayescluster.checks.thresholds import WEIGHT_MIN
from bayescluster.design.record import Design
from bayescluster.inference.watch import Silent, Watch
from bayescluster.results.fit import Attempt, Change, Gate
from bayescluster.results.model import Results
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import yaml_text

RETRIES: Final = 3
"""Most attempts after the first: what three steps of the sampler do not mend, the model must."""


class Tried(NamedTuple):
    """One attempt: its run, what failed, and its results where they were computed."""

    directory: RunDirectory
    passed: bool
    failure: Failure
    designs: tuple[Design, ...]
    results: Results | None = None


class Retried(NamedTuple):
    """The attempt that passed, or else the last one, and the record of all."""

    last: Tried
    attempts: tuple[Attempt, ...]


def run_with_retries(
    source: Analysis | Path | str, root: Path | str = "runs", watch: Watch | None = None
) -> Retried:
    """Run an analysis; after a failed gate draw again, as its reasons advise.

    Every attempt is a run of its own under its own key; none is overwritten. All of them are told
    in the results, report and manifest of each. Parameters and errors as for
    `bayescluster.app.run.run_analysis`.
    """
    told, command = watch or Silent(), command_of(source)

    def once(question: Asked) -> Tried:
        run = run_asked(question, Path(root), told, command)
        found = run.results
        failure = Failure(_failing(found), found.gate.reasons)
        designs = () if found.gate.passed else designs_of(question)
        return Tried(run.directory, found.gate.passed, failure, designs, found)

    return _retried(asked(source), once, told)


def fit_with_retries(
    source: Analysis | Path | str, root: Path | str = "runs", watch: Watch | None = None
) -> Retried:
    """Draw the posterior of an analysis; where its parameters fail the gate, draw again.

    Estimands are not computed here: `run_with_retries` holds them to the gate as well.
    """
    told = watch or Silent()

    def once(question: Asked) -> Tried:
        drawn = fit_asked(question, Path(root), told)
        gates = [_gate_of(design, drawn.directory) for design in drawn.designs]
        failing = dict.fromkeys(name for gate in gates for name in gate.failing)
        reasons = tuple(reason for gate in gates for reason in gate.reasons)
        passed = all(gate.passed for gate in gates)
        return Tried(drawn.directory, passed, Failure(tuple(failing), reasons), drawn.designs)

    return _retried(asked(source), once, told)


def _gate_of(design: Design, directory: RunDirectory) -> Gate:
    """Hold the parameters of a fit to the gate, without estimands."""
    forms = directory.forms()
    tree = (forms[design.structure.name] if forms else directory).load_posterior()
    gate = convergence_gate(tree, {}, design.analysis.sampling.max_treedepth)
    return explained(gate, Fitted(design, tree))


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


def _retried(question: Asked, once: Callable[[Asked], Tried], watch: Watch) -> Retried:
    first = question.analysis
    tried = [once(question)]
    attempts = [_attempt(0, tried[0], (), "")]
    while not tried[-1].passed and len(tried) <= RETRIES:
        last = tried[-1]
        step = remedied(question.analysis, last.failure, last.designs)
        if step is None:
            watch.step("Nothing is left to change but the model")
            break
        question = question._replace(analysis=step.analysis)
        changed = ", ".join(map(str, step.changes))
        watch.step(f"The gate failed. Attempt {len(tried)} of {RETRIES}: {changed}")
        tried.append(once(question))
        lines = yaml_text(settings_changed(first, step.analysis))
        attempts.append(_attempt(len(attempts), tried[-1], step.changes, lines))
    record = tuple(attempts) if len(attempts) > 1 else ()
    if record:
        tried = [_recorded(each, record) for each in tried]
    return Retried(tried[-1], record)


def _attempt(number: int, tried: Tried, changes: tuple[Change, ...], settings: str) -> Attempt:
    return Attempt(
        number=number,
        key=tried.directory.read_manifest().key,
        changes=changes,
        gate_passed=tried.passed,
        failing=() if tried.passed else tried.failure.checks,
        settings=settings,
    )


def _recorded(tried: Tried, attempts: tuple[Attempt, ...]) -> Tried:
    """Tell all attempts in the results, report and manifest of one; its numbers stay as they are."""
    directory, results = tried.directory, tried.results
    with directory.lock():
        told = directory.read_manifest().attempts == attempts
        if results is not None and not (told and results.attempts == attempts):
            results = results.model_copy(update={"attempts": attempts})
            directory.save_results(results)
            write_run_report(directory, results)
        # last, so that a process killed before it does the rest again
        directory.record_attempts(attempts)
    return tried._replace(results=results)
