"""Estimands of several equations as one system: what goes with each form, and paths through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.estimands.learning import DRAWS, OutcomeDraws, PathDraws, outcome_draws
from bayescluster.estimands.levels import Levels, default_levels
from bayescluster.estimands.membership import declared_groups
from bayescluster.model.evaluate import Draws
from bayescluster.results.base import By

Column = tuple[int, By, str]
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
    """Compute the estimands of a system; none where no equation has predictors.

    Parameters
    ----------
    systems
        Every equation with its draws, that in focus first.
    """
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
