"""Prediction by leaving out: groups predicted from refits without them, and rows that were mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from bayescluster.features.folds.results import (
    Folds,
    FormFolds,
    FormRows,
    GroupRow,
    LeftOutGroups,
    LeftOutRows,
    RowRepair,
)
from bayescluster.kit import words
from bayescluster.kit.flat import RawTable, flat, table, table_of
from bayescluster.kit.page import filled
from bayescluster.kit.sections import Section, columns, rows
from bayescluster.kit.table import Cell, Table
from bayescluster.results.model import Results

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


class _Part(NamedTuple):
    """What was left out, as it is shown."""

    heading: str
    intro: tuple[str, ...]
    statements: tuple[str, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]


def body(results: Results) -> Markup:
    """Scores by group beside those of importance sampling, forms compared, and rows mended."""
    found = results.folds
    if found is None:
        return Markup()
    parts = [_groups(part) for part in found.groups]
    if found.row is not None:
        parts.append(_rows(found.row))
    return filled("folds.html.j2", results=results, parts=parts)


def _groups(found: LeftOutGroups) -> _Part:
    plural = words.label(PLURAL[found.by])
    return _Part(
        f"{plural} left out",
        (settings(found), gates(found)),
        (
            *(outcome(found, form) for form in found.forms),
            *failures(found),
        ),
        (_compared(found), *(_by_group(found, form) for form in found.forms)),
        found.notes,
    )


def _compared(found: LeftOutGroups) -> Table:
    several = len(found.forms) > 1
    plural = PLURAL[found.by]
    return Table(
        f"{words.label(plural)} predicted by refits without them",
        columns(
            "Form",
            "#elpd (SE)",
            *(("#Difference (SE)", "#Stacking weight") if several else ()),
            "#By importance sampling (SE)",
            "#diag: k above",
            "#diag: largest k",
            "#diag: refits",
            "#diag: gates failed",
        ),
        rows(_form(form, several=several) for form in found.forms),
        f"Sums are over the {plural} whose refits passed their gates"
        + (" under every form. Small print: weights by importance sampling." if several else ".")
        + f" k: Pareto k of importance sampling, threshold {words.number(found.khat_threshold, 0.1)}.",
    )


def _form(form: FormFolds, *, several: bool) -> tuple[Cell, ...]:
    counted = "" if form.counted == form.groups else f"{form.counted} of {form.groups} groups"
    elpd = _with_error(form.elpd, form.se) if form.counted else words.NONE
    compared = (
        Cell(_with_error(form.difference, form.difference_se) if form.counted else words.NONE),
        Cell(_weight(form.weight), f"{_weight(form.psis_weight)} by importance sampling"),
    )
    second = f"{form.diag_second} made twice" if form.diag_second else ""
    return (
        Cell(form.form),
        Cell(elpd, counted),
        *(compared if several else ()),
        Cell(words.NONE if form.psis is None else _with_error(form.psis, form.psis_se or 0.0)),
        Cell(words.count(form.diag_khat_bad), look="bad" if form.diag_khat_bad else ""),
        Cell(words.number(form.diag_khat_max, 0.1)),
        Cell(words.count(form.diag_refits), second),
        Cell(words.count(form.diag_failed), look="bad" if form.diag_failed else ""),
    )


def _with_error(value: float, error: float) -> str:
    return f"{words.fixed(value, 1)} ({words.fixed(error, 1)})"


def _weight(value: float | None) -> str:
    return words.NONE if value is None else words.fixed(value, 2)


def _by_group(found: LeftOutGroups, form: FormFolds) -> Table:
    mine: Sequence[GroupRow] = [row for row in found.rows if row.form == form.form]
    of = f", {form.form}" if len(found.forms) > 1 else ""
    return Table(
        f"Each {found.by} left out{of}",
        columns(
            words.label(found.by),
            "#Rows",
            "#elpd",
            "#By importance sampling",
            "#Pareto k",
            "Refit",
        ),
        rows(_group(row) for row in mine),
        "elpd: joint log predictive density of all rows of the group, as those of a new group; small "
        "print: its Monte Carlo standard error.",
        folded=f"Each of {len(mine)} {PLURAL[found.by]}{of}" if len(mine) > 6 else "",
    )


def _group(row: GroupRow) -> tuple[Cell, ...]:
    error = "" if row.mcse is None else f"± {words.fixed(row.mcse, 2)}"
    return (
        Cell(row.group),
        Cell(words.count(row.rows)),
        Cell(words.NONE if row.elpd is None else words.fixed(row.elpd, 1), error),
        Cell(words.NONE if row.psis is None else words.fixed(row.psis, 1)),
        Cell(words.number(row.khat, 0.1), look="bad" if row.khat_bad else ""),
        Cell("✓ counts", look="good")
        if row.counts
        else Cell("✕ does not count", row.why, look="bad"),
    )


def _rows(found: LeftOutRows) -> _Part:
    return _Part(
        "Rows left out, mended",
        (row_settings(found),),
        tuple(row_outcome(found, form) for form in found.forms),
        (_compared_rows(found), *([_repairs(found)] if found.repairs else [])),
        found.notes,
    )


def _compared_rows(found: LeftOutRows) -> Table:
    several = len(found.forms) > 1
    return Table(
        "Rows left out one by one",
        columns(
            "Form",
            "#elpd (SE)",
            *(("#Difference (SE)", "#Stacking weight") if several else ()),
            "#Before mending (SE)",
            "#diag: k above",
            "#diag: largest k",
            "#diag: integrated",
            "#diag: refits",
            "#diag: gates failed",
            "#diag: not mended",
        ),
        rows(_form_rows(form, several=several) for form in found.forms),
        "k: Pareto k of importance sampling, before the mending.",
    )


def _form_rows(form: FormRows, *, several: bool) -> tuple[Cell, ...]:
    compared = (
        Cell(_with_error(form.difference, form.difference_se)),
        Cell(_weight(form.weight), f"{_weight(form.psis_weight)} before"),
    )
    return (
        Cell(form.form),
        Cell(_with_error(form.elpd, form.se)),
        *(compared if several else ()),
        Cell(_with_error(form.psis, form.psis_se)),
        Cell(words.count(form.diag_khat_bad)),
        Cell(words.number(form.diag_khat_max, 0.1)),
        Cell(words.count(form.diag_integrated)),
        Cell(words.count(form.diag_refits)),
        Cell(words.count(form.diag_failed), look="bad" if form.diag_failed else ""),
        Cell(words.count(form.diag_left), look="bad" if form.diag_left else ""),
    )


def _repairs(found: LeftOutRows) -> Table:
    several = len(found.forms) > 1
    return Table(
        "Rows above the threshold, and which way each went",
        columns(
            "Row",
            *(("Form",) if several else ()),
            "Way",
            "#Importance sampling",
            "#Effects integrated out",
            "#Refit",
        ),
        rows(
            (
                Cell(row.row),
                *((Cell(row.form),) if several else ()),
                Cell(WAYS[row.way], row.why, "bad" if row.way == "left" else ""),
                _scored(row.psis, row.khat),
                _scored(row.integrated, row.integrated_khat),
                Cell(_log(row.refit), "" if row.refit_mcse is None else f"± {row.refit_mcse:.2f}"),
            )
            for row in found.repairs
        ),
        "Log predictive density of the row by each way that was tried; small print: Pareto k, or the "
        "Monte Carlo standard error of a refit.",
        folded=f"All {len(found.repairs)} rows that were above the threshold"
        if len(found.repairs) > 10
        else "",
    )


def _log(value: float | None) -> str:
    return words.NONE if value is None else words.fixed(value, 2)


def _scored(value: float | None, khat: float | None) -> Cell:
    return Cell(_log(value), "" if khat is None else f"k {words.number(khat, 0.1)}")


FOLDS = Section(
    "left-out",
    "How well is predicted what was left out?",
    "Left out",
    body,
    lambda results: results.folds is not None and bool(results.folds.groups or results.folds.row),
)


BY: Final = ("by",)


def folds_tables(found: Folds | None) -> tuple[RawTable, ...]:
    """Tables of what was left out; none where nothing was."""
    if found is None:
        return ()
    tables = []
    if found.groups:
        tables += [
            table(
                "left_out_groups",
                GroupRow,
                ({"by": part.by} | flat(row) for part in found.groups for row in part.rows),
                BY,
            ),
            table(
                "left_out_forms",
                FormFolds,
                ({"by": part.by} | flat(form) for part in found.groups for form in part.forms),
                BY,
            ),
        ]
    if found.row is not None:
        tables += [
            table_of("left_out_rows", RowRepair, found.row.repairs),
            table_of("left_out_rows_forms", FormRows, found.row.forms),
        ]
    return tuple(tables)
