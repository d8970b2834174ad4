"""Rules on decisions: whether their regions are declared, and set against the prior.

No rule asks for the loss function (BARG, step 4): verdicts rest on a declared probability and use
none, so that there is nothing to look at.
"""

from __future__ import annotations

from typing import Final

from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.workflow.checklist.record import Answer, Known, Rule, counted

REGION: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "effect": (("margin",),),
    "difference": (("margin",),),
    "complementarity": (("margin",),),
    "necessary": (("eps", "ratio"),),
    "sufficient": (("theta", "ratio"),),
    "insufficient": (("theta_not", "delta"),),
    "necessary_not_sufficient": (("eps", "ratio"), ("theta_not", "delta")),
    "joint_sufficiency": (("theta",),),
}
"""Settings that make the region of each claim: of every group one, or a default stands in."""


def declared(claim: Hypothesis) -> bool:
    """Whether a claim states its region itself, all of it."""
    fields = type(claim).model_fields
    return all(
        any(getattr(claim, field) != fields[field].default for field in group)
        for group in REGION[claim.kind]
    )


def _regions(known: Known) -> Answer:
    verdicts = known.results.verdicts
    if not verdicts:
        return Answer("not applicable", "no claim is declared, so that nothing is decided")
    if known.analysis is None:
        return Answer("not done", "the analysis of the run was not looked at", "#verdicts")
    claims = known.analysis.hypotheses
    stated = [claim for claim in claims if declared(claim)]
    levels = sorted({verdict.level for verdict in verdicts})
    at = ", ".join(f"{level:.0%}" for level in levels)
    what = (
        f"{len(stated)} of {counted(len(claims), 'claim')} "
        f"{'states' if len(claims) == 1 else 'state'} a region, decided at probability {at}"
    )
    if len(stated) == len(claims):
        return Answer("done", what, "#verdicts")
    others = [claim.kind for claim in claims if not declared(claim)]
    kinds = dict.fromkeys(kind.replace("_", " ") for kind in others)
    fields = dict.fromkeys(field for kind in others for group in REGION[kind] for field in group)
    return Answer(
        "in part" if stated else "not done",
        f"{what}; of the others ({', '.join(kinds)}) the region is the default",
        "#verdicts",
        f"state what counts in this field: {', '.join(fields)}",
    )


def _odds(known: Known) -> Answer:
    verdicts = known.results.verdicts
    told = sum(verdict.odds_ratio is not None for verdict in verdicts)
    if not verdicts:
        return Answer("not applicable", "no claim is declared")
    what = f"posterior odds over prior odds of {told} of {counted(len(verdicts), 'verdict')}"
    return Answer("done" if told else "not done", what, "#verdicts")


RULES = (
    Rule("Are the regions of the decisions declared?", ("BARG 4.C",), _regions),
    Rule("Is evidence set against prior odds?", ("BARG 3.C", "BARG 4"), _odds),
)
