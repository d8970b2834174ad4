"""Verdicts first: every claim, for every group it was put to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from bayescluster.report import words
from bayescluster.report.environment import filled
from bayescluster.report.sections.record import Section
from bayescluster.results.model import (
    Results,
    Verdict,
    VerdictFigure,
)
from bayescluster.results.sample import OutcomeFacts

MOST_CARDS = 6
"""Claims put to more groups than this are shown as rows rather than cards."""


class Card(NamedTuple):
    """A verdict with its anchor and its texts."""

    anchor: str
    group: str
    verdict: Verdict
    figures: tuple[tuple[str, str, str], ...]
    """Label, estimate, and how many firms stand near."""


class Claim(NamedTuple):
    """A claim and its verdicts, one a group; ``region`` is set where all groups share it."""

    anchor: str
    title: str
    scope: str
    level: str
    region: str
    cards: tuple[Card, ...]

    @property
    def as_rows(self) -> bool:
        """Whether there are too many verdicts for cards."""
        return len(self.cards) > MOST_CARDS


class Matrix(NamedTuple):
    """Claims put to the same groups; ``across`` where the groups are few enough for columns."""

    groups: tuple[str, ...]
    claims: tuple[Claim, ...]

    @property
    def across(self) -> bool:
        """Whether groups stand in columns."""
        return len(self.groups) <= MOST_CARDS


def body(results: Results) -> Markup:
    """Matrix of verdicts, then the cards by claim."""
    claims = claims_of(results)
    return filled("verdicts.html.j2", results=results, claims=claims, matrices=matrices_of(claims))


def claims_of(results: Results) -> tuple[Claim, ...]:
    """Verdicts by claim, in the order of the analysis.

    Verdicts stand claim by claim; a claim ends where its words change or a group comes again, so
    that two claims that differ in their region alone stay apart.
    """
    runs: list[list[Verdict]] = []
    for verdict in results.verdicts:
        if runs and _continues(runs[-1], verdict):
            runs[-1].append(verdict)
        else:
            runs.append([verdict])
    return tuple(_claim(k, run, results) for k, run in enumerate(runs, start=1))


def _continues(run: Sequence[Verdict], verdict: Verdict) -> bool:
    first = run[0]
    same = ("kind", "capital", "by", "scope", "title", "level")
    return all(getattr(first, key) == getattr(verdict, key) for key in same) and all(
        verdict.group != other.group for other in run
    )


def _claim(number: int, run: Sequence[Verdict], results: Results) -> Claim:
    anchor = f"claim-{number}"
    first = run[0]
    shared = all(verdict.region == first.region for verdict in run)
    cards = tuple(
        Card(
            f"{anchor}-{k}",
            words.group(verdict.by, verdict.group),
            verdict,
            tuple(_figure(figure, _outcome(verdict, results)) for figure in verdict.figures),
        )
        for k, verdict in enumerate(run, start=1)
    )
    return Claim(
        anchor,
        first.title,
        _scope(first, results),
        words.share(first.level),
        first.region if shared else "",
        cards,
    )


def _scope(verdict: Verdict, results: Results) -> str:
    scope = words.SCOPES.get(verdict.scope, verdict.scope)
    names = words.through(results)
    return f"{scope}; total effects, those through {names} as well" if names else scope


def _outcome(verdict: Verdict, results: Results) -> OutcomeFacts:
    """What the figures of a verdict are of: a claim may ask for the probability of a level."""
    if verdict.at_least is None:
        return results.outcome
    return words.reaching(results.outcome, verdict.at_least)


def _figure(figure: VerdictFigure, outcome: OutcomeFacts) -> tuple[str, str, str]:
    """Write a figure: with firms behind it, it is an expected outcome; without, an effect."""
    if figure.support is None:
        return words.sentence(figure.label)[:-1], words.effect(figure.estimate, outcome), ""
    near = f"{words.firms(figure.support)} near"
    return words.sentence(figure.label)[:-1], words.level(figure.estimate, outcome), near


def matrices_of(claims: Sequence[Claim]) -> tuple[Matrix, ...]:
    """Claims put to the same two or more groups, together."""
    by_groups: dict[tuple[str, ...], list[Claim]] = {}
    for claim in claims:
        groups = tuple(card.group for card in claim.cards)
        by_groups.setdefault(groups, []).append(claim)
    return tuple(
        Matrix(groups, tuple(found))
        for groups, found in by_groups.items()
        if len(groups) > 1 and (len(found) > 1 or len(groups) > MOST_CARDS)
    )


VERDICTS = Section("verdicts", "Verdicts", "Verdicts", body)
