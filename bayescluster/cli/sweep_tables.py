"""A sweep as tables on a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bayescluster.cli.guard import say
from bayescluster.kit import words
from bayescluster.studies.multiverse.results import Multiverse
from bayescluster.studies.multiverse.view import (
    DISCLAIMER,
    STATUS,
    flips_of,
    flips_words,
    heading,
    name_of,
    range_words,
    run_words,
    shown,
)

if TYPE_CHECKING:
    from rich.table import Table

    from bayescluster.studies.multiverse.plan import Cost, Plan, Universe

WIDTH = 140
"""Characters of a line where no terminal says how many it has."""
SYNTHETIC = "SYNTHETIC data: nothing here is evidence about real firms."


def print_plan(plan: Plan, cost: Cost) -> None:
    """Print the universes, which of them are there, and what the others would cost."""
    if plan.synthetic:
        say(SYNTHETIC)
    if not plan.declared:
        say("The analysis declares no alternatives: these are a set by default.")
    table = _table(f"{cost.universes} universes:")
    for label in ("Universe", "What it is", "State"):
        table.add_column(label, overflow="fold")
    table.add_column("Rows", justify="right")
    for one in plan.universes:
        rows = words.count(one.fit.rows) if one.fit else words.NONE
        what = "; ".join(choice.words for choice in one.choices) or "the analysis as it is"
        table.add_row(one.name, what, state_of(one), rows)
    _print(table)
    for one in plan.universes:
        for problem in one.problems:
            say(f"{one.name} cannot be fitted:\n  {problem}")
    say(cost_words(plan, cost))


def state_of(universe: Universe) -> str:
    """Say whether a universe is fitted."""
    fit = universe.fit
    if fit is None:
        return "cannot be fitted"
    if fit.results is not None:
        return "there"
    return "fitted, without results" if fit.is_fitted else "to fit"


def cost_words(plan: Plan, cost: Cost) -> str:
    """Say how many fits there would be, and how long they would take."""
    sampling = plan.sampling
    each = f"{sampling.chains} chains of {sampling.draws:,} draws after {sampling.tune:,} of tuning each"
    if not cost.refits:
        return "No fit is to be made."
    told = f"{cost.refits} fits are to be made, {each}: {cost.refits * cost.draws:,} draws in all"
    if cost.seconds is None:
        return f"{told}. How long that takes is not known before the analysis was fitted once."
    time = words.duration(cost.seconds)
    return f"{told}, about {time} one after the other, going by the fit of the analysis."


def plan_json(plan: Plan, cost: Cost) -> str:
    """Write the universes and their cost as JSON."""
    universes = [
        {
            "name": one.name,
            "choices": [
                {"dimension": choice.dimension, "name": choice.name, "words": choice.words}
                for choice in one.choices
            ],
            "state": state_of(one),
            "key": one.fit.key if one.fit else None,
            "run": one.fit.place if one.fit else None,
            "rows": one.fit.rows if one.fit else None,
            "problems": [str(problem) for problem in one.problems],
        }
        for one in plan.universes
    ]
    whole = {
        "declared": plan.declared,
        "combine": plan.multiverse.combine,
        "run_key": plan.run_key,
        "cost": cost._asdict(),
        "universes": universes,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False)


def print_sweep(found: Multiverse) -> None:
    """Print what hangs on each choice, each claim in a line, and which universes do not tell."""
    if found.synthetic:
        say(SYNTHETIC)
    say(heading(found))
    say(flips_words(found))
    say(DISCLAIMER)
    if found.choices:
        _print(_choices(found))
    if found.claims:
        _print(_claims(found))
    silent = [one for one in found.universes if one.status != "passed"]
    for one in silent:
        say(f"{one.name} {STATUS[one.status]}: {run_words(one)}")
    say()
    for note in found.notes:
        say(note)


def _choices(found: Multiverse) -> Table:
    table = _table("\nFlips with each choice, of the verdicts that could:")
    table.add_column("Choice", overflow="fold")
    table.add_column("Flips", justify="right", no_wrap=True)
    table.add_column("Claims that flip", overflow="fold")
    for row in sorted(found.choices, key=lambda row: -row.flips):
        name = f"{row.choice.dimension}: {row.choice.name}"
        table.add_row(name, flips_of(row), "; ".join(row.claims) or words.NONE)
    return table


def _claims(found: Multiverse) -> Table:
    table = _table("\nClaims over the universes:")
    for label in ("Claim", "As declared"):
        table.add_column(label, overflow="fold")
    table.add_column("Probability", justify="right", no_wrap=True)
    table.add_column("Over the universes", overflow="fold")
    for claim in found.claims:
        name = name_of(claim) if claim.by == "all" else f"{name_of(claim)} ({claim.group})"
        table.add_row(name, shown(claim.answers[0]), range_words(claim), claim.words)
    return table


def _table(title: str) -> Table:
    from rich.table import Table

    return Table(title=title, title_justify="left", box=None, pad_edge=False)


def _print(table: Table) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDTH
    console.print(table)
