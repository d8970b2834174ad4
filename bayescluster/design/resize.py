"""Designs of other sizes, and designs whose data are replaced by others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayescluster import names
from bayescluster.arrays import Array, Positions
from bayescluster.design.record import Design
from bayescluster.spec.columns import moderators


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
