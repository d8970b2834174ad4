"""The frame of every command that runs a study: progress, what is printed, and the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from bayescluster.cli.guard import keeping, say
from bayescluster.cli.progress import watching
from bayescluster.kit.table import Table
from bayescluster.kit.terminal import print_table
from bayescluster.studies.engine import Study
from bayescluster.workers import on_cluster

WIDTH: Final = 200
"""Room for every column, whatever the terminal: rows are not to be cut."""


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
    results = finished.results
    if json:
        say(results.model_dump_json(indent=2))
        return results
    if getattr(results, "synthetic", False):
        say("SYNTHETIC data: nothing here is evidence about real firms.")
    print_items(study.printed(results))
    say()
    for note in results.notes if study.notes else ():
        say(note)
    say(f"Report: {study.page_path(finished.directory)}")
    return results


def print_found[Found: BaseModel](
    found: Found, printed: Callable[[Found], Iterable[str | Table]], json: bool
) -> None:
    """Print results, as JSON or in lines and tables."""
    if json:
        say(found.model_dump_json(indent=2))
    else:
        print_items(printed(found))


def print_items(items: Iterable[str | Table]) -> None:
    """Print lines and tables."""
    for item in items:
        if isinstance(item, str):
            say(item)
        else:
            print_table(item, WIDTH)
