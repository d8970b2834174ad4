"""The log of a run: a line of JSON for each thing that happened, next to the manifest.

It is for finding out what went on: when which process began or ended a stage, how long it took, what
stopped the work, and what libraries warned of. No number rests on it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bayescluster.runs.layout import LOG
from bayescluster.runs.manifest import now

MOST_CHARACTERS: Final = 2000
"""Of a message of a library."""
MOST_BYTES: Final = 5_000_000
"""Size from which a log takes nothing more: something goes on and on."""


def log(directory: Path, event: str, **facts: str | float) -> None:
    """Add a line to the log of a run; where it cannot be written, the run goes on without."""
    line = json.dumps({"time": now(), "event": event, **facts}, ensure_ascii=False)
    path = directory / LOG
    try:
        if not path.exists() or path.stat().st_size < MOST_BYTES:
            with path.open("a", encoding="utf-8", errors="backslashreplace") as stream:
                stream.write(line + "\n")
    except OSError:  # a full disk stops the run where it writes what counts
        return


@contextmanager
def logged(directory: Path) -> Iterator[None]:
    """Log how the work within fails, and what libraries warn of meanwhile."""
    handler = _Warnings(directory)
    root = logging.getLogger()
    root.addHandler(handler)
    logging.captureWarnings(capture=True)
    try:
        yield
    except BaseException as error:
        log(directory, "stopped", error=type(error).__name__, message=str(error)[:MOST_CHARACTERS])
        raise
    finally:
        root.removeHandler(handler)
        if not any(isinstance(other, _Warnings) for other in root.handlers):
            logging.captureWarnings(capture=False)


class _Warnings(logging.Handler):
    """Puts warnings of libraries into the log of a run, each text once."""

    def __init__(self, directory: Path) -> None:
        super().__init__(logging.WARNING)
        self._directory, self._seen = directory, set[str]()

    def emit(self, record: logging.LogRecord) -> None:
        """Log a warning."""
        text = record.getMessage()[:MOST_CHARACTERS]
        if text not in self._seen:
            self._seen.add(text)
            log(self._directory, "warning", source=record.name, message=text)
