"""Simulation-based calibration of an analysis: whether the posterior says what the model means.

Parameters are drawn from the prior, an outcome from them for the firms of the analysis, and the
analysis is fitted to it; over many replications the true values must have uniform ranks among the
draws, and of the claims given a probability that share must be true. Each replication is a file of
its own; what is there is not made again.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bayescluster.checks.thresholds import INDEPENDENT_MIN, NOT_UNIFORM, RANKS_MIN
from bayescluster.inference.prior import sample_prior
from bayescluster.inference.repeated import Repeated
from bayescluster.inference.reported import reported_variables
from bayescluster.model.build import build_model
from bayescluster.model.completion import completed, imputing
from bayescluster.model.evaluate import draws_of
from bayescluster.model.simulated import simulate
from bayescluster.results.base import INTERVAL
from bayescluster.results.calibration import (
    CALIBRATION_VERSION,
    Calibration,
    CalibrationReplication,
)
from bayescluster.runs.atomic import write_text
from bayescluster.runs.keys import design_key
from bayescluster.runs.lock import locked
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.sampling import Sampling
from bayescluster.workflow.calibration.notes import calibration_notes, simulated_words
from bayescluster.workflow.calibration.plan import (
    CALIBRATION_STREAM,
    OUTCOME_STREAM,
    PRIOR_STREAM,
    RANK_STREAM,
    REFIT_STREAM,
    REPLICATIONS_MAX,
    TRUTH_STREAM,
    Options,
    Plan,
    plan_of,
)
from bayescluster.workflow.calibration.replication import Chance, Generator, Ready, calibrated
from bayescluster.workflow.calibration.summary import form_calibrations, state_of
from bayescluster.workflow.design_analysis.plan import Size
from bayescluster.workflow.prepare import model_key_of
from bayescluster.workflow.replication import RHAT_MAX
from bayescluster.workflow.resumed import in_threads, kept
from bayescluster.workflow.watch import CountingWatch, Silent

FOLDER: Final = "calibrate"
REPLICATIONS: Final = "replications"
PRIOR_DRAWS: Final = 200
"""Prior draws beside each refit: no probability rests on them."""


class Finished(NamedTuple):
    """A calibration, and where its files are."""

    directory: Path
    results: Calibration


class _Study(NamedTuple):
    """What is simulated, at which size, in which directory, by what, and who is told."""

    plan: Plan
    size: Size
    directory: Path
    generator: Generator
    watch: CountingWatch

    def path(self, form: str, number: int) -> Path:
        """Place of a replication."""
        return self.directory / REPLICATIONS / form / f"{number:04d}.json"

    def kept(self, form: str) -> dict[int, CalibrationReplication]:
        """Replications of a form that are there, by number."""
        found = {}
        for number in range(self.plan.options.replications):
            one = kept(self.path(form, number), CalibrationReplication, CALIBRATION_VERSION)
            if one is not None:
                found[number] = one
        return found


def calibrate_analysis(
    source: Analysis | Path | str,
    options: Options | None = None,
    root: Path | str = "runs",
    watch: CountingWatch | None = None,
    generator: Generator = simulate,
) -> Finished:
    """Simulate, refit, rank, and write what comes of it.

    Parameters
    ----------
    source
        Analysis file, or an analysis made in Python.
    options
        Replications, size and settings.
    root
        Folder of the runs.
    watch
        Told of the progress.
    generator
        Draws data from a truth: that of the model. With another one a calibration shows what
        it would make of an analysis whose model is not that of its data; give it a folder of its own,
        for kept replications are told apart by analysis and settings only.

    Raises
    ------
    ConfigError, DataError, FitError, RunError
        See `bayescluster.errors`. Replications that were finished before are kept.
    """
    watch = watch or Silent()
    watch.step("Reading the firms")
    plan = plan_of(source, options or Options())
    key = _key(plan)
    directory = RunDirectory.create(Path(root) / plan.analysis.name, FOLDER, key).path
    study = _Study(plan, plan.size(), directory, generator, watch)
    with locked(directory):
        made = {}
        for position in range(len(plan.own)):
            form = _make(study, position)
            made[form] = tuple(study.kept(form).values())
        results = _results(study, key, made)
        _write(results, made, directory)
    return Finished(directory, results)


def _key(plan: Plan) -> str:
    asked = plan.options
    settings = {
        "study": FOLDER,
        "version": CALIBRATION_VERSION,
        "seed": plan.seed,
        "draws": asked.draws,
        "tune": asked.tune,
        "chains": asked.chains,
        "target_accept": plan.analysis.sampling.target_accept,
        "firms": asked.firms,
        "clusters": asked.clusters,
    }
    return design_key(plan.analysis, plan.own[0].details.digest, settings)


def _make(study: _Study, position: int) -> str:
    """Make the replications of a form that are not there, and name the form."""
    plan, watch = study.plan, study.watch
    form = plan.own[position].equation.form
    there = study.kept(form)
    pending = [k for k in range(plan.options.replications) if k not in there]
    if not pending:
        watch.step(f"{form}: all replications are there already")
        return form
    watch.step(f"{form}: compiling, and drawing truths from the prior")
    ready = _ready(study, position)
    found = f" ({len(there)} kept from before)" if there else ""
    watch.step(f"{form}: {len(pending)} replications{found}")

    def work(number: int) -> None:
        made = calibrated(ready, number, _chance(plan, position, number))
        write_text(study.path(form, number), made.model_dump_json(indent=1) + "\n")

    watch.count("replications", 0, len(pending))
    for done in in_threads(work, pending, plan.options.jobs):
        watch.count("replications", done, len(pending))
    return form


def _ready(study: _Study, position: int) -> Ready:
    plan = study.plan
    # rows of a size are those of the first form: forms share data, not coefficients
    design = replace(study.size.design, analysis=plan.own[position].analysis)
    model, reported = build_model(design), reported_variables(design)
    seeds = (plan.seed_of(stream, position) for stream in (TRUTH_STREAM, PRIOR_STREAM))
    truths, prior = (
        sample_prior(design, model, reported, draws, seed)
        for draws, seed in zip((REPLICATIONS_MAX, PRIOR_DRAWS), seeds, strict=True)
    )
    prior = completed(
        design, prior, imputing(plan.seed_of(PRIOR_STREAM, position)), posterior=False
    )
    return Ready(Repeated(design), draws_of(design, prior), truths, study.generator)


def _chance(plan: Plan, position: int, number: int) -> Chance:
    asked = plan.options
    outcome, rank = (
        np.random.default_rng((plan.seed, CALIBRATION_STREAM, stream, position, number))
        for stream in (OUTCOME_STREAM, RANK_STREAM)
    )
    sampling = Sampling(
        draws=asked.draws,
        tune=asked.tune,
        chains=asked.chains,
        seed=plan.seed_of(REFIT_STREAM, position, number),
        target_accept=plan.analysis.sampling.target_accept,
    )
    return Chance(outcome, sampling, rank)


def _results(
    study: _Study, key: str, made: dict[str, tuple[CalibrationReplication, ...]]
) -> Calibration:
    plan, asked, analysis = study.plan, study.plan.options, study.plan.analysis
    own = plan.own[0]
    forms = form_calibrations(made)
    return Calibration(
        name=analysis.name,
        title=analysis.report.title or analysis.name.replace("-", " ").replace("_", " "),
        key=key,
        model_key=model_key_of(analysis, plan.own),
        synthetic=own.details.synthetic,
        outcome=simulated_words(own),
        size=study.size.facts,
        replications=asked.replications,
        draws=asked.draws,
        tune=asked.tune,
        chains=asked.chains,
        target_accept=analysis.sampling.target_accept,
        seed=plan.seed,
        level=NOT_UNIFORM,
        interval=INTERVAL,
        rhat_max=RHAT_MAX,
        independent_min=INDEPENDENT_MIN,
        replications_min=RANKS_MIN,
        state=state_of(forms),
        forms=forms,
        notes=tuple(calibration_notes(plan, forms)),
    )


def _write(
    results: Calibration, made: dict[str, tuple[CalibrationReplication, ...]], directory: Path
) -> None:
    """Write ``calibrate.json``, ``ranks.csv`` and ``calibrate.html``."""
    from bayescluster.report.pages.calibrate import page_text, ranks_text

    write_text(directory / "calibrate.json", results.model_dump_json(indent=2) + "\n")
    everyone = [each for found in made.values() for each in found]
    write_text(directory / "ranks.csv", ranks_text(everyone))
    write_text(directory / "calibrate.html", page_text(results))
