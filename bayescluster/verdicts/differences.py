"""Differences between groups: of effects, of compensation, and of whether a claim holds.

Groups differ in their firms and in their base rates. An effect on the outcome scale differs with
both where the slopes on the link scale are equal, so that the two are shown side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import TypeAdapter

from bayescluster.arrays import Array
from bayescluster.design.claims import compared_pairs
from bayescluster.estimands.effects import SurfaceDraws
from bayescluster.estimands.levels import Levels, default_levels, levels_of
from bayescluster.names import INDUSTRY, OVER, WITHIN, group_name
from bayescluster.results.model import VerdictFigure
from bayescluster.spec.hypotheses import By, Corners, Difference
from bayescluster.verdicts.compensation import (
    OutcomeScale,
    as_seen_by,
    compensation,
    outcome_scale,
)
from bayescluster.verdicts.events import Draws, Event, EventPart, figure_of
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import (
    ALL_CORNERS,
    CAPITAL_WORDS,
    LINK_PART,
    OUTCOME_PART,
    CornerClaim,
    kind_compared,
    region_of,
)
from bayescluster.verdicts.support import lacking

CLAIM: TypeAdapter[CornerClaim] = TypeAdapter(CornerClaim)


def pairs_of(claim: Difference, evidence: Evidence) -> list[tuple[str, str]]:
    """Pairs of groups that a claim is about: those it names, else every pair."""
    labels = tuple(label for _, label in evidence.columns(claim.by))
    return compared_pairs(claim, labels)


def asked_pairs(evidence: Evidence) -> list[tuple[By, str, str]]:
    """Pairs of groups that any claim about a difference of effects asks for, each once.

    Pairs grow with the square of the number of groups: no others are computed.
    """
    claims = evidence.design.analysis.hypotheses
    asked = [
        (claim.by, *pair)
        for claim in claims
        if isinstance(claim, Difference)
        for pair in pairs_of(claim, evidence)
    ]
    return list(dict.fromkeys(asked))


def claim_compared(claim: Difference, evidence: Evidence) -> CornerClaim:
    """The claim that is said to hold in one group and not in the other: as declared, or by default."""
    for declared in evidence.design.analysis.hypotheses:
        if isinstance(declared, Corners) and (
            declared.kind == claim.of and getattr(declared, "capital", None) == claim.capital
        ):
            return declared
    capital = {} if claim.capital is None else {"capital": claim.capital}
    return CLAIM.validate_python({"kind": claim.of, **capital})


class _Pair(NamedTuple):
    """Two groups: their labels and names, columns among all groups, and positions in their kind."""

    name: str
    """The pair as the group of a verdict."""
    first: str
    second: str
    columns: tuple[int, int]
    places: tuple[int, int]


Make = Callable[[Difference, Evidence, _Pair], Event]


def difference_events(claim: Difference, evidence: Evidence) -> Iterator[Event]:
    """The event of a difference for every pair of groups that it names."""
    columns = evidence.columns(claim.by)
    place = {label: k for k, (_, label) in enumerate(columns)}
    make: Make = {"effect": _effects_differ, "compensation": _compensation_differs}.get(
        claim.of, _claims_differ
    )
    for first, second in pairs_of(claim, evidence):
        places = place[first], place[second]
        pair = _Pair(
            f"{first}{OVER}{second}",
            group_name(claim.by, first),
            group_name(claim.by, second),
            (columns[places[0]][0], columns[places[1]][0]),
            places,
        )
        yield make(claim, evidence, pair)


def _effects_differ(claim: Difference, evidence: Evidence, pair: _Pair) -> Event:
    """Larger on the outcome scale, and on the link scale too: else the base rate makes it so."""
    assert claim.capital is not None
    levels, scale = default_levels(evidence.design), outcome_scale(evidence.design)
    everyone = claim.firms == "all"
    now, before = (
        _effects(claim, evidence, pair, levels, source, scale) for source in ("posterior", "prior")
    )
    over = "over all firms" if everyone else "over its own firms"
    words = (
        f"average marginal effect in the first {kind_compared(claim)} less that in the second, each "
        f"{over}, above {claim.margin:g}"
    )
    parts = [
        EventPart(
            OUTCOME_PART, words, now.of(everyone) > claim.margin, before.of(everyone) > claim.margin
        )
    ]
    if scale.link != "outcome":
        at = " at the corners" if evidence.design.has_both else ""
        link = f"and above 0 on the {scale.link} scale, from low to high{at}"
        parts.append(EventPart(LINK_PART, link, now.link > 0, before.link > 0))
    figures = [
        figure_of("difference of effects, own firms", now.own, evidence, "effect"),
        figure_of(
            "the same over all firms, in the average cluster"
            if INDUSTRY in claim.by.split(WITHIN)
            else "the same over all firms",
            now.standardised,
            evidence,
            "effect",
        ),
    ]
    if scale.link != "outcome":
        label = f"difference of effects from low to high, {scale.link} scale"
        figures.append(figure_of(label, now.link, evidence, "number"))
    return Event(
        pair.name,
        np.logical_and.reduce([part.posterior for part in parts]),
        np.logical_and.reduce([part.prior for part in parts]),
        "; ".join(part.words for part in parts),
        tuple(figures),
        tuple(parts),
        what="difference of effects",
        quantities={
            f"effect of {claim.capital} over all firms": now.standardised,
            f"effect of {claim.capital} from low to high, {scale.link} scale": now.link,
        },
    )


class _Differences(NamedTuple):
    """First group less the second, ``(draw,)`` each."""

    own: Array
    standardised: Array
    link: Array

    def of(self, everyone: bool) -> Array:
        """What the claim is about: the groups' own firms, or those of all."""
        return self.standardised if everyone else self.own


def _effects(
    claim: Difference,
    evidence: Evidence,
    pair: _Pair,
    levels: Levels,
    source: str,
    scale: OutcomeScale,
) -> _Differences:
    assert claim.capital is not None
    surface = evidence.surface(claim.scope, levels, source)
    own = surface.marginal[claim.capital]
    first, second = pair.columns
    link = _link_effect(surface, claim.capital, scale)[:, [first, second]]
    if source == "prior" and claim.firms == "own":
        # shown for the posterior only: no need to go over all firms again
        standardised = own[:, first] - own[:, second]
    else:
        a, b = (
            evidence.standardised(claim.by, place, levels, source).marginal[claim.capital][:, 0]
            for place in pair.places
        )
        standardised = a - b
    return _Differences(own[:, first] - own[:, second], standardised, link[:, 0] - link[:, 1])


def _link_effect(surface: SurfaceDraws, capital: str, scale: OutcomeScale) -> Array:
    """Change from low to high on the link scale, over low and high of the other, ``(draw, group)``."""
    if not surface.corners:  # there is no other
        low = surface.low[capital]
        return scale.to_link(low + surface.contrast[capital]) - scale.to_link(low)
    p = as_seen_by(surface.corners, capital)
    neither, own, other, both = (scale.to_link(each) for each in p)
    return np.asarray((own - neither + both - other) / 2)


def _compensation_differs(claim: Difference, evidence: Evidence, pair: _Pair) -> Event:
    """The other capital covers more of the way in the first group than in the second."""
    assert claim.capital is not None
    design = evidence.design
    levels, scale = default_levels(design), outcome_scale(design)
    now, before = (
        compensation(
            as_seen_by(evidence.surface(claim.scope, levels, source).corners, claim.capital), scale
        ).other[:, pair.columns]
        for source in ("posterior", "prior")
    )
    other = next(name for name in CAPITAL_WORDS if name != claim.capital)
    words = (
        f"share of the way from both low to both high that {CAPITAL_WORDS[other]} alone covers "
        f"({scale.link} scale), in the first {kind_compared(claim)} less that in the second, above "
        f"{claim.margin:g}"
    )
    defined = [np.isfinite(each).all(axis=1) for each in (now, before)]
    thin = _thin(
        CLAIM.validate_python({"kind": "complementarity"}), levels, evidence, pair, ALL_CORNERS
    )
    with np.errstate(invalid="ignore"):
        events = [each[:, 0] - each[:, 1] > claim.margin for each in (now, before)]
    figures: tuple[VerdictFigure, ...] = ()
    quantities: dict[str, Array] = {}
    if defined[0].all():
        shares = now[:, 0] - now[:, 1]
        figures = (figure_of("difference of the shares", shares, evidence, "share"),)
        quantities[f"share of the way that {other} alone covers"] = shares
    assessable = EventPart(
        "assessable",
        f"a way to share in both ({scale.link} scale)",
        defined[0],
        defined[1],
        thin,
    )
    part = EventPart("kappa", words, events[0], events[1], thin)
    return Event(
        pair.name,
        events[0] & defined[0],
        events[1] & defined[1],
        words,
        figures,
        (part,),
        assessable,
        quantities=quantities,
    )


def _claims_differ(claim: Difference, evidence: Evidence, pair: _Pair) -> Event:
    """A claim holds in the first group, and can be assessed and does not hold in the second."""
    compared = claim_compared(claim, evidence)
    design = evidence.design
    levels, scale = levels_of(design, compared), outcome_scale(design, compared.at_least)
    (now, words, places), (before, _, _) = (
        _holding(
            compared, evidence.surface(claim.scope, levels, source, compared.at_least), scale, pair
        )
        for source in ("posterior", "prior")
    )
    thin = _thin(compared, levels, evidence, pair, places)
    parts = (
        EventPart("first", f"it holds in {pair.first}: {words}", now.first, before.first, thin),
        EventPart(
            "second", f"it does not hold in {pair.second}", now.not_second, before.not_second, thin
        ),
    )
    assessable = EventPart(
        "assessable", "the claim can be assessed in both", now.assessable, before.assessable, thin
    )
    return Event(
        pair.name,
        now.first & now.not_second & now.assessable,
        before.first & before.not_second & before.assessable,
        f"in the first {kind_compared(claim)} and not in the second: {words} ({levels.declared})",
        (),
        parts,
        assessable,
        rests_on_rejection=True,
    )


class _Holding(NamedTuple):
    """Where a claim holds in the first, fails in the second, and can be assessed, ``(draw,)`` each."""

    first: Draws
    not_second: Draws
    assessable: Draws


def _holding(
    claim: CornerClaim, surface: SurfaceDraws, scale: OutcomeScale, pair: _Pair
) -> tuple[_Holding, str, tuple[str, ...]]:
    """Where a claim holds in the first group, fails in the second, and can be assessed in both."""
    region = region_of(claim, surface.corners, scale)
    holds = np.logical_and.reduce([part.event for part in region.parts])[:, pair.columns]
    can = np.ones(holds.shape[0], dtype=bool)
    if region.assessable is not None:
        can = region.assessable.event[:, pair.columns].all(axis=1)
    return _Holding(holds[:, 0], ~holds[:, 1], can), region.words, region.rests_on


def _thin(
    claim: CornerClaim, levels: Levels, evidence: Evidence, pair: _Pair, places: Sequence[str]
) -> str:
    """What the corners of either group lack in firms."""
    near, scale = evidence.support(levels), outcome_scale(evidence.design, claim.at_least)
    found = (lacking(claim, near, evidence, scale, column)(places) for column in pair.columns)
    names = pair.first, pair.second
    return next((f"{name}: {told}" for name, told in zip(names, found, strict=True) if told), "")
