"""Priors at another scale: the table is whole, and spreads are what they should be."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from scipy import stats

from bayescluster.errors import ConfigError
from bayescluster.model.priors import SCALES, model_priors, rescaled, rescaled_priors
from bayescluster.spec.priors import (
    Beta,
    Distribution,
    Exponential,
    Gamma,
    HalfCauchy,
    HalfNormal,
    HalfStudentT,
    LogNormal,
    Normal,
    StudentT,
)
from tests.factories import CONTROLS, small_design, where

SPREADS = (
    (Normal(mean=1.0, sd=2.0), lambda p: stats.norm(p.mean, p.sd).std()),
    (StudentT(df=5.0, mean=1.0, scale=2.0), lambda p: stats.t(p.df, p.mean, p.scale).std()),
    (HalfNormal(sd=0.5), lambda p: stats.halfnorm(scale=p.sd).std()),
    (HalfStudentT(df=4.0, scale=2.0), lambda p: p.scale),
    (HalfCauchy(scale=2.0), lambda p: stats.halfcauchy(scale=p.scale).median()),
    (Exponential(rate=0.5), lambda p: stats.expon(scale=1 / p.rate).std()),
    (Gamma(shape=2.0, rate=0.5), lambda p: stats.gamma(p.shape, scale=1 / p.rate).std()),
    (LogNormal(mean_log=0.3, sd_log=0.4), lambda p: p.sd_log),
)


def test_every_distribution_has_a_scale_but_that_of_a_share():
    known = {one.model_fields["distribution"].default for one in get_args(Distribution)}
    assert set(SCALES) == known - {"beta"}


@pytest.mark.parametrize(("prior", "spread"), SPREADS, ids=lambda one: type(one).__name__)
def test_the_spread_is_multiplied_and_the_centre_stays(prior, spread):
    wider = rescaled(prior, 2.0)
    assert spread(wider) == pytest.approx(2 * spread(prior))
    for name in ("mean", "mean_log", "df", "shape"):
        assert getattr(wider, name, None) == getattr(prior, name, None)


def test_a_share_keeps_its_prior():
    assert rescaled(Beta(a=2.0, b=3.0), 2.0) == Beta(a=2.0, b=3.0)


def test_defaults_are_spelled_out_and_scaled():
    """A universe at half scale has every prior of coefficients and groups at half its sd, no other."""
    priors = {"terms": {"human_capital": {"distribution": "normal", "mean": 0.2, "sd": 3.0}}}
    arguments = ("bernoulli", "interaction", {"industry": ["intercept"]})
    before = model_priors(small_design(*arguments, controls=CONTROLS, priors=priors))
    stated = rescaled_priors(
        [small_design(*arguments, controls=CONTROLS, priors=priors)], 0.5, where
    )
    # a stated spread of cutpoints goes with ordinal outcomes only
    plain = stated.model_dump(exclude={"cutpoints"})
    after = model_priors(small_design(*arguments, controls=CONTROLS, priors=plain))
    for block in ("population", "controls", "group_sd"):
        old, new = getattr(before, block), getattr(after, block)
        assert old
        assert {name: prior.sd for name, prior in new.items()} == pytest.approx(
            {name: prior.sd / 2 for name, prior in old.items()}
        )
    assert after.population["human_capital"] == Normal(mean=0.2, sd=1.5)
    assert after.correlation == before.correlation


def test_the_prior_of_explained_variance_has_no_scale():
    design = small_design("bernoulli", "additive", priors={"r2d2m2": {"mean_r2": 0.4}})
    with pytest.raises(ConfigError, match="the R2D2M2 prior has no scale") as caught:
        rescaled_priors([design], 2.0, where)
    assert caught.value.problems[0].where == "a.yaml:equations.upgrading.priors.r2d2m2"


def test_cutpoints_of_an_ordinal_outcome_are_scaled_too():
    design = small_design("ordinal", "additive")
    stated = rescaled_priors([design], 2.0, where)
    assert stated.cutpoints == pytest.approx(3.0)
    assert np.isclose(stated.terms["human_capital"].sd, 2.0)
