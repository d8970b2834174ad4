"""Rules on what else might have been found: other forms, likelihoods, priors and choices."""

from __future__ import annotations

from bayescluster.results.multiverse import Multiverse
from bayescluster.workflow.checklist.record import Answer, Known, Rule, counted


def _forms(known: Known) -> Answer:
    found = known.results.comparison
    if found is None:
        return Answer(
            "not done",
            f"only the form '{known.results.model.structure}' was fitted",
            next="list several forms under structure, such as [additive, interaction, conjunctive]",
        )
    what = f"{counted(len(found.forms), 'form')} compared by {found.criterion}"
    return Answer("done", what, "#forms")


def _likelihoods(known: Known) -> Answer:
    found = known.results.likelihoods
    if found is None:
        return Answer("not applicable", "the form has no product of the capitals")
    what = counted(len(found.rows), "likelihood")
    if found.depends:
        return Answer("look", f"{what}: the sign of the product depends on it", "#likelihoods")
    return Answer("done", what, "#likelihoods")


def _priors(known: Known) -> Answer:
    found = known.results.sensitivity
    if found is None or not found.rows:
        why = "; ".join(found.not_made) if found is not None else "no prior was scaled"
        return Answer("not done", why)
    own = [row for row in found.rows if row.block != "likelihood"]
    flagged = {(r.quantity, r.group) for r in own if r.diagnosis not in ("-", "within noise")}
    of = counted(len({(r.quantity, r.group) for r in own}), "parameter or estimand", QUANTITIES)
    what = f"{len(flagged)} of {of} sensitive to a block of priors, by power-scaling"
    return Answer("look" if flagged else "done", what, "#sensitivity")


def _verdicts(known: Known) -> Answer:
    if not known.results.verdicts:
        return Answer("not applicable", "no claim was put to the data")
    found = known.results.sensitivity
    if found is None or not found.verdicts:
        return Answer("not done", "no verdict was put to other priors")
    flips = {row.claim for row in found.verdicts if row.flips}
    untold = {row.claim for row in found.verdicts if row.probability is None} - flips
    of = counted(len(known.results.verdicts), "verdict")
    what = f"{len(flips)} of {of} flip with priors to a power"
    if untold:
        what += f"; {len(untold)} cannot be told at every power from these draws"
    return Answer("look" if flips or untold else "done", what, "#sensitivity")


def _choices(known: Known) -> Answer:
    found = known.study("sweep", Multiverse)
    if found is None:
        return known.not_done("sweep", "multiverse")
    passed = sum(each.status == "passed" for each in found.universes)
    flips = sum(row.flips > 0 for row in found.claims)
    what = (
        f"{flips} of {counted(len(found.claims), 'verdict')} flip in some of "
        f"{counted(len(found.universes), 'universe')}, {passed} of which passed the gate"
    )
    whole = passed == len(found.universes)
    return Answer("done" if whole and not flips else "look", what, known.pages["sweep"])


QUANTITIES = "parameters and estimands"
RULES = (
    Rule("Were other structural forms compared?", ("Workflow 8",), _forms),
    Rule("Do the estimates hang on the priors?", ("BARG 5", "WAMBS 7"), _priors),
    Rule("Do the verdicts hang on the priors?", ("BARG 5", "WAMBS 9"), _verdicts),
    Rule(
        "Would other defensible choices say otherwise?",
        ("BARG 5", "WAMBS 8", "WAMBS 9", "Workflow 8"),
        _choices,
    ),
    Rule("Would another likelihood say otherwise?", ("Workflow 7",), _likelihoods),
)
