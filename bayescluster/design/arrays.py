"""Named arrays of the equations: made, saved as one tree, and opened again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array
from bayescluster.dataset.constructs import Scored, Standardised
from bayescluster.dataset.prepare import Firms
from bayescluster.dataset.values import InputError, numbers, rows_text, sorted_labels
from bayescluster.dataset.values import labels as written
from bayescluster.design.coding import Coding, ladder_variables
from bayescluster.design.outcome import Outcome
from bayescluster.design.record import Design
from bayescluster.errors import Problem
from bayescluster.names import CONTROL, PREDICTOR, ROW, SET_CONDITION, SET_CONDITIONS
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.columns import Where, moderators


class Prepared(NamedTuple):
    """Firms, scored capitals, outcome, coded controls and what else enters an equation."""

    firms: Firms
    capitals: Mapping[str, Scored]
    outcome: Outcome
    coding: Coding
    predictors: Sequence[Standardised]


def equation_data(analysis: Analysis, prepared: Prepared) -> xr.Dataset:
    """Arrange all of it by the names of `bayescluster.names`, one equation an analysis."""
    groups = memberships(analysis, prepared.firms)
    codes = pd.factorize(prepared.firms.frame["__firm__"])[0].astype("int64")
    variables: dict[str, Any] = {names.FIRM_CODE: (ROW, codes)}
    for name, values in groups.items():
        position = {label: code for code, label in enumerate(group_labels(values))}
        codes = values.map(position).fillna(NO_GROUP).to_numpy(dtype="int64")
        variables[names.group_index(name)] = (ROW, codes)
    return xr.Dataset(
        _variables(prepared) | variables,
        coords=_coordinates(analysis, prepared, groups),
    )


def _variables(prepared: Prepared) -> dict[str, Any]:
    firms, capitals, outcome, coding, predictors = prepared
    size = len(firms.frame)
    empty = np.empty((size, 0))
    owners = [coded.capital for coded in coding.columns for _ in coded.names]
    rows = {names.TRIALS: outcome.rows.trials, names.STANDARD_ERROR: outcome.rows.standard_error}
    ladders = {each.names[0]: each.ladder for each in coding.columns if each.ladder is not None}
    variables: dict[str, Any] = {
        names.OUTCOME: (ROW, outcome.values),
        names.OFFSET: (ROW, outcome.offset),
        names.CONTROLS: (
            (ROW, CONTROL),
            np.column_stack([empty, *(c.values for c in coding.columns)]),
        ),
        names.CONTROL_BASE: (
            (ROW, CONTROL),
            np.column_stack([empty, *(coded.factor for coded in coding.columns)]),
        ),
        names.CONTROL_CAPITAL: (CONTROL, np.array(owners, dtype=str)),
        names.CENTER: (names.CAPITAL, np.array([item.center for item in capitals.values()])),
        names.SCALE: (names.CAPITAL, np.array([item.scale for item in capitals.values()])),
        "control_center": (CONTROL, np.array([c for item in coding.columns for c in item.centers])),
        "control_scale": (CONTROL, np.array([s for item in coding.columns for s in item.scales])),
        **{
            name: (ROW, capitals[name].values if name in capitals else np.zeros(size))
            for name in names.CAPITALS
        },
        **{name: (ROW, values) for name, values in rows.items() if values is not None},
        **ladder_variables(ladders),
    }
    variables |= {
        names.PREDICTORS: (
            (ROW, PREDICTOR),
            np.column_stack([empty, *(each.values for each in predictors)]),
        ),
        names.PREDICTOR_CENTER: (PREDICTOR, np.array([each.center for each in predictors])),
        names.PREDICTOR_SCALE: (PREDICTOR, np.array([each.scale for each in predictors])),
    }
    for name, scored in capitals.items():
        if scored.answers is not None:
            dim = names.item_dim(name)
            variables[names.items(name)] = ((ROW, dim), scored.answers)
            variables[names.item_levels(name)] = (dim, np.array(scored.levels))
    return variables


NO_GROUP: Final = -1
"""Position of a row that lacks a moderator."""


def group_labels(values: pd.Series) -> list[str]:
    """Labels of a grouping; of a combination in the order of its columns."""
    found = values.dropna().unique()
    parts = [tuple(str(label).split(names.WITHIN)) for label in found]
    if not str(values.name or "").count(names.WITHIN) or len({len(part) for part in parts}) != 1:
        return sorted_labels(found)
    ranks = [
        {label: k for k, label in enumerate(sorted_labels(list(dict.fromkeys(column))))}
        for column in zip(*parts, strict=True)
    ]
    ordered = sorted(parts, key=lambda part: [r[p] for r, p in zip(ranks, part, strict=True)])
    return [names.WITHIN.join(part) for part in ordered]


def _coordinates(
    analysis: Analysis, prepared: Prepared, groups: Mapping[str, pd.Series]
) -> dict[str, Any]:
    firms, capitals, outcome, coding, _ = prepared
    labels: dict[str, Any] = {
        ROW: _row_labels(firms.frame["__firm__"].astype(str).tolist()),
        CONTROL: [name for coded in coding.columns for name in coded.names],
        names.CAPITAL: list(capitals),
        PREDICTOR: analysis.equation.entering,
    }
    for name, scored in capitals.items():
        if scored.answers is not None:
            labels[names.item_dim(name)] = list(scored.weights)
    if outcome.levels:
        labels[names.LEVEL] = outcome.levels
    for name, values in groups.items():
        labels[names.group_dim(name)] = group_labels(values)
    return {dim: np.array(values, dtype=str) for dim, values in labels.items()}


def _row_labels(firms: Sequence[str]) -> NDArray[np.str_]:
    """One label a row: the firm, with a running number where firms repeat."""
    if len(set(firms)) == len(firms):
        return np.array(firms, dtype=str)
    repeated = pd.Series(firms)
    running = repeated.groupby(repeated).cumcount() + 1
    return np.array([f"{firm} #{k}" for firm, k in zip(firms, running, strict=True)], dtype=str)


def memberships(analysis: Analysis, firms: Firms) -> dict[str, pd.Series]:
    """Labels of each grouping by row; industry and cluster are always there.

    A row may lack a moderator, by which nothing varies.
    """
    frame = firms.frame
    groups = {names.INDUSTRY: frame["__industry__"], names.CLUSTER: frame["__cluster__"]}

    def of_column(name: str) -> pd.Series:
        known = {**groups, names.FIRM: frame["__firm__"]}
        return known[name] if name in known else written(frame[name])

    for name in analysis.equation.varying:
        groups[name] = of_column(name)
    for name in moderators(analysis):
        columns = [of_column(column) for column in name.split(names.WITHIN)]
        groups[name] = reduce(lambda one, other: one + names.WITHIN + other, columns).rename(name)
    return groups


def design_tree(design: Design) -> xr.DataTree:
    """Arrays of a design as one tree, a group for each equation."""
    return xr.DataTree.from_dict({each.equation_name: each.data for each in design.equations})


def design_from(analysis: Analysis, tree: xr.DataTree) -> Design:
    """Open a design that was saved as a tree."""
    designs = {
        name: Design(analysis, child.to_dataset(), name) for name, child in tree.children.items()
    }
    focus = designs.pop(analysis.equation_name)
    return Design(analysis, focus.data, focus.equation_name, tuple(designs.values()))


def condition_variables(
    analysis: Analysis, firms: Firms, where: Where, problems: list[Problem]
) -> dict[str, Any]:
    """Conditions as an array ``(row, condition)``, NaN where missing; empty where there are none.

    Faults are added to ``problems``.
    """
    conditions = analysis.traditions.sets.conditions
    columns: list[Array] = []
    for position, condition in enumerate(conditions):
        what = f"the condition '{condition.column}'"
        try:
            values = numbers(firms.frame[condition.column], what)
            columns.append(values)
            outside = (values < 0) | (values > 1)
            if condition.anchors is None and outside.any():
                raise InputError(
                    f"{what} has no anchors and is not a membership between 0 and 1: "
                    f"{values[outside][0]:g} in {rows_text(firms.frame.index[outside])}",
                    "give it anchors: exclusion, crossover and inclusion",
                )
        except InputError as error:
            path = ("traditions", "sets", "conditions", position, "column")
            problems.append(error.at(where(path)))
    if not conditions or len(columns) < len(conditions):
        return {}
    names = np.array([condition.column for condition in conditions], dtype=str)
    return {SET_CONDITIONS: ((ROW, SET_CONDITION), np.column_stack(columns)), SET_CONDITION: names}
