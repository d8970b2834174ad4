"""Writes the report: the one module of the report that touches files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from markupsafe import Markup
from matplotlib.figure import Figure

from bayescluster.features.nca.results import ALL_ROWS, Necessity
from bayescluster.features.nca.view import (
    bottleneck,
    bottleneck_label,
    necessity,
    necessity_label,
    summary_json,
    views,
)
from bayescluster.kit import words
from bayescluster.kit.figure import drawings_kept, drawn_file, standalone
from bayescluster.kit.page import Section, Shown, layered
from bayescluster.kit.table import csv_text
from bayescluster.kit.table import raw_tables as raw_views
from bayescluster.report.figures import FIGURES
from bayescluster.report.sections import SECTIONS, raw_tables
from bayescluster.results.model import Results
from bayescluster.runs.files import write_text


def render_html(results: Results) -> str:
    """Write the report as HTML.

    The page holds its styles, figures and scripts, allows nothing from outside, can be read without
    scripts, follows the reader's light or dark mode, and prints on A4. Equal results give equal bytes.

    Parameters
    ----------
    results
        Results of a run.

    Returns
    -------
    str
        The page.
    """
    failing = ", ".join(item.name for item in results.gate.items if item.passed is not True)
    wanted = [one for one in SECTIONS if one.wanted(results)]
    return layered(
        "page.html.j2",
        (Shown(one.anchor, one.title, one.short, _body(one, results), one.layer) for one in wanted),
        *(script for one in wanted for script in one.scripts()),
        results=results,
        failing=failing,
    )


def _body(section: Section, results: Results) -> Markup:
    """A section, below what is averaged over forms in it and what is not."""
    form = words.form_note(results, section.anchor)
    note = Markup('<p class="note">{}</p>\n').format(form) if form else Markup()
    return note + section.body(results)


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
    for table in raw_views(views(found)):
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
    mark = "" if results.gate.passed else words.NOT_FOR_CITING
    for spec in FIGURES:
        text = ""
        if spec.wanted(results):
            try:
                text = drawn_file(spec, results, mark)
            except ValueError:
                text = ""
        found[spec.name] = text
    return found


def _write(path: Path, text: str) -> Path:
    write_text(path, text)
    return path
