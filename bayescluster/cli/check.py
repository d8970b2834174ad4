"""``bayescluster check``: further checks of a finished run, which refit it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from bayescluster.cli.arguments import (
    AsJson,
    RefitChains,
    RefitDraws,
    RefitJobs,
    RefitTune,
    Run,
)
from bayescluster.cli.guard import guarded, keeping, say


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
    from bayescluster.cli.study import print_items
    from bayescluster.features.folds.view import printed
    from bayescluster.runs.store import RunDirectory
    from bayescluster.studies.folds.refits import Options
    from bayescluster.studies.folds.study import leave_out as left_out

    options = Options(leave_out, folds, most, draws, tune, chains, jobs)
    directory = RunDirectory.open(run)
    with keeping("refits"), watching() as watch:
        finished = left_out(directory, options, watch)
    if json:
        say(finished.results.model_dump_json(indent=2))
        return
    if finished.results.synthetic:
        say("SYNTHETIC data: nothing here is evidence about real firms.")
    print_items(printed(finished.results, leave_out))
    say(f"Report: {directory.report_path}")
