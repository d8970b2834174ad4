from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bayescluster.families import FAMILIES
from bayescluster.structures import STRUCTURES
from tests.factories import CONTROLS, firms, small_design
from tests.model.graph import graph_of, shapes_of
from tests.model.oracle import Oracle, perturbed

NESTED = {"industry": ["intercept"], "cluster": ["intercept"]}
TERMS = {name: list(form.terms) for name, form in STRUCTURES.items()}
PRODUCT = {"product": ["exporter", "social_capital"]}
MANY = {"industries": 2, "clusters": 4}
"""Eight clusters, from which effects are correlated."""

SHAPES: dict[str, dict[str, Any]] = {
    "no groups": {},
    "industry": {"varying": {"industry": TERMS["interaction"]}},
    "nested": {
        "varying": {"industry": TERMS["interaction"], "cluster": ["intercept", "social_capital"]}
    },
    "crossed": {
        "varying": {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]},
        "data": {"cluster": "place", "crossed": True},
    },
    "correlated": {
        "varying": {"cluster": ["intercept", "human_capital", "interaction"]},
        "frame": firms(**MANY),
    },
    "correlated, centred": {
        "varying": {
            "cluster": {"terms": ["intercept", "social_capital"], "centred": True},
            "industry": {"terms": ["intercept", "human_capital"], "correlated": True},
        },
        "frame": firms(**MANY),
    },
    "centred": {"varying": {"cluster": {"terms": ["intercept", "interaction"], "centred": True}}},
    "nested, both centred": {
        "varying": {
            "cluster": {"terms": ["intercept", "human_capital"], "centred": True},
            "industry": {"terms": ["intercept", "interaction"], "centred": True},
            "firm": {"terms": ["intercept"], "centred": True},
        }
    },
    "nested, correlated, both centred": {
        "varying": {
            "cluster": {
                "terms": ["intercept", "human_capital"],
                "centred": True,
                "correlated": True,
            },
            "industry": {"terms": ["intercept"], "centred": True},
        }
    },
    "across, centred": {
        "varying": {
            "industry": {"terms": ["intercept"], "centred": True},
            "cluster": ["intercept"],
            "place": {"terms": ["intercept", "social_capital"], "centred": True},
        }
    },
    "partly centred": {
        "varying": {
            "industry": {"terms": ["intercept", "human_capital"], "centred": ["human_capital"]}
        }
    },
    "another grouping": {"varying": NESTED | {"year": ["intercept", "social_capital"]}},
    "firms repeat": {
        "varying": {"firm": ["intercept"], "industry": ["human_capital"]},
        "data": {"firm": "panel", "cluster": None},
    },
    "controls": {"varying": NESTED, "controls": [*CONTROLS, PRODUCT]},
    "spline": {"controls": [{"column": "size", "transform": "log", "spline": 4}, "exporter"]},
}


def assert_is_the_oracle(design: Any, **keys: Any) -> None:
    graph, oracle = graph_of(design), Oracle(design, **keys)
    first, second = (perturbed(graph.shapes, seed) for seed in (1, 2))
    for point in (first, second):
        found = graph.log_density(point)
        assert np.isfinite(found)
        assert found == pytest.approx(oracle.log_density(point), rel=1e-9, abs=1e-7)
        np.testing.assert_allclose(graph.rows(point), oracle.log_likelihood(point), rtol=1e-8)
        assert np.isfinite(graph.gradient(point)).all()
    assert graph.log_density(first) != pytest.approx(graph.log_density(second), abs=0.1)


def _marks(family: str, structure: str) -> list[pytest.MarkDecorator]:
    """Every family with one form and every form with two families by default; the others slow.

    A form knows nothing of the family: each pair is a model of its own to compile.
    """
    usual = structure == "interaction" or family in ("bernoulli", "negative_binomial")
    return [] if usual else [pytest.mark.slow]


@pytest.mark.parametrize(
    ("family", "structure"),
    [
        pytest.param(family, structure, marks=_marks(family, structure))
        for family in FAMILIES
        for structure in STRUCTURES
    ],
)
def test_every_family_and_form(family, structure):
    varying = {
        "industry": TERMS[structure],
        "cluster": {"terms": TERMS[structure][-1:], "centred": True},
    }
    design = small_design(family, structure, varying, controls=CONTROLS[:2])
    assert_is_the_oracle(design)


@pytest.mark.parametrize("family", ["gaussian", pytest.param("bernoulli", marks=pytest.mark.slow)])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_hierarchy(shape, family):
    assert_is_the_oracle(small_design(family, "interaction", **SHAPES[shape]))


@pytest.mark.parametrize("family", ["poisson", "negative_binomial"])
def test_exposure_enters_as_an_offset(family):
    design = small_design(family, "additive", NESTED, exposure="exposure", controls=CONTROLS)
    assert np.ptp(design.offset) > 0.5
    assert_is_the_oracle(design)


def test_known_standard_errors_take_the_place_of_sigma():
    design = small_design("gaussian", "additive", NESTED, standard_error="error")
    assert "sigma_log__" not in shapes_of(design)
    assert_is_the_oracle(design)


def test_concentration_of_the_correlations():
    design = small_design(
        "bernoulli", priors={"correlation": 5.0}, **SHAPES["correlated"], controls=CONTROLS
    )
    assert_is_the_oracle(design, correlation=5.0)


@pytest.mark.parametrize("structure", ["intercept", "additive"])
def test_ordinal_outcome_without_groups(structure):
    assert_is_the_oracle(small_design("ordinal", structure))


def test_gradient_is_the_slope_of_the_oracle():
    design = small_design("bernoulli", "additive", {"cluster": ["intercept"]})
    graph, oracle = graph_of(design), Oracle(design)
    point = perturbed(graph.shapes, 3)
    found = graph.gradient(point)
    position = 0
    for name, value in point.items():
        for k in np.ndindex(value.shape):
            shift = np.zeros(value.shape)
            shift[k] = 1e-5
            up, down = (
                oracle.log_density(point | {name: value + sign * shift}) for sign in (1, -1)
            )
            assert found[position] == pytest.approx((up - down) / 2e-5, abs=1e-5)
            position += 1
    assert position == found.size


STEPS = [{"column": "year", "monotonic": True}, {"column": "grade", "monotonic": True}, "exporter"]


@pytest.mark.parametrize("structure", ["interaction", "conjunctive"])
def test_steps_of_monotonic_controls(structure):
    design = small_design("gaussian", structure, NESTED, controls=STEPS)
    shapes = shapes_of(design)
    assert shapes["year_steps_simplex__"] == (1,)
    assert shapes["grade_steps_simplex__"] == (2,)
    assert_is_the_oracle(design)
