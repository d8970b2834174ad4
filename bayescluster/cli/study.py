"""The frame of every command that runs a study: progress, what is printed, and the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bayescluster.cli.guard import keeping, say_found
from bayescluster.cli.progress import watching
from bayescluster.kit import words
from bayescluster.kit.table import Table
from bayescluster.studies.engine import Study
from bayescluster.workers import on_cluster


def run_study[Source, Options, Results: Any](
    study: Study[Source, Options, Any, Any, Results],
    source: Source,
    options: Options | None,
    out: Path,
    json: bool,
    cluster: str | None = None,
) -> Results:
    """Run a study, print its results, and name its page.

    Parameters
    ----------
    study, source, options, out
        The study, and what it is called with.
    json
        Print the results as JSON instead.
    cluster
        Cluster to work on; see `bayescluster.workers.cluster_of`.
    """
    with keeping(study.kept), on_cluster(cluster), watching() as watch:
        finished = study(source, options, out, watch)

    def printed(results: Results) -> Iterator[str | Table]:
        if getattr(results, "synthetic", False):
            yield words.SYNTHETIC
        yield from study.printed(results)
        yield ""
        yield from results.notes if study.notes else ()
        yield f"Report: {study.page_path(finished.directory)}"

    say_found(finished.results, printed, json)
    return finished.results
