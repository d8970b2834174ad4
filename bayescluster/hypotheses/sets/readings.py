"""The claims read by set theory: which combinations of the capitals are within the outcome.

The probability of a claim is the share of replicates of the observed firms (`replicates`, source
``data``) in which its region holds; the prior probability is that share among firms made by the
prior. Differences between industries (D-H, D-S) compare a range, which chance alone keeps above 0:
the margin says what counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.estimands.summary import estimate
from bayescluster.hypotheses.claims import CAPITAL_OF, groups_asked
from bayescluster.hypotheses.sets.expressions import WORDS
from bayescluster.hypotheses.sets.regions import EXPRESSION_OF, SetRegion, set_regions
from bayescluster.hypotheses.sets.replicates import FEW_CLUSTERS, SetEvidence, Source
from bayescluster.hypotheses.verdicts import Decision, decide
from bayescluster.hypotheses.words import percent
from bayescluster.names import ALL, OUTCOME
from bayescluster.results.claims import ClaimName, Flag, Reading
from bayescluster.spec.hypotheses import By

MARGIN: Final = 0.10
"""Default of a difference between industries in the consistency of necessity that counts."""
GATE_FAILED: Final = (
    "The diagnostics gate failed: no verdict of this run counts, though this one rests on the "
    "observed firms and not on the posterior."
)
_DIFFERENCES: Final[tuple[ClaimName, ...]] = ("D-H", "D-S")
_SOURCES: Final[tuple[Source, ...]] = ("data", "model", "prior")


def set_readings(evidence: SetEvidence, gate_passed: bool) -> Iterator[Reading]:
    """Read every claim by set theory, for the groups that ``traditions`` names.

    There is no reading where a set cannot be calibrated, for want of values that differ.
    """
    if evidence.lacking or not evidence.rows.size:
        return
    reads = set_regions(evidence.design)
    for name, read in reads.items():
        for by in groups_asked(evidence.design):
            for column, label in evidence.columns(by):
                yield _reading(name, read, evidence, (by, column, label), gate_passed)
    yield from _differences(evidence, gate_passed)


class _Shares(NamedTuple):
    """Shares of replicates in a region, by what made them."""

    data: float
    model: float
    prior: float


class _Ground(NamedTuple):
    """What a reading stands on: its replicates, what stops it, and what is flagged already."""

    shares: _Shares
    column: int
    stopped: str
    behind: str
    figures: Array
    flags: list[Flag]


def _reading(
    name: ClaimName,
    read: SetRegion,
    evidence: SetEvidence,
    group: tuple[By, int, str],
    gate_passed: bool,
) -> Reading:
    by, column, label = group
    least = evidence.design.analysis.traditions.sets.min_cases
    observed = evidence.measured("observed")
    behind = {WORDS[one]: int(observed.cases[one][0, column]) for one in read.rests_on}
    thin = [(firms, one) for one, firms in behind.items() if firms < least]
    clusters = int(evidence.clusters[column])
    few = f"; {clusters} clusters only" if 2 <= clusters < FEW_CLUSTERS else ""
    flags = read.flags(observed, column)
    if thin:
        flags.append("thin")
    lacking = (
        f"Fewer than {least} firms have a membership above .5 in {thin[0][1]} ({thin[0][0]}): there "
        "is little to read."
        if thin
        else ""
    )
    ground = _Ground(
        _Shares(*(float(read.event(evidence.measured(s))[:, column].mean()) for s in _SOURCES)),
        column,
        lacking if gate_passed else GATE_FAILED,
        ", ".join(f"{_firms(firms)} in {one}" for one, firms in behind.items())
        + f" (membership above .5){few}",
        read.figure(evidence.measured("data"))[:, column],
        flags,
    )
    return _written(name, (by, label), (read.quantity, read.region), evidence, ground)


def _differences(evidence: SetEvidence, gate_passed: bool) -> Iterator[Reading]:
    """Read whether a capital is closer to necessary in some industries than in others."""
    asked = evidence.design.analysis.traditions
    margin = MARGIN if asked.margin is None else asked.margin
    columns = [column for column, _ in evidence.columns("industry")]
    if len(columns) < 2:
        return
    fewest = int(evidence.measured("observed").cases[OUTCOME][0, columns].min())
    thin = fewest < asked.sets.min_cases
    lacking = (
        f"Fewer than {asked.sets.min_cases} firms of an industry have a membership above .5 in the "
        f"outcome ({fewest}): there is little to compare."
        if thin
        else ""
    )
    for name in _DIFFERENCES:
        expression = EXPRESSION_OF[CAPITAL_OF[name]]
        ranges = [
            np.ptp(evidence.measured(source).necessity[expression].consistency[:, columns], axis=1)
            for source in _SOURCES
        ]
        ground = _Ground(
            _Shares(*(float((values > margin).mean()) for values in ranges)),
            evidence.columns("all")[0][0],
            lacking if gate_passed else GATE_FAILED,
            f"{len(columns)} industries, at least {_firms(fewest)} in the outcome in each",
            ranges[0],
            ["thin"] if thin else [],
        )
        what = (
            f"largest less smallest necessity consistency of {WORDS[expression]} of the industries",
            f"largest less smallest necessity consistency above {margin:g}",
        )
        yield _written(name, ("all", ALL), what, evidence, ground)


def _written(
    name: ClaimName,
    group: tuple[By, str],
    what: tuple[str, str],
    evidence: SetEvidence,
    ground: _Ground,
) -> Reading:
    """Decide, and write the reading."""
    level, shares = evidence.design.analysis.traditions.level, ground.shares
    decision, _ = decide(shares.data, level, ground.stopped)
    flags = list(ground.flags)
    if decision == "supported" and shares.prior >= level:
        flags.append("prior_decides")
    known = ground.figures[~np.isnan(ground.figures)]
    return Reading(
        tradition="sets",
        claim=name,
        by=group[0],
        group=group[1],
        quantity=what[0],
        estimate=estimate(known) if known.size > 1 else None,
        region=f"{what[1]} ({evidence.anchored})",
        probability=shares.data,
        prior_probability=shares.prior,
        verdict=decision,
        reason=ground.stopped
        or _reason(decision, shares, level, evidence.resampled(ground.column)),
        behind=ground.behind,
        flags=tuple(flags),
    )


def _reason(decision: Decision, shares: _Shares, level: float, resampled: str) -> str:
    low, high = f"{100 * (1 - level):.4g}%", f"{100 * level:.4g}%"
    bounds = {
        "supported": f"at least the {high} asked for",
        "rejected": f"at most the {low} below which the claim is given up",
        "undecided": f"between {low} and {high}",
    }
    return (
        f"{percent(shares.data)} of the replicates of the firms ({resampled}) lie in the region, "
        f"{bounds[decision]}; of those made by the fitted model, {percent(shares.model).lower()}."
    )


def _firms(count: int) -> str:
    return "1 firm" if count == 1 else f"{count} firms"
