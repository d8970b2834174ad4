"""Names of the files of a run directory, and which stage each belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

StageName = Literal[
    "design", "sampling", "posterior", "forms", "ceiling_models", "results", "folds", "report"
]

MANIFEST: Final = "manifest.json"
LOCK: Final = ".lock"
DESIGN: Final = "design.nc"
CHAINS: Final = "chains"
POSTERIOR: Final = "posterior.nc"
RESULTS: Final = "results.json"
TABLES: Final = "tables"
FIGURES: Final = "figures"
REPORT: Final = "report.html"
FORMS: Final = "forms"
"""Folder of the runs of each form, where an analysis has several."""

CEILING_MODELS: Final = "ceiling_models"
"""Folder of the posteriors of ceiling models, where an analysis asks for them."""

FOLDS: Final = "folds.json"
FOLDS_FOLDER: Final = "folds"
"""What was found by leaving out, and the folder of the refits behind it, a file each."""

PARTIAL: Final = ".partial"
"""Ending of a file that is being written; it is renamed when it is whole."""

PLACES: Final[dict[StageName, tuple[str, ...]]] = {
    "design": (DESIGN,),
    "sampling": (f"{CHAINS}/chain-*.nc",),
    "posterior": (POSTERIOR,),
    "forms": (),
    "ceiling_models": (f"{CEILING_MODELS}/*.nc",),
    "results": (RESULTS,),
    "folds": (FOLDS, f"{FOLDS_FOLDER}/**/*"),
    "report": (f"{TABLES}/**/*", f"{FIGURES}/**/*", REPORT),
}
"""Stages in their order, and where each keeps its files.

The files of the forms are those of their own runs, each with a manifest of its own.
"""

STAGES: Final[tuple[StageName, ...]] = ("design", "sampling", "posterior", "results", "report")
"""Stages of a run of one form; that of ceiling models is made where it is asked for."""
STAGES_OF_FORMS: Final[tuple[StageName, ...]] = ("forms", "results", "report")
"""Stages of a run of several forms."""


def chain_file(number: int) -> str:
    """Path of a chain inside the run; chains are numbered from 0, their files from 1."""
    return f"{CHAINS}/chain-{number + 1}.nc"


def ceiling_file(capital: str, model: str) -> str:
    """Path of the posterior of a ceiling model inside the run."""
    return f"{CEILING_MODELS}/{capital}-{model}.nc"


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
