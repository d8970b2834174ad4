"""Missing outcomes that enter another equation, by loops over rows and combinations."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logsumexp

from bayescluster.design.missing import configurations, gaps
from bayescluster.design.record import Design
from bayescluster.model.evaluate import draws_of, linear_predictor
from bayescluster.model.imputation import case_densities, completed
from bayescluster.spec.analysis import Analysis
from tests.factories import analysis_dict, design_of, firms
from tests.model.oracle import perturbed
from tests.model.test_imputation import graph_of, named_posterior, standard

EQUATIONS = {
    "learning": {"outcome": "upgraded", "family": "bernoulli", "controls": ["exporter"]},
    "skill": {"outcome": "growth", "family": "gaussian", "controls": ["exporter"]},
    "sales": {"outcome": "value", "family": "lognormal", "predictors": ["learning", "skill"]},
}


def table() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    frame = firms()
    for column in ("upgraded", "growth", "value", "exporter"):
        frame[column] = frame[column].astype(float).mask(rng.random(len(frame)) < 0.25)
    frame.loc[frame["exporter"].isna() & frame["growth"].isna(), "exporter"] = 1.0
    return frame


def mediated() -> Design:
    plain = analysis_dict(data={"missing": "impute"})
    plain["equations"] = {
        name: {"structure": "additive"} | keys for name, keys in EQUATIONS.items()
    }
    plain["focus"] = "sales"
    return design_of(Analysis.model_validate(plain), table())


def half_normal(free: Any, scale: float) -> float:
    return float(stats.halfnorm.logpdf(np.exp(free), scale=scale) + free)


def loops(point: Any) -> float:
    frame = table()
    human, social = (standard(frame[c].to_numpy(float)) for c in ("training", "trust"))
    learning, skill = frame["upgraded"].to_numpy(float), frame["growth"].to_numpy(float)
    exporter, sales = frame["exporter"].to_numpy(float), np.log(frame["value"].to_numpy(float))
    total = 0.0
    for name, y in (("learning", None), ("skill", skill), ("sales", sales)):
        known = None if y is None else y[~np.isnan(y)]
        unit = known.std(ddof=1) if name == "skill" else 1.0
        level = 0.0 if known is None else known.mean()
        population = point[f"{name}_population"]
        sd = 2.5 * unit if name == "skill" else 1.5
        total += stats.norm.logpdf(population[0], level, sd)
        total += stats.norm.logpdf(population[1:], 0, unit).sum()
        total += stats.norm.logpdf(point.get(f"{name}_controls", np.zeros(0)), 0, unit).sum()
        if known is not None:
            total += half_normal(point[f"{name}_sigma_log__"], known.std(ddof=1))
    total += stats.norm.logpdf(point["imputation_exporter_slope"], 0, 1).sum()
    total += stats.norm.logpdf(point["imputation_exporter_cutpoints"], 0, 1.5).sum()
    answered = skill[~np.isnan(skill)]
    cell = 0
    for row in range(len(frame)):
        x, missing = skill[row], bool(np.isnan(skill[row]))
        if missing:
            x = point["imputed_skill"][cell]
            cell += 1
        ways = [
            [0.0, 1.0] if np.isnan(value) else [value] for value in (exporter[row], learning[row])
        ]
        cases = []
        for e, m in product(*ways):
            h, s = human[row], social[row]
            chance = expit(
                np.dot(point["imputation_exporter_slope"], [h, s])
                - point["imputation_exporter_cutpoints"][0]
            )
            one = np.log(chance if e == 1 else 1 - chance)
            eta = np.dot(point["learning_population"], [1, h, s])
            eta += point["learning_controls"][0] * e
            one += stats.bernoulli.logpmf(m, expit(eta))
            eta = np.dot(point["skill_population"], [1, h, s]) + point["skill_controls"][0] * e
            one += stats.norm.logpdf(x, eta, np.exp(point["skill_sigma_log__"]))
            if not np.isnan(sales[row]):
                z = (x - answered.mean()) / answered.std(ddof=1)
                eta = np.dot(point["sales_population"], [1, h, s, m, z])
                sigma = np.exp(point["sales_sigma_log__"])
                one += stats.norm.logpdf(sales[row], eta, sigma) - sales[row]
            cases.append(one)
        total += logsumexp(cases)
    return float(total)


def test_density_is_that_of_loops():
    design = mediated()
    found = {gap.name: len(gap.levels) for gap in gaps(design)}
    assert found == {"exporter": 2, "learning": 2, "skill": 0}
    graph = graph_of(design)
    for seed in (1, 2):
        point = perturbed(graph.shapes, seed)
        joint, gradient = graph.joint(point)
        assert joint == pytest.approx(loops(point), rel=1e-9)
        assert np.isfinite(gradient).all()


def test_twin_completes_every_equation():
    design = mediated()
    posterior = named_posterior(design, 2)
    whole = completed(design, posterior, np.random.default_rng(1))
    assert set(np.unique(whole["imputed_learning"])) <= {0.0, 1.0}
    for each in design.equations:
        draws = draws_of(each, whole)
        assert np.isfinite(linear_predictor(each, draws)).all()
    sales = draws_of(design, whole)
    skill = draws_of(next(d for d in design.others if d.equation_name == "skill"), whole)
    rows = np.flatnonzero(np.isnan(design.predictors[:, 1]))
    known = table()["growth"].dropna()
    eta = linear_predictor(design, sales)[:, rows]
    human, social = (values[rows] for values in design.capitals)
    learning = design.predictors[rows, 0]
    both = ~np.isnan(learning)
    values = whole["imputed_skill"].to_numpy().reshape(2, -1)
    population = whole["sales_population"].to_numpy().reshape(2, -1)
    columns = [np.ones(rows.size), human, social, np.nan_to_num(learning)]
    wanted = population[:, :4] @ np.array(columns)
    wanted += population[:, [4]] * (values - known.mean()) / known.std(ddof=1)
    np.testing.assert_allclose(eta[:, both], wanted[:, both], rtol=1e-9)
    assert skill.imputed.keys() == {"exporter"}


def test_prior_mediators_follow_their_own_equation():
    design = mediated()
    posterior = named_posterior(design, 2)
    cases = configurations(gaps(design), design.size)
    ((_, prior),) = case_densities(design, posterior, cases, posterior=False)
    lacks = {gap.name: gap.missing for gap in gaps(design)}
    for row in np.flatnonzero(lacks["exporter"] & lacks["learning"]):
        assert logsumexp(prior[0][cases.row == row]) == pytest.approx(0.0, abs=1e-12)
