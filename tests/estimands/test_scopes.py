from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from bayescluster.estimands.effects import Setting, outcome_surface
from bayescluster.estimands.levels import Levels
from bayescluster.estimands.scopes import groups_of, scoped
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


def test_a_new_industry_takes_the_place_of_all(design):
    draws = known_draws(design, size=6000)
    found = scoped(design, draws, "new_industry", 1).groups
    everywhere = np.zeros(design.size)
    for name, terms in (("industry", 1), ("cluster", 2)):
        assert found[name].effect.shape == (6000, 1, terms)
        np.testing.assert_array_equal(found[name].member, everywhere)
    assert found["firm"].effect.shape == (6000, design.size, 1)
    z = np.column_stack(
        [
            *(found[name].effect[:, 0] / draws.groups[name].sd for name in ("industry", "cluster")),
            found["firm"].effect[:, :2, 0] / draws.groups["firm"].sd,
        ]
    )
    assert_within_mcse(z, 0.0)
    assert_within_mcse(z**2, 1.0)
    # the effects of a cluster go together by 0.6, all else is drawn apart
    pairs = [(a, b) for a in range(5) for b in range(a)]
    products = np.column_stack([z[:, a] * z[:, b] for a, b in pairs])
    assert_within_mcse(products, [0.6 * ((a, b) == (2, 1)) for a, b in pairs])


def test_other_groupings_stay_in_a_new_industry():
    varying = {"industry": ["intercept"], "year": ["intercept"]}
    design = small_design("bernoulli", "additive", varying)
    draws = known_draws(design)
    found = scoped(design, draws, "new_industry", 1)
    assert found.groups["year"] is draws.groups["year"]
    assert list(found.groups) == list(draws.groups)


def test_a_new_industry_has_a_stream_of_its_own(design):
    draws = known_draws(design)
    industry = scoped(design, draws, "new_industry", 1).groups["cluster"].effect
    cluster = scoped(design, draws, "new_cluster", 1).groups["cluster"].effect
    assert (industry[:, 0] != cluster[:, 0]).all()


SIZE = 20_000
LEVELS = Levels((-1.2, 1.1), (-0.9, 1.3), "made")
SIMULATED = {
    "interaction": ["intercept", "human_capital", "social_capital", "interaction"],
    "ces": ["intercept", "gain", "share"],
    "conjunctive": ["neither", "human_only", "social_only", "both"],
}


def _mean(form, c, h, s, level):
    """Expected outcome of a row from its coefficients on their working scales, written anew."""
    if form == "interaction":
        slope = c["human_capital"] * h + c["social_capital"] * s + c["interaction"] * h * s
        return expit(level + c["intercept"] + slope)
    if form == "ces":
        d, r = expit(c["share"]), c["substitution"]
        inside = np.log(d * np.exp(r * h) + (1 - d) * np.exp(r * s)) / r
        return expit(level + c["intercept"] + np.exp(c["gain"]) * inside)
    human, social = (
        expit(np.exp(c[f"{name}_steepness"]) * (value - c[f"{name}_threshold"]))
        for name, value in (("human", h), ("social", s))
    )
    p = {
        name: expit(level + c["intercept"] + c[name])
        for name in ("neither", "human_only", "social_only", "both")
    }
    return (
        p["neither"] * (1 - human) * (1 - social)
        + p["human_only"] * human * (1 - social)
        + p["social_only"] * (1 - human) * social
        + p["both"] * human * social
    )


@pytest.mark.parametrize("form", SIMULATED)
def test_a_new_industry_is_that_of_a_simulation(form):
    varying = {
        "industry": {"terms": SIMULATED[form], "correlated": True},
        "cluster": ["intercept"],
        "firm": ["intercept"],
    }
    design = small_design("bernoulli", form, varying, data={"firm": "panel", "crossed": True})
    one = known_draws(design, size=1, substitution=-1.5)
    draws = replace(one.part(np.zeros(SIZE, dtype="int64")), chains=1)
    weights = groups_of(design, "all").weights
    at = [Setting(*LEVELS.at(corner)) for corner in ("LL", "HL", "LH", "HH")]
    found = outcome_surface(design, scoped(design, draws, "new_industry", 5), at, weights)[:, :, 0]

    rng = np.random.default_rng(77)
    industry = one.groups["industry"]
    sd, correlation = industry.sd[0], industry.correlation[0]
    effects = rng.multivariate_normal(np.zeros(len(sd)), np.outer(sd, sd) * correlation, SIZE)
    coefficients = {name: np.full(SIZE, values[0]) for name, values in one.population.items()}
    for k, name in enumerate(industry.terms):
        coefficients[name] = coefficients[name] + effects[:, k]
    cluster = rng.normal(0, one.groups["cluster"].sd[0, 0], SIZE)
    wanted = np.zeros((SIZE, 4))
    for _ in range(design.size):
        firm = rng.normal(0, one.groups["firm"].sd[0, 0], SIZE)
        for k, setting in enumerate(at):
            mean = _mean(form, coefficients, setting.human, setting.social, cluster + firm)
            wanted[:, k] += mean / design.size
    assert_within_mcse(found - wanted, 0.0)
    assert_within_mcse(found**2 - wanted**2, 0.0)
    assert_within_mcse(found[:, [3]] * found[:, [0]] - wanted[:, [3]] * wanted[:, [0]], 0.0)
