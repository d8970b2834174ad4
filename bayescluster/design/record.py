"""The design: an analysis and its firms as named arrays, ready for any model.

One `xarray.Dataset` holds all arrays; everything else follows from it and the analysis, so a design
that is saved and opened again is the same design.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import TypeAdapter

from bayescluster.families import FAMILIES, Family, Rows
from bayescluster.names import (
    AVERAGING_WEIGHT,
    CAPITAL,
    CENTER,
    CLUSTER_WEIGHT,
    CONTROL,
    CONTROL_BASE,
    CONTROL_CAPITAL,
    CONTROLS,
    DETAILS,
    FIRM_CODE,
    HUMAN_CAPITAL,
    INTERCEPT,
    LEVEL,
    OFFSET,
    OUTCOME,
    ROW,
    ROW_WEIGHT,
    SCALE,
    SOCIAL_CAPITAL,
    STANDARD_ERROR,
    TRIALS,
    group_dim,
    group_index,
)
from bayescluster.spec.analysis import Analysis
from bayescluster.structures import STRUCTURES, Structure

Array = NDArray[np.float64]


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


class Details(NamedTuple):
    """Facts of the sample that reports print.

    ``dropped`` counts rows left out for a missing value, by variable and cluster.
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


@dataclass(frozen=True)
class Design:
    """Named arrays of one analysis: rows, groups, standardised inputs, outcome."""

    analysis: Analysis
    data: xr.Dataset
    prefix: str = ""
    """Stands before the names of the model's variables, where a model has several equations."""

    def variable(self, name: str) -> str:
        """Name of a variable or dimension that belongs to this equation alone."""
        return f"{self.prefix}{name}"

    @property
    def family(self) -> Family:
        """The likelihood family."""
        return FAMILIES[self.analysis.equation.family]

    @property
    def structure(self) -> Structure:
        """The structural form."""
        return STRUCTURES[self.analysis.equation.form]

    @property
    def link(self) -> str:
        """Scale on which a form mixes expectations; an ordinal outcome has none of its own."""
        return "identity" if self.levels else self.family.link

    @cached_property
    def details(self) -> Details:
        """Facts of the sample."""
        stored = json.loads(self.data.attrs[DETAILS])
        return TypeAdapter(Details).validate_python(stored)

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.data.sizes[ROW])

    @property
    def outcome(self) -> Array:
        """Outcome, ``(row,)``; ordinal levels as codes."""
        return self._array(OUTCOME)

    @property
    def capitals(self) -> tuple[Array, Array]:
        """Standardised human and social capital, each ``(row,)``."""
        return self._array(HUMAN_CAPITAL), self._array(SOCIAL_CAPITAL)

    @property
    def controls(self) -> Array:
        """Coded controls, ``(row, control)``."""
        return self._array(CONTROLS)

    def control_parts(self, human: Any, social: Any) -> Iterator[ControlPart]:
        """Controls in parts that move alike, with the capitals at given levels.

        A control that is the product of something with a capital follows the capital: its column is
        that of its base times the level.
        """
        owners = self.data[CONTROL_CAPITAL].to_numpy()
        bases = self._array(CONTROL_BASE)
        for capital, level in (("", 1.0), (HUMAN_CAPITAL, human), (SOCIAL_CAPITAL, social)):
            mine = np.flatnonzero(owners == capital)
            if mine.size:
                yield ControlPart(mine, bases[:, mine], level)

    @property
    def has_capitals(self) -> bool:
        """Whether the capitals enter the model."""
        return self.structure.terms != (INTERCEPT,)

    def is_binary(self, capital: str) -> bool:
        """Whether a capital is measured by a 0/1 column."""
        return any(m.binary for m in self.details.measures if m.capital == capital)

    @property
    def control_names(self) -> tuple[str, ...]:
        """Names of the coded controls."""
        return self.labels(CONTROL)

    @property
    def offset(self) -> Array:
        """Log exposure, ``(row,)``."""
        return self._array(OFFSET)

    @property
    def rows(self) -> Rows:
        """Known quantities of the rows for the likelihood."""
        known = (
            self._array(name) if name in self.data else None for name in (TRIALS, STANDARD_ERROR)
        )
        return Rows(*known)

    @property
    def weights(self) -> Weights | None:
        """Survey weights, where the analysis declares any."""
        if ROW_WEIGHT not in self.data:
            return None
        clusters = self._array(CLUSTER_WEIGHT) if CLUSTER_WEIGHT in self.data else None
        return Weights(self._array(ROW_WEIGHT), self._array(AVERAGING_WEIGHT), clusters)

    @property
    def firms(self) -> NDArray[np.int64]:
        """Number of each row's firm, ``(row,)``: rows that share a firm share a number."""
        return np.asarray(self.data[FIRM_CODE].to_numpy(), dtype="int64")

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels of an ordinal outcome, lowest first; empty for other families."""
        return self.labels(LEVEL) if LEVEL in self.data.coords else ()

    @cached_property
    def groupings(self) -> tuple[Grouping, ...]:
        """Groupings with varying effects, in the order of the analysis."""
        from bayescluster.design.groupings import groupings

        return groupings(self)

    def labels(self, dim: str) -> tuple[str, ...]:
        """Labels along a dimension."""
        return tuple(str(label) for label in self.data[dim].to_numpy())

    def index(self, grouping: str) -> NDArray[np.int64]:
        """Position of each row's group, ``(row,)``."""
        return np.asarray(self.data[group_index(grouping)].to_numpy(), dtype="int64")

    def group_labels(self, grouping: str) -> tuple[str, ...]:
        """Labels of the groups of a grouping."""
        return self.labels(group_dim(grouping))

    def scaling(self, capital: str) -> Scaling:
        """Units of a capital."""
        at = {CAPITAL: capital}
        return Scaling(float(self.data[CENTER].loc[at]), float(self.data[SCALE].loc[at]))

    def _array(self, name: str) -> Array:
        return np.asarray(self.data[name].to_numpy(), dtype="float64")


def details_text(details: Details) -> str:
    """Write details as text that a netCDF attribute can hold."""
    plain: dict[str, Any] = details._asdict()
    plain["measures"] = [measure._asdict() for measure in details.measures]
    return json.dumps(plain)
