from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayescluster.dataset.values import sorted_labels
from bayescluster.design.coding import code_controls, dependent_columns
from bayescluster.errors import DesignError
from bayescluster.spec.equation import Equation
from tests.factories import small_design, where
from tests.helpers import row

FRAME = pd.DataFrame(
    {
        "size": [1.0, 10.0, 100.0, 1000.0, 10.0, 1.0],
        "exporter": [0, 1, 1, 0, 1, 0],
        "flag": [True, False, True, True, False, False],
        "region": ["west", "north", "south", "north", "west", "south"],
        "wave": [10, 9, 10, 9, 9, 10],
        "same": [3.0] * 6,
        "alike": ["x"] * 6,
        "id": list("abcdef"),
    }
)
HUMAN = np.array([-1.0, 0.5, 1.0, -0.5, 2.0, -2.0])
CAPITALS = {"human_capital": HUMAN, "social_capital": HUMAN[::-1]}


def coding_of(*controls):
    equation = Equation.model_validate(
        {"outcome": "y", "family": "gaussian", "structure": "additive", "controls": controls}
    )
    return code_controls(equation.controls, FRAME, CAPITALS, ("equations", "y", "controls"), where)


def coded(*controls):
    found = coding_of(*controls)
    assert found.problems == ()
    return found.columns


def problem(*controls) -> str:
    (found,) = coding_of(*controls).problems
    return str(found)


def test_numbers_are_standardised():
    (found,) = coded("size")
    assert found.names == ("size",)
    values = FRAME["size"].to_numpy()
    assert (found.centers, found.scales) == ((values.mean(),), (values.std(ddof=1),))
    np.testing.assert_allclose(found.values[:, 0], (values - values.mean()) / values.std(ddof=1))


@pytest.mark.parametrize(
    ("transform", "function"),
    [("log", np.log), ("log1p", np.log1p), ("sqrt", np.sqrt), ("square", np.square)],
)
def test_transforms_come_before_standardising(transform, function):
    (found,) = coded({"column": "size", "transform": transform})
    assert found.names == (f"{transform}(size)",)
    raw = function(FRAME["size"].to_numpy())
    np.testing.assert_allclose(found.centers[0] + found.scales[0] * found.values[:, 0], raw)
    assert found.values.mean() == pytest.approx(0)


def test_standardising_can_be_left_out():
    (found,) = coded({"column": "size", "standardise": False})
    np.testing.assert_array_equal(found.values[:, 0], FRAME["size"])
    assert (found.centers, found.scales) == ((0.0,), (1.0,))


@pytest.mark.parametrize("column", ["exporter", "flag"])
def test_yes_or_no_stays_as_it_is(column):
    (found,) = coded(column)
    np.testing.assert_array_equal(found.values[:, 0], FRAME[column].astype(float))
    assert (found.centers, found.scales) == ((0.0,), (1.0,))


def test_treatment_coding_leaves_out_the_first_level():
    (found,) = coded("region")
    assert found.names == ("region[south]", "region[west]")
    np.testing.assert_array_equal(found.values, [[0, 1], [0, 0], [1, 0], [0, 0], [0, 1], [1, 0]])


def test_treatment_coding_with_a_reference():
    (found,) = coded({"column": "region", "coding": "treatment", "reference": "south"})
    assert found.names == ("region[north]", "region[west]")
    np.testing.assert_array_equal(found.values.sum(1), [1, 1, 0, 1, 1, 0])


def test_sum_coding():
    (found,) = coded({"column": "region", "coding": "sum"})
    assert found.names == ("region[north]", "region[south]")
    np.testing.assert_array_equal(
        found.values, [[-1, -1], [1, 0], [0, 1], [1, 0], [-1, -1], [0, 1]]
    )


def test_numbers_can_be_levels():
    (found,) = coded({"column": "wave", "coding": "treatment", "reference": 10.0})
    assert found.names == ("wave[9]",)
    np.testing.assert_array_equal(found.values[:, 0], FRAME["wave"] == 9)


def test_product_with_a_capital():
    _, found = coded("exporter", {"product": ["exporter", "human_capital"]})
    assert found.names == ("exporter:human_capital",)
    np.testing.assert_allclose(found.values[:, 0], FRAME["exporter"] * HUMAN)
    assert found.capital == "human_capital"
    np.testing.assert_array_equal(found.factor[:, 0], FRAME["exporter"])


@pytest.mark.parametrize("capital", CAPITALS)
def test_base_of_a_product_is_the_product_without_the_capital(capital):
    *_, found, again = coded(
        "size",
        "region",
        {"product": [capital, "region"]},
        {"product": ["size", f"{capital}:region"]},
    )
    size = coded("size")[0].values
    region = coded("region")[0].values
    for made, base in ((found, region), (again, size * region)):
        assert made.capital == capital
        np.testing.assert_allclose(made.factor, base)
        np.testing.assert_allclose(made.values, base * CAPITALS[capital][:, None])


def test_controls_without_a_capital_have_no_base():
    for found in coded("size", "region", {"product": ["region", "size"]}):
        assert (found.capital, found.base) == ("", None)
        assert found.factor is found.values


def test_product_of_a_categorical_and_a_number():
    region, size, found = coded(
        "region", {"column": "size", "transform": "log"}, {"product": ["region", "log(size)"]}
    )
    assert found.names == ("region[south]:log(size)", "region[west]:log(size)")
    np.testing.assert_allclose(found.values, region.values * size.values)


MESSAGES = {
    "one level": row(
        ["alike"], "the control 'alike' is the same in every row (x)\n    leave it out"
    ),
    "spline of text": row(
        [{"column": "region", "spline": 4}],
        "the control 'region' cannot be a spline: 'west' in row 1, 'north' in row 2, 'south' in "
        "row 3\n    leave out the spline, or correct the column",
    ),
    "spline of few values": row(
        [{"column": "size", "spline": 4}],
        "the control 'size' has 4 different values, too few for a spline of 4 columns\n"
        "    use `spline: 3`, `coding: treatment`, or enter it without `spline`",
    ),
    "spline of a transform": row(
        [{"column": "exporter", "transform": "log", "spline": 3}],
        "the log of 'exporter' cannot be taken: 3 of 6 rows are 0 or below (first: row 1)\n"
        "    use log1p, which is 0 at 0",
    ),
}


@pytest.mark.parametrize(("controls", "message"), MESSAGES.values(), ids=MESSAGES)
def test_messages(controls, message):
    assert problem(*controls) == f"a.yaml:equations.y.controls.0: {message}"


def test_twice():
    assert problem("size", "size") == (
        "a.yaml:equations.y.controls.1: the control 'size' is listed twice\n    leave one out"
    )


def test_product_that_is_the_same_in_every_row():
    assert problem("region", {"product": ["region", "region"]}) == (
        "a.yaml:equations.y.controls.1: the product 'region[south]:region[west]' is the same in "
        "every row\n    leave it out"
    )


def test_all_faults_in_order():
    found = coding_of("same", "size", "alike")
    assert [item.where for item in found.problems] == [
        "a.yaml:equations.y.controls.0",
        "a.yaml:equations.y.controls.2",
    ]
    assert [item.names for item in found.columns] == [("size",)]


def test_a_column_and_its_curve_determine_each_other():
    with pytest.raises(DesignError) as caught:
        small_design(controls=["size", {"column": "size", "spline": 3}])
    assert str(caught.value) == (
        "The model cannot be built on these data:\n  a.yaml:equations.upgrading: these columns "
        "are exactly collinear: size, size[spline 1], size[spline 2], size[spline 3]\n"
        "    leave one of them out"
    )


def test_labels_are_sorted_as_numbers_where_all_are():
    assert sorted_labels(["10", "9", "1.5"]) == ["1.5", "9", "10"]
    assert sorted_labels(["10", "9", "b"]) == ["10", "9", "b"]


@given(seed=st.integers(0, 10_000), scale=st.floats(1e-3, 1e3))
def test_a_dependence_is_found_and_named(seed, scale):
    a, b, c, d = np.random.default_rng(seed).normal(size=(4, 30))
    assert dependent_columns({"a": a, "b": b, "c": c, "d": d}) == ()
    mixed = scale * (0.5 * a - 2 * c) + 7
    found = dependent_columns({"a": a, "b": b, "c": c, "d": d, "mixed": mixed})
    assert found == ("a", "c", "mixed")


def test_a_constant_depends_on_nothing_else():
    a = np.arange(5.0)
    assert dependent_columns({"a": a, "flat": np.ones(5)}) == ("flat",)


def test_more_columns_than_rows():
    columns = dict(zip("abcd", np.random.default_rng(1).normal(size=(4, 4)), strict=True))
    assert dependent_columns(columns) != ()
    assert dependent_columns({}) == ()
