"""Progress of a run: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from bayescluster.cli.guard import say_aside
from bayescluster.inference.watch import CountingWatch

if TYPE_CHECKING:
    from bayescluster.inference.nuts import ChainState

LINE_SECONDS = 15.0
"""Shortest time between two plain lines about one chain."""
COUNT = -1
"""Stands in the place of a chain where replications are counted."""


@contextmanager
def watching() -> Iterator[CountingWatch]:
    """Watch a run on stderr, as fits where it goes."""
    if sys.stderr.isatty():
        with _bars() as watch:
            yield watch
    else:
        yield PlainLines()


class _Start(NamedTuple):
    """When a chain was seen first since the last step, and how many draws it had then."""

    time: float
    finished: int = 0


class PlainLines:
    """Tell each step, and each chain now and then, as a line."""

    def __init__(self) -> None:
        self._started: dict[int, _Start] = {}
        self._told: dict[int, float] = {}

    def step(self, message: str) -> None:
        """Tell a step; chains that move on after it are those of another model."""
        self._started.clear()
        self._told.clear()
        say_aside(message)

    def chain(self, state: ChainState) -> None:
        """Tell where a chain stands."""
        now = time.monotonic()
        started = self._started.setdefault(state.chain, _Start(now, state.finished))
        last = self._told.get(state.chain, started.time)
        # the end of a block is reported for all chains together, with what the checks say
        ended = state.finished >= state.total and not state.goes_on
        if last == float("inf") or (now - last < LINE_SECONDS and not ended):
            return
        self._told[state.chain] = float("inf") if ended else now
        say_aside(f"  {_chain_words(state, started, now)}")

    def count(self, what: str, finished: int, total: int) -> None:
        """Tell how many are finished, now and then."""
        now = time.monotonic()
        started = self._started.setdefault(COUNT, _Start(now)).time
        if now - self._told.get(COUNT, started) < LINE_SECONDS and 0 < finished < total:
            return
        self._told[COUNT] = now
        say_aside(f"  {what}: {_count_words(finished, total, now - started)}")


@contextmanager
def _bars() -> Iterator[CountingWatch]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[words]}"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True) as bars:
        yield _Bars(bars, console)


class _Bars:
    def __init__(self, bars: object, console: object) -> None:
        from rich.console import Console
        from rich.progress import Progress, TaskID

        assert isinstance(bars, Progress)
        assert isinstance(console, Console)
        self._bars, self._console = bars, console
        self._tasks: dict[int, TaskID] = {}
        self._started: dict[int, _Start] = {}

    def step(self, message: str) -> None:
        for task in self._tasks.values():
            self._bars.remove_task(task)
        self._tasks.clear()
        self._started.clear()
        self._console.print(message, highlight=False, markup=False)

    def chain(self, state: ChainState) -> None:
        now = time.monotonic()
        started = self._started.setdefault(state.chain, _Start(now, state.finished))
        if state.chain not in self._tasks:
            self._tasks[state.chain] = self._bars.add_task(
                f"  chain {state.chain + 1}", total=state.total, words=""
            )
        words = _chain_words(state, started, now).split(": ", 1)[1]
        task = self._tasks[state.chain]
        self._bars.update(task, completed=state.finished, total=state.total, words=words)

    def count(self, what: str, finished: int, total: int) -> None:
        now = time.monotonic()
        started = self._started.setdefault(COUNT, _Start(now)).time
        if COUNT not in self._tasks:
            self._tasks[COUNT] = self._bars.add_task(f"  {what}", total=total, words="")
        words = _count_words(finished, total, now - started)
        self._bars.update(self._tasks[COUNT], completed=finished, words=words)


def _chain_words(state: ChainState, start: _Start, now: float) -> str:
    seconds = now - start.time
    rate = (state.finished - start.finished) / seconds if seconds > 0 else 0.0
    left = f"{(state.total - state.finished) / rate:.0f} s left" if rate > 0 else "starting"
    phase = "tuning" if state.tuning else "sampling"
    if state.goes_on and rate > 0:
        left += " in this block"
    if state.finished >= state.total:
        phase, left = ("waiting", "block done") if state.goes_on else ("done", f"{seconds:.0f} s")
    return (
        f"chain {state.chain + 1}: {phase}, {state.finished} of {state.total} draws, "
        f"{rate:.0f} draws/s, {state.divergences} divergences, {left}"
    )


def _count_words(finished: int, total: int, seconds: float) -> str:
    if finished >= total:
        return f"{finished} of {total}, {seconds:.0f} s"
    left = f", {seconds / finished * (total - finished):.0f} s left" if finished else ""
    return f"{finished} of {total}{left}"
