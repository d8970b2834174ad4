"""Interactive learning among the findings, and several equations in the other sections."""

from __future__ import annotations

import re

import pytest
import report_made as made
from report_reading import said

from bayescluster.features.learning.view import PATHS
from bayescluster.kit import words
from bayescluster.report.figures import learning_matrix
from bayescluster.results.model import Results
from tests.undrawn import page_of

MOST_WORDS = 250


@pytest.fixture(scope="session")
def several() -> Results:
    return made.several()


@pytest.fixture(scope="session")
def several_page(several: Results) -> str:
    return page_of(several, "learning-matrix")


def test_effects_of_the_outcome_in_focus_are_shown_with_what_they_assume(
    several: Results, several_page: str
) -> None:
    text, learning = said(several_page, "learning"), several.learning
    assert learning is not None
    for row in learning.paths:
        if row.equation == several.model.equation and row.path in PATHS:
            assert words.effect(row.estimate, several.outcome) in text
    assert " 24% " in text
    assert (
        "Causal only if nothing unmeasured brings about two of capital, learning and outcome"
        in text
    )
    assert "forms do not bring about each other" in text
    assert "nothing acts through learning (all firms): human capital 12.0 pp" in text
    assert "Other outcomes are in learning_paths.csv." in text
    assert len(re.findall(r"\w\S*", text)) < MOST_WORDS


def test_forms_that_bring_about_each_other_are_named(several: Results) -> None:
    assert several.learning is not None
    edges = (("learning_buyers", "learning_firms"), *several.learning.edges)
    learning = several.learning.model_copy(update={"edges": edges})
    text = said(page_of(several.model_copy(update={"learning": learning})), "learning")
    assert "bring about each other only so: learning_buyers brings about learning_firms." in text


@pytest.mark.parametrize("narrow", [False, True])
def test_figure_has_a_panel_a_group(several: Results, narrow: bool) -> None:
    figure = learning_matrix(several, narrow=narrow)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["All firms", *made.INDUSTRIES]
