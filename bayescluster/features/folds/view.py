"""Prediction by leaving out: groups predicted from refits without them, and rows that were repaired."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Final, NamedTuple

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
from bayescluster.kit.page import tables
from bayescluster.kit.table import Column, Look, Table, View, number
from bayescluster.results.model import Results

PLURAL: Final = {"cluster": "clusters", "industry": "industries", "row": "rows"}
WAYS: Final = {
    "integrated": "importance weights with the effects of its groups integrated out",
    "refit": "refit without the row",
    "left": "not repaired: importance weights that failed",
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
    """How rows were repaired."""
    limit = words.number(found.khat_threshold, 0.1)
    first = (
        f"importance weights with the effects of its {found.unit} integrated out, then "
        if found.unit
        else ""
    )
    return (
        f"Rows with a Pareto k above {limit} were repaired: by {first}by a refit without the row where "
        f"that fails, for at most {found.most} rows ({found.chains} chains of {found.draws} draws)."
    )


def row_outcome(found: LeftOutRows, form: FormRows) -> str:
    """What the repair of a form's rows came to."""
    named = f"{form.form}: " if len(found.forms) > 1 else ""
    if not form.diag_khat_bad:
        return (
            f"{named}no row is above the threshold: elpd {words.fixed(form.elpd, 1)} is unchanged."
        )
    return (
        f"{named}elpd {words.fixed(form.elpd, 1)} (SE {words.fixed(form.se, 1)}), before "
        f"{words.fixed(form.psis, 1)}. Of the rows above the threshold (there are "
        f"{form.diag_khat_bad}), repaired by integrating out: {form.diag_integrated}; by refits: "
        f"{form.diag_refits}; not repaired: {form.diag_left}."
    )


class _Part(NamedTuple):
    """What was left out, as it is printed."""

    intro: tuple[str, ...]
    statements: tuple[str, ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]


def lines(found: Folds) -> tuple[str, ...]:
    """What was found by leaving out groups and rows, in sentences."""
    parts = [_groups(part) for part in found.groups]
    if found.row is not None:
        parts.append(_rows(found.row))
    return tuple(words.sentence(text) for part in parts for text in (*part.statements, *part.notes))


def printed(found: Folds, by: str) -> Iterator[str | Table]:
    """Print what was found by leaving out clusters, industries or rows."""
    parts = [_groups(part) for part in found.groups if part.by == by]
    if by == "row" and found.row is not None:
        parts = [_rows(found.row)]
    for part in parts:
        yield from part.intro
        yield from part.tables
        yield from ("", *part.statements, *part.notes)


def views(results: Results) -> Iterator[View[Any]]:
    """Forms and groups of all that was left out, and the rows that were repaired."""
    for part in results.folds.groups if results.folds else ():
        yield _compared(part)
        yield from (_by_group(part, form) for form in part.forms)
    if results.folds and results.folds.row:
        yield _compared_rows(results.folds.row)
        yield _repairs(results.folds.row)


def _groups(found: LeftOutGroups) -> _Part:
    return _Part(
        (settings(found), gates(found)),
        (
            *(outcome(found, form) for form in found.forms),
            *failures(found),
        ),
        tuple(tables((_compared(found), *(_by_group(found, form) for form in found.forms)))),
        found.notes,
    )


def _with_error(value: float | None, error: float | None) -> str:
    if value is None:
        return words.NONE
    return f"{words.fixed(value, 1)} ({words.fixed(error or 0.0, 1)})"


def _score(form: FormFolds | FormRows, name: str) -> str:
    """A sum with its standard error; nothing where no refit counts."""
    if isinstance(form, FormFolds) and not form.counted and name != "psis":
        return words.NONE
    return _with_error(getattr(form, name), getattr(form, f"{name}_se" if name != "elpd" else "se"))


def _weight(value: float | None) -> str:
    return words.NONE if value is None else words.fixed(value, 2)


def _number(label: str, field: str, *, bad: bool = False, **more: Any) -> Column[Any]:
    """A count; one that should be 0 is marked where it is not."""

    def look(form: object) -> Look:
        return "bad" if bad and getattr(form, field) else ""

    return number(label, field, words.count, look=look, **more)


def _against_others(before: str) -> tuple[Column[Any], Column[Any]]:
    """Columns that compare several forms."""
    return (
        number("Difference (SE)", partial(_score, name="difference")),
        number(
            "Stacking weight",
            "weight",
            _weight,
            note=lambda form: f"{_weight(form.psis_weight)} {before}",
        ),
    )


LARGEST_K: Column[Any] = number(
    "diag: largest k", "diag_khat_max", partial(words.number, spread=0.1)
)


def _compared(found: LeftOutGroups) -> View[FormFolds]:
    several, plural = len(found.forms) > 1, PLURAL[found.by]
    return View(
        "left_out_forms",
        FormFolds,
        f"{words.label(plural)} predicted by refits without them",
        (
            Column("Form", "form"),
            number("elpd (SE)", partial(_score, name="elpd"), note=_counted),
            *(_against_others("by importance sampling") if several else ()),
            number("By importance sampling (SE)", partial(_score, name="psis")),
            _number("diag: k above", "diag_khat_bad", bad=True),
            LARGEST_K,
            _number(
                "diag: refits",
                "diag_refits",
                note=lambda form: f"{form.diag_second} made twice" if form.diag_second else "",
            ),
            _number("diag: gates failed", "diag_failed", bad=True),
        ),
        found.forms,
        f"Sums are over the {plural} whose refits passed their gates"
        + (" under every form. Small print: weights by importance sampling." if several else ".")
        + f" k: Pareto k of importance sampling, threshold {words.number(found.khat_threshold, 0.1)}.",
        before={"by": found.by},
    )


def _counted(form: FormFolds) -> str:
    return "" if form.counted == form.groups else f"{form.counted} of {form.groups} groups"


def _by_group(found: LeftOutGroups, form: FormFolds) -> View[GroupRow]:
    mine = tuple(row for row in found.rows if row.form == form.form)
    of = f", {form.form}" if len(found.forms) > 1 else ""
    return View(
        "left_out_groups",
        GroupRow,
        f"Each {found.by} left out{of}",
        (
            Column(words.label(found.by), "group"),
            number("Rows", "rows", words.count),
            number("elpd", "elpd", _fixed, note=_error),
            number("By importance sampling", "psis", _fixed),
            number(
                "Pareto k",
                "khat",
                partial(words.number, spread=0.1),
                look=lambda row: "bad" if row.khat_bad else "",
            ),
            Column(
                "Refit",
                "counts",
                lambda counts: "✓ counts" if counts else "✕ does not count",
                lambda row: "" if row.counts else row.why,
                lambda row: "good" if row.counts else "bad",
            ),
        ),
        mine,
        "elpd: joint log predictive density of all rows of the group, as those of a new group; small "
        "print: its Monte Carlo standard error.",
        f"Each of {len(mine)} {PLURAL[found.by]}{of}" if len(mine) > 6 else "",
        before={"by": found.by},
    )


def _fixed(value: float | None, places: int = 1) -> str:
    return words.NONE if value is None else words.fixed(value, places)


def _error(row: GroupRow) -> str:
    return "" if row.mcse is None else f"± {words.fixed(row.mcse, 2)}"


def _rows(found: LeftOutRows) -> _Part:
    return _Part(
        (row_settings(found),),
        tuple(row_outcome(found, form) for form in found.forms),
        tuple(tables((_compared_rows(found), *([_repairs(found)] if found.repairs else [])))),
        found.notes,
    )


def _compared_rows(found: LeftOutRows) -> View[FormRows]:
    return View(
        "left_out_rows_forms",
        FormRows,
        "Rows left out one by one",
        (
            Column("Form", "form"),
            number("elpd (SE)", partial(_score, name="elpd")),
            *(_against_others("before") if len(found.forms) > 1 else ()),
            number("Before the repair (SE)", partial(_score, name="psis")),
            _number("diag: k above", "diag_khat_bad"),
            LARGEST_K,
            _number("diag: integrated", "diag_integrated"),
            _number("diag: refits", "diag_refits"),
            _number("diag: gates failed", "diag_failed", bad=True),
            _number("diag: not repaired", "diag_left", bad=True),
        ),
        found.forms,
        "k: Pareto k of importance sampling, before the repair.",
    )


def _repairs(found: LeftOutRows) -> View[RowRepair]:
    form = (Column[RowRepair]("Form", "form"),) if len(found.forms) > 1 else ()
    log = partial(_fixed, places=2)
    return View(
        "left_out_rows",
        RowRepair,
        "Rows above the threshold, and which way each went",
        (
            Column("Row", "row"),
            *form,
            Column(
                "Way",
                "way",
                WAYS.__getitem__,
                lambda row: row.why,
                lambda row: "bad" if row.way == "left" else "",
            ),
            number("Importance sampling", "psis", log, note=lambda row: _k(row.khat)),
            number(
                "Effects integrated out",
                "integrated",
                log,
                note=lambda row: _k(row.integrated_khat),
            ),
            number(
                "Refit",
                "refit",
                log,
                note=lambda row: "" if row.refit_mcse is None else f"± {row.refit_mcse:.2f}",
            ),
        ),
        found.repairs,
        "Log predictive density of the row by each way that was tried; small print: Pareto k, or the "
        "Monte Carlo standard error of a refit.",
        f"All {len(found.repairs)} rows that were above the threshold"
        if len(found.repairs) > 10
        else "",
    )


def _k(khat: float | None) -> str:
    return "" if khat is None else f"k {words.number(khat, 0.1)}"
