"""``bayescluster calibrate``: whether the posterior of an analysis says what its model means."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayescluster.cli.arguments import (
    AsJson,
    Cluster,
    Config,
    Out,
    RefitChains,
    RefitDraws,
    RefitJobs,
    RefitTune,
    Seed,
)
from bayescluster.cli.guard import GATE_FAILED, guarded


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
    cluster: Cluster = None,
    json: AsJson = False,
) -> int:
    """Simulate from the prior, refit, and see whether ranks and probabilities are right.

    True values must have uniform ranks among the posterior draws: parameters, effects, corners, the
    joint log likelihood. Of claims given a probability, that share must be true. What an earlier call
    has finished is used again: more replications go on from there. Exit code 4 where uniformity is
    rejected.
    """
    from bayescluster.cli.study import run_study
    from bayescluster.studies.calibration.compute import Options
    from bayescluster.studies.calibration.study import calibrate_analysis

    options = Options(replications, firms, clusters, draws, tune, chains, seed, jobs)
    results = run_study(calibrate_analysis, config, options, out, json, cluster)
    return GATE_FAILED if results.state == "rejected" else 0
