"""The report of a run from its results, without what fits a model: a user waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayescluster.inference.watch import Watch
from bayescluster.results.model import Additions, Results
from bayescluster.runs.keys import model_key, report_key
from bayescluster.runs.layout import EXPLORER, FOLDS, FORMS, POSTERIOR
from bayescluster.runs.store import RunDirectory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bayescluster.app.collect import Opened
    from bayescluster.design.record import Design
    from bayescluster.features.explorer.results import Explorer


def open_design(directory: RunDirectory) -> Design:
    """Open the design of a run; of a run of several forms, that of the first."""
    for form in directory.forms().values():
        return open_design(form)
    from bayescluster.design.arrays import design_from

    return design_from(directory.analysis(), directory.load_design())


def write_run_report(directory: RunDirectory, results: Results) -> None:
    """Write report, tables and figures of a run from its results; of its forms those that were there."""
    for form in directory.forms().values():
        if form.report_path.is_file():
            with form.lock():
                _write_report(form, with_additions(form, form.load_results()))
    _write_report(directory, with_additions(directory, results))


def finish_report(
    directory: RunDirectory, results: Results, watch: Watch, fits: Sequence[Opened] = ()
) -> None:
    """Write the report of a run from its results, unless it is there.

    ``fits`` are those of its forms, where they are open already.
    """
    whole = with_additions(directory, results, fits)
    if directory.is_done("report", _report_key(directory, whole)):
        watch.step("The report is there already")
        return
    watch.step(f"Writing the report of {results.name}")
    _write_report(directory, whole)


def with_additions(
    directory: RunDirectory, results: Results, fits: Sequence[Opened] = ()
) -> Results:
    """Add what is not kept with the results: draws for the explorer, what was left out, the checklist.

    One of several forms has no checklist: that is in the report of all together.
    """
    from bayescluster.features.checklist.compute import checklist_of
    from bayescluster.features.folds.results import FOLDS_VERSION, Folds

    folds = directory.load_document("folds", FOLDS, Folds, FOLDS_VERSION)
    additions = Additions(
        attempts=results.attempts, folds=folds, explorer=explorer_in(directory, results, fits)
    )
    whole = Results.joined(results, additions)
    if directory.path.parent.name == FORMS:
        return whole
    key = model_key(directory.analysis(), directory.read_manifest().data_digest, _cases(directory))
    checklist = checklist_of(directory, whole, key)
    return whole.model_copy(update={"checklist": checklist})


def _cases(directory: RunDirectory) -> dict[str, str]:
    """Digests of the cases behind priors: they stand in the design, which is opened for them alone."""
    equations = directory.analysis().equations.values()
    if all(each.priors.from_ is None for each in equations):
        return {}
    from bayescluster.app.prepare import cases_of

    return cases_of(open_design(directory))


def explorer_in(
    directory: RunDirectory, results: Results, fits: Sequence[Opened] = ()
) -> Explorer | None:
    """Draws for the explorer of a report, made from the posterior where they are not there yet.

    Nothing without both capitals, or the posterior is no longer there.
    """
    from bayescluster.features.explorer.results import EXPLORER_VERSION, Explorer

    runs = tuple(directory.forms().values()) or (directory,)
    if not results.surfaces:
        return None
    key = f"{directory.read_manifest().stages['results'].key}-{EXPLORER_VERSION}"
    if not directory.is_done("explorer", key):
        if not all((run.path / POSTERIOR).is_file() for run in runs):
            return None
        from bayescluster.app.collect import Opened
        from bayescluster.features.explorer.compute import explorer_of

        fits = fits or [Opened(open_design(run), run) for run in runs]
        with directory.stage("explorer", key):
            explorer = explorer_of([fit.evidence for fit in fits])
            directory.save_document("explorer", EXPLORER, explorer)
    return directory.load_document("explorer", EXPLORER, Explorer, EXPLORER_VERSION)


def _write_report(directory: RunDirectory, whole: Results) -> None:
    from bayescluster.report.render import write_report

    with directory.stage("report", _report_key(directory, whole)):
        write_report(whole, directory.path)


def _report_key(directory: RunDirectory, whole: Results) -> str:
    key = directory.read_manifest().stages["results"].key
    return report_key(key, whole.checklist, whole.folds, whole.explorer)
