"""Writes the report: the one module of the report that touches files."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Final

from bayescluster.report.figures import figures_of
from bayescluster.report.figures.svg import standalone
from bayescluster.report.figures.verdict_curve_plot import PREFIX
from bayescluster.report.html import render_html
from bayescluster.report.tables import RawTable, Value, raw_tables
from bayescluster.results.model import Results
from bayescluster.runs.atomic import write_text

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins with one of these could be run as a formula by a spreadsheet."""


def write_report(results: Results, directory: Path) -> list[Path]:
    """Write ``report.html``, ``figures/*.svg`` and ``tables/*.csv``.

    Tables hold the raw numbers of the results, unrounded; a missing number is an empty cell. Text
    that a spreadsheet could take for a formula has a single quote before it. Each file is written
    beside its place and then moved there, so that a reader never finds half a file. Of an older
    report in the directory, figures that these results do not have are removed.

    Parameters
    ----------
    results
        Results of a run.
    directory
        Where to write; made if it is not there.

    Returns
    -------
    list of Path
        The files written, the page first.

    Raises
    ------
    RunError
        If a file cannot be written.
    """
    written = [_write(directory / "report.html", render_html(results))]
    figures = _figures(results)
    for stale in (directory / "figures").glob(f"{PREFIX}*.svg"):
        figures.setdefault(stale.stem, "")
    for name, text in figures.items():
        path = directory / "figures" / f"{name}.svg"
        if text:
            written.append(_write(path, text))
        else:
            path.unlink(missing_ok=True)
    for table in raw_tables(results):
        written.append(_write(directory / "tables" / f"{table.name}.csv", _csv(table)))
    return written


def _figures(results: Results) -> dict[str, str]:
    """SVG by name; empty for a figure that these results do not have (the page says why)."""
    found = {}
    for spec in figures_of(results):
        text = ""
        if spec.wanted(results):
            try:
                figure = spec.draw(results, False)
                text = standalone(figure, spec.name, spec.alternative(results))
            except ValueError:
                text = ""
        found[spec.name] = text
    return found


def _csv(table: RawTable) -> str:
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in table.rows)
    return buffer.getvalue()


def _harmless(cell: Value) -> Value:
    """Keep text from being run as a formula; numbers stay as they are."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _write(path: Path, text: str) -> Path:
    write_text(path, text)
    return path
