"""Several structural forms of one analysis: each a run of its own, then compared and averaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from bayescluster.design.record import Design
from bayescluster.results.model import Results
from bayescluster.runs.layout import FORMS, MANIFEST, REPORT
from bayescluster.runs.manifest import new_manifest
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.workflow.ceiling_fits import fit_ceiling_models
from bayescluster.workflow.ceiling_models import ceiling_evidence
from bayescluster.workflow.combine import Part, combined
from bayescluster.workflow.finish import finish_report
from bayescluster.workflow.prepare import key_of
from bayescluster.workflow.run import (
    design_results,
    finish_design,
    fit_design,
    key_of_results,
    reproduction,
)
from bayescluster.workflow.watch import Watch

if TYPE_CHECKING:
    from bayescluster.inference.nuts import ChainState


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
