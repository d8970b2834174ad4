"""Whether the data determine the parameters of a form that is no sum: checked, not assumed.

Gates and corners trade off where a corner of the plane is empty; a CES form is flat in ``r`` where
``|r|`` is large, and where the gain is near 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks import thresholds
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import estimates
from bayescluster.estimands.levels import CORNER_TERMS
from bayescluster.model.evaluate import Draws
from bayescluster.model.priors import baseline_of, population_terms
from bayescluster.names import GAIN, SUBSTITUTION
from bayescluster.results.facts import Contraction, CornerWeight, Identification
from bayescluster.results.model import By
from bayescluster.structures import TERMS
from bayescluster.structures.arithmetic import natural

CORNER_FIRMS_MIN = 5.0
"""Fewest firms behind a corner, over all groups, below which a note is made; claims have their own."""


class Behind(NamedTuple):
    """Firms behind each corner ``(draw, group)``, and the kind and name of each group."""

    firms: Mapping[str, Array]
    groups: Sequence[tuple[By, str]]


def identification(
    design: Design, posterior: Draws, prior: Draws, behind: Behind
) -> Identification | None:
    """Compare posterior with prior; nothing for forms that are sums."""
    if design.structure.is_linear:
        return None
    contractions = []
    for term in (term for term in population_terms(design) if term in TERMS):
        after, before = posterior.population[term].var(), prior.population[term].var()
        contractions.append(Contraction(term=term, contraction=float(1 - after / before)))
    corners = _corners(behind, posterior.chains)
    flat, small = _ces(design, posterior)
    return Identification(
        contractions=tuple(contractions),
        corners=corners,
        substitution_flat=flat,
        gain_small=small,
        notes=(*_hardly(contractions), *_empty(corners), *_ces_notes(flat, small)),
    )


def _corners(behind: Behind, chains: int) -> tuple[CornerWeight, ...]:
    shown = [k for k, (by, _) in enumerate(behind.groups) if by != "cluster"]
    found = {corner: estimates(firms[:, shown], chains) for corner, firms in behind.firms.items()}
    corners = []
    for k, column in enumerate(shown):
        by, group = behind.groups[column]
        for corner, firms in found.items():
            place = {"by": by, "group": group, "corner": corner, "firms": firms[k]}
            corners.append(CornerWeight.model_validate(place))
    return tuple(corners)


def _ces(design: Design, posterior: Draws) -> tuple[float | None, float | None]:
    if SUBSTITUTION not in posterior.population:
        return None, None
    r = posterior.population[SUBSTITUTION]
    gain = natural(posterior.population[GAIN], "positive")
    unit = baseline_of(design).unit
    return float((np.abs(r) > thresholds.SUBSTITUTION_FLAT).mean()), float(
        (gain < thresholds.GAIN_SMALL * unit).mean()
    )


def _hardly(contractions: Sequence[Contraction]) -> Iterator[str]:
    for term, contraction in ((each.term, each.contraction) for each in contractions):
        if contraction < thresholds.CONTRACTION_MIN:
            text = TERMS[term].words.split(":")[0]
            yield (
                f"{text[:1].upper()}{text[1:]} ({term}) is hardly identified: the data take away "
                f"{max(contraction, 0.0):.0%} of its prior variance"
            )


def _empty(corners: Sequence[CornerWeight]) -> Iterator[str]:
    for each in corners:
        if each.by == "all" and each.firms.mean < CORNER_FIRMS_MIN:
            yield (
                f"the corner {CORNER_TERMS[each.corner].replace('_', ' ')} rests on its prior: the "
                f"gates put {each.firms.mean:.1f} firms behind it"
            )


def _ces_notes(flat: float | None, small: float | None) -> Iterator[str]:
    if flat is not None and flat > thresholds.UNIDENTIFIED_SHARE:
        yield (
            f"r is hardly identified: {flat:.0%} of the posterior lies beyond "
            f"{thresholds.SUBSTITUTION_FLAT:g} on either side, where the form is flat in it"
        )
    if small is not None and small > thresholds.UNIDENTIFIED_SHARE:
        yield (
            f"r and the share are hardly identified: {small:.0%} of the posterior has a gain below "
            f"{thresholds.GAIN_SMALL:g} of a unit, where they hardly matter"
        )
