"""Reading, checking and fitting an analysis from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bayescluster.api.run import Run
from bayescluster.design.record import Design
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Analysis
from bayescluster.workflow.prepare import asked, design_of
from bayescluster.workflow.run import run_analysis

if TYPE_CHECKING:
    from bayescluster.workflow.watch import Watch


def load(path: Path | str) -> Analysis:
    """Read and check an analysis file."""
    return asked(path).analysis


def validate(source: Analysis | Path | str) -> Design:
    """Check an analysis against its data; return the design it would fit, of the first form."""
    return design_of(asked(source))


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
        Told of the progress; silent without it.
    retry
        After a failed gate draw again as its reasons advise, at most three times, each a run of its
        own: the one that passed is given, or the last. ``run.results.attempts`` tells all.
    """
    if retry:
        from bayescluster.workflow.retry import run_with_retries

        return Run(run_with_retries(source, out, watch).last.directory)
    return Run(run_analysis(source, out, watch).directory)


def open_run(path: Path | str) -> Run:
    """Open a finished run from its directory, or the newest of an analysis from its folder."""
    return Run(RunDirectory.open(Path(path)))
