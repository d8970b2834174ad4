"""Rows of a large table as numbers of the model, on the scale of all rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.dataset.constructs import (
    IndicatorUnit,
    first_component,
    reliability,
)
from bayescluster.dataset.derive import transformed
from bayescluster.dataset.values import InputError
from bayescluster.design.record import Design, Measure, details_text
from bayescluster.errors import DataError
from bayescluster.families import FAMILIES, Rows
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.data import Construct
from bayescluster.spec.equation import ProductControl
from bayescluster.summaries.stream import (
    Layout,
    Part,
    Survey,
    batches,
    column_controls,
    group_names,
    labels_in,
    numbers_in,
    numeric_keys,
)

SERVED: Final = ("gaussian", "lognormal", "bernoulli", "probit", "binomial", "poisson")
FORMS: Final = ("intercept", "additive", "interaction")
NOT_BY_PARTS: Final = ("lag", "group_mean", "recode")
"""Derivations that need more than the rows at hand."""


class Block(NamedTuple):
    """Rows of the model: inputs ``(row, coefficient)``, and the cell of groups of each.

    ``size`` is the number of trials, ``offset`` the logarithm of the exposure.
    """

    inputs: Array
    cell: NDArray[np.int64]
    outcome: Array
    size: Array
    offset: Array

    def at(self, rows: Any) -> Block:
        """Some of the rows."""
        return Block(
            self.inputs[rows],
            self.cell[rows],
            self.outcome[rows],
            self.size[rows],
            self.offset[rows],
        )


class Capital(NamedTuple):
    """A capital: how its indicators enter its score, and the scale of the score."""

    units: tuple[IndicatorUnit, ...]
    center: float
    scale: float
    reliability: float | None
    binary: bool


class Column(NamedTuple):
    """A coded control: a number on its scale, or whether a category is held."""

    column: str
    transform: str
    center: float
    scale: float
    level: str | None = None
    reference: str | None = None
    """Level whose rows are -1, where the effects sum to 0."""


class Coder(NamedTuple):
    """Turns rows of a file into rows of the model; ``keys`` are the cells in order, each as one number."""

    layout: Layout
    terms: tuple[str, ...]
    capitals: tuple[Capital, ...]
    controls: tuple[Column, ...]
    groupings: tuple[tuple[str | None, tuple[str, ...]], ...]
    keys: NDArray[np.int64]

    @property
    def cells(self) -> NDArray[np.int64]:
        """Position of each cell in each grouping, ``(cell, grouping)``."""
        if not self.groupings:
            return np.zeros((1, 0), dtype="int64")
        return np.column_stack(np.unravel_index(self.keys, self._sizes))

    @property
    def width(self) -> int:
        """Number of coefficients of a cell."""
        return len(self.terms) + len(self.controls)

    @property
    def _sizes(self) -> tuple[int, ...]:
        return tuple(len(labels) for _, labels in self.groupings)

    def blocks(self, part: Part) -> Iterator[Block]:
        """Rows of a part of the file.

        Raises
        ------
        DataError
            If a row has an outcome that the family cannot have.
        """
        try:
            for batch in batches(part, self.layout):
                if len(batch.frame):
                    yield self.block(batch.frame)
        except InputError as error:
            raise DataError(error.at("")) from None

    def block(self, frame: pd.DataFrame) -> Block:
        """Code rows."""
        return Block(self.inputs(frame), self.cell(frame), *self._outcome(frame))

    def inputs(self, frame: pd.DataFrame) -> Array:
        """Terms of the form, then controls, ``(row, coefficient)``."""
        scores = [_score(capital, frame) for capital in self.capitals]
        own = dict(zip(names.CAPITALS, scores, strict=False))
        own[names.INTERCEPT] = np.ones(len(frame))
        if names.INTERACTION in self.terms:
            own[names.INTERACTION] = scores[0] * scores[1]
        columns = [own[term] for term in self.terms]
        return np.column_stack([*columns, *(_control(one, frame) for one in self.controls)])

    def cell(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Position of each row's cell."""
        if not self.groupings:
            return np.zeros(len(frame), dtype="int64")
        places = []
        for column, labels in self.groupings:
            if column is None:
                places.append(np.zeros(len(frame), dtype="int64"))
                continue
            position = {label: k for k, label in enumerate(labels)}
            codes, texts = labels_in(frame[column])
            places.append(np.array([position[text] for text in texts], dtype="int64")[codes])
        return np.searchsorted(self.keys, np.ravel_multi_index(tuple(places), self._sizes))

    def _outcome(self, frame: pd.DataFrame) -> tuple[Array, Array, Array]:
        equation = self.layout.analysis.equation
        outcome = numbers_in(frame[equation.outcome])
        trials = None if equation.trials is None else numbers_in(frame[equation.trials])
        exposure = None if equation.exposure is None else numbers_in(frame[equation.exposure])
        fault = FAMILIES[equation.family].support(outcome, Rows(trials))
        if exposure is not None and (exposure <= 0).any():
            raise InputError(f"the exposure '{equation.exposure}' is not above 0 in every row")
        if fault is not None:
            first = int(np.flatnonzero(fault.bad)[0])
            raise InputError(
                f"family {equation.family} expects {fault.expected}; found "
                f"{fault.values[first]:g} in row {int(frame.index[first]) + 1}",
                fault.mend,
            )
        if equation.family == "lognormal":
            outcome = np.log(outcome)
        ones, zeros = np.ones(outcome.size), np.zeros(outcome.size)
        return (
            outcome,
            ones if trials is None else trials,
            zeros if exposure is None else np.log(exposure),
        )


def refusals(analysis: Analysis) -> Iterator[str]:
    """What of an analysis keeps its firms from being summarised."""
    equation, data, traditions = analysis.equation, analysis.data, analysis.traditions
    capitals, controls = analysis.constructs.values(), column_controls(analysis)
    lacking = {
        "several equations": len(analysis.equations) > 1,
        f"the family {equation.family}": equation.family not in SERVED,
        "latent capitals": any(one.method == "latent" for one in capitals),
        "minimum_answered": any(one.minimum_answered for one in capitals),
        "decimal commas": data.decimal == ",",
        "missing: impute": data.missing == "impute",
        "standard errors": equation.standard_error is not None,
        "controls that are products": any(isinstance(c, ProductControl) for c in equation.controls),
        "splines and monotonic controls": any(one.spline or one.monotonic for one in controls),
        "priors from cases": equation.priors.from_ is not None,
        "the R2D2M2 prior": equation.priors.r2d2m2 is not None,
        "ceiling models": traditions.ceiling_models is not None,
        "further conditions of sets": bool(traditions.sets.conditions),
    }
    lacking |= {f"the form {form}": form not in FORMS for form in equation.structure}
    keys = ("weight", "cluster_weight", "fix", "thousands", "header_row", "encoding")
    lacking |= {f"data.{key}": bool(getattr(data, key)) for key in keys}
    lacking |= {f"derive: {one.kind}": one.kind in NOT_BY_PARTS for one in data.derive}
    yield from (what for what, lacks in lacking.items() if lacks)


def coder_of(design: Design, survey: Survey, layout: Layout) -> Coder:
    """How rows are coded: columns of the design of a sample, on the scale of all rows."""
    analysis, found = layout.analysis, group_names(layout.analysis)
    by_key = {key: k for k, key in enumerate(numeric_keys(analysis))}
    capitals = tuple(
        capital_of(construct, survey, by_key) for construct in analysis.constructs.values()
    )
    controls = tuple(_columns(design, survey, by_key, analysis))
    groupings = tuple((found[each.name], each.labels) for each in design.groupings)
    places = [list(found).index(each.name) for each in design.groupings]
    position = [{label: k for k, label in enumerate(labels)} for _, labels in groupings]
    cells = {
        tuple(position[k][cell[place]] for k, place in enumerate(places)) for cell in survey.cells
    }
    sizes = tuple(len(labels) for _, labels in groupings)
    keys = sorted(int(np.ravel_multi_index(cell, sizes)) for cell in cells) if groupings else [0]
    return Coder(layout, design.terms, capitals, controls, groupings, np.array(keys, dtype="int64"))


def capital_of(
    construct: Construct, survey: Survey, by_key: Mapping[tuple[str, str], int]
) -> Capital:
    """Scale of a capital over all rows; see `bayescluster.dataset.constructs.score`."""
    moments, items = survey.moments, construct.items
    at = [by_key[item.column, item.transform] for item in items]
    mean, covariance = moments.mean[at], moments.covariance[np.ix_(at, at)]
    binary = moments.yes_or_no[at]
    sd = np.sqrt(np.diag(covariance))
    for item, spread in zip(items, sd, strict=True):
        if not spread > 0:
            raise InputError(
                f"the indicator '{item.column}' is the same in every row", "leave it out"
            )
    negative = np.array([item.direction == "negative" for item in items])
    sign = np.where(negative, -1.0, 1.0)
    center = np.where(negative & binary, 1.0, 0.0) + sign * mean
    turned: list[Literal["no", "sign", "ends"]] = [
        "no" if not n else "ends" if b else "sign" for n, b in zip(negative, binary, strict=True)
    ]
    if construct.method == "single":
        unit = IndicatorUnit(items[0].column, items[0].transform, turned[0], 0.0, 1.0, 1.0)
        scale = 1.0 if binary[0] else float(sd[0])
        return Capital((unit,), float(center[0]), scale, None, bool(binary[0]))
    correlation = covariance * np.outer(sign / sd, sign / sd)
    weights = (
        first_component(correlation)[0]
        if construct.method == "pca"
        else np.full(len(items), 1 / len(items))
    )
    units = tuple(
        IndicatorUnit(
            item.column,
            item.transform,
            turned[k],
            float(center[k]),
            float(sd[k]),
            float(weights[k]),
        )
        for k, item in enumerate(items)
    )
    scale = float(np.sqrt(weights @ correlation @ weights))
    return Capital(units, 0.0, scale, reliability(correlation, weights), False)


def _columns(
    design: Design, survey: Survey, by_key: Mapping[tuple[str, str], int], analysis: Analysis
) -> Iterator[Column]:
    moments = survey.moments
    for control in column_controls(analysis):
        if control.column in survey.categories:
            kept = [
                name.removeprefix(f"{control.column}[").removesuffix("]")
                for name in design.control_names
                if name.startswith(f"{control.column}[")
            ]
            left = next(one for one in survey.categories[control.column] if one not in kept)
            reference = left if control.coding == "sum" else None
            yield from (Column(control.column, "none", 0.0, 1.0, one, reference) for one in kept)
            continue
        at = by_key[control.column, control.transform]
        plain = not control.standardise or moments.yes_or_no[at]
        sd = float(np.sqrt(moments.covariance[at, at]))
        center, scale = (0.0, 1.0) if plain else (float(moments.mean[at]), sd)
        yield Column(control.column, control.transform, center, scale)


def _score(capital: Capital, frame: pd.DataFrame) -> Array:
    raw = np.zeros(len(frame))
    for unit in capital.units:
        values = transformed(
            unit.transform, unit.column, numbers_in(frame[unit.column]), frame.index
        )
        values = {"no": values, "sign": -values, "ends": 1 - values}[unit.turned]
        raw += unit.weight * (values - unit.center) / unit.scale
    return np.asarray((raw - capital.center) / capital.scale)


def _control(column: Column, frame: pd.DataFrame) -> Array:
    series = frame[column.column]
    if column.level is None:
        values = transformed(column.transform, column.column, numbers_in(series), frame.index)
        return np.asarray((values - column.center) / column.scale)
    codes, labels = labels_in(series)
    worth = np.array([float(label == column.level) for label in labels])
    if column.reference is not None:
        worth -= np.array([float(label == column.reference) for label in labels])
    return worth[codes]


def on_scale_of_all(design: Design, coder: Coder, sample: pd.DataFrame) -> Design:
    """The design of a sample with capitals and controls on the scale of all rows."""
    inputs, terms = coder.inputs(sample), len(coder.terms)
    scores = [_score(capital, sample) for capital in coder.capitals]
    data = design.data
    changed: dict[str, xr.DataArray] = {
        name: data[name].copy(data=values)
        for name, values in zip(names.CAPITALS, scores, strict=False)
    }
    controls = inputs[:, terms:]
    for name, values in (
        (names.CONTROLS, controls),
        (names.CONTROL_BASE, controls),
        ("control_center", [one.center for one in coder.controls]),
        ("control_scale", [one.scale for one in coder.controls]),
        (names.CENTER, [one.center for one in coder.capitals]),
        (names.SCALE, [one.scale for one in coder.capitals]),
    ):
        changed[name] = data[name].copy(data=np.asarray(values, dtype="float64"))
    measures = tuple(
        _measure(*pair) for pair in zip(design.details.measures, coder.capitals, strict=True)
    )
    details = design.details._replace(measures=measures)
    return replace(
        design, data=data.assign(changed).assign_attrs({names.DETAILS: details_text(details)})
    )


def _measure(measure: Measure, capital: Capital) -> Measure:
    return measure._replace(
        weights=tuple((unit.column, unit.weight) for unit in capital.units),
        reliability=capital.reliability,
        binary=capital.binary,
        units=capital.units,
    )
