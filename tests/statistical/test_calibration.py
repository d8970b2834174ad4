"""Simulation-based calibration: ranks of true values among posterior draws are uniform.

Talts, Betancourt, Simpson, Vehtari and Gelman (2018). Truths are drawn from the prior, outcomes from
the truths; a rank that is not uniform says that posterior, prior and generator disagree.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from bayescluster.design.arrays import replaced
from bayescluster.estimands.effects import surface_draws
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.scopes import groups_of
from bayescluster.inference.density import Repeated, draw_prior
from bayescluster.model.evaluate import Draws, draws_of, replicate
from bayescluster.spec.analysis import Sampling
from tests.factories import firms, small_design

pytestmark = pytest.mark.slow

REPLICATIONS = 100
KEPT = 99
"""Draws that a truth is ranked among, thinned so that they are nearly independent."""
BINS = 10
FALSE_ALARM = 1e-4


def quantities(design, draws: Draws) -> dict[str, np.ndarray]:
    """Coefficients, group sds, an effect and corners, ``(draw,)`` each."""
    surface = surface_draws(
        design, draws, default_levels(design), groups_of(design, "industry").weights
    )
    found = {term: values for term, values in draws.population.items() if np.ptp(values) > 0}
    for name, group in draws.groups.items():
        found |= {f"{name} sd of {term}": group.sd[:, k] for k, term in enumerate(group.terms)}
    found["effect of human capital"] = surface.marginal["human_capital"][:, 0]
    found |= {f"corner {name}": values[:, 1] for name, values in surface.corners.items()}
    return found


@pytest.mark.parametrize("structure", ["interaction", "conjunctive", "ces"])
def test_ranks_are_uniform(structure) -> None:
    frame = firms(rows=160, industries=2, clusters=4, seed=3)
    design = small_design(
        "bernoulli", structure, {"industry": "all", "cluster": ["intercept"]}, frame=frame
    )
    truths = draws_of(design, draw_prior(design, REPLICATIONS, 11))
    repeated = Repeated(design)
    wanted = quantities(design, truths)
    ranks: dict[str, list[int]] = {name: [] for name in wanted}
    for k in range(REPLICATIONS):
        outcome = replicate(design, truths.part(np.array([k])), np.random.default_rng(k))[0]
        sampling = Sampling(draws=400, tune=400, chains=2, seed=k + 1, target_accept=0.95)
        posterior = repeated.fit(replaced(design, outcome), sampling).draws
        found = quantities(design, posterior.thinned(KEPT))
        for name, values in found.items():
            ranks[name].append(int((values < wanted[name][k]).sum()))
    for name, found in ranks.items():
        counts = np.bincount(np.array(found) * BINS // (KEPT + 1), minlength=BINS)
        p = chisquare(counts).pvalue
        assert p > FALSE_ALARM / len(ranks), f"{structure}, {name}: {counts.tolist()}"
