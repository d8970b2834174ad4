"""A multiverse in sentences that say no more than its numbers do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bayescluster.results.multiverse import Answer, Multiverse, Universe

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
    for status, words in (
        ("not_asked", "not asked in {}"),
        ("unchecked", "{} did not pass the checks"),
        ("not_fitted", "{} could not be fitted"),
    ):
        many = sum(one.status == status for one in answers)
        if many:
            told.append(words.format(many))
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


def _lacking(universes: Sequence[Universe]) -> list[str]:
    told = []
    for status, words in (
        ("unchecked", "did not pass the checks: no verdict of theirs is shown, nor counted"),
        ("not_fitted", "could not be fitted"),
    ):
        names = [one.name for one in universes if one.status == status]
        if names:
            told.append(f"{len(names)} of {len(universes)} universes {words} ({'; '.join(names)})")
    return told
