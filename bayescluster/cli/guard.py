"""Errors to messages and exit codes, at the edge of the program and nowhere else."""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from bayescluster.errors import BayesClusterError, Problem, RunError

INTERRUPTED = 130
GATE_FAILED = 4
UNEXPECTED = 1


@dataclass
class Settings:
    """Options that hold for every command."""

    debug: bool = False
    strikes: bool = False
    """Whether the numbers of results are struck through: see `striking`."""


settings = Settings()


class StoppedWork(KeyboardInterrupt):
    """An interruption that knows what is kept of the work."""

    def __init__(self, kept: str) -> None:
        super().__init__()
        self.kept = kept


@contextmanager
def keeping(kept: str) -> Iterator[None]:
    """Have an interruption of the work within say what is kept of it; chains without this."""
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedWork(kept) from None


def guarded[**P](command: Callable[P, int | None]) -> Callable[P, None]:
    """Turn a command's errors into messages on stderr and its result into an exit code."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
            # here, rather than when the interpreter ends, which would report it as a fault
            sys.stdout.flush()
        except BrokenPipeError:
            _close_output()
            raise typer.Exit from None
        except BayesClusterError as error:
            if settings.debug:
                raise
            _say(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt as error:
            kept = error.kept if isinstance(error, StoppedWork) else "chains"
            _say(f"Interrupted. Finished {kept} are kept: the same command goes on from them.")
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            if settings.debug:
                raise
            message, code = _unexpected(error, kwargs)
            _say(message)
            raise typer.Exit(code) from None
        if code:
            raise typer.Exit(code)

    return wrapper


def _unexpected(error: Exception, options: Mapping[str, Any]) -> tuple[str, int]:
    """Message and exit code of an error that no part of the program foresees.

    A command that works from a saved run meets them where a file of it was changed by hand.
    """
    shows = "`bayescluster --debug ...` shows where"
    run = options.get("run") or options.get("runs")
    if run:
        what = "a file of the run holds what no run of this version writes"
        mend = (
            "see whether `bayescluster runs verify` finds it changed; if every file is as it was "
            f"written, this is a fault of bayescluster: {shows}"
        )
        place = ", ".join(map(str, run)) if isinstance(run, list) else str(run)
        return str(RunError(Problem(what, place, mend))), RunError.exit_code
    name = type(error).__name__
    return (
        f"Unexpected problem: {name}: {error}\n  This is a fault of bayescluster; {shows}.",
        UNEXPECTED,
    )


def _close_output() -> None:
    """Write no more to stdout: whoever read it, such as ``head``, has enough."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")


NUMBER: Final = re.compile(r"[+\-\u2212<>]?\d*\.\d+%?|\d+%")
"""Estimates and probabilities, not counts and not the numbers of a name."""


def say(message: str = "") -> None:
    """Write a line of result to stdout."""
    sys.stdout.write(written(message) + "\n")


def written(text: str) -> str:
    """Write a text as a result: its numbers struck through where they cannot be relied on."""
    if not settings.strikes:
        return text
    before, after = ("\x1b[9m", "\x1b[29m") if sys.stdout.isatty() else ("~~", "~~")
    return NUMBER.sub(lambda found: f"{before}{found.group()}{after}", text)


@contextmanager
def striking(failed: bool) -> Iterator[None]:
    """Strike the numbers of results through where the draws behind them failed their checks."""
    before = settings.strikes
    settings.strikes = failed
    try:
        yield
    finally:
        settings.strikes = before


def say_aside(message: str) -> None:
    """Write a line beside the result, to stderr."""
    _say(message)


def say_json(value: Any) -> None:
    """Write a result to stdout as JSON."""
    import json

    say(json.dumps(value, indent=2, ensure_ascii=False))
