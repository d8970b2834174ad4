"""Rules on the fit, the posterior and predictions."""

from __future__ import annotations

from bayescluster.workflow.checklist.record import Answer, Known, Rule, counted


def _predictive(known: Known) -> Answer:
    rows = [*known.results.predictive]
    rows += [row for other in known.results.others for row in other.predictive]
    if not rows:
        return Answer("not done", "no posterior predictive check was made", "#checks")
    flagged = sum(row.flagged for row in rows)
    what = f"{flagged} of {counted(len(rows), 'statistic')} flagged"
    return Answer("look" if flagged else "done", what, "#checks")


def _summaries(known: Known) -> Answer:
    effects = known.results.effects
    if not effects:
        return Answer("done", "parameters with means and 90% intervals", "#model")
    return Answer("done", f"{counted(len(effects), 'effect')} with 90% intervals", "#effects")


def _sense(_: Known) -> Answer:
    return Answer("reader", "whether the sizes are plausible in this field", "#effects")


def _rows_left_out(known: Known) -> Answer:
    loo = known.results.loo
    if loo is None:
        return Answer("not done", "leave-one-out cross-validation was not made", "#checks")
    what = f"elpd {loo.elpd:.1f} (se {loo.se:.1f}); {loo.bad} of {loo.rows:,} Pareto k too high"
    return Answer("look" if loo.bad else "done", what, "#checks", loo.advice)


RULES = (
    Rule("Does the model make data like these?", ("BARG 3.A",), _predictive),
    Rule("Are posteriors summarised?", ("BARG 3.B", "BARG 4.F"), _summaries),
    Rule("Do the estimates make sense?", ("WAMBS 6",), _sense),
    Rule("How well are rows predicted from the others?", ("Workflow 6",), _rows_left_out),
)
