"""``bayescluster calibrate``: whether the posterior of an analysis says what its model means."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayescluster.cli.arguments import (
    AsJson,
    Config,
    Out,
    RefitChains,
    RefitDraws,
    RefitJobs,
    RefitTune,
    Seed,
)
from bayescluster.cli.guard import GATE_FAILED, guarded, keeping, say


@guarded
def calibrate(  # noqa: PLR0913, PLR0917 - each option of the command is an argument
    config: Config,
    out: Out = Path("runs"),
    replications: Annotated[
        int, typer.Option("--replications", help="Simulated data sets of each form.")
    ] = 100,
    firms: Annotated[
        float, typer.Option("--firms", help="Multiplier of the firms, such as 0.2.")
    ] = 1.0,
    clusters: Annotated[
        float, typer.Option("--clusters", help="Multiplier of the clusters, such as 0.5.")
    ] = 1.0,
    draws: RefitDraws = 500,
    tune: RefitTune = 500,
    chains: RefitChains = 2,
    seed: Seed = None,
    jobs: RefitJobs = None,
    json: AsJson = False,
) -> int:
    """Simulate from the prior, refit, and see whether ranks and probabilities are right.

    True values must have uniform ranks among the posterior draws: parameters, effects, corners, the
    joint log likelihood. Of claims given a probability, that share must be true. What an earlier call
    has finished is used again: more replications go on from there. Exit code 4 where uniformity is
    rejected.
    """
    from bayescluster.cli.calibrate_tables import print_calibration
    from bayescluster.cli.progress import watching
    from bayescluster.studies.calibration.compute import calibrate_analysis
    from bayescluster.studies.calibration.plan import Options

    options = Options(replications, firms, clusters, draws, tune, chains, seed, jobs)
    with keeping("replications"), watching() as watch:
        finished = calibrate_analysis(config, options, out, watch)
    if json:
        say(finished.results.model_dump_json(indent=2))
    else:
        print_calibration(finished.results)
        say(f"Report: {finished.directory / 'calibrate.html'}")
    return GATE_FAILED if finished.results.state == "rejected" else 0
