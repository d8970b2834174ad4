"""The compensatory null: its statistic, its replicates, and how often it rejects."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bayescluster.design.record import Design
from bayescluster.features.ceilings.compute import (
    APPROXIMATED,
    FITTED,
    Compensatory,
    ce_fdh_sizes,
    compensatory,
    null_test,
    parts_of,
)
from bayescluster.features.nca.observed import effect_size
from tests.draws import known_draws
from tests.factories import OUTCOMES, firms, small_design


@pytest.mark.parametrize("ties", [False, True])
def test_fast_effect_sizes_equal_those_of_the_plain_definition(ties: bool) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=40), rng.normal(size=(30, 40))
    if ties:
        x, y = np.round(x), np.round(2 * y)
    expected = [effect_size(x, one, ceiling="ce_fdh", corner="upper_left", scope=None) for one in y]
    assert ce_fdh_sizes(x, y) == pytest.approx(expected, abs=1e-12)


def test_what_does_not_vary_has_no_effect_size() -> None:
    x = np.arange(4.0)
    sizes = ce_fdh_sizes(x, np.array([[0.0, 0, 1, 1], [1, 1, 1, 1]]))
    assert sizes[0] == pytest.approx(2 / 3)
    assert np.isnan(sizes[1])
    assert np.isnan(ce_fdh_sizes(np.ones(4), np.arange(4.0)[None])).all()


def test_statistic_averages_over_clusters_by_firms() -> None:
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=30), rng.normal(size=(10, 30))
    parts = [np.arange(10), np.arange(10, 30)]
    found = null_test(x, Compensatory(y[1:], y[0], np.arange(30), ""), parts)
    t = [
        (10 * effect_size(x[:10], one[:10]) + 20 * effect_size(x[10:], one[10:])) / 30 for one in y
    ]
    assert found is not None
    assert found.observed == pytest.approx(t[0])
    assert found.expected == pytest.approx(np.mean(t[1:]))
    assert found.p == (sum(one >= t[0] for one in t[1:]) + 1) / 10
    assert found.clusters == 2


def test_a_statistic_that_does_not_vary_is_none() -> None:
    flat = Compensatory(np.ones((5, 8)), np.ones(8), np.arange(8), "")
    assert null_test(np.arange(8.0), flat, [np.arange(8)]) is None


def test_clusters_of_ten_firms_stand_alone() -> None:
    design = small_design(frame=firms(72, industries=2, clusters=3))  # 12 firms each
    rows = np.arange(design.size)
    everyone = np.ones(design.size, dtype=bool)
    assert [part.size for part in parts_of(design, rows, everyone)] == [12] * 6
    first = design.index("industry") == 0
    assert [part.size for part in parts_of(design, rows, first)] == [12] * 3
    small = small_design(frame=firms(48, industries=2, clusters=3))  # 8 firms each
    (whole,) = parts_of(small, np.arange(48), np.ones(48, dtype=bool))
    assert whole.size == 48


@pytest.mark.parametrize("family", sorted(OUTCOMES))
def test_every_family_has_a_compensatory_model(family: str) -> None:
    varying = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}
    for form, source in (("additive", FITTED), ("conjunctive", APPROXIMATED)):
        design = small_design(family, form, varying if form == "additive" else {})
        found = compensatory(design, known_draws(design, 40), np.random.default_rng(1))
        assert found is not None
        assert found.source == source
        assert np.isfinite(found.outcomes).all()
        assert found.outcomes.shape[1] == design.size
        trials = design.rows.trials
        assert found.observed == pytest.approx(design.outcome / (1 if trials is None else trials))
        if family in {"bernoulli", "probit"}:
            assert set(np.unique(found.outcomes)) <= {0.0, 1.0}


def plain(rows: int) -> Design:
    """Design of a gaussian outcome without groups, whose firms can be replaced."""
    return small_design("gaussian", "interaction", frame=firms(rows))


def with_firms(design: Design, x: np.ndarray, other: np.ndarray, y: np.ndarray) -> Design:
    """The same design with other firms, the capitals standardised."""
    data = design.data.copy()
    for name, values in (("human_capital", x), ("social_capital", other)):
        data[name] = ("firm", (values - values.mean()) / values.std(ddof=1))
    return replace(design, data=data.assign(outcome=("firm", y)))


def p_value(design: Design, rng: np.random.Generator) -> tuple[float, float]:
    """Observed effect size of human capital, and its p under the compensatory model."""
    found = compensatory(design, known_draws(design), rng)
    assert found is not None
    test = null_test(design.capitals[0], found, [np.arange(design.size)])
    assert test is not None
    return test.observed, test.p


def test_additive_data_are_seldom_rejected_and_ceilings_are() -> None:
    rng = np.random.default_rng(20)
    design = plain(100)
    x, other, noise = rng.normal(size=(3, 60, 100))
    additive = [
        p_value(with_firms(design, x[k], other[k], 0.5 * x[k] + 0.75**0.5 * noise[k]), rng)[1]
        for k in range(60)
    ]
    assert np.mean(np.array(additive) <= 0.05) <= 0.15  # binomial: 0.001 above at a rate of 0.05
    assert 0.3 < np.mean(additive) < 0.7
    below = rng.uniform(size=(10, 100)) * np.clip(0.1 + 0.25 * (x[:10] + 2), 0, 1)
    for k in range(10):
        assert p_value(with_firms(design, x[k], other[k], below[k]), rng)[1] <= 0.05
