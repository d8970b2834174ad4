"""Fits, runs and studies, from Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayescluster.api.run import Run
from bayescluster.app.prepare import analysis_source, design_of
from bayescluster.app.run import run_analysis
from bayescluster.design.record import Design
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis

if TYPE_CHECKING:
    from bayescluster.inference.watch import CountingWatch, Watch
    from bayescluster.studies.calibration.compute import Options as CalibrationOptions
    from bayescluster.studies.calibration.results import Calibration
    from bayescluster.studies.compare.results import Compared
    from bayescluster.studies.design_analysis.compute import Options as DesignOptions
    from bayescluster.studies.design_analysis.results import DesignAnalysis
    from bayescluster.studies.engine import Finished
    from bayescluster.studies.multiverse.plan import Options as SweepOptions
    from bayescluster.studies.multiverse.results import Multiverse
    from bayescluster.studies.prior.results import PriorStudy
    from bayescluster.studies.prior.study import Options as PriorOptions

type Settings = Mapping[str, Any]
"""Options of a study by name, as on the command line: ``{"draws": 500}``."""


def load(path: Path | str) -> Analysis:
    """Read and check an analysis file."""
    return analysis_source(path).analysis


def validate(source: Analysis | Path | str) -> Design:
    """Check an analysis against its data; return the design it would fit, of the first form."""
    return design_of(analysis_source(source))


def fit(
    source: Analysis | Path | str,
    out: Path | str = "runs",
    watch: Watch | None = None,
    *,
    retry: bool = False,
) -> Run:
    """Fit an analysis and write its report, or take what is finished.

    Parameters
    ----------
    source
        Analysis file, or an `Analysis`; paths in the latter start at the working directory.
    out
        Folder of the runs.
    watch
        Receives the progress; silent without it.
    retry
        After a failed gate draw again as its reasons advise, at most three times, each a run of its
        own: the one that passed is given, or the last. ``run.results.attempts`` lists all. For
        analyses that give ``sampling.draws``; without it a fit does so by itself.
    """
    if retry:
        from bayescluster.app.run import run_with_retries

        return Run(run_with_retries(source, out, watch).last.directory)
    return Run(run_analysis(source, out, watch).directory)


def open_run(path: Path | str) -> Run:
    """Open a finished run from its directory, or the newest of an analysis from its folder."""
    return Run(RunDirectory.open(Path(path)))


def prior(
    source: Analysis | Path | str,
    options: PriorOptions | Settings | None = None,
    out: Path | str = "runs",
    watch: CountingWatch | None = None,
) -> Finished[PriorStudy]:
    """What an analysis says before its data, from draws of its prior; nothing is fitted.

    Parameters
    ----------
    source
        Analysis file, or an `Analysis`; paths in the latter start at the working directory. So in
        every study.
    options
        ``draws``, and their ``seed``: that of the analysis without one.
    out
        Folder of the runs, in which the study has its own.
    watch
        Receives the progress; silent without it.

    Returns
    -------
    Finished
        ``results``, every number of the study, and the ``directory`` of its page and tables.
    """
    from bayescluster.studies.prior.study import Options, study_prior

    return study_prior(source, _given(Options, options), out, watch)


def design_analysis(
    source: Analysis | Path | str,
    options: DesignOptions | Settings | None = None,
    out: Path | str = "runs",
    watch: CountingWatch | None = None,
) -> Finished[DesignAnalysis]:
    """Simulate firms from known truths, and count how often each verdict would be right.

    Parameters and returns as for `prior`; ``options`` are ``forms``, ``base_rates``,
    ``fit``, ``replications``, ``firms``, ``clusters`` and settings of the refits. What is there already is used again.
    """
    from bayescluster.studies.design_analysis.compute import Options
    from bayescluster.studies.design_analysis.study import analyse_design

    return analyse_design(source, _given(Options, options), out, watch)


def calibrate(
    source: Analysis | Path | str,
    options: CalibrationOptions | Settings | None = None,
    out: Path | str = "runs",
    watch: CountingWatch | None = None,
) -> Finished[Calibration]:
    """Simulate outcomes from the prior, refit them, and see whether ranks and probabilities are right.

    Parameters and returns as for `prior`; ``options`` are ``replications``, ``firms``, ``clusters``
    and settings of the refits. What is there already is used again.
    """
    from bayescluster.studies.calibration.compute import Options
    from bayescluster.studies.calibration.study import calibrate_analysis

    return calibrate_analysis(source, _given(Options, options), out, watch)


def sweep(
    source: Analysis | Path | str,
    options: SweepOptions | Settings | None = None,
    out: Path | str = "runs",
    watch: CountingWatch | None = None,
) -> Finished[Multiverse]:
    """Fit an analysis under alternatives, and find which choice flips which verdict.

    Parameters and returns as for `prior`; the block ``multiverse`` of the analysis holds the
    alternatives, ``options`` are settings of the fits. With more than one of ``jobs``, each runs in a
    process of its own: a script then needs the guard ``if __name__ == "__main__":``. One without it.
    """
    from bayescluster.studies.multiverse.plan import Options
    from bayescluster.studies.multiverse.study import sweep_analysis

    return sweep_analysis(source, _given(Options, options) or Options(jobs=1), out, watch)


def compare(
    runs: Sequence[Run | Path | str],
    out: Path | str | None = None,
    watch: CountingWatch | None = None,
) -> Finished[Compared]:
    """Put finished runs side by side, with differences where their posteriors allow one.

    ``out`` is the folder of the first run without it; returns as for `prior`.
    """
    from bayescluster.studies.compare.study import Options, compare_runs

    paths = [run.path if isinstance(run, Run) else run for run in runs]
    return compare_runs(paths, Options(None if out is None else Path(out)), watch=watch)


def _given[Options](
    kind: Callable[..., Options], options: Options | Settings | None
) -> Options | None:
    return kind(**options) if isinstance(options, Mapping) else options
