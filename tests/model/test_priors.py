from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from scipy import stats

from bayescluster.dataset.cases import CodedCase, CodedCases
from bayescluster.design.record import Design
from bayescluster.errors import ConfigError
from bayescluster.model.priors import (
    SCALES,
    coefficient_vector,
    default_priors,
    model_priors,
    population_terms,
    prior_text,
    prior_variable,
    rescaled,
    rescaled_priors,
)
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
from tests.model.graph import graph_of
from tests.model.oracle import perturbed
from tests.oracles import fast_compile


def half_t(x, df, scale):
    return np.log(2) + stats.t.logpdf(x, df, scale=scale)


PRIORS = [
    (Normal(mean=0.5, sd=2.0), "Normal(0.5, 2)", lambda x: stats.norm.logpdf(x, 0.5, 2.0)),
    (
        StudentT(df=4.0, mean=-1.0, scale=2.5),
        "Student t(4, -1, 2.5)",
        lambda x: stats.t.logpdf(x, 4.0, -1.0, 2.5),
    ),
    (HalfNormal(sd=0.5), "HalfNormal(0.5)", lambda x: stats.halfnorm.logpdf(x, scale=0.5)),
    (HalfStudentT(df=3.0, scale=1.5), "Half Student t(3, 1.5)", lambda x: half_t(x, 3.0, 1.5)),
    (HalfCauchy(scale=0.7), "HalfCauchy(0.7)", lambda x: stats.halfcauchy.logpdf(x, scale=0.7)),
    (Exponential(rate=3.0), "Exponential(3)", lambda x: stats.expon.logpdf(x, scale=1 / 3)),
    (Gamma(shape=2.0, rate=0.1), "Gamma(2, 0.1)", lambda x: stats.gamma.logpdf(x, 2.0, scale=10)),
    (Beta(a=2.0, b=3.0), "Beta(2, 3)", lambda x: stats.beta.logpdf(x, 2.0, 3.0)),
    (
        LogNormal(mean_log=0.3, sd_log=0.6),
        "LogNormal(0.3, 0.6)",
        lambda x: stats.lognorm.logpdf(x, 0.6, scale=np.exp(0.3)),
    ),
]


def test_every_distribution_is_tested():
    assert {type(prior) for prior, *_ in PRIORS} == set(get_args(Distribution))


@pytest.mark.parametrize(("prior", "text", "log_density"), PRIORS)
def test_prior_is_that_of_scipy(prior, text, log_density):
    import pymc as pm

    assert prior_text(prior) == text
    with fast_compile(), pm.Model():
        variable = prior_variable("x", prior)
        values = np.array([0.2, 1.3, 4.0])
        found = pm.logp(variable, values).eval()
    # PyTensor keeps constants such as log(3) in single precision
    np.testing.assert_allclose(found, log_density(values), rtol=1e-6)


@pytest.mark.parametrize("mixed", [False, True])
def test_coefficients_each_have_their_own_prior(mixed):
    import pymc as pm

    second = StudentT(df=4.0, mean=1.0, scale=0.5) if mixed else Normal(mean=1.0, sd=0.5)
    priors = {"a": Normal(mean=0.0, sd=1.0), "b": second}
    with fast_compile():
        with pm.Model(coords={"term": ["a", "b"]}) as model:
            vector = coefficient_vector("population", priors, "term")
        assert model.named_vars_to_dims["population"] == ("term",)
        assert vector.eval().shape == (2,)
        point = (
            {"population_a": 0.3, "population_b": 0.7}
            if mixed
            else {"population": np.array([0.3, 0.7])}
        )
        found = model.compile_logp()(point)
    other = stats.t.logpdf(0.7, 4.0, 1.0, 0.5) if mixed else stats.norm.logpdf(0.7, 1.0, 0.5)
    assert found == pytest.approx(stats.norm.logpdf(0.3) + other)


def texts(design):
    priors = model_priors(design)
    return (
        {name: prior_text(prior) for name, prior in priors.population.items()},
        {name: prior_text(prior) for name, prior in priors.controls.items()},
        {name: prior_text(prior) for name, prior in priors.group_sd.items()},
        {name: prior_text(prior) for name, prior in priors.family.items()},
    )


def test_defaults_on_the_logit_scale():
    design = small_design(
        "bernoulli", "interaction", {"cluster": ["intercept"]}, controls=["exporter"]
    )
    assert texts(design) == (
        {
            "intercept": "Normal(0, 1.5)",
            "human_capital": "Normal(0, 1)",
            "social_capital": "Normal(0, 1)",
            "interaction": "Normal(0, 1)",
        },
        {"exporter": "Normal(0, 1)"},
        {"cluster": "HalfNormal(0.5)"},
        {},
    )
    assert model_priors(design).correlation == 2.0


def test_defaults_on_the_scale_of_the_outcome():
    design = small_design("student_t", "additive", {"cluster": ["intercept"]})
    mean, sd = design.outcome.mean(), design.outcome.std(ddof=1)
    assert texts(design) == (
        {
            "intercept": f"Normal({mean:.3g}, {2.5 * sd:.3g})",
            "human_capital": f"Normal(0, {sd:.3g})",
            "social_capital": f"Normal(0, {sd:.3g})",
        },
        {},
        {"cluster": f"HalfNormal({0.5 * sd:.3g})"},
        {"sigma": f"HalfNormal({sd:.3g})", "nu": "Gamma(2, 0.1)"},
    )


def test_defaults_on_the_scale_of_the_logarithm():
    design = small_design("lognormal", "additive", {"cluster": ["intercept"]})
    logs = np.log(design.outcome)
    assert texts(design) == (
        {
            "intercept": f"Normal({logs.mean():.3g}, 1.5)",
            "human_capital": "Normal(0, 1)",
            "social_capital": "Normal(0, 1)",
        },
        {},
        {"cluster": "HalfNormal(0.5)"},
        {"sigma": f"HalfNormal({logs.std(ddof=1):.3g})"},
    )


def test_defaults_of_a_share_are_those_of_a_probability():
    design = small_design("beta", "additive", {"cluster": ["intercept"]})
    wanted = texts(small_design("bernoulli", "additive", {"cluster": ["intercept"]}))
    assert texts(design) == (*wanted[:3], {"precision": "Gamma(2, 0.1)"})


def test_defaults_of_a_probit_say_the_same_of_probabilities_as_those_of_a_logit():
    probit, logit = (
        model_priors(small_design(family, "additive", {"cluster": ["intercept"]}))
        for family in ("probit", "bernoulli")
    )
    rng = np.random.default_rng(1)
    for term, prior in logit.population.items():
        z = rng.standard_normal(20_000)
        chances = [stats.norm.cdf(probit.population[term].sd * z), 1 / (1 + np.exp(-prior.sd * z))]
        assert np.abs(chances[0] - chances[1]).max() < 0.03
    assert probit.group_sd["cluster"].sd == pytest.approx(0.5 * 0.5513288954)


def test_intercept_of_a_rate_is_centred_on_the_observed_rate():
    design = small_design("negative_binomial", "additive", exposure="exposure")
    rate = design.outcome.sum() / np.exp(design.offset).sum()
    population, _, _, family = texts(design)
    assert population["intercept"] == f"Normal({np.log(rate):.3g}, 1.5)"
    assert family == {"overdispersion": "HalfNormal(1)"}


def test_stated_priors_take_the_place_of_defaults():
    priors = {
        "terms": {
            "human_capital": {"distribution": "student_t", "scale": 2.0},
            "exporter": {"distribution": "normal", "mean": 0.1, "sd": 0.2},
        },
        "controls": {"distribution": "normal", "sd": 0.3},
        "group_sd": {"cluster": {"distribution": "exponential", "rate": 2.0}},
        "family": {"sigma": {"distribution": "half_cauchy", "scale": 5.0}},
        "correlation": 4.0,
    }
    design = small_design(
        "gaussian",
        "additive",
        {"cluster": ["intercept"], "industry": ["intercept"]},
        controls=["exporter", {"column": "size", "transform": "log"}],
        priors=priors,
    )
    population, controls, group_sd, family = texts(design)
    assert population["human_capital"] == "Student t(3, 0, 2)"
    assert population["social_capital"].startswith("Normal(0, ")
    assert controls == {"exporter": "Normal(0.1, 0.2)", "log(size)": "Normal(0, 0.3)"}
    assert group_sd["cluster"] == "Exponential(2)"
    assert group_sd["industry"].startswith("HalfNormal(")
    assert family == {"sigma": "HalfCauchy(5)"}
    assert model_priors(design).correlation == 4.0


CODED = CodedCases(
    "cases.csv",
    "c" * 64,
    "upgraded",
    (
        CodedCase("Sialkot", "low", (("social_capital", "low"),), "low", ()),
        CodedCase("Penang", "high", (("social_capital", "medium"),), "high", ()),
        CodedCase("Jos", None, (("social_capital", "high"),), "high", ("human_capital",)),
    ),
)
WORTH = {"cases": "cases.csv", "strength": 2.0}


def _moments(design):
    """Population priors by an independent way: least squares on cases and defaults together."""
    human = np.array([-1.0, 1.0]) * (design.capitals[0].std(ddof=1))
    social = np.array([-1.0, 0.0])
    share = np.array([0.1, 0.7])
    root = np.sqrt(2.0 * share * (1 - share))
    terms = np.column_stack([np.ones(2), human, social, human * social]) * root[:, None]
    left = np.vstack([terms, np.diag([1 / 1.5, 1, 1, 1])])
    right = np.concatenate([np.log(share / (1 - share)) * root, np.zeros(4)])
    inverse = np.linalg.inv(left.T @ left)
    return inverse @ left.T @ right, np.sqrt(np.diag(inverse))


@pytest.mark.parametrize("capital", ["training", "exporter"])
def test_cases_take_the_place_of_defaults(capital):
    # the second is a 0/1 capital, which is not scaled: one sd of it is less than 1
    constructs = {"human_capital": {"indicators": [capital], "method": "single"}}
    design = small_design(
        "bernoulli", controls=["size"], constructs=constructs, priors={"from": WORTH}, cases=CODED
    )
    assert design.is_binary("human_capital") is (capital == "exporter")
    found = model_priors(design)
    means, sds = _moments(design)
    np.testing.assert_allclose([prior.mean for prior in found.population.values()], means)
    np.testing.assert_allclose([prior.sd for prior in found.population.values()], sds)
    assert found.controls == {"size": Normal(mean=0.0, sd=1.0)}
    assert prior_text(default_priors(design)["intercept"]) == "Normal(0, 1.5)"
    # nothing but what the design holds is needed
    assert model_priors(Design(design.analysis, design.data.copy())) == found


def test_the_model_has_the_priors_from_cases():
    informed = small_design("bernoulli", priors={"from": WORTH}, cases=CODED)
    graphs = [graph_of(small_design("bernoulli")), graph_of(informed)]
    point = perturbed(graphs[0].shapes, seed=4)
    default = stats.norm.logpdf(point["population"], 0.0, [1.5, 1, 1, 1]).sum()
    wanted = stats.norm.logpdf(point["population"], *_moments(informed)).sum() - default
    before, after = (graph.log_density(point) for graph in graphs)
    assert abs(wanted) > 0.01
    assert after - before == pytest.approx(wanted, abs=1e-8)


def test_a_stated_prior_wins_over_cases():
    stated = Normal(mean=0.3, sd=0.4)
    design = small_design(
        "bernoulli", priors={"from": WORTH, "terms": {"human_capital": stated}}, cases=CODED
    )
    found, (means, _) = model_priors(design).population, _moments(design)
    assert found["human_capital"] == stated
    assert found["intercept"].mean == pytest.approx(means[0])


def test_cases_that_nobody_asks_for_change_nothing():
    default = model_priors(small_design("bernoulli"))
    assert model_priors(small_design("bernoulli", cases=CODED)) == default


def test_known_standard_errors_leave_no_sigma():
    assert texts(small_design("gaussian", standard_error="error"))[3] == {}


def test_cutpoints_take_the_place_of_the_intercept():
    design = small_design("ordinal", "interaction", priors={"cutpoints": 0.8})
    assert population_terms(design) == ("human_capital", "social_capital", "interaction")
    wanted = stats.logistic.ppf([0.25, 0.5, 0.75])
    assert [sd for _, sd in model_priors(design).cutpoints] == [0.8] * 3
    np.testing.assert_allclose([m for m, _ in model_priors(design).cutpoints], wanted, atol=1e-12)


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
