"""``bayescluster sweep``: refit under alternatives, and tell which choice flips which verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayescluster.cli.arguments import AsJson, Config, Out
from bayescluster.cli.guard import GATE_FAILED, guarded, say

if TYPE_CHECKING:
    from bayescluster.studies.multiverse.plan import Options

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
    json: AsJson = False,
) -> int:
    """Refit an analysis under alternatives, and tell which choice flips which verdict.

    The alternatives are those of the block `multiverse:` of the analysis; without it a default set is
    taken. Every universe is a run of its own: what is fitted is used again, and an interrupted sweep
    goes on from there.
    """
    from bayescluster.studies.multiverse.plan import Options

    options = Options(draws=draws, tune=tune, chains=chains, jobs=jobs)
    return _list(config, out, options, json) if dry_run else _sweep(config, out, options, json)


def _list(config: Path, out: Path, options: Options, json: bool) -> int:
    from bayescluster.cli.sweep_tables import plan_json, print_plan
    from bayescluster.studies.multiverse.plan import cost_of, plan_of

    plan = plan_of(config, out, options)
    cost = cost_of(plan, out)
    if json:
        say(plan_json(plan, cost))
    else:
        print_plan(plan, cost)
    return 0


def _sweep(config: Path, out: Path, options: Options, json: bool) -> int:
    from bayescluster.cli.progress import watching
    from bayescluster.cli.sweep_tables import print_sweep
    from bayescluster.studies.multiverse.compute import sweep_analysis

    with watching() as watch:
        finished = sweep_analysis(config, options, out, watch)
    if json:
        say(finished.results.model_dump_json(indent=2))
    else:
        print_sweep(finished.results)
        say(f"Report: {finished.directory / 'sweep.html'}")
    # without a verdict of the analysis as it is there is nothing that could flip
    return 0 if finished.results.base.status == "passed" else GATE_FAILED
