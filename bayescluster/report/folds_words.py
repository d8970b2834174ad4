"""What prediction by leaving out says, in sentences made by rule."""

from __future__ import annotations

from typing import Final

from bayescluster.report import words
from bayescluster.results.folds import FormFolds, FormRows, LeftOutGroups, LeftOutRows

PLURAL: Final = {"cluster": "clusters", "industry": "industries", "row": "rows"}
WAYS: Final = {
    "integrated": "importance weights with the effects of its groups integrated out",
    "refit": "refit without the row",
    "left": "not mended: importance weights that failed",
}


def settings(found: LeftOutGroups) -> str:
    """How the groups were left out."""
    plural, groups = PLURAL[found.by], found.forms[0].groups
    if found.folds == groups:
        how = f"Each of {groups} {plural} was left out in a refit of its own"
    else:
        how = f"{groups} {plural} were left out in {found.folds} refits, several at once"
    return f"{how}, {found.chains} chains of {found.draws} draws after {found.tune} of tuning."


def gates(found: LeftOutGroups) -> str:
    """What was asked of a refit."""
    return (
        f"A refit counts where R-hat is at most {found.rhat_max:g}, the effective sample size at least "
        f"{found.ess_min:g}, no draw diverges, and the Monte Carlo error of each log score is at most "
        f"{found.error_max:g}; one that fails is made a second time with smaller steps and twice the "
        "draws."
    )


def outcome(found: LeftOutGroups, form: FormFolds) -> str:
    """What refits of a form say beside importance sampling."""
    plural = PLURAL[found.by]
    named = f"{form.form}: " if len(found.forms) > 1 else ""
    if not form.counted:
        return f"{named}no refit passed its gate: there is no elpd."
    over = (
        f"over all {form.groups} {plural}"
        if form.counted == form.groups
        else f"over {form.counted} of {form.groups} {plural}"
    )
    text = (
        f"{named}elpd {words.fixed(form.elpd, 1)} (SE {words.fixed(form.se, 1)}, Monte Carlo error "
        f"{words.fixed(form.mcse, 2)}) {over}"
    )
    if form.psis is None:
        return f"{text}; importance sampling gives no figure."
    return (
        f"{text}; importance sampling says {words.fixed(form.psis, 1)} of the same {plural}, with "
        f"{_above(form.diag_khat_bad, form.groups)} the threshold of Pareto k."
    )


def _above(bad: int, groups: int) -> str:
    return f"{words.count(bad)} of {words.count(groups)} above" if bad else "none above"


def failures(found: LeftOutGroups) -> tuple[str, ...]:
    """Groups whose scores do not count, with the reason, one sentence each."""
    several = len(found.forms) > 1
    return tuple(
        f"{row.group}{f' under {row.form}' if several else ''} does not count: {row.why}."
        for row in found.rows
        if not row.counts
    )


def row_settings(found: LeftOutRows) -> str:
    """How rows were mended."""
    limit = words.number(found.khat_threshold, 0.1)
    first = (
        f"importance weights with the effects of its {found.unit} integrated out, then "
        if found.unit
        else ""
    )
    return (
        f"Rows with a Pareto k above {limit} were mended: by {first}by a refit without the row where "
        f"that fails, for at most {found.most} rows ({found.chains} chains of {found.draws} draws)."
    )


def row_outcome(found: LeftOutRows, form: FormRows) -> str:
    """What the mending of a form's rows came to."""
    named = f"{form.form}: " if len(found.forms) > 1 else ""
    if not form.diag_khat_bad:
        return f"{named}no row is above the threshold: elpd {words.fixed(form.elpd, 1)} stands as it was."
    return (
        f"{named}elpd {words.fixed(form.elpd, 1)} (SE {words.fixed(form.se, 1)}), before "
        f"{words.fixed(form.psis, 1)}. Of the rows above the threshold (there are "
        f"{form.diag_khat_bad}), mended by integrating out: {form.diag_integrated}; by refits: "
        f"{form.diag_refits}; not mended: {form.diag_left}."
    )
