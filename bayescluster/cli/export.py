"""``bayescluster export``: a finished run in the formats of a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayescluster.cli.arguments import Run
from bayescluster.cli.guard import guarded, say, say_aside

Folder = Annotated[
    Path | None,
    typer.Option("--out", help="Folder to write to.", show_default="<name of the run>-paper"),
]


@guarded
def export(run: Run, out: Folder = None) -> None:
    """Write tables, figures, text and documents of a finished run for a paper."""
    from bayescluster.report.paper import export as write
    from bayescluster.runs.store import RunDirectory

    results = RunDirectory.open(run).load_results()
    folder = out if out is not None else Path(f"{results.name}-paper")
    written = write(results, folder)
    for note in written.notes:
        say_aside(note)
    say(f"Exported {len(written.paths)} files: {folder}")
