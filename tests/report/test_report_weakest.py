"""The section on the weakest node, its tables, its figure and its lines on the terminal."""

from __future__ import annotations

import pytest
import report_made as made
import report_weakest as weakest
from report_reading import Page

from bayescluster.cli.tables import print_weakest_node
from bayescluster.features.weakest_node import view as weakest_words
from bayescluster.report.sections import raw_tables
from bayescluster.results.model import Results
from tests.undrawn import page_of

ASSUMED = (
    "Associations, not causes. A gain is what goes with more of a capital among firms that are alike in "
    "controls, industry and cluster. It is what raising the capital would do only if nothing unmeasured "
    "brings about both the capital and the outcome, if firms that are raised become like those that have "
    "it already, if the other capital and the controls stay as they are, and if what one firm gains costs "
    "no other."
)


@pytest.fixture(scope="module")
def results() -> Results:
    return weakest.asked(made.results())


@pytest.fixture(scope="module")
def page(results) -> Page:
    return Page(page_of(results, "gains"))


def node(results: Results, position: int):
    assert results.weakest_node is not None
    return results.weakest_node.nodes[position]


def test_the_page_is_well_formed(page):
    assert page.faults == []
    assert page.open == []
    anchors = page.values("id")
    assert len(anchors) == len(set(anchors))
    assert "weakest-node" in anchors


def test_without_the_question_there_is_no_section():
    text = page_of(made.results())
    assert 'id="weakest-node"' not in text
    assert not any(table.name.startswith("weakest") for table in raw_tables(made.results()))


def test_sentences(results):
    gains = (
        "A step of human capital goes with +10.0 pp [+6.7, +13.3] (at 0.800 kEUR a firm), one of social "
        "capital with +9.0 pp [+5.7, +12.3] (at 0.800 kEUR a firm)."
    )
    assert weakest_words.sentence(node(results, 0), results) == (
        f"Human capital is the weakest node, for what a step costs (probability 0.98). {gains} If one "
        "has to be chosen, human capital: on average that forgoes 0.02 pp per kEUR of what the better "
        "choice would give, choosing social capital 4.20 pp."
    )
    undecided = weakest_words.sentence(node(results, 2), results)
    assert undecided.startswith(
        "It is undecided which capital is the weakest node, for what a step costs; human capital is the "
        "likelier (probability 0.60)."
    )
    stopped = weakest_words.sentence(node(results, 3), results)
    assert f"Social capital: {weakest.FAR}." in stopped
    bare = node(results, 3).model_copy(update={"probability": None, "better": None})
    assert weakest_words.sentence(bare, results) == (
        f"The capitals cannot be compared. Social capital: {weakest.FAR}."
    )


def test_what_is_assumed_stands_in_the_section(page):
    assert ASSUMED in page.text
    assert (
        "Costs are taken to be in proportion to the step and to the number of firms." in page.text
    )


@pytest.mark.parametrize(
    "text",
    [
        "human capital 1 sd; social capital 0.5 sd",
        "A step of human capital costs 1 kEUR a firm, one of social capital 1 kEUR",
        f"beyond the sample: {weakest.FAR}",
        "What 400 kEUR would buy, by industry",
        "Social capital (after human capital)",
        "Both capitals",
        "Social capital (in place of human capital)",
        "Probability that what comes first is truly the best to begin with: 0.61.",
        "10.6 [NN, NA]",
        "0.300 [NN, NA] sd; P(NN) 0.20, P(NA) 0.10",
        "0.40 [\u22120.20, 1.10] sd",
        "From 2,000 draws of the posterior, the levels needed from 400.",
        "10.8 [9.6, 12.2]",
        "A note on what is not there.",
    ],
)
def test_the_section_says(page, text):
    assert text in page.text


def test_tables_hold_every_number(results):
    tables = {table.name: table for table in raw_tables(results)}
    found = results.weakest_node
    assert found is not None
    options = tables["weakest_options"]
    assert len(options.rows) == len(found.options)
    at = options.columns.index("per_cost_mean")
    assert [row[at] for row in options.rows] == [
        one.per_cost.mean for one in found.options if one.per_cost
    ]
    needs = tables["weakest_needs"]
    assert {"low_word", "median_original", "high_sd"} <= set(needs.columns)
    assert len(tables["weakest_nodes"].rows) == 4
    assert len(tables["weakest_plans"].rows) == 4


def test_the_figure_has_a_row_for_every_group(results):
    lines = weakest_words.gain_lines(results)
    assert [line.label for line in lines] == sorted(made.INDUSTRIES)
    for line in lines:
        assert [mark.look for mark in line.marks] == [0, 1]


def test_a_line_an_industry_on_the_terminal(results, capsys):
    print_weakest_node(results)
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == (
        "Weakest node, steps: human capital 1 sd; social capital 0.5 sd; losses per kEUR"
    )
    assert lines[1] == (
        "  human_capital  P(human) 0.98 (prior 0.50)  Traditional manufacturing; expected loss of "
        "choosing human 0.02 pp, social 4.20 pp"
    )
    assert len(lines) == 5


def test_small_gains_are_told_per_more_cost(results):
    found = results.weakest_node
    assert found is not None
    small = tuple(
        row.model_copy(update={"per_cost": made.estimate(0.00007, 0.00001)})
        for row in found.options
    )
    cheap = results.model_copy(update={"weakest_node": found.model_copy(update={"options": small})})
    assert weakest_words.worth_of(cheap).per == "per 1,000 kEUR"
    assert weakest_words.worth(small[0], cheap) == "+7.0 pp [+5.4, +8.6]"
