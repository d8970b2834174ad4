"""A model compiled once for many outcomes is the model of each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pytensor.compile.mode import Mode

from bayescluster.design.arrays import replaced, with_unit_weights
from bayescluster.design.forms import in_form
from bayescluster.families import FAMILIES
from bayescluster.inference.assemble import reported_variables
from bayescluster.inference.density import Repeated, compile_design
from bayescluster.inference.nuts import sample_chains
from bayescluster.model.build import build_model
from bayescluster.names import outcome_data, weight_data
from bayescluster.spec.analysis import Sampling
from bayescluster.structures import STRUCTURES
from tests.factories import firms, small_design
from tests.model.oracle import Oracle, perturbed
from tests.oracles import fast_compile

NESTED = {"industry": ["intercept"], "cluster": ["intercept"]}
NAME = "upgrading"


class OfTemplate(Oracle):
    """The log density at another outcome and weights, with the priors of the template."""

    def at(self, outcome: np.ndarray, weights: np.ndarray, point: Any) -> float:
        template = self.design
        self.design = replaced(template, outcome)
        likelihood = self.log_likelihood(point)
        total = self.log_density(point) + ((weights - 1) * likelihood).sum()
        self.design = template
        return float(total)


def _marks(family: str, structure: str) -> list[pytest.MarkDecorator]:
    """Every family with one form, every form with two families; the other pairs are slow."""
    usual = structure == "additive" or family in ("bernoulli", "negative_binomial")
    return [] if usual else [pytest.mark.slow]


@pytest.mark.parametrize(
    ("family", "structure"),
    [
        pytest.param(family, structure, marks=_marks(family, structure))
        for family in FAMILIES
        for structure in ("additive", "conjunctive", "ces")
    ],
)
def test_density_is_the_oracle_at_any_outcome(family, structure):
    form_term = {"conjunctive": ["both"]}.get(structure, ["intercept"])
    varying = {"industry": form_term, "cluster": form_term}
    design = with_unit_weights(small_design(family, structure, varying))
    with fast_compile():
        model = build_model(design, replaceable=True)
        parts = [part.sum() for part in model.logp(sum=False)]
        function = model.compile_fn(parts, mode=Mode("py", "fast_compile"))
    shapes = {name: np.shape(value) for name, value in model.initial_point().items()}
    oracle = OfTemplate(design)
    rng = np.random.default_rng(4)
    for seed in (1, 2):
        outcome = rng.permutation(design.outcome)
        if design.rows.trials is not None:
            outcome = np.minimum(outcome, design.rows.trials)
        weights = rng.uniform(0.0, 3.0, design.size)
        weights[:3] = 0.0
        model.set_data(outcome_data(NAME), outcome)
        model.set_data(weight_data(NAME), weights)
        point = perturbed(shapes, seed)
        found = float(sum(function(point)))
        assert found == pytest.approx(oracle.at(outcome, weights, point), rel=1e-9, abs=1e-7)
        assert abs(found - oracle.log_density(point)) > 0.05


def test_every_form_takes_other_outcomes():
    for structure in STRUCTURES:
        design = small_design("bernoulli", structure)
        with fast_compile():
            model = build_model(design, replaceable=True)
        assert outcome_data(NAME) in model.named_vars
        assert weight_data(NAME) not in model.named_vars


def test_draws_are_those_of_the_ordinary_model():
    design = small_design("bernoulli", "additive", NESTED, frame=firms(rows=120))
    outcome = np.random.default_rng(1).permutation(design.outcome)
    other = replaced(design, outcome)
    sampling = Sampling(draws=300, tune=300, chains=2, seed=7)
    refit = Repeated(design).fit(other, sampling)
    ordinary = compile_design(other, sampling.seed)
    for number, chain in enumerate(sorted(sample_chains(ordinary, sampling, range(2)))):
        found = refit.tree["posterior"].sel(chain=number)
        for name in reported_variables(design):
            np.testing.assert_allclose(found[name], chain.posterior[name][0], rtol=1e-6, atol=1e-6)
    assert refit.draws.chains == 2
    np.testing.assert_array_equal(refit.design.outcome, outcome)


def test_the_template_settles_how_groups_are_sampled():
    design = small_design("gaussian", "additive", NESTED)
    found = replaced(design, np.zeros(design.size))
    assert found.groupings == design.groupings
    assert replace(found).outcome.std() == 0
    # under another form other terms vary
    varying = {"industry": ["intercept", "interaction"]}
    other = in_form(
        replaced(small_design("gaussian", "interaction", varying), found.outcome), "additive"
    )
    assert [grouping.terms for grouping in other.groupings] == [("intercept",)]
