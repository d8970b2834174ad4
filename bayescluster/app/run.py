"""From an analysis to a finished run: each stage kept, none done twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bayescluster.app.collect import Fitted, collect
from bayescluster.app.combine import Part, combined
from bayescluster.app.prepare import Asked, asked, cases_of, designs_of, fitted_analysis, key_of
from bayescluster.design.arrays import design_from, design_tree
from bayescluster.design.record import Design
from bayescluster.features.ceiling_models.compute import ceiling_evidence, fit_ceiling_models
from bayescluster.features.checklist.compute import checklist_of
from bayescluster.features.folds.results import FOLDS_VERSION, Folds
from bayescluster.inference.assemble import assemble, reported_variables, sample_prior
from bayescluster.inference.nuts import compile_model, sample_chains
from bayescluster.inference.watch import Silent, Watch
from bayescluster.model.build import build_model
from bayescluster.results.facts import FitFacts, Reproduction
from bayescluster.results.model import SCHEMA_VERSION, Results
from bayescluster.runs.keys import model_key, report_key, resolved, results_key, versions
from bayescluster.runs.layout import FOLDS, FORMS, MANIFEST, REPORT
from bayescluster.runs.manifest import Manifest, new_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.load import yaml_text

if TYPE_CHECKING:
    from bayescluster.inference.nuts import ChainState


def write_run_report(directory: RunDirectory, results: Results) -> None:
    """Write report, tables and figures of a run from its results; those of its forms too."""
    for form in directory.forms().values():
        with form.lock():
            _write(form, with_beside(form, form.load_results()))
    _write(directory, with_beside(directory, results))


def finish_report(directory: RunDirectory, results: Results, watch: Watch) -> None:
    """Write the report of a run from its results, unless it is there."""
    whole = with_beside(directory, results)
    if directory.is_done("report", _key(directory, whole)):
        watch.step("The report is there already")
        return
    watch.step(f"Writing the report of {results.name}")
    _write(directory, whole)


def with_beside(directory: RunDirectory, results: Results) -> Results:
    """Put in what came after the results, and fill the checklist: neither is kept with them.

    One of several forms has no checklist: that stands in the report of all together.
    """
    folds = directory.load_document("folds", FOLDS, Folds, FOLDS_VERSION)
    whole = results.model_copy(update={"folds": folds})
    if directory.path.parent.name == FORMS:
        return whole
    manifest = directory.read_manifest()
    analysis = Analysis.model_validate(manifest.analysis)
    key = model_key(analysis, manifest.data_digest, cases_of(open_design(directory)))
    return whole.model_copy(update={"checklist": checklist_of(directory, whole, key)})


def open_design(directory: RunDirectory) -> Design:
    """Open the design of a run; of a run of several forms, that of the first."""
    for form in directory.forms().values():
        return open_design(form)
    analysis = Analysis.model_validate(directory.read_manifest().analysis)
    return design_from(analysis, directory.load_design())


def _write(directory: RunDirectory, whole: Results) -> None:
    from bayescluster.report.render import write_report

    with directory.stage("report", _key(directory, whole)):
        write_report(whole, directory.path)


def _key(directory: RunDirectory, whole: Results) -> str:
    key = directory.read_manifest().stages["results"].key
    return report_key(key, whole.checklist, whole.folds)


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
            results = finish_forms(opened.analysis, opened.designs, directory, watch, command)
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
            return forms_results(question.analysis, designs, directory, watch, command)
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
        fit_forms(opened.analysis, opened.designs, opened.directory, watch)
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


class OfForm:
    """Tells a watcher which form the steps belong to."""

    def __init__(self, watch: Watch, form: str) -> None:
        self._watch, self._form = watch, form

    def step(self, message: str) -> None:
        """Tell a step, the form before it."""
        self._watch.step(f"{self._form}: {message[:1].lower()}{message[1:]}")

    def chain(self, state: ChainState) -> None:
        """Tell where a chain stands."""
        self._watch.chain(state)


def fit_forms(
    analysis: Analysis, designs: Sequence[Design], directory: RunDirectory, watch: Watch
) -> None:
    """Draw the posterior of every form and keep it, or take what is there.

    Parameters
    ----------
    analysis
        The analysis with all its forms.
    designs
        Design of each form.
    directory
        Run of all forms; its lock is held.
    watch
        Told of the progress.
    """
    details = designs[0].details
    key = key_of(analysis, designs[0])
    directory.begin(
        new_manifest(analysis, key, data_label=details.label, data_digest=details.digest)
    )
    runs = [(_titled(design), directory.form(design.structure.name)) for design in designs]
    whole = directory.is_done("forms", key) and all(_is_fitted(*each) for each in runs)
    with nullcontext() if whole else directory.stage("forms", key):
        for design, run in runs:
            with run.lock():
                # told of here too where nothing is fitted: claims and texts may have changed
                fit_design(design, run, OfForm(watch, design.structure.name))
    # a ceiling has no structural form: one fit serves them all
    fit_ceiling_models(_asking(analysis, designs[0]), directory, watch)


def _asking(analysis: Analysis, design: Design) -> Design:
    """Design of a form that asks for what the whole analysis does."""
    asked = design.analysis.model_copy(update={"traditions": analysis.traditions})
    return replace(design, analysis=asked)


def finish_forms(
    analysis: Analysis,
    designs: Sequence[Design],
    directory: RunDirectory,
    watch: Watch,
    command: str,
) -> Results:
    """Compute results and write reports of every fitted form and of their comparison."""
    parts = _parts(designs, directory, watch, command, finish_design)
    results = _compared(analysis, parts, directory, watch, command)
    finish_report(directory, results, watch)
    return results


def forms_results(
    analysis: Analysis,
    designs: Sequence[Design],
    directory: RunDirectory,
    watch: Watch,
    command: str,
) -> Results:
    """Compute results of every fitted form and of their comparison, and write no report."""
    parts = _parts(designs, directory, watch, command, design_results)
    return _compared(analysis, parts, directory, watch, command)


def _parts(
    designs: Sequence[Design],
    directory: RunDirectory,
    watch: Watch,
    command: str,
    finish: Callable[[Design, RunDirectory, Watch, str], Results],
) -> list[Part]:
    """Finish every fitted form, with its report or without."""
    parts = []
    for design in designs:
        name, run = design.structure.name, directory.form(design.structure.name)
        with run.lock():
            results = finish(_titled(design), run, OfForm(watch, name), command)
        parts.append(Part(design, run, results, f"{FORMS}/{name}/{REPORT}"))
    return parts


def _is_fitted(design: Design, run: RunDirectory) -> bool:
    key = key_of(design.analysis, design)
    return (run.path / MANIFEST).is_file() and run.is_done("posterior", key)


def _titled(design: Design) -> Design:
    """Name the form in the title of its own report."""
    analysis = design.analysis
    title = analysis.report.title or analysis.name.replace("-", " ").replace("_", " ")
    report = analysis.report.model_copy(update={"title": f"{title}: {design.structure.name}"})
    return replace(design, analysis=analysis.model_copy(update={"report": report}))


def _compared(
    analysis: Analysis,
    parts: Sequence[Part],
    directory: RunDirectory,
    watch: Watch,
    command: str,
) -> Results:
    manifest = directory.read_manifest()
    key = key_of_results(manifest.key, analysis)
    if directory.is_done("results", key):
        watch.step("The comparison of the forms is there already")
        return directory.load_results()
    watch.step("Comparing the forms and averaging over them")
    with directory.stage("results", key):
        results = combined(parts, reproduction(analysis, manifest, command))
        ceilings = ceiling_evidence(_asking(analysis, parts[0].design), directory)
        if ceilings is not None:
            results = results.model_copy(update={"ceiling_models": ceilings.results})
        directory.save_results(results)
    directory.record_gate(results.gate.passed)
    return results
