"""A sweep: the analysis refitted under alternatives, and which choice flips which verdict.

Each universe is an ordinary analysis in a run directory of its own, found again by its key: what is
fitted is not fitted again, and a sweep that was stopped goes on with the chains it lacks.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from bayescluster.app.prepare import Asked
from bayescluster.app.run import OfForm, fit_question
from bayescluster.checks.thresholds import FLIP_ERRORS
from bayescluster.errors import FitError, Problem
from bayescluster.inference.nuts import available_cores
from bayescluster.inference.watch import CountingWatch, Silent, Watch
from bayescluster.kit import words
from bayescluster.results.base import INTERVAL
from bayescluster.results.model import EffectRow, Results, Verdict
from bayescluster.runs.files import write_text
from bayescluster.runs.keys import sweep_key
from bayescluster.runs.layout import locked
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import dotted
from bayescluster.studies.multiverse import results as found
from bayescluster.studies.multiverse.plan import (
    FOLDER,
    Alternative,
    Fit,
    Options,
    Plan,
    Universe,
    plan_of,
)
from bayescluster.studies.multiverse.results import MULTIVERSE_VERSION, Answer, Multiverse, Sampler
from bayescluster.studies.multiverse.results import Universe as UniverseResults

NAMED: Final = 3
"""Universes that a sentence names; the others are counted."""
WHAT_IT_IS: Final = (
    "A multiverse shows on which choices a verdict hangs. It is no posterior over choices: nothing says "
    "how plausible each one is, universes share most of their data, and the share of universes that "
    "agree is no probability that a claim is true."
)
WHAT_IT_LACKS: Final = (
    "Only the alternatives listed were tried. A verdict that holds in all of them can still hang on a "
    "choice that nobody listed."
)
FEWER_DRAWS: Final = (
    "The draws here are not those of the analysis, and a check that failed may ask for no more than "
    "them: leave out --draws, --tune and --chains."
)
NO_BASE: Final = "The analysis as it is did not pass its checks: no verdict to compare with."


def claim_words(answers: Sequence[Answer]) -> str:
    """Say in how many universes the verdict of the analysis as it is holds, and where it flips.

    Parameters
    ----------
    answers
        What each universe says, the analysis as it is first.
    """
    base = answers[0]
    if base.status != "asked" or base.verdict is None:
        return NO_BASE
    asked = [one for one in answers if one.status == "asked"]
    same = sum(one.verdict == base.verdict for one in asked)
    told = [f"{base.verdict.capitalize()} in {_of(same, len(asked))}"]
    for verdict in ("supported", "undecided", "rejected"):
        there = [one for one in asked if one.flip and one.verdict == verdict]
        if there:
            told.append(f"flips to {verdict} when {_universes(there)}")
    for status, phrase in (
        ("not_asked", "not asked in {}"),
        ("unchecked", "{} did not pass the checks"),
        ("not_fitted", "{} could not be fitted"),
    ):
        many = sum(one.status == status for one in answers)
        if many:
            told.append(phrase.format(many))
    return "; ".join(told) + "."


def _of(same: int, asked: int) -> str:
    if asked == 1:
        return "the only universe that tells"
    return f"all {asked} universes that tell" if same == asked else f"{same} of {asked}"


def _universes(answers: Sequence[Answer]) -> str:
    named = [f"{one.universe}{_aside(one)}" for one in answers[:NAMED]]
    more = len(answers) - len(named)
    listed = "; or ".join(named) if any(", " in one for one in named) else ", ".join(named)
    return f"{listed} and {more} more" if more else listed


def _aside(answer: Answer) -> str:
    if answer.stopped:
        return " (whatever the probability)"
    return " (near the bound)" if answer.near else ""


def notes(found: Multiverse) -> tuple[str, ...]:
    """Say what a multiverse is, what it is not, and what this one lacks."""
    told = [WHAT_IT_IS, WHAT_IT_LACKS]
    if found.near:
        told.append(
            "Every universe has draws of its own, so a probability that lies at its bound can fall on "
            f"either side. A flip is called near the bound where one of the two probabilities lies within "
            f"{found.near:g} Monte Carlo standard errors of it."
        )
    if not found.declared:
        told.append(
            "The analysis declares no alternatives: these are a set by default. Those that matter for a "
            "question are better declared, under `multiverse:`."
        )
    told += [f"{words}." for words in _lacking(found.universes)]
    few = any(one.status == "unchecked" for one in found.universes)
    if few and not found.sampler.as_declared:
        told.append(FEWER_DRAWS)
    return tuple(told)


def _lacking(universes: Sequence[UniverseResults]) -> list[str]:
    told = []
    for status, phrase in (
        ("unchecked", "did not pass the checks: no verdict of theirs is shown, nor counted"),
        ("not_fitted", "could not be fitted"),
    ):
        names = [one.name for one in universes if one.status == status]
        if names:
            told.append(f"{len(names)} of {len(universes)} universes {phrase} ({'; '.join(names)})")
    return told


ClaimKey = tuple[str | None, ...]
"""What makes a claim the same in two universes: kind, capital, groups, scope and levels."""


class Told(NamedTuple):
    """A universe, and what its fit says or why there is none."""

    universe: Universe
    results: Results | None
    message: str = ""
    same_as: str = ""

    @property
    def passed(self) -> bool:
        """Whether it was fitted and passed its checks."""
        return self.results is not None and self.results.gate.passed


def claim_rows(told: Sequence[Told]) -> tuple[found.ClaimRow, ...]:
    """Set every claim of the analysis as it is beside what the other universes say of it.

    Claims are matched by kind, capital, groups, scope and levels, and among those that share all of
    it by their declared region, else by their order. Parameters: ``told`` has the base first.
    """
    base = told[0].results
    if base is None:
        return ()
    matched = [_matched(base.verdicts, one.results) for one in told]
    return tuple(_row(verdict, k, told, matched) for k, verdict in enumerate(base.verdicts))


def _matched(base: Sequence[Verdict], results: Results | None) -> list[Verdict | None]:
    """Give the verdict of another universe on each claim of the base; nothing where it has none."""
    theirs = _by_key(results.verdicts if results is not None else ())
    own = _by_key(base)
    places = {id(verdict): k for k, verdict in enumerate(base)}
    matched: list[Verdict | None] = [None] * len(base)
    for key, claims in own.items():
        others = theirs.get(key, [])
        for order, claim in enumerate(claims):
            same = [other for other in others if other.region == claim.region]
            if len(claims) > 1 and len(same) == 1:
                chosen: Verdict | None = same[0]
            else:
                chosen = others[order] if len(others) == len(claims) else None
            matched[places[id(claim)]] = chosen
    return matched


def _by_key(verdicts: Sequence[Verdict]) -> dict[ClaimKey, list[Verdict]]:
    grouped: dict[ClaimKey, list[Verdict]] = {}
    for one in verdicts:
        key = (one.kind, one.capital, one.by, one.group, one.scope, one.at_least, f"{one.level:g}")
        grouped.setdefault(key, []).append(one)
    return grouped


def _row(
    verdict: Verdict, place: int, told: Sequence[Told], matched: Sequence[list[Verdict | None]]
) -> found.ClaimRow:
    base_passed = told[0].passed
    answers = tuple(
        _answer(one, there[place], verdict if base_passed else None)
        for one, there in zip(told, matched, strict=True)
    )
    asked = [one for one in answers if one.status == "asked"]
    probabilities = [one.probability for one in asked if one.probability is not None]
    counts = {
        name: sum(one.verdict == name for one in asked)
        for name in ("supported", "rejected", "undecided")
    }
    return found.ClaimRow(
        **{
            name: getattr(verdict, name)
            for name in (
                *("kind", "capital", "by", "group", "scope", "at_least"),
                *("title", "level", "region"),
            )
        },
        answers=answers,
        **counts,
        flips=sum(one.flip for one in answers),
        lowest=min(probabilities, default=None),
        highest=max(probabilities, default=None),
        words=claim_words(answers),
    )


def _answer(told: Told, verdict: Verdict | None, base: Verdict | None) -> found.Answer:
    name = told.universe.name
    if told.results is None:
        return found.Answer(universe=name, status="not_fitted")
    if verdict is None:
        return found.Answer(universe=name, status="not_asked")
    if not told.passed:
        return found.Answer(universe=name, status="unchecked", region=verdict.region)
    flip = base is not None and verdict.verdict != base.verdict
    return found.Answer(
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
        near=flip and base is not None and (_near(verdict, base) or _near(base, verdict)),
    )


def _near(one: Verdict, other: Verdict) -> bool:
    """Whether Monte Carlo error alone could bring a verdict's probability over its bound.

    A verdict that something else stops is not decided by its probability.
    """
    if one.stopped or other.stopped:
        return False
    bounds = (one.level, 1 - one.level)
    return min(abs(one.probability - bound) for bound in bounds) < FLIP_ERRORS * one.mcse


def universe_facts(
    told: Sequence[Told], claims: Sequence[found.ClaimRow]
) -> tuple[found.Universe, ...]:
    """Describe every universe: its choices, its fit, and how many verdicts it flips."""
    return tuple(
        _facts(one, [claim.answers[k] for claim in claims], told[0].passed)
        for k, one in enumerate(told)
    )


def _facts(told: Told, answers: Sequence[found.Answer], base_passed: bool) -> found.Universe:
    universe, results = told.universe, told.results
    fit = universe.fit
    compared = sum(answer.status == "asked" for answer in answers) if base_passed else 0
    return found.Universe(
        name=universe.name,
        choices=tuple(map(choice_of, universe.choices)),
        status="not_fitted" if results is None else "passed" if told.passed else "unchecked",
        message=told.message if results is None else _gate_words(results),
        same_as=told.same_as,
        key=fit.key if fit is not None else None,
        run=fit.place if fit is not None else "",
        rows=fit.rows if fit is not None else None,
        firms=fit.firms if fit is not None else None,
        rhat=None if results is None else _rhat(results),
        divergences=None if results is None else results.fit.divergences,
        flips=sum(answer.flip for answer in answers),
        compared=compared,
    )


def choice_of(choice: Alternative) -> found.Choice:
    """Write a choice down."""
    return found.Choice(dimension=choice.dimension, name=choice.name, words=choice.words)


def _gate_words(results: Results) -> str:
    failed = [item for item in results.gate.items if not item.passed]
    return "; ".join(f"{item.name}: {item.found}, {item.threshold} asked for" for item in failed)


def _rhat(results: Results) -> float | None:
    estimates = [figure.estimate for one in results.verdicts for figure in one.figures]
    estimates += [row.estimate for row in _overall(results)]
    known = [one.rhat for one in estimates if one.rhat is not None]
    return max(known, default=None)


def effect_points(told: Sequence[Told]) -> tuple[found.EffectPoint, ...]:
    """Effects of both capitals over all firms, of the universes that passed their checks."""
    return tuple(
        _point(one.universe.name, row, one.results)
        for one in told
        if one.results is not None and one.passed
        for row in _overall(one.results)
    )


def _point(universe: str, row: EffectRow, results: Results) -> found.EffectPoint:
    kind = words.unit(results.outcome)
    return found.EffectPoint(
        universe=universe,
        capital=row.capital,
        scale=f"{results.outcome.label}, {words.step(results, row.capital)}",
        unit=kind.name,
        factor=kind.factor,
        rows=row.rows,
        estimate=row.estimate,
        positive=row.positive,
    )


def _overall(results: Results) -> Iterator[EffectRow]:
    for row in results.effects:
        if (row.by, row.measure, row.scope) == ("all", "average_marginal_effect", "observed"):
            yield row


def choice_rows(
    universes: Sequence[found.Universe], claims: Sequence[found.ClaimRow]
) -> tuple[found.ChoiceRow, ...]:
    """Count what flips with each choice, over all universes that make it."""
    named: dict[tuple[str, str], found.Choice] = {
        (choice.dimension, choice.name): choice for one in universes for choice in one.choices
    }
    return tuple(_choice_row(choice, universes, claims) for choice in named.values())


def _choice_row(
    choice: found.Choice,
    universes: Sequence[found.Universe],
    claims: Sequence[found.ClaimRow],
) -> found.ChoiceRow:
    places = [k for k, one in enumerate(universes) if choice in one.choices]
    flips = [
        (claim, claim.answers[0], claim.answers[k])
        for claim in claims
        for k in places
        if claim.answers[k].flip
    ]
    turned = [pair for pair in flips if "undecided" not in (pair[1].verdict, pair[2].verdict)]
    names = [claim_name(claim) for claim, _, _ in flips]
    return found.ChoiceRow(
        choice=choice,
        universes=len(places),
        passed=sum(universes[k].status == "passed" for k in places),
        compared=sum(universes[k].compared for k in places),
        flips=len(flips),
        turned=len(turned),
        claims=tuple(dict.fromkeys(names)),
    )


def claim_name(claim: found.ClaimRow) -> str:
    """Name a claim and its group."""
    return claim.title if claim.by == "all" else f"{claim.title} ({claim.group})"


def same_fits(universes: Sequence[Universe]) -> Mapping[str, str]:
    """Name the earlier universe of the same fit, by the name of the later one."""
    keyed = [(one.fit.key, one.name) for one in universes if one.fit is not None]
    ordered = sorted(enumerate(keyed), key=lambda pair: (pair[1][0], pair[0]))
    same: dict[str, str] = {}
    for _, group in groupby(ordered, key=lambda pair: pair[1][0]):
        first, *later = [name for _, (_, name) in group]
        same |= dict.fromkeys(later, first)
    return same


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
    from bayescluster.studies.multiverse.view import csv_text, effects_csv_text, page_text

    write_text(directory / "sweep.json", results.model_dump_json(indent=2) + "\n")
    write_text(directory / "sweep.csv", csv_text(results))
    write_text(directory / "sweep-effects.csv", effects_csv_text(results))
    write_text(directory / "sweep.html", page_text(results))
