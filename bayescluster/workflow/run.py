"""From an analysis to a finished run: each stage kept, none done twice."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bayescluster.design.record import (
    Design,
    design_from,
    design_tree,
)
from bayescluster.inference.assemble import assemble
from bayescluster.inference.nuts import compile_model, sample_chains
from bayescluster.inference.prior import sample_prior
from bayescluster.inference.reported import reported_variables
from bayescluster.model.build import build_model
from bayescluster.report.render import write_report
from bayescluster.results.model import (
    SCHEMA_VERSION,
    FitFacts,
    Reproduction,
    Results,
)
from bayescluster.runs.keys import model_key, report_key, resolved, results_key, versions
from bayescluster.runs.layout import FORMS
from bayescluster.runs.manifest import Manifest, new_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import yaml_text
from bayescluster.workflow.ceiling_fits import fit_ceiling_models
from bayescluster.workflow.ceiling_models import ceiling_evidence
from bayescluster.workflow.checklist import checklist_of
from bayescluster.workflow.collect import Fitted, collect
from bayescluster.workflow.prepare import asked, cases_of, designs_of, key_of
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
    opened = _open(source, Path(root), watch)
    directory, command = opened.directory, _command(source)
    with directory.lock():
        if len(opened.designs) > 1:
            from bayescluster.workflow import forms

            forms.fit_forms(opened.analysis, opened.designs, directory, watch)
            results = forms.finish_forms(opened.analysis, opened.designs, directory, watch, command)
        else:
            fit_design(opened.designs[0], directory, watch)
            fit_ceiling_models(opened.designs[0], directory, watch)
            results = finish_design(opened.designs[0], directory, watch, command)
    return Finished(directory, results)


def fit_analysis(
    source: Analysis | Path | str, root: Path | str = "runs", watch: Watch | None = None
) -> RunDirectory:
    """Draw the posterior of an analysis and keep it, without results and report."""
    watch = watch or Silent()
    opened = _open(source, Path(root), watch)
    directory = opened.directory
    with directory.lock():
        if len(opened.designs) > 1:
            from bayescluster.workflow import forms

            forms.fit_forms(opened.analysis, opened.designs, directory, watch)
        else:
            fit_design(opened.designs[0], directory, watch)
            fit_ceiling_models(opened.designs[0], directory, watch)
    return directory


def write_run_report(directory: RunDirectory, results: Results) -> None:
    """Write report, tables and figures of a run from its results; those of its forms too."""
    for form in directory.forms().values():
        with form.lock():
            _write(form, form.load_results())
    whole = with_checklist(directory, results)
    _write(directory, whole)


def with_checklist(directory: RunDirectory, results: Results) -> Results:
    """Fill the checklist of a run: it tells what stands beside the run now, and is not kept."""
    manifest = directory.read_manifest()
    analysis = Analysis.model_validate(manifest.analysis)
    key = model_key(analysis, manifest.data_digest, cases_of(open_design(directory)))
    return results.model_copy(update={"checklist": checklist_of(directory, results, key)})


def _write(directory: RunDirectory, results: Results) -> None:
    with directory.stage("report", _report_key(directory, results)):
        write_report(results, directory.path)


def _report_key(directory: RunDirectory, results: Results) -> str:
    key = directory.read_manifest().stages["results"].key
    return report_key(key, results.checklist)


def open_design(directory: RunDirectory) -> Design:
    """Open the design of a run; of a run of several forms, that of the first."""
    for form in directory.forms().values():
        return open_design(form)
    analysis = Analysis.model_validate(directory.read_manifest().analysis)
    return design_from(analysis, directory.load_design())


class _Opened(NamedTuple):
    """An analysis, the design of each of its forms, and the directory of its run."""

    analysis: Analysis
    designs: tuple[Design, ...]
    directory: RunDirectory


def _open(source: Analysis | Path | str, root: Path, watch: Watch) -> _Opened:
    question = asked(source)
    watch.step("Reading the firms")
    designs = designs_of(question)
    # of one form the key is that of its narrowed analysis, wherever it is fitted
    analysis = question.analysis if len(designs) > 1 else designs[0].analysis
    key = key_of(analysis, designs[0])
    return _Opened(analysis, designs, RunDirectory.create(root, analysis.name, key))


def _command(source: Analysis | Path | str) -> str:
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
    results = _results(design, directory, watch, command)
    finish_report(directory, results, watch)
    return results


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
        again = reproduction(design.analysis, manifest, command)
        results = collect(Fitted(design, tree, ceiling_evidence(design, directory)), fit, again)
        directory.save_results(results)
    directory.record_gate(results.gate.passed)
    return results


def finish_report(directory: RunDirectory, results: Results, watch: Watch) -> None:
    """Write the report of a run from its results, unless it is there.

    Of one of several forms it has no checklist: that stands in the report of all together.
    """
    whole = results if directory.path.parent.name == FORMS else with_checklist(directory, results)
    if directory.is_done("report", _report_key(directory, whole)):
        watch.step("The report is there already")
        return
    watch.step(f"Writing the report of {results.name}")
    _write(directory, whole)


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
