"""Likely reasons of a failed check, found from draws, design and predictive checks.

What the sampler shows (funnels, modes, tails) is looked for only where a check has failed: of good
draws it says nothing. What design and predictive checks show is told whether or not the gate was
passed: the draws of a model that does not fit can be perfect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from bayescluster.checks.advice import (
    DIVERGENCES,
    ENERGY,
    ESS_BULK,
    ESS_TAIL,
    RHAT,
    TREE_DEPTH,
)
from bayescluster.checks.reasons_chains import several_modes, thick_tails
from bayescluster.checks.reasons_design import collinear, empty_corners, misfit, separated
from bayescluster.checks.reasons_funnel import funnels
from bayescluster.checks.reasons_record import Seen
from bayescluster.results.gate import Gate, Reason, ReasonKind

__all__ = ["Seen", "likely_reasons"]

MIXING: Final = (RHAT, ESS_BULK, ESS_TAIL)
ALL: Final = (*MIXING, DIVERGENCES, ENERGY, TREE_DEPTH)

EXPLAINS: Final[Mapping[ReasonKind, tuple[str, ...]]] = {
    "centred_funnel": (*MIXING, DIVERGENCES, ENERGY),
    "funnel": (*MIXING, DIVERGENCES, ENERGY),
    "inverted_funnel": (*MIXING, TREE_DEPTH),
    "several_modes": MIXING,
    "heavy_tails": (*MIXING, ENERGY),
    "separation": ALL,
    "collinear_capitals": (*MIXING, TREE_DEPTH),
    "empty_corner": MIXING,
    "misspecified_family": ALL,
}
"""Checks that each reason can make fail; the order is that of the reasons of a report."""


def likely_reasons(seen: Seen, gate: Gate) -> tuple[Reason, ...]:
    """Find likely reasons of what failed, and what else is amiss.

    Parameters
    ----------
    seen
        Design, draws and predictive checks.
    gate
        What the checks said.

    Returns
    -------
    tuple of Reason
        Those of the sampler first; nothing where nothing was recognised.
    """
    failed = {item.name: item for item in gate.items if item.passed is not True}
    found = [*_of_sampler(seen, gate)] if failed else []
    found += [*separated(seen), *collinear(seen), *empty_corners(seen), *misfit(seen)]
    return tuple(
        reason.model_copy(
            update={"checks": tuple(name for name in EXPLAINS[reason.kind] if name in failed)}
        )
        for reason in found
    )


def _of_sampler(seen: Seen, gate: Gate) -> Iterator[Reason]:
    """Reasons that show in the draws; each only where a check failed that it can explain."""
    failed = {item.name for item in gate.items if item.passed is not True}
    worst = {name for item in gate.items for name in item.worst}
    if "posterior" not in seen.tree.children:
        return
    modes = [*several_modes(seen)] if RHAT in failed else []
    # chains in different places name every parameter: then only divergences tell of a funnel
    yield from funnels(seen, set() if modes else failed, set() if modes else worst)
    yield from modes
    if failed & {ENERGY, ESS_TAIL}:
        yield from thick_tails(seen, ENERGY in failed)
