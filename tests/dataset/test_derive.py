from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

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
        [5.0, 0.0, 0.0],
        {"kind": "log"},
        "0.of: the log of 'x' cannot be taken: 2 of 3 rows are 0 or below (first: row 2)\n"
        "    use log1p, which is 0 at 0",
    ),
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
