"""From a claim and the evidence to a verdict.

A claim is supported where its declared region reaches the declared level of posterior probability,
and rejected where the region has at most one minus that level, among the draws in which the claim can
be assessed at all. It is not assessable where both capitals together bring about too little, or where
no firms stand at a corner it rests on and nothing else rejects it; negligible where an effect is surely
too small to matter; scale-dependent where the capitals raise each other's effect on the outcome scale
only, which the link function gives by itself. It is undecided, whatever the probability, where the
diagnostics gate failed or the answer depends on the likelihood.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.values import label_of
from bayescluster.estimands.levels import CORNERS, CornerSupport, default_levels, levels_of
from bayescluster.estimands.summary import estimate, estimates, number, probability_error
from bayescluster.results.base import Decision, VerdictState
from bayescluster.results.model import By, Verdict, VerdictFigure, VerdictPart
from bayescluster.spec.base import Scalar
from bayescluster.spec.hypotheses import Difference, Effect, Hypothesis
from bayescluster.verdicts.compensation import (
    OutcomeScale,
    as_seen_by,
    compensation,
    outcome_scale,
)
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import (
    CAPITAL_WORDS,
    CORNER_WORDS,
    LINK_PART,
    OUTCOME_PART,
    CornerClaim,
    Part,
    Region,
    corner_of,
    percent,
    reason_of,
    region_of,
    title_of,
)
from bayescluster.verdicts.withheld import attenuation, why_withheld

ROUNDING = 1e-12
"""1 - 0.8 is a little less than 0.2 in binary; a probability of 0.2 is at the bound all the same."""
PRIOR_DRAWS_MIN = 20
"""Fewest prior draws inside and outside a region from which its prior odds are reported."""
RULE_OF_THREE = 3.0
"""So many firms over eps, none of which upgraded, are needed to show a probability of at most eps."""
GATE_FAILED = "The diagnostics gate failed: the probability cannot be relied on."

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

    @property
    def unsupported(self) -> str:
        """What the claim lacks in firms near a corner; nothing where it lacks none."""
        every = self.parts if self.assessable is None else (self.assessable, *self.parts)
        return next((part.thin for part in every if part.thin), "")

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


def verdicts(
    claims: tuple[Hypothesis, ...], evidence: Evidence, gate_passed: bool
) -> tuple[Verdict, ...]:
    """Judge every claim for every group that it names."""
    return tuple(
        judged(claim, event, evidence, gate_passed)
        for claim in claims
        for event in events(claim, evidence)
    )


def judged(
    claim: Hypothesis,
    event: Event,
    evidence: Evidence,
    gate_passed: bool,
    forms: Sequence[str] | None = None,
) -> Verdict:
    """Decide on a claim by its event in one group; undecided where the gate failed.

    ``forms`` are all forms that were fitted, where the one of the evidence is not the only one.
    """
    design = evidence.design
    probability, prior = float(event.posterior.mean()), float(event.prior.mean())
    depends = evidence.stopped.get(claim.kind, "")
    stopped = depends if gate_passed else GATE_FAILED
    withheld = why_withheld(claim, design, forms or (design.structure.name,))
    shares = {name: float(draws.mean()) for name, draws in event.indicators.items()}
    state, reason = state_of(claim.level, event, shares, stopped, withheld)
    by: By = "industry" if isinstance(claim, Difference) else claim.by
    level: Scalar | None = getattr(claim, "at_least", None)
    return Verdict(
        kind=claim.kind,
        capital=getattr(claim, "capital", None),
        by=by,
        group=event.group,
        scope=claim.scope,
        title=title_of(claim),
        region=event.words,
        verdict=state,
        reason=reason,
        probability=probability,
        given=_given(shares),
        mcse=probability_error(event.posterior, evidence.posterior.chains),
        prior_probability=prior,
        odds_ratio=odds_ratio(probability, prior, event.prior.size),
        level=claim.level,
        figures=event.figures,
        parts=tuple(_part(part) for part in _all_parts(event)),
        unsupported=event.unsupported,
        stopped=stopped,
        withheld=withheld,
        attenuated=attenuation(claim, design),
        at_least=None if level is None else label_of(level),
        depends=depends,
    )


def _all_parts(event: Event) -> tuple[EventPart, ...]:
    return event.parts if event.assessable is None else (event.assessable, *event.parts)


def _part(part: EventPart) -> VerdictPart:
    return VerdictPart(
        part=part.name,
        words=part.words,
        probability=float(part.posterior.mean()),
        prior_probability=float(part.prior.mean()),
    )


def state_of(
    level: float, event: Event, shares: Mapping[str, float], stopped: str = "", withheld: str = ""
) -> tuple[VerdictState, str]:
    """Decide by the probabilities of what a decision looks at, and say why.

    Parameters
    ----------
    level
        Supported from this probability on.
    event
        The event, for what it lacks in firms.
    shares
        Probability of each of `Event.indicators`.
    stopped
        Why there is no verdict whatever the probability.
    withheld
        Why the claim cannot be rejected, whatever the probability.
    """
    if stopped:
        return "undecided", stopped
    if shares.get("negligible", 0.0) >= level:
        return "negligible", _negligible(shares["negligible"], event.rope)
    if shares["region"] >= level and not event.unsupported:
        return "supported", reason_of("supported", shares["region"], level)
    if shares["assessable"] <= 1 - level + ROUNDING:
        return "not assessable", _rare(event, shares["assessable"])
    if shares.get("outcome", 0.0) >= level and not event.unsupported:
        return "scale-dependent", _link_alone(event, shares)
    given = _given(shares)
    if given <= 1 - level + ROUNDING:
        if withheld:
            return "undecided", withheld
        return "rejected", reason_of("rejected", given, level)
    if event.unsupported:
        return "not assessable", event.unsupported
    return "undecided", _open(shares, given, level)


def _given(shares: Mapping[str, float]) -> float:
    """Probability that a claim holds where it can be assessed; 1 where it never can."""
    return min(shares["open"] / shares["assessable"], 1.0) if shares["assessable"] else 1.0


def _negligible(share: float, rope: float | None) -> str:
    return f"{percent(share)} of the posterior lies between -{rope:g} and {rope:g}: too small to count."


def _rare(event: Event, share: float) -> str:
    assert event.assessable is not None
    return (
        f"{percent(share)} of the posterior has {event.assessable.words}: where the capitals together "
        "bring about so little, the claim can be neither shown nor refuted."
    )


def _link_alone(event: Event, shares: Mapping[str, float]) -> str:
    link = next(part for part in event.parts if part.name == LINK_PART)
    return (
        f"{percent(shares['outcome'])} of the posterior has a cross difference on the outcome scale that "
        f"counts, but {percent(float(link.posterior.mean())).lower()} has one above 0 on the scale of "
        "the model: the link function alone would give what is seen."
    )


def _open(shares: Mapping[str, float], given: float, level: float) -> str:
    if shares["region"] <= 1 - level + ROUNDING:
        return (
            f"{percent(shares['region'])} of the posterior lies in the region, but only because in most "
            f"of it the claim cannot be assessed; of the rest it is {percent(given).lower()}."
        )
    return reason_of("undecided", shares["region"], level)


def decide(probability: float, level: float, stopped: str) -> tuple[Decision, str]:
    """Decide by one probability, unless something stops it; and why."""
    decision: Decision = "undecided"
    if stopped:
        return decision, stopped
    if probability >= level:
        decision = "supported"
    elif probability <= 1 - level + ROUNDING:
        decision = "rejected"
    return decision, reason_of(decision, probability, level)


def odds_ratio(posterior: float, prior: float, draws: int) -> float | None:
    """Posterior odds over prior odds; None where the prior draws are too few to know the prior odds."""
    few = round(min(prior, 1 - prior) * draws) < PRIOR_DRAWS_MIN
    if few or not 0 < posterior < 1:
        return None
    return number(posterior / (1 - posterior) / (prior / (1 - prior)))


def events(claim: Hypothesis, evidence: Evidence) -> Iterator[Event]:
    """The event of a claim for every group that it names, draw by draw, before any verdict."""
    match claim:
        case Effect():
            return _effect(claim, evidence)
        case Difference():
            return _difference(claim, evidence)
        case _:
            return _corner(claim, evidence)


def groups_judged(claim: Hypothesis, evidence: Evidence) -> tuple[str, ...]:
    """Names of the groups, or pairs of them, that a claim has a verdict for, in their order."""
    if isinstance(claim, Difference):
        return tuple(f"{first} over {second}" for first, second in pairs_of(claim, evidence))
    return tuple(label for _, label in evidence.columns(claim.by))


def pairs_of(claim: Difference, evidence: Evidence) -> list[tuple[str, str]]:
    """Pairs of industries that a claim is about: those it names, else every pair."""
    labels = [label for _, label in evidence.columns("industry")]
    return [claim.between] if claim.between else list(combinations(labels, 2))


def _effect(claim: Effect, evidence: Evidence) -> Iterator[Event]:
    posterior, prior = _effects(claim.capital, claim.measure, claim, evidence)
    sign = 1.0 if claim.direction == "positive" else -1.0
    beyond = f"above {claim.margin:g}" if sign > 0 else f"below {-claim.margin:g}"
    what = {
        "average_marginal_effect": "average marginal effect",
        "contrast": "change from low to high",
    }[claim.measure]
    title = f"{what} of {CAPITAL_WORDS[claim.capital]}"
    rope = claim.rope or claim.margin or None
    small = "" if rope is None else f" (negligible: between -{rope:g} and {rope:g})"
    for column, label in evidence.columns(claim.by):
        draws = posterior[:, column]
        yield Event(
            label,
            sign * draws > claim.margin,
            sign * prior[:, column] > claim.margin,
            f"{what} {beyond}{small}",
            (_figure(title, draws, evidence, "effect"),),
            negligible=None if rope is None else np.abs(draws) < rope,
            rope=rope,
        )


def _difference(claim: Difference, evidence: Evidence) -> Iterator[Event]:
    posterior, prior = _effects(claim.capital, "average_marginal_effect", claim, evidence)
    column = {label: k for k, label in evidence.columns("industry")}
    for first, second in pairs_of(claim, evidence):
        less = posterior[:, column[first]] - posterior[:, column[second]]
        less_prior = prior[:, column[first]] - prior[:, column[second]]
        yield Event(
            f"{first} over {second}",
            less > claim.margin,
            less_prior > claim.margin,
            f"average marginal effect in {first} less that in {second} above {claim.margin:g}",
            (_figure(f"effect in {first} less effect in {second}", less, evidence, "effect"),),
        )


def _effects(
    capital: str, measure: str, claim: Effect | Difference, evidence: Evidence
) -> tuple[Array, Array]:
    levels = default_levels(evidence.design)
    name = "marginal" if measure == "average_marginal_effect" else "contrast"
    posterior, prior = (
        getattr(evidence.surface(claim.scope, levels, source), name)[capital]
        for source in ("posterior", "prior")
    )
    return posterior, prior


def _corner(claim: CornerClaim, evidence: Evidence) -> Iterator[Event]:
    levels = levels_of(evidence.design, claim)
    scale = outcome_scale(evidence.design, claim.at_least)
    surface, before = (
        evidence.surface(claim.scope, levels, source, claim.at_least).corners
        for source in ("posterior", "prior")
    )
    region, prior = (region_of(claim, found, scale) for found in (surface, before))
    near = evidence.support(levels)
    for column, label in evidence.columns(claim.by):
        lacks = _lacks(claim, near, evidence, scale, column)
        yield Event(
            label,
            region.event[:, column],
            prior.event[:, column],
            f"{region.words} ({levels.declared})",
            tuple(_corner_figures(claim, region, (surface, before), evidence, near, column)),
            tuple(
                _event_part(part, old, column, lacks)
                for part, old in zip(region.parts, prior.parts, strict=True)
            ),
            _event_part(region.assessable, prior.assessable, column, lacks)
            if region.assessable and prior.assessable
            else None,
        )


def _event_part(
    part: Part, before: Part, column: int, lacks: Callable[[Sequence[str]], str]
) -> EventPart:
    return EventPart(
        part.name,
        part.words,
        part.event[:, column],
        before.event[:, column],
        lacks(part.rests_on),
    )


def _lacks(
    claim: CornerClaim, near: CornerSupport, evidence: Evidence, scale: OutcomeScale, column: int
) -> Callable[[Sequence[str]], str]:
    """What corners lack in firms, by their places as the capital of the claim sees them."""
    capital: str | None = getattr(claim, "capital", None)
    eps: float | None = getattr(claim, "eps", None)

    def lacking(places: Sequence[str]) -> str:
        for place in places:
            corner = corner_of(place, capital)
            k = CORNERS.index(corner)
            least = float(claim.min_support)
            if place == "other" and eps and scale.bounded and least:
                least = max(least, RULE_OF_THREE / eps)
            firms = float(near.firms[k, column])
            if firms < least:
                outside = "" if near.inside[k, column] else ", and it lies outside their range"
                return (
                    f"The effective number of firms around the corner with {CORNER_WORDS[corner]} is "
                    f"{firms:.1f}, fewer than {least:.3g}{outside}: the claim would rest on "
                    "extrapolation."
                )
            if why := _behind_gates(corner, least, evidence, column):
                return why
        return ""

    return lacking


def _behind_gates(corner: str, least: float, evidence: Evidence, column: int) -> str:
    """Say that the gates of a form put too few firms behind a corner; nothing for other forms."""
    behind = evidence.behind_gates
    if not behind:
        return ""
    firms = float(behind[corner][:, column].mean())
    if firms >= least:
        return ""
    return (
        f"The gates put {firms:.1f} firms behind the corner with {CORNER_WORDS[corner]}, "
        f"fewer than {least:.3g}: the claim would rest on its prior."
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
        yield _figure("cross difference", cross, evidence, "effect")
        made_up = compensation(p, scale)
        if scale.link != "outcome":
            label = f"cross difference, {scale.link} scale"
            yield _figure(label, made_up.interaction[:, 0], evidence, "number")
        if scale.has_ratio:
            times = np.log(np.maximum(p.both * p.neither, TINY) / np.maximum(p.own * p.other, TINY))
            yield _figure(
                "cross difference of logarithms (ratio scale)", times[:, 0], evidence, "number"
            )
    if any(part.name == "kappa" for part in region.parts) or claim.kind == "complementarity":
        yield from _shares_covered(p, scale, capital, evidence)
    for place in region.rests_on:
        corner = corner_of(place, capital)
        k = CORNERS.index(corner)
        found = _figure(
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
    p: object, scale: OutcomeScale, capital: str | None, evidence: Evidence
) -> Iterator[VerdictFigure]:
    """The share of the way that each capital covers by itself, where there is a way."""
    made_up = compensation(p, scale)  # type: ignore[arg-type]
    other = "human_capital" if capital == "social_capital" else "social_capital"
    own = "social_capital" if capital == "social_capital" else "human_capital"
    for name, covered in ((own, made_up.own), (other, made_up.other)):
        draws = covered[:, 0]
        defined = np.isfinite(draws)
        if defined.mean() < DEFINED_MIN:
            continue
        label = f"share of the way that {CAPITAL_WORDS[name]} alone covers ({scale.link} scale)"
        if defined.all():
            yield _figure(label, draws, evidence, "share")
        else:
            yield VerdictFigure(label=label, estimate=estimate(draws[defined]), unit="share")


DEFINED_MIN = 0.5
"""Share of the draws in which compensation has to be defined for an estimate of it to be shown."""


def _figure(label: str, draws: Array, evidence: Evidence, unit: str) -> VerdictFigure:
    (found,) = estimates(draws[:, None], evidence.posterior.chains)
    return VerdictFigure.model_validate({"label": label, "estimate": found, "unit": unit})
