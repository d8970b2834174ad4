from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError
from scipy.optimize import least_squares

from bayescluster.dataset.constructs import (
    MOST_LEVELS,
    as_answers,
    mean_answer,
    one_factor_loadings,
    reliability,
    score,
)
from bayescluster.errors import DataError
from bayescluster.spec.data import Construct
from tests.helpers import row

NAN = np.nan
HEAD = "The data do not fit the analysis:\n  a.yaml:constructs.human_capital"
RNG = np.random.default_rng(20080301)
COMMON = RNG.normal(size=60)
ITEMS = pd.DataFrame({name: COMMON + RNG.normal(size=60) for name in "abc"})


def scored(columns, method="mean", where=lambda path: ".".join(map(str, path)), **keys):
    frame = pd.DataFrame(columns)
    indicators = keys.pop("indicators", list(frame.columns))
    construct = Construct(indicators=indicators, method=method, **keys)
    return score(frame, "human_capital", construct, where)


def single(values, **indicator):
    return scored({"x": values}, "single", indicators=[{"column": "x", **indicator}])


def refused(where, columns, method="mean", **keys) -> str:
    with pytest.raises(DataError) as caught:
        scored(columns, method, where, **keys)
    return str(caught.value)


VALUES = arrays(
    np.float64, st.integers(3, 30), elements=st.floats(-1e4, 1e4).map(lambda x: round(x, 3))
)


@given(values=VALUES)
def test_standardised_has_mean_0_and_sd_1_and_leads_back(values):
    assume(np.unique(values).size > 2)
    found = single(values)
    assert found.values.mean() == pytest.approx(0, abs=1e-9)
    assert found.values.std(ddof=1) == pytest.approx(1)
    assert found.scale > 0
    np.testing.assert_allclose(found.center + found.scale * found.values, values, atol=1e-8)


@given(values=VALUES, shift=st.floats(-100, 100), stretch=st.floats(0.1, 100))
def test_scores_do_not_depend_on_the_unit(values, shift, stretch):
    assume(np.unique(values).size > 2)
    changed = single(values * stretch + shift)
    np.testing.assert_allclose(changed.values, single(values).values, atol=1e-6)


@given(values=VALUES)
def test_direction_turns_the_sign(values):
    assume(np.unique(values).size > 2)
    turned = single(values, direction="negative")
    np.testing.assert_allclose(turned.values, -single(values).values, atol=1e-12)
    np.testing.assert_allclose(turned.center + turned.scale * turned.values, -values, atol=1e-8)


@given(values=arrays(np.float64, (20, 3), elements=st.integers(-50, 50).map(float)))
def test_mean_of_turned_indicators_is_the_turned_mean(values):
    assume((np.ptp(values, axis=0) > 0).all())
    columns = dict(zip("abc", values.T, strict=True))
    assume(np.ptp(_mean_of_standardised(values)) > 1e-6)
    turned = scored(
        columns, indicators=[{"column": name, "direction": "negative"} for name in columns]
    )
    # a 0/1 indicator is turned to 1 - x, which the standardising undoes
    np.testing.assert_allclose(turned.values, -scored(columns).values, atol=1e-8)


def _mean_of_standardised(values):
    return ((values - values.mean(axis=0)) / values.std(axis=0, ddof=1)).mean(axis=1)


def test_single_in_its_transformed_unit():
    found = single([1.0, np.e, np.e**2], transform="log")
    assert (found.center, found.scale, found.unit) == (pytest.approx(1), pytest.approx(1), "log(x)")
    np.testing.assert_allclose(found.values, [-1, 0, 1], atol=1e-12)
    assert found.reliability is None
    assert found.weights == {"x": 1.0}
    assert (found.binary, found.method, found.missing_items) == (False, "single", 0)


def test_turned_round_unit():
    assert single([1.0, 2.0, 4.0], direction="negative").unit == "x, reverse-coded"


@pytest.mark.parametrize(
    "answers",
    [[1, 0, 0, 1], [True, False, False, True], ["Yes", "no", "No", "YES"], [1.0, 0.0, 0.0, 1.0]],
)
def test_yes_or_no_is_centred_only(answers):
    found = single([*answers, answers[0]])
    assert found.binary
    assert (found.center, found.scale) == (0.6, 1.0)
    np.testing.assert_allclose(found.values, [0.4, -0.6, -0.6, 0.4, 0.4])


def test_yes_or_no_turned_round_is_1_minus_x():
    found = single(["Yes", "No", "No"], direction="negative")
    assert found.center == pytest.approx(2 / 3)
    np.testing.assert_allclose(found.center + found.values, [0, 1, 1])


@pytest.mark.parametrize("method", ["mean", "pca"])
def test_yes_or_no_indicators_that_are_combined_are_standardised(method):
    found = scored({"a": [1, 0, 0, 1, 1], "b": [1, 0, 1, 1, 0]}, method)
    assert not found.binary
    assert found.values.mean() == pytest.approx(0, abs=1e-12)
    assert found.values.std(ddof=1) == pytest.approx(1)


def test_mean_of_indicators():
    found = scored(ITEMS)
    raw = _mean_of_standardised(ITEMS.to_numpy())
    np.testing.assert_allclose(found.center + found.scale * found.values, raw, atol=1e-12)
    assert found.values.std(ddof=1) == pytest.approx(1)
    assert found.weights == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})
    assert found.unit == "mean of 3 standardised indicators"
    assert not found.binary


def test_mean_over_the_answered_indicators():
    items = ITEMS.copy()
    items.loc[[0, 5], "a"] = np.nan
    found = scored(items, minimum_answered=2)
    standardised = (items - items.mean()) / items.std(ddof=1)
    raw = standardised.mean(axis=1).to_numpy()
    np.testing.assert_allclose(found.center + found.scale * found.values, raw, atol=1e-12)
    assert found.missing_items == 2


def test_first_component():
    found = scored(ITEMS, "pca")
    standardised = ((ITEMS - ITEMS.mean()) / ITEMS.std(ddof=1)).to_numpy()
    _, _, rotation = np.linalg.svd(standardised, full_matrices=False)
    weights = np.array(list(found.weights.values()))
    np.testing.assert_allclose(weights, np.abs(rotation[0]), atol=1e-9)
    raw = standardised @ weights
    np.testing.assert_allclose(found.values, raw / raw.std(ddof=1), atol=1e-9)
    assert found.unit == "first component of 3 standardised indicators"


@pytest.mark.parametrize("method", ["mean", "pca"])
def test_a_negative_indicator_is_turned_before_it_is_combined(method):
    turned = ITEMS.assign(b=-ITEMS["b"])
    indicators = ["a", {"column": "b", "direction": "negative"}, "c"]
    found = scored(turned, method, indicators=indicators)
    np.testing.assert_allclose(found.values, scored(ITEMS, method).values, atol=1e-9)


def test_loadings_and_omega_of_a_known_factor():
    loadings = np.array([0.9, 0.7, 0.5, 0.4])
    correlation = np.outer(loadings, loadings)
    np.fill_diagonal(correlation, 1.0)
    np.testing.assert_allclose(one_factor_loadings(correlation), loadings, atol=1e-6)
    omega = loadings.sum() ** 2 / (loadings.sum() ** 2 + (1 - loadings**2).sum())
    assert reliability(correlation, np.full(4, 0.25)) == pytest.approx(omega, abs=1e-6)


def test_omega_of_tau_equivalent_items_is_alpha():
    correlation = np.full((5, 5), 0.3) + 0.7 * np.eye(5)
    alpha = 5 * 0.3 / (1 + 4 * 0.3)
    assert reliability(correlation, np.ones(5)) == pytest.approx(alpha, abs=1e-8)


def test_reliability_of_two_and_of_one():
    pair = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert reliability(pair, np.ones(2)) == pytest.approx(2 / 3)
    assert reliability(2 * np.eye(2) - pair, np.ones(2)) == 0.0
    assert reliability(np.eye(1), np.ones(1)) is None


def test_reliability_is_unknown_where_a_pair_was_never_answered_together():
    items = pd.DataFrame({"a": [1.0, 2.0, 4.0, None, None, None], "b": [None, None, None, 1, 3, 2]})
    assert scored(items, minimum_answered=1).reliability is None


ERRORS = [
    pytest.param(
        {"x": ["Yes", "No", "maybe"]},
        {},
        ".indicators.0: the indicator 'x' is not a number: 'Yes' in row 1, 'No' in row 2, "
        "'maybe' in row 3\n"
        "    turn it into numbers with `derive: kind: recode`",
    ),
    pytest.param(
        {"x": ["Yes", "yes", "YES"]},
        {},
        ".indicators.0: the indicator 'x' is the same in every row (1)\n"
        "    leave it out, or check the filters",
    ),
    pytest.param(
        {"x": [None, None, None]},
        {},
        ".indicators.0: no firm has a value of the indicator 'x'\n    leave it out",
    ),
    pytest.param(
        {"x": [1.0, None, 3.0]},
        {},
        ": 1 row answers fewer than 1 of 1 indicators (row 2)\n"
        "    leave such rows out with `missing: drop` under `data`",
    ),
]


@pytest.mark.parametrize(("columns", "keys", "message"), ERRORS)
def test_indicators_that_cannot_be_used(columns, keys, message, where):
    assert refused(where, columns, "single", **keys) == HEAD + message


def test_too_few_answers(where):
    items = pd.DataFrame({"a": [1.0, None, 3.0, None], "b": [2.0, 1.0, None, None]})
    assert refused(where, items, minimum_answered=1) == (
        f"{HEAD}: 1 row answers fewer than 1 of 2 indicators (row 4)\n"
        "    lower `minimum_answered`, or leave it out and set `missing: drop` under `data`"
    )


def test_indicators_that_cancel_out(where):
    items = {"a": [1.0, 2.0, 4.0], "b": [-1.0, -2.0, -4.0]}
    assert refused(where, items) == (
        f"{HEAD}: the score of human_capital is the same in every row: its indicators cancel out\n"
        "    check the direction of each indicator"
    )


def test_all_bad_indicators_are_told_at_once(where):
    assert refused(where, {"a": ["x", "y"], "b": [1, 1], "c": [1, 2]}) == (
        "The data do not fit the analysis (2 problems):\n"
        "  a.yaml:constructs.human_capital.indicators.0: the indicator 'a' is not a number: "
        "'x' in row 1, 'y' in row 2\n"
        "    turn it into numbers with `derive: kind: recode`\n"
        "  a.yaml:constructs.human_capital.indicators.1: the indicator 'b' is the same in every "
        "row (1)\n"
        "    leave it out, or check the filters"
    )


def test_loadings_minimise_the_squared_residuals():
    correlation = np.corrcoef((ITEMS.assign(d=RNG.normal(size=60) + COMMON)).to_numpy().T)
    lower = np.tril_indices(4, -1)

    def residuals(loadings):
        return (correlation - np.outer(loadings, loadings))[lower]

    best = least_squares(residuals, np.full(4, 0.5), xtol=1e-14, ftol=1e-14).x
    np.testing.assert_allclose(one_factor_loadings(correlation), best, atol=1e-6)


def latent(*indicators):
    return Construct.model_validate({"indicators": indicators, "method": "latent"})


def test_continuous_answers_are_standardised_over_those_that_answered():
    items = np.array([[1.0, 5.0], [3.0, NAN], [5.0, 9.0], [NAN, 7.0]])
    found, levels = as_answers(items, latent("a", "b"))
    assert levels == (0, 0)
    np.testing.assert_allclose(found[:, 0], [-1, 0, 1, NAN])
    np.testing.assert_allclose(found[:, 1], [-1, NAN, 1, 0])


def test_binary_and_ordinal_answers_are_codes():
    items = np.array([[1.0, 10.0], [0.0, 40.0], [NAN, 20.0], [1.0, NAN], [0.0, 10.0]])
    found, levels = as_answers(items, latent("a", {"column": "b", "kind": "ordinal"}))
    assert levels == (2, 3)
    np.testing.assert_array_equal(found[:, 0], [1, 0, NAN, 1, 0])
    # levels are numbered in their order, whatever the distance between them
    np.testing.assert_array_equal(found[:, 1], [0, 2, 1, NAN, 0])


def test_ordinal_answers_on_two_levels_are_binary():
    items = np.array([[1.0], [2.0], [2.0]])
    both = np.column_stack([items[:, 0], items[:, 0]])
    ordinal = [{"column": name, "kind": "ordinal"} for name in "ab"]
    found, levels = as_answers(both, latent(*ordinal))
    assert levels == (2, 2)
    np.testing.assert_array_equal(found[:, 0], [0, 1, 1])


def test_mean_answer_is_over_what_was_answered():
    found = mean_answer(np.array([[1.0, 3.0], [NAN, 2.0], [NAN, NAN]]))
    np.testing.assert_array_equal(found, [2.0, 2.0, 0.0])


def test_a_firm_that_answered_nothing_stays():
    found = scored({"a": [1.0, 2.0, 4.0, NAN], "b": [1.0, 0.0, 1.0, NAN]}, "latent")
    assert found.method == "latent"
    assert found.levels == (0, 2)
    assert found.missing_items == 2
    assert np.isnan(found.answers[3]).all()
    assert np.isfinite(found.values).all()
    assert found.unit == "latent; its score: mean of 2 standardised indicators"


def test_answers_are_turned_and_transformed_before():
    indicators = [{"column": "a", "transform": "log"}, {"column": "b", "direction": "negative"}]
    columns = {"a": [1.0, np.e, np.e**2], "b": [1.0, 0.0, 0.0]}
    found = scored(columns, "latent", indicators=indicators)
    np.testing.assert_allclose(found.answers[:, 0], [-1, 0, 1], atol=1e-12)
    np.testing.assert_array_equal(found.answers[:, 1], [0, 1, 1])


def test_an_ordinal_indicator_of_too_many_levels(where):
    indicators = [{"column": "a", "kind": "ordinal"}, "b"]
    columns = {"a": np.arange(13.0), "b": np.arange(13.0) ** 2}
    assert refused(where, columns, "latent", indicators=indicators) == (
        f"{HEAD}.indicators.0: the ordinal indicator 'a' has 13 levels, more than {MOST_LEVELS}\n"
        "    leave out `kind: ordinal`: so many levels are as good as continuous"
    )


DECLARED = {
    "one indicator": row(
        {"indicators": ["a"], "method": "latent"},
        "method 'latent' takes at least two indicators; use 'single'",
    ),
    "kind with another method": row(
        {"indicators": ["a", {"column": "b", "kind": "ordinal"}], "method": "mean"},
        "kind goes with method 'latent' only",
    ),
    "minimum answered": row(
        {"indicators": ["a", "b"], "method": "latent", "minimum_answered": 1},
        "minimum_answered goes with method 'mean' only",
    ),
}


@pytest.mark.parametrize(("declared", "message"), DECLARED.values(), ids=DECLARED)
def test_refused_declarations(declared, message):
    with pytest.raises(ValidationError) as caught:
        Construct.model_validate(declared)
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {message}"]
