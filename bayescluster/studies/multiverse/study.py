"""A sweep: the analysis refitted under alternatives, and which choice flips which verdict.

Each universe is an ordinary analysis in a run directory of its own, found again by its key: what is
fitted is not fitted again, and a sweep that was stopped goes on with the chains it lacks.

Verdicts and effects of all universes: how claims are matched, which flip, and with which choice.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from bayescluster.app.prepare import AnalysisSource
from bayescluster.app.run import NamedWatch, fit_in
from bayescluster.checks.thresholds import FLIP_ERRORS
from bayescluster.errors import FitError, Problem
from bayescluster.inference.nuts import available_cores
from bayescluster.inference.watch import CountingWatch, Silent, Watch
from bayescluster.kit import words
from bayescluster.results.base import INTERVAL, VERDICT_STATES
from bayescluster.results.model import EffectRow, Results, Verdict
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import dotted
from bayescluster.studies.engine import Study
from bayescluster.studies.matching import claim_of, matched_groups
from bayescluster.studies.multiverse.plan import NAME, Fit, Options, Plan, PlannedUniverse, plan_of
from bayescluster.studies.multiverse.results import (
    Answer,
    Choice,
    ChoiceRow,
    ClaimRow,
    EffectPoint,
    Multiverse,
    Sampler,
    Universe,
)
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


NAMED: Final = 3
"""Universes that a sentence names; the others are counted."""
WHAT_IT_IS: Final = (
    "A multiverse shows on which choices a verdict depends. It is no posterior over choices: nothing "
    "says how plausible each one is, universes share most of their data, and the share of universes that "
    "agree is no probability that a claim is true."
)
WHAT_IT_LACKS: Final = (
    "Only the alternatives listed were tried. A verdict that holds in all of them can still depend on a "
    "choice that nobody listed."
)
FEWER_DRAWS: Final = (
    "The draws here are not those of the analysis, and a check that failed may need no more than those: "
    "leave out --draws, --tune and --chains."
)
NO_BASE: Final = (
    "The analysis as declared did not pass its checks: there is no verdict to compare with."
)
DEFAULT_SET: Final = (
    "The analysis declares no alternatives: these are a default set. Those that matter for a question are "
    "better declared, under `multiverse:`."
)


class FittedUniverse(NamedTuple):
    """A universe with the results of its fit, or why there are none."""

    plan: PlannedUniverse
    results: Results | None
    message: str = ""
    same_as: str = ""

    @property
    def passed(self) -> bool:
        """Whether it was fitted and passed its checks."""
        return self.results is not None and self.results.gate.passed


def claim_rows(universes: Sequence[FittedUniverse]) -> tuple[ClaimRow, ...]:
    """Match every claim of the analysis as declared with the verdicts of all universes on it.

    Claims are matched by what they say, group, scope and level, and among those that share all of it by
    their declared region, else by their order.
    """
    base = universes[0].results
    if base is None:
        return ()
    verdicts = [() if each.results is None else each.results.verdicts for each in universes]
    groups = matched_groups(verdicts, _claim)
    return tuple(
        _claim_row(verdict, groups[_claim(verdict)], universes) for verdict in base.verdicts
    )


def _claim(verdict: Verdict) -> tuple[str, ...]:
    return *claim_of(verdict), f"{verdict.level:g}"


def _claim_row(
    verdict: Verdict, matches: Sequence[Sequence[Verdict]], universes: Sequence[FittedUniverse]
) -> ClaimRow:
    base = verdict if universes[0].passed else None
    answers = tuple(
        _answer(each, _counterpart(verdict, matches[0], theirs), base)
        for each, theirs in zip(universes, matches, strict=True)
    )
    judged = [each for each in answers if each.status == "asked"]
    probabilities = [each.probability for each in judged if each.probability is not None]
    decisions = [each.verdict for each in judged]
    return ClaimRow(
        kind=verdict.kind,
        capital=verdict.capital,
        by=verdict.by,
        group=verdict.group,
        scope=verdict.scope,
        at_least=verdict.at_least,
        title=verdict.title,
        level=verdict.level,
        region=verdict.region,
        answers=answers,
        supported=decisions.count("supported"),
        rejected=decisions.count("rejected"),
        undecided=sum(each not in ("supported", "rejected") for each in decisions),
        flips=sum(each.flip for each in answers),
        lowest=min(probabilities, default=None),
        highest=max(probabilities, default=None),
        words=claim_words(answers),
    )


def _counterpart(
    claim: Verdict, own: Sequence[Verdict], theirs: Sequence[Verdict]
) -> Verdict | None:
    """Find the verdict of another universe on a claim among those that are matched with it.

    ``own`` are the claims of the analysis as declared that cannot be told from it but by their region.
    """
    same = [verdict for verdict in theirs if verdict.region == claim.region]
    if len(own) > 1 and len(same) == 1:
        return same[0]
    order = next(k for k, verdict in enumerate(own) if verdict is claim)
    return theirs[order] if len(theirs) == len(own) else None


def _answer(universe: FittedUniverse, verdict: Verdict | None, base: Verdict | None) -> Answer:
    name = universe.plan.name
    if universe.results is None:
        return Answer(universe=name, status="not_fitted")
    if verdict is None:
        return Answer(universe=name, status="not_asked")
    if not universe.passed:
        return Answer(universe=name, status="unchecked", region=verdict.region)
    flip = base is not None and verdict.verdict != base.verdict
    return Answer(
        universe=name,
        status="asked",
        verdict=verdict.verdict,
        probability=verdict.probability,
        mcse=verdict.mcse,
        prior_probability=verdict.prior_probability,
        region=verdict.region,
        reason=verdict.reason,
        stopped=verdict.stopped,
        flip=flip,
        near=flip and base is not None and _near(verdict, base),
    )


def _near(verdict: Verdict, base: Verdict) -> bool:
    """Whether Monte Carlo error could by itself bring one of two probabilities over its bound.

    A verdict that something else stops is not decided by its probability.
    """
    return not (verdict.stopped or base.stopped) and any(
        min(abs(one.probability - bound) for bound in (one.level, 1 - one.level))
        < FLIP_ERRORS * one.mcse
        for one in (verdict, base)
    )


def claim_words(answers: Sequence[Answer]) -> str:
    """Say in how many universes the verdict of the analysis as declared holds, and where it flips."""
    base = answers[0]
    if base.status != "asked" or base.verdict is None:
        return NO_BASE
    judged = [each for each in answers if each.status == "asked"]
    same = sum(each.verdict == base.verdict for each in judged)
    if len(judged) == 1:
        where = "the only universe with a verdict"
    elif same == len(judged):
        where = f"all {same} universes with a verdict"
    else:
        where = f"{same} of {len(judged)}"
    parts = [f"{base.verdict.capitalize()} in {where}"]
    for verdict in VERDICT_STATES:
        flipped = [each for each in judged if each.flip and each.verdict == verdict]
        if flipped:
            parts.append(f"flips to {verdict} when {_universes(flipped)}")
    statuses = [each.status for each in answers]
    for many, phrase in (
        (statuses.count("not_asked"), "not asked in {}"),
        (statuses.count("unchecked"), "{} did not pass the checks"),
        (statuses.count("not_fitted"), "{} could not be fitted"),
    ):
        if many:
            parts.append(phrase.format(many))
    return "; ".join(parts) + "."


def _universes(answers: Sequence[Answer]) -> str:
    named = [
        each.universe
        + (
            " (whatever the probability)"
            if each.stopped
            else " (near the bound)"
            if each.near
            else ""
        )
        for each in answers[:NAMED]
    ]
    listed = "; or ".join(named) if any(", " in each for each in named) else ", ".join(named)
    more = len(answers) - len(named)
    return f"{listed} and {more} more" if more else listed


def universe_facts(
    universes: Sequence[FittedUniverse], claims: Sequence[ClaimRow]
) -> tuple[Universe, ...]:
    """Describe every universe: its choices, its fit, and how many verdicts it flips."""
    return tuple(
        _universe_facts(each, [claim.answers[k] for claim in claims], universes[0].passed)
        for k, each in enumerate(universes)
    )


def _universe_facts(
    universe: FittedUniverse, answers: Sequence[Answer], base_passed: bool
) -> Universe:
    fit, results = universe.plan.fit, universe.results
    if results is None:
        message = universe.message
    else:
        failed = [item for item in results.gate.items if not item.passed]
        message = "; ".join(
            f"{item.name}: {item.found}, {item.threshold} asked for" for item in failed
        )
    return Universe(
        name=universe.plan.name,
        choices=tuple(choice.record for choice in universe.plan.choices),
        status="not_fitted" if results is None else "passed" if universe.passed else "unchecked",
        message=message,
        same_as=universe.same_as,
        key=fit and fit.key,
        run=fit.place if fit else "",
        rows=fit and fit.rows,
        firms=fit and fit.firms,
        rhat=None if results is None else _largest_rhat(results),
        divergences=None if results is None else results.fit.divergences,
        flips=sum(answer.flip for answer in answers),
        compared=sum(answer.status == "asked" for answer in answers) if base_passed else 0,
    )


def _largest_rhat(results: Results) -> float | None:
    estimates = [figure.estimate for verdict in results.verdicts for figure in verdict.figures]
    estimates += [row.estimate for row in _average_effects(results)]
    values = [each.rhat for each in estimates if each.rhat is not None]
    return max(values, default=None)


def _average_effects(results: Results) -> list[EffectRow]:
    """Average marginal effects over all firms as observed."""
    wanted = ("all", "average_marginal_effect", "observed")
    return [row for row in results.effects if (row.by, row.measure, row.scope) == wanted]


def effect_points(universes: Sequence[FittedUniverse]) -> tuple[EffectPoint, ...]:
    """Effects of both capitals over all firms, of the universes that passed their checks."""
    return tuple(
        EffectPoint(
            universe=each.plan.name,
            capital=row.capital,
            scale=f"{each.results.outcome.label}, {words.step(each.results, row.capital)}",
            unit=words.unit(each.results.outcome).name,
            factor=words.unit(each.results.outcome).factor,
            rows=row.rows,
            estimate=row.estimate,
            positive=row.positive,
        )
        for each in universes
        if each.results is not None and each.passed
        for row in _average_effects(each.results)
    )


def choice_rows(universes: Sequence[Universe], claims: Sequence[ClaimRow]) -> tuple[ChoiceRow, ...]:
    """Count what flips with each choice, over all universes that make it."""
    choices = {
        (choice.dimension, choice.name): choice for each in universes for choice in each.choices
    }
    return tuple(_choice_row(choice, universes, claims) for choice in choices.values())


TURNS: Final = ({"supported", "rejected"}, {"supported", "negligible"})
"""Verdicts that say the opposite of each other."""


def _choice_row(
    choice: Choice, universes: Sequence[Universe], claims: Sequence[ClaimRow]
) -> ChoiceRow:
    places = [k for k, each in enumerate(universes) if choice in each.choices]
    flips = [
        (claim, claim.answers[k].verdict)
        for claim in claims
        for k in places
        if claim.answers[k].flip
    ]
    names = [
        claim.title if claim.by == "all" else f"{claim.title} ({claim.group})" for claim, _ in flips
    ]
    return ChoiceRow(
        choice=choice,
        universes=len(places),
        passed=sum(universes[k].status == "passed" for k in places),
        compared=sum(universes[k].compared for k in places),
        flips=len(flips),
        turned=sum({claim.answers[0].verdict, there} in TURNS for claim, there in flips),
        claims=tuple(dict.fromkeys(names)),
    )


def notes_of(results: Multiverse) -> Iterator[str]:
    """Say what a multiverse is, what it is not, and what this one lacks."""
    yield WHAT_IT_IS
    yield WHAT_IT_LACKS
    if results.near:
        yield (
            "Every universe has draws of its own, so a probability that lies at its bound can fall on "
            "either side. A flip is called near the bound where one of the two probabilities lies within "
            f"{results.near:g} Monte Carlo standard errors of it."
        )
    if not results.declared:
        yield DEFAULT_SET
    for status, what in (
        ("unchecked", "did not pass the checks: their verdicts are neither shown nor counted"),
        ("not_fitted", "could not be fitted"),
    ):
        names = [each.name for each in results.universes if each.status == status]
        if names:
            yield f"{len(names)} of {len(results.universes)} universes {what} ({'; '.join(names)})."
    unchecked = any(each.status == "unchecked" for each in results.universes)
    if unchecked and not results.sampler.as_declared:
        yield FEWER_DRAWS
