from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy.special import expit, logit

from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.verdicts.compensation import (
    OutcomeScale,
    as_seen_by,
    compensation,
    outcome_scale,
)
from bayescluster.verdicts.regions import (
    TITLES,
    corner_of,
    percent,
    reason_of,
    region_of,
    title_of,
)
from tests.factories import small_design

CLAIM: TypeAdapter[Any] = TypeAdapter(Hypothesis)
H, S = "human_capital", "social_capital"
YES_OR_NO = outcome_scale(small_design("bernoulli", "additive"))
AMOUNT = outcome_scale(small_design("gaussian", "additive"))
COUNT = outcome_scale(small_design("poisson", "additive"))


def claim(kind: str, **keys: Any) -> Any:
    return CLAIM.validate_python({"kind": kind, **keys})


def corners(*values: float) -> dict[str, Any]:
    """One draw of one group: both low, human alone, social alone, both high."""
    return {name: np.array([[value]]) for name, value in zip(ORDER, values, strict=True)}


ORDER = ("LL", "HL", "LH", "HH")
RNG = np.random.default_rng(5)
MANY = {name: RNG.beta(0.7, 1.2, (4000, 1)) for name in ORDER}
LL, HL, LH, HH = (MANY[name] for name in ORDER)
SPAN = logit(HH) - logit(LL)
COVERED = {"LH": (logit(LH) - logit(LL)) / SPAN, "HL": (logit(HL) - logit(LL)) / SPAN}


def necessary(p: Any, name: str, ratio: float = 1 / 3, kappa: float = 0.4) -> Any:
    """The rule of a probability written out: assessable, low, and not made up for."""
    return (HH >= 0.25) & (SPAN >= 0.5) & (p <= ratio * HH) & (COVERED[name] <= kappa)


EVENTS: list[tuple[str, dict[str, Any], Any]] = [
    ("necessary", {"capital": H}, necessary(LH, "LH")),
    ("necessary", {"capital": S}, necessary(HL, "HL")),
    ("necessary", {"capital": H, "eps": 0.05}, necessary(LH, "LH") & (LH <= 0.05)),
    ("necessary", {"capital": H, "ratio": 0.1}, necessary(LH, "LH", ratio=0.1)),
    ("necessary", {"capital": H, "kappa": 0.1}, necessary(LH, "LH", kappa=0.1)),
    ("necessary", {"capital": H, "assess": 0.8}, necessary(LH, "LH") & (HH >= 0.8)),
    ("not_sufficient", {"capital": H}, (HH >= 0.25) & (HL <= 0.5) & (HH - HL >= 0.1)),
    (
        "not_sufficient",
        {"capital": S, "theta_not": 0.3, "delta": 0.4},
        (HH >= 0.25) & (LH <= 0.3) & (HH - LH >= 0.4),
    ),
    ("sufficient", {"capital": H}, (HL >= 0.75) & (LL < 0.75)),
    ("sufficient", {"capital": S, "theta": 0.4}, (LH >= 0.4) & (LL < 0.4)),
    (
        "sufficient",
        {"capital": H, "ratio": 0.7},
        (HH >= 0.25) & (HL >= 0.7 * HH) & (LL < 0.7 * HH),
    ),
    (
        "necessary_not_sufficient",
        {"capital": H},
        necessary(LH, "LH") & (HL <= 0.5) & (HH - HL >= 0.1),
    ),
    ("joint_sufficiency", {}, (HH >= 0.75) & (LL < 0.75)),
    ("joint_sufficiency", {"theta": 0.5}, (HH >= 0.5) & (LL < 0.5)),
    (
        "complementarity",
        {},
        (HH - HL - LH + LL > 0.05) & (logit(HH) - logit(HL) - logit(LH) + logit(LL) > 0),
    ),
    (
        "complementarity",
        {"margin": 0.3},
        (HH - HL - LH + LL > 0.3) & (logit(HH) - logit(HL) - logit(LH) + logit(LL) > 0),
    ),
]


@pytest.mark.parametrize(("kind", "keys", "wanted"), EVENTS)
def test_events_are_the_rules_written_out(kind, keys, wanted):
    found = region_of(claim(kind, **keys), MANY, YES_OR_NO).event
    np.testing.assert_array_equal(found, wanted)
    assert 0 < found.mean() < 1


WORDS = {
    "necessary": (
        "expected outcome at least 0.25 with both high; with it low and the other high, at most 0.333 of "
        "that with both high; the other capital alone covers at most 40% of the way from both low to "
        "both high (logit scale)"
    ),
    "not_sufficient": (
        "expected outcome at least 0.25 with both high; with it high and the other low, at most 0.5; with "
        "it high and the other low, at least 0.1 below that with both high"
    ),
    "sufficient": (
        "expected outcome with it high and the other low at least 0.75; below that with both low"
    ),
    "joint_sufficiency": "expected outcome at least 0.75 with both high; below that with both low",
    "complementarity": (
        "cross difference of the four corners above 0.05 (expected outcome); and above 0 on the logit "
        "scale, where a compensatory model has none"
    ),
}


@pytest.mark.parametrize("kind", WORDS)
def test_regions_are_printed_whole(kind):
    keys = {} if kind in ("joint_sufficiency", "complementarity") else {"capital": H}
    assert region_of(claim(kind, **keys), MANY, YES_OR_NO).words == WORDS[kind]


def test_both_at_once_is_printed_as_both():
    words = region_of(claim("necessary_not_sufficient", capital=H), MANY, YES_OR_NO).words
    short = WORDS["not_sufficient"].removeprefix("expected outcome at least 0.25 with both high; ")
    assert words == f"{WORDS['necessary']}; {short}"


@pytest.mark.parametrize("intercept", [-6.0, -3.0, -1.0, 0.0, 2.0])
@pytest.mark.parametrize("slopes", [(1.0, 1.0), (1.6, 0.4)])
def test_an_additive_logit_splits_the_way_whatever_the_base_rate(intercept, slopes):
    human, social = slopes
    p = {
        name: np.array([[expit(intercept + human * h + social * s)]])
        for name, (h, s) in zip(ORDER, [(-1, -1), (1, -1), (-1, 1), (1, 1)], strict=True)
    }
    found = compensation(as_seen_by(p, H), YES_OR_NO)
    assert found.own[0, 0] == pytest.approx(human / 2)
    assert found.other[0, 0] == pytest.approx(social / 2)
    assert found.interaction[0, 0] == pytest.approx(0, abs=1e-9)
    # neither is needed more than its share, though at -3 both are rare alone
    assert not region_of(claim("necessary", capital=S), p, YES_OR_NO).event.any()
    link = region_of(claim("complementarity", margin=0), p, YES_OR_NO)
    assert found.span[0, 0] == pytest.approx(4.0)
    assert {part.name: bool(part.event.any()) for part in link.parts}["link"] is False


def test_a_hair_below_a_limit_is_no_necessity():
    p = corners(0.09, 0.10, 0.099, 0.101)
    found = region_of(claim("necessary", capital=H, assess=0.05), p, YES_OR_NO)
    assert not found.event.any()


def test_a_hair_below_both_high_is_not_short_of_it():
    p = corners(0.05, 0.26, 0.05, 0.27)
    found = region_of(claim("not_sufficient", capital=H), p, YES_OR_NO)
    assert found.assessable is not None
    assert found.assessable.event.all()
    assert not found.event.any()


GATES = corners(0.02, 0.05, 0.05, 0.80)


def test_gates_make_both_necessary_and_neither_sufficient():
    for capital in (H, S):
        assert region_of(claim("necessary_not_sufficient", capital=capital), GATES, YES_OR_NO).event
        assert not region_of(claim("sufficient", capital=capital), GATES, YES_OR_NO).event
    assert region_of(claim("joint_sufficiency"), GATES, YES_OR_NO).event
    assert region_of(claim("complementarity"), GATES, YES_OR_NO).event


@pytest.mark.parametrize("height", [0.01, 0.1, 0.3, 0.5, 0.75, 0.99])
@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("necessary", {"capital": H}),
        ("necessary", {"capital": S, "ratio": 0.9, "kappa": 0.9}),
        ("sufficient", {"capital": H, "theta": 0.3}),
        ("sufficient", {"capital": S, "ratio": 0.1}),
        ("sufficient", {"capital": H, "ratio": 1.0}),
        ("not_sufficient", {"capital": H, "theta_not": 1.0}),
        ("necessary_not_sufficient", {"capital": S, "theta_not": 1.0}),
        ("joint_sufficiency", {"theta": 0.3}),
        ("complementarity", {"margin": 0.0}),
    ],
)
def test_a_flat_surface_shows_nothing(kind, keys, height):
    flat = {name: np.full((5, 2), height) for name in ORDER}
    assert not region_of(claim(kind, **keys), flat, YES_OR_NO).event.any()


def test_where_nothing_happens_nothing_can_be_assessed():
    rare = corners(0.01, 0.02, 0.02, 0.09)
    found = region_of(claim("necessary", capital=H), rare, YES_OR_NO)
    assert found.assessable is not None
    assert not found.assessable.event.any()


def test_a_capital_that_nobody_misses_is_assessed_without_a_way_to_share():
    flat = corners(0.5, 0.5, 0.5, 0.5)
    found = region_of(claim("necessary", capital=H), flat, YES_OR_NO)
    assert found.assessable is not None
    # 0.5 without it is not at most a third of 0.5: no share of a way is needed to see that
    assert found.assessable.event.all()
    assert not found.event.any()


def test_amounts_are_judged_by_compensation_and_in_their_own_unit():
    unit = AMOUNT.sd
    p = corners(0.0, 0.3 * unit, 0.3 * unit, 1.0 * unit)
    found = region_of(claim("necessary", capital=H), p, AMOUNT)
    assert [part.name for part in found.parts] == ["kappa"]
    assert found.event.all()
    assert found.assessable is not None
    assert f"at least {0.5 * unit:.3g} above that with both low" in found.assessable.words
    short = corners(0.0, 0.1 * unit, 0.1 * unit, 0.4 * unit)
    assert not region_of(claim("necessary", capital=H), short, AMOUNT).event.any()
    cross = region_of(claim("complementarity"), p, AMOUNT)
    assert [part.name for part in cross.parts] == ["outcome"]
    assert f"above {0.1 * unit:.3g}" in cross.words


def test_counts_are_compared_on_the_logarithmic_scale():
    p = corners(1.0, 2.0, 2.0, 4.0)
    found = compensation(as_seen_by(p, H), COUNT)
    assert found.other[0, 0] == pytest.approx(0.5)
    assert found.interaction[0, 0] == pytest.approx(0.0, abs=1e-12)
    cross = region_of(claim("complementarity", margin=0.5), p, COUNT)
    events = {part.name: bool(part.event[0, 0]) for part in cross.parts}
    assert events == {"outcome": True, "link": False}


@pytest.mark.parametrize(
    ("family", "keys", "bounded", "link"),
    [
        ("bernoulli", {}, True, "logit"),
        ("probit", {}, True, "probit"),
        ("beta", {}, True, "logit"),
        ("poisson", {}, False, "logarithmic"),
        ("lognormal", {}, False, "logarithmic"),
        ("gaussian", {}, False, "outcome"),
        ("gaussian", {"at_least": 9}, True, "logit"),
        ("ordinal", {}, False, "logit"),
    ],
)
def test_every_family_has_a_link_scale(family, keys, bounded, link):
    found = outcome_scale(small_design(family, "additive", **keys))
    assert isinstance(found, OutcomeScale)
    assert (found.bounded, found.link) == (bounded, link)
    assert found.least_span > 0
    assert np.isfinite(found.sd)


def test_a_mean_level_is_placed_between_the_lowest_and_the_highest():
    found = outcome_scale(small_design("ordinal", "additive"))
    assert found.ends == (0.0, 3.0)
    assert found.to_link(np.array([0.75, 1.5, 2.0])) == pytest.approx(logit([0.25, 0.5, 2 / 3]))


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        ("necessary", {"own", "other", "both", "neither"} - {"own"}),
        ("sufficient", {"own", "neither"}),
        ("not_sufficient", {"own", "both"}),
        ("necessary_not_sufficient", {"own", "other", "both", "neither"}),
        ("joint_sufficiency", {"both", "neither"}),
        ("complementarity", {"neither", "own", "other", "both"}),
    ],
)
def test_corners_that_need_firms(kind, places):
    keys = {} if kind in ("joint_sufficiency", "complementarity") else {"capital": H}
    assert set(region_of(claim(kind, **keys), MANY, YES_OR_NO).rests_on) == places


def test_groups_are_judged_apart():
    wide = {name: np.column_stack([values, values[::-1]]) for name, values in MANY.items()}
    found = region_of(claim("necessary", capital=H), wide, YES_OR_NO).event
    np.testing.assert_array_equal(found[:, 0], found[::-1, 1])
    assert found[:, 0].any()


def test_every_corner_claim_has_a_title():
    (union, *_) = get_args(Hypothesis)
    kinds = {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(union)}
    assert set(TITLES) == kinds - {"effect", "difference", "contextual"}


@pytest.mark.parametrize(
    ("capital", "own", "other"), [(H, "HL", "LH"), (S, "LH", "HL"), (None, "HL", "LH")]
)
def test_corners_as_a_capital_sees_them(capital, own, other):
    places = [corner_of(place, capital) for place in ("neither", "own", "other", "both")]
    assert places == ["LL", own, other, "HH"]


@pytest.mark.parametrize(
    ("kind", "keys", "title"),
    [
        ("necessary", {"capital": H}, "Human capital is necessary"),
        ("sufficient", {"capital": S}, "Social capital is sufficient"),
        ("not_sufficient", {"capital": S}, "Social capital alone is not sufficient"),
        (
            "necessary_not_sufficient",
            {"capital": H},
            "Human capital is necessary but not sufficient",
        ),
        ("joint_sufficiency", {}, "Both capitals together are sufficient"),
        ("complementarity", {}, "The capitals are complements"),
        ("effect", {"capital": H}, "More human capital goes with a higher expected outcome"),
        (
            "effect",
            {"capital": S, "direction": "negative"},
            "More social capital goes with a lower expected outcome",
        ),
        (
            "difference",
            {"capital": H},
            "Human capital matters more in the first industry than in the second",
        ),
    ],
)
def test_titles(kind, keys, title):
    assert title_of(claim(kind, **keys)) == title


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.0, "More than 99.9%"),
        (0.9995, "More than 99.9%"),
        (0.97, "97.0%"),
        (0.5, "50.0%"),
        (0.0004, "Less than 0.1%"),
        (0.0, "Less than 0.1%"),
    ],
)
def test_a_share_is_never_certain(share, text):
    assert percent(share) == text


ENOUGH, GIVEN_UP = "at least the {} asked for", "at most the {} below which the claim is given up"


@pytest.mark.parametrize(
    ("verdict", "probability", "level", "reason"),
    [
        ("supported", 0.97, 0.95, f"97.0% of the posterior lies in the region, {ENOUGH}."),
        ("rejected", 0.03, 0.95, f"3.0% of the posterior lies in the region, {GIVEN_UP}."),
        ("supported", 0.999, 0.995, f"99.9% of the posterior lies in the region, {ENOUGH}."),
        ("rejected", 0.001, 0.975, f"0.1% of the posterior lies in the region, {GIVEN_UP}."),
    ],
)
def test_reasons_of_a_decision(verdict, probability, level, reason):
    bound = {0.95: "95%", 0.995: "99.5%"} if verdict == "supported" else {0.95: "5%", 0.975: "2.5%"}
    assert reason_of(verdict, probability, level) == reason.format(bound[level])


def test_reason_where_the_data_do_not_decide():
    assert reason_of("undecided", 0.4, 0.9) == (
        "40.0% of the posterior lies in the region: between 10% and 90% the data do not decide."
    )
