"""``bayescluster show``: what a run found, on the terminal."""

from __future__ import annotations

from typing import Annotated

import typer

from bayescluster.cli.arguments import AsJson, Run
from bayescluster.cli.guard import guarded, say, say_json

Part = Annotated[
    str | None,
    typer.Option(
        "--section",
        help="Tables of a section of the report, e.g. verdicts, effects, corners, checks.",
        show_default="the answer",
    ),
]


@guarded
def show(run: Run, section: Part = None, json: AsJson = False) -> None:
    """Show what a finished run found: the answer, or the tables of a section."""
    from bayescluster.cli.tables import print_answer, print_section
    from bayescluster.runs.store import RunDirectory

    directory = RunDirectory.open(run)
    results = directory.load_results()
    if json:
        say_json(results)
    elif section is not None:
        print_section(results, section)
    else:
        print_answer(results)
        say(f"Report: {directory.report_path}")
