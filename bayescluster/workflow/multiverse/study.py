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
from typing import NamedTuple

from bayescluster.checks.thresholds import FLIP_ERRORS
from bayescluster.errors import FitError, Problem
from bayescluster.inference.nuts import available_cores
from bayescluster.results.base import INTERVAL
from bayescluster.results.multiverse import MULTIVERSE_VERSION, Multiverse, Sampler
from bayescluster.runs.atomic import write_text
from bayescluster.runs.keys import sweep_key
from bayescluster.runs.lock import locked
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import dotted
from bayescluster.workflow.forms import OfForm
from bayescluster.workflow.multiverse.plan import FOLDER, Fit, Options, Plan, plan_of
from bayescluster.workflow.multiverse.rows import (
    Told,
    choice_rows,
    claim_rows,
    effect_points,
    same_fits,
    universe_facts,
)
from bayescluster.workflow.multiverse.words import notes
from bayescluster.workflow.prepare import Asked
from bayescluster.workflow.run import fit_question
from bayescluster.workflow.watch import CountingWatch, Silent, Watch

COMMAND = "bayescluster sweep"
DIED = "a process that fitted a universe ended before it was done"
DIED_MEND = (
    "if memory ran out, take fewer jobs; the same command goes on from the chains that are finished"
)


class Finished(NamedTuple):
    """A sweep, and where its files are."""

    directory: Path
    results: Multiverse


def sweep_analysis(
    source: Analysis | Path | str,
    options: Options | None = None,
    root: Path | str = "runs",
    watch: CountingWatch | None = None,
) -> Finished:
    """Fit every universe that is not there, compare their verdicts, and write what comes of it.

    Parameters
    ----------
    source
        Analysis file, or an analysis made in Python.
    options
        Settings of the fits, and how many universes are fitted at once.
    root
        Folder of the runs.
    watch
        Told of the progress.

    Raises
    ------
    ConfigError, DataError, FitError, RunError
        See `bayescluster.errors`. Universes that were finished before are kept. One that cannot be
        fitted is listed with its message, but for the analysis as it is.
    """
    watch, root = watch or Silent(), Path(root)
    watch.step("Reading the firms and the alternatives")
    plan = plan_of(source, root, options or Options())
    key = _key(plan)
    directory = RunDirectory.create(root / plan.analysis.name, FOLDER, key).path
    with locked(directory):
        failed = _fit_all(plan, options or Options(), watch)
        results = multiverse_of(plan, key, failed)
        write_sweep(results, directory)
    return Finished(directory, results)


def _key(plan: Plan) -> str:
    universes = {
        each.name: each.fit.results_key if each.fit is not None else None for each in plan.universes
    }
    settings = {
        "version": MULTIVERSE_VERSION,
        "declared": plan.declared,
        "combine": plan.multiverse.combine,
    }
    return sweep_key(plan.run_key, universes, settings)


def _fit_all(plan: Plan, options: Options, watch: CountingWatch) -> dict[Path, str]:
    """Fit the universes that are not there; return why some could not be, by their directory."""
    pending, universes = plan.pending, plan.universes
    unfitted = sum(each.fit is None for each in universes)
    aside = f", {unfitted} cannot be fitted" if unfitted else ""
    watch.step(
        f"{len(universes)} universes: {len(universes) - unfitted - len(pending)} are there, "
        f"{len(pending)} to fit{aside}"
    )
    failed: dict[Path, str] = {}
    first = plan.universes[0].fit
    jobs = options.jobs or max(1, available_cores() // plan.sampling.chains)
    for done, (fit, message) in enumerate(_fitted(pending, jobs, watch), start=1):
        if message:
            failed[fit.run.path] = message
        if fit == first and message:
            raise FitError(message)
        watch.count("universes", done, len(pending))
    return failed


def _fitted(pending: Sequence[Fit], jobs: int, watch: CountingWatch) -> Iterator[tuple[Fit, str]]:
    """Fit universes, and yield each as it ends with why it could not be fitted, if so."""
    workers = min(jobs, len(pending))
    if workers <= 1:
        for number, fit in enumerate(pending, start=1):
            yield fit, _fit(fit, OfForm(watch, f"universe {number} of {len(pending)}"))
        return
    # every process compiles its own models; started anew they inherit no threads of the sampler
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_stop_at_once)
    try:
        futures = {pool.submit(_fit_elsewhere, *_sent(fit)): fit for fit in pending}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool:
        raise FitError(Problem(DIED, "--jobs", DIED_MEND)) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _stop_at_once() -> None:
    """Let Ctrl-C end a process where it stands: chains are written whole, or not at all."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _sent(fit: Fit) -> tuple[str, str, str]:
    """What another process needs, as text."""
    analysis = fit.question.analysis.model_dump_json(by_alias=True)
    return analysis, str(fit.question.directory), str(fit.run.path)


def _fit_elsewhere(analysis: str, directory: str, run: str) -> str:
    question = Asked(Analysis.model_validate_json(analysis), Path(directory), _in_python)
    return _fit_question(question, Path(run), Silent())


def _fit(fit: Fit, watch: Watch) -> str:
    return _fit_question(fit.question, fit.run.path, watch)


def _fit_question(question: Asked, run: Path, watch: Watch) -> str:
    """Fit a universe, and say why it could not be fitted, if so."""
    directory = RunDirectory.create(run.parent.parent, run.parent.name, run.name)
    try:
        fit_question(question, directory, watch, COMMAND)
    except FitError as error:
        return "; ".join(problem.what for problem in error.problems)
    return ""


def _in_python(path: Sequence[str | int]) -> str:
    return f"analysis.{dotted(path)}"


def multiverse_of(plan: Plan, key: str, failed: Mapping[Path, str]) -> Multiverse:
    """Put the results of all universes side by side.

    Parameters
    ----------
    plan
        The universes.
    key
        Key of the sweep.
    failed
        Why universes could not be fitted, by the directory of their run.
    """
    told = _told(plan, failed)
    claims, analysis = claim_rows(told), plan.analysis
    universes = universe_facts(told, claims)
    found = Multiverse(
        name=analysis.name,
        title=analysis.report.title or analysis.name.replace("-", " ").replace("_", " "),
        key=key,
        run_key=plan.run_key,
        model_key=plan.model_key,
        synthetic=plan.synthetic,
        outcome=analysis.equation.outcome,
        interval=INTERVAL,
        declared=plan.declared,
        combine=plan.multiverse.combine,
        near=FLIP_ERRORS,
        sampler=_sampler(plan),
        universes=universes,
        claims=claims,
        effects=effect_points(told),
        choices=choice_rows(universes, claims),
        notes=(),
    )
    return found.model_copy(update={"notes": notes(found)})


def _told(plan: Plan, failed: Mapping[Path, str]) -> list[Told]:
    same = same_fits(plan.universes)
    told = []
    for each in plan.universes:
        if each.fit is None:
            told.append(Told(each, None, "; ".join(_problem_words(each.problems))))
            continue
        message = failed.get(each.fit.run.path, "")
        results = None if message else each.fit.results
        told.append(Told(each, results, message, same.get(each.name, "")))
    return told


def _problem_words(problems: Sequence[Problem]) -> Iterator[str]:
    """Each problem in a line, its place without the folders of this machine."""
    for what, where, mend in problems:
        place = f"{Path(where).name}: " if where else ""
        yield f"{place}{what}{f' ({mend})' if mend else ''}"


def _sampler(plan: Plan) -> Sampler:
    asked = plan.sampling
    return Sampler(
        draws=asked.draws,
        tune=asked.tune,
        chains=asked.chains,
        seed=asked.seed,
        as_declared=asked == plan.analysis.sampling,
    )


def write_sweep(results: Multiverse, directory: Path) -> None:
    """Write ``sweep.json``, ``sweep.html``, and tables of verdicts and of effects as csv."""
    from bayescluster.report.pages.multiverse import csv_text, effects_csv_text, page_text

    write_text(directory / "sweep.json", results.model_dump_json(indent=2) + "\n")
    write_text(directory / "sweep.csv", csv_text(results))
    write_text(directory / "sweep-effects.csv", effects_csv_text(results))
    write_text(directory / "sweep.html", page_text(results))
