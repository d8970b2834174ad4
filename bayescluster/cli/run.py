"""``bayescluster run`` and ``bayescluster fit``: from the analysis file to the report, or to the posterior."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayescluster.cli.arguments import AsJson, Cluster, Config, Out, Retry
from bayescluster.cli.guard import GATE_FAILED, guarded, say, say_json

if TYPE_CHECKING:
    from bayescluster.app.run import Drawn, Finished
    from bayescluster.results.model import Results


@guarded
def run(
    config: Config,
    out: Out = Path("runs"),
    json: AsJson = False,
    retry: Retry = False,
    cluster: Cluster = None,
) -> int:
    """Fit an analysis, judge its hypotheses and write the report.

    What an earlier run of the same analysis and data has finished is used again.
    Exit code 4: fitted, but the diagnostics gate failed; the report says why.
    """
    from bayescluster.workers import on_cluster

    with on_cluster(cluster):
        finished = _finished(config, out, retry)
    results = finished.results
    if json:
        say_json(
            {
                "run": str(finished.directory.path),
                "report": str(finished.directory.report_path),
                "gate_passed": results.gate.passed,
                "forms": _forms(results),
                "attempts": [attempt.model_dump(mode="json") for attempt in results.attempts],
                "verdicts": [v.model_dump(mode="json") for v in results.verdicts],
            }
        )
    else:
        _say(finished, config, retry)
    return 0 if results.gate.passed else GATE_FAILED


def _finished(config: Path, out: Path, retry: bool) -> Finished:
    from bayescluster.app.run import Finished, run_analysis
    from bayescluster.cli.progress import watching

    with watching() as watch:
        if not retry:
            return run_analysis(config, out, watch)
        from bayescluster.app.run import run_with_retries

        last = run_with_retries(config, out, watch).last
    assert last.results is not None  # a run has them
    return Finished(last.directory, last.results)


def _say(finished: Finished, config: Path, retry: bool) -> None:
    from bayescluster.cli.tables import (
        offer_retry,
        print_answer,
        print_attempts,
        print_failures,
        print_outcome,
        print_time_limit,
    )

    results = finished.results
    settles = finished.directory.read_manifest().analysis["sampling"]["draws"] is None
    if retry or (settles and not results.gate.passed):
        print_attempts(results.attempts)
        print_outcome(results.attempts)
        print_time_limit(results.fit.minutes)
        say()
    print_answer(results)
    if not results.gate.passed:
        say("What failed, and what to try:")
        print_failures(results.gate)
        if not (retry or settles):
            offer_retry("run", config)
    say(f"Report: {finished.directory.report_path}")


def _forms(results: Results) -> list[dict[str, Any]]:
    """Forms with their weights, where there are several."""
    found = results.comparison
    return [] if found is None else [row.model_dump(mode="json") for row in found.forms]


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
    return _say_checks(drawn, config)


def _say_checks(drawn: Drawn, config: Path) -> int:
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
    from bayescluster.app.run import fit_with_retries
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
