"""Verdict curves in words."""

from __future__ import annotations

from collections.abc import Sequence

from bayescluster.arrays import Array
from bayescluster.hypotheses.cutoffs import bands_of
from bayescluster.results.verdict_curves import VerdictBand

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
        return f"Undecided whatever {cutoff} is. {stopped}"
    alone = _parts(bands_of(*prior, ""), cutoff)
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
