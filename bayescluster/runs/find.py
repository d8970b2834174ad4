"""Finding the run a user means by a path."""

from __future__ import annotations

from pathlib import Path

from bayescluster.errors import Problem, RunError
from bayescluster.lookup import suggestion
from bayescluster.runs.layout import MANIFEST
from bayescluster.runs.listing import summaries


def find_run(path: Path) -> Path:
    """Find the directory of a run from itself, from a file in it, or from the directory above.

    Of several runs in the directory above, the newest is taken.

    Raises
    ------
    RunError
        If there is no such run; the nearest name there is is suggested.
    """
    if not path.exists():
        raise RunError(Problem("there is no such run", str(path), _nearest(path)))
    for directory in (path, *path.absolute().parents[:2]):
        if (directory / MANIFEST).is_file():
            return directory
    inside = summaries(path.glob(f"*/{MANIFEST}")) if path.is_dir() else []
    if inside:
        return inside[0].path
    raise RunError(Problem("this is not a run: it has no manifest.json", str(path), _runs_in(path)))


def _nearest(path: Path) -> str:
    parent = path.parent
    names = (
        sorted(item.name for item in parent.iterdir() if item.is_dir()) if parent.is_dir() else []
    )
    return suggestion(path.name, names) or "make one with: bayescluster run ANALYSIS.yaml"


def _runs_in(path: Path) -> str:
    names = sorted({item.parents[1].name for item in path.glob(f"*/*/{MANIFEST}")})
    if names:
        return f"name one of the runs in it: {', '.join(names)}"
    return "name a directory that holds a manifest.json, such as runs/NAME/KEY"
