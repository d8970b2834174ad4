"""What the terminal says of further attempts after a failed gate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bayescluster.cli.guard import say
from bayescluster.results.gate import Attempt


def print_attempts(attempts: Sequence[Attempt]) -> None:
    """Print attempts after a failed gate: what was changed, and what the gate then said."""
    if not attempts:
        return
    say("\nAttempts (only how the posterior is drawn was changed, not the model)")
    for one in attempts:
        said = "passed" if one.gate_passed else f"FAILED ({', '.join(one.failing)})"
        changed = ", ".join(map(str, one.changes))
        say(f"  {one.number}  {changed or 'the analysis as asked'}: {said}  [{one.key}]")


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


def offer_retry(command: str, config: Path) -> None:
    """Say that a failed fit can be drawn again."""
    say(
        f"`bayescluster {command} {config} --retry` draws again as advised, at most 3 times, each "
        "a run of its own; the model stays as it is."
    )
