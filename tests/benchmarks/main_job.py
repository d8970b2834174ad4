"""Time the stages of the main job, in one process: ``python tests/benchmarks/main_job.py``.

Prints the seconds of each stage, of a whole run from the analysis file, and the smallest effective
sample size per second of sampling. Run it before and after a change and compare the ratio: machines
are noisy, absolute times mean little.
Not part of the test suite.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SECONDS: dict[str, float] = {}


@contextmanager
def timed(stage: str) -> Iterator[None]:
    """Add the time of a block to a stage."""
    start = time.perf_counter()
    yield
    SECONDS[stage] = SECONDS.get(stage, 0.0) + time.perf_counter() - start


def main() -> None:
    """Walk the whole way once, stage by stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config", nargs="?", default="configs/asian_clusters.yaml")
    arguments = parser.parse_args()
    with timed("import"):
        from bayescluster.app import run
        from bayescluster.app.report import write_run_report
    with tempfile.TemporaryDirectory() as folder:
        smallest = _stages(run, write_run_report, Path(arguments.config), Path(folder))
    for stage, seconds in SECONDS.items():
        sys.stdout.write(f"{stage:<11} {seconds:8.2f} s\n")
    rate = smallest / SECONDS["sampling"]
    sys.stdout.write(f"smallest ESS {smallest:.0f}, {rate:.0f} per second of sampling\n")


def _stages(run, write_run_report, config: Path, folder: Path) -> float:
    with timed("design"):
        question = run.analysis_source(config)
        design = run.design_of(question)
    with timed("compiling"):
        compiled = run.compile_design(design, design.analysis.sampling.seed)
    sampling = question.analysis.sampling
    with timed("sampling"):
        chains = list(run.sample_chains(compiled, sampling, range(sampling.chains)))
    with timed("prior"):
        prior = run.draw_prior(design, sampling.prior_draws, sampling.seed)
    with timed("assembling"):
        run.assemble(design, chains, prior, sampling.seed)
    with timed("whole run"):
        finished = run.run_analysis(config, folder)
    with timed("report"):
        write_run_report(finished.directory, finished.results)
    ess = [row.estimate.ess_bulk for row in finished.results.effects if row.estimate.ess_bulk]
    return min(ess)


if __name__ == "__main__":
    main()
