"""The claims read at the corners of the outcome surface.

A claim that the analysis declares keeps its region; the others have the default region of
probabilities and shares. Where the outcome has no such scale, an undeclared claim has no reading:
there is no verdict without a declared region.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.summary import estimates
from bayescluster.hypotheses.claims import CAPITAL_OF, groups_asked
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.regions import CornerClaim
from bayescluster.hypotheses.verdicts import GATE_FAILED, decide
from bayescluster.names import CAPITALS
from bayescluster.results.claims import ClaimName, Flag, Reading
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
