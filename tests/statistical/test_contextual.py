"""What a firm has and what its cluster has are told apart, whatever the number of firms in a cluster.

A capital of intraclass correlation 0.3 with no effect of its own, while that of the other firms of the
cluster has slope 1. Without contextual terms its effect is a blend that depends on how many firms of a
cluster are in the data; with them the effect within clusters is 0 and that between clusters 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bayescluster.design.coding import surroundings
from bayescluster.design.record import Design
from bayescluster.estimands.effects import contextual_effect, surface_draws
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.scopes import groups_of
from bayescluster.kernel.program import unserved
from bayescluster.model.evaluate import draws_of
from bayescluster.spec.analysis import Sampling
from tests.factories import analysis_of, design_of
from tests.fits import posterior_of

H = "human_capital"
TERM = f"cluster_{H}"
CLUSTERS, ICC, SPREAD = 60, 0.3, 0.2
SIZES = (10, 20, 50)
SAMPLING = Sampling(draws=500, tune=500, chains=2, seed=5)


def firms_of(size: int, cause: str = "others") -> tuple[pd.DataFrame, float]:
    """Firms in clusters, and the standard deviation of their capital, which is its unit in the model.

    The outcome follows the mean of the ``others``, or of ``all`` firms of the cluster.
    """
    rng = np.random.default_rng(size)
    cluster = np.repeat(np.arange(CLUSTERS), size)
    rows = cluster.size
    capital = rng.normal(0, ICC**0.5, CLUSTERS)[cluster] + rng.normal(0, (1 - ICC) ** 0.5, rows)
    around = {
        "others": surroundings("cluster", cluster, np.arange(rows)),
        "all": surroundings("firm", cluster, cluster),
    }[cause].mean(capital)
    level = rng.normal(0, SPREAD, CLUSTERS)[cluster]
    frame = pd.DataFrame(
        {
            "firm": [f"f{k}" for k in range(rows)],
            "cluster": [f"C{k:02d}" for k in cluster],
            "training": capital,
            "trust": rng.normal(size=rows),
            "growth": around + level + rng.normal(size=rows),
        }
    )
    return frame, float(capital.std(ddof=1))


def fitted(frame: pd.DataFrame, **keys: Any) -> tuple[Design, Any]:
    analysis = analysis_of(
        "gaussian",
        "additive",
        {"cluster": ["intercept"]},
        data={"industry": None},
        **keys,
    )
    design = design_of(analysis.model_copy(update={"sampling": SAMPLING}), frame)
    assert unserved(design) is None
    return design, draws_of(design, posterior_of(design))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cause", ["others", "all"])
def test_within_and_between_are_recovered(cause: str, size: int):
    """A firm that is raised alone raises the mean of all firms of its cluster by its share in it."""
    frame, unit = firms_of(size, cause)
    own = 0.0 if cause == "others" else 1.0 / size
    design, draws = fitted(frame, contextual=[H])
    everyone = groups_of(design, "all").weights
    surface = surface_draws(design, draws, default_levels(design), everyone)
    estimates = {
        "within": (surface.marginal[H][:, 0] / unit, own),
        "between": (surface.whole[TERM][:, 0] / unit, 1.0),
        "contextual": (contextual_effect(surface, TERM, ("cluster", H))[:, 0] / unit, 1.0 - own),
    }
    for name, (values, truth) in estimates.items():
        low, high = np.quantile(values, [0.005, 0.995])
        assert low < truth < high, (name, size, values.mean(), values.std())
    # precise enough that a blend would not pass
    assert estimates["within"][0].std() < 0.06
    assert estimates["between"][0].std() < 0.2


def test_without_them_the_effect_is_a_blend_that_depends_on_the_size():
    slopes = []
    for size in (SIZES[0], SIZES[-1]):
        frame, unit = firms_of(size, "all")
        _, draws = fitted(frame)
        slopes.append(draws.population[H] / unit)
    few, many = slopes
    assert np.quantile(few, 0.01) > 0
    assert few.mean() > many.mean() + 0.05
