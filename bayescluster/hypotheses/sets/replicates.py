"""Measures of necessity and sufficiency of a run, in replicates that carry their uncertainty.

Three sources of replicates, all with the same draws of the anchors where these carry a prior:

``data``
    The firms as observed, counted anew by the Bayesian bootstrap (Rubin 1981): whole clusters get
    Dirichlet weights; within a group of one cluster, and where none are declared, firms do. No model
    enters. With few clusters in a group its intervals are too narrow.
``model``
    Outcomes drawn anew from the fitted model at the observed capitals (posterior predictive).
``prior``
    Outcomes drawn from the prior, counted by the same bootstrap weights: what a verdict from ``data``
    would be if the prior had made the firms.

Verdicts rest on ``data``: consistency is a property of observed cases, and it should not be
certain only because a model says so. ``model`` stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.membership import Groups, declared_groups, side_by_side
from bayescluster.hypotheses.claims import groups_asked
from bayescluster.hypotheses.sets.calibration import AMBIGUOUS
from bayescluster.hypotheses.sets.declared import DeclaredSet, declared_sets, set_values
from bayescluster.hypotheses.sets.expressions import NECESSARY, SUFFICIENT, expressions
from bayescluster.hypotheses.sets.measured import Measured, joined
from bayescluster.hypotheses.sets.measures import (
    Total,
    necessity,
    sufficiency,
    total_of,
)
from bayescluster.model.evaluate import Draws, replicate
from bayescluster.names import CAPITALS, CLUSTER, OUTCOME
from bayescluster.spec.hypotheses import By

SETS_STREAM: Final = 23
"""Keeps the random streams of set theory apart from the others."""
CELLS_A_CHUNK: Final = 2_000_000
"""Largest (replicate, row) array computed at once."""
FEW_CLUSTERS: Final = 5
"""A bootstrap of fewer clusters than this gives intervals that are too narrow."""

Source = Literal["observed", "data", "model", "prior"]


class _Sampled(NamedTuple):
    """Memberships ``(replicate or 1, row)`` of one source, and what rows count."""

    human: Array
    social: Array
    outcome: Array
    clusters: Array
    firms: Array

    def chunks(self) -> Iterator[_Sampled]:
        count = max(len(part) for part in self)
        step = max(1, CELLS_A_CHUNK // max(self.human.shape[-1], 1))
        for start in range(0, count, step):
            which = slice(start, min(start + step, count))
            yield _Sampled(*(part[which] if len(part) > 1 else part for part in self))


class SetEvidence:
    """What set theory looks at in a run, each source computed when first asked for.

    Parameters
    ----------
    design
        The design.
    posterior, prior
        Draws of the parameters.
    seed
        Seed of the replicates.
    """

    def __init__(self, design: Design, posterior: Draws, prior: Draws, seed: int) -> None:
        self.design = design
        self._draws = {"model": posterior, "prior": prior}
        self._seed = seed
        self._measured: dict[Source, Measured] = {}

    @cached_property
    def declared(self) -> dict[str, DeclaredSet]:
        """Sets by name: the capitals, the outcome, the further conditions."""
        return {one.name: one for one in declared_sets(self.design)}

    @property
    def lacking(self) -> tuple[str, ...]:
        """Sets that could not be calibrated, for want of values that differ."""
        return tuple(name for name in (*CAPITALS, OUTCOME) if name not in self.declared)

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Rows whose capitals and outcome are known."""
        known = [~np.isnan(self.declared[name].values) for name in (*CAPITALS, OUTCOME)]
        return np.flatnonzero(np.logical_and.reduce(known))

    @cached_property
    def groups(self) -> Groups:
        """Groups side by side, over the rows that are known: all, industries, clusters where asked."""
        whole = side_by_side(self._parts)
        weights = None if whole.of_rows is None else whole.of_rows[self.rows]
        return whole._replace(members=whole.members[self.rows], of_rows=weights)

    @cached_property
    def _parts(self) -> tuple[Groups, ...]:
        """Clusters have replicates of their own only where the claims table has rows for them."""
        asked = ("all", "industry", *groups_asked(self.design))
        return tuple(part for part in declared_groups(self.design) if part.by in asked)

    @cached_property
    def kinds(self) -> tuple[By, ...]:
        """What kind of group each is."""
        return tuple(part.by for part in self._parts for _ in part.labels)

    @cached_property
    def clusters(self) -> NDArray[np.int64]:
        """Clusters in each group, ``(group,)``; 0 where none are declared."""
        if self.design.analysis.data.cluster is None:
            return np.zeros(len(self.groups.labels), dtype="int64")
        index = self.design.index(CLUSTER)[self.rows]
        found = [np.unique(index[mine]).size for mine in self.groups.members.T]
        return np.array(found, dtype="int64")

    @property
    def by_cluster(self) -> NDArray[np.bool_]:
        """Groups whose bootstrap counts whole clusters anew, ``(group,)``."""
        return np.asarray(self.clusters >= 2)

    @cached_property
    def anchors(self) -> dict[str, Array | None]:
        """Draws of the anchors of each set, ``(replicate, 3)``, or ``(1, 3)`` where certain."""
        rng = np.random.default_rng((self._seed, SETS_STREAM))
        count = self.design.analysis.traditions.sets.replicates
        return {name: one.drawn(count, rng) for name, one in self.declared.items()}

    @property
    def anchored(self) -> str:
        """How the sets were calibrated, in a few words."""
        from_sample = [one.name for one in self.declared.values() if one.from_sample]
        if not from_sample:
            return "declared sets"
        return f"anchors of {', '.join(map(_plain_name, from_sample))} from the sample"

    def columns(self, by: str) -> list[tuple[int, str]]:
        """Columns of the measures that belong to a kind of group, with their labels."""
        return [
            (column, label)
            for column, (kind, label) in enumerate(zip(self.kinds, self.groups.labels, strict=True))
            if kind == by
        ]

    def resampled(self, column: int) -> str:
        """What the bootstrap of a group counts anew, in words."""
        clusters = int(self.clusters[column])
        return f"{clusters} clusters weighted anew" if clusters >= 2 else "each weighted anew"

    def measured(self, source: Source) -> Measured:
        """Measures of all expressions from one source, ``(replicate, group)`` each."""
        if source not in self._measured:
            parts = [self._measure(part) for part in self._sampled(source).chunks()]
            self._measured[source] = joined(parts)
        return self._measured[source]

    def total(self, group: int) -> Total:
        """Total over the observed rows of one group, by survey weights where there are any."""
        mine = self.groups.members[:, group].astype(float)
        weights = self.groups.of_rows
        return total_of(mine if weights is None else mine * weights)

    def observed(self, name: str) -> Array:
        """Memberships of the known rows by the anchors as declared, ``(row,)``."""
        one = self.declared[name]
        anchors = None if one.anchors is None else one.anchors[None, :]
        return np.asarray(one.memberships(anchors)[0, self.rows])

    def _measure(self, part: _Sampled) -> Measured:
        sets = expressions(part.human, part.social)
        total = self._total(part)
        counted = sets | {OUTCOME: part.outcome}
        members = self.groups.members.astype(float)
        shape = (max(len(one) for one in part), members.shape[1])
        return Measured(
            {name: necessity(sets[name], part.outcome, total) for name in NECESSARY},
            {name: sufficiency(sets[name], part.outcome, total) for name in SUFFICIENT},
            {
                name: np.broadcast_to((values > AMBIGUOUS) @ members, shape)
                for name, values in counted.items()
            },
        )

    def _total(self, part: _Sampled) -> Total:
        """Totals by group: by clusters where a group has several, else by firms."""
        whole = self.by_cluster
        of_clusters = total_of(part.clusters, self.groups.members[:, whole])
        of_firms = total_of(part.firms, self.groups.members[:, ~whole])

        def total(values: Array) -> Array:
            first, second = of_clusters(values), of_firms(values)
            out = np.empty((max(len(first), len(second)), whole.size))
            out[:, whole], out[:, ~whole] = first, second
            return out

        return total

    def _sampled(self, source: Source) -> _Sampled:
        human, social, outcome = (self.declared[name] for name in (*CAPITALS, OUTCOME))
        if source == "observed":
            plain = self._plain_weights()
            first, second, third = (
                self.observed(one.name)[None, :] for one in (human, social, outcome)
            )
            return _Sampled(first, second, third, plain, plain)
        drawn = self._outcomes(source)
        count = self.design.analysis.traditions.sets.replicates if drawn is None else len(drawn)
        anchors = {
            name: None if draws is None else draws[:count] for name, draws in self.anchors.items()
        }
        if source == "model":
            clusters = firms = self._plain_weights()
        else:
            clusters, firms = self._bootstrap(count)
        return _Sampled(
            human.memberships(anchors[human.name])[:, self.rows],
            social.memberships(anchors[social.name])[:, self.rows],
            outcome.memberships(anchors[OUTCOME], drawn)[:, self.rows],
            clusters,
            firms,
        )

    def _outcomes(self, source: Source) -> Array | None:
        """Outcomes drawn anew, ``(replicate, row)``; none for the firms as observed."""
        if source not in ("model", "prior"):
            return None
        draws = self._draws[source].thinned(self.design.analysis.traditions.sets.replicates)
        stream = 1 if source == "model" else 2
        rng = np.random.default_rng((self._seed, SETS_STREAM, stream))
        return set_values(self.design, replicate(self.design, draws, rng))

    def _plain_weights(self) -> Array:
        weights = self.groups.of_rows
        return np.ones((1, self.rows.size)) if weights is None else weights[None, :]

    def _bootstrap(self, count: int) -> tuple[Array, Array]:
        """Weights of the rows by clusters and by firms, ``(replicate, row)`` each.

        Exponential weights are Dirichlet weights but for their sum, which cancels in every measure.
        """
        rng = np.random.default_rng((self._seed, SETS_STREAM, 3))
        found = []
        units = [self.design.firms[self.rows]]
        if self.by_cluster.any():
            units = [self.design.index(CLUSTER)[self.rows], *units]
        for unit in units:
            weights = rng.exponential(size=(count, int(unit.max()) + 1))[:, unit]
            found.append(weights * self._plain_weights())
        return found[0], found[-1]


def _plain_name(name: str) -> str:
    return name.replace("_", " ")
