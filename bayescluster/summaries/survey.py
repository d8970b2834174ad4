"""What one pass over all firms tells: how many there are, moments of their answers, and a sample of them.

Surveys of parts add up to that of the whole. Which firms are sampled depends on the number of their row
and the seed, however the file is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.dataset.derive import transformed
from bayescluster.dataset.values import InputError
from bayescluster.errors import DataError, Problem
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.equation import ColumnControl, ProductControl
from bayescluster.summaries.stream import Batch, Layout, Part, batches, labels_in, numbers_in

SAMPLE: Final = 4_000
"""Firms of the sample over which averages and checks are taken."""
SAMPLE_STREAM: Final = 0x9E3779B97F4A7C15
MOST_CELLS: Final = 20_000
"""Most combinations of groups; more of them are hardly a summary."""

Key = tuple[str, str]
"""A column and its transform."""


class Moments(NamedTuple):
    """Number of rows, and means and centred cross-products of columns."""

    rows: int
    mean: Array
    products: Array
    yes_or_no: NDArray[np.bool_]

    def __add__(self, other: Moments) -> Moments:  # type: ignore[override]
        """Moments of the rows of both (Chan, Golub and LeVeque 1983)."""
        if not self.rows or not other.rows:
            return self if self.rows else other
        rows = self.rows + other.rows
        gap = other.mean - self.mean
        return Moments(
            rows,
            self.mean + gap * (other.rows / rows),
            self.products + other.products + np.outer(gap, gap) * (self.rows * other.rows / rows),
            self.yes_or_no & other.yes_or_no,
        )

    @property
    def covariance(self) -> Array:
        """Covariances, ``ddof=1``."""
        return np.asarray(self.products / (self.rows - 1))


class Survey(NamedTuple):
    """Survey of some rows.

    ``cells`` counts rows by the labels of all groups, ``categories`` holds the labels of categorical
    controls, ``sample`` the rows with the smallest random numbers, and one of every group and category.
    """

    read: int
    moments: Moments
    cells: dict[tuple[str, ...], int]
    categories: dict[str, tuple[str, ...]]
    sample: pd.DataFrame
    missing: dict[str, int]
    excluded: dict[str, int]

    @property
    def rows(self) -> int:
        """Rows that are used."""
        return self.moments.rows


def numeric_keys(analysis: Analysis) -> tuple[Key, ...]:
    """Columns whose moments are needed, with their transforms: indicators, controls, outcome."""
    found: list[Key] = [
        (item.column, item.transform)
        for construct in analysis.constructs.values()
        for item in construct.items
    ]
    found += [
        (control.column, control.transform)
        for control in column_controls(analysis)
        if control.coding is None
    ]
    return tuple(dict.fromkeys(found))


def column_controls(analysis: Analysis) -> tuple[ColumnControl, ...]:
    """Controls of the equation in focus in their long form; products are left out."""
    return tuple(
        ColumnControl(column=one) if isinstance(one, str) else one
        for one in analysis.equation.controls
        if not isinstance(one, ProductControl)
    )


def group_names(analysis: Analysis) -> dict[str, str | None]:
    """Column of each grouping; of industry and cluster, none where the data declare none."""
    data = analysis.data
    found = {names.INDUSTRY: data.industry, names.CLUSTER: data.cluster}
    firm = {names.FIRM: data.firm}
    return found | {name: (found | firm).get(name, name) for name in analysis.equation.varying}


def survey_of(parts: Iterable[Survey], analysis: Analysis) -> Survey:
    """Add up the surveys of parts, in order."""
    whole = reduce(lambda one, other: _both(one, other, analysis), parts)
    if not whole.rows:
        raise DataError(Problem("no row is left after filters and rows without answers"))
    return whole._replace(sample=whole.sample.drop(columns=CHANCE).sort_index())


def survey_part(part: Part, layout: Layout) -> Survey:
    """Survey the rows of a part.

    Raises
    ------
    DataError
        If a column does not hold what the analysis takes it for.
    """
    try:
        surveys = (_survey(batch, layout) for batch in batches(part, layout))
        return reduce(lambda one, other: _both(one, other, layout.analysis), surveys)
    except InputError as error:
        raise DataError(error.at("")) from None


def _survey(batch: Batch, layout: Layout) -> Survey:
    analysis, frame = layout.analysis, batch.frame
    keys = numeric_keys(analysis)
    columns, textual = [], []
    for column, transform in keys:
        if _is_text(frame[column]):
            textual.append(column)
            columns.append(np.zeros(len(frame)))
        else:
            values = numbers_in(frame[column])
            columns.append(transformed(transform, column, values, frame.index))
    categories = {
        control.column: tuple(sorted(labels_in(frame[control.column])[1]))
        for control in column_controls(analysis)
        if control.coding or control.column in textual
    }
    numbered = frame.assign(**{CHANCE: chance(batch.number, analysis.sampling.seed)})
    return Survey(
        batch.read,
        _moments(columns, len(frame)),
        cell_counts(frame, analysis),
        categories,
        _sampled(numbered, tuple(categories), analysis),
        batch.missing,
        batch.excluded,
    )


CHANCE: Final = "__chance__"


def _is_text(series: pd.Series) -> bool:
    return isinstance(series.dtype, pd.CategoricalDtype) or series.dtype == object


def _moments(columns: list[Array], rows: int) -> Moments:
    if not columns or not rows:
        width = len(columns)
        return Moments(rows, np.zeros(width), np.zeros((width, width)), np.ones(width, bool))
    values = np.column_stack(columns)
    mean = values.mean(axis=0)
    centred = values - mean
    binary = np.array([bool(((column == 0) | (column == 1)).all()) for column in columns])
    return Moments(rows, mean, centred.T @ centred, binary)


def cell_counts(frame: pd.DataFrame, analysis: Analysis) -> dict[tuple[str, ...], int]:
    """Rows by the labels of all groups."""
    if not len(frame):
        return {}
    coded = [
        (np.zeros(len(frame), "int64"), [names.ALL]) if column is None else labels_in(frame[column])
        for column in group_names(analysis).values()
    ]
    sizes = tuple(len(labels) for _, labels in coded)
    flat = np.ravel_multi_index(tuple(codes for codes, _ in coded), sizes)
    cells, counts = np.unique(flat, return_counts=True)
    places = np.unravel_index(cells, sizes)
    if cells.size > MOST_CELLS:
        raise InputError(
            f"there are more than {MOST_CELLS:,} combinations of groups",
            "let coefficients vary by groups that hold many firms each",
        )
    texts = [[coded[k][1][place] for place in where] for k, where in enumerate(places)]
    return {cell: int(count) for cell, count in zip(zip(*texts, strict=True), counts, strict=True)}


def chance(number: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    """A random number for each row, by its number and the seed (SplitMix64; Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = (number.astype("uint64") + np.uint64(seed) + np.uint64(1)) * np.uint64(SAMPLE_STREAM)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def _sampled(frame: pd.DataFrame, categories: tuple[str, ...], analysis: Analysis) -> pd.DataFrame:
    """Rows with the smallest random numbers, and the smallest of each group and category."""
    if not len(frame):
        return frame
    numbers = frame[CHANCE].to_numpy()
    order = np.argsort(numbers, kind="stable")
    kept = [order[:SAMPLE]]
    columns = [name for name in group_names(analysis).values() if name is not None]
    for together in ([columns] if columns else []) + [[name] for name in categories]:
        codes = frame.iloc[order].groupby(together, observed=True, sort=False).ngroup().to_numpy()
        kept.append(order[np.unique(codes, return_index=True)[1]])
    found = frame.iloc[np.unique(np.concatenate(kept))]
    texts = {str(name): found[name].astype(object) for name in found if _is_text(found[name])}
    return found.assign(**texts)


def _both(one: Survey, other: Survey, analysis: Analysis) -> Survey:
    cells, categories = dict(one.cells), dict(one.categories)
    for cell, count in other.cells.items():
        cells[cell] = cells.get(cell, 0) + count
    for name, labels in other.categories.items():
        categories[name] = tuple(sorted({*categories.get(name, ()), *labels}))
    frames = [each.sample for each in (one, other) if len(each.sample)]
    sample = _sampled(pd.concat(frames), tuple(categories), analysis) if frames else one.sample
    if len(cells) > MOST_CELLS:
        raise InputError(
            f"there are more than {MOST_CELLS:,} combinations of groups",
            "let coefficients vary by groups that hold many firms each",
        )
    return Survey(
        one.read + other.read,
        one.moments + other.moments,
        cells,
        categories,
        sample,
        _summed(one.missing, other.missing),
        _summed(one.excluded, other.excluded),
    )


def _summed(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
