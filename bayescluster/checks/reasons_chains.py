"""What the chains show: several modes, and heavy tails."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from bayescluster.arrays import Array
from bayescluster.checks.reasons_record import (
    PARAMETERS_SHOWN,
    Found,
    Seen,
    correlation,
    on_working_scale,
    parameters,
    reason,
)
from bayescluster.checks.thresholds import (
    ENERGY_CORRELATION,
    KURTOSIS_MAX,
    MODES_APART,
    MODES_DRIFT,
)
from bayescluster.names import CHAIN, DRAW
from bayescluster.results.gate import Reason, ReasonKind

Measured = dict[str, float]
"""A number for each parameter it was measured of."""


def several_modes(seen: Seen) -> Iterator[Reason]:
    """See whether chains sit in different places and stay there."""
    apart: Measured = {}
    for name, draws in parameters(seen.tree):
        ratio = _apart(on_working_scale(name, draws))
        if ratio >= MODES_APART:
            apart[name] = ratio
    if not apart:
        return
    names = _largest(apart)
    words = (
        f"the means of the chains lie {apart[names[0]]:.1f} times as far apart as the draws within "
        f"a chain ({names[0]}), and {len(apart)} parameters are so"
    )
    yield _told("several_modes", seen, Found(words, apart[names[0]], MODES_APART), names)


def _apart(draws: Array) -> float:
    """Sd of the means of chains over the sd within; 0 where a chain still moves, or all stand."""
    if draws.shape[0] < 2:
        return 0.0
    within = float(np.sqrt(draws.var(axis=1).mean()))
    if within == 0:
        return 0.0
    first, second = np.array_split(draws, 2, axis=1)
    drift = np.abs(second.mean(axis=1) - first.mean(axis=1)) / within
    between = float(draws.mean(axis=1).std(ddof=1))
    # chains on their way to one place are far apart as well, but none of them stays
    return between / within if float(np.median(drift)) <= MODES_DRIFT else 0.0


def thick_tails(seen: Seen, energy_failed: bool) -> Iterator[Reason]:
    """Name parameters with heavy tails; else those along which the energy is slow."""
    heavy: Measured = {}
    for name, draws in parameters(seen.tree):
        excess = float(stats.kurtosis(on_working_scale(name, draws).ravel()))
        if excess >= KURTOSIS_MAX:
            heavy[name] = excess
    if heavy:
        names = _largest(heavy)
        words = f"excess kurtosis {heavy[names[0]]:.1f} of {names[0]}"
        yield _told("heavy_tails", seen, Found(words, heavy[names[0]], KURTOSIS_MAX), names)
    elif energy_failed:
        yield from _along_energy(seen)


def _along_energy(seen: Seen) -> Iterator[Reason]:
    if "energy" not in seen.stats:
        return
    energy = seen.stats["energy"].transpose(CHAIN, DRAW).to_numpy().ravel().astype("float64")
    along: Measured = {}
    for name, draws in parameters(seen.tree):
        found = abs(correlation(on_working_scale(name, draws).ravel(), energy))
        if found >= ENERGY_CORRELATION:
            along[name] = found
    if along:
        names = _largest(along)
        words = f"correlation {along[names[0]]:.2f} of {names[0]} with the energy"
        yield _told("heavy_tails", seen, Found(words, along[names[0]], ENERGY_CORRELATION), names)


def _largest(measured: Measured) -> tuple[str, ...]:
    return tuple(sorted(measured, key=lambda name: -measured[name])[:PARAMETERS_SHOWN])


def _told(kind: ReasonKind, seen: Seen, found: Found, names: tuple[str, ...]) -> Reason:
    return reason(
        kind,
        seen.design.equation_name,
        found,
        {"first": names[0]},
        parameters=names,
    )
