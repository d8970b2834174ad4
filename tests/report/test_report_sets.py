"""The section on sets, and its tables."""

from __future__ import annotations

import re

import pytest
import report_made as made

from bayescluster.features.sets.view import set_plot
from bayescluster.kit.figure import FigureError
from bayescluster.report.sections import raw_tables
from bayescluster.results.model import Results
from tests.undrawn import page_of


@pytest.fixture(scope="module")
def whole(results: Results) -> Results:
    return made.with_sets(results)


@pytest.fixture(scope="module")
def section(whole: Results) -> str:
    page = page_of(whole, "sets")
    found = re.search(r'<section[^>]*id="sets".*?</section>', page, re.DOTALL)
    assert found is not None
    return found.group()


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_measures_stand_with_both_intervals_and_a_tick_where_they_reach_the_cut(section):
    said = plain(section)
    assert "✓ 0.95 [0.91, 0.99] model 0.87 to 0.98" in said
    assert "✓ 0.60 [0.56, 0.64]" in said  # RoN and PRI above .5
    assert re.search(r"Social capital 0\.60 \[0\.56, 0\.64\]", said)


def test_what_the_section_says(section):
    said = plain(section)
    assert "Anchors of human capital come from the sample." in said
    assert "sd 0.1" in said
    assert "JEP-0001, &lt;b&gt;JEP&lt;/b&gt; and 88 more" in section
    assert "4 industries 0.90 0.70" in said
    assert "H + S necessity 0.93 0.60 0.40" in said
    assert "Solutions by industry" not in said
    assert "60 of 1,200 firms are drawn." in said


def test_no_sets_no_section(results, page):
    assert 'id="sets"' not in page
    with pytest.raises(FigureError, match="no sets"):
        set_plot(results)


def test_without_solution_and_combination_it_is_said(whole):
    assert whole.sets is not None
    empty = whole.sets.model_copy(update={"solutions": (), "combinations": ()})
    said = plain(page_of(whole.model_copy(update={"sets": empty})))
    assert "No row of the truth table of all firms is coded as having the outcome" in said
    assert "No combination of the conditions passes the cuts." in said


def test_where_there_are_no_sets_it_is_said_why(whole):
    assert whole.sets is not None
    empty = whole.sets.model_copy(
        update={"sets": (), "plots": (), "notes": ("no set can be calibrated",)}
    )
    page = page_of(whole.model_copy(update={"sets": empty}))
    said = plain(page[page.index('id="sets"') :])
    assert "No set can be calibrated." in said
    assert "Sets and their calibration" not in said


def test_tables_hold_every_row(whole):
    assert whole.sets is not None
    tables = {table.name: table for table in raw_tables(whole)}
    assert len(tables["set_measures"].rows) == len(whole.sets.measures)
    assert tables["set_truth_table"].columns[:3] == ("by", "group", "configuration")
    assert tables["sets"].rows[0][tables["sets"].columns.index("sd")] == "0.0; 0.1; 0.0"
