"""The claims that are read in several ways: their titles, their reading at the corners, a row in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.summary import estimates
from bayescluster.names import CAPITALS
from bayescluster.results.claims import ClaimName, Flag, Reading, Tradition
from bayescluster.results.model import Verdict
from bayescluster.spec.hypotheses import (
    By,
    Complementarity,
    Hypothesis,
    Insufficient,
    JointSufficiency,
    Necessary,
    NecessaryNotSufficient,
)
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CornerClaim
from bayescluster.verdicts.verdicts import GATE_FAILED, decide

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


def groups_asked(design: Design) -> tuple[By, ...]:
    """Kinds of groups that have a row in the claims table."""
    asked = design.analysis.traditions.by
    if asked is not None:
        return asked
    return ("all",) if design.analysis.data.industry is None else ("industry",)


NAMES: Final[dict[Tradition, str]] = {
    "corners": "the corners",
    "ceilings": "the ceilings",
    "sets": "the sets",
    "causes": "the probabilities of causation",
}
NECESSITY_ONLY: Final = "A ceiling tells what is needed, not what suffices."
NO_REGION: Final = "No region is declared for this outcome: state the claim under hypotheses."
NOT_HAD: Final = "Not to be had here; its section says why."
SUFFICIENCY: Final[tuple[ClaimName, ...]] = ("I-H", "I-S", "J", "C")
MOST_REASONS: Final = 3
"""More reasons than this for one disagreement would not be read."""


def silence(tradition: Tradition, claim: ClaimName) -> str:
    """Why a tradition has no reading of a claim."""
    if tradition == "ceilings" and claim in SUFFICIENCY:
        return NECESSITY_ONLY
    return NO_REGION if tradition == "corners" else NOT_HAD


def row_words(readings: Sequence[Reading]) -> str:
    """Say which traditions support, reject and leave open a claim."""
    by_verdict = {
        verdict: [NAMES[one.tradition] for one in readings if one.verdict == verdict]
        for verdict in ("supported", "rejected", "undecided")
    }
    decided = [verdict for verdict in ("supported", "rejected") if by_verdict[verdict]]
    if not decided:
        return f"{_all_of(readings)} leave the claim open."
    if len(decided) > 1:
        text = (
            f"The traditions contradict each other: supported by {_listed(by_verdict['supported'])}, "
            f"rejected by {_listed(by_verdict['rejected'])}"
        )
        return _with_open(text, by_verdict["undecided"])
    verdict = decided[0]
    if not by_verdict["undecided"]:
        verb = {"supported": "support", "rejected": "reject"}[verdict]
        return f"{_all_of(readings)} {verb} the claim."
    return _with_open(
        f"{verdict.capitalize()} by {_listed(by_verdict[verdict])}", by_verdict["undecided"]
    )


def _with_open(text: str, undecided: Sequence[str]) -> str:
    return f"{text}; left open by {_listed(undecided)}." if undecided else f"{text}."


def _all_of(readings: Sequence[Reading]) -> str:
    if len(readings) == 1:
        name = NAMES[readings[0].tradition]
        return f"{name[0].upper()}{name[1:]}, which alone speak of it,"
    return f"All {len(readings)} traditions that speak of it"


def _listed(names: Sequence[str]) -> str:
    *before, last = names
    return f"{', '.join(before)} and {last}" if before else last


class _Rule(NamedTuple):
    """A reason why traditions disagree: when it holds, and what it says."""

    holds: Callable[[Mapping[Tradition, Reading]], bool]
    words: str


def _flagged(tradition: Tradition, flag: Flag) -> Callable[[Mapping[Tradition, Reading]], bool]:
    def holds(found: Mapping[Tradition, Reading]) -> bool:
        return tradition in found and flag in found[tradition].flags

    return holds


def _anywhere(flag: Flag) -> Callable[[Mapping[Tradition, Reading]], bool]:
    return lambda found: any(flag in reading.flags for reading in found.values())


def _apart(first: Tradition, second: Tradition) -> Callable[[Mapping[Tradition, Reading]], bool]:
    def holds(found: Mapping[Tradition, Reading]) -> bool:
        both = first in found and second in found
        return both and found[first].verdict != found[second].verdict

    return holds


_WARNINGS: Final = (
    _Rule(
        _anywhere("model_dependent"),
        "What is found depends on the likelihood or model: another that is as plausible says otherwise",
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
        "A weak unmeasured confounder would be enough to overturn what the probabilities of causation "
        "say",
    ),
    _Rule(
        _anywhere("thin"),
        "Too few firms stand where one of them is decided, so that it would rest on extrapolation",
    ),
    _Rule(_anywhere("prior_decides"), "One verdict is what the prior alone would have given"),
)
"""Said wherever they hold, the weightiest first."""

_DIFFERENCES: Final = (
    _Rule(
        _flagged("causes", "bounds_only"),
        "Without monotonicity the probabilities of causation are known up to bounds only, which are "
        "wider than an expected outcome",
    ),
    _Rule(
        _apart("corners", "ceilings"),
        "Corners ask for the expected outcome at the declared levels, ceilings for the best that is "
        "reached at any level",
    ),
    _Rule(
        _apart("corners", "sets"),
        "Corners hold the controls and borrow strength between clusters; sets count memberships as "
        "observed, without controls",
    ),
    _Rule(
        _apart("corners", "causes"),
        "Corners judge the expected outcome itself, probabilities of causation how much of it would be "
        "lost or won",
    ),
)
"""Said only where the verdicts differ."""


def disagreement(readings: Sequence[Reading]) -> str:
    """Say why the traditions differ, or what weakens them; nothing where nothing does."""
    found = {reading.tradition: reading for reading in readings}
    reasons = list(_reasons(found))[:MOST_REASONS]
    return " ".join(f"{reason}." for reason in reasons)


def _reasons(found: Mapping[Tradition, Reading]) -> Iterator[str]:
    yield from (rule.words for rule in _WARNINGS if rule.holds(found))
    if len({reading.verdict for reading in found.values()}) > 1:
        yield from (rule.words for rule in _DIFFERENCES if rule.holds(found))


Judge = Callable[[tuple[Hypothesis, ...]], tuple[Verdict, ...]]
"""Judges claims for all groups they ask for."""

MARGIN: Final = 0.10
"""Default of a difference between industries that counts, for probabilities and shares."""

_KINDS: Final[dict[ClaimName, type[CornerClaim]]] = {
    "N-H": Necessary,
    "N-S": Necessary,
    "I-H": Insufficient,
    "I-S": Insufficient,
    "J": JointSufficiency,
    "C": Complementarity,
}
KIND_NAMES: Final[dict[type[CornerClaim], str]] = {
    Necessary: "necessary",
    Insufficient: "insufficient",
    JointSufficiency: "joint_sufficiency",
    Complementarity: "complementarity",
}
_SHARED: Final = ("low", "high", "anchors", "min_support", "scope", "at_least")


def corner_readings(evidence: Evidence, judge: Judge, gate_passed: bool) -> Iterator[Reading]:
    """Read every claim at the corners, for the groups that ``traditions`` names.

    Parameters
    ----------
    evidence
        Estimands of the fit.
    judge
        Judges corner claims; of several forms, by their average.
    gate_passed
        Whether the diagnostics gate passed.
    """
    asked = evidence.design.analysis.traditions
    for name, kind in _KINDS.items():
        found = declared_claim(evidence.design, name, kind)
        for by in groups_asked(evidence.design) if found is not None else ():
            assert found is not None
            everyone = found.scope == "new_industry" and by != "all"
            scope = "observed" if by == "cluster" or everyone else found.scope
            claim = found.model_copy(update={"by": by, "level": asked.level, "scope": scope})
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
    if not is_bounded(design.equation) and kind is not Complementarity:
        return None
    given = {"kind": KIND_NAMES[kind]}
    return kind.model_validate(given | ({"capital": capital} if capital else {}))


def _part(claim: Hypothesis, kind: type[CornerClaim]) -> CornerClaim | None:
    """Half of a claim that a capital is necessary but not sufficient."""
    shared = {name: getattr(claim, name, None) for name in _SHARED}
    if isinstance(claim, NecessaryNotSufficient) and kind is Necessary:
        return Necessary(
            kind="necessary", capital=claim.capital, eps=claim.eps, ratio=claim.ratio, **shared
        )
    if isinstance(claim, NecessaryNotSufficient) and kind is Insufficient:
        return Insufficient(
            kind="insufficient",
            capital=claim.capital,
            theta_not=claim.theta_not,
            delta=claim.delta,
            **shared,
        )
    return None


def _reading(name: ClaimName, verdict: Verdict) -> Reading:
    main = verdict.figures[0]
    near = [figure.support for figure in verdict.figures if figure.support is not None]
    flags: list[Flag] = ["thin"] if verdict.unsupported else []
    if verdict.verdict == "supported" and verdict.prior_probability >= verdict.level:
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
        behind=f"at least {min(near)} firms near each corner it rests on" if near else "",
        flags=tuple(flags),
    )


def _differences(evidence: Evidence, gate_passed: bool) -> Iterator[Reading]:
    """Read whether the effect of a capital differs between industries by more than the margin."""
    design = evidence.design
    asked = design.analysis.traditions
    margin = asked.margin
    if margin is None:
        margin = MARGIN if is_bounded(design.equation) else None
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
        decision, reason = decide(probability, asked.level, "" if gate_passed else GATE_FAILED)
        by: By = "all"
        yield Reading(
            tradition="corners",
            claim=name,
            by=by,
            group=evidence.columns("all")[0][1],
            quantity="largest less smallest average marginal effect of the industries",
            estimate=estimates(ranges[0][:, None], evidence.posterior.chains)[0],
            region=f"largest less smallest average marginal effect above {margin:g}",
            probability=probability,
            prior_probability=prior,
            verdict=decision,
            reason=reason,
            behind=f"{len(columns)} industries",
        )
