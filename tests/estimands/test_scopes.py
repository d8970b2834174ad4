from __future__ import annotations

import numpy as np
import pytest

from bayescluster.estimands.scopes import scoped
from bayescluster.model.evaluate import linear_predictor
from tests.draws import known_draws
from tests.factories import small_design
from tests.helpers import assert_within_mcse

VARYING = {
    "industry": ["intercept"],
    "cluster": {"terms": ["intercept", "human_capital"], "correlated": True},
    "firm": ["intercept"],
}


@pytest.fixture(scope="module")
def design():
    return small_design(
        "bernoulli", "interaction", VARYING, data={"firm": "panel", "crossed": True}
    )


def test_observed_changes_nothing(design):
    draws = known_draws(design)
    assert scoped(design, draws, "observed", 1) is draws


def test_average_cluster_has_no_deviation(design):
    draws = known_draws(design)
    found = scoped(design, draws, "average_cluster", 1)
    assert (found.groups["cluster"].effect == 0).all()
    assert found.groups["industry"] is draws.groups["industry"]
    assert found.groups["firm"] is draws.groups["firm"]
    cluster = draws.groups["cluster"]
    human = design.capitals[0]
    removed = cluster.effect[:, cluster.member, 0] + cluster.effect[:, cluster.member, 1] * human
    np.testing.assert_allclose(
        linear_predictor(design, found), linear_predictor(design, draws) - removed
    )


def test_a_new_cluster_is_drawn_from_the_distribution_of_clusters(design):
    draws = known_draws(design, size=6000)
    found = scoped(design, draws, "new_cluster", 1).groups["cluster"]
    sd = draws.groups["cluster"].sd
    # one new cluster in each industry
    assert found.effect.shape == (6000, 2, 2)
    np.testing.assert_array_equal(found.member, design.index("industry"))
    z = (found.effect / sd[:, None, :]).reshape(6000, 4)
    assert_within_mcse(z, 0.0)
    assert_within_mcse(z**2, 1.0)
    # correlation 0.6 within a cluster, none between clusters
    assert_within_mcse(z[:, 0] * z[:, 1], 0.6)
    assert_within_mcse(z[:, 2] * z[:, 3], 0.6)
    assert_within_mcse(z[:, 0] * z[:, 2], 0.0)


def test_firms_of_a_new_cluster_are_new(design):
    draws = known_draws(design, size=4000)
    found = scoped(design, draws, "new_cluster", 1).groups["firm"]
    assert found.effect.shape == (4000, design.size, 1)
    np.testing.assert_array_equal(found.member, np.arange(design.size))
    z = found.effect[:, :4, 0] / draws.groups["firm"].sd
    assert_within_mcse(z**2, 1.0)
    assert_within_mcse(z[:, 0] * z[:, 1], 0.0)


def test_a_new_cluster_is_the_same_for_the_same_seed(design):
    draws = known_draws(design)
    one, again, other = (scoped(design, draws, "new_cluster", seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.groups["cluster"].effect, again.groups["cluster"].effect)
    assert (one.groups["cluster"].effect != other.groups["cluster"].effect).all()


def test_without_cluster_effects_there_is_nothing_to_replace():
    design = small_design("bernoulli", "additive", {"industry": ["intercept"]})
    draws = known_draws(design)
    assert scoped(design, draws, "new_cluster", 1) is draws
    assert scoped(design, draws, "average_cluster", 1) is draws
