"""From posterior draws of the corners to verdicts on probabilities of causation.

A claim is supported where the bounds lie wholly in its region with enough posterior probability, and
rejected where they hardly reach it at all. Between the two nothing is decided, however many firms
there are: that part of the doubt is not of chance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.estimands.summary import estimates, number
from bayescluster.hypotheses.causes.contrasts import (
    Place,
    corner_draws,
    corners_of,
    fewest_near,
    place_of,
    unsupported,
)
from bayescluster.hypotheses.causes.probabilities import Bounds
from bayescluster.hypotheses.causes.questions import Corner, Deciding, Question, question_of
from bayescluster.hypotheses.causes.sensitivity import (
    WEAK,
    e_value,
    factor_to_reach,
    factor_to_undo,
    over_grid,
)
from bayescluster.hypotheses.claims import CLAIMS, groups_asked
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.verdicts import GATE_FAILED, ROUNDING, Decision
from bayescluster.hypotheses.words import percent
from bayescluster.results.causes import CauseBounds, CauseVerdict, Overturning
from bayescluster.results.claims import ClaimName, Flag, Reading
from bayescluster.spec.causes import Causes
from bayescluster.spec.hypotheses import By

AT_CORNERS: Final[tuple[ClaimName, ...]] = ("N-H", "N-S", "I-H", "I-S", "J", "C")


class Shares(NamedTuple):
    """Posterior probability that the bounds lie wholly, and at least partly, in a region."""

    sure: float
    possible: float


def why_silent(design: Design) -> str:
    """Why this tradition says nothing of the analysis; nothing where it speaks."""
    if not is_bounded(design.equation):
        return (
            "Probabilities of causation need an outcome that comes or does not: the expected outcome "
            f"of family {design.family.name} is no probability. Ask for one with `at_least`."
        )
    return ""


def cause_verdicts(evidence: Evidence, gate_passed: bool) -> Iterator[CauseVerdict]:
    """Judge every claim about corners for every group that has a row."""
    design = evidence.design
    asked = design.analysis.traditions.causes
    for name in AT_CORNERS if not why_silent(design) else ():
        question = question_of(name, asked)
        for by in groups_asked(design):
            place = place_of(design, name, by)
            corners = {
                source: corner_draws(evidence, place, source) for source in ("posterior", "prior")
            }
            for column, label in evidence.columns(by):
                one = _One(name, by, label, column, place)
                yield _verdict(one, question, corners, evidence, gate_passed)


class _One(NamedTuple):
    """A claim for one group."""

    name: ClaimName
    by: By
    label: str
    column: int
    place: Place


class _Judged(NamedTuple):
    """What is decided by the bounds, by the point that monotonicity gives, and what explains it."""

    shares: Shares
    prior: Shares
    decision: Decision
    reason: str
    pointed: Decision | None
    beyond: Overturning | None
    flags: tuple[Flag, ...]


def _judged(
    one: _One,
    question: Question,
    corners: dict[str, Corner],
    evidence: Evidence,
    gate_passed: bool,
) -> _Judged:
    traditions = evidence.design.analysis.traditions
    asked, level = traditions.causes, traditions.level
    at, before = (_column(corners[source], one.column) for source in ("posterior", "prior"))
    monotone = asked.monotone is True
    deciding = question.deciding(at, monotone)
    shares, prior = shares_of(deciding), shares_of(question.deciding(before, monotone))
    thin = unsupported(evidence, one.place, corners_of(one.name), one.column)
    stopped = thin if gate_passed else GATE_FAILED
    decision, reason = decide_bounds(shares, level, stopped)
    pointed = (
        decide_bounds(shares_of(question.deciding(at, True)), level, stopped)[0]
        if asked.monotone == "both"
        else None
    )
    beyond = (
        None if monotone and one.name == "C" else overturning(question, deciding, decision, level)
    )
    flags = judged_flags(decision, pointed, beyond, prior, level) + (("thin",) if thin else ())
    return _Judged(shares, prior, decision, reason, pointed, beyond, flags)


def _verdict(
    one: _One,
    question: Question,
    corners: dict[str, Corner],
    evidence: Evidence,
    gate_passed: bool,
) -> CauseVerdict:
    judged = _judged(one, question, corners, evidence, gate_passed)
    at = _column(corners["posterior"], one.column)
    asked = evidence.design.analysis.traditions.causes
    near = fewest_near(evidence, one.place, corners_of(one.name), one.column)
    return CauseVerdict(
        claim=one.name,
        title=CLAIMS[one.name],
        by=one.by,
        group=one.label,
        quantity=question.quantity,
        bounds=_bounds(question, at, asked, evidence.posterior.chains),
        region=f"{question.region} ({one.place.levels.declared})",
        probability=judged.shares.sure,
        possible=judged.shares.possible,
        prior_probability=judged.prior.sure,
        verdict=judged.decision,
        reason=judged.reason,
        with_monotonicity=judged.pointed,
        flags=judged.flags,
        support=near,
        behind=f"at least {near} firms near each corner it rests on",
        overturning=judged.beyond,
    )


def _column(corners: Corner, column: int) -> Corner:
    return {name: values[:, column] for name, values in corners.items()}


def shares_of(deciding: Deciding) -> Shares:
    """How much of the posterior lies wholly, and at least partly, in the region."""
    sure = deciding.sure <= deciding.sure_limit
    # bounds that lie wholly in the region lie partly in it, whatever the last digits
    possible = sure | (deciding.possible <= deciding.possible_limit)
    return Shares(float(sure.mean()), float(possible.mean()))


def decide_bounds(shares: Shares, level: float, stopped: str) -> tuple[Decision, str]:
    """Decide by how much of the posterior has its bounds in a region, unless something stops it."""
    if stopped:
        return "undecided", stopped
    sure, possible = percent(shares.sure), percent(shares.possible)
    if shares.sure >= level:
        return "supported", f"{sure} of the posterior has its bounds wholly in the region."
    if shares.possible <= 1 - level + ROUNDING:
        return "rejected", f"{possible} of the posterior has bounds that reach the region."
    if shares.sure == shares.possible:
        return "undecided", f"{sure} of the posterior lies in the region: the data do not decide."
    partly = f"{possible[:1].lower()}{possible[1:]} at least partly: the bounds do not decide."
    return "undecided", f"{sure} of the posterior has its bounds wholly in the region, {partly}"


def judged_flags(
    decision: Decision,
    pointed: Decision | None,
    beyond: Overturning | None,
    prior: Shares,
    level: float,
) -> tuple[Flag, ...]:
    """What explains a verdict, or its lack: bounds, a weak confounder, the prior."""
    flags: list[Flag] = []
    if decision == "undecided" and pointed not in (None, "undecided"):
        flags.append("bounds_only")
    if beyond is not None and beyond.verdict is not None and beyond.verdict < WEAK:
        flags.append("confounding")
    if decision != "undecided" and decide_bounds(prior, level, "")[0] == decision:
        flags.append("prior_decides")
    return tuple(flags)


def _bounds(question: Question, at: Corner, asked: Causes, chains: int) -> CauseBounds:
    found = question.bounds(at)
    more = question.monotonic(at)
    # with synergy monotonicity gives bounds as well: what stands for a point is their lower end
    point = None if asked.monotone is False else more.lower
    return summed(more if asked.monotone is True else found, point, chains)


def summed(bounds: Bounds, point: Array | None, chains: int) -> CauseBounds:
    """Estimates of bounds, ``(draw,)`` each."""
    columns = [bounds.lower, bounds.upper, *(() if point is None else (point,))]
    lower, upper, *rest = estimates(np.column_stack(columns), chains)
    return CauseBounds(lower=lower, upper=upper, point=rest[0] if rest else None)


def overturning(
    question: Question, deciding: Deciding, decision: Decision, level: float
) -> Overturning:
    """What confounding would overturn a verdict, and bring the median to its threshold."""
    against = decision != "rejected"
    values, limit = (
        (deciding.sure, deciding.sure_limit)
        if against
        else (deciding.possible, deciding.possible_limit)
    )
    middle = float(np.median(deciding.sure))
    factor = {"supported": factor_to_undo, "rejected": factor_to_reach}.get(decision)
    strength = None if factor is None else e_value(max(factor(values, limit, level), 1.0))
    return Overturning(
        threshold=number(e_value(deciding.sure_limit / middle if middle else np.inf)),
        inside=middle <= deciding.sure_limit,
        verdict=None if strength is None else number(strength),
        words=_sentence(question, decision, strength),
        probabilities=over_grid(values, limit, against=against),
        against=against,
    )


def _sentence(question: Question, decision: Decision, strength: float | None) -> str:
    if strength is None:
        return "The verdict is undecided: there is nothing to overturn."
    if np.isinf(strength):
        return "No confounder, however strong, would change the verdict."
    outcome, sides = (
        (question.outcome, question.sides)
        if decision == "supported"
        else ("the outcome, or its absence,", "on one side of what is compared as on the other")
    )
    return (
        f"Undecided, no longer {decision}, once a confounder left out makes {outcome} "
        f"{strength:.2f} times as likely and is as many times as frequent {sides}, given the controls."
    )


def causal_readings(verdicts: Iterable[CauseVerdict]) -> Iterator[Reading]:
    """Verdicts as readings of the claims table."""
    for one in verdicts:
        side = one.bounds.upper if one.claim.startswith("I") else one.bounds.lower
        end = "upper" if one.claim.startswith("I") else "lower"
        yield Reading(
            tradition="causes",
            claim=one.claim,
            by=one.by,
            group=one.group,
            quantity=f"{end} bound of {one.quantity}",
            estimate=side,
            region=one.region,
            probability=one.probability,
            prior_probability=one.prior_probability,
            verdict=one.verdict,
            reason=one.reason,
            behind=one.behind,
            flags=one.flags,
        )
