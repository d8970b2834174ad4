"""Averages over a weighted sample equal those over the firms it stands for, written out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayescluster.app.facts import sample_facts
from bayescluster.app.prepare import design_summary
from bayescluster.checks.predictive import predictive_checks
from bayescluster.estimands.effects import surface_draws
from bayescluster.estimands.levels import Levels
from bayescluster.estimands.scopes import declared_groups
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import firms, small_design

LEVELS = Levels((-1.2, 1.4), (-0.9, 1.1), "by hand")
TIMES = 1 + np.arange(48) % 5 * (np.arange(48) % 2)
"""How many firms each row stands for."""


@pytest.fixture(scope="module")
def design():
    frame = firms().assign(stands_for=TIMES)
    keys: dict[str, Any] = {"data": {"weight": "stands_for"}, "frame": frame}
    return small_design("poisson", "interaction", {"cluster": ["intercept"]}, **keys)


def test_effects_and_corners_are_those_of_the_population(design):
    draws = known_draws(design)
    found = Evidence(design, draws, draws, 1).surface("observed", LEVELS)
    everyone = np.repeat(np.arange(48), TIMES)
    columns = np.column_stack([groups.members for groups in declared_groups(design)])
    plain = np.stack([columns[everyone, k] for k in range(columns.shape[1])], axis=1)
    counts = np.apply_along_axis(lambda c: np.bincount(everyone, c, 48), 0, plain)
    wanted = surface_draws(design, draws, LEVELS, counts / counts.sum(axis=0))
    equal = surface_draws(design, draws, LEVELS, columns / columns.sum(axis=0))
    for corner, values in wanted.corners.items():
        np.testing.assert_allclose(found.corners[corner], values)
        assert np.abs(found.corners[corner] - equal.corners[corner]).max() > 1e-3
    for capital, values in wanted.marginal.items():
        np.testing.assert_allclose(found.marginal[capital], values)


def test_observed_means_are_those_of_the_population(design):
    everyone = np.repeat(design.outcome, TIMES)
    whole = sample_facts(design).groups[0]
    assert whole.rows == 48
    assert whole.outcome_mean == pytest.approx(everyone.mean())
    assert whole.human_capital == pytest.approx(np.repeat(design.capitals[0], TIMES).mean())
    assert "weighted by stands_for: a pseudo-posterior, probabilities are not exact" in (
        design_summary([design]).lines
    )


def test_predictive_statistics_are_weighted_on_both_sides(design):
    replicated = np.random.default_rng(4).poisson(1.5, (2, 40, 48)).astype(float)
    checked = predictive_checks(design, replicated.reshape(80, 48))
    rows = {row.statistic: row for row in checked if row.by == "all"}
    statistics = {
        "mean": np.mean,
        "sd": np.std,
        "variance over mean": lambda y: np.var(y) / np.mean(y),
        "share of zeros": lambda y: np.mean(y == 0),
        "largest": np.max,
    }
    assert set(rows) == set(statistics)
    for name, statistic in statistics.items():
        row = rows[name]
        assert row.observed == pytest.approx(statistic(np.repeat(design.outcome, TIMES)))
        each = [statistic(np.repeat(y, TIMES)) for y in replicated.reshape(-1, 48)]
        assert (row.low, row.high) == pytest.approx(tuple(np.quantile(each, [0.05, 0.95])))
