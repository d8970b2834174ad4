from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from bayescluster.dataset.constructs import MOST_LEVELS, as_answers, mean_answer, score
from bayescluster.errors import DataError
from bayescluster.spec.constructs import Construct

NAN = np.nan


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


def scored(columns, construct):
    return score(
        pd.DataFrame(columns), "human_capital", construct, lambda path: ".".join(map(str, path))
    )


def test_a_firm_that_answered_nothing_stays():
    found = scored({"a": [1.0, 2.0, 4.0, NAN], "b": [1.0, 0.0, 1.0, NAN]}, latent("a", "b"))
    assert found.method == "latent"
    assert found.levels == (0, 2)
    assert found.missing_items == 2
    assert np.isnan(found.answers[3]).all()
    assert np.isfinite(found.values).all()
    assert found.unit == "latent; its score: mean of 2 standardised indicators"


def test_answers_are_turned_and_transformed_before():
    construct = latent(
        {"column": "a", "transform": "log"}, {"column": "b", "direction": "negative"}
    )
    found = scored({"a": [1.0, np.e, np.e**2], "b": [1.0, 0.0, 0.0]}, construct)
    np.testing.assert_allclose(found.answers[:, 0], [-1, 0, 1], atol=1e-12)
    np.testing.assert_array_equal(found.answers[:, 1], [0, 1, 1])


HEAD = "The data do not fit the analysis:\n  constructs.human_capital"
REFUSED = [
    pytest.param(
        {"a": np.arange(13.0), "b": np.arange(13.0) ** 2},
        f"{HEAD}.indicators.0: the ordinal indicator 'a' has 13 levels, more than {MOST_LEVELS}\n"
        "    leave out `kind: ordinal`: so many levels are as good as continuous",
        id="too many levels",
    ),
    pytest.param(
        {"a": [1.0, 2.0, 3.0], "b": [4.0, 4.0, NAN]},
        f"{HEAD}.indicators.1: the indicator 'b' is the same in every row (4)\n"
        "    leave it out, or check the filters",
        id="constant",
    ),
    pytest.param(
        {"a": [1.0, 2.0, 3.0], "b": [NAN, NAN, NAN]},
        f"{HEAD}.indicators.1: nobody answered the indicator 'b'\n    leave it out",
        id="nobody answered",
    ),
    pytest.param(
        {"a": ["low", "high", "high"], "b": [1.0, 2.0, 3.0]},
        f"{HEAD}.indicators.0: the indicator 'a' is not a number: 'low' in row 1, 'high' in row 2\n"
        "    turn it into numbers with `derive: kind: recode`",
        id="not a number",
    ),
]


@pytest.mark.parametrize(("columns", "message"), REFUSED)
def test_refused_answers(columns, message):
    with pytest.raises(DataError) as caught:
        scored(columns, latent({"column": "a", "kind": "ordinal"}, "b"))
    assert str(caught.value) == message


DECLARED = [
    pytest.param(
        {"indicators": ["a"], "method": "latent"},
        "method 'latent' takes at least two indicators; use 'single'",
        id="one indicator",
    ),
    pytest.param(
        {"indicators": ["a", {"column": "b", "kind": "ordinal"}], "method": "mean"},
        "kind goes with method 'latent' only",
        id="kind with another method",
    ),
    pytest.param(
        {"indicators": ["a", "b"], "method": "latent", "minimum_answered": 1},
        "minimum_answered goes with method 'mean' only",
        id="minimum answered",
    ),
    pytest.param(
        {"indicators": ["a", {"column": "a", "kind": "ordinal"}], "method": "latent"},
        "an indicator is listed twice",
        id="twice",
    ),
]


@pytest.mark.parametrize(("declared", "message"), DECLARED)
def test_refused_declarations(declared, message):
    with pytest.raises(ValidationError) as caught:
        Construct.model_validate(declared)
    assert [error["msg"] for error in caught.value.errors()] == [f"Value error, {message}"]
