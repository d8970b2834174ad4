"""Verdict curves of one fit, and over several forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import KAPPA
from bayescluster.design.claims import is_bounded
from bayescluster.design.record import Design
from bayescluster.estimands.levels import levels_of
from bayescluster.features.verdict_curves.results import CutOff, VerdictBand, VerdictCurve
from bayescluster.results.base import Decision
from bayescluster.results.model import Verdict
from bayescluster.spec.hypotheses import Difference, Directed, Hypothesis
from bayescluster.verdicts.compensation import OutcomeScale, outcome_scale
from bayescluster.verdicts.decide import ROUNDING, groups_judged
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import (
    DELTA,
    RATIO,
    THETA,
    THETA_NOT,
    CornerClaim,
    region_of,
)

STEPS: Final = 100
"""Steps of a grid, about: a cut-off is told to a hundredth of its range."""
REACH: Final = (0.01, 0.99)
"""Quantiles of the outcome that a grid spans where the outcome has no bounds."""
DEFAULTS: Final[dict[CutOff, float]] = {
    "ratio": RATIO,
    "kappa": KAPPA,
    "theta": THETA,
    "theta_not": THETA_NOT,
    "delta": DELTA,
}
"""Where none is declared; ``eps`` has no default."""
NECESSARY: Final[tuple[CutOff, ...]] = ("ratio", "kappa", "eps")
SHORT: Final[tuple[CutOff, ...]] = ("theta_not", "delta")
CUTOFFS: Final[dict[str, tuple[CutOff, ...]]] = {
    "necessary": NECESSARY,
    "sufficient": ("theta", "ratio"),
    "not_sufficient": SHORT,
    "necessary_not_sufficient": (*NECESSARY, *SHORT),
    "joint_sufficiency": ("theta",),
}
"""Cut-offs of each kind of claim, all of which hold together; `Sufficient` has one of its two."""


def cutoffs_of(claim: CornerClaim, scale: OutcomeScale) -> dict[CutOff, float]:
    """Cut-offs that decide a claim, declared or by default; none for complementarity."""
    found: dict[CutOff, float] = {}
    for cutoff in CUTOFFS.get(claim.kind, ()):
        declared = getattr(claim, cutoff)
        if declared is not None:
            found[cutoff] = declared
        elif _has_default(claim, cutoff, scale):
            found[cutoff] = DEFAULTS[cutoff]
    return found


def _has_default(claim: CornerClaim, cutoff: CutOff, scale: OutcomeScale) -> bool:
    """Whether a cut-off that is not declared decides all the same."""
    if cutoff == "ratio":
        return scale.has_ratio and claim.kind != "sufficient"
    if claim.kind == "sufficient":
        return scale.bounded and claim.ratio is None
    return cutoff == "kappa" or (cutoff in DEFAULTS and scale.bounded)


SHARES: Final = ("ratio", "kappa")


def grid_of(cutoff: CutOff, declared: float, design: Design) -> Array:
    """Values of a cut-off to look at, the declared one among them.

    Probabilities and shares go from 0 to 1 by hundredths. Other outcomes span what is observed, so
    that the grid is the same under every form of the model.
    """
    low, high = 0.0, 1.0
    if cutoff not in SHARES and not is_bounded(design.equation):
        observed = design.reported[design.answered]
        low, high = (float(edge) for edge in np.quantile(observed, REACH))
    if cutoff == "delta":
        low, high = 0.0, high - low
    step = nice((max(high, declared) - min(low, declared)) / STEPS)
    first = np.floor(min(low, declared) / step)
    last = np.ceil(max(high, declared) / step - 1e-9)
    # a whole number over a power of ten is the number as it would be written
    grid = np.round(np.arange(first, last + 1) * step, 12)
    if cutoff in (*SHARES, "delta"):  # these mean nothing at 0
        grid = grid[grid > 0]
    if cutoff in SHARES:
        grid = grid[grid < 1]
    near = np.abs(grid - declared) < step * 1e-6
    return grid if near.any() else np.sort(np.append(grid, declared))


def nice(step: float) -> float:
    """The nearest step of 1, 2 or 5 times a power of ten, not below a step."""
    power = 10.0 ** np.floor(np.log10(step) + 1e-9)
    return float(power * next(m for m in (1, 2, 5, 10) if m * power >= step * (1 - 1e-9)))


class Probabilities(NamedTuple):
    """Along a grid, ``(value, group)`` each: of the region, and of it where it can be assessed."""

    region: Array
    given: Array


def probabilities(
    claim: CornerClaim,
    cutoff: CutOff,
    grid: Array,
    corners: dict[str, Array],
    scale: OutcomeScale,
) -> Probabilities:
    """Share of draws in the region at each value of a cut-off.

    Parameters
    ----------
    claim
        The claim; its other cut-offs stay as they are.
    cutoff, grid
        The cut-off and its values.
    corners, scale
        What stands at each corner, ``(draw, group)``, and its scale.
    """
    region, given = [], []
    # the corners are the same all along the grid, and so is where they lie on the link scale
    scale = scale._replace(to_link=_remembering(scale.to_link))
    for value in grid:
        found = region_of(claim.model_copy(update={cutoff: float(value)}), corners, scale)
        share = found.event.mean(axis=0)
        possible = 1.0 if found.assessable is None else found.assessable.event.mean(axis=0)
        region.append(share)
        given.append(np.divide(share, possible, out=np.ones_like(share), where=possible > 0))
    return Probabilities(np.array(region), np.array(given))


def _remembering(to_link: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Transform each array once."""
    known: dict[int, tuple[Array, Array]] = {}  # the array is kept, so that its id stays its own

    def of(values: Array) -> Array:
        if id(values) not in known:
            known[id(values)] = values, to_link(values)
        return known[id(values)][1]

    return of


def bands_of(
    at: Array, probability: Array, given: Array, level: float, withheld: str = ""
) -> tuple[VerdictBand, ...]:
    """Runs of one verdict along a grid, ``(value,)`` each."""
    decided = [
        _decided(share, open_, level, withheld)
        for share, open_ in zip(probability.tolist(), given.tolist(), strict=True)
    ]
    runs = groupby(range(len(decided)), key=lambda k: decided[k])
    found = []
    for verdict, positions in runs:
        run = list(positions)
        found.append(VerdictBand(verdict=verdict, low=float(at[run[0]]), high=float(at[run[-1]])))
    return tuple(found)


def _decided(probability: float, given: float, level: float, withheld: str) -> Decision:
    if probability >= level:
        return "supported"
    return "rejected" if given <= 1 - level + ROUNDING and not withheld else "undecided"


DECIDED = ("supported", "rejected")


def curve_words(
    cutoff: str, bands: Sequence[VerdictBand], prior: tuple[Array, Array, float], stopped: str
) -> str:
    """Say where each verdict holds, and where the prior alone would give one.

    Parameters
    ----------
    cutoff
        Name of the cut-off.
    bands
        Runs of one verdict along the grid.
    prior
        The grid, the prior probability at each of its values, and the level of the claim.
    stopped
        Why there is no verdict whatever the cut-off.
    """
    if stopped:
        return f"No verdict whatever {cutoff} is. {stopped}"
    at, before, level = prior
    alone = _parts(bands_of(at, before, before, level), cutoff)
    said = _parts(bands, cutoff)
    sentence = (
        f"{'; '.join(said)}{_rest(bands)}." if said else f"undecided at every {cutoff} looked at."
    )
    sentence = sentence[:1].upper() + sentence[1:]
    return f"{sentence} By the prior alone: {'; '.join(alone)}." if alone else sentence


def _parts(bands: Sequence[VerdictBand], cutoff: str) -> list[str]:
    """One part a verdict: supported for eps from 0.08 up."""
    first, last = bands[0].low, bands[-1].high
    found = []
    for verdict in DECIDED:
        ranges = [_range(band, first, last) for band in bands if band.verdict == verdict]
        if ranges:
            found.append(f"{verdict} for {cutoff} {' and '.join(ranges)}")
    return found


def _range(band: VerdictBand, first: float, last: float) -> str:
    if (band.low, band.high) == (first, last):
        return f"from {first:g} to {last:g}, all that was looked at"
    if band.low == band.high:
        return f"at {band.low:g}"
    if band.high == last:
        return f"from {band.low:g} up"
    return f"up to {band.high:g}" if band.low == first else f"from {band.low:g} to {band.high:g}"


def _rest(bands: Sequence[VerdictBand]) -> str:
    return "; undecided elsewhere" if any(band.verdict == "undecided" for band in bands) else ""


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
    found: list[VerdictCurve] = []
    for position, claim, mine in _with_verdicts(claims, evidence, verdicts):
        for cutoff in cutoffs_of(claim, outcome_scale(evidence.design, claim.at_least)):
            found += _curves(position, claim, cutoff, evidence, mine)
    return tuple(found)


def _with_verdicts(
    claims: Sequence[Hypothesis], evidence: Evidence, verdicts: Sequence[Verdict]
) -> Iterator[tuple[int, CornerClaim, list[Verdict]]]:
    """Claims about corners, each with its position and its verdicts."""
    rest = list(verdicts)
    for position, claim in enumerate(claims):
        count = len(groups_judged(claim, evidence))
        mine, rest = rest[:count], rest[count:]
        if not isinstance(claim, Directed | Difference):
            yield position, claim, mine


def _curves(
    position: int,
    claim: CornerClaim,
    cutoff: CutOff,
    evidence: Evidence,
    verdicts: Sequence[Verdict],
) -> Iterator[VerdictCurve]:
    scale = outcome_scale(evidence.design, claim.at_least)
    cutoffs = cutoffs_of(claim, scale)
    declared = cutoffs[cutoff]
    grid = grid_of(cutoff, declared, evidence.design.reaching(claim.at_least))
    posterior, prior = _probabilities(claim, cutoff, grid, evidence, scale)
    held = ", ".join(f"{name} {value:.3g}" for name, value in cutoffs.items() if name != cutoff)
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
            posterior=tuple(posterior.region[:, k].tolist()),
            given=tuple(posterior.given[:, k].tolist()),
            prior=tuple(prior.region[:, k].tolist()),
            bands=(),
            stopped="",
            words="",
        )
        yield _judged(curve, verdict)


def _probabilities(
    claim: CornerClaim, cutoff: CutOff, grid: Array, evidence: Evidence, scale: OutcomeScale
) -> tuple[Probabilities, ...]:
    """Posterior and prior probability at every value of a cut-off."""
    levels = levels_of(evidence.design, claim)
    columns = [column for column, _ in evidence.columns(claim.by)]
    found = (
        evidence.surface(claim.scope, levels, source, claim.at_least).corners
        for source in ("posterior", "prior")
    )
    return tuple(
        probabilities(
            claim, cutoff, grid, {c: draws[:, columns] for c, draws in corners.items()}, scale
        )
        for corners in found
    )


def _judged(curve: VerdictCurve, verdict: Verdict) -> VerdictCurve:
    """Add what follows from the probabilities: bands and words."""
    at, posterior, given, prior = (
        np.array(values) for values in (curve.at, curve.posterior, curve.given, curve.prior)
    )
    stopped = verdict.stopped or (verdict.reason if verdict.verdict == "not assessable" else "")
    bands: tuple[VerdictBand, ...]
    if stopped:
        bands = (VerdictBand(verdict="undecided", low=curve.at[0], high=curve.at[-1]),)
    else:
        bands = bands_of(at, posterior, given, curve.level, verdict.withheld)
    words = curve_words(curve.cutoff, bands, (at, prior, curve.level), stopped)
    return curve.model_copy(
        update={
            "bands": bands,
            "stopped": stopped,
            "withheld": verdict.withheld,
            "words": words,
        }
    )


def curves_over_forms(
    own: Sequence[Sequence[VerdictCurve]],
    claims: Sequence[Hypothesis],
    evidence: Evidence,
    verdicts: Sequence[Verdict],
) -> tuple[VerdictCurve, ...]:
    """Curves over several plausible forms, as their verdicts are: of the form least sure at each value.

    Parameters
    ----------
    own
        Curves of each plausible form, in one order.
    claims, evidence
        The claims, and the groups they were put to.
    verdicts
        The verdicts over all forms.
    """
    judged = [
        verdict
        for _, claim, mine in _with_verdicts(claims, evidence, verdicts)
        for _ in cutoffs_of(claim, outcome_scale(evidence.design, claim.at_least))
        for verdict in mine
    ]
    found = []
    for verdict, curves in zip(judged, zip(*own, strict=True), strict=True):
        posterior, given, prior = (
            np.array([getattr(curve, name) for curve in curves])
            for name in ("posterior", "given", "prior")
        )
        least = np.abs(posterior - 0.5).argmin(axis=0)  # form, by value
        values = np.arange(least.size)
        mixed = {
            "posterior": tuple(posterior[least, values].tolist()),
            "given": tuple(given.max(axis=0).tolist()),
            "prior": tuple(prior[least, values].tolist()),
        }
        found.append(_judged(curves[0].model_copy(update=mixed), verdict))
    return tuple(found)
