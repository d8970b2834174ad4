from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayescluster.spec.columns import NeededColumn

HEAD = "The data do not fit the analysis:\n  a.yaml:data.derive."


def recoded(values, **keys):
    return {"kind": "recode", "values": values, **keys}


@pytest.mark.parametrize(
    ("cells", "derivation", "wanted"),
    [
        ([1.0, 2.5, None], {"kind": "log"}, [0.0, np.log(2.5), np.nan]),
        ([1.0, 2.5, None], {"kind": "log1p"}, [*np.log1p([1.0, 2.5]), np.nan]),
        ([1.0, 2.5, None], {"kind": "sqrt"}, [1.0, np.sqrt(2.5), np.nan]),
        (["Yes", "No", None], recoded({"Yes": 1, "No": 0}), [1.0, 0.0, np.nan]),
        # numbers are found however they are written, and True is not 1
        ([1.0, 2.0], recoded({1: "low", "2": "high"}), ["low", "high"]),
        ([True, False], recoded({True: "yes", False: "no"}), ["yes", "no"]),
        (["a", "b ", "b"], recoded({"b ": "b"}, otherwise="keep"), ["a", "b", "b"]),
    ],
)
def test_derived_columns(cells, derivation, wanted, prepared):
    frame = prepared({"x": cells}, derive=[{"name": "new", "of": "x", **derivation}]).frame
    pd.testing.assert_series_equal(frame["new"], pd.Series(wanted), check_names=False)


def test_a_derivation_may_use_an_earlier_one(prepared):
    derive = [
        {"kind": "scale", "name": "half", "of": "x", "multiply": 0.5},
        {"kind": "log", "name": "new", "of": "half"},
    ]
    assert prepared({"x": [2.0, 2.0]}, derive=derive).frame["new"].tolist() == [0.0, 0.0]


def test_combine(prepared):
    derive = [{"kind": "combine", "name": "new", "of": ["geo", "sector"]}]
    frame = prepared({"geo": [1.0, 2.0, 3.0], "sector": ["IT", "IT", None]}, derive=derive).frame
    assert frame["new"].tolist()[:2] == ["1 x IT", "2 x IT"]
    assert pd.isna(frame["new"].tolist()[2])


def test_filters_may_use_derived_columns(prepared):
    derive = [{"kind": "combine", "name": "key", "of": ["geo", "sector"], "separator": "-"}]
    columns = {"geo": [1, 2, 2], "sector": ["a", "b", "b"]}
    keep = [{"column": "key", "one_of": ["2-b"]}]
    assert prepared(columns, derive=derive, keep=keep).frame.index.tolist() == [1, 2]


ERRORS = [
    pytest.param(
        [-9.0, 0.0, 1.0],
        {"kind": "log"},
        "0.of: the log of 'x' cannot be taken: 2 of 3 rows are 0 or below (first: row 1)\n"
        "    if negative values mean no answer, list them under `missing_values`",
    ),
    pytest.param(
        [1.0, 2.0, -1.0],
        {"kind": "log1p"},
        "0.of: the log1p of 'x' cannot be taken: 1 of 3 rows are -1 or below (first: row 3)\n"
        "    if negative values mean no answer, list them under `missing_values`",
    ),
    pytest.param(
        [1.0, -0.5, 0.0],
        {"kind": "sqrt"},
        "0.of: the sqrt of 'x' cannot be taken: 1 of 3 rows are below 0 (first: row 2)\n"
        "    if negative values mean no answer, list them under `missing_values`",
    ),
    pytest.param(
        [1, "many", 3],
        {"kind": "scale"},
        "0.of: 'x' is not a number: 'many' in row 2\n"
        "    turn it into numbers first, with `kind: recode`",
    ),
    pytest.param(
        ["Yes", "Noo", "Noo"],
        {"kind": "recode", "values": {"Yes": 1, "No": 0}},
        "0.values: no new value is given for 'Noo' of 'x' (rows 2, 3)\n"
        "    did you mean 'No'? Else list it under `values`, or set `otherwise: keep`",
    ),
    pytest.param(
        [1, 2, 3],
        {"kind": "scale", "name": "x"},
        "0.name: the data already have a column 'x'\n    give the derived column a new name",
    ),
    pytest.param(
        [1, 2, 3],
        {"kind": "combine", "of": ["x", "xx"]},
        "0.of.1: no column 'xx' in the data to make 'new' of\n    did you mean 'x'?",
    ),
]


@pytest.mark.parametrize(("cells", "keys", "message"), ERRORS)
def test_derivations_that_fail(cells, keys, message, refused):
    assert refused({"x": cells}, derive=[{"name": "new", "of": "x", **keys}]) == HEAD + message


def test_what_hangs_on_a_failed_column_is_not_told(refused):
    derive = [
        {"kind": "log", "name": "first", "of": "x"},
        {"kind": "scale", "name": "second", "of": "first"},
    ]
    keep = [{"column": "second", "one_of": [1]}]
    assert refused({"x": [0.0, 1.0]}, derive=derive, keep=keep) == (
        f"{HEAD}0.of: the log of 'x' cannot be taken: 1 of 2 rows are 0 or below (first: row 1)\n"
        "    use log1p, which is 0 at 0"
    )


PANEL = {
    "firm": ["a", "a", "a", "b", "b"],
    "year": [2001, 2002, 2004, 2001, 2002],
    "sales": [10.0, 12.0, 9.0, np.nan, 4.0],
    "staff": [2, 3, 3, 1, 2],
}


@pytest.mark.parametrize(
    ("keys", "values"),
    [
        ({"kind": "above", "of": "sales", "value": 10}, [0.0, 1.0, 0.0, np.nan, 0.0]),
        ({"kind": "at_least", "of": "sales", "value": 10}, [1.0, 1.0, 0.0, np.nan, 0.0]),
        ({"kind": "ratio", "of": ["sales", "staff"]}, [5.0, 4.0, 3.0, np.nan, 2.0]),
        ({"kind": "difference", "of": ["sales", "staff"]}, [8.0, 9.0, 6.0, np.nan, 2.0]),
        ({"kind": "sum", "of": ["sales", "staff", "staff"]}, [14.0, 18.0, 15.0, np.nan, 8.0]),
        (
            {"kind": "lag", "of": "sales", "by": "firm", "order": "year"},
            [np.nan, 10.0, np.nan, np.nan, np.nan],
        ),
        (
            {"kind": "lag", "of": "sales", "by": "firm", "order": "year", "periods": 2},
            [np.nan, np.nan, 12.0, np.nan, np.nan],
        ),
        (
            {"kind": "group_mean", "of": "sales", "by": "firm"},
            [31 / 3, 31 / 3, 31 / 3, 4.0, 4.0],
        ),
        (
            {"kind": "group_mean", "of": "sales", "by": "firm", "leave_out_own": True},
            [10.5, 9.5, 11.0, 4.0, np.nan],
        ),
    ],
)
def test_thresholds_arithmetic_lags_and_group_means(keys, values, prepared):
    found = prepared(PANEL, derive=[{"name": "new", **keys}]).frame["new"]
    np.testing.assert_allclose(found, values)


def test_faults_of_arithmetic_and_lags(refused):
    panel = PANEL | {"staff": [2, 0, 3, 1, 0], "year": [2001, 2001, 2004, 2001, 2002]}
    lag = {"kind": "lag", "name": "b", "of": "sales", "by": "frim", "order": "year"}
    derive = [
        {"kind": "ratio", "name": "a", "of": ["sales", "staff"]},
        lag,
        {**lag, "name": "c", "by": "firm"},
        {"kind": "sum", "name": "d", "of": ["sales", "stuff"]},
    ]
    assert refused(panel, derive=derive) == (
        "The data do not fit the analysis (4 problems):\n"
        "  a.yaml:data.derive.0.of: 'staff' is 0 in rows 2, 5: nothing can be divided by it\n"
        "    correct these cells, leave the rows out, or list 0 under `missing_values` for the column\n"
        "  a.yaml:data.derive.1.by: no column 'frim' in the data to make 'b' of\n"
        "    did you mean 'firm'?\n"
        "  a.yaml:data.derive.2.order: a firm has several rows at one 'year': rows 1, 2\n"
        "    leave out what was entered twice, or name the column that tells these rows apart\n"
        "  a.yaml:data.derive.3.of.1: no column 'stuff' in the data to make 'd' of\n"
        "    did you mean 'staff'?"
    )


def test_cells_are_corrected_on_record(prepared):
    fix = [
        {"column": "firm", "row": 2, "to": "b"},
        {"column": "sales", "where": {"firm": "b", "year": 2001}, "to": 7},
        {"column": "staff", "row": 5, "to": None},
    ]
    firms = prepared(PANEL, [NeededColumn("sales", "control", (), True)], firm="firm", fix=fix)
    assert firms.frame["__firm__"].tolist() == ["a", "b", "a", "b", "b"]
    assert firms.frame["sales"].tolist() == [10.0, 12.0, 9.0, 7.0, 4.0]
    assert firms.notes == (
        "Corrected: 'firm' in row 2 from 'a' to 'b'.",
        "Corrected: 'sales' in row 4 from empty to '7'.",
        "Corrected: 'staff' in row 5 from '2' to no answer.",
    )


def test_corrections_of_what_is_not_there(refused):
    fix = [
        {"column": "sale", "row": 1, "to": 2},
        {"column": "sales", "row": 9, "to": 2},
        {"column": "sales", "where": {"firm": "c"}, "to": 2},
    ]
    assert refused(PANEL, fix=fix) == (
        "The data do not fit the analysis (3 problems):\n"
        "  a.yaml:data.fix.0.column: no column 'sale' in the data to correct\n"
        "    did you mean 'sales'?\n"
        "  a.yaml:data.fix.1.row: the data have 5 rows, and no row 9\n"
        "  a.yaml:data.fix.2.where: no row has firm: c\n"
        "    check these values against the file"
    )
