"""Rows that are left out: by labels and by numbers, with whole messages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bayescluster.dataset.prepare import prepare
from bayescluster.dataset.read import Table
from bayescluster.errors import DataError
from bayescluster.runs.keys import fit_key
from bayescluster.spec.data import Data
from tests.factories import analysis_of, where

FRAME = pd.DataFrame(
    {
        "firm": ["a", "b", "c", "d", "e"],
        "industry": ["Toys", "Toys", "Shoes", None, "Cars"],
        "size": [5.0, 40.0, 200.0, np.nan, 40.0],
    }
)


def kept(*exclude: dict) -> tuple[list[str], tuple[str, ...]]:
    data = Data.model_validate({"source": "x.csv", "firm": "firm", "exclude": list(exclude)})
    found = prepare(Table(FRAME, "x.csv", True, "Made", "0" * 64), data, (), where)
    return list(found.frame["__firm__"]), found.filters


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
def test_rows_are_left_out_and_those_without_a_value_stay(exclude, firms, said):
    found, filters = kept(exclude)
    assert found == list(firms)
    assert filters == (f"left out, {said}",)


def test_all_faults_are_told_at_once():
    with pytest.raises(DataError) as caught:
        kept(
            {"column": "industry", "one_of": ["Toyz", "Cars"]},
            {"column": "industry", "below": 3},
            {"column": "sise", "above": 3},
        )
    assert str(caught.value) == (
        "The data do not fit the analysis (3 problems):\n"
        "  a.yaml:data.exclude.2.column: no column 'sise' in the data (exclusion)\n"
        "    did you mean 'size'?\n"
        "  a.yaml:data.exclude.0.one_of.0: no row has 'Toyz' in 'industry'\n"
        "    did you mean 'Toys'?\n"
        "  a.yaml:data.exclude.1.column: 'industry' is not a column of numbers: 'Toys' in row 1, "
        "'Shoes' in row 3, 'Cars' in row 5\n"
        "    below and above go with numbers; name labels by one_of"
    )


def test_no_row_left_is_an_error():
    labels = ["Toys", "Shoes", "Cars"]
    with pytest.raises(DataError) as caught:
        kept({"column": "firm", "one_of": ["d"]}, {"column": "industry", "one_of": labels})
    assert str(caught.value) == (
        "The data do not fit the analysis:\n"
        "  a.yaml:data.exclude.1: no row is left after those with industry: Toys, Shoes, Cars are left "
        "out\n"
        "    leave fewer rows out"
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
