"""Designs of other sizes hold the same firms and clusters, each as often as is asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from bayescluster.design.arrays import copies, resized
from bayescluster.design.forms import as_form
from bayescluster.model.evaluate import draws_of, linear_predictor
from tests.factories import analysis_of, firms, small_design
from tests.model.test_several_equations import TWO
from tests.systems import system

NESTED = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def design():
    frame = firms(rows=96, industries=2, clusters=4)
    return small_design("bernoulli", "interaction", NESTED, frame=frame)


def test_the_size_of_the_data_is_the_data(design):
    assert resized(design, 1.0, 1.0, rng()) is design


@pytest.mark.parametrize(
    ("times_firms", "times_clusters", "rows", "clusters"),
    [(2, 1, 192, 8), (1, 2, 192, 16), (0.5, 1, 48, 8), (1, 0.5, 48, 4), (1.5, 0.5, 72, 4)],
)
def test_sizes_are_what_is_asked_for(design, times_firms, times_clusters, rows, clusters):
    found = resized(design, times_firms, times_clusters, rng())
    assert (found.size, len(found.group_labels("cluster"))) == (rows, clusters)
    assert np.unique(found.firms).size == rows
    assert len(set(found.labels("firm"))) == rows
    assert len(set(found.group_labels("cluster"))) == clusters
    assert len(found.group_labels("industry")) == 2
    # a cluster is in one industry still, and every number of a group has rows
    for k in range(clusters):
        assert np.unique(found.index("industry")[found.index("cluster") == k]).size == 1


def test_whole_multiples_take_everything_so_often(design):
    found = resized(design, 2.0, 2.0, rng())
    before, after = (
        Counter(zip(each.outcome, *each.capitals, strict=True)) for each in (design, found)
    )
    assert after == {row: 4 * count for row, count in before.items()}
    # inputs keep their units
    assert found.scaling("human_capital") == design.scaling("human_capital")


def test_equations_beside_have_the_same_firms():
    design = system(TWO)
    found = resized(design, 0.5, 1.0, rng())
    (before,), (other,) = design.others, found.others
    assert other.size == found.size
    np.testing.assert_array_equal(other.firms, found.firms)
    assert other.group_labels("cluster") == found.group_labels("cluster")
    # what enters is the outcome of the same rows still
    entering = found.predictors[:, 0]
    np.testing.assert_array_equal(entering, other.outcome)
    assert found.size == before.size / 2


def test_firms_stay_in_the_copies_of_their_cluster(design):
    found = resized(design, 0.5, 2.0, rng())
    human = {value: design.index("cluster")[k] for k, value in enumerate(design.capitals[0])}
    labels = design.group_labels("cluster")
    for k, value in enumerate(found.capitals[0]):
        label = found.group_labels("cluster")[found.index("cluster")[k]]
        assert label.removesuffix(" (2)") == labels[human[value]]


def test_what_is_left_out_is_chance_by_the_seed(design):
    first, again, other = (resized(design, 0.5, 1.0, rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.capitals[0], again.capitals[0])
    assert (first.capitals[0] != other.capitals[0]).any()


def test_firms_seen_in_several_rows_are_taken_whole():
    data = {"firm": "panel", "cluster": None, "industry": None}
    design = small_design("gaussian", "additive", {"firm": ["intercept"]}, data=data)
    found = resized(design, 0.5, 1.0, rng())
    sizes = np.bincount(design.firms)
    kept = np.bincount(found.firms)
    assert kept.size == 6
    assert set(kept) <= set(sizes)
    assert len(found.group_labels("firm")) == 6
    np.testing.assert_array_equal(found.index("firm"), found.firms)


def test_groups_without_rows_are_gone():
    frame = firms(rows=40, industries=1, clusters=2)
    frame["place"] = [f"P{k}" for k in range(40)]
    design = small_design("gaussian", "additive", {"place": ["intercept"]}, frame=frame)
    found = resized(design, 0.5, 1.0, rng())
    assert len(found.group_labels("place")) == 20
    np.testing.assert_array_equal(np.bincount(found.index("place")), np.ones(20))


def test_at_least_one_stays_and_copies_are_even():
    items = np.array([3, 5, 9])
    assert copies(items, 0.01, rng()) == [(int(copies(items, 0.01, rng())[0][0]), 0)]
    found = Counter(item for item, _ in copies(items, 2.4, rng()))
    assert sum(found.values()) == 7
    assert sorted(found.values()) == [2, 2, 3]
    assert len(set(copies(items, 2.4, rng()))) == 7


def test_weights_are_on_their_scale_again():
    frame = firms(rows=96, industries=2, clusters=4)
    frame["w"] = np.linspace(1.0, 5.0, 96)
    frame["v"] = frame["cluster"].map(
        {c: 2.0 + k for k, c in enumerate(sorted(set(frame["cluster"])))}
    )
    data = {"weight": "w", "cluster_weight": "v"}
    design = small_design(
        "gaussian", "additive", {"cluster": ["intercept"]}, data=data, frame=frame
    )
    found = resized(design, 0.5, 1.5, rng())
    weights, index = found.weights, found.index("cluster")
    assert weights.clusters.mean() == pytest.approx(1.0)
    assert weights.average.mean() == pytest.approx(1.0)
    within = np.bincount(index, weights.rows) / np.bincount(index)
    np.testing.assert_allclose(within, weights.clusters)
    plain = small_design("gaussian", "additive", data={"weight": "w"}, frame=frame)
    half = resized(plain, 0.5, 1.0, rng())
    assert half.weights.rows.mean() == pytest.approx(1.0)
    ratio = half.weights.rows / np.sort(half.weights.rows)[0]
    assert ratio.max() > 2


@pytest.mark.parametrize("form", ["additive", "interaction", "conjunctive", "ces"])
def test_any_form_can_be_put_on_the_firms(design, form):
    from tests.instant import InstantSampler

    found = replace(design, analysis=as_form(design.analysis, form))
    assert found.structure.name == form
    draws = draws_of(found, InstantSampler().draw_prior(found, 5, 1))
    assert np.isfinite(linear_predictor(found, draws)).all()
    varying = {g.name: g.terms for g in found.groupings}
    assert varying["cluster"] == ("intercept",)
    assert set(varying["industry"]) <= set(found.structure.terms)


def test_what_another_form_lacks_gives_way_to_what_it_lets_vary():
    terms = {"interaction": {"distribution": "normal", "mean": 0.5, "sd": 0.2}}
    group = {"industry": {"distribution": "half_normal", "sd": 0.1}}
    analysis = analysis_of(
        "bernoulli",
        "interaction",
        {"industry": ["intercept", "interaction"], "cluster": ["intercept", "human_capital"]},
        priors={"terms": terms, "group_sd": group},
    )
    assert as_form(analysis, "interaction").equation.priors.terms
    found = as_form(analysis, "additive").equation
    assert found.structure == ("additive",)
    assert found.groupings["industry"].terms == ("intercept", "human_capital", "social_capital")
    assert found.groupings["cluster"].terms == ("intercept", "human_capital")
    assert (found.priors.terms, found.priors.group_sd) == ({}, analysis.equation.priors.group_sd)
    shared = analysis_of("gaussian", "additive", priors={"r2d2m2": {}})
    assert as_form(shared, "ces").equation.priors.r2d2m2 is None
    assert as_form(shared, "additive").equation.priors.r2d2m2 is not None
