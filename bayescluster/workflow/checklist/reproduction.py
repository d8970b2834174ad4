"""Rules on getting the same again, and on what the analysis cannot tell."""

from __future__ import annotations

from bayescluster.workflow.checklist.record import Answer, Known, Rule, counted


def _again(known: Known) -> Answer:
    made = known.results.reproduction
    what = f"analysis, data digest, {counted(len(made.versions), 'version')}, seed"
    return Answer("done", f"{what} {known.results.fit.seed}", "#reproduction")


def _limits(known: Known) -> Answer:
    limits = known.results.limits
    if not limits:
        return Answer("not done", "the analysis states no limits", next="state them under limits")
    return Answer("done", f"{counted(len(limits), 'limit')} stated by the analysis", "#top")


RULES = (
    Rule("Can it be run again?", ("BARG 6.A", "BARG 6.B"), _again),
    Rule("Are the limits stated?", ("STROBE 19",), _limits),
)
