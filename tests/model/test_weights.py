"""Survey weights: the log pseudo-density of a model, and the weights themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bayescluster.families import FAMILIES
from bayescluster.model.evaluate import log_likelihood
from tests.draws import known_draws
from tests.factories import firms, small_design
from tests.model.graph import graph_of
from tests.model.oracle import Oracle, cholesky_of, perturbed

NESTED = {"industry": ["intercept"], "cluster": ["intercept"]}


def weighted_firms(**keys: Any) -> pd.DataFrame:
    """Firms with a weight each, and a weight of their cluster."""
    frame = firms(**keys)
    rng = np.random.default_rng(5)
    clusters = sorted(frame["cluster"].unique())
    each = dict(zip(clusters, rng.uniform(2.0, 9.0, len(clusters)), strict=True))
    frame["drawn"] = frame["cluster"].map(each)
    frame["stands_for"] = frame["drawn"] * rng.uniform(1.0, 20.0, len(frame))
    return frame


class WeightedOracle(Oracle):
    """The log density of the whole model with every sampled unit counted as often as it stands for.

    The weights are scaled here row by row from the columns of the table.
    """

    def __init__(self, design: Any, frame: pd.DataFrame, row: str | None, cluster: str | None):
        super().__init__(design)
        self.row_weights = np.array(frame[row]) if row else np.ones(len(frame))
        self.effect_weights: dict[str, Any] = {}
        if cluster is None:
            self.row_weights = self.row_weights * len(frame) / self.row_weights.sum()
        else:
            raw = frame.groupby("cluster")[cluster].first()
            scaled = {name: len(raw) * value / raw.sum() for name, value in raw.items()}
            for name in raw.index:
                mine = (frame["cluster"] == name).to_numpy()
                total = self.row_weights[mine].sum()
                self.row_weights[mine] *= mine.sum() / total * scaled[name]
            labels = design.labels("cluster")
            self.effect_weights["cluster"] = np.array([scaled[name] for name in labels])
        if "firm" in design.analysis.equation.varying:
            index = design.index("firm")
            self.effect_weights["firm"] = np.array(
                [self.row_weights[index == k].mean() for k in range(index.max() + 1)]
            )

    def log_density(self, point: Any) -> float:
        total = super().log_density(point)
        total += ((self.row_weights - 1) * self.log_likelihood(point)).sum()
        effects, _ = self.effects(point)
        for grouping in self.design.groupings:
            weights = self.effect_weights.get(grouping.name)
            if weights is None:
                continue
            sd = np.exp(point[f"{grouping.name}_sd_log__"])
            correlation = np.eye(sd.size)
            if grouping.correlated:
                free = point[f"{grouping.name}_cholesky_cholesky_corr__"]
                factor, _ = cholesky_of(free, sd.size)
                correlation = factor @ factor.T
            around = stats.multivariate_normal(np.zeros(sd.size), np.outer(sd, sd) * correlation)
            each = np.array([around.logpdf(row) for row in effects[grouping.name]])
            total += ((weights - 1) * each).sum()
        return float(total)


def assert_is_weighted(design: Any, oracle: WeightedOracle) -> None:
    graph = graph_of(design)
    for seed in (1, 2):
        point = perturbed(graph.shapes, seed)
        found = graph.log_density(point)
        assert found == pytest.approx(oracle.log_density(point), rel=1e-9, abs=1e-7)
        assert abs(found - Oracle.log_density(oracle, point)) > 0.05
        assert np.isfinite(graph.gradient(point)).all()


USUAL = ("bernoulli", "gaussian", "ordinal", "hurdle_lognormal")
"""A family of each kind of outcome; weights know nothing of the family, so the others are slow."""


@pytest.mark.parametrize(
    "family",
    [pytest.param(name, marks=[pytest.mark.slow] * (name not in USUAL)) for name in FAMILIES],
)
def test_rows_are_weighted_whatever_the_family(family):
    frame = weighted_firms()
    design = small_design(family, "additive", NESTED, data={"weight": "stands_for"}, frame=frame)
    assert_is_weighted(design, WeightedOracle(design, frame, "stands_for", None))


SHAPES: dict[str, dict[str, Any]] = {
    "independent": {"cluster": ["intercept", "human_capital"], "industry": ["intercept"]},
    "partly centred": {
        "cluster": {"terms": ["intercept", "human_capital"], "centred": ["intercept"]},
        "industry": ["intercept"],
    },
    "correlated": {"cluster": {"terms": ["intercept", "human_capital"], "correlated": True}},
    "correlated, centred": {
        "cluster": {"terms": ["intercept", "human_capital"], "correlated": True, "centred": True}
    },
    "no effects of clusters": {"industry": ["intercept"]},
}


@pytest.mark.parametrize(
    ("shape", "row"),
    [
        *((shape, "stands_for") for shape in SHAPES),
        ("correlated", None),
        *(pytest.param(s, None, marks=pytest.mark.slow) for s in SHAPES if s != "correlated"),
    ],
)
def test_clusters_are_weighted_however_their_effects_are_sampled(shape, row):
    frame = weighted_firms(industries=2, clusters=4)
    data = {"weight": row, "cluster_weight": "drawn"}
    design = small_design("gaussian", "additive", SHAPES[shape], data=data, frame=frame)
    assert_is_weighted(design, WeightedOracle(design, frame, row, "drawn"))


def test_effects_of_firms_have_the_weight_of_their_rows():
    frame = weighted_firms()
    data = {"firm": "panel", "weight": "stands_for", "cluster": None}
    design = small_design("gaussian", "additive", {"firm": ["intercept"]}, data=data, frame=frame)
    assert_is_weighted(design, WeightedOracle(design, frame, "stands_for", None))


def test_equal_weights_change_nothing():
    frame = weighted_firms().assign(same=3.0)
    data = {"weight": "same", "cluster_weight": "same"}
    design = small_design("gaussian", "additive", NESTED, data=data, frame=frame)
    graph = graph_of(design)
    point = perturbed(graph.shapes, 1)
    assert graph.log_density(point) == pytest.approx(Oracle(design).log_density(point))


def test_the_twin_gives_the_terms_of_the_pseudo_likelihood():
    frame = weighted_firms()
    plain = small_design("bernoulli", "additive", NESTED, frame=frame)
    data = {"weight": "stands_for"}
    design = small_design("bernoulli", "additive", NESTED, data=data, frame=frame)
    weights = frame["stands_for"].to_numpy() / frame["stands_for"].mean()
    np.testing.assert_allclose(
        log_likelihood(design, known_draws(design)),
        weights * log_likelihood(plain, known_draws(plain)),
    )
