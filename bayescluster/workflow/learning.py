"""Tables of several equations: paths through learning, the matrix of forms, sensitivity."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.graph import ancestors
from bayescluster.design.record import Design
from bayescluster.estimands.learning import (
    OutcomeDraws,
    PathDraws,
    confounded,
    learners_gained,
    tipping_of_interval,
    tipping_of_mean,
)
from bayescluster.estimands.summary import estimates, interval, probability_error
from bayescluster.families import YES_OR_NO
from bayescluster.results.learning import (
    DominanceRow,
    Learning,
    MatrixRow,
    MediatedRow,
    PathRow,
    SensitivityRow,
    TippingRow,
)
from bayescluster.results.model import (
    INTERVAL,
    By,
    Estimate,
)
from bayescluster.workflow.learned import Learned, effects_of

GRID = (0.0, 0.025, 0.05, 0.1, 0.15, 0.2)
"""Biases of the table: probabilities as they are, other outcomes in their standard deviations."""
LIMIT = 0.5
"""Largest bias for the tipping points, in the same unit."""


def learning_results(found: Learned) -> Learning:
    """All tables of the estimands."""
    outcomes = found.with_predictors
    names = [each.design.equation_name for each in outcomes]
    equations = outcomes[0].design.analysis.equations
    forms = {form.form for each in outcomes for form in each.forms}
    return Learning(
        declared=found.levels.declared,
        draws=found.size,
        outcomes=tuple(names),
        forms=tuple(name for name in found.outcomes if name in forms),
        through=ancestors(equations, found.focus),
        ways={each.design.equation_name: each.way for each in outcomes},
        edges=tuple(
            (name, each.design.equation_name)
            for each in outcomes
            for name in each.design.equation.predictors
        ),
        limit=LIMIT,
        paths=tuple(row for name in found.outcomes for row in _path_rows(found, name)),
        mediated=tuple(row for name in names for row in _mediated(found, name)),
        matrix=tuple(row for each in outcomes for row in _matrix(found, each)),
        dominance=tuple(row for each in outcomes for row in _dominance(found, each)),
        sensitivity=tuple(row for each in outcomes for row in _sensitivity(found, each)),
        tipping=tuple(row for each in outcomes for row in _tipping(found, each)),
    )


def _path_rows(found: Learned, name: str) -> Iterator[PathRow]:
    outcome = found.outcomes[name]
    for path in outcome.paths:
        for (kind, through), draws in effects_of(path, bool(outcome.forms)):
            known = estimates(draws, found.chains)
            for k, by, group in found.columns:
                yield PathRow.model_validate(
                    {
                        "equation": name,
                        "capital": path.capital,
                        "by": by,
                        "group": group,
                        "path": kind,
                        "through": through,
                        "estimate": known[k],
                        "positive": float((draws[:, k] > 0).mean()),
                    }
                )


def _mediated(found: Learned, name: str) -> Iterator[MediatedRow]:
    for path in found.outcomes[name].paths:
        for k, by, group in found.columns:
            total, indirect = path.total[:, k], path.indirect[:, k]
            low, high = interval(total)
            if low <= 0 <= high:
                continue
            share = indirect / np.where(total == 0, np.nan, total)
            share = share[np.isfinite(share)]
            low, high = interval(share)
            yield MediatedRow(
                equation=name,
                capital=path.capital,
                by=by,
                group=group,
                median=float(np.median(share)),
                low=low,
                high=high,
            )


def _matrix(found: Learned, outcome: OutcomeDraws) -> Iterator[MatrixRow]:
    rank = outcome.rank  # (draw, group, form)
    for position, form in enumerate(outcome.forms):
        known = estimates(form.marginal, found.chains)
        standardised = estimates(form.standardised, found.chains)
        for k, by, group in found.columns:
            yield MatrixRow(
                equation=outcome.design.equation_name,
                form=form.form,
                binary=form.binary,
                by=by,
                group=group,
                estimate=known[k],
                positive=float((form.marginal[:, k] > 0).mean()),
                standardised=standardised[k],
                ranks=tuple(
                    float((rank[:, k, position] == place).mean())
                    for place in range(len(outcome.forms))
                ),
            )


def _dominance(found: Learned, outcome: OutcomeDraws) -> Iterator[DominanceRow]:
    if len(outcome.forms) < 2:
        return
    dominant = outcome.dominant
    industries = [(k, group) for k, by, group in found.columns if by == "industry"]
    for (a, first), (b, second) in combinations(industries, 2):
        differs = dominant[:, a] != dominant[:, b]
        yield DominanceRow(
            equation=outcome.design.equation_name,
            first=first,
            second=second,
            probability=float(differs.mean()),
            mcse=probability_error(differs, found.chains),
        )


def applies(outcome: OutcomeDraws, found: Learned) -> bool:
    """Whether the formula of the sensitivity analysis holds: every form is yes or no."""
    return all(found.outcomes[each.form].design.family.name in YES_OR_NO for each in outcome.forms)


def unit_of(design: Design) -> float:
    """Unit of the biases: 1 for a probability, else the standard deviation of the outcome."""
    probability = design.family.scale == "probability" or design.equation.at_least is not None
    return 1.0 if probability else float(design.outcome.std(ddof=1))


def _gained(found: Learned, outcome: OutcomeDraws, path: PathDraws) -> Array:
    forms = [found.effect_on(each.form, path.capital) for each in outcome.forms]
    return learners_gained(path, forms)


def _sensitivity(found: Learned, outcome: OutcomeDraws) -> Iterator[SensitivityRow]:
    if not applies(outcome, found):
        return
    unit = unit_of(outcome.design)
    for path in outcome.paths:
        gained = _gained(found, outcome, path)
        for share in GRID:
            both = confounded(path, gained, share * unit)
            direct, indirect = (estimates(draws, found.chains) for draws in both)
            for k, by, group in found.columns:
                yield _sensitive(
                    (outcome.design.equation_name, path.capital, by, group),
                    share * unit,
                    direct[k],
                    indirect[k],
                )


def _sensitive(
    key: tuple[str, str, By, str], bias: float, direct: Estimate, indirect: Estimate
) -> SensitivityRow:
    equation, capital, by, group = key
    return SensitivityRow(
        equation=equation,
        capital=capital,
        by=by,
        group=group,
        bias=bias,
        direct=direct,
        indirect=indirect,
    )


def _tipping(found: Learned, outcome: OutcomeDraws) -> Iterator[TippingRow]:
    if not applies(outcome, found):
        return
    limit = LIMIT * unit_of(outcome.design)
    for path in outcome.paths:
        gained = _gained(found, outcome, path)
        for k, by, group in found.columns:
            mean_at = tipping_of_mean(path.indirect[:, k], gained[:, k])
            yield TippingRow(
                equation=outcome.design.equation_name,
                capital=path.capital,
                by=by,
                group=group,
                mean_at=mean_at if mean_at is not None and mean_at <= limit else None,
                interval_at=tipping_of_interval(
                    path.indirect[:, k], gained[:, k], (1 - INTERVAL) / 2, limit
                ),
            )
