"""Rules on the fit, the posterior and predictions."""

from __future__ import annotations

from bayescluster.results.fit_checks import CalibrationRow, PitRow
from bayescluster.workflow.checklist.record import Answer, Known, Rule, counted


def _predictive(known: Known) -> Answer:
    rows = [*known.results.predictive]
    rows += [row for other in known.results.others for row in other.predictive]
    if not rows:
        return Answer("not done", "no posterior predictive check was made", "#checks")
    flagged = sum(row.flagged for row in rows)
    what = f"{flagged} of {counted(len(rows), 'statistic')} flagged"
    return Answer("look" if flagged else "done", what, "#checks")


def _distributions(known: Known) -> Answer:
    found = known.results.fit_checks
    if found is None:
        return Answer("not done", "LOO-PIT and calibration were not made", "#checks")
    missing = [why for why in (found.pit_reason, found.calibration_reason) if why]
    rows: list[PitRow | CalibrationRow] = [*(found.pit.groups if found.pit else ())]
    rows += [*(found.calibration.rows if found.calibration else ())]
    tested = [row for row in rows if row.p is not None]
    if not tested:
        return Answer("not done", "; ".join(missing) or "no group could be tested", "#fit")
    flagged = sum(row.flagged for row in tested)
    of = counted(len(tested), "test of leave-one-out predictions", "tests of left-out predictions")
    return Answer("look" if flagged else "done", f"{flagged} of {of} flagged", "#fit")


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


def _groups_left_out(known: Known) -> Answer:
    folds = known.results.folds
    if folds is None or not folds.groups:
        return Answer(
            "not done",
            "no cluster or industry was left out by refitting",
            next="bayescluster check RUN --leave-out cluster",
        )
    found = [
        f"{part.by}: {form.counted} of {form.groups} groups count, elpd {form.elpd:.1f}"
        for part in folds.groups
        for form in part.forms
    ]
    failed = sum(form.diag_failed for part in folds.groups for form in part.forms)
    return Answer("look" if failed else "done", "; ".join(found), "#left-out")


RULES = (
    Rule("Does the model make data like these?", ("BARG 3.A",), _predictive),
    Rule("Are single outcomes as likely as predicted?", ("Workflow 6",), _distributions),
    Rule("Are posteriors summarised?", ("BARG 3.B", "BARG 4"), _summaries),
    Rule("Do the estimates make sense?", ("WAMBS 6",), _sense),
    Rule("How well are rows predicted from the others?", ("Workflow 6",), _rows_left_out),
    Rule("How well are whole groups predicted?", ("Workflow 6",), _groups_left_out),
)
