"""From an analysis of a large file to the design of a sample of its firms, with the likelihood of all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from bayescluster import names
from bayescluster.dataset.prepare import FIRM, examine
from bayescluster.dataset.prepare import Firms as Prepared
from bayescluster.dataset.read import Names, Table, read_description, table_of
from bayescluster.dataset.values import InputError
from bayescluster.design.build import build_design
from bayescluster.design.forms import forms_of
from bayescluster.design.record import Design, details_text
from bayescluster.errors import DataError
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where, group_columns, label_columns, needed_columns
from bayescluster.summaries.coding import coder_of, on_scale_of_all, refusals
from bayescluster.summaries.likelihood import EXACT, Firms, counted, lines_of, summarised
from bayescluster.summaries.record import Summary, with_summary
from bayescluster.summaries.stream import digest_of, head_of, layout_of, parts_of, rows_in
from bayescluster.summaries.survey import Survey, survey_of, survey_part
from bayescluster.workers import mapped

SUMMARISED_FROM: Final = 50_000
"""Rows of a file from which its firms are summarised, where the analysis leaves it open."""


class Large(NamedTuple):
    """Design of a sample of the firms of a large file, with the likelihood of all, and all firms."""

    design: Design
    firms: Firms


def is_summarised(analysis: Analysis, directory: Path) -> bool:
    """Whether the firms of an analysis are summarised as they are read."""
    source, asked = analysis.data.source, analysis.sampling.likelihood
    if not isinstance(source, str) or asked == "full":
        return False
    rows = rows_in(directory / source)
    if not rows or (asked == "auto" and rows < SUMMARISED_FROM):
        return False
    return not any(refusals(analysis))


def large_designs(analysis: Analysis, directory: Path, where: Where) -> tuple[Large, ...]:
    """Read a large file, and summarise it under each structural form.

    Parameters
    ----------
    analysis, directory, where
        The analysis, the folder its paths start from, and the places of its values.

    Raises
    ------
    DataError
        If the file does not fit the analysis.
    """
    path = directory / str(analysis.data.source)
    layout, parts = layout_of(analysis, path), parts_of(path)
    known = {item.column for item in needed_columns(analysis)}
    known -= {one.name for one in analysis.data.derive}
    if not known <= set(layout.columns):
        _ordinary(analysis, head_of(path, layout), where)
    survey = survey_of(mapped(survey_part, parts, [layout] * len(parts)), analysis)
    table, prepared = _sample(analysis, survey, path, where)
    found = []
    for form in forms_of(analysis):
        design = build_design(form, table, prepared, where)
        form_layout = layout._replace(analysis=form)
        try:
            coder = coder_of(design, survey, form_layout)
        except InputError as error:
            raise DataError(error.at(where(("data", "source")))) from None
        design = on_scale_of_all(design, coder, prepared.frame)
        firms = Firms(parts, coder, survey.rows)
        summary = _summary(design, firms, coder.inputs(prepared.frame))
        found.append(Large(_described(design, survey, summary), firms))
    return tuple(found)


def with_every_firm(design: Design, firms: Firms) -> Design:
    """The design with the likelihood of every firm, in place of a summary that does not serve."""
    summary = Summary("rows", firms.rows, firms.coder.cells, lines=lines_of(firms))
    return replace(design, data=with_summary(design, summary))


def _summary(design: Design, firms: Firms, sample: np.ndarray[Any, Any]) -> Summary:
    cells, rows = firms.coder.cells, firms.rows
    if (lines := counted(firms, sample)) is not None:
        return Summary("counts", rows, cells, lines=lines)
    own = {term for grouping in design.groupings for term in grouping.terms}
    varying = np.array(
        [*(term in own for term in design.terms), *(False for _ in design.control_names)]
    )
    kind = "moments" if firms.family in EXACT else "quadratic"
    return Summary(kind, rows, cells, summarised(firms, varying))  # type: ignore[arg-type]


def _ordinary(analysis: Analysis, frame: Any, where: Where) -> Prepared:
    """Prepare rows as those of any table, or raise what is wrong with them."""
    groups = group_columns(analysis)
    table = table_of(frame, str(analysis.data.source), (), Names(groups, label_columns(analysis)))
    found = examine(table, analysis.data, needed_columns(analysis), where)
    if found.problems or found.firms is None:
        raise DataError(found.problems)
    return found.firms


def _sample(analysis: Analysis, survey: Survey, path: Path, where: Where) -> tuple[Table, Prepared]:
    """The sampled firms as a table that is prepared already."""
    bare = analysis.data.model_copy(update={"derive": (), "keep": (), "exclude": ()})
    rows = survey.sample.index.to_numpy()
    frame = survey.sample.reset_index(drop=True)
    plain = analysis.model_copy(update={"data": bare})
    prepared = _ordinary(plain, frame, where)
    title, synthetic = read_description(path)
    table = Table(frame, str(analysis.data.source), synthetic, title, digest_of(path))
    named = prepared.frame
    if analysis.data.firm is None:
        named = named.assign(**{FIRM: [f"row {row + 1}" for row in rows[named.index]]})
    return table, prepared._replace(frame=named)


def _described(design: Design, survey: Survey, summary: Summary) -> Design:
    """Add the likelihood of all firms, and facts of the file in place of those of the sample."""
    dropped = tuple((name, names.ALL, count) for name, count in survey.missing.items())
    filters = tuple(
        f"{words} ({count:,} rows left out)" for words, count in survey.excluded.items()
    )
    note = (
        f"{summary.rows:,} firms are in the likelihood. Averages over firms, predictive checks and "
        f"leave-one-out are of a random sample of {design.size:,} of them, with at least one of each "
        "combination of groups; capitals and controls are on the scale of all firms."
    )
    details = design.details._replace(
        rows_read=survey.read,
        dropped=dropped,
        filters=filters,
        notes=(*design.details.notes, note),
    )
    data = with_summary(design, summary)
    return replace(design, data=data.assign_attrs({names.DETAILS: details_text(details)}))
