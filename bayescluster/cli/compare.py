"""``bayescluster compare``: finished runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayescluster.cli.arguments import AsJson
from bayescluster.cli.guard import guarded, say


@guarded
def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more run directories, or folders of analyses, whose newest runs are taken.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the runs.", show_default="that of the first run"),
    ] = None,
    json: AsJson = False,
) -> None:
    """Set effects, corners and verdicts of finished runs side by side.

    Runs may have other outcomes, forms, industries or countries. Differences have an interval only
    where no firm is in both runs, and none is taken between outcomes of other units.
    """
    from bayescluster.cli.compare_tables import print_compared
    from bayescluster.cli.progress import watching
    from bayescluster.studies.compare.compute import compare_runs

    with watching() as watch:
        finished = compare_runs(runs, out, watch)
    if json:
        say(finished.results.model_dump_json(indent=2))
        return
    print_compared(finished.results)
    say(f"Report: {finished.directory / 'compare.html'}")
