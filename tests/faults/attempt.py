"""Commands on hostile input: each in a child of its own, bounded, with what it did told apart.

The child is forked from a process that has everything imported, so that an attempt costs hundredths of
a second, and a crash or an endless loop ends the child alone.
"""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

MOST_SECONDS = 20
"""Of processor time: a busy machine is no fault."""
PATIENCE = 200
"""Seconds after which a command that does nothing is ended."""
MOST_BYTES = 2_000_000_000
EXPECTED = (0, 2, 3, 4, 5)
NOISE = ("Traceback (most recent call last)", "Unexpected problem", "fault of bayescluster;")


class Attempt(NamedTuple):
    """A command, its exit code (negative: the signal that ended it), processor time, memory and words."""

    words: tuple[str, ...]
    code: int
    seconds: float
    peak: int
    text: str

    @property
    def faults(self) -> list[str]:
        """What is wrong with how it ended."""
        found = [f"it says '{noise}'" for noise in NOISE if noise in self.text]
        if self.code not in EXPECTED:
            found.append(f"exit code {self.code}")
        if self.seconds > MOST_SECONDS:
            found.append(f"{self.seconds:.0f} seconds")
        if self.peak > MOST_BYTES:
            found.append(f"{self.peak / 1e9:.1f} GB")
        if self.code and not self.text.strip():
            found.append("no message")
        return found


def attempt(words: Sequence[str], notes: Path) -> Attempt:
    """Run the command line in a child; ``notes`` is a file for what it says."""
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _as_child(words, notes)
    status = usage = None
    while status is None:
        found, ended, used = os.wait4(child, os.WNOHANG)
        if found:
            status, usage = ended, used
        elif time.monotonic() - began > PATIENCE:
            os.kill(child, signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
        else:
            time.sleep(0.002)
    assert usage is not None
    text = notes.read_text("utf-8", errors="replace") if notes.exists() else ""
    code = os.waitstatus_to_exitcode(status)
    seconds = usage.ru_utime + usage.ru_stime
    return Attempt(tuple(words), code, seconds, usage.ru_maxrss * 1024, text)


def _as_child(words: Sequence[str], notes: Path) -> None:
    """Never returns: the code of the command becomes that of the process."""
    code = 70
    try:
        handle = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        limit = 3 * MOST_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (limit + _mapped(), limit + _mapped()))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        from typer.testing import CliRunner

        from bayescluster.cli.main import app

        ran = CliRunner().invoke(app, list(words))
        os.write(1, (ran.stdout + ran.stderr).encode(errors="replace"))
        code = ran.exit_code
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            os.write(1, f"Traceback (most recent call last): {ran.exception!r}".encode())
    except BaseException as error:  # noqa: BLE001 - whatever it is, the process ends here
        os.write(1, f"Traceback (most recent call last): {error!r}".encode(errors="replace"))
    finally:
        os._exit(code)


def _mapped() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def snapshot(folder: Path, *left: Path) -> dict[str, str]:
    """Every file and folder below a folder with its content, those inside ``left`` left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if any(path == each or path.is_relative_to(each) for each in left):
            continue
        name = path.relative_to(folder).as_posix()
        plain = path.is_file() and not path.is_symlink()
        found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if plain else "no plain file"
    return found
