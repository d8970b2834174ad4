"""Claims by the categories of a column, alone and within industries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import expit

from bayescluster.app.effects import corner_tables, differences, effect_rows, ranks
from bayescluster.dataset.values import sorted_labels
from bayescluster.design.arrays import resized
from bayescluster.errors import BayesClusterError
from bayescluster.estimands.levels import CORNERS, default_levels, support
from bayescluster.estimands.scopes import groups_of
from bayescluster.model.evaluate import linear_predictor
from bayescluster.names import group_name
from bayescluster.runs.keys import fit_key, key_of_arrays
from bayescluster.spec.hypotheses import Effect
from bayescluster.verdicts.decide import verdicts
from bayescluster.verdicts.evidence import Evidence
from tests.draws import known_draws
from tests.factories import analysis_of, firms, small_design

H, S = "human_capital", "social_capital"
VARYING = {"industry": ["intercept", H], "region": ["intercept", H], "cluster": ["intercept"]}
BOTH = "industry x region"


def effect(**keys: Any) -> dict[str, Any]:
    return {"kind": "effect", "capital": H} | keys


def difference(**keys: Any) -> dict[str, Any]:
    return {"kind": "difference", "capital": H} | keys


def made(*claims: dict[str, Any], **keys: Any) -> Evidence:
    varying = keys.pop("varying", VARYING)
    frame = keys.pop("frame", None)
    design = small_design(
        "bernoulli",
        "interaction",
        varying,
        frame=firms(240) if frame is None else frame,
        hypotheses=claims,
        **keys,
    )
    draws = known_draws(design, 200, 2, seed=2, human_capital=1.0)
    return Evidence(design, draws, known_draws(design, 100, 1, seed=3), 7)


def refused(*claims: dict[str, Any], frame: Any = None, **keys: Any) -> str:
    with pytest.raises(BayesClusterError) as caught:
        small_design("bernoulli", "interaction", frame=frame, hypotheses=claims, **keys)
    return str(caught.value)


def test_an_effect_is_averaged_over_the_firms_of_a_category():
    evidence = made(effect(by="region"), effect(by=["industry", "region"]))
    assert evidence.kinds == ("all", "industry", "region", BOTH, "cluster")
    design, draws, frame = evidence.design, evidence.posterior, firms(240)
    eta = linear_predictor(design, draws)
    slope = draws.population[H][:, None]
    for name in ("industry", "region"):
        group = draws.groups[name]
        slope = slope + group.effect[:, group.member, 1]
    slope = slope + draws.population["interaction"][:, None] * design.capitals[1]
    # the derivative of each row by the difference that the product takes
    rows = (expit(eta + 0.01 * slope) - expit(eta - 0.01 * slope)) / 0.02
    found = {(row.by, row.group): row for row in effect_rows(evidence, {}) if row.capital == H}
    found = {key: row for key, row in found.items() if key[0] in ("region", BOTH)}
    west = (frame.region == "west").to_numpy()
    assert ("region", "west") in found
    surface = evidence.surface("observed", default_levels(design)).marginal[H]
    column = {label: k for k, label in evidence.columns("region")}["west"]
    np.testing.assert_allclose(surface[:, column], rows[:, west].mean(axis=1), atol=1e-9)
    both = west & (frame.industry == "I1").to_numpy()
    column = {label: k for k, label in evidence.columns(BOTH)}["I1 x west"]
    np.testing.assert_allclose(surface[:, column], rows[:, both].mean(axis=1), atol=1e-9)
    assert found[BOTH, "I1 x west"].rows == both.sum()


def test_support_is_counted_within_the_category():
    evidence = made({"kind": "necessary", "capital": H, "by": "region", "min_support": 30})
    design, levels = evidence.design, default_levels(evidence.design)
    member = (firms(240).region == "west").to_numpy()[:, None]
    own = support(design, levels, member).firms[:, 0]
    (verdict,) = (
        each
        for each in verdicts(design.analysis.hypotheses, evidence, True)
        if each.group == "west"
    )
    assert verdict.by == "region"
    shown = {figure.label: figure.support for figure in verdict.figures if figure.support}
    wanted = sorted(own[CORNERS.index(corner)] for corner in ("LL", "LH", "HH"))
    assert sorted(shown.values()) == pytest.approx(wanted)
    assert "fewer than 30" in verdict.unsupported


def test_categories_are_compared_and_ranked():
    evidence = made(difference(by="region"), difference(by=["industry", "region"]))
    found = verdicts(evidence.design.analysis.hypotheses, evidence, True)
    assert [(each.by, each.group) for each in found[:3]] == [
        ("region", "north over south"),
        ("region", "north over west"),
        ("region", "south over west"),
    ]
    # within an industry only
    assert [each.group for each in found[3:]] == [
        f"{k} x {a} over {k} x {b}"
        for k in ("I0", "I1")
        for a, b in (("north", "south"), ("north", "west"), ("south", "west"))
    ]
    assert found[0].title == "Human capital matters more in the first group than in the second"
    assert "in the first group less that in the second" in found[0].region
    rows = {(row.by, row.first, row.second) for row in differences(evidence)}
    assert ("region", "north", "west") in rows
    assert (BOTH, "I1 x north", "I1 x south") in rows
    places = [row for row in ranks(evidence) if row.capital == H and row.by == "region"]
    assert [row.group for row in places] == ["north", "south", "west"]
    np.testing.assert_allclose(np.sum([row.probabilities for row in places], axis=0), 1.0)


def test_a_pair_of_categories_is_named_once_for_all_industries():
    evidence = made(difference(by=["industry", "year"], between=[2003, 2001]))
    found = verdicts(evidence.design.analysis.hypotheses, evidence, True)
    assert [each.group for each in found] == [
        "I0 x 2003 over I0 x 2001",
        "I1 x 2003 over I1 x 2001",
    ]
    assert group_name(found[0].by, found[0].group) == "I0, year 2003 over I0, year 2001"


def test_the_same_firms_as_if_in_one_category():
    """What a category does to an effect: its own terms for all firms, the cluster as it is."""
    evidence = made(difference(by="region", firms="all"))
    design, draws = evidence.design, evidence.posterior
    region = draws.groups["region"]
    own = region.effect[:, region.member]  # (draw, row, term)
    human, social = design.capitals
    slope = draws.population[H][:, None] + draws.population["interaction"][:, None] * social
    industry = draws.groups["industry"]
    slope = slope + industry.effect[:, industry.member, 1]
    rest = linear_predictor(design, draws) - own[:, :, 0] - own[:, :, 1] * human
    for place in range(3):
        there = rest + region.effect[:, [place], 0] + region.effect[:, [place], 1] * human
        step = 0.01 * (slope + region.effect[:, [place], 1])
        wanted = ((expit(there + step) - expit(there - step)) / 0.02).mean(axis=1)
        found = evidence.standardised("region", place, default_levels(design)).marginal[H]
        np.testing.assert_allclose(found[:, 0], wanted, atol=1e-9)


def test_corners_of_a_scope_leave_out_what_is_new_in_it():
    evidence = made(
        {"kind": "necessary", "capital": H, "by": "region", "scope": "new_cluster"},
        {"kind": "necessary", "capital": H, "by": "region", "scope": "new_industry"},
        effect(by=["industry", "region"]),
    )
    tables = {
        table.scope: table for table in corner_tables(evidence, evidence.design.analysis.hypotheses)
    }
    kinds = {scope: {row.by for row in table.rows} for scope, table in tables.items()}
    assert kinds == {
        "observed": {"all", "industry", "region", BOTH, "cluster"},
        "new_cluster": {"all", "industry", "region", BOTH},
        "new_industry": {"all", "region"},
    }


def test_a_firm_without_a_category_counts_in_none():
    frame = firms(240)
    frame.loc[[3, 5], "region"] = None
    varying = {"industry": ["intercept", H]}
    evidence = made(effect(by="region"), varying=varying, frame=frame)
    design = evidence.design
    assert design.size == 240
    groups = groups_of(design, "region")
    assert groups.members.sum() == 238
    assert not groups.members[[3, 5]].any()
    notes = design.details.notes
    assert "2 of 240 rows lack region: they count in none of its groups." in notes
    assert (
        "No slope varies by region: its groups can differ by their firms only, not in what a capital "
        "does. Add it under varying, as `region: all`."
    ) in notes
    larger = resized(design, 2.0, 1.0, np.random.default_rng(1))
    assert groups_of(larger, "region").members.sum() == 2 * 238
    assert larger.group_labels("region") == design.group_labels("region")


def test_small_categories_are_named_before_the_fit():
    frame = firms(240)
    frame.loc[:11, "region"] = "east"
    notes = made(effect(by="region"), frame=frame).design.details.notes
    assert (
        "Fewer than 40 rows in region east: they say little by themselves, and claims about corners "
        "are seldom assessable."
    ) in notes


def test_a_claim_asked_later_keeps_the_fit_and_makes_the_arrays_anew():
    before, after = (
        analysis_of(hypotheses=claims) for claims in ((effect(),), (effect(by="region"),))
    )
    assert fit_key(before, "0") == fit_key(after, "0")
    assert key_of_arrays("k", before) == "k" != key_of_arrays("k", after)


def test_groups_of_two_columns_are_in_the_order_of_each():
    frame = firms(240)
    frame["tier"] = np.arange(240) // 8 % 12 + 1
    design = small_design(frame=frame, hypotheses=[effect(by=["industry", "tier"])])
    labels = design.group_labels("industry x tier")
    tiers = [label.split(" x ")[1] for label in labels if label.startswith("I0")]
    assert tiers == sorted_labels(tiers)
    assert labels.index("I0 x 2") < labels.index("I0 x 10") < labels.index("I1 x 2")


MESSAGES = {
    "unknown column": ([effect(by="regoin")], "no column 'regoin' in the data (moderator)"),
    "column of the industry": (
        [effect(by="industry_code")],
        "'industry_code' is the column of the industry\n    write `industry` here",
    ),
    "firm": ([effect(by="firm")], "effect asks by firm, but results are of groups of firms"),
    "all within": (
        [effect(by=["industry", "all"])],
        (
            "by combines industry and all, which are not two columns\n"
            "    name two columns, the second within the first"
        ),
    ),
    "numbers": (
        [effect(by="growth")],
        (
            "'growth' has 240 different values: by asks for categories\n"
            "    make few groups of it by `derive` under data (recode, or above)"
        ),
    ),
    "reserved": ([effect(by="outcome")], "effect cannot ask by a column called 'outcome'"),
    "the outcome": ([effect(by="upgraded")], "'upgraded' is the outcome, and a moderator"),
    "an indicator": (
        [effect(by="trust")],
        "the moderator 'trust' is an indicator of social_capital",
    ),
    "unknown category": (
        [difference(by="region", between=["north", "east"])],
        "no firm is in a group called 'east'",
    ),
    "one category": (
        [difference(by="alone")],
        "a difference needs two groups, and all firms are in 'alone here'",
    ),
}


@pytest.mark.parametrize(("claims", "message"), MESSAGES.values(), ids=MESSAGES)
def test_messages(claims: list[dict[str, Any]], message: str):
    frame = firms(240)
    frame["industry_code"], frame["alone"], frame["outcome"] = frame["industry"], "here", "a"
    industry = {"data": {"industry": "industry_code"}} if "industry_code" in message else {}
    assert message in refused(*claims, frame=frame, **industry)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"by": ["cluster", "region"], "scope": "new_cluster"},
            "by: cluster takes scope: observed",
        ),
        (
            {"by": ["industry", "region"], "scope": "new_industry"},
            "cannot ask about a new industry",
        ),
    ],
)
def test_scopes_that_contradict_the_groups(keys: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        Effect.model_validate(effect(**keys))
