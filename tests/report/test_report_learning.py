"""The section on learning, and several equations in the other sections."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest
import report_made as made
from report_reading import Page

from bayescluster.kit import words
from bayescluster.report.figures import learning_matrix
from bayescluster.report.render import write_report
from bayescluster.results.model import Results

ASSUMED = (
    (
        "No unmeasured cause of a capital and of learning, nor of a capital and of the outcome, given "
        "controls, industry and cluster."
    ),
    (
        "No unmeasured cause of learning and of the outcome, given the capitals, the controls, industry "
        "and cluster (sequential ignorability), and none that a capital itself brings about. The tables "
        "of sensitivity below relax this one."
    ),
    (
        "Learning comes before the outcome. In data of one time the order is assumed: upgrading may bring "
        "about learning."
    ),
    (
        "Forms of learning do not bring about each other. Beyond that, forms of a firm are independent "
        "given capitals, controls, industry and cluster."
    ),
)
from tests.undrawn import page_of, undrawn


@pytest.fixture(scope="session")
def several() -> Results:
    return made.several()


@pytest.fixture(scope="session")
def several_page(several: Results) -> str:
    return page_of(several, "learning-matrix")


def text_of(page: str) -> str:
    return " ".join(Page(page).text.split())


def test_the_page_is_well_formed(several_page):
    page = Page(several_page)
    assert page.faults == []
    assert page.open == []
    anchors = page.values("id")
    assert len(anchors) == len(set(anchors))
    assert {link[1:] for link in page.values("href")} <= set(anchors)
    assert "#learning" in page.values("href")


def test_one_equation_has_no_such_section(page):
    assert "Interactive learning" not in page
    assert "total effects" not in page


def test_assumptions_stand_in_full(several_page):
    text = text_of(several_page)
    for assumed in ASSUMED:
        assert assumed in text


def test_every_number_stands_in_the_section(several, several_page):
    text = text_of(several_page)
    found = several.learning
    for row in found.matrix:
        assert words.effect(row.estimate, several.outcome) in text
        assert words.effect(row.standardised, several.outcome) in text
    for row in found.paths:
        assert words.effect(row.estimate, several.outcome) in text
    for row in found.sensitivity:
        assert words.effect(row.indirect, several.outcome) in text
        assert words.effect(row.direct, several.outcome) in text
    assert "24% [12, 43]" in text
    assert "VanderWeele 2010" in text
    assert "b = 5.0 pp" in text
    assert "These effects need not add up" in text


def test_effects_and_verdicts_are_called_total(several, several_page):
    text = text_of(several_page)
    names = ", ".join(several.learning.through)
    assert text.count(f"These are total effects: what acts through {names} is in them.") == 2
    scopes = text.count(f"; total effects, those through {names} as well")
    assert scopes == len({(v.kind, v.capital, v.scope) for v in several.verdicts})


def test_all_equations_stand_in_model_and_checks(several, several_page):
    text = text_of(several_page)
    for other in several.others:
        name = other.model.equation
        assert f"Coefficients of {name}" in text
        assert f"Posterior predictive checks of {name}" in text
    assert "Correlation of residuals between equations" in text
    assert words.plain(several.residuals[0].estimate) in text
    assert "Leave-one-out cross-validation of every equation" in text


def test_without_a_sensitivity_analysis_it_says_so(several):
    learning = several.learning.model_copy(update={"sensitivity": (), "tipping": ()})
    text = text_of(page_of(several.model_copy(update={"learning": learning})))
    assert text.count("It does not apply here") == 2
    assert "Were there another reason" not in text


def test_forms_that_bring_about_each_other_are_named(several):
    edges = (("learning_buyers", "learning_firms"), *several.learning.edges)
    learning = several.learning.model_copy(update={"edges": edges})
    text = text_of(page_of(several.model_copy(update={"learning": learning})))
    assert "bring about each other only so: learning_buyers brings about learning_firms." in text


@pytest.mark.parametrize("narrow", [False, True])
def test_figure_has_a_panel_a_group(several, narrow):
    figure = learning_matrix(several, narrow=narrow)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["All firms", *made.INDUSTRIES]


def test_tables_hold_every_equation(several, tmp_path: Path):
    with undrawn():
        write_report(several, tmp_path)

    def rows(name: str) -> list[dict[str, str]]:
        text = (tmp_path / "tables" / f"{name}.csv").read_text(encoding="utf-8")
        return list(csv.DictReader(StringIO(text)))

    equations = {"upgrading", "process", *made.LEARNED}
    assert {row["equation"] for row in rows("coefficients")} == equations
    assert {row["equation"] for row in rows("predictive")} == equations
    assert {row["equation"] for row in rows("equation_effects")} == equations - {"upgrading"}
    learning = several.learning
    assert len(rows("learning_paths")) == len(learning.paths)
    assert len(rows("learning_matrix")) == len(learning.matrix)
    first = rows("learning_sensitivity")[0]
    assert float(first["indirect_mean"]) == learning.sensitivity[0].indirect.mean
    assert rows("learning_tipping")[0]["interval_at"] == ""
    assert float(rows("residuals")[0]["mean"]) == several.residuals[0].estimate.mean
