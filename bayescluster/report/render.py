"""Writes the report: the one module of the report that touches files."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from bayescluster.report.figures import FIGURES
from bayescluster.report.figures.svg import standalone
from bayescluster.report.html import render_html
from bayescluster.report.spreadsheet import harmless
from bayescluster.report.tables import RawTable, raw_tables
from bayescluster.results.model import Results
from bayescluster.runs.atomic import write_text


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
    for name, text in _figures(results).items():
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
    for spec in FIGURES:
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
    writer.writerows([harmless(cell) for cell in row] for row in table.rows)
    return buffer.getvalue()


def _write(path: Path, text: str) -> Path:
    write_text(path, text)
    return path
