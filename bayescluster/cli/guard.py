"""Errors to messages and exit codes, at the edge of the program and nowhere else."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import typer

from bayescluster.errors import BayesClusterError

INTERRUPTED = 130
GATE_FAILED = 4
UNEXPECTED = 1


@dataclass
class Settings:
    """Options that hold for every command."""

    debug: bool = False


settings = Settings()


def guarded[**P](command: Callable[P, int | None]) -> Callable[P, None]:
    """Turn a command's errors into messages on stderr and its result into an exit code."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except BayesClusterError as error:
            if settings.debug:
                raise
            _say(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            _say("Interrupted. Finished chains are kept: the same command goes on from them.")
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            if settings.debug:
                raise
            _say(
                f"Unexpected problem: {type(error).__name__}: {error}\n"
                "  This is a fault of bayescluster; `bayescluster --debug ...` shows where."
            )
            raise typer.Exit(UNEXPECTED) from None
        if code:
            raise typer.Exit(code)

    return wrapper


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")


def say(message: str = "") -> None:
    """Write a line of result to stdout."""
    sys.stdout.write(message + "\n")


def say_aside(message: str) -> None:
    """Write a line beside the result, to stderr."""
    _say(message)


def say_json(value: Any) -> None:
    """Write a result to stdout as JSON."""
    import json

    say(json.dumps(value, indent=2, ensure_ascii=False))
