"""The R2D2M2 prior: its log density, and what it says of the explained variance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, softmax

from bayescluster.inference.assemble import reported_variables, sample_prior
from bayescluster.model.build import build_model
from bayescluster.model.evaluate import draws_of, linear_predictor
from tests.factories import CONTROLS, firms, small_design
from tests.helpers import assert_within_mcse
from tests.model.graph import graph_of, named_values
from tests.model.oracle import Oracle, perturbed
from tests.oracles import fast_compile

NESTED = {"industry": ["intercept"], "cluster": ["intercept", "human_capital"]}
ASKED = {"mean_r2": 0.4, "precision": 5.0, "concentration": 0.7}
PRIORS = {"r2d2m2": ASKED}
RESIDUAL = {"bernoulli": 3.0, "binomial": 3.0, "ordinal": 3.0}
"""Variance of the noise over pi^2 / 9, by family; 1 for counts."""


class SharedOracle(Oracle):
    """The log density under R2D2M2, from the account of the prior."""

    def whole(self, point: Any) -> tuple[dict[str, Any], float]:
        """Point with coefficients and sds in it, and the log density of what replaces their priors.

        The order of the components: slopes, controls, then the terms of each grouping.
        """
        design, free = self.design, point.get("variance_share_part_log__", np.zeros(1))
        r2, share = expit(point["r2_logodds__"]), softmax(free)
        total = stats.beta.logpdf(r2, 0.4 * 5.0, 0.6 * 5.0) + np.log(r2 * (1 - r2))
        if free.size > 1:
            # Dirichlet shares are those of gammas in their sum, which is gamma and tells nothing
            whole, count = np.exp(free).sum(), free.size
            total += stats.dirichlet.logpdf(share, np.full(count, 0.7))
            total += stats.gamma.logpdf(whole, count * 0.7) + jacobian(free)
        human, social = design.capitals
        inputs = {"human_capital": human, "social_capital": social, "interaction": human * social}
        slopes = [term for term in self.terms if term != "intercept"]
        variances = [inputs[term].var() for term in slopes]
        variances += list(design.controls.var(axis=0))
        for grouping in design.groupings:
            variances += [1.0 if t == "intercept" else inputs[t].var() for t in grouping.terms]
        sd = self.residual(point) * np.sqrt(r2 / (1 - r2) * share / np.array(variances))
        found = dict(point)
        level = [point["population_intercept"]] if "intercept" in self.terms else []
        z = point.get("population_z", np.zeros(0))
        total += stats.norm.logpdf(z).sum()
        found["population"] = np.array([*level, *(z * sd[: z.size])])
        sd = sd[z.size :]
        if design.control_names:
            z = point["controls_z"]
            total += stats.norm.logpdf(z).sum()
            found["controls"], sd = z * sd[: z.size], sd[z.size :]
        for grouping in design.groupings:
            count = len(grouping.terms)
            found[f"{grouping.name}_sd_log__"], sd = np.log(sd[:count]), sd[count:]
        if level:
            total += stats.norm.logpdf(level[0], *self.intercept)
        return found, float(total)

    def residual(self, point: Any) -> Any:
        if self.design.rows.standard_error is not None:
            return np.sqrt(np.mean(self.design.rows.standard_error**2))
        if "sigma_log__" in point:
            return np.exp(point["sigma_log__"])
        return np.pi / np.sqrt(3.0) if RESIDUAL.get(self.family) else 1.0

    def log_density(self, point: Any) -> float:
        found, total = self.whole(point)
        total += self.effects(found)[1] + self._parameters(found)[1]
        for grouping in self.design.groupings:
            free = found[f"{grouping.name}_sd_log__"]
            # the sds follow from the shares: no density of their own
            prior = stats.halfnorm.logpdf(np.exp(free), scale=0.5 * self.unit)
            total -= (prior + free).sum()
        return float(total + self.log_likelihood(found).sum())


def shares_and_sum(free: Any) -> Any:
    """The shares but the last, then the sum of the parts."""
    return np.append(softmax(free)[:-1], np.exp(free).sum())


def jacobian(free: Any) -> float:
    """Log volume of shares and sum over the free numbers, by differences."""
    step = 1e-6
    columns = [
        (shares_and_sum(free + step * e) - shares_and_sum(free - step * e)) / (2 * step)
        for e in np.eye(free.size)
    ]
    return float(np.linalg.slogdet(np.column_stack(columns))[1])


def assert_is_the_oracle(design: Any) -> None:
    graph, oracle = graph_of(design), SharedOracle(design)
    points = [perturbed(graph.shapes, seed) for seed in (1, 2)]
    for point in points:
        found = graph.log_density(point)
        assert found == pytest.approx(oracle.log_density(point), rel=1e-8, abs=1e-6)
        assert np.isfinite(graph.gradient(point)).all()
    first, second = (graph.log_density(point) for point in points)
    assert first != pytest.approx(second, abs=0.1)


@pytest.mark.parametrize(
    "family",
    [
        *("gaussian", "bernoulli", "ordinal", "poisson"),
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("student_t", "binomial", "negative_binomial")
        ),
    ],
)
def test_every_family(family):
    design = small_design(family, "interaction", NESTED, controls=CONTROLS, priors=PRIORS)
    assert_is_the_oracle(design)


SHAPES: dict[str, dict[str, Any]] = {
    "no groups": {"structure": "additive"},
    "controls alone": {"structure": "intercept", "controls": CONTROLS},
    "one component": {"structure": "intercept", "varying": {"cluster": ["intercept"]}},
    "known errors": {"structure": "additive", "varying": NESTED, "standard_error": "error"},
    "centred": {
        "structure": "additive",
        "varying": {"cluster": {"terms": ["intercept", "human_capital"], "centred": True}},
    },
    "correlated": {
        "structure": "interaction",
        "varying": {"cluster": ["intercept", "social_capital", "interaction"]},
        "frame": firms(industries=2, clusters=4),
    },
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_hierarchy(shape):
    assert_is_the_oracle(small_design("gaussian", priors=PRIORS, **SHAPES[shape]))


def test_names_stay_the_same():
    design = small_design("gaussian", "additive", NESTED, controls=["exporter"], priors=PRIORS)
    names = reported_variables(design)
    assert names == (
        *("population", "controls", "industry_sd", "industry_effect"),
        *("cluster_sd", "cluster_effect", "sigma", "r2", "variance_share"),
    )
    graph, oracle = graph_of(design), SharedOracle(design)
    point = perturbed(graph.shapes, 4)
    found = named_values(design, ["population", "controls", "cluster_sd"])(point)
    whole, _ = oracle.whole(point)
    np.testing.assert_allclose(found["population"], whole["population"])
    np.testing.assert_allclose(found["controls"], whole["controls"])
    np.testing.assert_allclose(found["cluster_sd"], np.exp(whole["cluster_sd_log__"]))
    with fast_compile():
        coords = build_model(design).coords
    assert coords["component"] == (
        *("population: human_capital", "population: social_capital", "controls: exporter"),
        *("industry: intercept", "cluster: intercept", "cluster: human_capital"),
    )


@pytest.mark.parametrize("family", ["gaussian", "bernoulli"])
def test_prior_draws_have_the_declared_r2(family):
    """R2 is Beta, and the predictor varies over the rows by what R2 and the shares say."""
    design = small_design(family, "additive", controls=["exporter"], priors=PRIORS)
    with fast_compile():
        model = build_model(design)
    prior = sample_prior(design, model, reported_variables(design), 8000, 1)
    r2 = prior["r2"].to_numpy().ravel()
    wanted = stats.beta(0.4 * 5.0, 0.6 * 5.0)
    assert_within_mcse(r2, wanted.mean())
    assert_within_mcse((r2 - wanted.mean()) ** 2, wanted.var())
    assert stats.kstest(r2, wanted.cdf).pvalue > 1e-4
    share = prior["variance_share"].to_numpy()[0]
    assert_within_mcse(share, 1 / 3)
    assert_within_mcse((share - 1 / 3) ** 2, stats.dirichlet(np.full(3, 0.7)).var())
    draws = draws_of(design, prior)
    noise = draws.parameters["sigma"][:, 0] if family == "gaussian" else np.pi / np.sqrt(3)
    # inputs correlate a little in a sample: the variance of the parts, each by itself
    inputs = np.column_stack([*design.capitals, design.controls])
    slopes = [draws.population[name] for name in ("human_capital", "social_capital")]
    explained = np.column_stack([*slopes, draws.controls]) ** 2 @ inputs.var(axis=0)
    assert_within_mcse(explained / (noise**2 * r2 / (1 - r2)), 1.0)
    # and together, as coefficients have no sign
    eta = linear_predictor(design, draws)
    assert_within_mcse(eta.var(axis=1) / (noise**2 * r2 / (1 - r2)), 1.0)
