"""A sweep: the analysis refitted under alternatives, and which choice flips which verdict.

Each universe is an ordinary analysis in a run directory of its own, found again by its key: what is
fitted is not fitted again, and a sweep that was stopped goes on with the chains it lacks.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from bayescluster.app.prepare import AnalysisSource
from bayescluster.app.run import NamedWatch, fit_in
from bayescluster.checks.thresholds import FLIP_ERRORS
from bayescluster.errors import FitError, Problem
from bayescluster.inference.nuts import available_cores
from bayescluster.inference.watch import CountingWatch, Silent, Watch
from bayescluster.results.base import INTERVAL
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import dotted
from bayescluster.studies.engine import Study
from bayescluster.studies.multiverse.compute import (
    FittedUniverse,
    choice_rows,
    claim_rows,
    effect_points,
    notes_of,
    universe_facts,
)
from bayescluster.studies.multiverse.plan import NAME, Fit, Options, Plan, plan_of
from bayescluster.studies.multiverse.results import Multiverse, Sampler
from bayescluster.studies.multiverse.view import csv_tables, page_text, printed
from bayescluster.workers import done_elsewhere, has_cluster

COMMAND: Final = "bayescluster sweep"
DIED: Final = "a process that fitted a universe ended before it was done"
DIED_MEND: Final = (
    "if memory ran out, take fewer jobs; the same command goes on from the chains that are finished"
)

Failures = Mapping[Path, str]
"""Why universes could not be fitted, by the directory of their run."""


def fit_universes(plan: Plan, _directory: Path, watch: CountingWatch) -> Failures:
    """Fit the universes that are not there yet.

    Raises
    ------
    FitError
        If the analysis as declared cannot be fitted; of another universe the reason is returned.
    """
    pending, universes = plan.pending, plan.universes
    unfitted = sum(each.fit is None for each in universes)
    excluded = f", {unfitted} cannot be fitted" if unfitted else ""
    watch.step(
        f"{len(universes)} universes: {len(universes) - unfitted - len(pending)} are there, "
        f"{len(pending)} to fit{excluded}"
    )
    failures: dict[Path, str] = {}
    jobs = plan.jobs or max(1, available_cores() // plan.sampling.chains)
    for done, (fit, message) in enumerate(_fitted(pending, jobs, watch), start=1):
        if message:
            failures[fit.run.path] = message
            if fit == universes[0].fit:
                raise FitError(message)
        watch.count("universes", done, len(pending))
    return failures


def _fitted(pending: Sequence[Fit], jobs: int, watch: CountingWatch) -> Iterator[tuple[Fit, str]]:
    """Fit universes, and yield each as it ends with why it could not be fitted, if so."""
    workers = min(jobs, len(pending))
    if pending and has_cluster():
        yield from done_elsewhere(_fit_elsewhere, [(fit, _sent(fit)) for fit in pending])
        return
    if workers <= 1:
        for number, fit in enumerate(pending, start=1):
            named = NamedWatch(watch, f"universe {number} of {len(pending)}")
            yield fit, _fit(fit.source, fit.run.path, named)
        return
    # every process compiles its own models; spawned ones inherit no threads of the sampler
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_stop_at_once)
    try:
        futures = {pool.submit(_fit_elsewhere, *_sent(fit)): fit for fit in pending}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool:
        raise FitError(Problem(DIED, "--jobs", DIED_MEND)) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _fit(source: AnalysisSource, run: Path, watch: Watch) -> str:
    """Fit a universe, and return why it could not be fitted, if so."""
    directory = RunDirectory.create(run.parent.parent, run.parent.name, run.name)
    try:
        fit_in(source, directory, watch, COMMAND)
    except FitError as error:
        return "; ".join(problem.what for problem in error.problems)
    return ""


def _stop_at_once() -> None:
    """Let Ctrl-C end a process at once: chains are written whole, or not at all."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _sent(fit: Fit) -> tuple[str, str, str]:
    """What another process needs, as text."""
    analysis = fit.source.analysis.model_dump_json(by_alias=True)
    return analysis, str(fit.source.directory.absolute()), str(fit.run.path.absolute())


def _fit_elsewhere(analysis: str, directory: str, run: str) -> str:
    source = AnalysisSource(
        Analysis.model_validate_json(analysis),
        Path(directory),
        lambda path: f"analysis.{dotted(path)}",
    )
    return _fit(source, Path(run), Silent())


def multiverse_of(plan: Plan, failures: Failures) -> Multiverse:
    """Compare the verdicts and effects of all universes."""
    universes = fitted_universes(plan, failures)
    claims = claim_rows(universes)
    facts = universe_facts(universes, claims)
    results = Multiverse(
        name=plan.analysis.name,
        title=plan.analysis.title,
        key=plan.key,
        run_key=plan.run_key,
        model_key=plan.model_key,
        synthetic=plan.synthetic,
        outcome=plan.analysis.equation.outcome,
        interval=INTERVAL,
        declared=plan.declared,
        combine=plan.multiverse.combine,
        near=FLIP_ERRORS,
        sampler=Sampler(
            draws=plan.sampling.draws,
            tune=plan.sampling.tune,
            chains=plan.sampling.chains,
            seed=plan.sampling.seed,
            as_declared=plan.sampling == plan.analysis.sampling,
        ),
        universes=facts,
        claims=claims,
        effects=effect_points(universes),
        choices=choice_rows(facts, claims),
        notes=(),
    )
    return results.model_copy(update={"notes": tuple(notes_of(results))})


def fitted_universes(plan: Plan, failures: Failures) -> list[FittedUniverse]:
    """Load the results of every universe, or give the reason why it has none."""
    first: dict[str, str] = {}
    fitted = []
    for each in plan.universes:
        if each.fit is None:
            reasons = (_problem_words(problem) for problem in each.problems)
            fitted.append(FittedUniverse(each, None, "; ".join(reasons)))
            continue
        message = failures.get(each.fit.run.path, "")
        same = first.setdefault(each.fit.key, each.name)
        same_as = "" if same == each.name else same
        results = None if message else each.fit.results
        fitted.append(FittedUniverse(each, results, message, same_as))
    return fitted


def _problem_words(problem: Problem) -> str:
    """A problem in a line, its place without the folders of this machine."""
    place = f"{Path(problem.where).name}: " if problem.where else ""
    mend = f" ({problem.mend})" if problem.mend else ""
    return f"{place}{problem.what}{mend}"


sweep_analysis = Study(
    NAME,
    Options,
    plan_of,
    fit_universes,
    multiverse_of,
    csv_tables,
    page_text,
    printed,
    "Reading the firms and the alternatives",
)
"""Refit an analysis under alternatives, and report which choice flips which verdict."""
