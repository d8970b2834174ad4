"""Commands that run a study: what the prior says, designs, sweeps, calibration, comparisons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
from bayescluster.cli.guard import GATE_FAILED, guarded, keeping, say_found, say_items, say_json

if TYPE_CHECKING:
    from bayescluster.kit.table import Table
    from bayescluster.studies.engine import Study


def run_study[Source, Options, Results: Any](
    study: Study[Source, Options, Any, Any, Results],
    source: Source,
    options: Options | None,
    out: Path,
    json: bool,
    cluster: str | None = None,
) -> Results:
    """Run a study, print its results, and name its page.

    Parameters
    ----------
    study, source, options, out
        The study, and what it is called with.
    json
        Print the results as JSON instead.
    cluster
        Cluster to work on; see `bayescluster.workers.cluster_of`.
    """
    from bayescluster.cli.progress import watching
    from bayescluster.kit import words
    from bayescluster.workers import on_cluster

    with keeping(study.kept), on_cluster(cluster), watching() as watch:
        finished = study(source, options, out, watch)

    def printed(results: Results) -> Iterator[str | Table]:
        if getattr(results, "synthetic", False):
            yield words.SYNTHETIC
        yield from study.printed(results)
        yield ""
        yield from results.notes if study.notes else ()
        yield f"Report: {study.page_path(finished.directory)}"

    say_found(finished.results, printed, json)
    return finished.results


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
    from bayescluster.studies.prior.study import Options, study_prior

    run_study(study_prior, config, Options(draws, seed), out, json)


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


AS_DECLARED = "as in the analysis"


@guarded
def sweep(  # noqa: PLR0913, PLR0917 - each option of the command is an argument
    config: Config,
    out: Out = Path("runs"),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the universes and what they would cost.")
    ] = False,
    draws: Annotated[
        int | None,
        typer.Option(
            "--draws", min=50, help="Draws kept in each chain of a fit.", show_default=AS_DECLARED
        ),
    ] = None,
    tune: Annotated[
        int | None,
        typer.Option(
            "--tune", min=50, help="Draws spent on adapting each chain.", show_default=AS_DECLARED
        ),
    ] = None,
    chains: Annotated[
        int | None,
        typer.Option("--chains", min=2, help="Chains of a fit.", show_default=AS_DECLARED),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            min=1,
            help="Universes fitted at once, a process each.",
            show_default="as many as have cores for all their chains",
        ),
    ] = None,
    cluster: Cluster = None,
    json: AsJson = False,
) -> int:
    """Refit an analysis under alternatives, and report which choice flips which verdict.

    The alternatives are those of the block `multiverse:` of the analysis; without it a default set is
    taken. Every universe is a run of its own: what is fitted is used again, and an interrupted sweep
    goes on from there.
    """
    from bayescluster.studies.multiverse.plan import Options, plan_json, plan_of
    from bayescluster.studies.multiverse.study import sweep_analysis
    from bayescluster.studies.multiverse.view import printed_plan

    options = Options(draws=draws, tune=tune, chains=chains, jobs=jobs)
    if dry_run:
        plan = plan_of(config, options, out)
        if json:
            say_json(plan_json(plan))
        else:
            say_items(printed_plan(plan))
        return 0
    results = run_study(sweep_analysis, config, options, out, json, cluster)
    # without a verdict of the analysis as declared there is nothing that could flip
    return 0 if results.base.status == "passed" else GATE_FAILED


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
    from bayescluster.studies.calibration.compute import Options
    from bayescluster.studies.calibration.study import calibrate_analysis

    options = Options(replications, firms, clusters, draws, tune, chains, seed, jobs)
    results = run_study(calibrate_analysis, config, options, out, json, cluster)
    return GATE_FAILED if results.state == "rejected" else 0


@guarded
def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more run directories, or folders of analyses, whose newest runs are taken.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder of the runs.", show_default="that of the first run"),
    ] = None,
    json: AsJson = False,
) -> None:
    """Compare effects, corners and verdicts of finished runs.

    Runs may have other outcomes, forms, industries or countries. Differences have an interval only
    where no firm is in both runs, and none is taken between outcomes of other units.
    """
    from bayescluster.studies.compare.study import Options, compare_runs

    run_study(compare_runs, runs, Options(out), Path("runs"), json)
