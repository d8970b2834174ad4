"""Commands on a finished run: ``report``, ``show``, ``export`` and ``check``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bayescluster.cli.arguments import (
    AsJson,
    RefitChains,
    RefitDraws,
    RefitJobs,
    RefitTune,
    Run,
)
from bayescluster.cli.guard import guarded, keeping, say, say_aside, say_found, say_json

if TYPE_CHECKING:
    from bayescluster.features.folds.results import Folds
    from bayescluster.kit.table import Table


@guarded
def report(run: Run) -> None:
    """Write the report of a finished run again, without fitting anything."""
    from bayescluster.app.report import write_run_report
    from bayescluster.runs.store import RunDirectory

    directory = RunDirectory.open(run)
    with directory.lock():
        write_run_report(directory, directory.load_results())
    say(f"Report: {directory.report_path}")


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


@guarded
def check(  # noqa: PLR0913, PLR0917 - each option of the command is an argument
    run: Run,
    leave_out: Annotated[
        Literal["cluster", "industry", "row"],
        typer.Option(
            "--leave-out",
            help="Predict each cluster or industry from a refit without it; or repair the rows where "
            "importance sampling fails.",
            show_default=False,
        ),
    ],
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds",
            min=2,
            help="Refits, each without several groups at once.",
            show_default="one for each group",
        ),
    ] = None,
    most: Annotated[
        int, typer.Option("--most", min=0, help="Most rows that are refitted without.")
    ] = 10,
    draws: RefitDraws = 500,
    tune: RefitTune = 500,
    chains: RefitChains = 2,
    jobs: RefitJobs = None,
    json: AsJson = False,
) -> None:
    """Check how well a finished run predicts what it has not seen, by refits without it.

    What an earlier call with the same settings has finished is used again. The report of the run is
    written again with the results.
    """
    from bayescluster.cli.progress import watching
    from bayescluster.features.folds.view import printed
    from bayescluster.kit import words
    from bayescluster.runs.store import RunDirectory
    from bayescluster.studies.folds.refits import Options
    from bayescluster.studies.folds.study import leave_out as left_out

    options = Options(leave_out, folds, most, draws, tune, chains, jobs)
    directory = RunDirectory.open(run)
    with keeping("refits"), watching() as watch:
        finished = left_out(directory, options, watch)

    def lines(found: Folds) -> Iterator[str | Table]:
        if found.synthetic:
            yield words.SYNTHETIC
        yield from printed(found, leave_out)
        yield f"Report: {directory.report_path}"

    say_found(finished.results, lines, json)
