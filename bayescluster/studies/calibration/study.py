"""Simulation-based calibration of an analysis: whether the posterior says what the model means.

Parameters are drawn from the prior, an outcome from them for the firms of the analysis, and the
analysis is fitted to it; over many replications the true values must have uniform ranks among the
draws, and of the claims given a probability that share must be true.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bayescluster.app.prepare import model_key_of
from bayescluster.checks.thresholds import INDEPENDENT_MIN, NOT_UNIFORM, RANKS_MIN
from bayescluster.design.missing import gaps
from bayescluster.design.record import Design
from bayescluster.errors import ConfigError, Problem
from bayescluster.inference.watch import CountingWatch
from bayescluster.model.priors import latent_capitals
from bayescluster.results.base import INTERVAL
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where
from bayescluster.studies.calibration.compute import (
    NAME,
    REPLICATIONS_MAX,
    CalibrationPlan,
    Options,
    form_calibrations,
    replications,
    state_of,
)
from bayescluster.studies.calibration.results import (
    Calibration,
    CalibrationReplication,
    FormCalibration,
)
from bayescluster.studies.calibration.view import csv_tables, page_text, printed
from bayescluster.studies.design_analysis.results import SizeFacts
from bayescluster.studies.engine import Study, records_of
from bayescluster.studies.simulation import RHAT_MAX, read_analysis, size_problems

Replications = Mapping[str, tuple[CalibrationReplication, ...]]
"""Replications of each form."""


class CalibrationError(ConfigError):
    """An analysis that cannot be calibrated, or options that cannot be understood."""

    title = "This cannot be calibrated by simulation"


def plan_of(source: Analysis | Path | str, options: Options, root: Path) -> CalibrationPlan:
    """Read an analysis and its firms, and refuse what cannot be simulated from its own prior.

    Raises
    ------
    ConfigError, DataError
        See `read_analysis`.
    """

    def problems(analysis: Analysis, where: Where) -> Iterator[Problem]:
        for column in ("weight", "cluster_weight"):
            if getattr(analysis.data, column) is not None:
                yield Problem(
                    "a likelihood raised to survey weights is that of no outcome that could be simulated",
                    where(("data", column)),
                    "leave the weights out for it: that calibrates the model of the firms as sampled",
                )
        if not 1 <= options.replications <= REPLICATIONS_MAX:
            yield Problem(
                f"{options.replications} replications",
                "--replications",
                f"ask for 1 to {REPLICATIONS_MAX}",
            )
        yield from size_problems((options.firms,), (options.clusters,), analysis)

    read, forms = read_analysis(source, problems, CalibrationError)
    seed = read.analysis.sampling.seed if options.seed is None else options.seed
    return CalibrationPlan(read, forms, options, seed, root / read.analysis.name)


def work(
    plan: CalibrationPlan, directory: Path, watch: CountingWatch
) -> tuple[SizeFacts, Replications]:
    """Make the replications of every form."""
    size = plan.size(plan.options.firms, plan.options.clusters)
    batches = (
        replications(plan, size, position, directory, watch) for position in range(len(plan.forms))
    )
    made = {batch.name: records_of(batch, plan.options.jobs, watch) for batch in batches}
    return size.facts, made


def summary(plan: CalibrationPlan, made: tuple[SizeFacts, Replications]) -> Calibration:
    """Test the ranks, and compare stated probabilities with what came true."""
    options, analysis = plan.options, plan.analysis
    size, by_form = made
    forms = form_calibrations(by_form)
    # name what is simulated: the outcome in focus, the others, and the indicators of capitals
    design = plan.forms[0]
    first, *others = (each.equation.outcome for each in (design, *design.others))
    text = f"{first} (with {', '.join(others)})" if others else first
    latent = latent_capitals(design)
    if latent:
        text += f" and the indicators of {' and '.join(latent)}"
    inputs = [gap.name for gap in gaps(design) if gap.place != "outcome"]
    return Calibration(
        name=analysis.name,
        title=analysis.title,
        key=plan.key,
        model_key=model_key_of(analysis, plan.forms),
        synthetic=plan.forms[0].details.synthetic,
        outcome=(f"{text}; {', '.join(inputs)}, with missing cells" if inputs else text),
        size=size,
        replications=options.replications,
        draws=options.draws,
        tune=options.tune,
        chains=options.chains,
        target_accept=analysis.sampling.target_accept,
        seed=plan.seed,
        level=NOT_UNIFORM,
        interval=INTERVAL,
        rhat_max=RHAT_MAX,
        independent_min=INDEPENDENT_MIN,
        replications_min=RANKS_MIN,
        state=state_of(forms),
        forms=forms,
        notes=tuple(_notes(plan, forms)),
    )


def _notes(plan: CalibrationPlan, forms: tuple[FormCalibration, ...]) -> Iterator[str]:
    """What the ranks and shares rest on."""
    yield (
        "A calibration tests whether simulator, prior, sampler and estimands belong to one and the same "
        "model. It says nothing of whether that model is the one behind the observed firms, whose "
        "outcomes it does not use, but for priors in their units."
    )
    yield (
        "Uniform ranks are not proven by a test that does not reject: with few replications only gross "
        "faults show. Ranks are uniform too where the draws are those of the prior and the outcome was "
        "ignored; the joint log likelihood is there to show that."
    )
    if any(form.claims for form in forms):
        yield (
            "Probabilities are those of the declared hypotheses and of the corners, and of ceilings and causes "
            "where the analysis asks for them under `traditions`: shares of posterior draws. "
            "The fuzzy sets are left out, whose shares are of resampled firms. What is "
            "true is the answer of the same reading at the true parameters; where the event itself "
            "is chance (a new cluster), chance decides it. Of a ceiling the event is that d is at least "
            "as large as declared, not that a compensatory model gives less."
        )
    yield from _data_notes(plan.forms[0])
    if len(plan.forms) > 1:
        yield "Each form is calibrated by itself; the average over the forms is not."
    failed = sum(form.replications - form.passed for form in forms)
    if failed:
        yield (
            f"{failed} replications failed the gate and are left out of the ranks that are judged; "
            "leaving some out by what their outcome did to the sampler keeps ranks uniform. The last "
            "column of the table includes them, as does the line of all claims with them."
        )


def _data_notes(design: Design) -> Iterator[str]:
    """How the data of a replication were made, and in whose units the priors are."""
    equations = design.equations
    if any(
        each.family.on_link_scale is not None or each.family.link == "log" for each in equations
    ):
        yield (
            "Default priors in units of the outcome, or centred on it, are those of the observed "
            "outcome in every refit: the refits do not take them from the simulated outcome."
        )
    latent = latent_capitals(design)
    if latent:
        yield (
            f"The answers that measure {' and '.join(latent)} are simulated too, missing where they are "
            "missing in the data. Priors of their thresholds, and the units of the others, are those of "
            "the observed answers."
        )
    if gaps(design) or not all(each.answered.all() for each in equations):
        yield (
            "Cells that are missing in the data are missing in every simulated data set too, as if "
            "chance had chosen them: whether values are missing at random is not tested."
        )
    if len(equations) > 1:
        yield (
            "Outcomes of all equations are simulated, each from those that enter it, and all are "
            "refitted together. Claims are those of the equation in focus."
        )


calibrate_analysis = Study(
    NAME,
    Options,
    plan_of,
    work,
    summary,
    lambda _, made: csv_tables(each for found in made[1].values() for each in found),
    page_text,
    printed,
    kept="replications",
)
"""Simulate from the prior, refit, and test whether ranks and probabilities are right."""
