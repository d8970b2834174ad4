"""Tables of cases: what is read from them, and the whole message of each fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from bayescluster.dataset.cases import CodedCase, read_cases
from bayescluster.errors import DataError
from tests.factories import analysis_of
from tests.helpers import row

ROOT = Path(__file__).parents[2]
SHIPPED = "data/cases/cases.csv"
AT = "a.yaml:equations.upgrading.priors.from"
HEAD = f"The data do not fit the analysis:\n  {AT}.cases: "
TABLE = """\
case,construct,rating,fact
Sialkot,human_capital,low,few engineers
Sialkot,social_capital,high,joint sales
Sialkot,upgraded,low,few firms
Penang,human_capital,high,universities
Penang,social_capital_bridging,low,no ties
Penang,social_capital_transnational,high,diaspora
Penang,upgraded,high,most firms
Penang,growth,medium,some
"""
CHANGED = {
    "no column": row(
        {"case,construct,rating": "case,constructs,mark"},
        HEAD.replace("analysis:", "analysis (2 problems):")
        + "'cases.csv' has no column 'construct' (a table of cases has case, construct, rating)\n"
        "    did you mean 'constructs'?\n"
        f"  {AT}.cases: 'cases.csv' has no column 'rating' (a table of cases has case, construct, "
        "rating)\n    known: case, constructs, mark, fact",
    ),
    "unknown ratings": row(
        {
            "upgraded,low": "upgraded,lo",
            "upgraded,high": "upgraded,lo",
            "growth,medium": "growth,3",
        },
        HEAD.replace("analysis:", "analysis (2 problems):")
        + "'cases.csv' has an unknown rating 'lo' in rows 3, 7\n    did you mean 'low'?\n"
        f"  {AT}.cases: 'cases.csv' has an unknown rating '3' in row 8\n"
        "    known: low, medium, high",
    ),
    "empty cells": row(
        {"Sialkot,human_capital,low": ",human_capital,"},
        HEAD.replace("analysis:", "analysis (2 problems):")
        + "'cases.csv' has no case in row 1\n    fill it in, or leave the row out\n"
        f"  {AT}.cases: 'cases.csv' has no rating in row 1\n    fill it in, or leave the row out",
    ),
    "rated twice": row(
        {"Penang,growth,medium": "Penang,upgraded,low"},
        HEAD + "'cases.csv' rates upgraded of 'Penang' a second time in row 8\n"
        "    keep one of the ratings",
    ),
    "too few cases": row(
        {"Penang,human_capital": "Penang,human"},
        HEAD
        + "a prior from cases needs 2 of them, and 1 of 2 in 'cases.csv' is rated on all that is "
        "needed\n    not rated: human_capital of 'Penang'",
    ),
    "no usable case": row(
        {"Penang,human_capital": "Penang,human", "Sialkot,social": "Sialkot,soc"},
        HEAD + "a prior from cases needs 2 of them, and none of 2 in 'cases.csv' are rated on all "
        "that is needed\n"
        "    not rated: social_capital of 'Sialkot'; human_capital of 'Penang'",
    ),
    "one case alone": row(
        {"Penang": "Sialkot", "Sialkot,human_capital,low": "Sialkot,skills,low"}
        | {"Sialkot,upgraded,low": "Sialkot,exports,low"},
        HEAD
        + "a prior from cases needs 2 of them, and 1 of 1 in 'cases.csv' is rated on all that is "
        "needed\n    add cases, or leave `from` out",
    ),
}


@pytest.fixture
def read(tmp_path, where):
    """Read the cases, changed in parts."""

    def run(swaps=(), structure="interaction", **asked):
        text = TABLE
        for old, new in dict(swaps).items():
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "cases.csv").write_text(text, encoding="utf-8")
        informed = {"cases": "cases.csv", "strength": 1.0} | asked
        analysis = analysis_of("bernoulli", structure, priors={"from": informed})
        return read_cases(analysis, tmp_path, where)

    return run


@pytest.fixture
def refused(read):
    def run(*args, **keys) -> str:
        with pytest.raises(DataError) as caught:
            read(*args, **keys)
        assert caught.value.exit_code == 3
        return str(caught.value)

    return run


def test_nothing_is_read_where_nothing_is_asked_for(tmp_path, where):
    assert read_cases(analysis_of(), tmp_path, where) is None


def test_ratings_by_case(read):
    found = read()
    assert (found.label, found.outcome) == ("cases.csv", "upgraded")
    assert found.cases == (
        CodedCase("Sialkot", "low", (("social_capital", "high"),), "low", ()),
        CodedCase(
            "Penang",
            "high",
            (("social_capital_bridging", "low"), ("social_capital_transnational", "high")),
            "high",
            (),
        ),
    )
    assert found.usable == found.cases


def test_a_model_without_capitals_needs_no_ratings_of_them(read):
    found = read({"human_capital": "skills", "social_capital": "ties"}, structure="intercept")
    assert found.usable == (
        CodedCase("Sialkot", None, (), "low", ()),
        CodedCase("Penang", None, (), "high", ()),
    )


def test_the_digest_follows_the_content(read):
    digest = read().digest
    assert read().digest == digest
    assert read({"upgraded,high": "upgraded,medium"}).digest != digest


@pytest.mark.parametrize(("swaps", "message"), CHANGED.values(), ids=CHANGED)
def test_messages(swaps, message, refused):
    assert refused(swaps) == message


def test_no_such_file(refused):
    assert refused(cases="case.csv") == HEAD + (
        "the data file 'case.csv' does not exist\n    did you mean 'cases.csv'?"
    )


def test_an_outcome_nobody_rated(refused):
    assert refused({"upgraded": "product_upgrading"}) == HEAD.replace("from.cases", "from") + (
        "no case in 'cases.csv' is rated on 'upgraded'\n"
        "    name what represents it under `outcome:`; known: product_upgrading, growth"
    )
    assert refused(outcome="exports") == HEAD.replace("from.cases", "from") + (
        "no case in 'cases.csv' is rated on 'exports'\n    known: upgraded, growth"
    )


def test_the_shipped_cases(where):
    asked = {"cases": SHIPPED, "strength": 0.5, "outcome": "product_upgrading"}
    found = read_cases(analysis_of(priors={"from": asked}), ROOT, where)
    assert [(case.name, case.human, case.outcome) for case in found.usable] == [
        ("Jepara furniture", "low", "low"),
        ("Taiwan flowers", "high", "medium"),
        ("Thailand automotive", "low", "low"),
        ("Bangalore software", "high", "medium"),
    ]
    assert [len(case.social) for case in found.usable] == [3, 2, 3, 3]
