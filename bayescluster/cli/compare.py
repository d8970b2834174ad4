"""``bayescluster compare``: finished runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayescluster.cli.arguments import AsJson
from bayescluster.cli.guard import guarded


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
    """Compare effects, corners and verdicts of finished runs.

    Runs may have other outcomes, forms, industries or countries. Differences have an interval only
    where no firm is in both runs, and none is taken between outcomes of other units.
    """
    from bayescluster.cli.study import run_study
    from bayescluster.studies.compare.study import Options, compare_runs

    run_study(compare_runs, runs, Options(out), Path("runs"), json)
