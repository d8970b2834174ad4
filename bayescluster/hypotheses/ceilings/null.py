"""How often a compensatory model gives an observed ceiling effect as large.

A ceiling effect size is positive with no necessity at all: few cases stand in any corner of a
scatter (Sorjonen and Melin 2019). So the observed one is held
against replicated outcomes of an additive model, in which each capital can make up for the other:
``p = (#{T(replicated) >= T(observed)} + 1) / (replicates + 1)``, a posterior predictive probability.
T is the CE-FDH effect size of a capital; the average of those of the clusters, weighted by firms,
over clusters with enough firms, and that of all firms of the group where no cluster has enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.design.variants import in_form
from bayescluster.estimands.approximation import Approximation, approximate, complete_rows
from bayescluster.families import Rows
from bayescluster.model.evaluate import Draws, replicate
from bayescluster.names import CLUSTER

CLUSTER_MIN: Final = 10
"""Fewest firms of a cluster that has an effect size of its own."""
REPLICATES: Final = 500

Positions = NDArray[np.int64]


class Compensatory(NamedTuple):
    """Outcomes that an additive model gives to the firms observed.

    ``outcomes`` is ``(replicate, row)``, ``observed`` ``(row,)``, both as rates or shares where the
    outcome has exposure or trials; ``rows`` are the positions of these rows in the design; ``source``
    says in words where they come from.
    """

    outcomes: Array
    observed: Array
    rows: Positions
    source: str


class NullTest(NamedTuple):
    """An observed statistic, what the compensatory model gives, and how often as much.

    ``clusters`` counts the clusters averaged over; 0 where all firms are taken together.
    """

    observed: float
    expected: float
    p: float
    clusters: int


FITTED: Final = "the fitted model, which is additive"
APPROXIMATED: Final = (
    "an additive model of the same outcome, by the normal approximation of its posterior"
)


def compensatory(design: Design, posterior: Draws, rng: np.random.Generator) -> Compensatory | None:
    """Replicate the outcome from an additive model of the same firms.

    Where the fitted form is additive its own posterior is taken, else an additive form with the
    same controls, groupings and priors is approximated. Predictors from other equations stay as
    observed, and latent capitals are their scores. None where no additive model could be found.
    """
    rows = complete_rows(design)
    if design.structure.name == "additive":
        outcomes = replicate(design, posterior.thinned(REPLICATES), rng)
        source = FITTED
    else:
        found: Approximation | None = approximate(in_form(design, "additive"))
        if found is None:
            return None
        outcomes = _replicated(found, rows, rng)
        full = np.full((len(outcomes), design.size), np.nan)
        full[:, rows] = outcomes
        outcomes, source = full, APPROXIMATED
    per = _per_unit(design)
    return Compensatory((outcomes / per)[:, rows], (design.outcome / per)[rows], rows, source)


def _replicated(found: Approximation, rows: Positions, rng: np.random.Generator) -> Array:
    """Outcomes of complete rows at draws from an approximation, ``(replicate, row)``."""
    theta = found.sample(REPLICATES, rng)
    matrix = found.inputs.matrix
    eta = theta[:, : matrix.shape[1]] @ matrix.T + found.design.offset[rows]
    known: Rows = found.design.rows.at(rows)
    parameters = found.free.parameters(theta[:, matrix.shape[1] :])
    return np.asarray(found.design.family.draw(rng, eta, parameters, known))


def _per_unit(design: Design) -> Array:
    """What an outcome is divided by: its trials or its exposure."""
    trials = design.rows.trials
    return np.exp(design.offset) if trials is None else trials


def null_test(x: Array, found: Compensatory, parts: Sequence[Positions]) -> NullTest | None:
    """Hold the observed effect size of a capital against the compensatory model.

    Parameters
    ----------
    x
        The capital at the rows of ``found``, ``(row,)``.
    found
        Replicated and observed outcomes.
    parts
        Positions among these rows: the firms of each cluster, or all of a group in one part.

    Returns
    -------
    NullTest or None
        None where capital or outcome does not vary in any part.
    """
    both = np.concatenate([found.observed[None], found.outcomes])  # (1 + replicate, row)
    sizes = np.array([part.size for part in parts], dtype=float)
    d = np.column_stack([ce_fdh_sizes(x[part], both[:, part]) for part in parts])
    known = ~np.isnan(d)
    weight = known * sizes
    if not known[0].any():
        return None
    total = weight.sum(axis=1)
    # replicates whose outcome does not vary anywhere have no effect size: none counts as 0
    t = (np.where(known, d, 0.0) @ sizes) / np.where(total > 0, total, 1.0)
    larger = int((t[1:] >= t[0] - 1e-12).sum())
    return NullTest(
        float(t[0]), float(t[1:].mean()), (larger + 1) / t.size, len(parts) if len(parts) > 1 else 0
    )


def ce_fdh_sizes(x: Array, y: Array) -> Array:
    """CE-FDH effect sizes of many sets of outcomes, each in the scope of its own range.

    The area above the staircase is the integral over x of how far the highest outcome so far lies
    below the highest of all.

    Parameters
    ----------
    x, y
        ``(row,)`` and ``(set, row)``.

    Returns
    -------
    ndarray
        ``(set,)``; NaN where x or y does not vary.
    """
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[:, order]
    low, high = y.min(axis=1), y.max(axis=1)
    top = np.maximum.accumulate(y, axis=1)
    # rows of the same x make steps of no width, so that the highest of them counts
    area = (high[:, None] - top[:, :-1]) @ np.diff(x)
    scope = (high - low) * (x[-1] - x[0])
    return np.asarray(np.where(scope > 0, area / np.where(scope > 0, scope, 1.0), np.nan))


def parts_of(design: Design, rows: Positions, members: NDArray[np.bool_]) -> list[Positions]:
    """Split the rows of a group by cluster; all in one part where no cluster has enough firms.

    Parameters
    ----------
    design
        The design.
    rows
        Positions of the rows that are looked at.
    members
        Whether a row of the design belongs to the group, ``(row of the design,)``.
    """
    mine = np.flatnonzero(members[rows])
    if design.analysis.data.cluster is None:
        return [mine]
    cluster = design.index(CLUSTER)[rows]
    parts = [mine[cluster[mine] == each] for each in np.unique(cluster[mine])]
    large = [part for part in parts if part.size >= CLUSTER_MIN]
    return large or [mine]
