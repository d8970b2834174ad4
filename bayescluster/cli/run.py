"""``bayescluster run``: from the analysis file to the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayescluster.cli.arguments import AsJson, Config, Out
from bayescluster.cli.guard import GATE_FAILED, guarded, say, say_json

if TYPE_CHECKING:
    from bayescluster.results.model import Results


@guarded
def run(config: Config, out: Out = Path("runs"), json: AsJson = False) -> int:
    """Fit an analysis, judge its hypotheses and write the report.

    What an earlier run of the same analysis and data has finished is used again.
    Exit code 4: fitted, but the diagnostics gate failed; the report says why.
    """
    from bayescluster.cli.progress import watching
    from bayescluster.cli.tables import print_summary
    from bayescluster.workflow.run import run_analysis

    with watching() as watch:
        finished = run_analysis(config, out, watch)
    if json:
        say_json(
            {
                "run": str(finished.directory.path),
                "report": str(finished.directory.report_path),
                "gate_passed": finished.results.gate.passed,
                "forms": _forms(finished.results),
                "verdicts": [v.model_dump(mode="json") for v in finished.results.verdicts],
            }
        )
    else:
        print_summary(finished.results)
        say(f"Report: {finished.directory.report_path}")
    return 0 if finished.results.gate.passed else GATE_FAILED


def _forms(results: Results) -> list[dict[str, Any]]:
    """Forms with their weights, where there are several."""
    found = results.comparison
    return [] if found is None else [row.model_dump(mode="json") for row in found.forms]
