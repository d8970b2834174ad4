"""A sample drawn by its outcome misleads; its weights put it right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayescluster.checks.sandwich import weighting
from bayescluster.model.evaluate import draws_of
from tests.fits import design_from, posterior_of, write_csv

TRUTH = {"intercept": 1.0, "human_capital": 0.8, "social_capital": 0.5}
SIZE, SEED = 40_000, 7


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """About 800 firms, drawn with a probability that rises with the outcome."""
    import pandas as pd

    rng = np.random.default_rng(SEED)
    human, social = rng.normal(size=(2, SIZE))
    outcome = 1.0 + 0.8 * human + 0.5 * social + rng.normal(size=SIZE)
    chance = 0.04 / (1 + np.exp(1.0 - 1.2 * outcome))
    drawn = rng.random(SIZE) < chance
    frame = pd.DataFrame({"h": human, "s": social, "y": outcome, "w": 1 / chance})
    return write_csv(frame[drawn], tmp_path_factory.mktemp("survey"))


def fitted(source: str, **data: str) -> tuple[Any, Any, dict[str, np.ndarray]]:
    """Design, draws, and draws of the coefficients in units of the columns."""
    capitals = {"human_capital": "h", "social_capital": "s"}
    design = design_from(
        {
            "name": "survey",
            "data": {"source": source, **data},
            "constructs": {
                name: {"indicators": [column], "method": "single"}
                for name, column in capitals.items()
            },
            "equations": {
                "growth": {"outcome": "y", "family": "gaussian", "structure": "additive"}
            },
            "sampling": {"draws": 1000, "tune": 500, "chains": 2, "seed": SEED},
        }
    )
    draws = draws_of(design, posterior_of(design))
    units = {name: design.scaling(name) for name in capitals}
    found = {name: draws.population[name] / unit.scale for name, unit in units.items()}
    found["intercept"] = draws.population["intercept"] - sum(
        found[name] * unit.center for name, unit in units.items()
    )
    return design, draws, found


def test_weights_undo_the_selection(source):
    _, _, plain = fitted(source)
    design, draws, weighted = fitted(source, weight="w")
    check = weighting(design, draws)
    ratio = max(row.ratio for row in check.rows)
    for name, truth in TRUTH.items():
        off = abs(weighted[name].mean() - truth) / (ratio * weighted[name].std())
        assert off < 3, f"{name}: {off:.1f} sandwich sds from the truth"
    for name in ("intercept", "human_capital"):
        assert abs(plain[name].mean() - TRUTH[name]) > 4 * plain[name].std()
    # the sandwich of weighted least squares, row by row
    x = np.column_stack([np.ones(design.size), *design.capitals])
    w = design.weights.rows
    bread = np.linalg.inv(x.T @ (w[:, None] * x))
    scores = x * (w * (design.outcome - x @ bread @ x.T @ (w * design.outcome)))[:, None]
    wanted = np.sqrt(np.diag(bread @ scores.T @ scores @ bread))
    np.testing.assert_allclose([row.corrected.sd for row in check.rows], wanted, rtol=0.12)
    assert max(row.ratio for row in check.rows) > 1.2
