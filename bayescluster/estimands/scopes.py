"""Which firms, clusters and industries an estimand refers to, and the rows that it averages over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import parent_index
from bayescluster.design.record import Design
from bayescluster.model.evaluate import Draws, GroupDraws
from bayescluster.names import ALL, CLUSTER, FIRM, INDUSTRY, WITHIN, group_index
from bayescluster.spec.columns import moderators
from bayescluster.spec.hypotheses import By, Scope

NEW_CLUSTER_STREAM, NEW_INDUSTRY_STREAM = 3, 25


def scoped(design: Design, draws: Draws, scope: Scope, seed: int) -> Draws:
    """Draws under a scope, upstream equations included; see `_scoped`."""
    stream = NEW_INDUSTRY_STREAM if scope == "new_industry" else NEW_CLUSTER_STREAM
    upstream = tuple(
        (each, _scoped(each, part, scope, (seed, stream, position)))
        for position, (each, part) in enumerate(draws.upstream, start=1)
    )
    own = _scoped(design, draws, scope, (seed, stream))
    return replace(own, upstream=upstream) if upstream else own


def _scoped(design: Design, draws: Draws, scope: Scope, entropy: tuple[int, ...]) -> Draws:
    """Replace the group effects of draws by those of a scope.

    Under ``new_cluster`` each industry has one new cluster at each draw; under ``new_industry`` there
    is one new industry at each draw, with one new cluster in it, and all rows are in it. Rows whose
    firms have effects of their own have new ones too: the firms of a new cluster are new.
    """
    if scope == "new_industry":
        return _in_new_industry(design, draws, np.random.default_rng(entropy))
    if scope == "observed" or CLUSTER not in draws.groups:
        return draws
    groups = dict(draws.groups)
    if scope == "average_cluster":
        cluster = groups[CLUSTER]
        groups[CLUSTER] = cluster._replace(effect=np.zeros_like(cluster.effect))
        return replace(draws, groups=groups)
    rng = np.random.default_rng(entropy)
    groups[CLUSTER] = _new_members(groups[CLUSTER], design.index(INDUSTRY), rng)
    if FIRM in groups:
        groups[FIRM] = _new_members(groups[FIRM], np.arange(design.size), rng)
    return replace(draws, groups=groups)


def as_member(design: Design, draws: Draws, by: By, member: int) -> Draws:
    """Draws as if every row were in one group: of an industry, in its average cluster.

    Controls stay those of the row: what is left between groups is what they do to an effect. Effects of
    firms, and of clusters where the group is one of an industry, are those of the average.
    """
    index = design.index(by)
    rows = np.flatnonzero(index >= 0)
    first = int(np.flatnonzero(index == member)[0])
    columns = by.split(WITHIN)
    inside = {FIRM, *([CLUSTER] if INDUSTRY in columns else [])} - set(columns)
    groups = dict(draws.groups)
    for name, group in draws.groups.items():
        if name in inside:
            groups[name] = group._replace(effect=np.zeros_like(group.effect))
        elif parent_index(index[rows], group.member[rows]) is not None:
            everywhere = np.full(design.size, group.member[first])
            groups[name] = group._replace(member=everywhere)
    upstream = tuple((each, as_member(each, part, by, member)) for each, part in draws.upstream)
    return replace(draws, groups=groups, upstream=upstream)


def _in_new_industry(design: Design, draws: Draws, rng: np.random.Generator) -> Draws:
    everywhere = np.zeros(design.size, dtype="int64")
    members = {INDUSTRY: everywhere, CLUSTER: everywhere, FIRM: np.arange(design.size)}
    # drawn in this order, whatever the order of the analysis
    new = {
        name: _new_members(draws.groups[name], member, rng)
        for name, member in members.items()
        if name in draws.groups
    }
    return replace(draws, groups=draws.groups | new) if new else draws


def _new_members(
    group: GroupDraws, member: NDArray[np.int64], rng: np.random.Generator
) -> GroupDraws:
    """Effects of members not in the data, drawn from their distribution at each draw."""
    draws, terms = group.sd.shape
    z = rng.standard_normal((draws, int(member.max()) + 1, terms))  # (draw, member, term)
    if group.correlation is not None:
        z = z @ np.swapaxes(np.linalg.cholesky(group.correlation), -1, -2)
    return group._replace(member=member, effect=z * group.sd[:, None, :])


class Groups(NamedTuple):
    """Groups of rows.

    ``weights`` is ``(row, group)``, each column summing to 1; ``members`` is the same as booleans.
    ``of_rows`` holds survey weights, ``(row,)``, by which averages represent the population.
    """

    by: By
    labels: tuple[str, ...]
    members: NDArray[np.bool_]
    of_rows: NDArray[np.float64] | None = None

    @property
    def weights(self) -> NDArray[np.float64]:
        """Averaging weights, ``(row, group)``."""
        if self.of_rows is None:
            return self.members / self.members.sum(axis=0)
        counted = self.members * self.of_rows[:, None]
        return counted / counted.sum(axis=0)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Rows in each group."""
        return tuple(int(size) for size in self.members.sum(axis=0))


def groups_of(design: Design, by: By) -> Groups:
    """Rows of the whole sample, or of each group; a row without a category is in none."""
    weights = None if design.weights is None else design.weights.average
    if by == "all":
        return Groups(by, (ALL,), np.ones((design.size, 1), dtype=bool), weights)
    labels = design.group_labels(by)
    return Groups(by, labels, design.index(by)[:, None] == np.arange(len(labels)), weights)


def declared_groups(design: Design) -> tuple[Groups, ...]:
    """All groups that results are of: the whole sample, industries, moderators, clusters."""
    data = design.analysis.data
    kinds = [
        ALL,
        *([INDUSTRY] if data.industry is not None else []),
        # of several equations, only that in focus has the groupings by which its slopes vary
        *(by for by in moderators(design.analysis) if group_index(by) in design.data),
        *([CLUSTER] if data.cluster is not None else []),
    ]
    return tuple(groups_of(design, by) for by in kinds)


def side_by_side(parts: Sequence[Groups]) -> Groups:
    """Groups of several kinds as columns of one, in their order."""
    labels = tuple(label for part in parts for label in part.labels)
    members = np.column_stack([part.members for part in parts])
    return Groups("all", labels, members, parts[0].of_rows)
