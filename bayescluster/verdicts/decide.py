"""From a claim and the evidence to a verdict.

A claim is supported where its declared region reaches the declared level of posterior probability,
and rejected where the region has at most one minus that level, among the draws in which the claim can
be assessed at all. It is not assessable where both capitals together bring about too little, or where
no firms stand at a corner it rests on and nothing else rejects it; negligible where an effect is surely
too small to matter; scale-dependent where the capitals raise each other's effect on the outcome scale
only, which the link function gives by itself. It is undecided, whatever the probability, where the
diagnostics gate failed or the answer depends on the likelihood.

Why a claim about corners cannot be rejected: the form, or the measurement, bends the corners.

A form without gates cannot represent necessity: the corners it converges to reject a true one, the more
surely the more firms there are. Scores with error do the same, whatever the form: they bring the corners
closer together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bayescluster.dataset.values import label_of
from bayescluster.design.forms import WITH_GATES
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import number, probability_error
from bayescluster.names import CAPITALS, OVER
from bayescluster.results.base import Decision, VerdictState
from bayescluster.results.model import Verdict, VerdictPart
from bayescluster.spec.base import Scalar
from bayescluster.spec.hypotheses import Contextual, Corners, Difference, Effect, Hypothesis
from bayescluster.verdicts.differences import difference_events, pairs_of
from bayescluster.verdicts.events import (
    Event,
    EventPart,
    contextual_events,
    corner_events,
    effect_events,
)
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import LINK_PART, percent, reason_of, title_of

ROUNDING = 1e-12
"""1 - 0.8 is a little less than 0.2 in binary; a probability of 0.2 is at the bound all the same."""
PRIOR_DRAWS_MIN = 20
"""Fewest prior draws inside and outside a region from which its prior odds are reported."""
GATE_FAILED = "The diagnostics gate failed: the probability cannot be relied on."


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
    fitted = forms or (design.structure.name,)
    stopped = depends if gate_passed else GATE_FAILED
    withheld = why_withheld(claim, design, fitted)
    shares = {name: float(draws.mean()) for name, draws in event.indicators.items()}
    state, reason = state_of(claim.level, event, shares, stopped, withheld)
    level: Scalar | None = getattr(claim, "at_least", None)
    return Verdict(
        kind=claim.kind,
        capital=getattr(claim, "capital", None),
        by=claim.by,
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
        parts=tuple(_part(part) for part in event.every_part),
        unsupported=event.unsupported,
        min_support=getattr(claim, "min_support", None),
        stopped=stopped,
        withheld=withheld,
        attenuated=attenuation(claim, design),
        at_least=None if level is None else label_of(level),
        depends=depends,
    )


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
        Why the claim cannot be rejected, or shown where it rests on a rejection itself.
    """
    if stopped:
        return "undecided", stopped
    if shares.get("negligible", 0.0) >= level:
        return "negligible", _negligible(shares["negligible"], event.rope)
    if shares["region"] >= level and not event.unsupported:
        if withheld and event.rests_on_rejection:
            return "undecided", withheld
        return "supported", reason_of("supported", shares["region"], level)
    if shares["assessable"] <= 1 - level + ROUNDING:
        return "not assessable", _rare(event, shares["assessable"])
    if shares.get("outcome", 0.0) >= level and not event.unsupported:
        return "scale-dependent", _link_alone(event, shares)
    given = _given(shares)
    if given <= 1 - level + ROUNDING:
        if withheld and not event.rests_on_rejection:
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
        f"{percent(shares['outcome'])} of the posterior has a {event.what} on the outcome scale that "
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


def declared_events(evidence: Evidence) -> tuple[tuple[Hypothesis, Event], ...]:
    """Claims of the analysis with their event in each group; computed once by `Evidence.once`."""
    claims = evidence.design.analysis.hypotheses
    return tuple((claim, event) for claim in claims for event in events(claim, evidence))


def events(claim: Hypothesis, evidence: Evidence) -> Iterator[Event]:
    """The event of a claim for every group that it names, draw by draw, before any verdict."""
    match claim:
        case Effect():
            return effect_events(claim, evidence)
        case Contextual():
            return contextual_events(claim, evidence)
        case Difference():
            return difference_events(claim, evidence)
        case _:
            return corner_events(claim, evidence)


def groups_judged(claim: Hypothesis, evidence: Evidence) -> tuple[str, ...]:
    """Names of the groups, or pairs of them, that a claim has a verdict for, in their order."""
    if isinstance(claim, Difference):
        return tuple(OVER.join(pair) for pair in pairs_of(claim, evidence))
    return tuple(label for _, label in evidence.columns(claim.by))


OF_THE_FORM: Final = (
    "necessary",
    "not_sufficient",
    "necessary_not_sufficient",
    "joint_sufficiency",
)
OF_THE_MEASUREMENT: Final = ("necessary", "necessary_not_sufficient", "joint_sufficiency")
"""Kinds of claims whose rejection a form without gates, and scores with error, do not warrant."""
RELIABLE: Final = 0.9
"""Reliability from which the bend of the corners is left out of account."""


def blocked(claim: Hypothesis) -> Decision:
    """The decision that forms and scores may not warrant: a difference rests on a rejection itself."""
    return "supported" if isinstance(claim, Difference) else "rejected"


def why_withheld(claim: Hypothesis, design: Design, forms: Sequence[str]) -> str:
    """Say why a claim cannot have the decision that is `blocked`; nothing where it can."""
    if isinstance(claim, Difference):
        return _why_not_shown(claim, design, forms)
    if claim.kind in OF_THE_FORM and not set(forms) & set(WITH_GATES):
        fitted = " and ".join(forms)
        return (
            f"Not rejected, although its probability is low: the form fitted ({fitted}) cannot have "
            "gates, so that it would reject a true claim of this kind too. Fit the conjunctive and the "
            "ces form as well."
        )
    if claim.kind in OF_THE_MEASUREMENT and (told := attenuation(claim, design)):
        return (
            f"Not rejected, although its probability is low ({told}): scores with error bring the "
            "corners closer together, so that a true claim of this kind would be rejected too. Measure "
            "the capital as latent to have this corrected."
        )
    return ""


def _why_not_shown(claim: Difference, design: Design, forms: Sequence[str]) -> str:
    """Say why a claim cannot be shown to fail in one of two industries; nothing where it can."""
    kind = claim.of
    if kind in OF_THE_FORM and not set(forms) & set(WITH_GATES):
        return NOT_SHOWN.format(f"the form fitted ({' and '.join(forms)}) cannot have gates")
    told = "; ".join(_attenuated(design))
    if kind in OF_THE_MEASUREMENT and told:
        return NOT_SHOWN.format(f"scores with error bring the corners closer together ({told})")
    return ""


NOT_SHOWN: Final = (
    "That the claim fails in the second industry cannot be shown: {0}, so that a true claim of this kind "
    "would be rejected too."
)


def attenuation(claim: Hypothesis, design: Design) -> str:
    """Say by how much error in the scores bends a claim about corners; nothing where it does not."""
    about_effects = isinstance(claim, Difference) and claim.of == "effect"
    if about_effects or not isinstance(claim, Corners | Difference):
        return ""
    return "; ".join(_attenuated(design))


def _attenuated(design: Design) -> Iterator[str]:
    for measure in design.details.measures:
        known = measure.reliability
        if measure.capital not in CAPITALS or design.is_latent(measure.capital) or known is None:
            continue
        if known < RELIABLE:
            name = measure.capital.replace("_", " ")
            yield f"attenuated: omega of {name} {known:.2f}"
