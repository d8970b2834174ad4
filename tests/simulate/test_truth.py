from __future__ import annotations

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from numpy.random import default_rng
from scipy.stats import binom

from bayescluster.simulate import Survey, simulate
from bayescluster.simulate.population import terms
from bayescluster.simulate.truth import CORNERS, Surface
from bayescluster.spec.scenario import Effects, Equation, Outcome, Scenario

# Two-sided level of a test over the 20 cells of industries and binary outcomes, Bonferroni.
LEVEL = 0.001 / 20
BINARY = (
    "process_upgrading",
    "product_upgrading",
    "functional_upgrading",
    "intersectoral_upgrading",
)


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _predictor(
    equation: Equation,
    firm: pd.Series,
    mean_log: float,
    cluster_effect: float,
    capitals: tuple[float, float],
) -> float:
    human, social = capitals
    effects: Effects = equation.by_industry[firm["industry"]]
    columns = {
        "log_employees": math.log(firm["employees"]) - mean_log,
        "exporter": firm["exporter"],
        "tnc_owned": firm["tnc_owned"],
    }
    return (
        effects.intercept
        + effects.human_capital * human
        + effects.social_capital * social
        + effects.product * human * social
        + (effects.first_tier if firm["tier"] == 1 else 0.0)
        + cluster_effect
        + sum(slope * columns[name] for name, slope in equation.controls.items())
    )


def _brute_force(
    scenario: Scenario, simulated: Survey, outcome: Outcome, corner: tuple[int, int], industry: str
) -> float:
    firms, truth = simulated
    mean_log = float(np.log(firms["employees"]).mean())
    capitals = (
        truth.anchors["human_capital"][corner[0]],
        truth.anchors["social_capital"][corner[1]],
    )
    total = 0.0
    of_industry = firms[firms["industry"] == industry]
    for _, firm in of_industry.iterrows():
        effects = {name: by[firm["cluster"]] for name, by in truth.cluster_effects.items()}
        eta = _predictor(outcome, firm, mean_log, effects[outcome.name], capitals)
        chance = {
            form.name: _logistic(_predictor(form, firm, mean_log, effects[form.name], capitals))
            for form in scenario.learning
        }
        for pattern in product((0, 1), repeat=len(chance)):
            learns = dict(zip(chance, pattern, strict=True))
            weight = math.prod(
                chance[name] if yes else 1 - chance[name] for name, yes in learns.items()
            )
            extra = sum(outcome.learning.get(name, 0.0) for name, yes in learns.items() if yes)
            total += weight * _logistic(eta + extra)
    return total / len(of_industry)


@pytest.mark.parametrize(
    ("name", "industry"),
    [
        ("product_upgrading", "Traditional manufacturing"),
        ("product_upgrading", "Complex product systems"),
        ("functional_upgrading", "Specialised suppliers"),
    ],
)
def test_corners_equal_brute_force(
    scenario: Scenario, simulated: Survey, name: str, industry: str
) -> None:
    outcome = next(outcome for outcome in scenario.outcomes if outcome.name == name)
    for corner, human, social in CORNERS:
        expected = _brute_force(scenario, simulated, outcome, (human, social), industry)
        assert simulated.truth.corners[name][industry][corner] == pytest.approx(expected, abs=1e-12)


def test_anchors_are_percentiles_of_standardised_capital(simulated: Survey) -> None:
    latent = simulated.truth.latent
    assert np.allclose(latent.mean(), 0, atol=1e-12)
    assert np.allclose(latent.std(ddof=0), 1, atol=1e-12)
    for name, (low, high) in simulated.truth.anchors.items():
        assert np.mean(latent[name] <= low) == pytest.approx(0.1, abs=1e-9)
        assert np.mean(latent[name] >= high) == pytest.approx(0.1, abs=1e-9)


def _in_band(successes: int, trials: int, probability: float) -> bool:
    low, high = binom.interval(1 - LEVEL, trials, probability)
    return bool(low <= successes <= high)


@pytest.mark.parametrize("name", BINARY)
def test_outcome_frequencies_match_the_stated_probabilities(many: Survey, name: str) -> None:
    firms, truth = many
    for industry, rows in firms.groupby("industry", sort=False):
        stated = truth.expectations[name][str(industry)]
        assert _in_band(int(rows[name].sum()), len(rows), stated), (industry, stated)


@pytest.mark.parametrize("human_high", [False, True])
@pytest.mark.parametrize("social_high", [False, True])
def test_frequencies_match_near_each_corner(
    many: Survey, human_high: bool, social_high: bool
) -> None:
    firms, truth = many
    outcome = next(o for o in truth.scenario.outcomes if o.name == "product_upgrading")
    human, social = (truth.latent[name].to_numpy() for name in ("human_capital", "social_capital"))
    near = ((human > 0.6) if human_high else (human < -0.6)) & (
        (social > 0.6) if social_high else (social < -0.6)
    )
    surface = Surface(truth.scenario, firms, truth.cluster_effects, outcome).at(human, social)
    for industry in firms["industry"].unique():
        rows = near & (firms["industry"] == industry).to_numpy()
        observed = int(firms.loc[rows, "product_upgrading"].sum())
        assert _in_band(observed, int(rows.sum()), float(surface[rows].mean())), industry


@pytest.mark.parametrize("name", ["upgrading_stage", "new_products", "value_added_per_worker"])
def test_means_match_the_stated_expectations(many: Survey, name: str) -> None:
    firms, truth = many
    for industry, rows in firms.groupby("industry", sort=False):
        standard_error = rows[name].std() / math.sqrt(len(rows))
        gap = rows[name].mean() - truth.expectations[name][str(industry)]
        assert abs(gap) < 4.5 * standard_error, (industry, gap / standard_error)


def test_sides_of_social_capital_weigh_as_stated(simulated: Survey) -> None:
    firms, truth = simulated
    moments = truth.moments
    raw = {name: truth.latent[name] * moments[name].sd + moments[name].mean for name in moments}
    for industry in truth.scenario.industries:
        rows = firms["industry"] == industry.name
        weights = industry.social_weights.model_dump()
        weighted = sum(weight * raw[side][rows] for side, weight in weights.items())
        assert np.allclose(raw["social_capital"][rows], weighted, atol=1e-10)


def test_same_seed_same_firms(scenario: Scenario, simulated: Survey) -> None:
    again = simulate(scenario, default_rng(scenario.seed))
    other = simulate(scenario, default_rng(scenario.seed + 1))
    pd.testing.assert_frame_equal(again.firms, simulated.firms)
    assert again.truth.record() == simulated.truth.record()
    assert not other.firms["product_upgrading"].equals(simulated.firms["product_upgrading"])


def test_offset_leaves_the_capitals_out(simulated: Survey) -> None:
    firms, truth = simulated
    outcome = truth.scenario.outcomes[0]
    found = terms(outcome, firms, truth.cluster_effects[outcome.name])
    assert np.array_equal(found.at(0.0, 0.0), found.offset)
    assert found.at(1.0, 2.0) == pytest.approx(
        found.offset + found.human_capital + 2 * found.social_capital + 2 * found.product
    )
