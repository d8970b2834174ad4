"""The event of a claim, draw by draw, in each group that it names, with what the event rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.estimands.diagnostics import estimate, estimates
from bayescluster.estimands.effects import contextual_effect
from bayescluster.estimands.levels import CORNERS, CornerSupport, default_levels, levels_of
from bayescluster.names import context_term
from bayescluster.results.model import VerdictFigure
from bayescluster.spec.hypotheses import Contextual, Difference, Effect
from bayescluster.verdicts.compensation import (
    CornerDraws,
    OutcomeScale,
    as_seen_by,
    compensation,
    outcome_scale,
)
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import (
    CAPITAL_WORDS,
    CORNER_WORDS,
    OUTCOME_PART,
    CornerClaim,
    Part,
    Region,
    corner_of,
    region_of,
)
from bayescluster.verdicts.support import lacking

Draws = NDArray[np.bool_]


class EventPart(NamedTuple):
    """A condition of a region for one group, ``(draw,)`` each; ``thin`` says what its corners lack."""

    name: str
    words: str
    posterior: Draws
    prior: Draws
    thin: str = ""


class Event(NamedTuple):
    """One event for one group, ``(draw,)`` each, with what it rests on."""

    group: str
    posterior: Draws
    prior: Draws
    words: str
    figures: tuple[VerdictFigure, ...]
    parts: tuple[EventPart, ...] = ()
    assessable: EventPart | None = None
    negligible: Draws | None = None
    rope: float | None = None
    what: str = "cross difference"
    """What has to count on the outcome scale, of a claim about both scales."""
    rests_on_rejection: bool = False
    """Whether it is supported only where another claim is rejected."""
    quantities: Mapping[str, Array] = MappingProxyType({})
    """What the claim is judged by and no other estimand is, ``(draw,)`` each; the gate looks at it."""

    @property
    def unsupported(self) -> str:
        """What the claim lacks in firms near a corner; nothing where it lacks none."""
        return next((part.thin for part in self.every_part if part.thin), "")

    @property
    def every_part(self) -> tuple[EventPart, ...]:
        """Conditions of the region, after that under which the claim can be assessed at all."""
        return self.parts if self.assessable is None else (self.assessable, *self.parts)

    @property
    def indicators(self) -> dict[str, Draws]:
        """Everything that a decision looks at, draw by draw; see `state_of`.

        ``open`` are the conditions that rest on corners with firms only: one of them can reject the
        claim, whatever the others lack.
        """
        everywhere = np.ones_like(self.posterior)
        judged = [part.posterior for part in self.parts if not part.thin]
        assessable = self.assessable
        can_assess = assessable is not None and not assessable.thin
        found = {
            "region": self.posterior,
            "assessable": assessable.posterior if assessable and can_assess else everywhere,
            "open": np.logical_and.reduce(judged) if judged else everywhere,
        }
        if not self.parts:
            found["open"] = self.posterior
        found["open"] = found["open"] & found["assessable"]
        for part in self.parts:
            if part.name == OUTCOME_PART:
                found["outcome"] = part.posterior
        if self.negligible is not None:
            found["negligible"] = self.negligible
        return found


def effect_events(claim: Effect, evidence: Evidence) -> Iterator[Event]:
    """The event of an effect in every group that the claim names."""
    posterior, prior = effects_of(claim.capital, claim.measure, claim, evidence)
    what = {
        "average_marginal_effect": "average marginal effect",
        "contrast": "change from low to high",
    }[claim.measure]
    title = f"{what} of {CAPITAL_WORDS[claim.capital]}"
    return _beyond(claim, evidence, (posterior, prior), what, title)


def contextual_events(claim: Contextual, evidence: Evidence) -> Iterator[Event]:
    """The event of an effect of what surrounds a firm, in every group that the claim names."""
    capital, levels = claim.capital, default_levels(evidence.design)
    term = context_term(claim.around, capital)
    whole = claim.measure == "whole"
    posterior, prior = (
        surface.whole[term] if whole else contextual_effect(surface, term, (claim.around, capital))
        for surface in (
            evidence.surface(claim.scope, levels, source) for source in ("posterior", "prior")
        )
    )
    all_of, alone = {
        "cluster": ("the whole cluster", "one firm while its neighbours keep theirs"),
        "firm": ("all rows of the firm", "one row while the others keep theirs"),
    }[claim.around]
    step = "having" if evidence.design.is_binary(capital) else "one sd more"
    what = f"average effect of {step} {CAPITAL_WORDS[capital]} in {all_of}"
    what += "" if whole else f", less that in {alone},"
    return _beyond(claim, evidence, (posterior, prior), what, what)


def _beyond(
    claim: Effect | Contextual,
    evidence: Evidence,
    draws_of: tuple[Array, Array],
    what: str,
    title: str,
) -> Iterator[Event]:
    """An effect beyond the margin in the direction of the claim; posterior and prior, ``(draw, group)``."""
    posterior, prior = draws_of
    sign = 1.0 if claim.direction == "positive" else -1.0
    beyond = f"above {claim.margin:g}" if sign > 0 else f"below {-claim.margin:g}"
    rope = claim.rope or claim.margin or None
    small = "" if rope is None else f" (negligible: between -{rope:g} and {rope:g})"
    for column, label in evidence.columns(claim.by):
        draws = posterior[:, column]
        yield Event(
            label,
            sign * draws > claim.margin,
            sign * prior[:, column] > claim.margin,
            f"{what} {beyond}{small}",
            (figure_of(title, draws, evidence, "effect"),),
            negligible=None if rope is None else np.abs(draws) < rope,
            rope=rope,
        )


def effects_of(
    capital: str, measure: str, claim: Effect | Difference, evidence: Evidence
) -> tuple[Array, Array]:
    """Posterior and prior draws of an effect in all groups, ``(draw, group)`` each."""
    levels = default_levels(evidence.design)
    name = "marginal" if measure == "average_marginal_effect" else "contrast"
    posterior, prior = (
        getattr(evidence.surface(claim.scope, levels, source), name)[capital]
        for source in ("posterior", "prior")
    )
    return posterior, prior


def corner_events(claim: CornerClaim, evidence: Evidence) -> Iterator[Event]:
    """The event of a claim about corners in every group that it names."""
    levels = levels_of(evidence.design, claim)
    scale = outcome_scale(evidence.design, claim.at_least)
    surface, before = (
        evidence.surface(claim.scope, levels, source, claim.at_least).corners
        for source in ("posterior", "prior")
    )
    region, prior = (region_of(claim, found, scale) for found in (surface, before))
    near = evidence.support(levels)
    for column, label in evidence.columns(claim.by):
        lacks = lacking(claim, near, evidence, scale, column)
        yield Event(
            label,
            region.event[:, column],
            prior.event[:, column],
            f"{region.words} ({levels.declared})",
            tuple(_corner_figures(claim, region, (surface, before), evidence, near, column)),
            tuple(
                event_part(part, old, column, lacks)
                for part, old in zip(region.parts, prior.parts, strict=True)
            ),
            event_part(region.assessable, prior.assessable, column, lacks)
            if region.assessable and prior.assessable
            else None,
        )


def event_part(
    part: Part, before: Part, column: int, lacks: Callable[[Sequence[str]], str]
) -> EventPart:
    """One condition of a region for one group."""
    return EventPart(
        part.name,
        part.words,
        part.event[:, column],
        before.event[:, column],
        lacks(part.rests_on),
    )


def _corner_figures(
    claim: CornerClaim,
    region: Region,
    corners: tuple[dict[str, Array], dict[str, Array]],
    evidence: Evidence,
    near: CornerSupport,
    column: int,
) -> Iterator[VerdictFigure]:
    """What a claim rests on: how the capitals make up for each other, and the corners."""
    scale, capital = outcome_scale(evidence.design, claim.at_least), getattr(claim, "capital", None)
    now, before = ({c: v[:, [column]] for c, v in each.items()} for each in corners)
    p = as_seen_by(now, capital)
    if claim.kind == "complementarity":
        cross = (p.both - p.own - p.other + p.neither)[:, 0]
        yield figure_of("cross difference", cross, evidence, "effect")
        made_up = compensation(p, scale)
        if scale.link != "outcome":
            label = f"cross difference, {scale.link} scale"
            yield figure_of(label, made_up.interaction[:, 0], evidence, "number")
        if scale.has_ratio:
            times = np.log(np.maximum(p.both * p.neither, TINY) / np.maximum(p.own * p.other, TINY))
            yield figure_of(
                "cross difference of logarithms (ratio scale)", times[:, 0], evidence, "number"
            )
    if any(part.name == "kappa" for part in region.parts) or claim.kind == "complementarity":
        yield from _shares_covered(p, scale, capital, evidence)
    for place in region.rests_on:
        corner = corner_of(place, capital)
        k = CORNERS.index(corner)
        found = figure_of(
            f"{scale.quantity.rstrip(',')}, {CORNER_WORDS[corner]}",
            now[corner][:, 0],
            evidence,
            "level",
        )
        spread = [float(scale.to_link(each[corner][:, 0]).var()) for each in (now, before)]
        yield found.model_copy(
            update={
                "support": float(near.firms[k, column]),
                "inside": bool(near.inside[k, column]),
                "contraction": 1 - spread[0] / spread[1] if spread[1] > 0 else None,
            }
        )


TINY = 1e-12


def _shares_covered(
    p: CornerDraws, scale: OutcomeScale, capital: str | None, evidence: Evidence
) -> Iterator[VerdictFigure]:
    """The share of the way that each capital covers by itself, where there is a way."""
    made_up = compensation(p, scale)
    other = "human_capital" if capital == "social_capital" else "social_capital"
    own = "social_capital" if capital == "social_capital" else "human_capital"
    for name, covered in ((own, made_up.own), (other, made_up.other)):
        draws = covered[:, 0]
        defined = np.isfinite(draws)
        if defined.mean() < DEFINED_MIN:
            continue
        label = f"share of the way that {CAPITAL_WORDS[name]} alone covers ({scale.link} scale)"
        if defined.all():
            yield figure_of(label, draws, evidence, "share")
        else:
            yield VerdictFigure(label=label, estimate=estimate(draws[defined]), unit="share")


DEFINED_MIN = 0.5
"""Share of the draws in which compensation has to be defined for an estimate of it to be shown."""


def figure_of(label: str, draws: Array, evidence: Evidence, unit: str) -> VerdictFigure:
    """Summarise a quantity that a verdict rests on, ``(draw,)``."""
    (found,) = estimates(draws[:, None], evidence.posterior.chains)
    return VerdictFigure.model_validate({"label": label, "estimate": found, "unit": unit})
