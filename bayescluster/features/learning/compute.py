"""Tables of several equations: paths through learning, the matrix of forms, sensitivity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.record import Design, ancestors
from bayescluster.estimands.diagnostics import estimates, interval, probability_error
from bayescluster.estimands.effects import (
    STEP,
    Own,
    Setting,
    Split,
    Way,
    outcome_surface,
    split_surface,
    way_through,
)
from bayescluster.estimands.levels import Levels, default_levels
from bayescluster.estimands.scopes import declared_groups
from bayescluster.families import YES_OR_NO
from bayescluster.features.learning.results import (
    DominanceRow,
    Learning,
    MatrixRow,
    MediatedRow,
    PathRow,
    SensitivityRow,
    TippingRow,
)
from bayescluster.model.evaluate import Draws, expectation, predictor_at
from bayescluster.names import CAPITALS
from bayescluster.results.base import By as LearnedBy
from bayescluster.results.model import INTERVAL

DRAWS = 2000
"""Most draws behind these estimands: every mediator doubles the work, and R-hat within 1.01 for some
hundreds of them needs 500 draws a chain."""


class PathDraws(NamedTuple):
    """Effect of one capital on one outcome, low to high; all arrays ``(draw, group)``.

    ``total = direct + indirect`` in every draw. ``through`` goes by equation upstream: the capital
    raised in that equation alone, all others as under its low level. These need not add up to
    ``indirect``.
    """

    capital: str
    total: Array
    direct: Array
    indirect: Array
    through: dict[str, Array]


class FormDraws(NamedTuple):
    """What an outcome goes with in one form of learning; arrays ``(draw, group)``.

    ``marginal`` is the average change of the outcome with the form, from no to yes or per standard
    deviation over all rows, other predictors and capitals as observed. ``standardised`` is the same
    per standard deviation of the form among the rows of the group.
    """

    form: str
    binary: bool
    marginal: Array
    standardised: Array


class OutcomeDraws(NamedTuple):
    """Estimands of one equation: effects of the capitals by path, and of its predictors."""

    design: Design
    way: Way
    paths: tuple[PathDraws, ...]
    forms: tuple[FormDraws, ...]

    @property
    def standardised(self) -> Array:
        """Standardised effect of each form, ``(draw, group, form)``."""
        return np.stack([each.standardised for each in self.forms], axis=-1)

    @property
    def dominant(self) -> Array:
        """Position of the form with the largest standardised effect, ``(draw, group)``."""
        return np.asarray(self.standardised.argmax(axis=-1))

    @property
    def rank(self) -> Array:
        """Rank of each form from 0, the largest standardised effect first, ``(draw, group, form)``."""
        return np.asarray((-self.standardised).argsort(axis=-1).argsort(axis=-1))


def outcome_draws(design: Design, draws: Draws, levels: Levels, weights: Array) -> OutcomeDraws:
    """Compute all that is asked of one equation; one without predictors has total effects only.

    Parameters
    ----------
    design, draws
        The equation, carrying those it rests on.
    levels
        Low and high of the capitals.
    weights
        Averaging weights, ``(row, group)``.
    """
    names = [each.equation_name for each, _ in draws.upstream]
    paths = tuple(
        _paths(_Question(design, draws, weights), position, pair, names)
        for position, pair in enumerate((levels.human, levels.social))
    )
    way = way_through(design, draws)
    return OutcomeDraws(design, way, paths, form_draws(design, draws, weights))


class _Question(NamedTuple):
    design: Design
    draws: Draws
    weights: Array


def _paths(
    question: _Question, position: int, pair: tuple[float, float], names: Sequence[str]
) -> PathDraws:
    low, high = (
        (Setting(level, Own()) if position == 0 else Setting(Own(), level)) for level in pair
    )
    capital = CAPITALS[position]
    if not names:
        mean = outcome_surface(*question[:2], [low, high], question.weights)
        total = mean[:, 1] - mean[:, 0]
        return PathDraws(capital, total, total, np.zeros_like(total), {})
    splits: list[Split] = [(low, low), (high, low), (high, high)]
    splits += [(high, dict.fromkeys(names, low) | {name: high}) for name in names]
    mean = split_surface(*question[:2], splits, question.weights)  # (draw, split, group)
    neither, alone, both = mean[:, 0], mean[:, 1], mean[:, 2]
    return PathDraws(
        capital,
        both - neither,
        alone - neither,
        both - alone,
        {name: mean[:, 3 + k] - alone for k, name in enumerate(names)},
    )


def form_draws(design: Design, draws: Draws, weights: Array) -> tuple[FormDraws, ...]:
    """Effects of every predictor of an equation on its expected outcome."""
    found = []
    for position, name in enumerate(design.equation.predictors):
        answers = design.predictors[:, position]
        binary = bool(np.isin(answers[~np.isnan(answers)], (0.0, 1.0)).all())
        marginal, spread = np.empty((2, draws.size, weights.shape[1]))
        for which, part in draws.chunks(design.size):
            marginal[which], spread[which] = _form(design, part, weights, position, binary)
        found.append(FormDraws(name, binary, marginal, marginal * spread))
    return tuple(found)


def _form(
    design: Design, draws: Draws, weights: Array, position: int, binary: bool
) -> tuple[Array, Array]:
    """Average effect of a predictor, and its spread among the rows of each group, ``(draw, group)``."""
    # other outcomes and contexts as they enter, imputed where missing, ``(draw or 1, row, input)``
    known = np.nan_to_num(design.predictors)
    columns = [
        known[None, :, position] + (draws.imputed[name].added() if name in draws.imputed else 0.0)
        for position, name in enumerate(design.equation.entering)
    ]
    entering = np.stack(np.broadcast_arrays(*columns), axis=-1)
    column = entering[:, :, position]  # (draw or 1, row)
    ends = (np.zeros(1), np.ones(1)) if binary else (column - STEP, column + STEP)
    low, high = (_with_form(design, draws, weights, _set_to(entering, position, e)) for e in ends)
    mean = column @ weights
    spread = np.sqrt(np.maximum(column**2 @ weights - mean**2, 0.0))
    return (high - low) / (1.0 if binary else 2 * STEP), spread


def _set_to(entering: Array, position: int, values: Array) -> Array:
    found = entering.copy()
    found[:, :, position] = values
    return found


def _with_form(design: Design, draws: Draws, weights: Array, entering: Array) -> Array:
    """Average expected outcome with predictors at some values, all else as observed, ``(draw, group)``."""
    rows = np.arange(design.size)
    capitals = draws.capitals or design.capitals
    eta = predictor_at(design, draws, capitals, rows, entering)
    return np.asarray(expectation(design, eta, draws, rows) @ weights)


class Confounded(NamedTuple):
    """Direct and indirect effect if a confounder of learning and outcome were left out."""

    direct: Array
    indirect: Array


def learners_gained(path: PathDraws, forms: Sequence[PathDraws]) -> Array:
    """Sum over the forms of the change in the share of learners, ``(draw, group)``."""
    return np.asarray(sum((form.total for form in forms), start=np.zeros_like(path.total)))


def confounded(path: PathDraws, gained: Array, bias: float) -> Confounded:
    """Effects corrected for an unmeasured confounder of learning and outcome.

    ``bias`` is what the confounder adds to the expected outcome of learners over non-learners alike in
    capitals and controls: its effect on the outcome times the difference in its prevalence. The
    indirect effect is too large by ``bias`` for each learner gained, the direct one too small by as
    much; their sum stays. Source: VanderWeele (2010), bias formulas for direct and indirect effects,
    in the case where neither part depends on the capitals.
    """
    return Confounded(path.direct + bias * gained, path.indirect - bias * gained)


def tipping_of_mean(indirect: Array, gained: Array) -> float | None:
    """Bias at which the mean of an indirect effect is 0; none where no bias above 0 brings it there."""
    mean, slope = float(indirect.mean()), float(gained.mean())
    if slope == 0 or mean / slope < 0:
        return None
    return mean / slope


def tipping_of_interval(indirect: Array, gained: Array, tail: float, limit: float) -> float | None:
    """Smallest bias from 0 to ``limit`` at which the interval of an indirect effect holds 0.

    Parameters
    ----------
    indirect, gained
        ``(draw,)``.
    tail
        Probability left out on each side of the interval.
    """
    sign = 1.0 if indirect.mean() >= 0 else -1.0

    def near_end(bias: float) -> float:
        """End of the interval next to 0, above 0 while 0 is outside."""
        return float(np.quantile(sign * (indirect - bias * gained), tail))

    if near_end(0.0) <= 0:
        return 0.0
    grid = np.linspace(0.0, limit, 65)
    past = next((k for k, bias in enumerate(grid) if near_end(float(bias)) <= 0), None)
    if past is None:
        return None
    low, high = float(grid[past - 1]), float(grid[past])
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if near_end(middle) <= 0 else (middle, high)
    return high


Column = tuple[int, LearnedBy, str]
"""Column of the estimands, and the kind and label of its group."""


class Learned(NamedTuple):
    """Estimands of every equation of a system, by name, for the same groups."""

    focus: str
    outcomes: dict[str, OutcomeDraws]
    columns: tuple[Column, ...]
    levels: Levels
    chains: int
    size: int

    @property
    def with_predictors(self) -> list[OutcomeDraws]:
        """Equations with predictors, the one in focus first."""
        found = [each for each in self.outcomes.values() if each.forms]
        return sorted(found, key=lambda each: each.design.equation_name != self.focus)

    def effect_on(self, name: str, capital: str) -> PathDraws:
        """Effects of a capital on the outcome of an equation."""
        return next(path for path in self.outcomes[name].paths if path.capital == capital)


def learned(systems: Sequence[tuple[Design, Draws]]) -> Learned | None:
    """Compute the estimands of a system; none where no equation has predictors."""
    focus, _ = systems[0]
    if not any(design.equation.predictors for design, _ in systems):
        return None
    parts = [part for part in declared_groups(focus) if part.by != "cluster"]
    weights = np.column_stack([part.weights for part in parts])
    named = [(part.by, label) for part in parts for label in part.labels]
    columns = tuple((k, by, label) for k, (by, label) in enumerate(named))
    levels = default_levels(focus)
    capitals = any(design.has_capitals for design, _ in systems)
    found: dict[str, OutcomeDraws] = {}
    chains = size = 0
    for design, draws in systems:
        some = draws.thinned_by_chain(DRAWS)
        chains, size = some.chains, some.size
        outcome = outcome_draws(design, some, levels, weights)
        found[design.equation_name] = outcome if capitals else outcome._replace(paths=())
    return Learned(focus.equation_name, found, columns, levels, chains, size)


def learning_estimands(found: Learned) -> dict[str, Array]:
    """Every estimand by name, ``(draw,)`` each, for the gate."""
    named: dict[str, Array] = {}
    for name, outcome in found.outcomes.items():
        for path in outcome.paths:
            for what, values in effects_of(path, bool(outcome.forms)):
                label = f"{name}: {' '.join(filter(None, what))} effect of {path.capital}"
                named |= _by_group(label, values, found.columns)
        for form in outcome.forms:
            named |= _by_group(f"{name}: effect of {form.form}", form.marginal, found.columns)
    return named


def _by_group(label: str, values: Array, columns: Sequence[Column]) -> dict[str, Array]:
    return {
        f"{label} ({group if by == 'all' else f'{by} {group}'})": values[:, k]
        for k, by, group in columns
    }


def effects_of(path: PathDraws, whole: bool) -> Iterator[tuple[tuple[str, str | None], Array]]:
    """Yield the effects of a path with their names; the total alone where nothing mediates."""
    yield ("total", None), path.total
    if whole:
        yield ("direct", None), path.direct
        yield ("indirect", None), path.indirect
        for name, values in path.through.items():
            yield ("through", name), values


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
    return (
        1.0
        if probability
        else float((design.reported if design.levels else design.outcome).std(ddof=1))
    )


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
                yield SensitivityRow(
                    equation=outcome.design.equation_name,
                    capital=path.capital,
                    by=by,
                    group=group,
                    bias=share * unit,
                    direct=direct[k],
                    indirect=indirect[k],
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
