"""Prediction by leaving out, as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bayescluster.cli.guard import print_wide, say
from bayescluster.features.folds import view as folds_words
from bayescluster.features.folds.results import (
    Folds,
    FormFolds,
    FormRows,
    LeftOutGroups,
    LeftOutRows,
)

NONE = "-"
WIDTH = 200
"""Room for every column, whatever the terminal: rows are not to be cut."""

COMPARED: Final = (
    "Form",
    ">elpd",
    ">SE",
    ">difference",
    ">SE",
    ">weight",
    ">PSIS weight",
    ">diag_khat_bad",
    ">diag_khat_max",
    ">diag_refits",
    ">diag_failed",
)


def print_folds(found: Folds, by: str) -> None:
    """Print what was found by leaving out clusters, industries or rows."""
    if found.synthetic:
        say("SYNTHETIC data: nothing here is evidence about real firms.")
    if by == "row":
        if found.row is not None:
            _print_rows(found.row)
        return
    for part in found.groups:
        if part.by == by:
            _print_groups(part)


def _print_groups(found: LeftOutGroups) -> None:
    say(folds_words.settings(found))
    several = len(found.forms) > 1
    for form in found.forms:
        rows = [
            (
                row.group,
                f"{row.rows:,}",
                _fixed(row.elpd, 1),
                _fixed(row.mcse, 2),
                _fixed(row.psis, 1),
                _fixed(row.khat, 2) + ("!" if row.khat_bad else ""),
                "counts" if row.counts else "DOES NOT COUNT",
            )
            for row in found.rows
            if row.form == form.form
        ]
        heads = (found.by.capitalize(), ">Rows", ">elpd", ">MCSE", ">PSIS", ">k", "Refit")
        _table(f"Left out under {form.form}" if several else "Left out", heads, rows)
    if several:
        _compare(found.forms)
    say()
    for form in found.forms:
        say(folds_words.outcome(found, form))
    for text in (*folds_words.failures(found), folds_words.gates(found), *found.notes):
        say(text)


def _compare(forms: Sequence[FormFolds]) -> None:
    _table("Forms compared", COMPARED, (_compared(form) for form in forms))


def _compared(form: FormFolds | FormRows) -> tuple[str, ...]:
    return (
        form.form,
        _fixed(form.elpd, 1),
        _fixed(form.se, 1),
        _fixed(form.difference, 1),
        _fixed(form.difference_se, 1),
        _fixed(form.weight, 2),
        _fixed(form.psis_weight, 2),
        str(form.diag_khat_bad),
        _fixed(form.diag_khat_max, 2),
        str(form.diag_refits),
        str(form.diag_failed),
    )


def _print_rows(found: LeftOutRows) -> None:
    say(folds_words.row_settings(found))
    several = len(found.forms) > 1
    if found.repairs:
        _table(
            "Rows above the threshold",
            (
                "Row",
                *(("Form",) if several else ()),
                ">PSIS",
                ">k",
                ">integrated",
                ">k",
                ">refit",
                "Way",
            ),
            (
                (
                    row.row,
                    *((row.form,) if several else ()),
                    _fixed(row.psis, 2),
                    _fixed(row.khat, 2),
                    _fixed(row.integrated, 2),
                    _fixed(row.integrated_khat, 2),
                    _fixed(row.refit, 2),
                    "NOT MENDED" if row.way == "left" else row.way,
                )
                for row in found.repairs
            ),
        )
    if several:
        _compare_rows(found.forms)
    say()
    for form in found.forms:
        say(folds_words.row_outcome(found, form))
    for row in found.repairs:
        if row.why:
            say(f"{row.row}{f' under {row.form}' if several else ''}: {row.why}.")
    for note in found.notes:
        say(note)


def _compare_rows(forms: Sequence[FormRows]) -> None:
    rows = ((*_compared(form), str(form.diag_left)) for form in forms)
    _table("Forms compared", (*COMPARED, ">diag_left"), rows)


def _fixed(value: float | None, places: int) -> str:
    return NONE if value is None else f"{value:.{places}f}"


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print_wide(title, heads, rows, WIDTH, wrapped=False)
