"""The weakest node among the findings, and what a budget buys in the appendix."""

from __future__ import annotations

import pytest
import report_made as made
import report_weakest as weakest
from report_reading import said

from bayescluster.features.weakest_node import view as weakest_words
from bayescluster.results.model import Results
from tests.undrawn import page_of

FIRST, SECOND, THIRD, FOURTH = made.INDUSTRIES


@pytest.fixture(scope="module")
def results() -> Results:
    return weakest.asked(made.results())


@pytest.fixture(scope="module")
def page(results: Results) -> str:
    return page_of(results, "gains")


@pytest.mark.parametrize(
    "text",
    [
        "raised by one step (human capital 1 sd; social capital 0.5 sd)",
        "a step costs 1 kEUR (human capital) and 1 kEUR (social capital) a firm",
        "Gains are associations, not effects of raising a capital.",
        "Which capital is the weakest node, by gain per kEUR",
        f"{FIRST} Human capital 0.98 0.02 pp 4.20 pp",
        f"{FOURTH} Undecided Social capital: {weakest.FAR}. 0.97 0.02 pp 4.20 pp",
        "A note on what is not there.",
    ],
)
def test_findings_name_the_weakest_node_of_each_industry(page: str, text: str) -> None:
    assert text in said(page, "weakest-node")


@pytest.mark.parametrize(
    "text",
    [
        "What 400 kEUR would buy",
        f"{FIRST} Social capital (after human capital) 260 100 kEUR",
        f"{SECOND} Both capitals 260",
        "Social capital (in place of human capital)",
        "Together 400 kEUR +80.0 [+65.2, +94.8]",
        "Probability that the first is truly the best: 0.61.",
        "Human capital for 25% Human capital for 50% Social capital for 25% Social capital for 50%",
        f"{FIRST} 10.6 10.8 10.6 10.8",
    ],
)
def test_the_appendix_shows_plan_and_least_levels(page: str, text: str) -> None:
    assert text in said(page, "budget")


def test_the_figure_has_a_row_for_every_industry(results: Results) -> None:
    lines = weakest_words.gain_lines(results)
    assert [line.label for line in lines] == sorted(made.INDUSTRIES)
    for line in lines:
        assert [mark.look for mark in line.marks] == [0, 1]
    (far,) = (line for line in lines if line.label == FOURTH)
    assert [mark.beyond for mark in far.marks] == [False, True]


def test_clusters_are_drawn_only_where_there_is_no_other_group(results: Results) -> None:
    found = results.weakest_node
    assert found is not None
    cluster = tuple(row.model_copy(update={"by": "cluster"}) for row in found.options)
    both = {"by": ("industry", "cluster"), "options": (*found.options, *cluster)}
    mixed = results.model_copy(update={"weakest_node": found.model_copy(update=both)})
    assert len(weakest_words.gain_lines(mixed)) == 4
    alone = {"by": ("cluster",), "options": cluster}
    only = results.model_copy(update={"weakest_node": found.model_copy(update=alone)})
    assert len(weakest_words.gain_lines(only)) == 4


def test_small_gains_are_given_per_more_cost(results: Results) -> None:
    found = results.weakest_node
    assert found is not None
    small = tuple(
        row.model_copy(update={"per_cost": made.estimate(0.00007, 0.00001)})
        for row in found.options
    )
    cheap = results.model_copy(update={"weakest_node": found.model_copy(update={"options": small})})
    assert weakest_words.worth_of(cheap).per == "per 1,000 kEUR"
