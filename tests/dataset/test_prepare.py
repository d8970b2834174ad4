from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayescluster.dataset.values import as_float, numeric_problem
from bayescluster.runs.keys import fit_key
from bayescluster.spec.columns import NeededColumn
from tests.factories import analysis_of

HEAD = "The data do not fit the analysis:\n  "
TRUST = NeededColumn("trust", "indicator of social_capital", ("constructs", "social_capital"))
COLUMNS = {
    "id": [1.0, 2.0, 3.0, 4.0],
    "place": ["Cebu", "Cebu", "Hanoi", "Hanoi"],
    "sector": ["Furniture", "Furniture", "Software", "Software"],
    "trust": [1.0, np.nan, 3.0, 4.0],
}


def test_labels_of_declared_roles(prepared):
    firms = prepared(COLUMNS, firm="id", cluster="place", industry="sector")
    assert firms.frame["__firm__"].tolist() == ["1", "2", "3", "4"]
    assert firms.frame["__cluster__"].tolist() == COLUMNS["place"]
    assert firms.frame["__industry__"].tolist() == COLUMNS["sector"]
    assert (firms.label, firms.rows_read, firms.filters) == ("firms.csv", 4, ())
    assert firms.dropped.columns.tolist() == ["variable", "cluster", "rows"]
    assert firms.dropped.empty


def test_labels_of_roles_that_are_not_declared(prepared):
    frame = prepared(COLUMNS, keep=[{"column": "id", "one_of": [2, 3]}]).frame
    assert frame["__firm__"].tolist() == ["row 2", "row 3"]
    assert frame["__cluster__"].tolist() == ["all", "all"]
    assert frame["__industry__"].tolist() == ["all", "all"]
    assert frame.index.tolist() == [1, 2]


def test_only_needed_and_derived_columns_are_kept(prepared):
    frame = prepared(
        COLUMNS,
        [TRUST._replace(optional=True)],
        derive=[{"kind": "scale", "name": "twice", "of": "id", "multiply": 2, "add": 1}],
    ).frame
    assert frame.columns.tolist() == ["trust", "twice", "__firm__", "__cluster__", "__industry__"]
    assert frame["twice"].tolist() == [3.0, 5.0, 7.0, 9.0]


def test_firms_may_repeat(prepared):
    frame = prepared({"id": [7, 7, 8]}, firm="id").frame
    assert frame["__firm__"].tolist() == ["7", "7", "8"]


def test_the_table_is_not_changed(prepared):
    before = pd.DataFrame(COLUMNS)
    prepared(before, [TRUST], missing="drop", cluster="place")
    pd.testing.assert_frame_equal(before, pd.DataFrame(COLUMNS))


def test_many_missing_rows_are_not_all_named(refused):
    message = refused({"trust": [1.0, *[None] * 9]}, [TRUST])
    assert "is missing in 9 of 10 rows (rows 2, 3, 4, 5, 6 and 4 more)\n" in message


def test_dropped_rows_are_counted_by_variable_and_cluster(prepared):
    columns = {
        "place": ["Cebu", "Cebu", "Hanoi", "Hanoi", None],
        "trust": [np.nan, 1.0, np.nan, 2.0, 3.0],
        "size": [np.nan, 1.0, 2.0, 3.0, 4.0],
    }
    size = NeededColumn("size", "control", ("equations",))
    firms = prepared(columns, [TRUST, size], cluster="place", missing="drop")
    assert firms.frame.index.tolist() == [1, 3]
    assert firms.rows_read == 5
    assert firms.dropped.to_numpy().tolist() == [
        ["place", "(missing)", 1],
        ["trust", "Cebu", 1],
        ["trust", "Hanoi", 1],
        ["size", "Cebu", 1],
    ]


@pytest.mark.parametrize("missing", ["error", "drop"])
def test_optional_columns_may_lack_values(missing, prepared):
    firms = prepared(COLUMNS, [TRUST._replace(optional=True)], missing=missing)
    assert len(firms.frame) == 4
    assert firms.dropped.empty


def test_a_column_needed_elsewhere_is_not_optional(refused):
    twice = [TRUST._replace(optional=True), NeededColumn("trust", "control", ("equations",))]
    assert refused(COLUMNS, twice).startswith(
        f"{HEAD}a.yaml:equations: 'trust' (control) is missing in 1 of 4 rows (row 2)"
    )


def test_no_complete_row(refused):
    columns = {"trust": [1.0, None, None], "size": [None, 1.0, 1.0]}
    assert refused(columns, [TRUST, NeededColumn("size", "control", ())], missing="drop") == (
        f"{HEAD}a.yaml:data.missing: no row has a value in all 2 columns the analysis needs\n"
        "    'trust' by itself is missing in 2 of 3 rows"
    )


def test_filters_must_all_hold(prepared):
    keep = [
        {"column": "sector", "one_of": ["Furniture", "Software"]},
        {"column": "id", "one_of": [1, "2", 3.0]},
    ]
    firms = prepared(COLUMNS, keep=keep)
    assert firms.frame.index.tolist() == [0, 1, 2]
    assert firms.filters == (
        "sector: Furniture, Software (4 of 4 rows)",
        "id: 1, 2, 3 (3 of 4 rows)",
    )


def test_clusters_nested_in_industries(refused, prepared):
    columns = COLUMNS | {"sector": ["Furniture", "Software", "Software", "Software"]}
    assert refused(columns, cluster="place", industry="sector") == (
        f"{HEAD}a.yaml:data.cluster: 1 cluster holds firms of more than one industry: "
        "'Cebu' (Furniture 1 row, Software 1 row)\n"
        "    if a cluster may hold several industries: add `crossed: true` under data\n"
        "    if one name means several clusters: add `derive: [{kind: combine, name: place_sector, "
        "of: [place, sector]}]` under data, and write `cluster: place_sector`"
    )
    assert len(prepared(columns, cluster="place", industry="sector", crossed=True).frame) == 4


def test_many_crossed_clusters_are_not_all_named(refused):
    columns = {"place": [k // 3 for k in range(21)], "sector": ["a", "a", "b"] * 7}
    assert refused(columns, cluster="place", industry="sector").splitlines()[1] == (
        "  a.yaml:data.cluster: 7 clusters hold firms of more than one industry: "
        "'0' (a 2 rows, b 1 row); '1' (a 2 rows, b 1 row); '2' (a 2 rows, b 1 row); "
        "'3' (a 2 rows, b 1 row); '4' (a 2 rows, b 1 row); and 2 more"
    )


@pytest.mark.parametrize("other", ["Furniture ", "furniture", " FURNITURE"])
def test_one_group_spelt_in_two_ways(other, refused):
    columns = COLUMNS | {"sector": ["Furniture", "Furniture", other, "Software"]}
    assert refused(columns, industry="sector") == (
        f"{HEAD}a.yaml:data.industry: 'sector' (industry) spells one group in 2 ways: "
        f"'Furniture' (2 rows), '{other}' (1 row)\n"
        "    if these are the same, add `derive: [{kind: recode, name: sector_clean, of: sector, "
        f'values: {{"{other}": "Furniture"}}, otherwise: keep}}]` under data, and name sector_clean '
        "in its place"
    )


def test_only_one_firm(refused):
    assert refused({"id": ["x", "x"]}, firm="id") == (
        f"{HEAD}a.yaml:data.firm: only one firm is left ('x', 2 rows)\n"
        "    check the filters, and that `firm` names the column that tells firms apart"
    )


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([1, 2], None),
        ([1.5, None], None),
        ([True, False], None),
        ([True, None], None),
        ([1, True, 2.5], None),
        (["Yes", "No", "Yes"], "'Yes' in row 1, 'No' in row 2"),
        ([1, "n/a", "?", "n/a"], "'n/a' in row 2, '?' in row 3"),
        (["1", "x"], "'x' in row 2"),
        (list("abcde"), "'a' in row 1, 'b' in row 2, 'c' in row 3 and 2 other values"),
        (list("abcd"), "'a' in row 1, 'b' in row 2, 'c' in row 3 and 1 other value"),
        (["1", "2"], "numbers written as text, '1' in row 1, '2' in row 2"),
        ([1.0, np.inf], "'inf' in row 2"),
        ([pd.Timestamp(2008, 3, 1)], "'2008-03-01' in row 1"),
    ],
)
def test_numeric_problem(cells, problem):
    assert numeric_problem(pd.Series(cells)) == problem


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        ([True, False], [1.0, 0.0]),
        ([True, None], [1.0, np.nan]),
        ([3, None], [3.0, np.nan]),
        ([1, True, 2.5], [1.0, 1.0, 2.5]),
    ],
)
def test_as_float(cells, numbers):
    found = as_float(pd.Series(cells))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, numbers)


FIRMS = {
    "firm": ["a", "b", "c", "d", "e"],
    "industry": ["Toys", "Toys", "Shoes", None, "Cars"],
    "size": [5.0, 40.0, 200.0, np.nan, 40.0],
}


@pytest.mark.parametrize(
    ("exclude", "firms", "said"),
    [
        ({"column": "industry", "one_of": ["Toys"]}, "cde", "industry: Toys (2 of 5 rows)"),
        ({"column": "size", "one_of": [40]}, "acd", "size: 40 (2 of 5 rows)"),
        ({"column": "size", "below": 40}, "bcde", "size below 40 (1 of 5 rows)"),
        ({"column": "size", "above": 40}, "abde", "size above 40 (1 of 5 rows)"),
        (
            {"column": "size", "below": 10, "above": 100},
            "bde",
            "size below 10 or above 100 (2 of 5 rows)",
        ),
    ],
)
def test_rows_are_left_out_and_those_without_a_value_stay(exclude, firms, said, prepared):
    found = prepared(FIRMS, firm="firm", exclude=[exclude])
    assert list(found.frame["__firm__"]) == list(firms)
    assert found.filters == (f"left out, {said}",)


def test_all_faults_of_exclusions_at_once(refused):
    exclude = [
        {"column": "industry", "one_of": ["Toyz", "Cars"]},
        {"column": "industry", "below": 3},
        {"column": "sise", "above": 3},
    ]
    assert refused(FIRMS, exclude=exclude) == (
        "The data do not fit the analysis (3 problems):\n"
        "  a.yaml:data.exclude.2.column: no column 'sise' in the data (exclusion)\n"
        "    did you mean 'size'?\n"
        "  a.yaml:data.exclude.0.one_of.0: no row has 'Toyz' in 'industry'\n"
        "    did you mean 'Toys'?\n"
        "  a.yaml:data.exclude.1.column: 'industry' is not a column of numbers: 'Toys' in row 1, "
        "'Shoes' in row 3, 'Cars' in row 5\n"
        "    below and above go with numbers; name labels by one_of"
    )


def test_exclusions_that_leave_nothing(refused):
    labels = ["Toys", "Shoes", "Cars"]
    exclude = [{"column": "firm", "one_of": ["d"]}, {"column": "industry", "one_of": labels}]
    assert refused(FIRMS, exclude=exclude) == (
        f"{HEAD}a.yaml:data.exclude.1: no row is left after those with industry: Toys, Shoes, Cars "
        "are left out\n    leave fewer rows out"
    )


def test_keys_of_analyses_that_leave_nothing_out_stay_what_they_were():
    """Nothing else in the key may change: fits that were made before are found again."""
    analysis = analysis_of()
    without = analysis.data.model_dump()
    assert without.pop("exclude") == ()
    more = {"exclude": [{"column": "industry", "one_of": ["I0"]}]}
    assert fit_key(analysis, "0") != fit_key(analysis_of(data=more), "0")
    block = {"multiverse": {"families": ["probit"]}}
    declared = type(analysis).model_validate(analysis.model_dump(by_alias=True) | block)
    assert fit_key(analysis, "0") == fit_key(declared, "0")
