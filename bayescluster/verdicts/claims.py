"""The claims that are read in several ways: their titles, their reading at the corners, a row in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from bayescluster.design.claims import has_default_regions, is_bounded
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import estimates
from bayescluster.estimands.levels import default_levels
from bayescluster.lookup import listed
from bayescluster.names import CAPITALS
from bayescluster.results.claims import ClaimName, Flag, Reading, Tradition
from bayescluster.results.model import Verdict
from bayescluster.spec.hypotheses import (
    By,
    Complementarity,
    Hypothesis,
    JointSufficiency,
    Necessary,
    NecessaryNotSufficient,
    NotSufficient,
)
from bayescluster.verdicts.decide import GATE_FAILED, decide
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CornerClaim

CLAIMS: Final[dict[ClaimName, str]] = {
    "N-H": "Human capital is necessary",
    "N-S": "Social capital is necessary",
    "I-H": "Human capital alone is not sufficient",
    "I-S": "Social capital alone is not sufficient",
    "J": "Both capitals together are sufficient",
    "C": "The capitals are complements",
    "D-H": "Human capital matters more in some industries than in others",
    "D-S": "Social capital matters more in some industries than in others",
}
"""Claims in the order of the table."""

CAPITAL_OF: Final[dict[ClaimName, str]] = {
    "N-H": "human_capital",
    "N-S": "social_capital",
    "I-H": "human_capital",
    "I-S": "social_capital",
    "D-H": "human_capital",
    "D-S": "social_capital",
}
"""The capital a claim is about; claims about both are absent."""


def claim_groups(design: Design) -> tuple[By, ...]:
    """Kinds of groups that have a row in the claims table."""
    declared = design.analysis.traditions.by
    if declared is not None:
        return declared
    return ("all",) if design.analysis.data.industry is None else ("industry",)


NAMES: Final[dict[Tradition, str]] = {
    "corners": "the corners",
    "ceilings": "the ceilings",
    "sets": "the sets",
    "causes": "the probabilities of causation",
}
NECESSITY_ONLY: Final = "A ceiling shows what is needed, not what suffices."
AMOUNTS_ONLY: Final = "No ceiling is read for a yes-or-no outcome: a capital without any effect has a ceiling effect too."
NO_ANCHORS: Final = (
    "Sets give no verdict without declared anchors: quantiles of the sample are no calibration."
)
NO_REGION: Final = "No region is declared for this outcome: state the claim under hypotheses."
NOT_AVAILABLE: Final = "Not available here; see its section for the reason."
SUFFICIENCY: Final[tuple[ClaimName, ...]] = ("I-H", "I-S", "J", "C")
MOST_REASONS: Final = 3
"""More reasons than this for one disagreement would not be read."""


def silence(tradition: Tradition, claim: ClaimName, others: Mapping[Tradition, str]) -> str:
    """Why a tradition has no reading of a claim; ``others`` tells of those that have none at all."""
    if tradition in others:
        return others[tradition]
    if tradition == "ceilings" and claim in SUFFICIENCY:
        return NECESSITY_ONLY
    return NO_REGION if tradition == "corners" else NOT_AVAILABLE


def row_words(readings: Sequence[Reading]) -> str:
    """Say which traditions support, reject and leave open a claim."""
    names: dict[str, list[str]] = {"supported": [], "rejected": [], "undecided": []}
    for reading in readings:
        left_open = reading.verdict not in ("supported", "rejected")
        names["undecided" if left_open else reading.verdict].append(NAMES[reading.tradition])
    supporting, rejecting, undecided = (listed(each) if each else "" for each in names.values())
    others = f"; left open by {undecided}" if undecided else ""
    if supporting and rejecting:
        return (
            f"The readings differ, since they ask different questions: supported by {supporting}, "
            f"rejected by {rejecting}{others}."
        )
    if others and (supporting or rejecting):
        decided = "Supported" if supporting else "Rejected"
        return f"{decided} by {supporting or rejecting}{others}."
    verb = "support" if supporting else "reject" if rejecting else "leave"
    everyone = f"All {len(readings)} traditions that address it"
    if len(readings) == 1:
        name = NAMES[readings[0].tradition]
        everyone = f"{name[0].upper()}{name[1:]}, the only tradition that addresses it,"
    return f"{everyone} {verb} the claim{' open' if verb == 'leave' else ''}."


Condition = Callable[[Mapping[Tradition, Reading]], bool]
"""Whether a reason holds, given the readings by tradition."""


class _Rule(NamedTuple):
    """A reason why traditions disagree: when it holds, and in words."""

    holds: Condition
    words: str


def _flagged(tradition: Tradition, flag: Flag) -> Condition:
    return lambda readings: tradition in readings and flag in readings[tradition].flags


def _anywhere(flag: Flag) -> Condition:
    return lambda readings: any(flag in reading.flags for reading in readings.values())


def _differ(first: Tradition, second: Tradition) -> Condition:
    return lambda readings: (
        {first, second} <= readings.keys() and readings[first].verdict != readings[second].verdict
    )


_WARNINGS: Final = (
    _Rule(
        _anywhere("model_dependent"),
        "The result depends on the likelihood or model: an equally plausible one leads to another",
    ),
    _Rule(
        _flagged("ceilings", "null_as_large"),
        "The ceiling effect is large, but a compensatory model, in which neither capital is needed, "
        "gives one as large: the empty corner does not show necessity",
    ),
    _Rule(
        _flagged("sets", "trivial"),
        "Nearly all firms have the condition, so that it is consistent with anything (low relevance)",
    ),
    _Rule(
        _flagged("sets", "contradictory"),
        "The sets are about as consistent with the absence of upgrading as with upgrading (low PRI)",
    ),
    _Rule(
        _flagged("causes", "confounding"),
        "A weak unmeasured confounder would be enough to overturn the probabilities of causation",
    ),
    _Rule(
        _anywhere("thin"),
        "Too few firms are near where one of them is decided, so that it would rest on extrapolation",
    ),
    _Rule(_anywhere("prior_decides"), "One verdict is what the prior alone would have given"),
)
"""Given wherever they hold, the weightiest first."""

_DIFFERENCES: Final = (
    _Rule(
        _flagged("causes", "bounds_only"),
        "Without monotonicity the probabilities of causation are known up to bounds only, which are "
        "wider than an expected outcome",
    ),
    _Rule(
        _differ("corners", "ceilings"),
        "Corners ask for the expected outcome at the declared levels, ceilings for the best that is "
        "reached at any level",
    ),
    _Rule(
        _differ("corners", "sets"),
        "Corners hold the controls and borrow strength between clusters; sets count memberships as "
        "observed, without controls",
    ),
    _Rule(
        _differ("corners", "causes"),
        "Corners judge the expected outcome itself, probabilities of causation how much of it would be "
        "lost or won",
    ),
)
"""Given only where the verdicts differ."""


def disagreement(readings: Sequence[Reading]) -> str:
    """Say why the traditions differ, or what weakens them; nothing where nothing does."""
    by_tradition = {reading.tradition: reading for reading in readings}
    differ = len({reading.verdict for reading in readings}) > 1
    rules = (*_WARNINGS, *(_DIFFERENCES if differ else ()))
    reasons = [rule.words for rule in rules if rule.holds(by_tradition)]
    return " ".join(f"{reason}." for reason in reasons[:MOST_REASONS])


Judge = Callable[[tuple[Hypothesis, ...]], tuple[Verdict, ...]]
"""Judges claims for all groups that they declare."""

MARGIN: Final = 0.10
"""Default of a difference between industries that counts, for probabilities and shares."""

_KINDS: Final[dict[ClaimName, type[CornerClaim]]] = {
    "N-H": Necessary,
    "N-S": Necessary,
    "I-H": NotSufficient,
    "I-S": NotSufficient,
    "J": JointSufficiency,
    "C": Complementarity,
}
KIND_NAMES: Final[dict[type[CornerClaim], str]] = {
    Necessary: "necessary",
    NotSufficient: "not_sufficient",
    JointSufficiency: "joint_sufficiency",
    Complementarity: "complementarity",
}
_SHARED: Final = ("low", "high", "anchors", "min_support", "scope", "at_least", "assess")


def corner_readings(evidence: Evidence, judge: Judge, gate_passed: bool) -> Iterator[Reading]:
    """Read every claim at the corners, for the groups that ``traditions`` names.

    ``judge`` judges corner claims, of several forms by their average.
    """
    design, level = evidence.design, evidence.design.analysis.traditions.level
    for name, kind in _KINDS.items():
        declared = declared_claim(design, name, kind)
        if declared is None:
            continue
        for by in claim_groups(design):
            everyone = declared.scope == "new_industry" and by != "all"
            scope = "observed" if by == "cluster" or everyone else declared.scope
            claim = declared.model_copy(update={"by": by, "level": level, "scope": scope})
            for verdict in judge((claim,)):
                yield _reading(name, verdict)
    yield from _differences(evidence, gate_passed)


def declared_claim(design: Design, name: ClaimName, kind: type[CornerClaim]) -> CornerClaim | None:
    """The claim as the analysis declares it, or with default regions; nothing without a region."""
    capital = CAPITAL_OF.get(name)
    for claim in design.analysis.hypotheses:
        if getattr(claim, "capital", None) != capital:
            continue
        if isinstance(claim, kind):
            return claim
        part = _part(claim, kind)
        if part is not None:
            return part
    if not has_default_regions(design.equation) and kind.needed:
        return None
    given = {"kind": KIND_NAMES[kind]}
    return kind.model_validate(given | ({"capital": capital} if capital else {}))


def _part(claim: Hypothesis, kind: type[CornerClaim]) -> CornerClaim | None:
    """Half of a claim that a capital is necessary but not sufficient."""
    cutoffs: dict[type[CornerClaim], tuple[str, ...]] = {
        Necessary: ("ratio", "kappa", "eps"),
        NotSufficient: ("theta_not", "delta"),
    }
    own = cutoffs.get(kind)
    if not isinstance(claim, NecessaryNotSufficient) or own is None:
        return None
    values = {name: getattr(claim, name) for name in ("capital", *own, *_SHARED)}
    return kind.model_validate({"kind": KIND_NAMES[kind], **values})


def _reading(name: ClaimName, verdict: Verdict) -> Reading:
    main = verdict.figures[0]
    near = [figure.support for figure in verdict.figures if figure.support is not None]
    flags: list[Flag] = ["thin"] if verdict.unsupported else []
    alone, _ = decide(verdict.prior_probability, verdict.level, "")
    if verdict.verdict == alone != "undecided":
        flags.append("prior_decides")
    if verdict.depends:
        flags.append("model_dependent")
    return Reading(
        tradition="corners",
        claim=name,
        by=verdict.by,
        group=verdict.group,
        quantity=main.label,
        estimate=main.estimate,
        region=verdict.region,
        probability=verdict.probability,
        prior_probability=verdict.prior_probability,
        verdict=verdict.verdict,
        reason=verdict.reason,
        behind=f"at least {min(near):.1f} firms (effective) around each corner it rests on"
        if near
        else "",
        flags=tuple(flags),
    )


def _range_without(evidence: Evidence, capital: str) -> float:
    """Range that the uncertainty of the effects of industries would give if all were equal.

    The spread of each effect around its own mean, put around one mean for all.
    """
    columns = [column for column, _ in evidence.columns("industry")]
    draws = evidence.surface("observed", default_levels(evidence.design)).marginal[capital]
    some = draws[:, columns]
    return float(np.ptp(some - some.mean(axis=0), axis=1).mean())


def _differences(evidence: Evidence, gate_passed: bool) -> Iterator[Reading]:
    """Read whether the effect of a capital differs between industries by more than the margin."""
    design = evidence.design
    margin, level = design.analysis.traditions.margin, design.analysis.traditions.level
    if margin is None and is_bounded(design.equation):
        margin = MARGIN
    columns = [column for column, _ in evidence.columns("industry")]
    if margin is None or len(columns) < 2:
        return
    levels = default_levels(design)
    claims: Sequence[ClaimName] = ("D-H", "D-S")
    for name, capital in zip(claims, CAPITALS, strict=True):
        ranges = [
            np.ptp(
                evidence.surface("observed", levels, source).marginal[capital][:, columns], axis=1
            )
            for source in ("posterior", "prior")
        ]
        probability, prior = (float((values > margin).mean()) for values in ranges)
        decision, reason = decide(probability, level, "" if gate_passed else GATE_FAILED)
        yield Reading(
            tradition="corners",
            claim=name,
            by="all",
            group=evidence.columns("all")[0][1],
            quantity="largest less smallest average marginal effect of the industries",
            estimate=estimates(ranges[0][:, None], evidence.posterior.chains)[0],
            region=f"largest less smallest average marginal effect above {margin:g}",
            probability=probability,
            prior_probability=prior,
            verdict=decision,
            reason=reason,
            behind=(
                f"{len(columns)} industries; if they did not differ, the uncertainty of their effects "
                f"would make the largest exceed the smallest by {_range_without(evidence, capital):.3g}"
            ),
        )
