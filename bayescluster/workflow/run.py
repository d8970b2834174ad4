"""From an analysis to a finished run: each stage kept, none done twice."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bayescluster.design.record import Design, design_from, design_tree
from bayescluster.inference.assemble import assemble
from bayescluster.inference.nuts import compile_model, sample_chains
from bayescluster.inference.prior import sample_prior
from bayescluster.inference.reported import reported_variables
from bayescluster.model.build import build_model
from bayescluster.results.model import SCHEMA_VERSION, FitFacts, Reproduction, Results
from bayescluster.runs.keys import fit_key, resolved, results_key, versions
from bayescluster.runs.manifest import Manifest, new_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import yaml_text
from bayescluster.workflow.collect import Fitted, collect
from bayescluster.workflow.prepare import asked, design_of
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
    watch = watch or Silent()
    design, directory = _open(source, Path(root), watch)
    with directory.lock():
        _fit(design, directory, watch)
        results = _results(design, directory, watch, _command(source))
        _report(directory, results, design, watch)
    return Finished(directory, results)


def fit_analysis(
    source: Analysis | Path | str, root: Path | str = "runs", watch: Watch | None = None
) -> RunDirectory:
    """Draw the posterior of an analysis and keep it, without results and report."""
    watch = watch or Silent()
    design, directory = _open(source, Path(root), watch)
    with directory.lock():
        _fit(design, directory, watch)
    return directory


def write_run_report(directory: RunDirectory, results: Results) -> None:
    """Write report, tables and figures of a run from its results."""
    from bayescluster.report.render import write_report

    key = directory.read_manifest().stages["results"].key
    with directory.stage("report", key):
        write_report(results, directory.path)


def open_design(directory: RunDirectory) -> Design:
    """Open the design of a run."""
    analysis = Analysis.model_validate(directory.read_manifest().analysis)
    return design_from(analysis, directory.load_design())


def _open(source: Analysis | Path | str, root: Path, watch: Watch) -> tuple[Design, RunDirectory]:
    question = asked(source)
    watch.step("Reading the firms")
    design = design_of(question)
    key = fit_key(design.analysis, design.details.digest)
    return design, RunDirectory.create(root, question.analysis.name, key)


def _command(source: Analysis | Path | str) -> str:
    if isinstance(source, Analysis):
        return "bayescluster.fit(analysis)"
    return f"bayescluster run {Path(source).name}"


def _fit(design: Design, directory: RunDirectory, watch: Watch) -> None:
    details = design.details
    key = fit_key(design.analysis, details.digest)
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


def _results(design: Design, directory: RunDirectory, watch: Watch, command: str) -> Results:
    manifest = directory.read_manifest()
    extra = {"schema": SCHEMA_VERSION, "versions": versions()}
    key = results_key(manifest.key, design.analysis, extra)
    if directory.is_done("results", key):
        watch.step("The results are there already")
        return directory.load_results()
    watch.step("Computing effects, checks and verdicts")
    with directory.stage("results", key):
        tree = directory.load_posterior()
        fit = _fit_facts(design, manifest, int(tree["sample_stats"]["diverging"].sum()))
        reproduction = _reproduction(design, manifest, command)
        results = collect(Fitted(design, tree), fit, reproduction)
        directory.save_results(results)
    directory.record_gate(results.gate.passed)
    return results


def _report(directory: RunDirectory, results: Results, design: Design, watch: Watch) -> None:
    if directory.is_done("report", directory.read_manifest().stages["results"].key):
        watch.step("The report is there already")
        return
    watch.step(f"Writing the report of {design.analysis.name}")
    write_run_report(directory, results)


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


def _reproduction(design: Design, manifest: Manifest, command: str) -> Reproduction:
    return Reproduction(
        command=command,
        analysis=yaml_text(resolved(design.analysis)),
        key=manifest.key,
        data_digest=manifest.data_digest,
        versions=manifest.versions,
        host=manifest.host,
        started=manifest.started,
    )
