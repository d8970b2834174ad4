"""Names of the files of a run directory, and which stage each belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

StageName = Literal["design", "sampling", "posterior", "results", "report"]

MANIFEST: Final = "manifest.json"
LOCK: Final = ".lock"
DESIGN: Final = "design.nc"
CHAINS: Final = "chains"
POSTERIOR: Final = "posterior.nc"
RESULTS: Final = "results.json"
TABLES: Final = "tables"
FIGURES: Final = "figures"
REPORT: Final = "report.html"

PARTIAL: Final = ".partial"
"""Ending of a file that is being written; it is renamed when it is whole."""

PLACES: Final[dict[StageName, tuple[str, ...]]] = {
    "design": (DESIGN,),
    "sampling": (f"{CHAINS}/chain-*.nc",),
    "posterior": (POSTERIOR,),
    "results": (RESULTS,),
    "report": (f"{TABLES}/**/*", f"{FIGURES}/**/*", REPORT),
}
"""Stages in their order, and where each keeps its files."""


def chain_file(number: int) -> str:
    """Path of a chain inside the run; chains are numbered from 0, their files from 1."""
    return f"{CHAINS}/chain-{number + 1}.nc"


def files_of(directory: Path, stage: StageName) -> tuple[str, ...]:
    """Files that stand in the places of a stage, as relative paths, sorted."""
    found = (path for pattern in PLACES[stage] for path in directory.glob(pattern))
    return tuple(
        sorted(
            path.relative_to(directory).as_posix()
            for path in found
            if path.is_file() and path.suffix != PARTIAL
        )
    )
