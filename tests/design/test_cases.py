"""The normal regression on rated cases, against hand and against another way to compute it."""

from __future__ import annotations

import numpy as np
import pytest

from bayescluster.dataset.cases import (
    LEVELS,
    MULTIPLIED_BY,
    RATINGS,
    SHARES,
    CodedCase,
    NormalMoments,
    informed,
    regression,
    social_level,
)
from bayescluster.structures import STRUCTURES

DEFAULTS = {
    "intercept": NormalMoments(0.0, 1.5),
    "human_capital": NormalMoments(0.2, 1.0),
    "social_capital": NormalMoments(0.0, 0.8),
    "interaction": NormalMoments(-0.1, 1.0),
}


def case(human: str | None, sides: tuple[str, ...], outcome: str) -> CodedCase:
    social = tuple((f"social_capital_{k}", rating) for k, rating in enumerate(sides))
    return CodedCase("somewhere", human, social, outcome, ())


CASES = (
    case("low", ("high", "medium", "low"), "low"),
    case("high", ("high", "low"), "medium"),
    case("low", ("low", "low"), "low"),
    case("high", ("low", "medium", "high", "high"), "high"),
)


def test_every_rating_has_its_numbers():
    assert tuple(LEVELS) == tuple(SHARES) == RATINGS
    assert list(LEVELS.values()) == sorted(LEVELS.values())
    assert list(SHARES.values()) == sorted(SHARES.values())


def test_the_terms_of_the_linear_structures_can_be_informed():
    assert set(MULTIPLIED_BY) == set(STRUCTURES["interaction"].terms)
    rng = np.random.default_rng(3)
    human, social = rng.normal(size=(2, 5))
    for structure in (form for form in STRUCTURES.values() if form.is_linear):
        for term in structure.terms:
            alone = {name: float(name == term) for name in structure.terms}
            expected = np.broadcast_to(structure.contribution(human, social, alone, "logit"), 5)
            np.testing.assert_allclose(MULTIPLIED_BY[term](human, social), expected, atol=1e-15)


def test_intercept_by_hand():
    # two cases of 2 firms: low .1 and medium .4, so logits -2.197225 and -0.405465, and
    # precisions 2 * .09 = .18 and 2 * .24 = .48; prior precision 1 / 2.25 = .444444
    # total 1.104444; mean (-0.395500 - 0.194623) / 1.104444; sd 1.104444 ** -0.5
    cases = (case(None, (), "low"), case(None, (), "medium"))
    found = informed(cases, 2.0, {"intercept": NormalMoments(0.0, 1.5)})
    assert found["intercept"].mean == pytest.approx(-0.534318, abs=2e-6)
    assert found["intercept"].sd == pytest.approx(0.951542, abs=2e-6)


def test_intercept_and_slope_by_hand():
    # one firm a case, rated (low, low) and (high, high), logits -2.197225 and 0.847298, precisions
    # .09 and .21; prior sds 1. Total precision [[1.30, .12], [.12, 1.30]], determinant 1.6756;
    # X'Wy = (-0.197750 + 0.177933, 0.197750 + 0.177933) = (-0.019818, 0.375683)
    defaults = {name: NormalMoments(0.0, 1.0) for name in ("intercept", "human_capital")}
    cases = (case("low", ("low",), "low"), case("high", ("low",), "high"))
    found = informed(cases, 1.0, defaults)
    assert found["intercept"].mean == pytest.approx(-0.042281, abs=2e-6)
    assert found["human_capital"].mean == pytest.approx(0.292889, abs=2e-6)
    # sds: the root of 1.30 / 1.6756
    assert found["intercept"].sd == pytest.approx(0.880819, abs=2e-6)
    assert found["human_capital"].sd == pytest.approx(0.880819, abs=2e-6)


@pytest.mark.parametrize("strength", [0.1, 0.5, 3.0, 20.0])
def test_all_terms_by_least_squares(strength):
    """The posterior mean minimises the squares of cases and prior; sds come from the R of its QR."""
    human = np.array([-1.0, 1.0, -1.0, 1.0])
    social = np.array([0.0, 0.0, -1.0, 0.25])
    share = np.array([0.1, 0.4, 0.1, 0.7])
    root = np.sqrt(strength * share * (1 - share))
    mean, sd = np.array(list(DEFAULTS.values())).T
    rows = np.column_stack([np.ones(4), human, social, human * social]) * root[:, None]
    left = np.vstack([rows, np.diag(1 / sd)])
    right = np.concatenate([np.log(share / (1 - share)) * root, mean / sd])
    wanted, *_ = np.linalg.lstsq(left, right)
    inverse = np.linalg.inv(np.linalg.qr(left).R)
    found = informed(CASES, strength, DEFAULTS)
    assert list(found) == list(DEFAULTS)
    np.testing.assert_allclose([m.mean for m in found.values()], wanted, rtol=1e-10)
    np.testing.assert_allclose(
        [m.sd for m in found.values()], np.linalg.norm(inverse, axis=1), rtol=1e-10
    )


def test_no_strength_leaves_the_default():
    found = informed(CASES, 1e-9, DEFAULTS)
    np.testing.assert_allclose(list(found.values()), list(DEFAULTS.values()), atol=1e-8)


def test_more_strength_makes_narrower_priors():
    narrow, wide = (
        [moments.sd for moments in informed(CASES, strength, DEFAULTS).values()]
        for strength in (4.0, 1.0)
    )
    assert all(a < b for a, b in zip(narrow, wide, strict=True))
    assert all(a < moments.sd for a, moments in zip(wide, DEFAULTS.values(), strict=True))


def test_a_term_that_no_case_bears_on_stays():
    # social capital is medium in every case: neither it nor the product has been seen
    cases = (case("low", ("medium",), "low"), case("high", ("low", "high"), "high"))
    found = informed(cases, 5.0, DEFAULTS)
    for term in ("social_capital", "interaction"):
        np.testing.assert_allclose(found[term], DEFAULTS[term], atol=1e-12)


def test_units_of_capitals_that_are_not_scaled():
    """A capital with an sd of .5 has a coefficient per unit, of which one sd is half."""
    half = informed(CASES, 2.0, DEFAULTS, (0.5, 1.0))
    scaled = dict(DEFAULTS)
    for term in ("human_capital", "interaction"):
        scaled[term] = NormalMoments(0.5 * DEFAULTS[term].mean, 0.5 * DEFAULTS[term].sd)
    per_sd = informed(CASES, 2.0, scaled)
    for term in DEFAULTS:
        factor = 0.5 if term in ("human_capital", "interaction") else 1.0
        np.testing.assert_allclose(np.array(half[term]) * factor, per_sd[term], rtol=1e-12)


def test_social_capital_is_the_mean_of_its_sides():
    assert [social_level(one) for one in CASES] == [0.0, 0.0, -1.0, 0.25]


def test_regression_keeps_prior_means_without_cases():
    means, sds = regression(
        np.empty((0, 2)), np.empty(0), np.empty(0), np.array([[1, 2], [3, 4.0]])
    )
    np.testing.assert_allclose((means, sds), [[1, 3], [2, 4]])
