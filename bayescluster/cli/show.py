"""``bayescluster show``: what a run found, on the terminal."""

from __future__ import annotations

from bayescluster.cli.arguments import AsJson, Run
from bayescluster.cli.guard import guarded, say


@guarded
def show(run: Run, json: AsJson = False) -> None:
    """Show verdicts, effects and diagnostics of a finished run."""
    from bayescluster.cli.tables import (
        print_claims,
        print_effects,
        print_fit,
        print_gate,
        print_summary,
    )
    from bayescluster.runs.store import RunDirectory

    directory = RunDirectory.open(run)
    results = directory.load_results()
    if json:
        say(results.model_dump_json(indent=2))
        return
    print_summary(results)
    print_claims(results)
    print_effects(results)
    print_gate(results)
    print_fit(results)
    say(f"Report: {directory.report_path}")
