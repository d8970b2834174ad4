"""``bayescluster runs``: what has been run, and whether it is as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import typer

from bayescluster.cli.arguments import Out, Run
from bayescluster.cli.guard import guarded, say
from bayescluster.errors import RunError

DEFAULT: Final = Path("runs")

app = typer.Typer(help="List and verify runs.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
@guarded
def list_(out: Out = DEFAULT) -> None:
    """List runs, newest first."""
    from bayescluster.runs.find import list_runs

    # nothing was run here yet; a folder that was named should be there
    found = list_runs(out) if out != DEFAULT or out.exists() else []
    if not found:
        say(f"No runs in {out}. `bayescluster run CONFIG` makes one.")
    for item in found:
        gate = {True: "gate passed", False: "gate failed", None: "no results"}[item.gate]
        forms = f", {len(item.forms)} forms" if item.forms else ""
        say(
            f"{item.started[:19]}  {item.name}  {item.key}  {item.status}, {gate}{forms}  "
            f"{item.path}"
        )


@app.command("verify")
@guarded
def verify(run: Run) -> None:
    """Check every file of a run against the hash it was written with."""
    from bayescluster.runs.find import status_of
    from bayescluster.runs.store import RunDirectory

    directory = RunDirectory.open(run)
    problems = directory.verify()
    if problems:
        raise RunError(problems)
    status = status_of(directory.read_manifest(), directory.path)
    if status == "done":
        say(f"{directory.path}: every file is as it was written.")
    else:
        say(
            f"{directory.path}: every file that is finished is as it was written, but the run is "
            f"{status}. The command that began it goes on from there."
        )
