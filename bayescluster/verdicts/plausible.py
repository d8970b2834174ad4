"""Verdicts over the forms that the data leave plausible.

A verdict holds where it holds under each of them. A weighted average does not do: stacking weights are
those of the mixture that predicts best, and no posterior over forms. They leave some weight on a form
that prediction rules out, so that no claim that this form contradicts could ever be supported.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from bayescluster.checks.thresholds import KAPPA
from bayescluster.design.record import Design
from bayescluster.estimands.levels import default_levels
from bayescluster.lookup import listed
from bayescluster.results.base import Decision, VerdictState
from bayescluster.results.model import Verdict
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.structures.linear import ADDITIVE
from bayescluster.verdicts.compensation import as_seen_by, compensation, outcome_scale
from bayescluster.verdicts.decide import ROUNDING, blocked, groups_judged, why_withheld
from bayescluster.verdicts.evidence import Evidence


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
        {name: _own_state(one) for name, one in plausible}, dict(plausible), withheld
    )
    if stopped:
        state, why = "undecided", stopped
    if state == "supported" and base.kind in NECESSITY and ADDITIVE.name in dict(plausible):
        why = f"{why} {LITTLE}"
    ruled_out = [form.name for form in forms if not form.plausible]
    return base.model_copy(
        update={
            "verdict": state,
            "reason": f"{why} {_by_form(plausible, ruled_out)}",
            "stopped": stopped,
            "withheld": withheld.why,
            "depends": depends,
            "unsupported": next((one.unsupported for _, one in plausible if one.unsupported), ""),
        }
    )


def _own_state(verdict: Verdict) -> VerdictState:
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
