"""Ceilings of a fitted form against brute force, row by row and draw by draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats

from bayescluster.design.record import Design
from bayescluster.estimands.scopes import declared_groups, groups_of
from bayescluster.features.ceilings.functional import (
    NOT_NEEDED,
    NOT_REACHED,
    QUANTILES,
    Ceiling,
    at_quantile,
    ceiling_of,
    effect_sizes,
    least_levels,
    outcome_scope,
    spans,
    surfaces_of,
)
from bayescluster.features.ceilings.spec import Ceilings
from bayescluster.model.evaluate import Draws
from tests.draws import known_draws
from tests.factories import firms, small_design

VARYING = {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]}
ASKED = Ceilings()


def ceilings(design: Design, draws: Draws, by: str = "industry", asked: Ceilings = ASKED) -> Any:
    groups = groups_of(design, by)  # type: ignore[arg-type]
    known = spans(design, groups, asked)
    surfaces = surfaces_of(design, draws, groups, known, asked.quantile)
    top = outcome_scope(design, asked)
    return [
        [ceiling_of(surfaces, position, k, span, top) for position in range(2)]
        for k, span in enumerate(known)
        if span is not None
    ]


def by_hand(design: Design, draws: Draws, rows: np.ndarray, human: float, social: float) -> Any:
    """Expected outcome of some firms at set capitals, the interaction form written out: (draw,)."""
    b = draws.population
    eta = np.zeros((draws.size, rows.size))
    for term, value in (
        ("intercept", 1.0),
        ("human_capital", human),
        ("social_capital", social),
        ("interaction", human * social),
    ):
        coefficient = np.repeat(b[term][:, None], rows.size, axis=1)
        for name, group in draws.groups.items():
            if term in group.terms:
                at = group.terms.index(term)
                coefficient = coefficient + group.effect[:, design.index(name)[rows], at]
        eta += coefficient * value
    return eta + draws.controls @ design.controls[rows].T


@pytest.mark.parametrize("position", [0, 1])
def test_ceiling_is_the_largest_expectation_over_supported_levels(position: int) -> None:
    design = small_design(
        "bernoulli", "interaction", VARYING, frame=firms(120), controls=["exporter"]
    )
    draws = known_draws(design, 6, human_capital=0.8, interaction=0.5)
    rows = np.flatnonzero(design.index("industry") == 1)
    found: Ceiling = ceilings(design, draws)[1][position]
    own, other = design.capitals[position][rows], design.capitals[1 - position][rows]
    assert found.levels[[0, -1]] == pytest.approx([own.min(), own.max()])
    across = np.linspace(*np.quantile(other, [0.05, 0.95]), 60)
    for k in (0, 13, 40):
        at = found.levels[k]
        pairs = [(at, s) if position == 0 else (s, at) for s in across]
        means = [special.expit(by_hand(design, draws, rows, *pair)).mean(axis=1) for pair in pairs]
        assert found.height[:, k] == pytest.approx(np.max(means, axis=0), abs=0.01)
    # area above, by another rule, on a finer grid than the program's
    area = (
        1
        - np.interp(
            np.linspace(found.levels[0], found.levels[-1], 4001), found.levels, found.height[0]
        ).mean()
    )
    assert found.d[0] == pytest.approx(area, abs=1e-3)
    assert found.reached[0] == pytest.approx(area - (1 - found.height[0].max()), abs=1e-3)


def test_amounts_have_a_quantile_of_the_prediction_as_their_ceiling() -> None:
    design = small_design("gaussian", "interaction", frame=firms(80))
    draws = known_draws(design, 5, human_capital=2.0)
    (pair,) = ceilings(design, draws, "all")
    found: Ceiling = pair[0]
    social = np.linspace(*np.quantile(design.capitals[1], [0.05, 0.95]), 40)
    rows = np.arange(1)  # no controls and no groups: all firms have the same expectation
    height = np.max(
        [by_hand(design, draws, rows, found.levels[20], s)[:, 0] for s in social], axis=0
    )
    height = height + draws.parameters["sigma"][:, 0] * stats.norm.ppf(0.95)
    assert found.height[:, 20] == pytest.approx(height, abs=1e-6)


PPF: dict[str, Any] = {
    "gaussian": lambda q, eta, p: stats.norm.ppf(q, eta, p["sigma"]),
    "student_t": lambda q, eta, p: stats.t.ppf(q, p["nu"], eta, p["sigma"]),
    "lognormal": lambda q, eta, p: stats.lognorm.ppf(q, p["sigma"], scale=np.exp(eta)),
    "beta": lambda q, eta, p: stats.beta.ppf(
        q, special.expit(eta) * p["precision"], special.expit(-eta) * p["precision"]
    ),
}
COUNTS: dict[str, Any] = {
    "poisson": lambda eta, _: stats.poisson(np.exp(eta)),
    "negative_binomial": lambda eta, p: stats.nbinom(
        p["overdispersion"] ** -2, 1 / (1 + np.exp(eta) * p["overdispersion"] ** 2)
    ),
}


@pytest.mark.parametrize("family", sorted(QUANTILES))
def test_quantiles_are_those_of_scipy(family: str) -> None:
    design = small_design(family)
    rng = np.random.default_rng(2)
    eta = rng.normal(size=(3, 200))
    named = {p.name: rng.uniform(1.0, 3.0, (3, 1)) for p in design.family.parameters}
    plain, share = design.family.plain, np.full((3, 1), 0.9)
    if plain is not None:
        # at two draws part of the others lies above, at the third the quantile is within the zeros
        family, none = plain.name, np.array([[0.3], [0.5], [0.95]])
        named["zero_share"], share = none, (0.9 - none) / (1.0 - none)
    recast = at_quantile(design, 0.9)
    assert recast is not None
    found = recast.family.expectation(eta, named)
    if plain is not None:
        assert (found[2] == 0).all()
        found, eta, share = found[:2], eta[:2], share[:2]
        named = {name: values[:2] for name, values in named.items()}
    if family in PPF:
        assert found == pytest.approx(PPF[family](share, eta, named), rel=5e-3, abs=5e-3)
        return
    # of a count: between the whole numbers where the distribution passes the share
    whole = COUNTS[family](eta, named).ppf(share)
    assert (found <= whole + 0.05).all()
    assert (found >= whole - 1.05).all()


def test_probabilities_have_no_quantile() -> None:
    assert at_quantile(small_design("bernoulli"), 0.95) is None
    assert at_quantile(small_design("ordinal"), 0.95) is None
    assert at_quantile(small_design("gaussian", standard_error="error"), 0.95) is None


def test_effect_sizes_of_known_ceilings() -> None:
    levels = np.linspace(-1, 1, 201)
    ramp = np.clip((levels + 1) / 2, 0, 1)  # half of the scope lies above
    half = np.full_like(levels, 0.5)
    over = np.full_like(levels, 2.0)
    d, reached = effect_sizes(levels, np.array([ramp, half, over]), (0.0, 1.0))
    assert d == pytest.approx([0.5, 0.5, 0.0])
    assert reached == pytest.approx([0.5, 0.0, 0.0])
    d, _ = effect_sizes(levels, 3 + 2 * ramp[None], (3.0, 7.0))
    assert d == pytest.approx([0.75])


LEVELS = np.arange(4.0)


def needed(means, *targets, between=True):
    return least_levels(LEVELS, np.array(means, float), targets, between=between).tolist()


@pytest.mark.parametrize(
    ("means", "target", "wanted"),
    [
        ([0.2, 0.4, 0.6, 0.8], 0.5, 1.5),
        ([0.2, 0.4, 0.6, 0.8], 0.4, 1.0),
        ([0.2, 0.4, 0.6, 0.8], 0.2, NOT_NEEDED),
        ([0.2, 0.4, 0.6, 0.8], 0.81, NOT_REACHED),
        ([0.2, 0.6, 0.3, 0.9], 0.5, 0.75),  # up, down and up: the first way up counts
        ([0.6, 0.2, 0.1, 0.0], 0.5, NOT_NEEDED),
        ([0.3, 0.2, 0.1, 0.0], 0.5, NOT_REACHED),
    ],
)
def test_least_level_that_reaches_a_target(means, target, wanted):
    assert needed([means], target) == [[pytest.approx(wanted)]]


def test_between_no_and_yes_there_is_nothing():
    assert needed([[0.2, 0.4, 0.6, 0.8]], 0.5, between=False) == [[2.0]]


@given(arrays(float, (5, 4), elements=st.floats(0, 1)), st.floats(0, 1), st.floats(0, 0.5))
def test_a_higher_target_never_needs_less(means, target, more):
    (low, high) = np.array(needed(means, target, target + more)).T
    assert (high >= low).all()


def test_a_capital_of_yes_and_no_has_a_ceiling_at_two_levels() -> None:
    frame = firms(120)
    frame["training"] = (frame["training"] > 3).astype(int)
    design = small_design("bernoulli", "additive", frame=frame)
    draws = known_draws(design, 4, human_capital=1.5)
    (pair,) = ceilings(design, draws, "all")
    found: Ceiling = pair[0]
    assert found.levels == pytest.approx(np.unique(design.capitals[0]))
    assert found.d == pytest.approx(1 - found.height[:, 0])
    middle = found.height.mean(axis=1).min()
    least = least_levels(found.levels, found.height, [middle], between=not found.steps)
    assert set(np.unique(least)) <= {-np.inf, found.levels[1], np.inf}


def test_a_group_where_a_capital_does_not_vary_has_no_span() -> None:
    frame = firms(60)
    frame.loc[frame["cluster"] == "C01", "training"] = 3.0
    design = small_design("bernoulli", frame=frame)
    known = spans(design, groups_of(design, "cluster"), ASKED)
    assert [pair is None for pair in known] == [False, True, False, False, False, False]


def test_declared_scopes() -> None:
    design = small_design("gaussian", frame=firms(80))
    assert outcome_scope(design, ASKED) == (design.outcome.min(), design.outcome.max())
    asked = Ceilings(outcome_scope=(0.0, 50.0), scope=(0.1, 0.9))
    assert outcome_scope(design, asked) == (0.0, 50.0)
    (pair,) = [p for p in spans(design, declared_groups(design)[0], asked) if p]
    assert pair[0].scope == pytest.approx(tuple(np.quantile(design.capitals[0], [0.1, 0.9])))
    assert outcome_scope(small_design("bernoulli"), ASKED) == (0.0, 1.0)
