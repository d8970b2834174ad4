"""``bayescluster fit``: the posterior, without results and report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bayescluster.cli.arguments import Cluster, Config, Out, Retry
from bayescluster.cli.guard import GATE_FAILED, guarded, say

if TYPE_CHECKING:
    from bayescluster.app.run import Drawn


@guarded
def fit(
    config: Config, out: Out = Path("runs"), retry: Retry = False, cluster: Cluster = None
) -> int:
    """Draw the posterior of an analysis and keep it; `run` goes on from there.

    Exit code 4: drawn, but the parameters failed the diagnostics gate. `run` holds every reported
    estimand to it as well.
    """
    from bayescluster.app.prepare import analysis_source
    from bayescluster.app.run import fit_source
    from bayescluster.cli.progress import watching
    from bayescluster.workers import on_cluster

    if retry:
        return _with_retries(config, out)
    with on_cluster(cluster), watching() as watch:
        drawn = fit_source(analysis_source(config), out, watch)
    return _say(drawn, config)


def _say(drawn: Drawn, config: Path) -> int:
    """Print the convergence of every form, and what can be done about one that failed."""
    from bayescluster.cli.tables import (
        offer_retry,
        print_attempts,
        print_checks,
        print_failures,
        print_time_limit,
    )

    settles, passed = drawn.designs[0].analysis.sampling.draws is None, True
    for name, (directory, gate) in drawn.gates().items():
        if len(drawn.designs) > 1:
            say(f"\n{name}")
        print_checks(gate)
        manifest = directory.read_manifest()
        print_attempts(manifest.attempts if settles else ())
        print_time_limit(manifest.settled.minutes if manifest.settled else None)
        if not gate.passed:
            passed = False
            say(f"The diagnostics gate FAILED ({', '.join(gate.failing)}). What to try:")
            print_failures(gate)
    if not passed and not settles:
        offer_retry("fit", config)
    say(f"Posterior: {drawn.directory.path}")
    return 0 if passed else GATE_FAILED


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
