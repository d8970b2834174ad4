"""Writes the report: the one module of the report that touches files."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from matplotlib.figure import Figure

from bayescluster.report.figures import figures_of
from bayescluster.report.figures.bottleneck_plot import bottleneck, bottleneck_label
from bayescluster.report.figures.necessity_plot import necessity, necessity_label
from bayescluster.report.figures.svg import drawings_kept, drawn_file, standalone
from bayescluster.report.figures.verdict_curve_plot import PREFIX
from bayescluster.report.flat import RawTable
from bayescluster.report.html import render_html
from bayescluster.report.necessity import summary_json
from bayescluster.report.spreadsheet import harmless
from bayescluster.report.tables import raw_tables
from bayescluster.report.tradition_tables import necessity_tables
from bayescluster.report.words import NOT_FOR_CITING
from bayescluster.results.model import Results
from bayescluster.results.necessity import ALL_ROWS, Necessity
from bayescluster.runs.atomic import write_text

LONGEST_NAME: Final = 60
"""Characters of a file name that is made of names of the data."""


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
    with drawings_kept():
        page = render_html(results)
        figures = _figures(results)
    written = [_write(directory / "report.html", page)]
    for stale in (directory / "figures").glob(f"{PREFIX}*.svg"):
        figures.setdefault(stale.stem, "")
    for name, text in figures.items():
        path = directory / "figures" / f"{name}.svg"
        if text:
            written.append(_write(path, text))
        else:
            path.unlink(missing_ok=True)
    for table in raw_tables(results):
        written.append(_write(directory / "tables" / f"{table.name}.csv", csv_text(table)))
    return written


class Written(NamedTuple):
    """Files written, and why figures that could not be drawn were not."""

    paths: tuple[Path, ...]
    failures: tuple[str, ...]


def write_necessity(found: Necessity, directory: Path) -> Written:
    """Write a necessary condition analysis: ``nca.json``, ``figures/*.svg`` and ``tables/*.csv``.

    Parameters
    ----------
    found
        The analysis.
    directory
        Where to write; made if it is not there.

    Raises
    ------
    RunError
        If a file cannot be written.
    """
    paths = [_write(directory / "nca.json", summary_json(found) + "\n")]
    for table in necessity_tables(found):
        paths.append(_write(directory / "tables" / f"{table.name}.csv", csv_text(table)))
    failures, taken = [], set[str]()
    for title, draw, label in _necessity_figures(found):
        name = _file_name(title, taken)
        try:
            text = standalone(draw(), name, label)
        except ValueError as error:
            failures.append(f"{name}: {error}")
        else:
            paths.append(_write(directory / "figures" / f"{name}.svg", text))
    return Written(tuple(paths), tuple(failures))


def _necessity_figures(found: Necessity) -> Iterator[tuple[str, Callable[[], Figure], str]]:
    """Figures of every group: a title to name the file by, how to draw it, and its label."""
    for group in found.groups:
        pairs, end = found.of(group), "" if group == ALL_ROWS else f" {group}"
        for pair in pairs:
            draw = partial(necessity, found, pair)
            yield f"ceilings {pair.condition}{end}", draw, necessity_label(found, pair)
        for row in pairs[0].ceilings:
            yield (
                f"bottleneck {row.ceiling}{end}",
                partial(bottleneck, found, pairs, row.ceiling),
                bottleneck_label(found, pairs, row.ceiling),
            )


def _file_name(title: str, taken: set[str]) -> str:
    """Make a file name of a title: letters, digits and hyphens, other than those taken."""
    plain = re.sub(r"[^\w]+", "-", title.lower()).strip("-")[:LONGEST_NAME]
    numbered = (plain if k == 1 else f"{plain}-{k}" for k in count(1))
    name = next(name for name in numbered if name not in taken)
    taken.add(name)
    return name


def _figures(results: Results) -> dict[str, str]:
    """SVG by name; empty for a figure that these results do not have (the page says why)."""
    found = {}
    mark = "" if results.gate.passed else NOT_FOR_CITING
    for spec in figures_of(results):
        text = ""
        if spec.wanted(results):
            try:
                text = drawn_file(spec, results, mark)
            except ValueError:
                text = ""
        found[spec.name] = text
    return found


def csv_text(table: RawTable) -> str:
    """Write a table as comma-separated text."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([harmless(cell) for cell in row] for row in table.rows)
    return buffer.getvalue()


def _write(path: Path, text: str) -> Path:
    write_text(path, text)
    return path
