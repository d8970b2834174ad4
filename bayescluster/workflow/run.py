"""From an analysis to a finished run: each stage kept, none done twice."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bayescluster.design.record import Design
from bayescluster.design.stored import design_tree
from bayescluster.inference.assemble import assemble
from bayescluster.inference.nuts import compile_model, sample_chains
from bayescluster.inference.prior import sample_prior
from bayescluster.inference.reported import reported_variables
from bayescluster.model.build import build_model
from bayescluster.results.model import (
    SCHEMA_VERSION,
    Results,
)
from bayescluster.results.reproduction import FitFacts, Reproduction
from bayescluster.runs.keys import resolved, results_key, versions
from bayescluster.runs.manifest import Manifest, new_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import yaml_text
from bayescluster.workflow.ceiling_fits import fit_ceiling_models
from bayescluster.workflow.ceiling_models import ceiling_evidence
from bayescluster.workflow.collect import Fitted, collect
from bayescluster.workflow.finish import finish_report
from bayescluster.workflow.prepare import Asked, asked, designs_of, fitted_analysis, key_of
from bayescluster.workflow.watch import Silent, Watch

PRIOR_STREAM = 6
"""Keeps the seed of the prior draws apart from those of the chains."""


class Finished(NamedTuple):
    """A run that has its results and report."""

    directory: RunDirectory
    results: Results


def run_analysis(
    source: Analysis | Path | str, root: Path | str = "runs", watch: Watch | None = None
) -> Finished:
    """Fit an analysis, judge its hypotheses and write its report.

    Parameters
    ----------
    source
        Analysis file, or an analysis made in Python.
    root
        Folder of the runs.
    watch
        Told of the progress.

    Raises
    ------
    ConfigError, DataError, FitError, RunError
        See `bayescluster.errors`. Whatever was finished before is kept.
    """
    return run_asked(asked(source), Path(root), watch or Silent(), command_of(source))


def run_asked(question: Asked, root: Path, watch: Watch, command: str) -> Finished:
    """Do the same with an analysis that has been read, as ``command`` would."""
    opened = _open(question, root, watch)
    directory = opened.directory
    with directory.lock():
        _fit(opened, watch)
        if len(opened.designs) > 1:
            from bayescluster.workflow import forms

            results = forms.finish_forms(opened.analysis, opened.designs, directory, watch, command)
        else:
            results = finish_design(opened.designs[0], directory, watch, command)
    return Finished(directory, results)


def fit_question(question: Asked, directory: RunDirectory, watch: Watch, command: str) -> Results:
    """Fit a question in a directory of its own and compute its results; no report is written.

    Parameters
    ----------
    question
        The analysis, and where its paths start.
    directory
        Run directory that is made for its key.
    watch
        Told of the progress.
    command
        What a user would type to get the same.
    """
    designs = designs_of(question)
    opened = _Opened(question.analysis, designs, directory)
    with directory.lock():
        _fit(opened, watch)
        if len(designs) > 1:
            from bayescluster.workflow import forms

            return forms.forms_results(question.analysis, designs, directory, watch, command)
        return design_results(designs[0], directory, watch, command)


def key_of_results(fit: str, analysis: Analysis) -> str:
    """Key of the results of a fit: what they depend on besides it."""
    return results_key(fit, analysis, {"schema": SCHEMA_VERSION, "versions": versions()})


def fit_analysis(
    source: Analysis | Path | str, root: Path | str = "runs", watch: Watch | None = None
) -> RunDirectory:
    """Draw the posterior of an analysis and keep it, without results and report."""
    return fit_asked(asked(source), Path(root), watch or Silent()).directory


class Drawn(NamedTuple):
    """An analysis whose posterior is drawn: the design of each form, and the directory."""

    designs: tuple[Design, ...]
    directory: RunDirectory


def fit_asked(question: Asked, root: Path, watch: Watch) -> Drawn:
    """Do the same with an analysis that has been read."""
    opened = _open(question, root, watch)
    with opened.directory.lock():
        _fit(opened, watch)
    return Drawn(opened.designs, opened.directory)


class _Opened(NamedTuple):
    """An analysis, the design of each of its forms, and the directory of its run."""

    analysis: Analysis
    designs: tuple[Design, ...]
    directory: RunDirectory


def _open(question: Asked, root: Path, watch: Watch) -> _Opened:
    watch.step("Reading the firms")
    designs = designs_of(question)
    analysis = fitted_analysis(question.analysis, designs)
    key = key_of(analysis, designs[0])
    return _Opened(analysis, designs, RunDirectory.create(root, analysis.name, key))


def _fit(opened: _Opened, watch: Watch) -> None:
    """Draw the posterior of every form, and of the ceiling models, or take what is there."""
    if len(opened.designs) > 1:
        from bayescluster.workflow import forms

        forms.fit_forms(opened.analysis, opened.designs, opened.directory, watch)
    else:
        fit_design(opened.designs[0], opened.directory, watch)
        fit_ceiling_models(opened.designs[0], opened.directory, watch)


def command_of(source: Analysis | Path | str) -> str:
    """Name the command, or the call, that gives a result again."""
    if isinstance(source, Analysis):
        return "bayescluster.fit(analysis)"
    return f"bayescluster run {Path(source).name}"


def fit_design(design: Design, directory: RunDirectory, watch: Watch) -> None:
    """Draw the posterior of a design and keep it, or take what is there."""
    details = design.details
    key = key_of(design.analysis, design)
    directory.begin(
        new_manifest(design.analysis, key, data_label=details.label, data_digest=details.digest)
    )
    if directory.is_done("posterior", key):
        watch.step("The posterior is there already: nothing is fitted again")
        return
    if not directory.is_done("design", key):
        with directory.stage("design", key):
            directory.save_design(design_tree(design))
    model = build_model(design)
    reported = reported_variables(design)
    _sample(design, directory, model, watch)
    watch.step("Drawing the prior and replicated outcomes")
    with directory.stage("posterior", key):
        sampling = design.analysis.sampling
        seed = sampling.seed + PRIOR_STREAM
        prior = sample_prior(design, model, reported, sampling.prior_draws, seed)
        tree = assemble(design, directory.load_chains(), prior, sampling.seed)
        directory.save_posterior(tree)


def _sample(design: Design, directory: RunDirectory, model: object, watch: Watch) -> None:
    sampling = design.analysis.sampling
    with directory.stage("sampling"):
        kept = directory.chain_numbers()
        pending = [number for number in range(sampling.chains) if number not in kept]
        if not pending:
            return
        watch.step("Compiling the model")
        compiled = compile_model(model, reported_variables(design))
        found = f" ({len(kept)} kept from before)" if kept else ""
        watch.step(f"Sampling {len(pending)} of {sampling.chains} chains{found}")
        for chain in sample_chains(compiled, sampling, pending, watch.chain):
            directory.save_chain(chain)


def finish_design(design: Design, directory: RunDirectory, watch: Watch, command: str) -> Results:
    """Compute results and write the report of a fitted design, or take what is there."""
    results = design_results(design, directory, watch, command)
    finish_report(directory, results, watch)
    return results


def design_results(design: Design, directory: RunDirectory, watch: Watch, command: str) -> Results:
    """Compute results of a fitted design, or take what is there."""
    manifest = directory.read_manifest()
    key = key_of_results(manifest.key, design.analysis)
    if directory.is_done("results", key):
        watch.step("The results are there already")
        return directory.load_results()
    watch.step("Computing effects, checks and verdicts")
    with directory.stage("results", key):
        tree = directory.load_posterior()
        fit = _fit_facts(design, manifest, int(tree["sample_stats"]["diverging"].sum()))
        again = reproduction(design.analysis, manifest, command)
        results = collect(Fitted(design, tree, ceiling_evidence(design, directory)), fit, again)
        directory.save_results(results)
    directory.record_gate(results.gate.passed)
    return results


def _fit_facts(design: Design, manifest: Manifest, divergences: int) -> FitFacts:
    sampling = design.analysis.sampling
    stages = manifest.stages
    return FitFacts(
        sampler=f"nutpie {manifest.versions['nutpie']} (No-U-Turn sampler)",
        chains=sampling.chains,
        draws=sampling.draws,
        tune=sampling.tune,
        seed=sampling.seed,
        target_accept=sampling.target_accept,
        divergences=divergences,
        sampling_seconds=stages["sampling"].seconds,
        total_seconds=sum(
            stages[name].seconds for name in ("design", "sampling", "posterior") if name in stages
        ),
    )


def reproduction(analysis: Analysis, manifest: Manifest, command: str) -> Reproduction:
    """Say what is needed to get a result again."""
    return Reproduction(
        command=command,
        analysis=yaml_text(resolved(analysis)),
        key=manifest.key,
        data_digest=manifest.data_digest,
        versions=manifest.versions,
        host=manifest.host,
        started=manifest.started,
    )
