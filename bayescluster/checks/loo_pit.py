"""LOO-PIT: whether outcomes are distributed as the others say they are.

Each row's outcome is put through the distribution function that the model, fitted to all other
rows, has for it; see Gelman, Dey and Chang (1992) and Vehtari, Gelman and Gabry (2017). Where the
model fits, these values are uniform. A discrete outcome spreads its value over its step at random,
as in Czado, Gneiting and Held (2009), Biometrics 65.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.left_out_predictive import WEIGHTED, Steps
from bayescluster.checks.loo import RowScores
from bayescluster.checks.thresholds import MISFIT_P, MISFIT_ROWS
from bayescluster.checks.uniformity import ecdf_difference, holm, shape, uniformity
from bayescluster.design.record import Design
from bayescluster.estimands.membership import declared_groups
from bayescluster.families import YES_OR_NO
from bayescluster.results.fit_checks import LooPit, PitRow
from bayescluster.spec.hypotheses import By

RANDOMISATIONS = 20
"""Of discrete outcomes: one alone would let chance decide close to the threshold."""
YES_NO = (
    "a yes or no has no distribution beyond its probability, and its randomised values are uniform "
    "nearly whatever the model says; the calibration curve asks whether the probabilities are right"
)
FEW = f"fewer than {MISFIT_ROWS} rows"


class Member(NamedTuple):
    """A group and its rows among those whose outcome is known, ``(answered row,)``."""

    by: By
    group: str
    rows: NDArray[np.bool_]


def members(design: Design) -> tuple[Member, ...]:
    """All firms and the industries."""
    return tuple(
        Member(groups.by, label, groups.members[design.answered, k])
        for groups in declared_groups(design)
        if groups.by != "cluster"
        for k, label in enumerate(groups.labels)
    )


def why_no_pit(design: Design) -> str:
    """Why LOO-PIT is not made, or nothing."""
    if design.weights is not None:
        return WEIGHTED
    if design.family.name in YES_OR_NO:
        return YES_NO
    return FEW if design.answered.sum() < MISFIT_ROWS else ""


def pit_values(found: Steps, rng: np.random.Generator) -> Array:
    """Values within their steps at random, ``(randomisation, row)``; one of a continuous outcome."""
    width = found.up_to - found.below
    if not width.any():
        return found.below[None, :]
    return found.below + rng.random((RANDOMISATIONS, width.size)) * width


def loo_pit(
    values: Array, scores: RowScores, groups: Sequence[Member], rng: np.random.Generator
) -> LooPit:
    """Test the values of all firms and of each industry.

    Parameters
    ----------
    values
        ``(randomisation, answered row)``; see `pit_values`.
    scores
        How well the draws can leave out each row.
    groups
        The groups; see `members`.
    rng
        For the band of the curve.
    """
    good = np.isfinite(values).all(axis=0)
    rows = [_row(one, values[:, one.rows & good]) for one in groups]
    return LooPit(
        rows=values.shape[1],
        bad=int(scores.bad.sum()),
        khat_threshold=scores.khat_threshold,
        left_out=int((~good).sum()),
        randomised=0 if len(values) == 1 else len(values),
        curve=ecdf_difference(values[:, good], 1 - MISFIT_P, rng),
        groups=tuple(_judged(rows, "all") + _judged(rows, "industry")),
    )


def _row(member: Member, values: Array) -> PitRow:
    size = values.shape[1]
    if size < MISFIT_ROWS:
        return PitRow(by=member.by, group=member.group, rows=size, reason=FEW)
    p, (location, spread, skewness, tails) = uniformity(values)
    return PitRow(
        by=member.by,
        group=member.group,
        rows=size,
        location=location,
        spread=spread,
        skewness=skewness,
        tails=tails,
        p=p,
    )


def _judged(rows: Sequence[PitRow], by: By) -> list[PitRow]:
    """Rows of one kind of group, flagged by p-values adjusted for their number."""
    mine = [row for row in rows if row.by == by]
    adjusted = iter(holm([row.p for row in mine if row.p is not None]))
    return [row if row.p is None else _flagged(row, next(adjusted)) for row in mine]


def _flagged(row: PitRow, adjusted: float) -> PitRow:
    flagged = adjusted < MISFIT_P
    parts = (row.location, row.spread, row.skewness, row.tails)
    words = shape([part for part in parts if part is not None]) if flagged else ""
    return row.model_copy(update={"adjusted": adjusted, "flagged": flagged, "shape": words})
