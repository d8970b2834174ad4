"""Errors to messages and exit codes, at the edge of the program and nowhere else."""

from __future__ import annotations

import errno
import functools
import os
import re
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

import typer

from bayescluster.errors import BayesClusterError, Problem, RunError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bayescluster.kit.table import Table

WIDTH: Final = 200
"""Room for every column of a table, whatever the terminal: rows are not to be cut."""

GATE_FAILED = 4
NO_OUTPUT: Final = (errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG)
"""Errors without a file name that mean that stdout takes no more: files are written by `runs.files`."""
UNEXPECTED = 1
STOPS: Final = {getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")}
"""Signals by which a system ends a program in good order."""


@dataclass
class Settings:
    """Options that hold for every command."""

    debug: bool = False
    strikes: bool = False
    """Whether the numbers of results are struck through: see `striking`."""
    stopped_by: int = 0
    """Signal of the system that ends the work; 0 where there was none."""


settings = Settings()


class OutputError(BayesClusterError):
    """What is said cannot be written."""

    title = "The output cannot be written"


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
            say_aside(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt as error:
            kept = error.kept if isinstance(error, StoppedWork) else "chains"
            how = "Stopped by the system" if settings.stopped_by else "Interrupted"
            say_aside(f"{how}. Finished {kept} are kept: the same command goes on from them.")
            raise typer.Exit(128 + (settings.stopped_by or signal.SIGINT)) from None
        except Exception as error:
            if isinstance(error, OSError) and error.errno in NO_OUTPUT and not error.filename:
                raise typer.Exit(_without_output(error)) from None
            if settings.debug:
                raise
            message, code = _unexpected(error, kwargs)
            say_aside(message)
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


def _without_output(error: OSError) -> int:
    """Say that the output cannot be written, and give the exit code for it."""
    _close_output()
    what = f"{error.strerror or error}; files that were written are whole"
    say_aside(str(OutputError(Problem(what, "", "make room, or write it elsewhere"))))
    return OutputError.exit_code


def _close_output(stream: TextIO | None = None) -> None:
    """Write no more to stdout, or to another stream: whoever read it, such as ``head``, has enough."""
    stream = stream or sys.stdout
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
    stream.flush()


@contextmanager
def ending_well() -> Iterator[None]:
    """Have output that nobody takes, and signals of the system, end the program in good order."""
    _open_streams()
    stdout = sys.stdout
    for one in signal.valid_signals():
        if one in STOPS and signal.getsignal(one) == signal.SIG_DFL:
            signal.signal(one, _stop)
    try:
        yield
    except SystemExit:
        if settings.stopped_by:  # also where no command had begun
            raise SystemExit(128 + settings.stopped_by) from None
        if sys.stdout is not stdout:  # typer puts another in its place where nobody takes the help
            raise SystemExit(0) from None
        raise
    except OSError as error:  # from the help, which no command writes
        if error.errno not in NO_OUTPUT or error.filename:
            raise
        raise SystemExit(_without_output(error)) from None
    finally:
        try:
            sys.stdout.flush()
        except OSError:  # else the interpreter would call it a fault at its end
            _close_output()


def _open_streams() -> None:
    """Put nothing in the place of streams that are closed: a file opened later would take it."""
    for handle in range(3):
        try:
            os.fstat(handle)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for number, name in enumerate(("stdout", "stderr"), start=1):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8"))


def _stop(number: int, _frame: object) -> None:
    settings.stopped_by = number
    raise KeyboardInterrupt


def say_aside(message: str) -> None:
    """Write a line beside the result, to stderr."""
    try:
        sys.stderr.write(message + "\n")
        sys.stderr.flush()
    except OSError:  # nobody reads it: the work goes on
        _close_output(sys.stderr)


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


def say_json(value: Any) -> None:
    """Write a result to stdout as JSON: a document, or plain values."""
    import json

    if hasattr(value, "model_dump_json"):
        say(value.model_dump_json(indent=2))
    else:
        say(json.dumps(value, indent=2, ensure_ascii=False))


def say_found[Found: BaseModel](
    found: Found,
    printed: Callable[[Found], Iterable[str | Table]],
    json: bool,
    width: int | None = WIDTH,
) -> None:
    """Write a document as JSON, or as the lines and tables that show it, ``width`` characters wide."""
    if json:
        say_json(found)
    else:
        say_items(printed(found), width)


def say_items(items: Iterable[str | Table], width: int | None = WIDTH) -> None:
    """Write lines and tables."""
    from bayescluster.kit.table import print_table

    for item in items:
        if isinstance(item, str):
            say(item)
        else:
            print_table(item, width)
