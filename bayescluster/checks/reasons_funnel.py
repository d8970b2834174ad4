"""Funnels: a group sd near 0 that squeezes its effects, or effects known better than their sd."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks.advice import DIVERGENCES, ENERGY, TREE_DEPTH
from bayescluster.checks.reasons_record import Found, Seen, correlation, reason
from bayescluster.checks.thresholds import (
    FUNNEL_CORRELATION,
    FUNNEL_DIVERGENCES,
    FUNNEL_DIVERGENCES_MIN,
)
from bayescluster.design.parts import Grouping
from bayescluster.design.record import Design
from bayescluster.names import CHAIN, DRAW, group_effect, group_sd
from bayescluster.results.gate import Reason, ReasonKind

FUNNELS_SHOWN = 3


class _Place(NamedTuple):
    """A term of a grouping, with the log of its sd and its effects at each draw."""

    design: Design
    grouping: Grouping
    term: str
    log_sd: Array
    effect: Array
    """``(draw, group)``."""
    chains: int

    @property
    def centred(self) -> bool:
        return self.term in self.grouping.centred

    def within_chains(self, values: Array) -> float:
        """Correlation of something with the log sd, apart from where the chains sit."""
        pair = (each.reshape(self.chains, -1) for each in (self.log_sd, values))
        first, second = (each - each.mean(axis=1, keepdims=True) for each in pair)
        return correlation(first.ravel(), second.ravel())

    @property
    def sd_name(self) -> str:
        return f"{self.design.variable(group_sd(self.grouping.name))}[{self.term}]"

    def is_among(self, names: set[str]) -> bool:
        """Whether the sd or an effect of this place is named."""
        effect = f"{self.design.variable(group_effect(self.grouping.name))}["
        return self.sd_name in names or any(
            name.startswith(effect) and name.endswith(f", {self.term}]") for name in names
        )


def funnels(seen: Seen, failed: set[str], worst: set[str]) -> Iterator[Reason]:
    """Find funnels at named groupings and terms, the plainest first.

    Divergences in the lowest quarter of a group sd show one; so does a sd that moves with the
    spread of its effects, where the checks that failed name it or the sampler could not follow.
    """
    found = []
    for place in _places(seen):
        named = place.is_among(worst)
        one = _by_divergences(seen, place) or _by_shape(place, named, failed)
        if one is not None:
            found.append(one)
    found.sort(key=lambda each: -abs(each.number) / each.threshold)
    yield from found[:FUNNELS_SHOWN]


def _places(seen: Seen) -> Iterator[_Place]:
    posterior = seen.tree["posterior"].to_dataset()
    for design in seen.design.equations:
        for grouping in design.groupings:
            sd = design.variable(group_sd(grouping.name))
            effect = design.variable(group_effect(grouping.name))
            if sd not in posterior or effect not in posterior:
                continue
            sds = posterior[sd].transpose(CHAIN, DRAW, ...).to_numpy()
            effects = posterior[effect].transpose(CHAIN, DRAW, ...).to_numpy()
            for position, term in enumerate(grouping.terms):
                draws = sds[..., position].ravel().astype("float64")
                if not (np.isfinite(draws).all() and (draws > 0).all()):
                    continue
                values = effects[..., position].reshape(draws.size, -1).astype("float64")
                yield _Place(design, grouping, term, np.log(draws), values, len(sds))


def _by_divergences(seen: Seen, place: _Place) -> Reason | None:
    """See whether the divergences lie in the neck."""
    if "diverging" not in seen.stats:
        return None
    diverging = seen.stats["diverging"].transpose(CHAIN, DRAW).to_numpy().ravel().astype(bool)
    count = int(diverging.sum())
    if count < FUNNEL_DIVERGENCES_MIN:
        return None
    neck = np.quantile(place.log_sd, 0.25)
    share = float((place.log_sd[diverging] <= neck).mean())
    if share < FUNNEL_DIVERGENCES:
        return None
    words = (
        f"{share:.0%} of {count} divergences lie where the sd of {place.term} by "
        f"{place.grouping.name} is in its lowest quarter, below {np.exp(neck):.2g}"
    )
    kind: ReasonKind = "centred_funnel" if place.centred else "funnel"
    return _told(kind, place, Found(words, share, FUNNEL_DIVERGENCES))


def _by_shape(place: _Place, named: bool, failed: set[str]) -> Reason | None:
    """See whether sd and spread of the effects move together, or sd and standardised effects."""
    spread = 0.5 * np.log(np.square(place.effect).mean(axis=1) + np.finfo(float).tiny)
    together = place.within_chains(spread)
    apart = place.within_chains(spread - place.log_sd)
    by = f"of the sd of {place.term} by {place.grouping.name}"
    if (named or failed & {DIVERGENCES, ENERGY}) and together >= FUNNEL_CORRELATION:
        kind: ReasonKind = "centred_funnel" if place.centred else "funnel"
        words = f"correlation {together:.2f} {by} with the spread of its effects, in logs"
        return _told(kind, place, Found(words, together, FUNNEL_CORRELATION))
    wanted = named or TREE_DEPTH in failed
    if wanted and not place.centred and apart <= -FUNNEL_CORRELATION:
        words = f"correlation {apart:.2f} {by} with the spread of its standardised effects, in logs"
        return _told("inverted_funnel", place, Found(words, apart, FUNNEL_CORRELATION))
    return None


def _told(kind: ReasonKind, place: _Place, found: Found) -> Reason:
    grouping, equation = place.grouping, place.design.equation_name
    value = _parameterised(kind, place)
    facts = {"level": grouping.name, "term": place.term, "groups": len(grouping.labels)}
    return reason(
        kind,
        equation,
        found,
        facts | {"value": value},
        level=grouping.name,
        term=place.term,
        parameters=(place.sd_name,),
        setting=f"equations.{equation}.varying.{grouping.name}.centred" if value else "",
        value=value,
    )


def _parameterised(kind: ReasonKind, place: _Place) -> str:
    """Which terms to sample centred instead; nothing where that would not help.

    Correlated effects are centred all together, or not at all.
    """
    grouping = place.grouping
    if kind == "funnel":
        return ""
    if kind == "inverted_funnel":
        centred = tuple(t for t in grouping.terms if t in (*grouping.centred, place.term))
        whole = grouping.correlated
    else:
        centred = tuple(t for t in grouping.centred if t != place.term)
        whole = False
        centred = () if grouping.correlated else centred
    if whole or centred == grouping.terms:
        return "true"
    return f"[{', '.join(centred)}]" if centred else "false"
