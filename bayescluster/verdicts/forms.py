"""Verdicts and estimands over several structural forms.

A verdict holds where it holds under each form that the data leave plausible. A weighted average does not
do: stacking weights are those of the mixture that predicts best, and no posterior over forms. They leave
some weight on a form that prediction rules out, so that no claim that this form contradicts could ever be
supported. For effects and corners the draws of the forms are mixed by weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import KAPPA
from bayescluster.design.record import Design
from bayescluster.estimands.effects import SurfaceDraws
from bayescluster.estimands.levels import Levels, default_levels
from bayescluster.lookup import listed
from bayescluster.results.base import Decision, VerdictState
from bayescluster.results.model import Together, Verdict
from bayescluster.spec.hypotheses import By, Hypothesis
from bayescluster.structures.linear import ADDITIVE
from bayescluster.verdicts.compensation import as_seen_by, compensation, outcome_scale
from bayescluster.verdicts.decide import ROUNDING, blocked, events, groups_judged, why_withheld
from bayescluster.verdicts.events import Draws
from bayescluster.verdicts.evidence import Evidence, SurfaceRequest


class JudgedForm(NamedTuple):
    """A form, its own verdicts, whether it is plausible and whether its fit can be relied on."""

    name: str
    plausible: bool
    gate_passed: bool
    verdicts: tuple[Verdict, ...]


class _Withheld(NamedTuple):
    """A decision that no form warrants, and why; empty where all do."""

    decision: Decision
    why: str


def verdicts_over_forms(
    claims: Sequence[Hypothesis], forms: Sequence[JudgedForm], design: Design
) -> tuple[Verdict, ...]:
    """Judge every claim by the plausible forms.

    Parameters
    ----------
    claims
        The claim of each verdict of a form, in their order.
    forms
        All forms that were fitted.
    design
        The design of one of them.

    Returns
    -------
    tuple of Verdict
        Probabilities are those of the plausible form that is least sure: nearest to one half.
    """
    names = tuple(form.name for form in forms)
    return tuple(
        _over_forms(
            [form.verdicts[k] for form in forms],
            forms,
            _Withheld(blocked(claim), why_withheld(claim, design, names)),
        )
        for k, claim in enumerate(claims)
    )


def claims_of_verdicts(claims: Sequence[Hypothesis], evidence: Evidence) -> tuple[Hypothesis, ...]:
    """The claim behind each verdict, in the order of `bayescluster.verdicts.decide.verdicts`."""
    return tuple(claim for claim in claims for _ in groups_judged(claim, evidence))


def non_compensatory(evidence: Evidence) -> float | None:
    """Posterior probability that neither capital makes up for the other, over all firms.

    Where the two together bring about too little for a share of it to be defined, it does not hold.
    """
    design = evidence.design
    if not design.has_both:
        return None
    some = Evidence(design, evidence.posterior.thinned(SHAPE_DRAWS), evidence.prior, evidence.seed)
    corners = some.surface("observed", default_levels(design)).corners
    made_up = compensation(
        as_seen_by({name: draws[:, :1] for name, draws in corners.items()}, None),
        outcome_scale(design),
    )
    return float(((made_up.own <= KAPPA) & (made_up.other <= KAPPA)).mean())


NECESSITY: Final = ("necessary", "necessary_not_sufficient")
LITTLE: Final = (
    "That the capitals add up is plausible too: the other capital makes up for little, which may be "
    "because it does little."
)

SHAPE_DRAWS: Final = 400
"""Draws behind the shape of a form: it is a number in a table, not a verdict."""


def _over_forms(
    own: Sequence[Verdict], forms: Sequence[JudgedForm], withheld: _Withheld
) -> Verdict:
    pairs = list(zip(forms, own, strict=True))
    plausible = [(form.name, verdict) for form, verdict in pairs if form.plausible]
    _, base = min(plausible, key=lambda pair: abs(pair[1].probability - 0.5))
    failed = [form.name for form in forms if form.plausible and not form.gate_passed]
    depends = next((f"Under {name}: {one.depends}" for name, one in plausible if one.depends), "")
    stopped = depends
    if failed:
        stopped = (
            f"The diagnostics gate of {listed(failed)} failed: the probability cannot be relied on."
        )
    state, why = _state(
        {name: own_state(one) for name, one in plausible}, dict(plausible), withheld
    )
    if stopped:
        state, why = "undecided", stopped
    if state == "supported" and base.kind in NECESSITY and ADDITIVE.name in dict(plausible):
        why = f"{why} {LITTLE}"
    ruled_out = [form.name for form in forms if not form.plausible]
    return base.model_copy(
        update={
            "verdict": state,
            "among": _among([one.probability for _, one in plausible]),
            "reason": f"{why} {_by_form(plausible, ruled_out)}",
            "stopped": stopped,
            "withheld": withheld.why,
            "depends": depends,
            "unsupported": next((one.unsupported for _, one in plausible if one.unsupported), ""),
        }
    )


def _among(probabilities: Sequence[float]) -> tuple[float, float] | None:
    return (min(probabilities), max(probabilities)) if len(probabilities) > 1 else None


def own_state(verdict: Verdict) -> VerdictState:
    """State of a form by itself, before anything about the form withholds a decision."""
    if verdict.verdict != "undecided" or not verdict.withheld or verdict.reason != verdict.withheld:
        return verdict.verdict
    return "supported" if verdict.probability >= verdict.level else "rejected"


def _state(
    states: dict[str, VerdictState], own: dict[str, Verdict], withheld: _Withheld
) -> tuple[VerdictState, str]:
    """Join the states of the plausible forms."""
    found = set(states.values())
    every = (
        "each plausible form"
        if len(states) > 1
        else f"{next(iter(states))}, the only plausible form"
    )
    if found == {withheld.decision} and withheld.why:
        return "undecided", withheld.why
    if len(found) == 1:
        (state,) = found
        verb = {"supported": "Supported", "rejected": "Rejected", "undecided": "Undecided"}
        if state in verb:
            return state, f"{verb[state]} under {every}."
        return state, next(iter(own.values())).reason
    if {"supported", "rejected"} <= found:
        sides = (
            f"{side} under {listed([name for name, state in states.items() if state == side])}"
            for side in ("supported", "rejected")
        )
        return "depends on the form", f"The claim is {' and '.join(sides)}, all plausible."
    if found <= {"supported", "scale-dependent"}:
        name = next(name for name, state in states.items() if state == "scale-dependent")
        return "scale-dependent", f"Under {name}: {own[name].reason}"
    if found <= {"rejected", "scale-dependent"} and all(
        one.given <= 1 - one.level + ROUNDING for one in own.values()
    ):
        return "rejected", "In the region under none of the plausible forms."
    if "not assessable" in found and not found & {"supported"}:
        name = next(name for name, state in states.items() if state == "not assessable")
        return "not assessable", f"Under {name}: {own[name].reason}"
    return "undecided", "The plausible forms do not all decide alike."


def _by_form(plausible: Sequence[tuple[str, Verdict]], ruled_out: Sequence[str]) -> str:
    """Probabilities by form, and which forms predict too badly to be asked."""
    told = ", ".join(f"{name} {one.probability:.3f}" for name, one in plausible)
    verb = "predicts" if len(ruled_out) == 1 else "predict"
    out = (
        f"; {listed(ruled_out)} {verb} worse by more than the data leave open" if ruled_out else ""
    )
    return f"Probability by form: {told}{out}."


MIXED_DRAWS = 4000
"""Draws of the mixture; each form has a share of them that is its weight."""
MIXED_PRIOR = 100
"""The same of the prior: few, since prior probabilities are taken from the forms' own verdicts."""


class WeightedForm(NamedTuple):
    """A form with its weight and its estimands."""

    name: str
    weight: float
    evidence: Evidence


class Averaged(Evidence):
    """Estimands of the mixture of several forms; the one with the largest weight gives the design.

    The draws of each form are thinned or repeated evenly to its share of the mixture (systematic
    resampling, without chance), and put one after the other: they are no chains. ``parts`` holds the
    estimands of each form that has draws in the mixture, from these draws only.
    """

    def __init__(self, forms: Sequence[WeightedForm]) -> None:
        main = max(forms, key=lambda form: form.weight).evidence
        super().__init__(main.design, replace(main.posterior, chains=0), main.prior, 0)
        weights = np.array([form.weight for form in forms])
        self.parts = [
            _thinned(form.evidence, share, few)
            for form, share, few in zip(
                forms, shares(weights, MIXED_DRAWS), shares(weights, MIXED_PRIOR), strict=True
            )
            if share
        ]

    @cached_property
    def behind_gates(self) -> dict[str, Array]:
        """Empty: each form has its own gates, if any."""
        return {}

    def _computed(self, request: SurfaceRequest) -> SurfaceDraws:
        source, scope, levels, at_least = request
        parts = [part.surface(scope, levels, source, at_least) for part in self.parts]
        return SurfaceDraws(*(_joined(by_name) for by_name in zip(*parts, strict=True)))

    def standardised(
        self, by: By, member: int, levels: Levels, source: str = "posterior"
    ) -> SurfaceDraws:
        """Estimands of one group over the firms of all, mixed."""
        parts = [part.standardised(by, member, levels, source) for part in self.parts]
        return SurfaceDraws(*(_joined(by_name) for by_name in zip(*parts, strict=True)))


def _thinned(evidence: Evidence, share: int, few: int) -> Evidence:
    posterior, prior = evidence.posterior, evidence.prior
    return Evidence(
        evidence.design,
        posterior.part(evenly(posterior.size, share)),
        prior.part(evenly(prior.size, max(few, 1))),
        evidence.seed,
    )


def _joined(parts: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def shares(weights: Array, total: int) -> tuple[int, ...]:
    """Draws that each weight has of a total, by largest remainders."""
    exact = weights / weights.sum() * total
    found = np.floor(exact).astype("int64")
    short = total - int(found.sum())
    found[np.argsort(-(exact - found), kind="stable")[:short]] += 1
    return tuple(int(share) for share in found)


def evenly(size: int, share: int) -> NDArray[np.int64]:
    """Positions of so many draws among ``size``, evenly spaced, repeated where there are too few."""
    return ((np.arange(share) + 0.5) * size / share).astype("int64")


def together(verdicts: Sequence[Verdict], draws: Sequence[Sequence[Draws]]) -> Together | None:
    """Say how many of the supported claims to expect to be false, and how probable all of them are.

    Parameters
    ----------
    verdicts
        All verdicts of a report.
    draws
        Of each plausible form, the draws in the region of each verdict, ``(draw,)``.

    Returns
    -------
    Together or None
        None where no claim is supported.
    """
    supported = [k for k, verdict in enumerate(verdicts) if verdict.verdict == "supported"]
    if not supported:
        return None
    joint = [float(np.logical_and.reduce([form[k] for k in supported]).mean()) for form in draws]
    return Together(
        supported=len(supported),
        expected_false=sum(1 - verdicts[k].probability for k in supported),
        probability=min(joint),
    )


def region_draws(claims: Sequence[Hypothesis], evidence: Evidence) -> list[Draws]:
    """Draws in the region of every verdict on the claims, in their order."""
    return [event.posterior for claim in claims for event in events(claim, evidence)]
