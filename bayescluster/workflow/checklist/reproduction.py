"""Rules on getting the same again, and on what the analysis cannot tell."""

from __future__ import annotations

from bayescluster.workflow.checklist.record import Answer, Known, Rule, counted


def _again(known: Known) -> Answer:
    kept = known.kept
    if kept is None:
        return Answer("not done", "the files of the run were not looked at", "#reproduction")
    found = f"in the run: {', '.join(kept.there) or 'nothing'}"
    if not kept.lacking:
        return Answer("done", f"{found}; the data themselves are not kept", "#reproduction")
    lacking = f"{found}; lacking: {'; '.join(kept.lacking)}"
    again = "run the analysis again: what is lacking is made anew"
    return Answer("in part" if kept.there else "not done", lacking, "#reproduction", again)


def _limits(known: Known) -> Answer:
    limits = known.results.limits
    if not limits:
        return Answer("not done", "the analysis states no limits", next="state them under limits")
    return Answer("done", f"{counted(len(limits), 'limit')} stated by the analysis", "#top")


RULES = (
    Rule("Is all there that it takes to get it again?", ("BARG 6",), _again),
    Rule("Are the limits stated?", ("STROBE 19",), _limits),
)
