"""Verdict curves of one fit, and averaged over several forms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb

import numpy as np

from bayescluster.arrays import Array
from bayescluster.estimands.levels import levels_of
from bayescluster.hypotheses.cutoffs import bands_of, cutoffs_of, grid_of, probabilities
from bayescluster.hypotheses.cutoffs_words import curve_words
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.regions import CornerClaim
from bayescluster.results.model import Verdict
from bayescluster.results.verdict_curves import CutOff, VerdictCurve
from bayescluster.spec.hypotheses import Difference, Effect, Hypothesis


def verdict_curves(
    claims: Sequence[Hypothesis], evidence: Evidence, verdicts: Sequence[Verdict]
) -> tuple[VerdictCurve, ...]:
    """Curves of every claim that has a cut-off, for every group it was put to.

    Parameters
    ----------
    claims
        The claims.
    evidence
        What they were judged by.
    verdicts
        Their verdicts, claim by claim: whatever stops a verdict stops its curve.
    """
    rest = list(verdicts)
    found: list[VerdictCurve] = []
    for position, claim in enumerate(claims):
        count = _groups(claim, evidence)
        mine, rest = rest[:count], rest[count:]
        if isinstance(claim, Effect | Difference):
            continue
        for cutoff in cutoffs_of(claim):
            found += _curves((position, claim), cutoff, evidence, mine)
    return tuple(found)


def _groups(claim: Hypothesis, evidence: Evidence) -> int:
    """How many verdicts a claim has."""
    if isinstance(claim, Difference):
        return 1 if claim.between else comb(len(evidence.columns("industry")), 2)
    return len(evidence.columns(claim.by))


def _curves(
    put: tuple[int, CornerClaim],
    cutoff: CutOff,
    evidence: Evidence,
    verdicts: Sequence[Verdict],
) -> Iterator[VerdictCurve]:
    position, claim = put
    cutoffs = cutoffs_of(claim)
    declared = cutoffs[cutoff]
    grid = grid_of(cutoff, declared, evidence.design.reaching(claim.at_least))
    posterior, prior = _probabilities(claim, cutoff, grid, evidence)
    held = ", ".join(f"{name} {value:g}" for name, value in cutoffs.items() if name != cutoff)
    for k, verdict in enumerate(verdicts):
        curve = VerdictCurve(
            claim=position,
            kind=verdict.kind,
            capital=verdict.capital,
            title=verdict.title,
            by=verdict.by,
            group=verdict.group,
            scope=verdict.scope,
            at_least=verdict.at_least,
            level=verdict.level,
            cutoff=cutoff,
            declared=declared,
            held=held,
            at=tuple(grid.tolist()),
            posterior=tuple(posterior[:, k].tolist()),
            prior=tuple(prior[:, k].tolist()),
            bands=(),
            stopped="",
            words="",
        )
        yield _judged(curve, verdict)


def _probabilities(
    claim: CornerClaim, cutoff: CutOff, grid: Array, evidence: Evidence
) -> tuple[Array, ...]:
    """Posterior and prior probability at every value of a cut-off, ``(value, group)`` each."""
    levels = levels_of(evidence.design, claim)
    columns = [column for column, _ in evidence.columns(claim.by)]
    found = (
        evidence.surface(claim.scope, levels, source, claim.at_least).corners
        for source in ("posterior", "prior")
    )
    return tuple(
        probabilities(claim, cutoff, grid, {c: draws[:, columns] for c, draws in corners.items()})
        for corners in found
    )


def _judged(curve: VerdictCurve, verdict: Verdict) -> VerdictCurve:
    """Add what follows from the probabilities: bands and words."""
    at, posterior, prior = (np.array(values) for values in (curve.at, curve.posterior, curve.prior))
    bands = bands_of(at, posterior, curve.level, verdict.stopped)
    words = curve_words(curve.cutoff, bands, (at, prior, curve.level), verdict.stopped)
    return curve.model_copy(update={"bands": bands, "stopped": verdict.stopped, "words": words})


def averaged_curves(
    own: Sequence[tuple[float, Sequence[VerdictCurve]]],
    claims: Sequence[Hypothesis],
    evidence: Evidence,
    verdicts: Sequence[Verdict],
) -> tuple[VerdictCurve, ...]:
    """Curves averaged over forms, as their verdicts are.

    Parameters
    ----------
    own
        Weight and curves of each form, in one order.
    claims, evidence
        The claims, and the groups they were put to.
    verdicts
        The averaged verdicts.
    """
    weights = np.array([weight for weight, _ in own])
    judged = list(_verdict_of_curves(claims, evidence, verdicts))
    found = []
    for verdict, curves in zip(judged, zip(*(some for _, some in own), strict=True), strict=True):
        posterior, prior = (
            weights @ np.array([getattr(curve, name) for curve in curves])
            for name in ("posterior", "prior")
        )
        mixed = {"posterior": tuple(posterior.tolist()), "prior": tuple(prior.tolist())}
        found.append(_judged(curves[0].model_copy(update=mixed), verdict))
    return tuple(found)


def _verdict_of_curves(
    claims: Sequence[Hypothesis], evidence: Evidence, verdicts: Sequence[Verdict]
) -> Iterator[Verdict]:
    """The verdict of every curve, in the order of `verdict_curves`."""
    rest = list(verdicts)
    for claim in claims:
        count = _groups(claim, evidence)
        mine, rest = rest[:count], rest[count:]
        if not isinstance(claim, Effect | Difference):
            for _ in cutoffs_of(claim):
                yield from mine
