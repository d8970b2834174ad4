from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayescluster.dataset.values import InputError
from bayescluster.design.coding import spline_columns
from tests.factories import firms, small_design
from tests.helpers import row

AGES = np.random.default_rng(20080301).gamma(2.0, 8.0, 60)


def cox_de_boor(x, knots, k, degree):
    """The k-th B-spline by its recursion, written from the definition; the last interval closed."""
    if degree == 0:
        last = knots[k] < knots[k + 1] == knots[-1]
        return ((knots[k] <= x) & ((x < knots[k + 1]) | (last & (x == knots[-1])))).astype(float)
    total = np.zeros_like(x)
    for start, rises in ((k, True), (k + 1, False)):
        width = knots[start + degree] - knots[start]
        if width > 0:
            part = (x - knots[start]) / width if rises else (knots[start + degree] - x) / width
            total += part * cox_de_boor(x, knots, start, degree - 1)
    return total


@pytest.mark.parametrize("df", [3, 4, 7])
def test_columns_are_those_of_the_recursion(df):
    inner = [np.percentile(AGES, 100 * k / (df - 2)) for k in range(1, df - 2)]
    knots = np.array([AGES.min()] * 4 + inner + [AGES.max()] * 4)
    wanted = np.column_stack([cox_de_boor(AGES, knots, k, 3) for k in range(1, df + 1)])
    found = spline_columns("age", AGES, df)
    assert found.shape == (60, df)
    np.testing.assert_allclose(found, wanted, atol=1e-12)


@given(
    st.lists(
        st.floats(-1e3, 1e3).map(lambda x: round(x, 3)), min_size=12, max_size=60, unique=True
    ),
    st.integers(3, 6),
)
def test_every_cubic_is_such_a_curve(values, df):
    values = np.array(values)
    columns = spline_columns("age", values, df)
    assert ((columns >= 0) & (columns <= 1)).all()
    np.testing.assert_allclose(columns[values.argmin()], 0, atol=1e-12)
    np.testing.assert_allclose(columns[values.argmax()], [0] * (df - 1) + [1], atol=1e-12)
    z = (values - values.min()) / np.ptp(values)
    cubic = 1 - 2 * z + 3 * z**2 - z**3
    full = np.column_stack([np.ones(z.size), columns])
    left = cubic - full @ np.linalg.lstsq(full, cubic)[0]
    np.testing.assert_allclose(left, 0, atol=1e-7)


def test_columns_do_not_depend_on_the_unit():
    np.testing.assert_allclose(
        spline_columns("age", AGES, 5), spline_columns("age", 12 * AGES + 3, 5), atol=1e-10
    )


def test_columns_enter_the_design_centred():
    frame = firms().assign(age=AGES[:48])
    controls = ["exporter", {"column": "age", "transform": "log", "spline": 4}]
    design = small_design(frame=frame, controls=controls)
    assert design.control_names == ("exporter", *(f"log(age)[spline {k}]" for k in (1, 2, 3, 4)))
    found, wanted = design.controls[:, 1:], spline_columns("age", np.log(AGES[:48]), 4)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found + design.data["control_center"].to_numpy()[1:], wanted)
    assert (design.data["control_scale"].to_numpy() == 1).all()


def test_a_curve_can_differ_by_another_control_or_a_capital():
    frame = firms().assign(age=AGES[:48])
    age = {"column": "age", "spline": 3}
    design = small_design(frame=frame, controls=[age, {"product": ["age", "human_capital"]}])
    assert design.control_names[3:] == tuple(f"age[spline {k}]:human_capital" for k in (1, 2, 3))
    human, _ = design.capitals
    np.testing.assert_allclose(design.controls[:, 3:], design.controls[:, :3] * human[:, None])
    still, moved = design.control_parts(2.0, 0.0)
    assert (still.positions.tolist(), moved.positions.tolist()) == ([0, 1, 2], [3, 4, 5])
    np.testing.assert_allclose(moved.base * moved.level, 2 * still.base)


FAULTS = {
    "few values": row(
        np.repeat([0.0, 1.0, 2.0], 20),
        3,
        "the control 'age' has 3 different values, too few for a spline of 3 columns",
        "use `coding: treatment`, or enter it without `spline`",
    ),
    "fewer columns would do": row(
        np.repeat(np.arange(5.0), 12),
        6,
        "the control 'age' has 5 different values, too few for a spline of 6 columns",
        "use `spline: 4`, `coding: treatment`, or enter it without `spline`",
    ),
    "many alike": row(
        np.where(np.arange(60) < 45, 0.0, AGES),
        5,
        "the knots of a spline of 5 columns for 'age' coincide: 75% of the rows hold 0",
        "ask for fewer columns, or enter it without `spline`",
    ),
}


@pytest.mark.parametrize(("values", "df", "what", "mend"), FAULTS.values(), ids=FAULTS)
def test_columns_that_carry_no_spline(values, df, what, mend):
    with pytest.raises(InputError) as caught:
        spline_columns("age", values, df)
    assert (caught.value.what, caught.value.mend) == (what, mend)


def test_as_many_columns_as_the_values_allow():
    assert spline_columns("age", np.repeat(np.arange(5.0), 12), 4).shape == (60, 4)
