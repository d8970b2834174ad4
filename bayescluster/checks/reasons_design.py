"""What design and predictive checks show: separation, collinear capitals, empty corners, misfit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks.advice import predictive_of
from bayescluster.checks.reasons_record import Found, Seen, correlation, reason
from bayescluster.checks.separation import separation
from bayescluster.checks.thresholds import COLLINEAR, CORNER_FIRMS_MIN, PREDICTIVE_TAIL
from bayescluster.design.record import Design
from bayescluster.estimands.levels import CORNERS, default_levels, support
from bayescluster.estimands.membership import declared_groups
from bayescluster.names import CAPITALS, INTERACTION
from bayescluster.results.gate import Reason

SIDES = {"L": "low", "H": "high"}


def separated(seen: Seen) -> Iterator[Reason]:
    """See whether predictors foretell a yes or no without error."""
    for design in seen.design.equations:
        if design.family.scale != "probability":
            continue
        columns = _columns(design)
        known = np.isfinite(np.column_stack([design.outcome, *columns.values()])).all(axis=1)
        trials = np.ones(design.size) if design.rows.trials is None else design.rows.trials
        some = {name: values[known] for name, values in columns.items()}
        outcome = design.outcome[known]
        found = separation(some, outcome > 0, outcome < trials[known])
        if found is None:
            continue
        kind = "complete" if found.complete else "quasi-complete"
        words = (
            f"{kind} separation by {', '.join(found.columns)}: {found.share:.0%} of "
            f"{int(known.sum())} rows are foretold without error"
        )
        yield reason(
            "separation",
            design.equation_name,
            Found(words, found.share, 0.0),
            {"columns": ", ".join(found.columns)},
            parameters=found.columns,
        )


def _columns(design: Design) -> dict[str, Array]:
    """Coded predictors of a linear rule, ``(row,)`` each; NaN where missing."""
    found: dict[str, Array] = {}
    if design.has_capitals:
        found |= dict(zip(CAPITALS, design.capitals, strict=True))
        if INTERACTION in design.structure.terms:
            found[INTERACTION] = design.capitals[0] * design.capitals[1]
    found |= dict(zip(design.control_names, design.controls.T, strict=True))
    found |= dict(zip(design.equation.predictors, design.predictors.T, strict=True))
    return found


def collinear(seen: Seen) -> Iterator[Reason]:
    """See whether the capitals rise and fall together."""
    design = seen.design
    if not design.has_capitals:
        return
    pair = np.column_stack(design.capitals)
    pair = pair[np.isfinite(pair).all(axis=1)]
    if len(pair) < 3:
        return
    found = correlation(pair[:, 0], pair[:, 1])
    if abs(found) >= COLLINEAR:
        words = f"correlation {found:.2f} of human and social capital over {len(pair)} rows"
        yield reason(
            "collinear_capitals",
            design.equation_name,
            Found(words, found, COLLINEAR),
            {},
            parameters=CAPITALS,
        )


def empty_corners(seen: Seen) -> Iterator[Reason]:
    """Name corners near which no firm stands: of the whole sample, or of industries."""
    design = seen.design
    if not design.has_capitals:
        return
    levels = default_levels(design)
    near = {
        groups.by: (groups.labels, support(design, levels, groups.members))
        for groups in declared_groups(design)
        if groups.by != "cluster"
    }
    for position, corner in enumerate(CORNERS):
        for labels, counts in near.values():
            firms = counts[position]
            if firms.min() >= CORNER_FIRMS_MIN:
                continue
            empty = tuple(label for label, n in zip(labels, firms, strict=True) if n == firms.min())
            yield _empty(design, corner, empty if len(labels) > 1 else (), int(firms.min()))
            break  # what no firm has, no industry has


def _empty(design: Design, corner: str, groups: tuple[str, ...], firms: int) -> Reason:
    of = f" of {', '.join(groups)}" if groups else ""
    words = (
        f"{firms or 'no'} firm{of} stands near the corner with {SIDES[corner[0]]} human capital "
        f"and {SIDES[corner[1]]} social capital"
    )
    return reason(
        "empty_corner",
        design.equation_name,
        Found(words, float(firms), float(CORNER_FIRMS_MIN)),
        {},
        groups=groups,
        parameters=(f"corner {corner}",),
    )


def misfit(seen: Seen) -> Iterator[Reason]:
    """Name statistics of the whole sample that the model does not make."""
    for design in seen.design.equations:
        rows = seen.predictive.get(design.equation_name, ())
        flagged = [row for row in rows if row.by == "all" and row.flagged]
        if not flagged:
            continue
        flagged.sort(key=lambda row: min(row.tail, 1 - row.tail))
        words = "; ".join(
            f"{row.statistic} {row.observed:.3g} observed, {row.low:.3g} to {row.high:.3g} replicated"
            for row in flagged
        )
        worst = min(flagged[0].tail, 1 - flagged[0].tail)
        yield reason(
            "misspecified_family",
            design.equation_name,
            Found(words, worst, PREDICTIVE_TAIL),
            {"check": predictive_of(design.equation.family)},
            parameters=tuple(row.statistic for row in flagged),
        )
