"""Parts of a design: frozen values that travel on their own."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from bayescluster.arrays import Array
from bayescluster.dataset.cases import CodedCases
from bayescluster.dataset.indicators import IndicatorUnit


class Scaling(NamedTuple):
    """Units of an input: ``original = center + scale * standardised``."""

    center: float
    scale: float


class Grouping(NamedTuple):
    """A grouping whose members have coefficients of their own."""

    name: str
    labels: tuple[str, ...]
    terms: tuple[str, ...]
    centred: tuple[str, ...]
    """Terms sampled centred; the others are non-centred."""
    correlated: bool


class Items(NamedTuple):
    """Answers that measure a latent capital, ``(row, item)``, NaN where missing.

    ``levels`` counts the levels of each item: 2 where binary, 0 where continuous.
    """

    columns: tuple[str, ...]
    values: Array
    levels: tuple[int, ...]

    @property
    def continuous(self) -> tuple[int, ...]:
        """Positions of the continuous items."""
        return tuple(k for k, levels in enumerate(self.levels) if not levels)


class ControlPart(NamedTuple):
    """Controls at some positions: their base columns ``(row, position)``, and what multiplies them."""

    positions: NDArray[np.int64]
    base: Array
    level: Any


class Weights(NamedTuple):
    """Survey weights; see `bayescluster.design.weights`.

    ``rows`` multiplies the log density of each row, ``(row,)``; ``clusters`` that of the varying
    effects of each cluster, ``(cluster,)``; ``average`` is what a row counts in an average over
    firms, ``(row,)``, mean 1.
    """

    rows: Array
    average: Array
    clusters: Array | None


class Measure(NamedTuple):
    """How a capital was made: its indicators, their weights, and its reliability."""

    capital: str
    method: str
    unit: str
    weights: tuple[tuple[str, float], ...]
    reliability: float | None
    binary: bool
    units: tuple[IndicatorUnit, ...] = ()


class ImputedCells(NamedTuple):
    """Missing cells of one variable in one cluster, of so many rows."""

    variable: str
    cluster: str
    cells: int
    rows: int


class Pattern(NamedTuple):
    """Variables that are missing in the same rows, none other, and how many rows that is."""

    variables: tuple[str, ...]
    rows: int


class Details(NamedTuple):
    """Facts of the sample that reports print.

    ``dropped`` counts rows left out for a missing value, by variable and cluster; ``cases`` holds the
    coded evidence that the priors are taken from, where they are.
    """

    label: str
    title: str
    synthetic: bool
    digest: str
    rows_read: int
    dropped: tuple[tuple[str, str, int], ...]
    filters: tuple[str, ...]
    notes: tuple[str, ...]
    measures: tuple[Measure, ...]
    cases: CodedCases | None = None
    imputed: tuple[ImputedCells, ...] = ()
    """Cells that are estimated inside the model, by variable and cluster."""
    patterns: tuple[Pattern, ...] = ()
    """Which variables are missing together, and in how many rows."""


def details_text(details: Details) -> str:
    """Write details as text that a netCDF attribute can hold."""
    return json.dumps(_plain(details))


def details_from(text: str) -> Details:
    """Read details from that text."""
    return TypeAdapter(Details).validate_python(json.loads(text))


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
