"""Results as tables on a terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Final

from bayescluster.checks.remedies import likely_words
from bayescluster.cli.guard import say, striking, written
from bayescluster.errors import CommandError
from bayescluster.kit import words
from bayescluster.kit.table import MOST_LINES, fitted, print_table
from bayescluster.kit.words import sentence
from bayescluster.lookup import suggestion
from bayescluster.results.fit import Attempt, CheckState, Gate, Reason
from bayescluster.results.model import Results

if TYPE_CHECKING:
    from bayescluster.report.answer import Answer, Grid, GridCell


def print_attempts(attempts: Sequence[Attempt]) -> None:
    """Print attempts after a failed gate: what was changed, and what the gate then said."""
    if not attempts:
        return
    say("\nAttempts (only how the posterior is drawn was changed, not the model)")
    for one in attempts:
        said = "passed" if one.gate_passed else f"FAILED ({', '.join(one.failing)})"
        changed = ", ".join(map(str, one.changes))
        kept = f"  [{one.key}]" if one.key else ""
        say(f"  {one.number}  {changed or 'the analysis as asked'}: {said}{kept}")


def print_outcome(attempts: Sequence[Attempt]) -> None:
    """Print which settings give the attempt that passed, or that none did."""
    if not attempts:
        return
    last = attempts[-1]
    if not last.gate_passed:
        say("No attempt passed. What is left to change is the model: see the likely reasons.")
        return
    say(f"Attempt {last.number} passed. In the analysis file it stands as:")
    for line in last.settings.splitlines():
        say(f"  {line}")


def print_time_limit(minutes: float | None) -> None:
    """Print that the time limit ended the sampling, where it did."""
    if minutes is not None:
        say(
            f"The time limit ended the sampling after {minutes:g} minutes. With a higher "
            "sampling.minutes the same command draws again, for longer."
        )


def offer_retry(command: str, config: Path) -> None:
    """Say that a failed fit can be drawn again."""
    say(
        f"`bayescluster {command} {config} --retry` draws again as advised, at most 3 times, each "
        "a run of its own; the model stays as it is."
    )


def print_answer(results: Results) -> None:
    """Print the first page of the report: a sentence a group, the verdicts, what limits them.

    It takes `MOST_LINES` lines, the place of the report included.
    """
    from bayescluster.report.answer import answer_of

    answer, width, failed = answer_of(results), room(), _failed(results)
    note = " (SYNTHETIC data: no evidence about real firms)" if results.sample.synthetic else ""
    head = _lines(f"{answer.question}{note}", " · ".join(answer.facts))
    grid = answer.grids[0] if answer.grids else None
    below = [*_under(answer), *_lines(*map(": ".join, _limits(answer)))]
    if not results.verdicts:
        below.insert(0, "No hypotheses were declared.")
    taken = len(failed) + len(head) + len(below) + (len(grid.rows) + 1 if grid else 0) + 1
    said = [_lines(f"{group.name}: {group.short}") for group in answer.groups]
    more = _lines(answer.more) if answer.more else []
    for line in failed:
        say(line)
    with striking(bool(failed)):
        for line in (*head, *fitted(said, MOST_LINES - taken - len(more)), *more):
            say(line)
        if grid:
            _print_grid(grid, width)
        for line in below:
            say(line)


def _limits(answer: Answer) -> list[tuple[str, str]]:
    """The weightiest limits, and those that explain a mark."""
    from bayescluster.report.answer import MARKS

    marks = tuple(MARKS.values())
    marked = [one for one in answer.limits if one[0].startswith(marks)]
    others = [one for one in answer.limits if one not in marked]
    others = others[: max(1, MOST_LIMITS - len(marked))]
    return [one for one in answer.limits if one in marked or one in others]


def _lines(*texts: str) -> list[str]:
    """Texts as lines of a terminal."""
    width = room()
    return [
        line
        for text in texts
        for line in wrap(text, width, subsequent_indent="  ", break_long_words=False)
    ]


def _failed(results: Results) -> list[str]:
    if results.gate.passed:
        return []
    failed = ", ".join(item.name for item in results.gate.items if item.passed is not True)
    return _lines(
        f"The diagnostics gate FAILED ({failed}): no verdict can be relied on.",
        f"First: {sentence(results.gate.first_step)}",
    )


def _under(answer: Answer) -> list[str]:
    """What the signs of the grid mean, and claims that it does not hold."""
    if not answer.grids:
        return []
    counted = (
        f"{kind} {', '.join(f'{count} {words.VERDICTS[state].lower()}' for state, count in counts)}"
        for kind, counts in answer.further
    )
    legend = f"(probability: {', '.join(map(' '.join, answer.legend))})"
    return _lines(legend, *([f"Further claims: {'; '.join(counted)}"] if answer.further else []))


NOT_OF_DRAWS: Final = ("sample", "checks", "checklist")
"""Sections whose numbers are no results of the draws, or say how far these can be trusted."""
MOST_LIMITS: Final = 2


def room() -> int:
    """Characters of a line: those of the terminal, within reason; 120 where there is none."""
    return max(60, min(shutil.get_terminal_size((120, 24)).columns, 120))


CELL: Final = 8
"""Characters of a verdict in the grid: its icon, its probability and a mark."""


def _print_grid(grid: Grid, width: int) -> None:
    """Print the verdicts: a claim a row, a group a column."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    longest = max(len(row.title) for row in grid.rows)
    least, wide = len(grid.heads) * (CELL + 1), len(grid.heads) * 20
    room = min(longest, max(width // 2, width - wide) - 1, max(20, width - least - 1))
    each = max(CELL, (width - room) // len(grid.heads) - 1)
    table.add_column("Claim", overflow="ellipsis", no_wrap=True, max_width=room)
    for head in grid.heads:
        table.add_column(
            head.partition(" (n=")[0],
            overflow="ellipsis",
            no_wrap=True,
            max_width=each,
            min_width=CELL,
        )
    for row in grid.rows:
        cells = (_cell(cell) for cell in row.cells)
        table.add_row(row.title, *(Text.from_ansi(written(cell)) for cell in cells))
    Console(highlight=False, markup=False, width=width).print(table)


def _cell(cell: GridCell) -> str:
    if cell.verdict is None:
        return words.NONE
    return f"{words.ICONS[cell.verdict.verdict]} {cell.share}".rstrip() + cell.marks


def print_section(results: Results, name: str) -> None:
    """Print the tables of a section of the report.

    Raises
    ------
    CommandError
        If there is no such section; those there are listed.
    """
    from bayescluster.report.sections import SECTIONS

    wanted = {one.anchor: one for one in SECTIONS if one.wanted(results)}
    known = [
        anchor for anchor, one in wanted.items() if any(view.columns for view in one.views(results))
    ]
    if name not in known:
        raise CommandError(f"there is no section '{name}' with tables: {suggestion(name, known)}")
    width = None if sys.stdout.isatty() else room()
    failed = not results.gate.passed
    say(wanted[name].title)
    if failed:
        say("The diagnostics gate FAILED: numbers of these draws are struck through.")
    for view in wanted[name].views(results):
        if view.columns and view.rows:
            print_table(view.table, width, struck=failed and name not in NOT_OF_DRAWS)


WORDS: Final[Mapping[CheckState, str]] = {
    "passed": "passed",
    "warning": "WARNING",
    "failed": "FAILED",
    "not made": "NOT MADE",
}


def print_checks(gate: Gate) -> None:
    """Print the diagnostics, a line each, with the worst case of what failed."""
    for item in gate.items:
        worst = f": {item.worst[0]}" if item.worst else ""
        say(f"{item.name:<12} {WORDS[item.state]:<9} {item.found} (asked: {item.threshold}){worst}")
        if item.warning:
            say(f"{'':<12} {item.warning}")


def print_failures(gate: Gate) -> None:
    """Print what failed, why it probably did, and what to try next."""
    for item in gate.items:
        if item.passed is not True:
            say(f"  {item.name}: {item.found}; likely: {likely_words(item, gate)}")
            if not gate.reasons_of(item):
                say(f"    try: {item.advice}")
    print_reasons(gate, [reason for reason in gate.reasons if reason.checks])


def print_reasons(gate: Gate, reasons: Sequence[Reason]) -> None:
    """Print reasons, what was found and what to try; the rest beside a gate that passed them."""
    for reason in reasons:
        beside = " (the draws are not to blame)" if reason in gate.other_reasons else ""
        say(f"  {reason.title} ({reason.where}): {reason.found}{beside}")
        say(f"    try: {reason.advice}")
