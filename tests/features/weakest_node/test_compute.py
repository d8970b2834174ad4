"""Which capital holds a group back: from hand-made draws to the rows of the report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bayescluster.design.record import Design
from bayescluster.features.weakest_node.compute import node_draws, node_estimands, weakest_node
from bayescluster.features.weakest_node.results import WeakestNode
from bayescluster.features.weakest_node.spec import WeakestNode as Options
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.forms import Averaged, WeightedForm
from tests.draws import known_draws
from tests.factories import firms, small_design
from tests.systems import equation, system, system_draws

COSTS = {"human_capital": 2.0, "social_capital": 1.0}
CENTRE = {"human_capital": 0.9, "social_capital": 0.3, "interaction": 0.2}
ALONE: dict[str, Any] = {"cluster": None, "industry": None, "firm": None}
VARYING = {"industry": ["human_capital"], "cluster": ["intercept"]}


def asking(design: Design, **block: Any) -> Design:
    options = Options.model_validate(block)
    changed = design.analysis.model_copy(update={"weakest_node": options})
    return replace(design, analysis=changed)


def evidence_of(design: Design, **keys: Any) -> Evidence:
    draws = known_draws(design, size=200, spread=0.2, **(CENTRE | keys))
    return Evidence(design, draws, known_draws(design, size=60, chains=1, seed=9), 1)


def node_for(design: Design, *, passed: bool = True, **block: Any) -> WeakestNode:
    node = weakest_node(node_draws(evidence_of(asking(design, **block))), passed)
    assert node is not None
    return node


def of(rows: Any, by: str) -> list[Any]:
    return [row for row in rows if row.by == by]


@pytest.fixture(scope="module")
def design() -> Design:
    return small_design("bernoulli", "interaction", VARYING, frame=firms(96))


@pytest.fixture(scope="module")
def priced(design) -> WeakestNode:
    return node_for(design, costs=COSTS, budget=40, currency="EUR", level=0.7)


def test_not_asked_not_answered(design):
    assert node_draws(evidence_of(design)) == ()
    assert weakest_node((), True) is None
    assert node_estimands(()) == {}


def test_every_gain_passes_the_gate(design):
    named = node_estimands(node_draws(evidence_of(asking(design))))
    groups = [*(f"industry I{k}" for k in range(2)), *(f"cluster C0{k}" for k in range(6))]
    assert set(named) == {
        f"gain of {option} ({group}; observed)"
        for option in ("human_capital", "social_capital", "both")
        for group in groups
    }
    assert all(values.shape == (200,) for values in named.values())


def test_rows(design, priced):
    assert priced.by == ("industry", "cluster")
    assert priced.targets == (0.25, 0.5, 0.75)
    assert len(priced.options) == 3 * (2 + 6)
    gains = node_draws(evidence_of(asking(design, costs=COSTS)))[0].posterior
    for row in of(priced.options, "industry"):
        k = ("human_capital", "social_capital", "both").index(row.option)
        assert row.estimate.mean == pytest.approx(gains[:, k, int(row.group[1])].mean())
        assert row.fully + row.partly + row.none == pytest.approx(1.0)
        assert row.firms == 48
        assert row.per_cost.mean * row.cost == pytest.approx(row.estimate.mean)
        assert row.per_cost.high * row.cost == pytest.approx(row.estimate.high)
    human = next(r for r in priced.options if (r.group, r.option) == ("I0", "human_capital"))
    assert human.cost == pytest.approx(2.0 * human.taken)


def test_places_ranks_and_losses(priced):
    for by in priced.by:
        placed = [row for row in priced.options if row.by == by and row.place is not None]
        assert [row.place for row in placed] == list(range(1, len(placed) + 1))
        worth = [row.per_cost.mean for row in placed if row.per_cost]
        assert worth == sorted(worth, reverse=True)
        losses = [row.loss for row in placed if row.loss is not None]
        assert losses == pytest.approx([losses[0] + worth[0] - one for one in worth])
        assert sum(row.best or 0.0 for row in placed) == pytest.approx(1.0)
        for row in placed:
            assert sum(row.ranks) == pytest.approx(1.0)
            assert not row.unsupported
    assert all(row.place is None for row in priced.options if row.option == "both")


def test_bottlenecks(design, priced):
    kind = node_draws(evidence_of(asking(design, costs=COSTS)))[0]
    worth, prior = (gains[:, :2] / kind.costs[:2] for gains in (kind.posterior, kind.prior))
    for row in of(priced.nodes, "industry"):
        g = int(row.group[1])
        human, social = worth[:, 0, g], worth[:, 1, g]
        assert row.probability == pytest.approx((human > social).mean())
        assert row.prior_probability == pytest.approx((prior[:, 0, g] > prior[:, 1, g]).mean())
        assert row.loss_human_capital == pytest.approx(np.maximum(social - human, 0).mean())
        assert row.loss_social_capital == pytest.approx(np.maximum(human - social, 0).mean())
        assert (row.better == "human_capital") == (human.mean() > social.mean())
        assert row.difference.mean == pytest.approx((human - social).mean())
        both = kind.posterior[:, :, g]
        assert row.extra.mean == pytest.approx((both[:, 2] - both[:, 0] - both[:, 1]).mean())
        named = row.probability >= 0.7 and "human_capital"
        named = named or (row.probability <= 0.3 and "social_capital") or "undecided"
        assert row.weakest == named


def test_a_gate_that_failed_decides_nothing(design):
    node = node_for(design, passed=False, level=0.51)
    assert {row.weakest for row in node.nodes} == {"undecided"}
    gate = "The diagnostics gate failed: the probability cannot be relied on."
    assert {row.reason for row in node.nodes} == {gate}
    assert all(row.probability is not None for row in node.nodes)


def test_a_plan_spends_no_more_than_there_is_and_counts_whole_firms(priced):
    for plan in priced.plans:
        assert plan.spent == pytest.approx(sum(row.spent for row in plan.rows))
        assert plan.spent <= 40 + 1e-9
        assert plan.gain.mean == pytest.approx(sum(row.estimate.mean for row in plan.rows))
        assert plan.first_best is not None
        assert 0 <= plan.first_best <= 1
        for row in plan.rows:
            assert 0 <= row.firms <= 48
    # smaller groups can be aimed at better
    assert priced.plans[1].gain.mean >= priced.plans[0].gain.mean - 1e-9


def test_without_costs_gains_are_compared_as_they_are(design):
    node = node_for(design)
    assert node.plans == ()
    assert all(row.cost is None and row.per_cost is None for row in node.options)
    note = "No costs were declared: gains are compared as they are, not per unit of cost."
    assert note in node.notes


def test_levels_needed(priced):
    rows = of(priced.needs, "industry")
    assert len(rows) == 2 * 2 * 3
    for row in rows:
        assert row.not_needed + row.not_reached <= 1
        assert row.target_percent == 100 * row.target
        if row.not_needed > 0.5:
            assert row.median.word == "NN"
        if row.not_reached > 0.5:
            assert row.median.word == "NA"
        if row.median.sd is not None:
            # training is 3 + 2 sd in the made firms, so that units differ from sd
            assert row.median.original not in (None, row.median.sd)
            assert 0 <= row.median.percent <= 100


def test_options_of_few_firms_have_no_place(design):
    node = node_for(design, min_support=30, level=0.51)
    options, nodes = of(node.options, "cluster"), of(node.nodes, "cluster")
    assert all("fewer than 30" in row.unsupported for row in options)
    assert all(row.place is None and row.loss is None for row in options)
    assert all(row.weakest == "undecided" for row in nodes)
    assert nodes[0].reason.startswith("Human capital: only ")
    assert nodes[0].probability is not None


def test_where_a_capital_cannot_be_raised_nothing_is_compared():
    frame = firms(96)
    frame.loc[frame["industry"] == "I0", "exporter"] = 0
    constructs = {"human_capital": {"indicators": ["exporter"], "method": "single"}}
    made = small_design("bernoulli", "interaction", constructs=constructs, frame=frame)
    node = node_for(made, costs=COSTS, budget=20)
    first = next(row for row in node.nodes if row.group == "I0")
    assert (first.probability, first.better, first.weakest) == (None, None, "undecided")
    assert first.reason == "Human capital: no firm is below the most that its group supports."
    assert all(
        (r.before, r.after) == ("none", "social_capital")
        for r in node.plans[0].rows
        if r.group == "I0"
    )
    assert node.steps["human_capital"] == 1.0
    assert "Human capital is yes or no: a step is from no to yes." in node.notes
    # a level between no and yes cannot be had
    rows = [row for row in node.needs if row.capital == "human_capital"]
    levels = [end.original for row in rows for end in (row.low, row.median, row.high)]
    assert all(level is None or level == pytest.approx(1.0) for level in levels)
    assert any(level is not None for level in levels)


@pytest.mark.parametrize(
    ("keys", "block", "by"),
    [
        ({"data": ALONE}, {}, ("all",)),
        ({"data": {"cluster": None}}, {}, ("industry",)),
        ({"data": {"weight": "exposure"}}, {}, ("industry", "cluster")),
        ({"family": "gaussian"}, {"by": ["all"]}, ("all",)),
        ({"family": "ordinal"}, {"targets": [1.5]}, ("industry", "cluster")),
        ({"family": "poisson", "exposure": "exposure"}, {}, ("industry", "cluster")),
        ({"structure": "conjunctive"}, {}, ("industry", "cluster")),
        ({"structure": "ces"}, {}, ("industry", "cluster")),
        ({"varying": {"cluster": ["intercept"]}}, {"scope": "new_cluster"}, ("industry",)),
        ({"data": {"firm": "panel"}}, {"costs": COSTS, "budget": 9}, ("industry", "cluster")),
    ],
)
def test_every_kind_of_analysis(keys, block, by):
    made = small_design(frame=firms(96), **keys)
    draws = known_draws(made, size=100), known_draws(made, size=40, chains=1)
    node = weakest_node(node_draws(Evidence(asking(made, **block), *draws, 1)), True)
    assert node is not None
    assert node.by == by
    assert all(np.isfinite(row.estimate.mean) for row in node.options)
    no_targets = (
        "No targets were declared, and the outcome has no default ones: no bottleneck table."
    )
    assert (no_targets in node.notes) == (not node.needs)


def test_weighted_firms_count_by_their_weight():
    made = small_design("gaussian", "interaction", data={"weight": "exposure"}, frame=firms(96))
    (kind,) = node_draws(evidence_of(asking(made, by=["all"])))
    assert made.weights is not None
    weights = made.weights.average / made.weights.average.sum()
    human, social = made.capitals
    up = np.clip(np.quantile(human, 0.95) - human, 0, 1)
    p = known_draws(made, size=200, spread=0.2, **CENTRE).population
    slope = p["human_capital"][:, None] + p["interaction"][:, None] * social
    np.testing.assert_allclose(kind.posterior[:, 0, 0], (slope * up) @ weights, rtol=1e-10)
    assert kind.reach.fully[0, 0] == pytest.approx(weights @ (up == 1))


def test_gains_of_several_equations_are_total():
    equations = {
        "buyers": equation("buyers", family="gaussian"),
        "upgrading": equation("growth", family="gaussian", predictors=["buyers"]),
    }
    made = asking(system(equations), by=["all"], support=1.0)
    draws = system_draws(made, size=20)
    (kind,) = node_draws(Evidence(made, draws, system_draws(made, size=20), 1))
    human = made.capitals[0]
    up = np.clip(human.max() - human, 0, 1).mean()
    ((buyers, upstream),) = draws.upstream
    scale = float(made.data["predictor_scale"][0])
    slope = draws.population["human_capital"]
    slope = slope + draws.population["buyers"] * upstream.population["human_capital"] / scale
    np.testing.assert_allclose(kind.posterior[:, 0, 0], slope * up, rtol=1e-9)
    assert buyers.equation_name == "buyers"


def test_several_forms_are_mixed_by_weight():
    made = [asking(small_design(structure=name)) for name in ("additive", "interaction")]
    evidence = [evidence_of(one, human_capital=1.0 + k) for k, one in enumerate(made)]
    own = [weakest_node(node_draws(one), True) for one in evidence]
    forms = [
        WeightedForm(one.design.structure.name, weight, one)
        for one, weight in zip(evidence, (0.25, 0.75), strict=True)
    ]
    mixture, weighed = Averaged(forms), list(zip((0.25, 0.75), own, strict=True))
    node = weakest_node(node_draws(mixture, mixture.parts), True, weighed)
    assert node is not None
    assert node.draws == 2000
    assert node.notes[0] == "Gains are averaged over 2 forms by their weights."
    estimates = [{(r.group, r.option): r.estimate for r in one.options} for one in own if one]
    for row in node.options:
        first, second = (one[row.group, row.option].mean for one in estimates)
        assert row.estimate.mean == pytest.approx(0.25 * first + 0.75 * second, abs=2e-3)
        assert row.estimate.rhat is None
    for row, *parts in zip(node.nodes, *(one.nodes for one in own if one), strict=True):
        priors = [one.prior_probability or 0.0 for one in parts]
        assert row.prior_probability == pytest.approx(0.25 * priors[0] + 0.75 * priors[1])
