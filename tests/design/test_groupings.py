from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import polygamma

from bayescluster.design.record import CENTRED_FROM_INFORMATION, Grouping, information
from tests.factories import firms, small_design

TERMS = ("intercept", "human_capital")


def panel(groups: int, rows: int) -> pd.DataFrame:
    """Groups of so many rows each."""
    return firms(groups * rows).assign(place=np.arange(groups * rows) % groups)


def chosen(groups: int, rows: int, family: str = "gaussian", **varying: Any) -> Grouping:
    (found,) = small_design(
        family, varying={"place": {"terms": TERMS, **varying}}, frame=panel(groups, rows)
    ).groupings
    return found


def test_labels_and_terms():
    found = chosen(3, 20)
    assert found == Grouping("place", ("0", "1", "2"), TERMS, (), False)


@pytest.mark.parametrize(("groups", "correlated"), [(7, False), (8, True), (9, True)])
def test_effects_are_correlated_from_eight_groups(groups, correlated):
    assert chosen(groups, 8).correlated is correlated


def test_one_term_has_nothing_to_correlate_with():
    (found,) = small_design(varying={"place": ["intercept"]}, frame=panel(10, 8)).groupings
    assert not found.correlated


@pytest.mark.parametrize("asked", [True, False])
def test_correlation_as_asked(asked):
    assert chosen(9, 8, correlated=asked).correlated is asked
    assert chosen(4, 8, correlated=asked).correlated is asked


def test_partly_centred_effects_are_independent():
    found = chosen(9, 8, centred=["intercept"])
    assert (found.centred, found.correlated) == (("intercept",), False)


@pytest.mark.parametrize(("asked", "centred"), [(True, TERMS), (False, ())])
@pytest.mark.parametrize("rows", [8, 120])
def test_centred_as_asked(asked, centred, rows):
    assert chosen(4, rows, centred=asked).centred == centred


def intercepts(groups: int, rows: int, family: str, frame: pd.DataFrame | None = None) -> Any:
    frame = panel(groups, rows) if frame is None else frame
    return small_design(family, varying={"place": ["intercept"]}, frame=frame)


@pytest.mark.parametrize("enough", [True, False])
def test_intercepts_are_centred_where_groups_say_much(enough):
    rows = int(CENTRED_FROM_INFORMATION) - (not enough)
    design = intercepts(8, rows, "gaussian")
    assert information(design, "place") == rows
    assert design.groupings[0].centred == (("intercept",) if enough else ())


def test_few_groups_are_not_centred():
    assert intercepts(7, 120, "gaussian").groupings[0].centred == ()


def test_a_yes_or_no_says_less_than_an_amount():
    design = intercepts(8, 120, "bernoulli")
    share = design.outcome.mean()
    assert information(design, "place") == pytest.approx(120 * share * (1 - share))
    assert information(design, "place") < 120


def test_what_other_answers_say_against_a_yes_or_no():
    binary = information(intercepts(8, 60, "bernoulli"), "place")
    assert information(intercepts(8, 60, "binomial"), "place") > 2 * binary
    assert information(intercepts(8, 60, "probit"), "place") == binary
    # a level says at most a quarter
    assert information(intercepts(8, 60, "ordinal"), "place") == 15.0


def test_an_amount_says_more_the_less_its_logarithm_varies():
    frame = panel(8, 60)
    loud = frame.assign(value=frame["value"] ** 3)
    found = [information(intercepts(8, 60, "lognormal", one), "place") for one in (frame, loud)]
    assert found[0] == pytest.approx(60 / np.log(frame["value"]).var())
    assert found[1] == pytest.approx(found[0] / 9)


def test_a_share_says_what_it_would_say_as_a_beta_of_its_mean_and_variance():
    """By the Fisher information of a beta with the same moments, which is large for a precise one."""
    frame = panel(8, 60).assign(share=np.random.default_rng(1).beta(60.0, 40.0, 480))
    design = intercepts(8, 60, "beta", frame)
    mean, variance = frame["share"].mean(), frame["share"].var()
    precision = mean * (1 - mean) / variance - 1
    fisher = precision**2 * (mean * (1 - mean)) ** 2
    fisher *= polygamma(1, precision * mean) + polygamma(1, precision * (1 - mean))
    assert information(design, "place") == pytest.approx(60 * fisher, rel=0.02)


def test_counts_say_what_they_count_up_to_a_ceiling():
    frame = panel(8, 6)
    design = intercepts(8, 6, "poisson", frame)
    capped = frame["patents"].clip(upper=10).groupby(frame["place"]).sum()
    assert information(design, "place") == capped.median()
    huge = frame.assign(patents=frame["patents"] + 1000)
    assert information(intercepts(8, 6, "poisson", huge), "place") == 60


def test_a_group_is_known_no_better_than_by_its_parts():
    frame = firms(1600, industries=2, clusters=5)
    varying = {"industry": ["intercept"], "cluster": ["intercept"]}
    design = small_design("gaussian", varying=varying, frame=frame)
    assert information(design, "industry") == 5
    assert information(design, "cluster") == 160
    centred = {grouping.name: grouping.centred for grouping in design.groupings}
    assert centred == {"industry": (), "cluster": ("intercept",)}


def test_groups_that_cut_across_are_no_parts():
    frame = firms(1600, industries=2, clusters=5).assign(place=np.arange(1600) % 7)
    varying = {"industry": ["intercept"], "place": ["intercept"]}
    assert information(small_design("gaussian", varying=varying, frame=frame), "industry") == 800
