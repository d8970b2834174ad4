"""Quantities of a truth and of draws are the same, whatever the analysis; no fit is needed for that."""

from __future__ import annotations

import numpy as np
import pytest

from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import draws_of, log_likelihood
from bayescluster.model.imputation import completed, imputing
from bayescluster.model.simulated import simulate
from bayescluster.studies.calibration.compute import (
    LIKELIHOOD,
    LIKELIHOOD_OF_ALL,
    estimands,
    parameters,
    reading_of,
)
from tests.model.test_simulated import CASES
from tests.oracles import fast_compile
from tests.systems import equation, system

EXPECTED = {
    "two equations": {
        "upgrading_cluster_correlation[human_capital, buyers]",
        "upgrading: through buyers effect of human_capital (all)",
        LIKELIHOOD_OF_ALL,
    },
    "tied probit": {
        "residual_correlation[upgrading, buyers]",
        "upgrading: direct effect of social_capital (industry I1)",
        LIKELIHOOD_OF_ALL,
    },
    "human latent": {
        "human_capital_threshold_rank[0]",
        "mean of human_capital[I1]",
        "human_capital[f00]",
        "reliability of human_capital",
        "correlation of the capitals",
        LIKELIHOOD,
    },
    "tied gaussian": {
        "residual_correlation[sales, skill]",
        "skill: average marginal effect: human capital, all firms",
    },
    "missing inputs": {
        "imputation_exporter_cutpoints[1]",
        "imputed_log(size)[f00]",
        "mean of imputed_human_capital",
        LIKELIHOOD,
    },
    "missing yes-or-no capital": {"imputation_human_capital_slope[social_capital]", LIKELIHOOD},
    "missing mediators": {
        "mean of imputed_skill",
        "sales: through learning effect of human_capital (all)",
        LIKELIHOOD_OF_ALL,
    },
    "both latent": {"social_capital_on_other", "reliability of social_capital", LIKELIHOOD},
}
ONE_OF_MANY = {"human_capital[f01]", "social_capital_z[f00]", "imputed_log(size)[f01]"}


def reading(design, group):
    return reading_of(design, group, lambda draws: draws, None, 1)


@pytest.mark.parametrize("case", CASES)
def test_truth_and_draws_have_the_same_quantities(case):
    design = CASES[case]()
    drawn = _prior_of(design, 12)
    data = simulate(design, drawn.isel(draw=[3]), np.random.default_rng(2))
    true = [*parameters(design, data.draw), *estimands(reading(data.design, data.draw))]
    found = [*parameters(design, drawn), *estimands(reading(data.design, drawn))]
    assert [each[:2] for each in true] == [each[:2] for each in found]
    names = [each.name for each in true]
    assert len(set(names)) == len(names)
    assert EXPECTED[case] <= set(names)
    assert not ONE_OF_MANY & set(names)
    assert {each.values.shape for each in true} == {(1,)}
    assert all(np.isfinite(each.values).all() for each in (*true, *found))
    assert {each.values.shape for each in found} == {(12,)}
    # the third draw is the truth: what was not drawn with the data has its values
    for one, many in zip(true, found, strict=True):
        if one.name.startswith(("population", "upgrading_population", "imputation", "cluster")):
            assert many.values[3] == pytest.approx(one.values[0])


def test_the_likelihood_is_that_of_all_outcomes():
    design = CASES["two equations"]()
    drawn = _prior_of(design)
    (found,) = (each for each in estimands(reading(design, drawn)) if each.kind == "likelihood")
    parts = [log_likelihood(each, draws_of(each, drawn)) for each in design.equations]
    np.testing.assert_allclose(found.values, sum(part.sum(axis=1) for part in parts))


def test_equations_that_do_not_feed_each_other_have_their_effects():
    design = system({"process": equation("process"), "upgrading": equation("upgraded")})
    names = {each.name for each in estimands(reading(design, _prior_of(design)))}
    assert {
        "average marginal effect: human capital, all firms",
        "process: average marginal effect: human capital, all firms",
        "process: average marginal effect: social capital, I1",
    } <= names


def _prior_of(design, draws=5):
    with fast_compile():
        model = build_model(design)
        drawn = sample_prior(design, model, reported_variables(design), draws, 4)
    return completed(design, drawn, imputing(4), posterior=False)
