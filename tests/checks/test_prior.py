"""How much of a prior is hard to believe, and whether it decides a claim by itself."""

from __future__ import annotations

import numpy as np
import pytest

from bayescluster.studies.prior.compute import (
    needed_odds,
    outlook,
    possible,
    prior_predictive,
    prior_ranges,
    spread,
    turns_on,
)
from tests.factories import firms, small_design

DRAWS = 400


@pytest.mark.parametrize(
    ("probability", "level", "error", "wanted"),
    [
        (0.96, 0.95, 0.0, "decided_for"),
        (0.95, 0.95, 0.0, "decided_for"),
        (0.2, 0.8, 0.0, "decided_against"),
        (0.05, 0.95, 0.0, "decided_against"),
        (0.92, 0.95, 0.0, "leans_for"),
        (0.92, 0.95, 0.01, "open"),
        (0.06, 0.95, 0.01, "leans_against"),
        (0.08, 0.95, 0.01, "open"),
        (0.90, 0.95, 0.0, "open"),
        (0.5, 0.99, 0.0, "open"),
    ],
)
def test_outlook(probability, level, error, wanted):
    assert outlook(probability, level, error) == wanted


def test_needed_odds_lead_to_the_bounds():
    support, reject = needed_odds(0.2, 0.9)
    assert support * 0.2 / 0.8 == pytest.approx(9.0)
    assert 0.2 / 0.8 / reject == pytest.approx(1 / 9)
    assert needed_odds(0.0, 0.9) == needed_odds(1.0, 0.9) == (None, None)
    assert needed_odds(0.95, 0.9)[0] < 1


def test_spread_of_what_has_no_mean():
    found = spread(np.array([0.0, 1.0, 2.0, 3.0, np.inf]))
    assert (found.median, found.low, found.high, found.mean) == (
        2.0,
        pytest.approx(0.2),
        None,
        None,
    )


def test_an_event_turns_on_what_moves_it():
    rng = np.random.default_rng(1)
    moved, spread_out, idle = rng.normal(size=(3, 4000))
    parameters = {"moved": moved, "spread": spread_out, "idle": idle, "still": np.ones(4000)}
    assert turns_on(moved > 0.5, parameters)[0] == "moved"
    # far out on either side: the value itself is not correlated with it
    assert turns_on(abs(spread_out) > 1.5, parameters)[0] == "spread"
    assert turns_on(rng.random(4000) < 0.5, parameters) is None
    assert turns_on(np.ones(4000, dtype=bool), parameters) is None


def _ranges(design, expected, replicated=None):
    drawn = np.zeros((DRAWS, design.size)) if replicated is None else replicated
    return [each.row for each in prior_ranges(design, expected, drawn)]


def test_probabilities_near_the_ends_are_counted_by_group():
    design = small_design("bernoulli", "additive")
    expected = np.full((DRAWS, design.size), 0.5)
    first = design.index("industry") == 0
    expected[:60, first] = 0.995
    expected[60:80, first] = 0.005
    overall, one, other = _ranges(design, expected)
    assert [row.group for row in (overall, one, other)] == ["all", "I0", "I1"]
    assert (one.share, one.flagged) == (0.2, True)
    assert (other.share, other.flagged, overall.share) == (0.0, False, 0.0)
    assert (one.possible, one.implausible) == ("0 to 1", "mean within 0.01 of 0 or 1")


def test_observed_outcomes_are_not_looked_at():
    frame = firms()
    turned = frame.assign(upgraded=1 - frame["upgraded"])
    rng = np.random.default_rng(3)
    expected = rng.random((DRAWS, len(frame)))
    drawn = (rng.random(expected.shape) < expected).astype(float)
    both = [small_design("bernoulli", "additive", frame=each) for each in (frame, turned)]
    assert _ranges(both[0], expected, drawn) == _ranges(both[1], expected, drawn)
    assert prior_predictive(both[0], drawn) == prior_predictive(both[1], drawn)


def test_rates_are_judged_by_the_magnitudes_they_span():
    design = small_design("poisson", "additive")
    rng = np.random.default_rng(4)
    for sd, wanted in ((0.5, False), (5.0, True)):
        expected = np.exp(rng.normal(0.0, sd, (4000, 1))) * np.ones(design.size)
        row = _ranges(design, expected)[0]
        # 90% of a normal lie within 1.645 of its sds
        assert row.share == pytest.approx(2 * 1.645 * sd / np.log(10), rel=0.1)
        assert row.flagged is wanted
        assert row.possible == "above 0"


def test_levels_are_judged_by_one_that_has_nearly_all():
    design = small_design("ordinal", "additive")
    drawn = np.tile(np.arange(design.size) % 4, (DRAWS, 1)).astype(float)
    drawn[: DRAWS // 4] = 3.0
    row = _ranges(design, drawn, drawn)[0]
    assert (row.share, row.flagged) == (0.25, True)
    assert row.possible == "0 to 3"


def test_a_declared_range_is_what_means_are_held_against():
    scope = {"models": ["ratio"], "scope": {"outcome": {"low": 0, "high": 20}}}
    design = small_design("gaussian", "additive")
    assert possible(design) == "any number"
    assert _ranges(design, np.zeros((DRAWS, design.size)))[0].share is None
    update = {"traditions": design.analysis.traditions.model_validate({"ceiling_models": scope})}
    declared = type(design)(design.analysis.model_copy(update=update), design.data)
    expected = np.full((DRAWS, design.size), 10.0)
    expected[:100] = 30.0
    row = _ranges(declared, expected)[0]
    assert (row.possible, row.share, row.flagged) == ("declared: 0 to 20", 0.25, True)


def test_statistics_are_those_of_the_family():
    design = small_design("poisson", "additive")
    drawn = np.random.default_rng(5).poisson(2.0, (DRAWS, design.size)).astype(float)
    rows = {(row.group, row.statistic): row for row in prior_predictive(design, drawn)}
    assert {name for _, name in rows} == {
        "mean",
        "sd",
        "share of zeros",
        "largest",
        "variance over mean",
    }
    members = design.index("industry") == 1
    wanted = np.quantile(drawn[:, members].mean(axis=1), [0.05, 0.5, 0.95])
    found = rows["I1", "mean"].spread
    assert [found.low, found.median, found.high] == pytest.approx(list(wanted))
    assert rows["I1", "mean"].rows == members.sum()
