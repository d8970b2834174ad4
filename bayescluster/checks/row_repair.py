"""Rows whose importance weights fail: the same with the effects of their groups integrated out.

A row that is alone in its group, or nearly so, decides the group's effect: its weights then vary too
much. Integrated over that effect, with the other rows of the group held, they vary less. Li, Qiu and
Feng (2016), Statistics and Computing 26; Vehtari, Mononen, Tolvanen, Sivula and Winther (2016),
Journal of Machine Learning Research 17(103).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from bayescluster.arrays import Array
from bayescluster.checks.integrated import (
    Positions,
    enough_draws,
    integrated_likelihood,
    own_groups,
)
from bayescluster.checks.thresholds import khat_max
from bayescluster.design.record import Design
from bayescluster.model.evaluate import Draws


class IntegratedScore(NamedTuple):
    """Log predictive density of a left-out row, the Pareto k behind it, and the largest k borne."""

    elpd: float
    khat: float
    khat_threshold: float

    @property
    def mended(self) -> bool:
        """Whether these weights can be relied on."""
        return bool(self.khat <= self.khat_threshold) and bool(np.isfinite(self.elpd))


def unit_of(design: Design) -> str:
    """Grouping whose effects are integrated out: the finest; empty where none varies."""
    names = [grouping.name for grouping in design.groupings]
    return max(names, key=lambda name: len(design.group_labels(name)), default="")


def integrated_row(design: Design, draws: Draws, row: int) -> IntegratedScore:
    """Score a row by importance sampling over what is left when its group's effects are integrated.

    Parameters
    ----------
    design
        A design in which something varies.
    draws
        Draws of its posterior.
    row
        Position of the row.
    """
    from arviz_stats.base import array_stats

    member = design.index(unit_of(design))
    rows = np.flatnonzero(member == member[row])
    few = draws.thinned(enough_draws(design, own_groups(design, rows, rows)))
    density = conditional_density(design, few, rows, row)
    log_weights, khat = array_stats.psislw(density[:, None], r_eff=1.0, axis=0)
    elpd = float(logsumexp(np.asarray(log_weights).ravel() + density))
    return IntegratedScore(elpd, float(np.ravel(khat)[0]), khat_max(few.size))


def conditional_density(design: Design, draws: Draws, rows: Positions, row: int) -> Array:
    """Log density of a row given the others of its group, the group's effects integrated out.

    ``(draw,)``: that of all rows of the group less that of the others.
    """
    own = own_groups(design, rows, rows)
    others = rows[rows != row]
    return np.asarray(
        integrated_likelihood(design, draws, rows, own)
        - integrated_likelihood(design, draws, others, own)
    )
