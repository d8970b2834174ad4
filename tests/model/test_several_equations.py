"""Several equations in one model: its density is the sum of theirs, each by its own oracle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from pytensor.compile.mode import Mode
from scipy import stats
from scipy.special import expit

from bayescluster.model.build import build_model
from bayescluster.model.evaluate import draws_of, linear_predictor
from tests.model.oracle import Oracle, cholesky_of, lkj_log_density, perturbed
from tests.oracles import fast_compile
from tests.systems import equation, learners, system

NESTED = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}
TWO = {
    "buyers": equation("buyers", varying=NESTED, controls=["exporter"]),
    "upgrading": equation(
        "upgraded",
        structure="interaction",
        predictors=["buyers"],
        varying={
            "industry": {"terms": ["intercept", "buyers"], "centred": ["buyers"]},
            "cluster": {"terms": ["intercept", "buyers", "human_capital"], "correlated": True},
        },
    ),
}
THREE = {
    "skill": equation("growth", family="gaussian", varying=NESTED),
    "patents": equation("patents", family="negative_binomial", predictors=["skill"]),
    "grade": equation(
        "grade",
        family="ordinal",
        predictors=["patents", "skill"],
        varying={"industry": ["human_capital", "skill"]},
    ),
}
FORMS = {
    "buyers": equation("buyers", family="probit", structure="ces"),
    "upgrading": equation(
        "upgraded",
        structure="conjunctive",
        predictors=["buyers"],
        varying={"industry": ["both", "buyers"]},
    ),
}
TIED_PROBIT = {
    "buyers": equation("buyers", family="probit", varying={"cluster": ["intercept"]}),
    "upgrading": equation("upgraded", family="probit", predictors=["providers"]),
    "process": equation("process", family="probit"),
    "providers": equation("providers"),
}
TIED_GAUSSIAN = {
    "skill": equation("growth", family="gaussian", varying={"cluster": ["intercept"]}),
    "sales": equation("sales", family="gaussian", controls=["exporter"]),
}


def compiled(design):
    with fast_compile():
        model = build_model(design)
        shapes = {name: np.shape(value) for name, value in model.initial_point().items()}
        mode = Mode("py", "fast_compile")
        return shapes, model.compile_fn([model.logp(), model.dlogp()], mode=mode)


def part_of(point: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Values of one equation, under the names they have where it is alone."""
    prefix = f"{name}_"
    return {
        key.removeprefix(prefix): value for key, value in point.items() if key.startswith(prefix)
    }


@pytest.mark.parametrize("equations", [TWO, THREE, FORMS], ids=["two", "three", "other forms"])
def test_density_is_the_sum_of_the_equations(equations):
    design = system(equations)
    shapes, function = compiled(design)
    oracles = {each.equation_name: Oracle(each) for each in design.equations}
    found = []
    for seed in (1, 2):
        point = perturbed(shapes, seed)
        assert sorted(key for name in oracles for key in point if key.startswith(f"{name}_")) == (
            sorted(point)
        )
        density, gradient = function(point)
        wanted = sum(oracle.log_density(part_of(point, n)) for n, oracle in oracles.items())
        assert density == pytest.approx(wanted, rel=1e-9, abs=1e-7)
        assert np.isfinite(gradient).all()
        found.append(float(density))
    assert found[0] != pytest.approx(found[1], abs=0.1)


def test_numpy_twin_reads_the_variables_of_each_equation():
    import pymc as pm

    design = system(TWO)
    with fast_compile():
        model = build_model(design)
        tree = pm.sample_prior_predictive(
            3, model=model, random_seed=1, compile_kwargs={"mode": "FAST_COMPILE"}
        )
    prior = tree["prior"].to_dataset()
    draws = draws_of(design, prior)
    ((buyers, part),) = draws.upstream
    assert buyers.equation_name == "buyers"
    for each, own in ((design, draws), (buyers, part)):
        name, eta = each.equation_name, linear_predictor(each, own)
        for d in range(3):
            at = {str(k): v[0, d].to_numpy() for k, v in prior.items()}
            c = dict(zip(prior[f"{name}_term"].to_numpy(), at[f"{name}_population"], strict=True))
            effects = {
                grouping.name: at[f"{name}_{grouping.name}_effect"] for grouping in each.groupings
            }
            for row in range(0, each.size, 11):
                k = dict(c)
                for grouping in each.groupings:
                    for position, term in enumerate(grouping.terms):
                        group = each.index(grouping.name)[row]
                        k[term] += effects[grouping.name][group, position]
                human, social = (values[row] for values in each.capitals)
                wanted = k["intercept"] + k["human_capital"] * human + k["social_capital"] * social
                wanted += k.get("interaction", 0.0) * human * social
                if each is design:
                    wanted += k["buyers"] * buyers.outcome[row]
                else:
                    wanted += at["buyers_controls"] @ each.controls[row]
                assert eta[d, row] == pytest.approx(wanted, rel=1e-9)


def ghk(signs, etas, factor, uniform) -> float:
    """Log likelihood of one row by conditional quantiles, a firm and an outcome at a time."""
    total, before = 0.0, []
    for k, (sign, eta) in enumerate(zip(signs, etas, strict=True)):
        known = sum(factor[k, j] * before[j] for j in range(k))
        reach = stats.norm.cdf(sign * (eta + known) / factor[k, k])
        total += np.log(reach)
        if k + 1 < len(signs):
            before.append(-sign * stats.norm.ppf(reach * uniform[k]))
    return float(total)


def test_tied_probits_beside_an_equation_that_is_free():
    design = system(TIED_PROBIT, residual_correlation=["buyers", "upgrading", "process"])
    shapes, function = compiled(design)
    tied = [e for e in design.equations if e.equation_name != "providers"]
    oracles = {each.equation_name: Oracle(each) for each in design.equations}
    point = perturbed(shapes, 4)
    factor, jacobian = cholesky_of(point["residual_cholesky_cholesky_corr__"], 3)
    uniform = expit(point["residual_u_interval__"])  # (row, 2)
    wanted = sum(oracle.log_density(part_of(point, name)) for name, oracle in oracles.items())
    etas, signs = [], []
    for each in tied:
        own = part_of(point, each.equation_name)
        wanted -= oracles[each.equation_name].log_likelihood(own).sum()
        etas.append(oracles[each.equation_name].linear_predictor(own))
        signs.append(2 * each.outcome - 1)
    wanted += lkj_log_density(factor, 2.0) + jacobian
    wanted += np.log(uniform * (1 - uniform)).sum()
    rows = zip(np.transpose(signs), np.transpose(etas), uniform, strict=True)
    wanted += sum(ghk(sign, eta, factor, u) for sign, eta, u in rows)
    density, gradient = function(point)
    assert density == pytest.approx(wanted, rel=1e-8)
    assert np.isfinite(gradient).all()


def test_tied_gaussians_are_a_multivariate_normal():
    design = system(TIED_GAUSSIAN, residual_correlation=["skill", "sales"])
    shapes, function = compiled(design)
    oracles = {each.equation_name: Oracle(each) for each in design.equations}
    point = perturbed(shapes, 5)
    factor, jacobian = cholesky_of(point["residual_cholesky_cholesky_corr__"], 2)
    sds = np.exp([point["skill_sigma_log__"], point["sales_sigma_log__"]]).ravel()
    wanted = lkj_log_density(factor, 2.0) + jacobian
    errors = []
    for name, oracle in oracles.items():
        own = part_of(point, name)
        wanted += oracle.log_density(own) - oracle.log_likelihood(own).sum()
        errors.append(oracle.design.outcome - oracle.linear_predictor(own))
    covariance = sds[:, None] * (factor @ factor.T) * sds
    wanted += stats.multivariate_normal.logpdf(np.transpose(errors), np.zeros(2), covariance).sum()
    density, gradient = function(point)
    assert density == pytest.approx(wanted, rel=1e-9)
    assert np.isfinite(gradient).all()


def test_a_predictor_that_is_no_yes_or_no_is_standardised():
    design = system(THREE, learners())
    patents = design.turned_to("patents")
    assert patents.predictors[:, 0].mean() == pytest.approx(0.0, abs=1e-12)
    assert patents.predictors[:, 0].std(ddof=1) == pytest.approx(1.0)
