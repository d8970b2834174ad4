from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.spatial import Delaunay
from scipy.special import expit

from bayescluster.design.record import Design
from bayescluster.estimands.effects import Own, Setting, outcome_surface, surface_draws
from bayescluster.estimands.levels import (
    CORNERS,
    Levels,
    amounts_of,
    default_levels,
    levels_of,
    support,
)
from bayescluster.estimands.scopes import declared_groups, groups_of
from bayescluster.model import evaluate
from bayescluster.names import FIRM_CODE, ROW
from bayescluster.spec.hypotheses import Corners
from tests.draws import known_draws
from tests.factories import CONTROLS, firms, small_design

KEYS: dict[str, Any] = {
    "varying": {"industry": ["intercept", "human_capital"], "cluster": ["intercept"]},
    "controls": CONTROLS,
}
COEFFICIENTS = {"human_capital": 0.8, "social_capital": 0.5, "interaction": 0.6}
LEVELS = Levels((-1.2, 1.4), (-0.9, 1.1), "by hand")


@pytest.fixture(scope="module")
def design():
    return small_design("bernoulli", "interaction", **KEYS)


@pytest.fixture(scope="module")
def draws(design):
    return known_draws(design, **COEFFICIENTS)


def row_mean(design, draws, draw: int, row: int, human: float, social: float) -> float:
    """Expected outcome of one row at one draw, coefficient by coefficient."""
    p = {name: values[draw] for name, values in draws.population.items()}
    industry, cluster = draws.groups["industry"], draws.groups["cluster"]
    i, c = industry.member[row], cluster.member[row]
    eta = p["intercept"] + industry.effect[draw, i, 0] + cluster.effect[draw, c, 0]
    eta += (p["human_capital"] + industry.effect[draw, i, 1]) * human
    eta += p["social_capital"] * social + p["interaction"] * human * social
    eta += sum(b * x for b, x in zip(draws.controls[draw], design.controls[row], strict=True))
    return float(expit(eta))


def controls_at(design, human, social):
    """Controls with the capitals set, ``(row, control)``, put together from their parts."""
    found = np.full(design.controls.shape, np.nan)
    for part in design.control_parts(human, social):
        level = np.broadcast_to(part.level, design.size)
        found[:, part.positions] = part.base * level[:, None]
    return found


def looped(design, draws, human, social, by="industry"):
    """``(draw, group)`` by plain loops; levels are numbers, or one a row."""
    groups = groups_of(design, by)
    h, s = (np.broadcast_to(level, design.size) for level in (human, social))
    out = np.empty((draws.size, len(groups.labels)))
    for draw, k in product(range(draws.size), range(len(groups.labels))):
        rows = np.flatnonzero(groups.members[:, k])
        out[draw, k] = np.mean([row_mean(design, draws, draw, r, h[r], s[r]) for r in rows])
    return out


@pytest.mark.parametrize("by", ["all", "industry", "cluster"])
def test_surface_is_the_average_over_the_rows(design, draws, by):
    settings = [Setting(-1.0, 0.5), Setting(design.capitals[0], 2.0), Setting(*design.capitals)]
    found = outcome_surface(design, draws, settings, groups_of(design, by).weights)
    for k, (human, social) in enumerate(settings):
        np.testing.assert_allclose(found[:, k], looped(design, draws, human, social, by))


def test_a_shift_stops_at_the_most_and_lowers_nobody(design, draws):
    human, social = design.capitals
    most = np.full(design.size, 0.5)
    weights = groups_of(design, "industry").weights
    found = outcome_surface(design, draws, [Setting(Own(0.3, most), Own(-0.2))], weights)
    shifted = np.where(human > 0.5, human, np.minimum(human + 0.3, 0.5))
    assert len({*(shifted - human).round(9)}) > 2
    np.testing.assert_allclose(found[:, 0], looped(design, draws, shifted, social - 0.2))


def test_chunks_change_nothing(design, draws, monkeypatch):
    each_row = np.eye(design.size)
    averages = groups_of(design, "industry").weights
    whole = [outcome_surface(design, draws, [Setting(0.3, 0.2)], w) for w in (each_row, averages)]
    monkeypatch.setattr(evaluate, "CELLS_A_CHUNK", 3 * design.size)
    found = [outcome_surface(design, draws, [Setting(0.3, 0.2)], w) for w in (each_row, averages)]
    np.testing.assert_array_equal(found[0], whole[0])
    # an average is a product of matrices, and may be summed in another order at another size
    np.testing.assert_array_max_ulp(found[1], whole[1], maxulp=2)


def test_corners_contrasts_and_cross_difference(design, draws):
    found = surface_draws(design, draws, LEVELS, groups_of(design, "industry").weights)
    wanted = {name: looped(design, draws, *LEVELS.at(name)) for name in CORNERS}
    for name in CORNERS:
        np.testing.assert_allclose(found.corners[name], wanted[name])
    human, social = design.capitals
    np.testing.assert_allclose(
        found.contrast["human_capital"],
        looped(design, draws, 1.4, social) - looped(design, draws, -1.2, social),
    )
    np.testing.assert_allclose(
        found.contrast["social_capital"],
        looped(design, draws, human, 1.1) - looped(design, draws, human, -0.9),
    )
    np.testing.assert_allclose(
        found.cross_difference, wanted["HH"] - wanted["HL"] - wanted["LH"] + wanted["LL"]
    )


def test_letters_of_a_corner_are_human_then_social():
    assert [LEVELS.at(corner) for corner in CORNERS] == [
        (-1.2, -0.9),
        (1.4, -0.9),
        (-1.2, 1.1),
        (1.4, 1.1),
    ]


def test_marginal_effects_are_the_derivative_of_the_logit(design, draws):
    groups = groups_of(design, "cluster")
    found = surface_draws(design, draws, LEVELS, groups.weights).marginal
    human, social = design.capitals
    p = np.stack(
        [
            [row_mean(design, draws, d, r, human[r], social[r]) for r in range(design.size)]
            for d in range(draws.size)
        ]
    )
    of = {name: values[:, None] for name, values in draws.population.items()}
    industry = draws.groups["industry"]
    slopes = {
        "human_capital": of["human_capital"]
        + industry.effect[:, industry.member, 1]
        + of["interaction"] * social,
        "social_capital": of["social_capital"] + of["interaction"] * human,
    }
    for capital, slope in slopes.items():
        wanted = (p * (1 - p) * slope) @ groups.weights
        # the step of 0.01 leaves an error of its square
        np.testing.assert_allclose(found[capital], wanted, atol=3e-5)


def test_marginal_effect_of_a_yes_or_no_is_the_change_between_them():
    keys = {"constructs": {"human_capital": {"indicators": ["exporter"], "method": "single"}}}
    design = small_design("bernoulli", "interaction", KEYS["varying"], **keys)
    draws = known_draws(design, **COEFFICIENTS)
    assert design.is_binary("human_capital")
    assert not design.is_binary("social_capital")
    found = surface_draws(design, draws, LEVELS, groups_of(design, "industry").weights)
    no, yes = np.unique(design.capitals[0])
    assert yes - no == pytest.approx(1.0)
    social = design.capitals[1]
    wanted = looped(design, draws, yes, social) - looped(design, draws, no, social)
    np.testing.assert_allclose(found.marginal["human_capital"], wanted)


def test_without_a_product_means_have_no_cross_difference():
    design = small_design("gaussian", "additive", KEYS["varying"])
    draws = known_draws(design, **COEFFICIENTS)
    found = surface_draws(design, draws, LEVELS, groups_of(design, "all").weights)
    np.testing.assert_allclose(found.cross_difference, 0.0, atol=1e-12)
    slope = draws.population["human_capital"]
    industry = draws.groups["industry"]
    slope = slope + industry.effect[:, industry.member, 1].mean(axis=1)
    np.testing.assert_allclose(found.marginal["human_capital"][:, 0], slope)


def test_counts_are_per_unit_of_exposure():
    design = small_design("poisson", "additive", exposure="exposure")
    draws = known_draws(design)
    found = outcome_surface(design, draws, [Setting(0.0, 0.0)], groups_of(design, "all").weights)
    np.testing.assert_allclose(found[:, 0, 0], np.exp(draws.population["intercept"]))


def test_levels_of_an_ordinal_outcome():
    design = small_design("ordinal", "additive")
    draws = replace(
        known_draws(design), population={t: np.zeros(8) for t in design.structure.terms}
    )
    found = outcome_surface(design, draws, [Setting(0.0, 0.0)], groups_of(design, "all").weights)
    cut = draws.parameters["cutpoints"][:, 0, :]
    np.testing.assert_allclose(found[:, 0, 0], expit(-cut).sum(axis=1))


def test_default_levels_are_the_deciles(design):
    found = default_levels(design)
    for pair, values in zip(found[:2], design.capitals, strict=True):
        assert pair == tuple(np.quantile(values, [0.1, 0.9]))
    assert found.declared == "quantiles 0.1 and 0.9"


def test_anchors_are_in_units_of_the_construct(design):
    claim = Corners(low=0.25, high=0.75, anchors={"human_capital": {"low": 1.0, "high": 6.0}})
    found = levels_of(design, claim)
    raw = firms()["training"]
    assert found.human == pytest.approx(
        tuple((value - raw.mean()) / raw.std() for value in (1.0, 6.0))
    )
    assert found.social == tuple(np.quantile(design.capitals[1], [0.25, 0.75]))
    assert found.declared == (
        "human: 1 and 6 in units of the construct; social: quantiles 0.25 and 0.75"
    )


ITEMS = [
    {"column": "training", "direction": "negative"},
    {"column": "size", "transform": "log"},
    {"column": "exporter", "direction": "negative"},
]
LOW = {"training": 6.0, "size": 5.0, "exporter": 1.0}
HIGH = {"training": 1.0, "size": 60.0, "exporter": 0.0}


def entering(values):
    """Indicators as they enter: transformed, turned round, standardised; written anew."""
    frame = firms()
    columns = {
        "training": (-frame["training"], -values["training"]),
        "size": (np.log(frame["size"]), np.log(values["size"])),
        "exporter": (1 - frame["exporter"], 1 - values["exporter"]),
    }
    return {
        name: ((column - column.mean()) / column.std(), (at - column.mean()) / column.std())
        for name, (column, at) in columns.items()
    }


@pytest.mark.parametrize("method", ["mean", "pca", "latent"])
def test_anchors_by_indicator_become_a_score_as_answers_do(method):
    made = {"human_capital": {"indicators": ITEMS, "method": method}}
    design = small_design("bernoulli", "interaction", constructs=made)
    claim = Corners(anchors={"human_capital": {"low": LOW, "high": HIGH}})
    answers = np.column_stack([column for column, _ in entering(LOW).values()])
    weights = np.full(3, 1 / 3)
    if method == "pca":
        weights = np.linalg.svd(answers, full_matrices=False)[2][0]
        weights *= np.sign(weights.sum())
    score = answers @ weights
    wanted = [
        (weights @ [at for _, at in entering(values).values()] - score.mean()) / score.std(ddof=1)
        for values in (LOW, HIGH)
    ]
    found = levels_of(design, claim)
    np.testing.assert_allclose(found.human, wanted, rtol=1e-9)
    assert found.declared == (
        "human: training 6, size 5, exporter 1 against training 1, size 60, exporter 0; "
        "social: quantiles 0.1 and 0.9"
    )
    of_score = " of its score" if method == "latent" else ""
    declared = default_levels(design).declared
    assert declared == (
        f"human: quantiles 0.1 and 0.9{of_score}; social: quantiles 0.1 and 0.9"
        if of_score
        else "quantiles 0.1 and 0.9"
    )
    # a firm that gave these answers has this score
    frame = firms()
    frame.loc[0, list(LOW)] = list(LOW.values())
    scored = small_design("bernoulli", "interaction", constructs=made, frame=frame)
    again = levels_of(scored, claim)
    assert scored.capitals[0][0] == pytest.approx(again.human[0])


def test_an_anchor_of_a_single_indicator_is_in_its_own_units():
    made = {"human_capital": {"indicators": [{"column": "size", "transform": "log"}]}}
    made["human_capital"]["method"] = "single"
    design = small_design("bernoulli", "interaction", constructs=made)
    found = levels_of(
        design, Corners(anchors={"human_capital": {"low": {"size": 5}, "high": {"size": 60}}})
    )
    log = np.log(firms()["size"])
    np.testing.assert_allclose(found.human, (np.log([5, 60]) - log.mean()) / log.std(), rtol=1e-9)
    (human, social) = amounts_of(design, found)
    assert (human.capital, human.method) == ("human_capital", "single")
    assert human.low == pytest.approx(np.log(5))
    ((column, low, high),) = (tuple(item.model_dump().values()) for item in human.indicators)
    assert (column, low, high) == ("size", pytest.approx(5), pytest.approx(60))
    assert social.indicators[0].low == pytest.approx(np.quantile(firms()["trust"], 0.1))


@pytest.mark.parametrize("method", ["mean", "pca"])
def test_levels_of_a_score_amount_to_values_that_have_this_score(method):
    made = {"human_capital": {"indicators": ITEMS, "method": method}}
    design = small_design("bernoulli", "interaction", constructs=made)
    levels = default_levels(design)
    human = amounts_of(design, levels)[0]
    named = {
        side: {item.column: getattr(item, side) for item in human.indicators}
        for side in ("low", "high")
    }
    back = levels_of(design, Corners(anchors={"human_capital": named}))
    np.testing.assert_allclose(back.human, levels.human, rtol=1e-9)
    if method == "mean":
        # each indicator as far from its own mean as the others
        away = [at for _, at in entering(named["low"]).values()]
        np.testing.assert_allclose(away, human.low, rtol=1e-9)


def test_a_yes_or_no_amounts_to_nothing_else():
    keys = {"constructs": {"human_capital": {"indicators": ["exporter"], "method": "single"}}}
    design = small_design("bernoulli", "interaction", **keys)
    found = amounts_of(design, default_levels(design))
    assert [one.capital for one in found] == ["social_capital"]


def test_levels_of_a_yes_or_no_are_its_values():
    keys = {"constructs": {"human_capital": {"indicators": ["exporter"], "method": "single"}}}
    frame = firms().assign(exporter=np.arange(48) % 16 == 0)
    design = small_design("bernoulli", "interaction", frame=frame, **keys)
    values = tuple(np.unique(design.capitals[0]))
    assert len(values) == 2
    for claim in (Corners(), Corners(low=0.25, high=0.75), Corners(low=0.02, high=0.98)):
        found = levels_of(design, claim)
        assert found.human == values
        quantiles = f"quantiles {claim.low:g} and {claim.high:g}"
        assert found.declared == f"human: no and yes; social: {quantiles}"


def test_two_values_that_are_no_yes_or_no():
    frame = firms().assign(training=np.where(np.arange(48) % 16 == 0, 7.0, 2.0))
    design = small_design("bernoulli", "interaction", frame=frame)
    assert not design.is_binary("human_capital")
    found = default_levels(design)
    assert found.human == tuple(np.unique(design.capitals[0]))
    assert found.declared == ("human: least and most in the sample; social: quantiles 0.1 and 0.9")
    # an amount has a slope, not a change from one value to the other
    draws = known_draws(design, **COEFFICIENTS)
    slope = surface_draws(design, draws, LEVELS, groups_of(design, "all").weights).marginal
    human, social = design.capitals
    of = {name: values[:, None] for name, values in draws.population.items()}
    eta = of["intercept"] + of["human_capital"] * human + of["social_capital"] * social
    p = expit(eta + of["interaction"] * human * social)
    wanted = (p * (1 - p) * (of["human_capital"] + of["interaction"] * social)).mean(axis=1)
    np.testing.assert_allclose(slope["human_capital"][:, 0], wanted, atol=3e-5)


def kernel(design: Design, corner: str) -> Any:
    """Weight of every row around a corner, written out."""
    human, social = design.capitals
    level = {"L": (-1.2, -0.9), "H": (1.4, 1.1)}
    away = ((human - level[corner[0]][0]) / 0.5) ** 2 + ((social - level[corner[1]][1]) / 0.5) ** 2
    return np.exp(-away / 2)


def test_support_counts_firms_by_how_near_they_are(design):
    groups = groups_of(design, "industry")
    found = support(design, LEVELS, groups.members)
    for c, corner in enumerate(CORNERS):
        for k in range(2):
            wanted = kernel(design, corner)[groups.members[:, k]].sum()
            assert found.firms[c, k] == pytest.approx(wanted)
    assert 0 < found.firms.sum() < design.size


def test_support_counts_a_firm_once(design):
    # twelve firms, four rows each
    firms_of = np.arange(48) // 4
    data = design.data.assign({FIRM_CODE: (ROW, firms_of)})
    repeated = replace(design, data=data)
    np.testing.assert_array_equal(repeated.firms, firms_of)
    groups = groups_of(repeated, "all")
    found = support(repeated, LEVELS, groups.members)
    for c, corner in enumerate(CORNERS):
        assert found.firms[c, 0] == pytest.approx(
            kernel(design, corner).reshape(12, 4).mean(axis=1).sum()
        )


def test_a_yes_or_no_capital_has_no_neighbourhood():
    made = {"human_capital": {"indicators": ["exporter"], "method": "single"}}
    design = small_design("bernoulli", "additive", constructs=made)
    levels = default_levels(design)
    found = support(design, levels, groups_of(design, "all").members).firms[:, 0]
    human, social = design.capitals
    for c, corner in enumerate(CORNERS):
        here = human == levels.human[corner[0] == "H"]
        wanted = np.exp(-(((social - levels.social[corner[1] == "H"]) / 0.5) ** 2) / 2)[here].sum()
        assert found[c] == pytest.approx(wanted)


def test_a_corner_lies_within_the_firms_or_beyond_them(design):
    everyone = groups_of(design, "all").members
    near = Levels((-0.2, 0.2), (-0.2, 0.2), "by hand")
    assert support(design, near, everyone).inside.all()
    far = Levels((-9.0, 9.0), (-9.0, 9.0), "by hand")
    assert not support(design, far, everyone).inside.any()
    # the hull of scipy says the same of a grid of corners
    hull = Delaunay(np.column_stack(design.capitals))
    for edge in np.linspace(0.3, 2.5, 12):
        levels = Levels((-edge, edge), (-edge, edge), "by hand")
        found = support(design, levels, everyone).inside[:, 0]
        wanted = hull.find_simplex([levels.at(corner) for corner in CORNERS]) >= 0
        np.testing.assert_array_equal(found, wanted)


def test_a_corner_at_which_a_firm_stands_is_not_beyond_the_firms(design):
    human, social = design.capitals
    most = int(human.argmax())
    at = Levels((human.min(), human[most]), (social[most], social.max()), "by hand")
    found = support(design, at, groups_of(design, "all").members)
    assert found.inside[CORNERS.index("HL"), 0]
    assert not found.inside[CORNERS.index("HH"), 0]


MOVING: dict[str, Any] = {
    "controls": [
        "exporter",
        "region",
        {"product": ["exporter", "human_capital"]},
        {"product": ["social_capital", "region"]},
    ]
}


def moved_mean(design, draws, draw: int, row: int, human: float, social: float) -> float:
    """Expected outcome of one row at one draw; products follow the capitals."""
    p = {name: values[draw] for name, values in draws.population.items()}
    eta = p["intercept"] + p["human_capital"] * human + p["social_capital"] * social
    eta += p["interaction"] * human * social
    frame = firms().iloc[row]
    values = {
        "exporter": frame["exporter"],
        "region[south]": frame["region"] == "south",
        "region[west]": frame["region"] == "west",
        "exporter:human_capital": frame["exporter"] * human,
        "social_capital:region[south]": social * (frame["region"] == "south"),
        "social_capital:region[west]": social * (frame["region"] == "west"),
    }
    assert tuple(values) == design.control_names
    eta += sum(b * x for b, x in zip(draws.controls[draw], values.values(), strict=True))
    return float(expit(eta))


def moved(design, draws, human, social):
    """``(draw,)`` average over all rows."""
    h, s = (np.broadcast_to(level, design.size) for level in (human, social))
    each = [
        [moved_mean(design, draws, d, r, h[r], s[r]) for r in range(design.size)]
        for d in range(draws.size)
    ]
    return np.mean(each, axis=1)


def test_products_with_a_capital_follow_it():
    design = small_design("bernoulli", "interaction", **MOVING)
    draws = known_draws(design, size=3, chains=1, **COEFFICIENTS)
    found = surface_draws(design, draws, LEVELS, groups_of(design, "all").weights)
    human, social = design.capitals
    for name in CORNERS:
        wanted = moved(design, draws, *LEVELS.at(name))
        np.testing.assert_allclose(found.corners[name][:, 0], wanted)
    step = 1e-4
    for name, high, low in (
        ("human_capital", (1.4, social), (-1.2, social)),
        ("social_capital", (human, 1.1), (human, -0.9)),
    ):
        wanted = moved(design, draws, *high) - moved(design, draws, *low)
        np.testing.assert_allclose(found.contrast[name][:, 0], wanted)
    for name, up, down in (
        ("human_capital", (human + step, social), (human - step, social)),
        ("social_capital", (human, social + step), (human, social - step)),
    ):
        wanted = (moved(design, draws, *up) - moved(design, draws, *down)) / (2 * step)
        np.testing.assert_allclose(found.marginal[name][:, 0], wanted, atol=3e-5)


@pytest.mark.parametrize("by", ["all", "industry"])
def test_an_effect_that_runs_through_a_product_alone(by):
    """Nothing but 2 times human capital times exporter: its slope is 2 times exporter."""
    controls = ["exporter", {"product": ["human_capital", "exporter"]}]
    design = small_design("bernoulli", "interaction", controls=controls)
    draws = replace(known_draws(design, spread=0.0), controls=np.tile([0.0, 2.0], (8, 1)))
    groups = groups_of(design, by)
    found = surface_draws(design, draws, LEVELS, groups.weights)
    exporter = firms()["exporter"].to_numpy()
    p = expit(2.0 * exporter * design.capitals[0])
    slope = (p * (1 - p) * 2.0 * exporter) @ groups.weights
    np.testing.assert_allclose(found.marginal["human_capital"], np.tile(slope, (8, 1)), atol=3e-5)
    np.testing.assert_allclose(found.marginal["social_capital"], 0.0, atol=1e-12)
    for name, level in (("LL", -1.2), ("LH", -1.2), ("HL", 1.4), ("HH", 1.4)):
        wanted = expit(2.0 * exporter * level) @ groups.weights
        np.testing.assert_allclose(found.corners[name], np.tile(wanted, (8, 1)))
    np.testing.assert_allclose(found.cross_difference, 0.0, atol=1e-12)


def test_controls_at_the_observed_capitals_are_the_controls():
    design = small_design("bernoulli", "interaction", **MOVING)
    human, social = design.capitals
    np.testing.assert_allclose(controls_at(design, human, social), design.controls)
    away = controls_at(design, 0.0, 1.0)
    np.testing.assert_array_equal(away[:, :3], design.controls[:, :3])
    np.testing.assert_array_equal(away[:, 3], 0.0)
    np.testing.assert_array_equal(away[:, 4:], design.controls[:, 1:3])


def test_controls_without_a_product_stay(design):
    np.testing.assert_array_equal(controls_at(design, 9.0, 9.0), design.controls)


def test_groups_cover_the_rows(design):
    found = declared_groups(design)
    assert [(part.by, part.labels) for part in found] == [
        ("all", ("all",)),
        ("industry", ("I0", "I1")),
        ("cluster", ("C00", "C01", "C02", "C03", "C04", "C05")),
    ]
    for part in found:
        np.testing.assert_array_equal(part.members.sum(axis=1), 1)
        np.testing.assert_allclose(part.weights.sum(axis=0), 1.0)
        assert sum(part.sizes) == design.size


def test_only_declared_groups():
    design = small_design(data={"industry": None, "cluster": None})
    assert [part.by for part in declared_groups(design)] == ["all"]


def test_the_probability_of_reaching_a_level_over_some_of_the_rows() -> None:
    """Curves of one industry average over its rows only."""
    design = small_design("ordinal", "interaction", {"industry": ["intercept"]}, at_least=2)
    draws, groups = known_draws(design, 6), groups_of(design, "industry")
    settings = [Setting(0.5, -0.5)]
    every = outcome_surface(design, draws, settings, groups.weights)
    for k in range(len(groups.labels)):
        own = outcome_surface(design, draws, settings, groups.weights[:, [k]])
        np.testing.assert_allclose(own[:, :, 0], every[:, :, k], rtol=1e-12)
