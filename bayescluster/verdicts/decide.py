"""From a claim and the evidence to a verdict.

A verdict is supported, rejected or undecided by the posterior probability of its declared region.
It is undecided, whatever the probability, where the diagnostics gate failed, where too few firms are
near a corner that the claim rests on, or where the answer depends on the likelihood.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.values import label_of
from bayescluster.estimands.levels import CORNERS, default_levels, levels_of
from bayescluster.estimands.summary import estimates, number, probability_error
from bayescluster.results.model import By, Verdict, VerdictFigure
from bayescluster.spec.base import Scalar
from bayescluster.spec.hypotheses import Difference, Effect, Hypothesis
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import (
    CAPITAL_WORDS,
    CORNER_WORDS,
    RESTS_ON,
    CornerClaim,
    corner_of,
    quantity_of,
    reason_of,
    region_of,
    title_of,
)

ROUNDING = 1e-12
"""1 - 0.8 is a little less than 0.2 in binary; a probability of 0.2 is at the bound all the same."""
PRIOR_DRAWS_MIN = 20
"""Fewest prior draws inside and outside a region from which its prior odds are reported."""
GATE_FAILED = "The diagnostics gate failed: the probability cannot be relied on."
Decision = Literal["supported", "rejected", "undecided"]


class Event(NamedTuple):
    """One event for one group, ``(draw,)`` each, with what it rests on."""

    group: str
    posterior: NDArray[np.bool_]
    prior: NDArray[np.bool_]
    words: str
    figures: tuple[VerdictFigure, ...]
    unsupported: str = ""


def verdicts(
    claims: tuple[Hypothesis, ...], evidence: Evidence, gate_passed: bool
) -> tuple[Verdict, ...]:
    """Judge every claim for every group that it names."""
    return tuple(
        judged(claim, event, evidence, gate_passed)
        for claim in claims
        for event in events(claim, evidence)
    )


def judged(claim: Hypothesis, event: Event, evidence: Evidence, gate_passed: bool) -> Verdict:
    """Decide on a claim by its event in one group; undecided where the gate failed."""
    probability = float(event.posterior.mean())
    prior = float(event.prior.mean())
    depends = evidence.stopped.get(claim.kind, "")
    stopped = event.unsupported or depends if gate_passed else GATE_FAILED
    decision, reason = decide(probability, claim.level, stopped)
    by: By = "industry" if isinstance(claim, Difference) else claim.by
    level: Scalar | None = getattr(claim, "at_least", None)
    return Verdict(
        kind=claim.kind,
        capital=getattr(claim, "capital", None),
        by=by,
        group=event.group,
        scope=claim.scope,
        title=title_of(claim),
        region=event.words,
        verdict=decision,
        reason=reason,
        probability=probability,
        mcse=probability_error(event.posterior, evidence.posterior.chains),
        prior_probability=prior,
        odds_ratio=odds_ratio(probability, prior, event.prior.size),
        level=claim.level,
        figures=event.figures,
        unsupported=event.unsupported,
        stopped=stopped,
        at_least=None if level is None else label_of(level),
        depends=depends,
    )


def decide(probability: float, level: float, stopped: str) -> tuple[Decision, str]:
    """Decide by a probability, unless something stops it; and why."""
    decision: Decision = "undecided"
    if stopped:
        return decision, stopped
    if probability >= level:
        decision = "supported"
    elif probability <= 1 - level + ROUNDING:
        decision = "rejected"
    return decision, reason_of(decision, probability, level)


def odds_ratio(posterior: float, prior: float, draws: int) -> float | None:
    """Posterior odds over prior odds; None where the prior draws are too few to know the prior odds."""
    few = round(min(prior, 1 - prior) * draws) < PRIOR_DRAWS_MIN
    if few or not 0 < posterior < 1:
        return None
    return number(posterior / (1 - posterior) / (prior / (1 - prior)))


def events(claim: Hypothesis, evidence: Evidence) -> Iterator[Event]:
    """The event of a claim for every group that it names, draw by draw, before any verdict."""
    match claim:
        case Effect():
            return _effect(claim, evidence)
        case Difference():
            return _difference(claim, evidence)
        case _:
            return _corner(claim, evidence)


def _effect(claim: Effect, evidence: Evidence) -> Iterator[Event]:
    posterior, prior = _effects(claim.capital, claim.measure, claim, evidence)
    sign = 1.0 if claim.direction == "positive" else -1.0
    beyond = f"above {claim.margin:g}" if sign > 0 else f"below {-claim.margin:g}"
    what = {
        "average_marginal_effect": "average marginal effect",
        "contrast": "change from low to high",
    }[claim.measure]
    title = f"{what} of {CAPITAL_WORDS[claim.capital]}"
    for column, label in evidence.columns(claim.by):
        figure = _figure(title, posterior[:, column], evidence)
        yield Event(
            label,
            sign * posterior[:, column] > claim.margin,
            sign * prior[:, column] > claim.margin,
            f"{what} {beyond}",
            (figure,),
        )


def _difference(claim: Difference, evidence: Evidence) -> Iterator[Event]:
    posterior, prior = _effects(claim.capital, "average_marginal_effect", claim, evidence)
    column = {label: k for k, label in evidence.columns("industry")}
    pairs = [claim.between] if claim.between else list(combinations(column, 2))
    for first, second in pairs:
        less = posterior[:, column[first]] - posterior[:, column[second]]
        less_prior = prior[:, column[first]] - prior[:, column[second]]
        yield Event(
            f"{first} over {second}",
            less > claim.margin,
            less_prior > claim.margin,
            f"average marginal effect in {first} less that in {second} above {claim.margin:g}",
            (_figure(f"effect in {first} less effect in {second}", less, evidence),),
        )


def _effects(
    capital: str, measure: str, claim: Effect | Difference, evidence: Evidence
) -> tuple[Array, Array]:
    levels = default_levels(evidence.design)
    name = "marginal" if measure == "average_marginal_effect" else "contrast"
    posterior, prior = (
        getattr(evidence.surface(claim.scope, levels, source), name)[capital]
        for source in ("posterior", "prior")
    )
    return posterior, prior


def _corner(claim: CornerClaim, evidence: Evidence) -> Iterator[Event]:
    levels = levels_of(evidence.design, claim)
    quantity = quantity_of(evidence.design, claim.at_least)
    surface, before = (
        evidence.surface(claim.scope, levels, source, claim.at_least)
        for source in ("posterior", "prior")
    )
    region, prior = (region_of(claim, found.corners, quantity) for found in (surface, before))
    near = dict(zip(CORNERS, evidence.support(levels), strict=True))
    capital: str | None = getattr(claim, "capital", None)
    needed = [corner_of(place, capital) for place in RESTS_ON[claim.kind]]
    for column, label in evidence.columns(claim.by):
        figures = tuple(
            _figure(
                f"{quantity.rstrip(',')}, {CORNER_WORDS[corner]}",
                surface.corners[corner][:, column],
                evidence,
                int(near[corner][column]),
            )
            for corner in needed
        )
        if claim.kind == "complementarity":
            cross = surface.cross_difference[:, column]
            figures = (_figure("cross difference", cross, evidence), *figures)
        thin = [c for c in needed if near[c][column] < claim.min_support]
        unsupported = (
            f"Fewer than {claim.min_support} firms stand near the corner with {CORNER_WORDS[thin[0]]} "
            f"({int(near[thin[0]][column])}): the claim would rest on extrapolation."
            if thin
            else _behind_gates(claim, needed, evidence, column)
        )
        yield Event(
            label,
            region.event[:, column],
            prior.event[:, column],
            f"{region.words} ({levels.declared})",
            figures,
            unsupported,
        )


def _behind_gates(
    claim: CornerClaim, needed: Sequence[str], evidence: Evidence, column: int
) -> str:
    """Say which corner of a form with gates has too few firms behind it; nothing for other forms."""
    behind = evidence.behind_gates
    for corner in needed if behind else ():
        firms = float(behind[corner][:, column].mean())
        if firms < claim.min_support:
            return (
                f"The gates put {firms:.1f} firms behind the corner with {CORNER_WORDS[corner]}, "
                f"fewer than {claim.min_support}: the claim would rest on its prior."
            )
    return ""


def _figure(label: str, draws: Array, evidence: Evidence, near: int | None = None) -> VerdictFigure:
    (found,) = estimates(draws[:, None], evidence.posterior.chains)
    return VerdictFigure(label=label, estimate=found, support=near)
