"""Prediction by leaving out: groups predicted from refits without them, and rows that were mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from bayescluster.report import folds_words, words
from bayescluster.report.environment import filled
from bayescluster.report.sections.record import Cell, Section, Table, columns, rows
from bayescluster.results.folds import FormFolds, FormRows, GroupRow, LeftOutGroups, LeftOutRows
from bayescluster.results.model import Results


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
    plural = words.label(folds_words.PLURAL[found.by])
    return _Part(
        f"{plural} left out",
        (folds_words.settings(found), folds_words.gates(found)),
        (
            *(folds_words.outcome(found, form) for form in found.forms),
            *folds_words.failures(found),
        ),
        (_compared(found), *(_by_group(found, form) for form in found.forms)),
        found.notes,
    )


def _compared(found: LeftOutGroups) -> Table:
    several = len(found.forms) > 1
    plural = folds_words.PLURAL[found.by]
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
        folded=f"Each of {len(mine)} {folds_words.PLURAL[found.by]}{of}" if len(mine) > 6 else "",
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
        (folds_words.row_settings(found),),
        tuple(folds_words.row_outcome(found, form) for form in found.forms),
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
                Cell(folds_words.WAYS[row.way], row.why, "bad" if row.way == "left" else ""),
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
