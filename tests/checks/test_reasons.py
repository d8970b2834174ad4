from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayescluster.checks.reasons import EXPLAINS, CheckedFit, likely_reasons
from bayescluster.checks.remedies import ADVICE, ANY, TITLES, advice_for, predictive_of
from bayescluster.families import FAMILIES
from bayescluster.results.fit import CheckItem, Gate
from bayescluster.results.model import PredictiveRow
from tests.factories import firms, small_design

CHAINS, DRAWS = 4, 500
RNG = np.random.default_rng(33)
VARYING = {"cluster": {"terms": ["intercept", "human_capital"], "centred": ["intercept"]}}
FIRMS = firms(rows=240, industries=2, clusters=3)
DESIGN = small_design(varying=VARYING, frame=FIRMS, structure="additive")
CHECKS = ("R-hat", "ESS, bulk", "ESS, tail", "Divergences", "E-BFMI", "Tree depth")


def gate(*failed: str, worst: tuple[str, ...] = ()) -> Gate:
    items = [
        CheckItem(
            name=name,
            question="?",
            found="",
            threshold="",
            passed=name not in failed,
            worst=worst if name in failed else (),
        )
        for name in CHECKS
    ]
    return Gate(passed=not failed, items=tuple(items))


def normal(*shape: int) -> Any:
    return RNG.normal(size=(CHAINS, DRAWS, *shape))


def tree(
    sd: Any = None, effect: Any = None, diverging: Any = None, energy: Any = None, **changes: Any
) -> xr.DataTree:
    sd = np.exp(0.3 * normal(2)) if sd is None else sd
    effect = normal(6, 2) if effect is None else effect
    variables = {
        "population": (("chain", "draw", "term"), normal(3)),
        "cluster_sd": (("chain", "draw", "cluster_term"), sd),
        "cluster_effect": (("chain", "draw", "cluster", "cluster_term"), effect),
    } | changes
    coords = {
        "term": list(DESIGN.structure.terms),
        "cluster_term": ["intercept", "human_capital"],
        "cluster": list(DESIGN.group_labels("cluster")),
    }
    lead = ("chain", "draw")
    hit = np.zeros((CHAINS, DRAWS), bool) if diverging is None else diverging
    stats = {"diverging": (lead, hit), "energy": (lead, normal() if energy is None else energy)}
    return xr.DataTree.from_dict(
        {"posterior": xr.Dataset(variables, coords), "sample_stats": xr.Dataset(stats)}
    )


def reasons(
    found: Gate, drawn: xr.DataTree | None = None, design: Any = DESIGN, **more: Any
) -> Any:
    return likely_reasons(CheckedFit(design, drawn or tree(), **more), found)


def one(found: Any, kind: str) -> Any:
    (reason,) = [each for each in found if each.kind == kind]
    return reason


def neck(sd: Any, term: int, share: float) -> Any:
    """Divergences, most of them where one sd is small."""
    low = np.argwhere(sd[..., term] < np.quantile(sd[..., term], 0.2))[: round(20 * share)]
    high = np.argwhere(sd[..., term] > np.quantile(sd[..., term], 0.5))[: round(20 * (1 - share))]
    hit = np.zeros((CHAINS, DRAWS), bool)
    hit[tuple(np.concatenate([low, high]).T)] = True
    return hit


def test_good_draws_of_a_good_design_have_no_reason():
    assert reasons(gate()) == ()


def test_nothing_is_recognised_where_nothing_shows():
    assert reasons(gate("R-hat", worst=("population[intercept]",))) == ()


@pytest.mark.parametrize(
    ("term", "kind", "setting"),
    [(0, "centred_funnel", "equations.upgrading.varying.cluster.centred"), (1, "funnel", "")],
)
def test_divergences_in_the_neck_name_grouping_and_term(term, kind, setting):
    sd = np.exp(normal(2))
    found = reasons(gate("Divergences"), tree(sd=sd, diverging=neck(sd, term, 0.9)))
    assert [each.kind for each in found] == [kind]
    name = ("intercept", "human_capital")[term]
    assert (found[0].level, found[0].term) == ("cluster", name)
    assert found[0].parameters == (f"cluster_sd[{name}]",)
    assert found[0].number == pytest.approx(0.9)
    assert found[0].checks == ("Divergences",)
    assert found[0].setting == setting
    assert ("centred: false" in found[0].advice) == (term == 0)


def test_divergences_anywhere_are_no_funnel():
    sd = np.exp(normal(2))
    assert reasons(gate("Divergences"), tree(sd=sd, diverging=neck(sd, 0, 0.25))) == ()


def test_few_divergences_say_nothing_of_their_place():
    sd = np.exp(normal(2))
    hit = neck(sd, 0, 1.0)
    kept = np.argwhere(hit)[:3]
    few = np.zeros_like(hit)
    few[tuple(kept.T)] = True
    assert reasons(gate("Divergences"), tree(sd=sd, diverging=few)) == ()


def test_that_a_sd_moves_with_the_spread_of_its_effects_is_no_sign_of_a_funnel():
    sd = np.exp(normal(2))
    effect = normal(6, 2) * sd[..., None, :]
    spread = np.log(np.square(effect[..., 1]).mean(axis=-1)) / 2
    assert np.corrcoef(spread.ravel(), np.log(sd[..., 1]).ravel())[0, 1] > 0.9
    worst = ("cluster_sd[human_capital]",)
    assert reasons(gate("R-hat", "Divergences", worst=worst), tree(sd=sd, effect=effect)) == ()


def test_effects_sampled_centred_that_their_groups_do_not_know_are_named():
    sd = np.exp(0.5 * normal(2))
    drawn = tree(sd=sd, effect=normal(6, 2) * sd[..., None, :])
    found = reasons(gate("ESS, bulk", worst=("cluster_sd[intercept]",)), drawn)
    assert [(each.kind, each.term) for each in found] == [("centred_funnel", "intercept")]
    assert found[0].found.startswith("6 of 6 groups take less than 50% of the prior variance")
    # the slope is sampled non-centred already, and an effect of the population is none of a group
    assert reasons(gate("ESS, bulk", worst=("cluster_sd[human_capital]",)), drawn) == ()
    assert reasons(gate("ESS, bulk", worst=("controls[size]",)), drawn) == ()


def test_one_giant_group_is_named_with_its_rows_and_the_remedy():
    sd, slope = np.exp(0.2 * normal(2)), normal(3)
    effect = normal(6, 2) * sd[..., None, :]
    # the coefficient of the third group is known: what it deviates by makes up for the population's
    effect[..., 2, 1] = 0.3 - slope[..., 1] + 0.05 * normal()
    drawn = tree(sd=sd, effect=effect, population=(("chain", "draw", "term"), slope))
    found = reasons(gate("R-hat", worst=("cluster_sd[human_capital]",)), drawn)
    assert [(each.kind, each.checks) for each in found] == [("dominant_groups", ("R-hat",))]
    giant, (rows, *_) = DESIGN.group_labels("cluster")[2], [40]
    assert found[0].groups == (giant,)
    assert found[0].found == (
        f"the rows of {giant} ({rows} of 240 rows) take 100% of the prior variance of human_capital "
        "by cluster away"
    )
    assert found[0].advice == (
        "sample human_capital by cluster centred (equations.upgrading.varying.cluster.centred: true): "
        f"{giant} knows far more of its human_capital than the other groups do"
    )
    assert (found[0].setting, found[0].value) == (
        "equations.upgrading.varying.cluster.centred",
        "true",
    )
    other = reasons(gate("R-hat", worst=("population[social_capital]",)), drawn)
    assert other == ()


def test_chains_far_apart_are_no_funnel_by_themselves():
    shift = np.array([0.0, 1.0, 2.0, 3.0])[:, None, None]
    sd = np.exp(0.3 * normal(2) + shift)
    effect = np.exp(shift)[..., None] * (1 + 0.3 * normal(6, 2))
    found = reasons(gate("R-hat", worst=("cluster_sd[intercept]",)), tree(sd=sd, effect=effect))
    assert [each.kind for each in found] == ["several_modes"]


def test_effects_known_better_than_their_sd_are_an_inverted_funnel():
    sd = np.exp(0.6 * normal(2))
    effect = np.arange(1.0, 7.0)[:, None] + 0.02 * normal(6, 2)
    found = reasons(
        gate("ESS, bulk", worst=("cluster_sd[human_capital]",)), tree(sd=sd, effect=effect)
    )
    assert [(each.kind, each.term) for each in found] == [("inverted_funnel", "human_capital")]
    assert found[0].number < -0.8
    assert found[0].value == "true"  # the intercept is centred already


def test_chains_in_different_places_are_several_modes():
    values = normal(3)
    values[:2, :, 1] += 6
    drawn = tree(population=(("chain", "draw", "term"), values))
    worst = ("population[human_capital]", "population[intercept]")
    reason = one(reasons(gate("R-hat", worst=worst), drawn), "several_modes")
    assert reason.parameters == ("population[human_capital]",)
    assert reasons(gate("R-hat", worst=("population[intercept]",)), drawn) == ()
    assert reason.number > 2
    assert "more draws will not help" in reason.advice


def test_chains_on_their_way_are_not_several_modes():
    values = normal(3)
    values[:2, :, 1] += np.linspace(12, 0, DRAWS)
    drawn = tree(population=(("chain", "draw", "term"), values))
    assert reasons(gate("R-hat", worst=("population[human_capital]",)), drawn) == ()


def test_heavy_tails_are_named():
    values = normal(3)
    values[..., 2] = RNG.standard_t(2, size=(CHAINS, DRAWS))
    drawn = tree(population=(("chain", "draw", "term"), values))
    reason = one(reasons(gate("E-BFMI"), drawn), "heavy_tails")
    assert reason.parameters == ("population[social_capital]",)
    assert reason.number > 3


def test_what_the_energy_is_slow_along_is_named():
    values = normal(3)
    population = (("chain", "draw", "term"), values)
    drawn = tree(energy=3 * values[..., 0] + normal(), population=population)
    reason = one(reasons(gate("E-BFMI"), drawn), "heavy_tails")
    assert reason.parameters == ("population[intercept]",)


def changed(**columns: Any) -> pd.DataFrame:
    return FIRMS.assign(**columns)


def test_separated_outcomes_are_told_whether_or_not_the_gate_passed():
    frame = changed(upgraded=(FIRMS["training"] > 3).astype(int))
    design = small_design(structure="additive", frame=frame)
    reason = one(reasons(gate(), design=design), "separation")
    assert reason.parameters == ("human_capital",)
    assert reason.checks == ()
    assert reason.found.startswith("complete separation by human_capital: 100% of 240 rows")
    reason = one(reasons(gate("Tree depth"), design=design), "separation")
    assert reason.checks == ("Tree depth",)


def test_capitals_that_rise_together():
    noise = np.random.default_rng(1).normal(size=240)
    frame = changed(trust=FIRMS["training"] + 0.8 * noise)
    design = small_design(structure="additive", frame=frame)
    reason = one(reasons(gate(), design=design), "collinear_capitals")
    expected = np.corrcoef(frame["training"], frame["trust"])[0, 1]
    assert reason.number == pytest.approx(expected)
    assert "tell the capitals apart" in reason.advice


def test_an_empty_corner_is_named():
    # nobody has little human capital and much social capital
    away = (FIRMS["training"] < 3) & (FIRMS["trust"] > 50)
    frame = FIRMS[~away]
    design = small_design(structure="additive", frame=frame)
    corner = [each for each in reasons(gate(), design=design) if each.kind == "empty_corner"]
    assert [each.parameters for each in corner] == [("corner LH",)]
    assert "low human capital and high social capital" in corner[0].found
    assert corner[0].groups == ()


def test_a_corner_empty_in_one_industry_names_it():
    away = (FIRMS["training"] < 3) & (FIRMS["trust"] > 50) & (FIRMS["industry"] == "I1")
    design = small_design(structure="additive", frame=FIRMS[~away])
    corner = [each for each in reasons(gate(), design=design) if each.kind == "empty_corner"]
    assert [(each.parameters, each.groups) for each in corner] == [(("corner LH",), ("I1",))]


def predictive(by: str, statistic: str, tail: float) -> PredictiveRow:
    return PredictiveRow(
        by=by,  # type: ignore[arg-type]
        group="all",
        rows=240,
        statistic=statistic,
        observed=9.0,
        low=1.0,
        high=2.0,
        tail=tail,
        flagged=min(tail, 1 - tail) < 0.01,
    )


def test_a_family_that_does_not_make_such_data():
    design = small_design(family="poisson", structure="additive", frame=FIRMS)
    rows = (
        predictive("all", "mean", 0.4),
        predictive("all", "sd", 0.0),
        predictive("cluster", "mean", 0.0),
    )
    found = reasons(gate(), design=design, predictive={"upgrading": rows})
    reason = one(found, "misspecified_family")
    assert reason.parameters == ("sd",)
    assert "negative_binomial" in reason.advice
    assert "sd 9 observed, 1 to 2 replicated" in reason.found


@pytest.mark.parametrize(
    ("worst", "kinds"),
    [
        ("cluster_sd[intercept]", set()),
        ("population[intercept]", set()),
        ("population[human_capital]", {"collinear_capitals"}),
        ("effect of social_capital (all; observed)", {"collinear_capitals"}),
        ("corner LH (all; observed; 10% and 90%)", {"empty_corner"}),
        ("corner HH (all; observed; 10% and 90%)", set()),
    ],
)
def test_what_design_shows_explains_only_what_it_concerns(worst, kinds):
    noise = np.random.default_rng(1).normal(size=240)
    frame = changed(trust=FIRMS["training"] + 0.8 * noise)
    away = (frame["training"] < 3) & (frame["trust"] > frame["trust"].median())
    design = small_design(structure="additive", frame=frame[~away])
    found = reasons(gate("R-hat", worst=(worst,)), design=design)
    assert {each.kind for each in found} >= {"collinear_capitals", "empty_corner"}
    assert {each.kind for each in found if each.checks} == kinds


def test_every_reason_has_title_checks_and_advice():
    assert set(TITLES) == set(EXPLAINS)
    of_any = {kind for check, kind in ADVICE if check == ANY}
    assert of_any | {"misspecified_family"} == set(TITLES)
    for name in FAMILIES:
        assert advice_for(predictive_of(name), "misspecified_family").text
    assert all(advice.text and advice.source for advice in ADVICE.values())
    assert {check for check, kind in ADVICE if kind is None} >= set(CHECKS)
