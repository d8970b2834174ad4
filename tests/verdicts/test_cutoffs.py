"""Claims over a grid of their cut-off: probabilities, grids, bands and words."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from pydantic import TypeAdapter
from scipy.special import logit

from bayescluster.features.verdict_curves.compute import (
    CUTOFFS,
    DEFAULTS,
    bands_of,
    curve_words,
    cutoffs_of,
    grid_of,
    nice,
    probabilities,
)
from bayescluster.features.verdict_curves.results import CutOff
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.verdicts.compensation import outcome_scale
from tests.factories import firms, small_design

CLAIM: TypeAdapter[Any] = TypeAdapter(Hypothesis)
RNG = np.random.default_rng(5)
CORNERS = {name: RNG.uniform(0, 1, (500, 3)) for name in ("LL", "HL", "LH", "HH")}
LL, HL, LH, HH = (CORNERS[name] for name in ("LL", "HL", "LH", "HH"))
GRID = np.array([0.05, 0.3, 0.72])


def claim(kind: str, **keys: Any) -> Any:
    needs = kind not in ("joint_sufficiency", "complementarity")
    return CLAIM.validate_python(
        {"kind": kind} | ({"capital": "human_capital"} if needs else {}) | keys
    )


YES_OR_NO = outcome_scale(small_design("bernoulli", "additive"))
AMOUNT = outcome_scale(small_design("gaussian", "additive"))
SPAN = logit(HH) - logit(LL)
WITHOUT_H, WITHOUT_S = ((logit(p) - logit(LL)) / SPAN for p in (LH, HL))
ASSESSED = (HH >= 0.25) & (SPAN >= 0.5)


def needed(p: Any, covered: Any, ratio: float = 1 / 3, kappa: float = 0.4) -> Any:
    return ASSESSED & (p <= ratio * HH) & (covered <= kappa)


EVENTS: list[tuple[str, dict[str, Any], CutOff, Any]] = [
    ("necessary", {}, "ratio", lambda x: needed(LH, WITHOUT_H, ratio=x)),
    ("necessary", {}, "kappa", lambda x: needed(LH, WITHOUT_H, kappa=x)),
    ("necessary", {"eps": 0.1}, "eps", lambda x: needed(LH, WITHOUT_H) & (LH <= x)),
    ("necessary", {"capital": "social_capital"}, "ratio", lambda x: needed(HL, WITHOUT_S, x)),
    ("sufficient", {}, "theta", lambda x: (HL >= x) & (LL < x)),
    (
        "sufficient",
        {"ratio": 0.5},
        "ratio",
        lambda x: (HH >= 0.25) & (HL >= x * HH) & (LL < x * HH),
    ),
    ("not_sufficient", {}, "theta_not", lambda x: (HH >= 0.25) & (HL <= x) & (HH - HL >= 0.1)),
    (
        "not_sufficient",
        {"delta": 0.2},
        "delta",
        lambda x: (HH >= 0.25) & (HL <= 0.5) & (HH - HL >= x),
    ),
    ("joint_sufficiency", {}, "theta", lambda x: (HH >= x) & (LL < x)),
    (
        "necessary_not_sufficient",
        {"theta_not": 0.6},
        "kappa",
        lambda x: needed(LH, WITHOUT_H, kappa=x) & (HL <= 0.6) & (HH - HL >= 0.1),
    ),
]


@pytest.mark.parametrize(("kind", "keys", "cutoff", "event"), EVENTS)
def test_probabilities_are_those_of_the_event_at_each_value(kind, keys, cutoff, event):
    found = probabilities(claim(kind, **keys), cutoff, GRID, CORNERS, YES_OR_NO)
    np.testing.assert_array_equal(found.region, [event(x).mean(axis=0) for x in GRID])
    assert ((found.region > 0) & (found.region < 1)).any()
    assert (found.given >= found.region).all()


def test_what_rejects_is_looked_at_where_the_claim_can_be_assessed():
    found = probabilities(claim("not_sufficient"), "theta_not", GRID, CORNERS, YES_OR_NO)
    np.testing.assert_allclose(found.given, found.region / (HH >= 0.25).mean(axis=0))


def test_every_cut_off_is_tested_and_has_its_words():
    from bayescluster.kit.words import CUT_OFFS

    known = set(get_args(CutOff))
    assert {cutoff for _, _, cutoff, _ in EVENTS} == known == set(CUT_OFFS)
    assert {cutoff for ways in CUTOFFS.values() for cutoff in ways} == known
    assert set(DEFAULTS) == known - {"eps"}


def test_cut_offs_are_declared_or_default():
    third = 1 / 3
    assert cutoffs_of(claim("necessary"), YES_OR_NO) == {"ratio": third, "kappa": 0.4}
    assert cutoffs_of(claim("necessary", eps=0.3), YES_OR_NO) == {
        "ratio": third,
        "kappa": 0.4,
        "eps": 0.3,
    }
    both = claim("necessary_not_sufficient", delta=0.2, ratio=0.25)
    assert cutoffs_of(both, YES_OR_NO) == {
        "ratio": 0.25,
        "kappa": 0.4,
        "theta_not": 0.5,
        "delta": 0.2,
    }
    assert cutoffs_of(claim("sufficient"), YES_OR_NO) == {"theta": 0.75}
    assert cutoffs_of(claim("sufficient", ratio=0.6), YES_OR_NO) == {"ratio": 0.6}
    assert cutoffs_of(claim("joint_sufficiency"), YES_OR_NO) == {"theta": 0.75}
    assert cutoffs_of(claim("complementarity"), YES_OR_NO) == {}
    # of amounts only what is declared, and compensation
    assert cutoffs_of(claim("necessary"), AMOUNT) == {"kappa": 0.4}
    assert cutoffs_of(claim("not_sufficient", delta=3.0), AMOUNT) == {"delta": 3.0}


def test_grids_of_probabilities_go_by_hundredths():
    design = small_design("bernoulli", "additive")
    whole = grid_of("eps", 0.1, design)
    assert grid_of("kappa", 0.4, design).tolist() == whole.tolist()[1:-1]
    assert whole.tolist() == [k / 100 for k in range(101)]
    assert grid_of("delta", 0.1, design).tolist() == whole.tolist()[1:]
    assert grid_of("ratio", 0.1, design).tolist() == whole.tolist()[1:-1]
    # what was declared is always there
    between = grid_of("theta", 0.125, design)
    assert between.size == 102
    assert 0.125 in between.tolist()


def test_grids_of_other_outcomes_span_what_is_observed():
    design, growth = small_design("gaussian", "additive"), firms()["growth"]
    low, high = np.quantile(growth, [0.01, 0.99])
    found = grid_of("theta", 9.0, design)
    step = np.diff(found)
    np.testing.assert_allclose(step, step[0])
    assert found[0] <= low < found[0] + step[0]
    assert found[-1] - step[0] < high <= found[-1]
    assert 40 <= found.size <= 102
    assert 9.0 in found.tolist()
    far = grid_of("theta", 80.0, design)
    assert far[-1] == 80.0
    less = grid_of("delta", 2.0, design)
    assert 0 < less[0] <= 0.5
    assert less[-1] >= high - low
    # a level asked for makes it a probability
    assert grid_of("theta", 0.5, design.reaching(9)).size == 101


def test_steps_are_numbers_as_one_would_choose():
    found = [nice(step) for step in (0.01, 0.011, 0.02, 0.03, 0.06, 1.0, 7.0, 120.0)]
    np.testing.assert_allclose(found, [0.01, 0.02, 0.02, 0.05, 0.1, 1, 10, 200])


AT = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])


def bands(*probability: float, withheld: str = "") -> Any:
    return bands_of(AT, np.array(probability), np.array(probability), 0.95, withheld)


def test_bands_are_runs_of_one_verdict():
    found = bands(0.01, 0.05, 0.4, 0.95, 0.99, 0.3)
    assert [(band.verdict, band.low, band.high) for band in found] == [
        ("rejected", 0.0, 0.1),
        ("undecided", 0.2, 0.2),
        ("supported", 0.3, 0.4),
        ("undecided", 0.5, 0.5),
    ]


def test_nothing_is_rejected_where_that_is_withheld():
    found = bands(0.01, 0.05, 0.4, 0.95, 0.99, 0.3, withheld="The form has no gates.")
    assert [band.verdict for band in found] == ["undecided", "supported", "undecided"]


def test_a_claim_is_rejected_by_what_can_be_assessed():
    low = np.full(6, 0.04)
    (band,) = bands_of(AT, low, np.full(6, 0.4), 0.95)
    assert band.verdict == "undecided"
    (band,) = bands_of(AT, low, low, 0.95)
    assert band.verdict == "rejected"


FLAT = (AT, np.full(6, 0.5), 0.95)
WORDS = [
    (
        (0.01, 0.05, 0.4, 0.95, 0.99, 0.99),
        "Supported for eps from 0.3 up; rejected for eps up to 0.1; undecided elsewhere.",
    ),
    (
        (0.01, 0.4, 0.95, 0.4, 0.01, 0.01),
        "Supported for eps at 0.2; rejected for eps at 0 and from 0.4 up; undecided elsewhere.",
    ),
    ((0.5, 0.5, 0.5, 0.5, 0.5, 0.5), "Undecided at every eps looked at."),
    (
        (0.99, 0.99, 0.99, 0.99, 0.99, 0.99),
        "Supported for eps from 0 to 0.5, all that was looked at.",
    ),
    (
        (0.5, 0.99, 0.99, 0.3, 0.99, 0.99),
        "Supported for eps from 0.1 to 0.2 and from 0.4 up; undecided elsewhere.",
    ),
]


@pytest.mark.parametrize(("probability", "words"), WORDS)
def test_words(probability, words):
    assert curve_words("eps", bands(*probability), FLAT, "") == words


def test_words_where_the_prior_decides():
    prior = (AT, np.array([0.5, 0.5, 0.5, 0.96, 0.97, 0.98]), 0.95)
    found = curve_words("theta", bands(0.5, 0.5, 0.5, 0.5, 0.5, 0.99), prior, "")
    assert found == (
        "Supported for theta at 0.5; undecided elsewhere. "
        "By the prior alone: supported for theta from 0.3 up."
    )


def test_words_where_there_is_no_verdict():
    found = curve_words("theta", bands(0.5, 0.5, 0.5, 0.5, 0.5, 0.99), FLAT, "The gate failed.")
    assert found == "No verdict whatever theta is. The gate failed."
