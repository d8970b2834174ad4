"""``bayescluster fit``: the posterior, without results and report."""

from __future__ import annotations

from pathlib import Path

from bayescluster.cli.arguments import Config, Out, Retry
from bayescluster.cli.guard import GATE_FAILED, guarded, say


@guarded
def fit(config: Config, out: Out = Path("runs"), retry: Retry = False) -> int:
    """Draw the posterior of an analysis and keep it; `run` goes on from there.

    With --retry the parameters are held to the diagnostics gate, and drawn again where they fail it
    (exit code 4 if they always do); `run --retry` does so with every reported estimand as well.
    """
    from bayescluster.app.run import fit_analysis
    from bayescluster.cli.progress import watching

    if retry:
        return _with_retries(config, out)
    with watching() as watch:
        directory = fit_analysis(config, out, watch)
    say(f"Posterior: {directory.path}")
    return 0


def _with_retries(config: Path, out: Path) -> int:
    from bayescluster.app.retry import fit_with_retries
    from bayescluster.cli.progress import watching
    from bayescluster.cli.tables import print_attempts, print_outcome

    with watching() as watch:
        found = fit_with_retries(config, out, watch)
    print_attempts(found.attempts)
    print_outcome(found.attempts)
    if not found.last.passed:
        say(f"The diagnostics gate FAILED ({', '.join(found.last.failure.checks)}).")
    say(f"Posterior: {found.last.directory.path}")
    return 0 if found.last.passed else GATE_FAILED
