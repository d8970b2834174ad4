"""A calibration as tables on a terminal."""

from __future__ import annotations

from typing import Final

from bayescluster.cli.guard import say
from bayescluster.studies.calibration.results import Calibration, FormCalibration
from bayescluster.studies.calibration.view import (
    chance_words,
    claim_words,
    gate_words,
    interval_words,
    settings_words,
    share_words,
    source_words,
    state_words,
    verdict_words,
)

SHOWN: Final = 10
"""Quantities in the table, worst first; those that are rejected all stand in it."""
WIDTH: Final = 150


def print_calibration(found: Calibration) -> None:
    """Print whether ranks are uniform, the worst of them, and how reliable probabilities are."""
    if found.synthetic:
        say("SYNTHETIC data: nothing here is evidence about real firms.")
    say(settings_words(found))
    for form in found.forms:
        say(gate_words(found, form))
    for form in found.forms:
        _print_ranks(form)
        _print_claims(form)
    say()
    say(state_words(found))
    say()
    for note in found.notes:
        say(note)


def _print_ranks(form: FormCalibration) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = [row for k, row in enumerate(form.rows) if k < SHOWN or row.rejected]
    title = f"\n{form.form}: ranks of true values, the worst {len(shown)} of {len(form.rows)}"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("Quantity")
    for label in ("p", "Corrected", "With failed"):
        table.add_column(label, justify="right", no_wrap=True)
    table.add_column("What the ranks say")
    for row in shown:
        chances = (chance_words(p) for p in (row.p, row.p_corrected, row.p_all))
        table.add_row(row.name, *chances, verdict_words(row))
    Console(highlight=False, markup=False, width=WIDTH).print(table)


def _print_claims(form: FormCalibration) -> None:
    from rich.console import Console
    from rich.table import Table

    if not form.claims:
        return
    title = f"\n{form.form}: are stated probabilities reliable?"
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("Claim")
    table.add_column("Read by")
    labels = (
        "Stated",
        "True",
        "Interval",
        "Supported: true",
        "Rejected: true",
        "Brier",
        "Expected",
    )
    for label in labels:
        table.add_column(label, justify="right")
    for row in form.claims:
        table.add_row(
            claim_words(row),
            source_words(row),
            f"{100 * row.stated:.0f}%",
            share_words(row.came),
            interval_words(row.came),
            share_words(row.supported),
            share_words(row.rejected),
            f"{row.brier:.3f}",
            f"{row.brier_expected:.3f}",
        )
    Console(highlight=False, markup=False, width=WIDTH).print(table)
