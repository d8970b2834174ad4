"""``bayescluster prior``: what an analysis says before its data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bayescluster.cli.arguments import AsJson, Config, Out, Seed
from bayescluster.cli.guard import guarded


@guarded
def prior(
    config: Config,
    out: Out = Path("runs"),
    draws: Annotated[int, typer.Option("--draws", help="Draws from the prior.")] = 2000,
    seed: Seed = None,
    json: AsJson = False,
) -> None:
    """Tell what the prior says of outcomes, effects and claims, before any outcome is seen.

    Nothing is fitted. Warnings tell where the prior alone decides a claim, or puts much of itself at
    implausible outcomes, and which block of priors to look at.
    """
    from bayescluster.cli.study import run_study
    from bayescluster.studies.prior.study import Options, study_prior

    run_study(study_prior, config, Options(draws, seed), out, json)
