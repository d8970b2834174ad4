"""Rules on decisions: what they rest on, and that estimates stand beside them."""

from __future__ import annotations

from bayescluster.workflow.checklist.record import Answer, Known, Rule, counted


def _regions(known: Known) -> Answer:
    verdicts = known.results.verdicts
    if not verdicts:
        return Answer("not applicable", "no claim is declared, so that nothing is decided")
    levels = sorted({verdict.level for verdict in verdicts})
    at = ", ".join(f"{level:.0%}" for level in levels)
    what = f"{counted(len(verdicts), 'verdict')}, each with its region, at probability {at}"
    return Answer("done", what, "#verdicts")


def _loss(_: Known) -> Answer:
    return Answer("not applicable", "verdicts rest on a declared probability, not on losses")


def _odds(known: Known) -> Answer:
    verdicts = known.results.verdicts
    told = sum(verdict.odds_ratio is not None for verdict in verdicts)
    if not verdicts:
        return Answer("not applicable", "no claim is declared")
    what = f"posterior odds over prior odds of {told} of {counted(len(verdicts), 'verdict')}"
    return Answer("done" if told else "not done", what, "#verdicts")


def _words(_: Known) -> Answer:
    return Answer("done", "probabilities of stated regions and 90% posterior intervals", "#reading")


RULES = (
    Rule("Are decision rules and regions declared?", ("BARG 4.A", "BARG 4.C"), _regions),
    Rule("Is the loss function stated, where there is one?", ("BARG 4.B",), _loss),
    Rule("Is evidence set against prior odds?", ("BARG 3.C", "BARG 4.D"), _odds),
    Rule("Is the wording Bayesian?", ("WAMBS 10",), _words),
)
