"""Rules on what else might have been found: other forms, likelihoods, priors and choices."""

from __future__ import annotations

from bayescluster.workflow.checklist.record import Answer, Known, Rule, counted


def _forms(known: Known) -> Answer:
    found = known.results.comparison
    if found is None:
        return Answer(
            "not done",
            f"only the form '{known.results.model.structure}' was fitted",
            next="list several under `structure:`, or write `structure: all`",
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


RULES = (
    Rule("Were other structural forms compared?", ("Workflow 8",), _forms),
    Rule("Would another likelihood say otherwise?", ("Workflow 7",), _likelihoods),
)
