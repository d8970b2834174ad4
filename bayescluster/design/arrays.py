"""Named arrays of the equations: made, saved as one tree, and opened again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayescluster.dataset.constructs import Scored, Standardised
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.values import label_of, sorted_labels
from bayescluster.design.coding import Coding, ladder_variables
from bayescluster.design.outcome import Outcome
from bayescluster.design.record import Design
from bayescluster.names import (
    CAPITAL,
    CAPITALS,
    CENTER,
    CLUSTER,
    CONTROL,
    CONTROL_BASE,
    CONTROL_CAPITAL,
    CONTROLS,
    FIRM_CODE,
    INDUSTRY,
    LEVEL,
    OFFSET,
    OUTCOME,
    PREDICTOR,
    PREDICTOR_CENTER,
    PREDICTOR_SCALE,
    PREDICTORS,
    ROW,
    SCALE,
    STANDARD_ERROR,
    TRIALS,
    group_dim,
    group_index,
    item_dim,
    item_levels,
    items,
)
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import grouping_column


class Prepared(NamedTuple):
    """Firms, scored capitals, outcome, coded controls and scaled predictors of an equation."""

    firms: Firms
    capitals: Mapping[str, Scored]
    outcome: Outcome
    coding: Coding
    predictors: Sequence[Standardised]


def equation_data(analysis: Analysis, made: Prepared) -> xr.Dataset:
    """Arrange all of it by the names of `bayescluster.names`, one equation an analysis."""
    return xr.Dataset(
        _variables(made)
        | _groups(analysis, made.firms)
        | _predictors(made.predictors, made.firms.frame.shape[0])
        | _items(made.capitals),
        coords=_coordinates(analysis, made),
    )


def _variables(made: Prepared) -> dict[str, Any]:
    firms, capitals, outcome, coding, _ = made
    size = firms.frame.shape[0]
    empty = np.empty((size, 0))
    controls = np.column_stack([empty, *(coded.values for coded in coding.columns)])
    bases = np.column_stack([empty, *(coded.factor for coded in coding.columns)])
    owners = [coded.capital for coded in coding.columns for _ in coded.names]
    known = {TRIALS: outcome.rows.trials, STANDARD_ERROR: outcome.rows.standard_error}
    scored = list(capitals.values())
    return {
        OUTCOME: (ROW, outcome.values),
        OFFSET: (ROW, outcome.offset),
        CONTROLS: ((ROW, CONTROL), controls),
        CONTROL_BASE: ((ROW, CONTROL), bases),
        CONTROL_CAPITAL: (CONTROL, np.array(owners, dtype=str)),
        CENTER: (CAPITAL, np.array([item.center for item in scored])),
        SCALE: (CAPITAL, np.array([item.scale for item in scored])),
        "control_center": (CONTROL, np.array([c for item in coding.columns for c in item.centers])),
        "control_scale": (CONTROL, np.array([s for item in coding.columns for s in item.scales])),
        **{
            name: (ROW, capitals[name].values if name in capitals else np.zeros(size))
            for name in CAPITALS
        },
        **{name: (ROW, values) for name, values in known.items() if values is not None},
        **ladder_variables(
            {made.names[0]: made.ladder for made in coding.columns if made.ladder is not None}
        ),
    }


def _items(capitals: Mapping[str, Scored]) -> dict[str, Any]:
    variables: dict[str, Any] = {}
    for name, scored in capitals.items():
        if scored.answers is not None:
            variables[items(name)] = ((ROW, item_dim(name)), scored.answers)
            variables[item_levels(name)] = (item_dim(name), np.array(scored.levels))
    return variables


def _predictors(scaled: Sequence[Standardised], size: int) -> dict[str, Any]:
    return {
        PREDICTORS: (
            (ROW, PREDICTOR),
            np.column_stack([np.empty((size, 0)), *(each.values for each in scaled)]),
        ),
        PREDICTOR_CENTER: (PREDICTOR, np.array([each.center for each in scaled])),
        PREDICTOR_SCALE: (PREDICTOR, np.array([each.scale for each in scaled])),
    }


def _groups(analysis: Analysis, firms: Firms) -> dict[str, Any]:
    variables = {FIRM_CODE: (ROW, pd.factorize(firms.frame["__firm__"])[0].astype("int64"))}
    for name, values in memberships(analysis, firms).items():
        position = {label: code for code, label in enumerate(sorted_labels(values.unique()))}
        variables[group_index(name)] = (ROW, values.map(position).to_numpy(dtype="int64"))
    return variables


def _coordinates(analysis: Analysis, made: Prepared) -> dict[str, Any]:
    firms, capitals, outcome, coding, _ = made
    names = [name for coded in coding.columns for name in coded.names]
    coordinates: dict[str, Any] = {
        ROW: _row_labels(firms.frame["__firm__"].astype(str).tolist()),
        CONTROL: np.array(names, dtype=str),
        CAPITAL: np.array(list(capitals), dtype=str),
        PREDICTOR: np.array(analysis.equation.predictors, dtype=str),
    }
    for name, scored in capitals.items():
        if scored.answers is not None:
            coordinates[item_dim(name)] = np.array(list(scored.weights), dtype=str)
    if outcome.levels:
        coordinates[LEVEL] = np.array(outcome.levels, dtype=str)
    for name, values in memberships(analysis, firms).items():
        coordinates[group_dim(name)] = np.array(sorted_labels(values.unique()), dtype=str)
    return coordinates


def _row_labels(firms: Sequence[str]) -> NDArray[np.str_]:
    """One label a row: the firm, with a running number where firms repeat."""
    if len(set(firms)) == len(firms):
        return np.array(firms, dtype=str)
    repeated = pd.Series(firms)
    running = repeated.groupby(repeated).cumcount() + 1
    return np.array([f"{firm} #{k}" for firm, k in zip(firms, running, strict=True)], dtype=str)


def design_tree(design: Design) -> xr.DataTree:
    """Arrays of a design as one tree, a group for each equation."""
    return xr.DataTree.from_dict({each.equation_name: each.data for each in design.equations})


def design_from(analysis: Analysis, tree: xr.DataTree) -> Design:
    """Open a design that was saved as a tree."""
    focus = analysis.equation_name
    others = tuple(
        Design(analysis, child.to_dataset(), name)
        for name, child in tree.children.items()
        if name != focus
    )
    return Design(analysis, tree[focus].to_dataset(), focus, others)


def memberships(analysis: Analysis, firms: Firms) -> dict[str, pd.Series]:
    """Labels of each grouping by row; industry and cluster are always there."""
    frame = firms.frame
    found = {INDUSTRY: frame["__industry__"], CLUSTER: frame["__cluster__"]}
    for name in analysis.equation.varying:
        if name == "firm":
            found[name] = frame["__firm__"]
        elif name not in found:
            found[name] = frame[grouping_column(analysis, name)].map(label_of)
    return found
