"""``bayescluster design``: how often each verdict would be right at firms such as these."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

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
from bayescluster.cli.guard import guarded


@guarded
def design(  # noqa: PLR0913, PLR0917 - each option of the command is an argument
    config: Config,
    out: Out = Path("runs"),
    forms: Annotated[
        str | None,
        typer.Option(
            "--forms",
            help="Forms to simulate from, with commas between them; "
            "additive,interaction,conjunctive,ces without it.",
        ),
    ] = None,
    base_rates: Annotated[
        str | None,
        typer.Option(
            "--base-rates",
            help="Mean outcomes of truths in which the capitals make up for each other, or none; "
            "0.05,0.15,0.4 without it.",
        ),
    ] = None,
    fit: Annotated[
        Literal["own", "true"],
        typer.Option("--fit", help="Refit the analysis's own forms, or the true form each time."),
    ] = "own",
    replications: Annotated[
        int, typer.Option("--replications", help="Simulated outcomes of each form.")
    ] = 20,
    firms: Annotated[
        str, typer.Option("--firms", help="Multipliers of the firms, such as 0.5,1,2.")
    ] = "1",
    clusters: Annotated[
        str, typer.Option("--clusters", help="Multipliers of the clusters, such as 0.5,1,2.")
    ] = "1",
    draws: RefitDraws = 500,
    tune: RefitTune = 500,
    chains: RefitChains = 2,
    seed: Seed = None,
    jobs: RefitJobs = None,
    cluster: Cluster = None,
    json: AsJson = False,
) -> None:
    """Simulate firms from known truths, and report how often each verdict would be right.

    Outcomes are simulated for the firms of the analysis from every form, with parameters from its
    prior, and from capitals that make up for each other at several base rates; the analysis is
    fitted to each, and its verdicts are compared with what was true. What an earlier call has
    finished is used again: more replications, forms or sizes go on from there.
    """
    from bayescluster.cli.study import run_study
    from bayescluster.studies.design_analysis.compute import Options
    from bayescluster.studies.design_analysis.study import analyse_design, numbers
    from bayescluster.studies.design_analysis.study import base_rates as read_rates

    options = Options(
        None if forms is None else tuple(part.strip() for part in forms.split(",")),
        read_rates(base_rates),
        fit,
        replications,
        numbers(firms, "--firms"),
        numbers(clusters, "--clusters"),
        draws,
        tune,
        chains,
        seed,
        jobs,
    )
    run_study(analyse_design, config, options, out, json, cluster)
