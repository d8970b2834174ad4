"""``bayescluster report``: write the report of a finished run again."""

from __future__ import annotations

from bayescluster.cli.arguments import Run
from bayescluster.cli.guard import guarded, say


@guarded
def report(run: Run) -> None:
    """Write the report of a finished run again, without fitting anything."""
    from bayescluster.app.report import write_run_report
    from bayescluster.runs.store import RunDirectory

    directory = RunDirectory.open(run)
    with directory.lock():
        write_run_report(directory, directory.load_results())
    say(f"Report: {directory.report_path}")
