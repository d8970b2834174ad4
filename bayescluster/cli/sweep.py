"""``bayescluster sweep``: refit under alternatives, and report which choice flips which verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayescluster.cli.arguments import AsJson, Cluster, Config, Out
from bayescluster.cli.guard import GATE_FAILED, guarded, say_items, say_json

AS_DECLARED = "as in the analysis"


@guarded
def sweep(  # noqa: PLR0913, PLR0917 - each option of the command is an argument
    config: Config,
    out: Out = Path("runs"),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the universes and what they would cost.")
    ] = False,
    draws: Annotated[
        int | None,
        typer.Option(
            "--draws", min=50, help="Draws kept in each chain of a fit.", show_default=AS_DECLARED
        ),
    ] = None,
    tune: Annotated[
        int | None,
        typer.Option(
            "--tune", min=50, help="Draws spent on adapting each chain.", show_default=AS_DECLARED
        ),
    ] = None,
    chains: Annotated[
        int | None,
        typer.Option("--chains", min=2, help="Chains of a fit.", show_default=AS_DECLARED),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            min=1,
            help="Universes fitted at once, a process each.",
            show_default="as many as have cores for all their chains",
        ),
    ] = None,
    cluster: Cluster = None,
    json: AsJson = False,
) -> int:
    """Refit an analysis under alternatives, and report which choice flips which verdict.

    The alternatives are those of the block `multiverse:` of the analysis; without it a default set is
    taken. Every universe is a run of its own: what is fitted is used again, and an interrupted sweep
    goes on from there.
    """
    from bayescluster.cli.study import run_study
    from bayescluster.studies.multiverse.plan import Options, plan_json, plan_of
    from bayescluster.studies.multiverse.study import sweep_analysis
    from bayescluster.studies.multiverse.view import printed_plan

    options = Options(draws=draws, tune=tune, chains=chains, jobs=jobs)
    if dry_run:
        plan = plan_of(config, options, out)
        if json:
            say_json(plan_json(plan))
        else:
            say_items(printed_plan(plan))
        return 0
    results = run_study(sweep_analysis, config, options, out, json, cluster)
    # without a verdict of the analysis as declared there is nothing that could flip
    return 0 if results.base.status == "passed" else GATE_FAILED
