"""The report of a run: its results, with what stands beside them when it is written."""

from __future__ import annotations

from bayescluster.design.record import Design
from bayescluster.design.stored import design_from
from bayescluster.results.folds import FOLDS_VERSION, Folds
from bayescluster.results.model import Results
from bayescluster.runs.keys import model_key, report_key
from bayescluster.runs.layout import FOLDS, FORMS
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.workflow.checklist import checklist_of
from bayescluster.workflow.prepare import cases_of
from bayescluster.workflow.watch import Watch


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
