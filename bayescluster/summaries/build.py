"""From an analysis of a large file to the design of a sample of its firms with the likelihood of all, checked.

Whether draws from the quadratic likelihood stand for those from the exact one is checked after the fit:
the ratio of the two at a draw is its importance weight. It is computed over all firms, at all draws where
that is a bounded amount of work; else at some, and at the others from third derivatives, which the exact
ones have to confirm. The Pareto k of the weights decides (Vehtari et al. 2024).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array, softplus
from bayescluster.dataset.prepare import FIRM, examine
from bayescluster.dataset.prepare import Firms as Prepared
from bayescluster.dataset.read import Names, Table, read_description, table_of
from bayescluster.dataset.values import InputError
from bayescluster.design.build import build_design
from bayescluster.design.forms import forms_of
from bayescluster.design.record import Design, details_text
from bayescluster.errors import DataError
from bayescluster.model.evaluate import draws_of
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where, group_columns, label_columns, needed_columns
from bayescluster.summaries.coding import Block, Coder, coder_of, on_scale_of_all, refusals
from bayescluster.summaries.likelihood import (
    EXACT,
    LIKELIHOODS,
    Firms,
    counted,
    lines_of,
    summarised,
)
from bayescluster.summaries.record import Quadratic, Summary, summary_of, with_summary
from bayescluster.summaries.stream import (
    Part,
    Survey,
    digest_of,
    head_of,
    layout_of,
    parts_of,
    rows_in,
    survey_of,
    survey_part,
)
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


EVALUATIONS: Final = 400_000_000
"""Most densities of a row at a draw that are computed; at `FEWEST_DRAWS` draws whatever the rows."""
FEWEST_DRAWS: Final = 100
CELLS_AT_ONCE: Final = 500_000


class Ratios(NamedTuple):
    """Log of exact over quadratic likelihood: at all draws, and what is known of their precision."""

    log_ratios: Array
    draws: int
    """Draws at which the exact likelihood was computed."""
    off: float
    """Sd of the difference between exact ratios and those that are used."""


def coefficients_at(design: Design, posterior: xr.Dataset, groups: NDArray[np.int64]) -> Array:
    """Coefficients of cells at each draw, ``(cell, coefficient, draw)``: terms, then controls."""
    draws = draws_of(design, posterior)
    terms, controls = design.terms, len(design.control_names)
    found = np.zeros((len(groups), len(terms) + controls, draws.size))
    for k, term in enumerate(terms):
        found[:, k] = draws.population[term]
        for place, grouping in enumerate(design.groupings):
            if term in grouping.terms:
                effect = draws.groups[grouping.name].effect[:, :, grouping.terms.index(term)]
                found[:, k] += effect.T[groups[:, place]]
    found[:, len(terms) :] = draws.controls.T
    return found


def ratios(design: Design, posterior: xr.Dataset, firms: Firms) -> Ratios:
    """Log ratios of the exact to the quadratic likelihood, chains one after the other, ``(draw,)``."""
    summary = summary_of(design)
    assert summary is not None
    assert summary.quadratic is not None
    whole = coefficients_at(design, posterior, summary.groups)
    size = whole.shape[2]
    count = min(size, max(FEWEST_DRAWS, EVALUATIONS // firms.rows))
    if summary.quadratic.third is None and firms.are_few:
        count = size
    some = np.linspace(0, size - 1, count).astype("int64")
    at = np.ascontiguousarray(whole[:, :, some])
    if firms.are_few:
        exact = _exact(firms.blocks(), firms.family, at)
    else:
        exact = np.sum(list(firms.mapped(_exact_part, firms.coder, firms.family, at)), axis=0)
    found = exact - _series(summary.quadratic, at, cubic=False)
    found -= found.mean()
    if count == size:
        return Ratios(found, count, 0.0)
    if summary.quadratic.third is None:
        return Ratios(np.zeros(size), count, float(found.std()))
    cubic = _series(summary.quadratic, whole, cubic=True)
    cubic -= _series(summary.quadratic, whole, cubic=False)
    off = float((found - cubic[some]).std())
    return Ratios(cubic - cubic.mean(), count, off)


def kept_draws(weights: Array) -> NDArray[np.int64]:
    """Draws of each chain in proportion to their weights, ``(chain, draw)``, in their order.

    Systematic resampling: a draw is kept as often as its share says, up to one.
    """
    chains, draws = weights.shape
    places = (np.arange(draws) + 0.5) / draws
    found = [
        np.searchsorted(np.cumsum(own / own.sum()), places).clip(0, draws - 1) for own in weights
    ]
    return np.stack(found).reshape(chains, draws)


def resampled(dataset: xr.Dataset, kept: NDArray[np.int64]) -> xr.Dataset:
    """Take draws of one chain."""
    found = dataset.isel({names.DRAW: kept})
    return found.assign_coords({names.DRAW: dataset[names.DRAW]})


def _exact_part(part: Part, coder: Coder, family: str, at: Array) -> Array:
    return _exact(coder.blocks(part), family, at)


def _exact(blocks: Iterable[Block], family: str, at: Array) -> Array:
    """Log likelihood of rows at draws, ``(cell, coefficient, draw) -> (draw,)``."""
    total = np.zeros(at.shape[2])
    for block in blocks:
        order = np.argsort(block.cell, kind="stable")
        cell = block.cell[order]
        edges = [0, *(np.flatnonzero(np.diff(cell)) + 1), cell.size]
        for first, last in pairwise(edges):
            step = max(1, CELLS_AT_ONCE // at.shape[2])
            for start in range(first, last, step):
                rows = order[start : min(start + step, last)]
                total += _density(block.at(rows), family, at[cell[first]])
    return total


def _density(rows: Block, family: str, coefficients: Array) -> Array:
    """Log likelihood of rows of one cell, ``(coefficient, draw) -> (draw,)``."""
    eta = rows.inputs @ coefficients + rows.offset[:, None]  # (row, draw)
    if family in ("bernoulli", "binomial"):
        return np.asarray(rows.outcome @ eta - rows.size @ softplus(eta))
    if family == "poisson":
        return np.asarray(rows.outcome @ eta - np.exp(eta).sum(axis=0))
    size = rows.size[:, None]
    return np.asarray(LIKELIHOODS[family](rows.outcome[:, None], eta, size).value.sum(axis=0))


def _series(found: Quadratic, at: Array, cubic: bool) -> Array:
    """Series of the log likelihood at draws, ``(cell, coefficient, draw) -> (draw,)``."""
    total = np.zeros(at.shape[2])
    for c in range(len(found.centre)):
        gap = at[c] - found.centre[c][:, None]
        total += found.value[c] + found.slope[c] @ gap
        total -= 0.5 * np.einsum("jd,jd->d", gap, found.curvature[c] @ gap)
        if cubic and found.third is not None:
            bent = np.einsum("jkm,md->jkd", found.third[c], gap)
            total += np.einsum("jkd,jd,kd->d", bent, gap, gap) / 6
    return total
