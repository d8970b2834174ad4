"""``bayescluster fit``: the posterior, without results and report."""

from __future__ import annotations

from pathlib import Path

from bayescluster.cli.arguments import Config, Out
from bayescluster.cli.guard import guarded, say


@guarded
def fit(config: Config, out: Out = Path("runs")) -> None:
    """Draw the posterior of an analysis and keep it; `run` goes on from there."""
    from bayescluster.cli.progress import watching
    from bayescluster.workflow.run import fit_analysis

    with watching() as watch:
        directory = fit_analysis(config, out, watch)
    say(f"Posterior: {directory.path}")
