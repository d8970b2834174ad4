"""The section on the fit, its figures, tables and lines."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import report_made as made
from report_reading import said, section_of

from bayescluster.kit import words as fit_words
from bayescluster.report import figures
from bayescluster.report.sections import raw_tables
from bayescluster.results.model import Results
from tests.undrawn import page_of

CHANCE = "chance alone flags at most 0.6 on average of a correct model"
REASON = "the rows were sampled by design &amp; so on"


def test_lines(results: Results) -> None:
    found = results.fit_checks
    assert found is not None
    assert fit_words.lines(found) == (
        f"1 of 29 predictive statistics is flagged; {CHANCE}",
        f"LOO-PIT: 1 of 4 tests flags a misfit (All firms: {made.fit.MISFIT})",
        "Calibration: no sign of misfit in 4 tests",
    )


def test_section_says_what_was_found(results: Results) -> None:
    page = page_of(results, "calibration")
    text = said(page, "fit")
    assert "Does the model fit the data?" in text
    assert f"1 of 29 predictive statistics is flagged; {CHANCE}." in text
    assert "LOO-PIT: 1 of 4 tests flags a misfit" in text
    assert "2 of these rows have a LOO-PIT value that is unsure." in text
    assert "1 without a LOO-PIT value are left out." in text
    assert "Leave-one-out cross-validation (PSIS): elpd" in text
    assert results.loo is not None
    assert fit_words.sentence(results.loo.advice) in text
    assert page.count('id="figure-calibration"') == 1
    assert 'id="figure-loo-pit"' not in page


def test_flagged_statistics_and_tests_have_a_row(results: Results) -> None:
    text = said(page_of(results), "fit")
    flagged = [row for row in results.predictive if row.flagged]
    assert flagged
    for row in results.predictive:
        shown = f"{fit_words.group(row.by, row.group)} {row.statistic} "
        assert (shown in text) == row.flagged
    assert f"✕ flagged {fit_words.sentence(made.fit.MISFIT)}" in text
    assert text.count("✓ no misfit seen") == 7


def test_an_outcome_without_events_has_the_other_figure(results: Results) -> None:
    found = results.fit_checks
    assert found is not None
    pit_only = found.model_copy(update={"calibration": None, "calibration_reason": "no event"})
    page = page_of(results.model_copy(update={"fit_checks": pit_only}), "loo-pit")
    assert 'id="figure-loo-pit"' in page
    assert 'id="figure-calibration"' not in page


def test_what_was_not_made_says_why(results: Results) -> None:
    found = made.fit.not_made(5)
    nothing = {"fit_checks": found, "predictive": (), "loo": None}
    markup = section_of(page_of(results.model_copy(update=nothing)), "fit")
    assert f"LOO-PIT was not made: {REASON}." in markup
    assert f"Calibration was not looked at: {REASON}." in markup
    assert "Leave-one-out cross-validation was not made." in markup
    assert "<figure" not in markup
    assert "<table" not in markup


def test_every_equation_has_its_lines() -> None:
    page = page_of(made.several())
    text = section_of(page, "fit")
    for name in ("upgrading", *made.LEARNED, "process"):
        assert f"<h4>{name}</h4>" in text
    assert text.count(REASON) == 2 * 4
    assert text.count("<figure ") == 1


def test_curves_are_written_point_by_point(results: Results) -> None:
    assert results.fit_checks is not None
    pit = results.fit_checks.pit
    assert pit is not None
    tables = {table.name: table for table in raw_tables(results)}
    curve = pit.curve
    fourth = (curve.at[3], curve.difference[3], curve.low[3], curve.high[3])
    assert tables["fit_loo_pit_curve"].rows[3] == ("upgrading", *fourth)
    assert len(tables["fit_calibration_curve"].rows) == 40


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (figures.loo_pit, "The results hold no LOO-PIT."),
        (figures.calibration, "The results hold no calibration curve."),
    ],
)
def test_figures_say_what_they_lack(
    draw: Callable[[Results], object], message: str, bare: Results
) -> None:
    with pytest.raises(figures.FigureError) as error:
        draw(bare)
    assert str(error.value) == message
