"""All ceilings of a fit: every capital in every group, with the null each is held against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.membership import Groups, declared_groups, side_by_side
from bayescluster.estimands.quantiles import QUANTILES
from bayescluster.hypotheses.ceilings.functional import (
    Ceiling,
    Span,
    Surfaces,
    ceiling_of,
    outcome_scope,
    spans,
    surfaces_of,
)
from bayescluster.hypotheses.ceilings.null import (
    Compensatory,
    NullTest,
    compensatory,
    null_test,
    parts_of,
)
from bayescluster.hypotheses.ceilings.observed import effect_size
from bayescluster.model.evaluate import Draws
from bayescluster.names import CAPITALS, CLUSTER
from bayescluster.results.base import By

CEILING_STREAM: Final = 22
DRAWS: Final = 400
"""Posterior draws behind a ceiling, evenly spaced within the chains."""
PRIOR_DRAWS: Final = 200
DRAWS_THROUGH, PRIOR_THROUGH = 80, 40
"""The same where the capitals act through other equations, which takes many times as long."""

Key = tuple[str, By, str]
"""Capital, kind of group, and its label."""


class OneCeiling(NamedTuple):
    """A ceiling with its prior, the observed effect sizes, and its null."""

    ceiling: Ceiling
    prior: Ceiling
    rows: int
    ce_fdh: float | None
    cr_fdh: float | None
    null: NullTest | None


class FoundCeilings(NamedTuple):
    """Ceilings by capital and group; ``chains`` stand behind their draws.

    ``outcome`` is the scope of the outcome, ``null`` the compensatory model in words, or nothing.
    """

    of: dict[Key, OneCeiling]
    outcome: tuple[float, float]
    is_quantile: bool
    chains: int
    draws: int
    null: str
    notes: tuple[str, ...]


class _Drawn(NamedTuple):
    """Groups of one kind with their surfaces."""

    groups: Groups
    known: list[tuple[Span, Span] | None]
    posterior: Surfaces
    prior: Surfaces


def found_ceilings(design: Design, posterior: Draws, prior: Draws, seed: int) -> FoundCeilings:
    """Compute the ceilings of a fit for all firms, every industry and every cluster.

    Parameters
    ----------
    design
        The design.
    posterior, prior
        Draws of the parameters; thinned here.
    seed
        Seed of the replicates.
    """
    asked = design.analysis.traditions.ceilings
    through = bool(posterior.upstream)
    some = posterior.thinned_by_chain(DRAWS_THROUGH if through else DRAWS)
    few = prior.thinned(PRIOR_THROUGH if through else PRIOR_DRAWS)
    parts = declared_groups(design)
    groups = side_by_side(parts)
    known = spans(design, groups, asked)
    after, before = (
        surfaces_of(design, draws, groups, known, asked.quantile) for draws in (some, few)
    )
    null = compensatory(design, posterior, np.random.default_rng((seed, CEILING_STREAM)))
    drawn = _Drawn(groups, known, after, before)
    top = outcome_scope(design, asked)
    kinds = [part.by for part in parts for _ in part.labels]
    found = dict(_all(design, drawn, kinds, top, null))
    flat = [label for label, pair in zip(groups.labels, known, strict=True) if pair is None]
    return FoundCeilings(
        found,
        top,
        after.is_quantile,
        some.chains,
        some.size,
        null.source if null else "",
        tuple(_notes(design, null, after, flat)),
    )


def _all(
    design: Design,
    drawn: _Drawn,
    kinds: list[By],
    top: tuple[float, float],
    null: Compensatory | None,
) -> Iterator[tuple[Key, OneCeiling]]:
    rates = _rates(design)
    for column, (by, label) in enumerate(zip(kinds, drawn.groups.labels, strict=True)):
        span = drawn.known[column]
        if span is None:
            continue
        members = drawn.groups.members[:, column]
        parts = parts_of(design, null.rows, members) if null else []
        for position, capital in enumerate(CAPITALS):
            x = design.capitals[position]
            ce, cr = _observed(x[members], rates[members])
            yield (
                (capital, by, label),
                OneCeiling(
                    ceiling_of(drawn.posterior, position, column, span, top),
                    ceiling_of(drawn.prior, position, column, span, top),
                    int(members.sum()),
                    ce,
                    cr,
                    null_test(x[null.rows], null, parts) if null else None,
                ),
            )


def _rates(design: Design) -> Array:
    """Outcomes as observed, per trial or unit of exposure, ``(row,)``."""
    trials = design.rows.trials
    return np.asarray(design.outcome / (np.exp(design.offset) if trials is None else trials))


def _observed(x: Array, y: Array) -> tuple[float | None, float | None]:
    """Effect sizes of the firms as they are; nothing where capital or outcome does not vary."""
    both: NDArray[np.bool_] = ~(np.isnan(x) | np.isnan(y))
    x, y = x[both], y[both]
    if x.size < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None, None
    sizes = (effect_size(x, y, ceiling="ce_fdh"), effect_size(x, y, ceiling="cr_fdh"))
    ce, cr = (float(size) if np.isfinite(size) else None for size in sizes)
    return ce, cr


def _notes(
    design: Design, null: Compensatory | None, surfaces: Surfaces, flat: list[str]
) -> Iterator[str]:
    if null is None:
        yield (
            "No additive model of this outcome could be found, so nothing says how large an effect "
            "size a compensatory model gives: no claim is supported here."
        )
    elif null.rows.size < design.size:
        yield (
            f"Effect sizes of observed firms, and the compensatory model, are of the "
            f"{null.rows.size} of {design.size} rows where nothing is missing."
        )
    if any(design.is_latent(capital) for capital in CAPITALS):
        yield (
            "Effect sizes of observed firms, and the compensatory model, take the scores of latent "
            "capitals; the ceilings of the model take the capitals themselves."
        )
    if design.weights is not None:
        yield "Survey weights count in the ceilings of the model, not in those of observed firms."
    if design.family.name in QUANTILES and not surfaces.is_quantile:
        yield (
            "The ceiling is an expectation: where other equations come in between, or each row has "
            "a standard error of its own, the predictive distribution has no simple quantile."
        )
    if np.unique(design.firms).size < design.size:
        yield "Firms repeat: what is told of firms counts rows here."
    if flat:
        yield f"No ceiling where a capital does not vary: {', '.join(flat)}."
    if design.analysis.data.cluster is not None and CLUSTER not in design.equation.groupings:
        yield (
            "The model has no effects of clusters, nor has the compensatory one: between clusters "
            "both are too sure."
        )
