"""Whether a capital is necessary and sufficient for more firms in one industry than in another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.hypotheses.causes.contrasts import (
    CONTRAST_OF,
    SIDES,
    Place,
    corner_draws,
    corners_of,
    fewest_near,
    place_of,
    unsupported,
)
from bayescluster.hypotheses.causes.probabilities import Bounds, exogenous, points
from bayescluster.hypotheses.causes.readings import (
    Shares,
    decide_bounds,
    judged_flags,
    summed,
    why_silent,
)
from bayescluster.hypotheses.claims import CAPITAL_OF, CLAIMS
from bayescluster.hypotheses.corner_readings import MARGIN
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.verdicts import GATE_FAILED
from bayescluster.hypotheses.words import CAPITAL_WORDS
from bayescluster.results.causes import CauseVerdict
from bayescluster.results.claims import ClaimName

CLAIMS_OF_INDUSTRIES: Final[tuple[ClaimName, ...]] = ("D-H", "D-S")


def difference_verdicts(evidence: Evidence, gate_passed: bool) -> Iterator[CauseVerdict]:
    """Judge whether PNS differs between industries by more than the margin."""
    columns = [column for column, _ in evidence.columns("industry")]
    if why_silent(evidence.design) or len(columns) < 2:
        return
    for name in CLAIMS_OF_INDUSTRIES:
        place = place_of(evidence.design, name, "industry")
        thin = next(
            (
                f"{label}: {said}"
                for column, label in evidence.columns("industry")
                if (said := unsupported(evidence, place, corners_of(name), column))
            ),
            "",
        )
        yield _verdict(name, evidence, place, GATE_FAILED if not gate_passed else thin)


def _verdict(name: ClaimName, evidence: Evidence, place: Place, stopped: str) -> CauseVerdict:
    traditions = evidence.design.analysis.traditions
    asked, margin = traditions.causes, margin_of(evidence.design)
    at, point = _spread(name, evidence, place, "posterior")
    before, before_point = _spread(name, evidence, place, "prior")
    if asked.monotone is True:
        at, before = Bounds(point, point), Bounds(before_point, before_point)
    shares, prior = (
        Shares(float((found.lower > margin).mean()), float((found.upper > margin).mean()))
        for found in (at, before)
    )
    share = float((point > margin).mean())
    decision, reason = decide_bounds(shares, traditions.level, stopped)
    pointed = (
        decide_bounds(Shares(share, share), traditions.level, stopped)[0]
        if asked.monotone == "both"
        else None
    )
    near = _near(name, evidence, place)
    own = CAPITAL_WORDS[CAPITAL_OF[name]]
    return CauseVerdict(
        claim=name,
        title=CLAIMS[name],
        by="all",
        group=evidence.columns("all")[0][1],
        quantity=f"largest less smallest PNS of {own}, the other high, of the industries",
        bounds=summed(at, None if asked.monotone is False else point, evidence.posterior.chains),
        region=f"largest less smallest PNS above {margin:g} ({place.levels.declared})",
        probability=shares.sure,
        possible=shares.possible,
        prior_probability=prior.sure,
        verdict=decision,
        reason=reason,
        with_monotonicity=pointed,
        flags=judged_flags(decision, pointed, None, prior, traditions.level)
        + (("thin",) if stopped and stopped != GATE_FAILED else ()),
        support=min(near),
        behind=f"{len(near)} industries, at least {min(near)} firms near each corner in each",
        overturning=None,
    )


def _near(name: ClaimName, evidence: Evidence, place: Place) -> list[int]:
    """Fewest firms near a corner of the claim, in each industry."""
    return [
        fewest_near(evidence, place, corners_of(name), column)
        for column, _ in evidence.columns("industry")
    ]


def margin_of(design: Design) -> float:
    """Smallest difference between industries that counts."""
    margin = design.analysis.traditions.margin
    return MARGIN if margin is None else margin


def _spread(name: ClaimName, evidence: Evidence, place: Place, source: str) -> tuple[Bounds, Array]:
    """Bounds of the largest difference of PNS between industries, and it under monotonicity."""
    sides = SIDES[CONTRAST_OF[name]]
    corners = corner_draws(evidence, place, source)
    columns = [column for column, _ in evidence.columns("industry")]
    p1, p0 = (corners[side][:, columns] for side in (sides.exposed, sides.unexposed))
    pns = exogenous(p1, p0).pns
    lower = np.maximum(pns.lower.max(axis=1) - pns.upper.min(axis=1), 0.0)
    upper = np.max(
        [
            pns.upper[:, one] - np.delete(pns.lower, one, axis=1).min(axis=1)
            for one in range(len(columns))
        ],
        axis=0,
    )
    point = np.ptp(np.clip(points(p1, p0).pns, 0.0, 1.0), axis=1)
    return Bounds(lower, np.maximum(upper, lower)), point
