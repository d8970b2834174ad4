"""Firms left out under a hard ceiling, against integrals by quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from bayescluster.checks.loo import row_scores
from bayescluster.features.ceiling_models.checks import Firms, integrated_log_density
from bayescluster.features.ceiling_models.model import UNIT_SD, CeilingDraws, layout_of

LIMITS = (0.02, 1.0)
CLUSTERS = np.array(["a", "a", "a", "a", "b", "b", "c", "d", "d"])
X = np.array([0.1, 0.4, 0.7, 0.95, 0.2, 0.6, 0.5, 0.3, 0.8])
Y = np.array([0.2, 0.55, 0.3, 1.0, 0.01, 0.4, 0.7, 0.0, 0.015])
"""Firms at the flat top, at the floor, alone in their cluster, and in a cluster on the floor."""
SLOPES, LOCATIONS = np.array([0.7, 0.2, 1.1]), np.array([0.6, 0.8, 0.4])
SPREADS, AL, BE = np.array([0.2, 0.08, 0.3]), np.array([1.2, 0.7, 1.0]), np.array([0.8, 1.5, 1.0])


def _marginal(x: np.ndarray, y: np.ndarray, k: int) -> float:
    """Density of the outcomes of a cluster, its height integrated out by quadrature."""
    scale = UNIT_SD * SPREADS[k]
    y = np.maximum(y, 1e-3)

    above = [yi - SLOPES[k] * (xi - 0.5) for xi, yi in zip(x, y, strict=True) if yi > LIMITS[0]]
    start = max([-3.0, *above])
    # fine above the highest firm, where the density of the others may have a pole
    height = start + np.concatenate(
        [np.geomspace(1e-9, 0.05, 20_000), np.linspace(0.0501, 9, 90_000)]
    )
    c = np.clip(height[:, None] + SLOPES[k] * (x - 0.5), *LIMITS)
    share = np.clip(y / c, 1e-3, 1 - 1e-3)
    firms = np.prod(stats.beta.pdf(share, AL[k], BE[k]) / c, axis=1)
    density = stats.logistic.pdf(height, LOCATIONS[k], scale) * firms
    return float(integrate.trapezoid(density, height))


def test_each_firm_is_predicted_from_the_others_of_its_cluster() -> None:
    layout = layout_of(CLUSTERS, None)
    draws = CeilingDraws(
        0,
        np.full((3, 4), np.nan),  # heights are integrated out
        SLOPES[:, None],
        LOCATIONS[:, None],
        SPREADS,
        AL,
        BE,
        np.zeros(3),
    )
    found = integrated_log_density(draws, Firms(layout, X, Y, LIMITS))
    for k in range(3):
        for i in range(Y.size):
            mates = np.flatnonzero(CLUSTERS == CLUSTERS[i])
            rest = mates[mates != i]
            wanted = np.log(_marginal(X[mates], Y[mates], k) / _marginal(X[rest], Y[rest], k))
            assert found[k, i] == pytest.approx(wanted, abs=0.02), (k, i)


def test_plain_importance_sampling_overrates_the_highest_firm() -> None:
    """One cluster, uniform below a level ceiling: everything is known in closed form."""
    y = np.array([0.1, 0.2, 0.35, 0.6])
    grid = np.linspace(0.6 + 1e-9, 1.0, 200_001)
    rng = np.random.default_rng(5)
    posterior = rng.choice(grid, 4000, p=grid**-4 / (grid**-4).sum())
    plain = row_scores(np.repeat(-np.log(posterior)[:, None], y.size, axis=1))
    exact = (0.6**-3 - 1) / 3 / ((0.35**-2 - 1) / 2)
    assert plain.elpd[3] > np.log(exact) + 0.3
    # by the probability that the others allow a ceiling above the highest firm
    allowed = (0.6**-2 - 1) / (0.35**-2 - 1)
    assert plain.elpd[3] == pytest.approx(np.log(exact / allowed), abs=0.05)
