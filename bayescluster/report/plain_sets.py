"""Writes set theory on a plain table: tables as csv, and an XY plot a condition."""

from __future__ import annotations

import re
from pathlib import Path

from bayescluster.report.figures.set_plot import xy_plots
from bayescluster.report.figures.svg import standalone
from bayescluster.report.render import csv_text
from bayescluster.report.tradition_tables import set_raw_tables
from bayescluster.results.sets import PlainSets
from bayescluster.runs.atomic import write_text


def write_plain_sets(found: PlainSets, directory: Path) -> list[Path]:
    """Write tables and plots into a folder, made if it is not there.

    Raises
    ------
    RunError
        If a file cannot be written.
    """
    written = []
    for table in set_raw_tables(found):
        path = directory / f"{table.name}.csv"
        write_text(path, csv_text(table))
        written.append(path)
    for place, plot in enumerate(found.plots):
        # a column may be called anything; a file may not
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", plot.expression)
        path = directory / f"xy_{place + 1}_{plain}.svg"
        above = sum(y >= x for x, y in plot.points)
        label = (
            f"Membership in {plot.expression} against membership in {found.outcome}: {above} of "
            f"{plot.total} cases on or above the diagonal."
        )
        write_text(path, standalone(xy_plots((plot,), found.outcome), f"xy-{place + 1}", label))
        written.append(path)
    return written
