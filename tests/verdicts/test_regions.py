from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter

from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.verdicts.regions import (
    RESTS_ON,
    TITLES,
    corner_of,
    percent,
    reason_of,
    region_of,
    title_of,
)

CLAIM: TypeAdapter[Any] = TypeAdapter(Hypothesis)


def claim(kind: str, **keys: Any) -> Any:
    return CLAIM.validate_python({"kind": kind, **keys})


# expected outcome at each corner (human, then social), one column a draw
CORNERS = {
    "LL": np.array([[0.02], [0.02], [0.30], [0.05]]),
    "HL": np.array([[0.30], [0.60], [0.80], [0.50]]),
    "LH": np.array([[0.10], [0.40], [0.05], [0.11]]),
    "HH": np.array([[0.80], [0.75], [0.70], [0.55]]),
}
# claim -> (of human capital, of social capital), draw by draw, worked out by hand
H, S = "human_capital", "social_capital"
RARE = "expected outcome at most {} with it low and the other high, and above that with both high"
SHARE = "expected outcome with it low and the other high at most {} of that with both high"
COMMON = "expected outcome at least {} with it high and the other low, and below that with both low"
NEARLY = (
    "expected outcome with it high and the other low at least {} of that with both high, and below "
    "that with both low"
)
SHORT = "expected outcome at most {} with it high and the other low"
LESS = "expected outcome with it high and the other low at least {} below that with both high"
EVENTS = [
    # rare: LH at most .1 and HH above, for social capital HL
    ("necessary", {}, RARE.format(0.1), [1, 0, 1, 0], [0, 0, 0, 0]),
    ("necessary", {"eps": 0.4}, RARE.format(0.4), [1, 1, 1, 1], [1, 0, 0, 0]),
    # rare with both too in the last draw: HH .55
    ("necessary", {"eps": 0.55}, RARE.format(0.55), [1, 1, 1, 0], [1, 0, 0, 0]),
    # LH <= HH / 2: .4 .375 .35 .275
    ("necessary", {"ratio": 0.5}, SHARE.format(0.5), [1, 0, 1, 1], [1, 0, 0, 0]),
    # common: HL at least .75 and LL below, for social capital LH
    ("sufficient", {}, COMMON.format(0.75), [0, 0, 1, 0], [0, 0, 0, 0]),
    ("sufficient", {"theta": 0.4}, COMMON.format(0.4), [0, 1, 1, 1], [0, 1, 0, 0]),
    # common with neither too in the third draw: LL .3
    ("sufficient", {"theta": 0.3}, COMMON.format(0.3), [1, 1, 0, 1], [0, 1, 0, 0]),
    # HL >= .7 HH: .56 .525 .49 .385
    ("sufficient", {"ratio": 0.7}, NEARLY.format(0.7), [0, 1, 1, 1], [0, 0, 0, 0]),
    # HL >= .4 HH: .32 .3 .28 .22, and LL below that but in the third draw
    ("sufficient", {"ratio": 0.4}, NEARLY.format(0.4), [0, 1, 0, 1], [0, 1, 0, 0]),
    # not enough: HL at most .5, for social capital LH
    ("insufficient", {}, SHORT.format(0.5), [1, 0, 0, 1], [1, 1, 1, 1]),
    ("insufficient", {"theta_not": 0.35}, SHORT.format(0.35), [1, 0, 0, 0], [1, 0, 1, 1]),
    # HH - HL >= .15: .5 .15 -.1 .05 | HH - LH: .7 .35 .65 .44
    ("insufficient", {"delta": 0.4}, LESS.format(0.4), [1, 0, 0, 0], [1, 0, 1, 1]),
    (
        "necessary_not_sufficient",
        {},
        f"{RARE.format(0.1)}, and {SHORT.format(0.5)}",
        [1, 0, 0, 0],
        [0, 0, 0, 0],
    ),
    (
        "necessary_not_sufficient",
        {"eps": 0.4, "delta": 0.4},
        f"{RARE.format(0.4)}, and {LESS.format(0.4)}",
        [1, 0, 0, 0],
        [1, 0, 0, 0],
    ),
]


@pytest.mark.parametrize(("kind", "keys", "words", "human", "social"), EVENTS)
def test_events_draw_by_draw(kind, keys, words, human, social):
    for capital, wanted in ((H, human), (S, social)):
        found = region_of(claim(kind, capital=capital, **keys), CORNERS)
        assert found.words == words
        assert found.event[:, 0].astype(int).tolist() == wanted


@pytest.mark.parametrize(
    ("keys", "words", "wanted"),
    [
        ({}, "at least 0.75", [1, 1, 0, 0]),
        ({"theta": 0.6}, "at least 0.6", [1, 1, 1, 0]),
        # the third draw reaches .3 with both low
        ({"theta": 0.3}, "at least 0.3", [1, 1, 0, 1]),
    ],
)
def test_joint_sufficiency(keys, words, wanted):
    found = region_of(claim("joint_sufficiency", **keys), CORNERS)
    assert found.words == (f"expected outcome {words} with both high, and below that with both low")
    assert found.event[:, 0].astype(int).tolist() == wanted


@pytest.mark.parametrize(
    # HH - HL - LH + LL: .42 -.23 .15 -.01
    ("keys", "words", "wanted"),
    [({}, "above 0", [1, 0, 1, 0]), ({"margin": 0.2}, "above 0.2", [1, 0, 0, 0])],
)
def test_complementarity(keys, words, wanted):
    found = region_of(claim("complementarity", **keys), CORNERS)
    assert found.words == f"cross difference of the four corners {words}"
    assert found.event[:, 0].astype(int).tolist() == wanted


def test_a_region_declared_as_0_is_no_default():
    found = region_of(claim("necessary", capital=H, eps=0.0), CORNERS)
    assert found.words == RARE.format(0)
    assert not found.event.any()


@pytest.mark.parametrize("height", [0.01, 0.1, 0.3, 0.5, 0.75, 0.99])
@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("necessary", {}),
        ("necessary", {"eps": 0.3}),
        ("necessary", {"ratio": 0.9}),
        ("sufficient", {}),
        ("sufficient", {"theta": 0.3}),
        ("sufficient", {"ratio": 0.1}),
        ("sufficient", {"ratio": 1.0}),
        ("necessary_not_sufficient", {}),
        ("necessary_not_sufficient", {"eps": 0.3, "theta_not": 1.0}),
        ("necessary_not_sufficient", {"ratio": 0.5, "theta_not": 1.0}),
        ("joint_sufficiency", {}),
        ("joint_sufficiency", {"theta": 0.3}),
    ],
)
def test_a_flat_surface_shows_nothing(kind, keys, height):
    flat = {name: np.full((5, 2), height) for name in CORNERS}
    for capital in [None] if kind == "joint_sufficiency" else [H, S]:
        named = {} if capital is None else {"capital": capital}
        assert not region_of(claim(kind, **named, **keys), flat).event.any()


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        ("necessary", {"other", "both"}),
        ("sufficient", {"own", "both", "neither"}),
        ("insufficient", {"own", "both"}),
        ("necessary_not_sufficient", {"own", "other", "both"}),
        ("joint_sufficiency", {"both", "neither"}),
        ("complementarity", {"neither", "own", "other", "both"}),
    ],
)
def test_corners_that_need_firms(kind, places):
    assert set(RESTS_ON[kind]) == places


def test_groups_are_judged_apart():
    wide = {name: np.column_stack([values, values[::-1]]) for name, values in CORNERS.items()}
    found = region_of(claim("necessary", capital=H), wide)
    assert found.event.astype(int).tolist() == [[1, 0], [0, 1], [1, 0], [0, 1]]


def test_every_corner_claim_says_what_it_rests_on():
    (union, *_) = get_args(Hypothesis)
    kinds = {get_args(kind.model_fields["kind"].annotation)[0] for kind in get_args(union)}
    assert set(RESTS_ON) == set(TITLES) == kinds - {"effect", "difference"}


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
        ("insufficient", {"capital": S}, "Social capital alone is not sufficient"),
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
