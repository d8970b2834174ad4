"""Claims and effects of every universe side by side: which choice flips which verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from bayescluster.checks.thresholds import FLIP_ERRORS
from bayescluster.report import words
from bayescluster.results import multiverse as found
from bayescluster.results.model import EffectRow, Results, Verdict
from bayescluster.workflow.multiverse.alternatives import Alternative
from bayescluster.workflow.multiverse.plan import Universe
from bayescluster.workflow.multiverse.words import claim_words

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
