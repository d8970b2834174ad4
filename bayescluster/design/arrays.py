"""Named arrays of the equations: made, saved, opened again, resized, and given other data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array, Positions
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


class _Taken(NamedTuple):
    """Source row of each new row, and the new firm and cluster it belongs to, ``(row,)`` each."""

    row: Positions
    firm: Positions
    cluster: Positions


def resized(design: Design, firms: float, clusters: float, rng: np.random.Generator) -> Design:
    """Take a design, and those of the other equations it carries, to another size.

    ``firms`` is how many times as many firms each cluster has, ``clusters`` how many times as many
    clusters each industry; 1 where the data declare no clusters. ``rng`` chooses what is left out,
    or taken once more.
    """
    if firms == clusters == 1.0:
        return design
    taken = _taken(design, firms, clusters, rng)
    others = tuple(_resized(each, taken) for each in design.others)
    return replace(_resized(design, taken), others=others)


def _resized(design: Design, taken: _Taken) -> Design:
    data = design.data.isel({names.ROW: taken.row})
    data = data.assign_coords({names.ROW: _numbered(np.array(design.labels(names.ROW))[taken.row])})
    data = data.assign({names.FIRM_CODE: (names.ROW, taken.firm)})
    sources = {names.CLUSTER: taken.cluster, names.FIRM: taken.firm}
    asked = (by for by in moderators(design.analysis) if names.group_index(by) in data)
    for name in dict.fromkeys((names.INDUSTRY, names.CLUSTER, *design.equation.varying, *asked)):
        # groups are numbered again, without those that have no rows left
        old, dim = design.index(name)[taken.row], names.group_dim(name)
        some = old >= 0
        _, first, code = np.unique(
            sources.get(name, old)[some], return_index=True, return_inverse=True
        )
        kept = old[some][first]
        labels = _numbered(data[dim].to_numpy().astype(str)[kept])
        data = data.isel({dim: kept}).assign_coords({dim: labels})
        codes = old.copy()  # a row that lacks a moderator is in no group
        codes[some] = code
        data = data.assign({names.group_index(name): (names.ROW, codes)})
    return replace(design, data=data.assign(_weights(design, data, taken)))


def _taken(design: Design, firms: float, clusters: float, rng: np.random.Generator) -> _Taken:
    industry, cluster, firm = (
        design.index(names.INDUSTRY),
        design.index(names.CLUSTER),
        design.firms,
    )
    rows: list[Positions] = []
    firm_of: list[Positions] = []
    cluster_of: list[Positions] = []
    known: dict[tuple[int, int], int] = {}
    count = 0
    for k in np.unique(industry):
        for place in copies(np.unique(cluster[industry == k]), clusters, rng):
            # without declared clusters all industries are in the same one
            new = known.setdefault(place, len(known))
            inside = (industry == k) & (cluster == place[0])
            for source, _ in copies(np.unique(firm[inside]), firms, rng):
                mine = np.flatnonzero(inside & (firm == source))
                rows.append(mine)
                firm_of.append(np.full(mine.size, count))
                cluster_of.append(np.full(mine.size, new))
                count += 1
    return _Taken(*(np.concatenate(parts) for parts in (rows, firm_of, cluster_of)))


def copies(items: Positions, multiplier: float, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Take items so many times: each with the number of its copy, counted from 0."""
    wanted = max(1, math.floor(items.size * multiplier + 0.5))
    whole, rest = divmod(wanted, items.size)
    further = set(rng.choice(items, rest, replace=False).tolist()) if rest else set()
    return [(int(item), copy) for item in items for copy in range(whole + (int(item) in further))]


def _numbered(labels: NDArray[Any]) -> NDArray[np.str_]:
    """Distinct labels: further copies have a number in brackets."""
    copies: dict[str, int] = {}
    used, distinct = set(labels.tolist()), []
    for label in labels.tolist():
        copies[label] = copies.get(label, 0) + 1
        new = label if copies[label] == 1 else f"{label} ({copies[label]})"
        while copies[label] > 1 and new in used:
            new += "'"
        used.add(new)
        distinct.append(new)
    return np.array(distinct, dtype=str)


def _weights(design: Design, data: xr.Dataset, taken: _Taken) -> dict[str, Any]:
    """Weights on the scale that they have in a design: mean 1 again."""
    weights = design.weights
    if weights is None:
        return {}
    rows, average = weights.rows[taken.row], weights.average[taken.row]
    scaled: dict[str, Any] = {names.AVERAGING_WEIGHT: (names.ROW, average / average.mean())}
    if weights.clusters is None:
        return scaled | {names.ROW_WEIGHT: (names.ROW, rows / rows.mean())}
    index = data[names.group_index(names.CLUSTER)].to_numpy()
    within: Array = rows / weights.clusters[design.index(names.CLUSTER)[taken.row]]
    within = within / (np.bincount(index, within) / np.bincount(index))[index]
    clusters = data[names.CLUSTER_WEIGHT].to_numpy()
    clusters = clusters / clusters.mean()
    scaled[names.CLUSTER_WEIGHT] = (names.group_dim(names.CLUSTER), clusters)
    return scaled | {names.ROW_WEIGHT: (names.ROW, within * clusters[index])}


def with_data(design: Design, variables: Mapping[str, Mapping[str, Any]]) -> Design:
    """Give the equations of a design, which becomes the template, other data.

    ``variables`` are by name of the equation, each as `xarray.Dataset.assign` takes them.
    """
    others = tuple(with_data(each, variables) for each in design.others)
    data = design.data.assign(dict(variables.get(design.equation_name, {})))
    return replace(design, data=data, others=others, template=design.template or design)


def replaced(design: Design, outcome: Array, weights: Array | None = None) -> Design:
    """Give a design another outcome, ``(row,)``, and other weights of its rows."""
    variables: dict[str, Any] = {names.OUTCOME: (names.ROW, np.asarray(outcome, dtype="float64"))}
    if weights is not None:
        variables[names.ROW_WEIGHT] = (names.ROW, np.asarray(weights, dtype="float64"))
    return with_data(design, {design.equation_name: variables})


def with_unit_weights(design: Design) -> Design:
    """Weigh every row by 1, where a design has no weights."""
    if design.weights is not None:
        return design
    ones = (names.ROW, np.ones(design.size))
    return replace(
        design, data=design.data.assign({names.ROW_WEIGHT: ones, names.AVERAGING_WEIGHT: ones})
    )
