"""The section on the fit, its figures, tables and lines."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import report_made as made
from report_reading import Page

from bayescluster.kit import words as fit_words
from bayescluster.report import figures
from bayescluster.report.render import write_report
from bayescluster.report.sections import raw_tables
from bayescluster.results.model import Results
from tests.undrawn import page_of, undrawn

CHANCE = "of a model that is right, chance flags 0.6 on average, at most"
REASON = "the rows were sampled by design &amp; so on"


def section(page: str) -> str:
    start = page.index('id="fit"')
    return page[start : page.index("<section", start)]


def test_lines(results: Results) -> None:
    found = results.fit_checks
    assert found is not None
    assert fit_words.lines(found) == (
        f"1 of 29 predictive statistics is flagged; {CHANCE}",
        f"LOO-PIT: 1 of 4 tests flag a misfit (All firms: {made.fit.MISFIT})",
        "Calibration: no sign of misfit in 4 tests",
    )


def test_section_says_what_was_found(page: str) -> None:
    text = section(page)
    assert "Does the model fit?" in text
    assert "LOO-PIT: 1 of 4 tests flag a misfit" in text
    assert "LOO-PIT values are unsure: 2 of 1,200." in text
    assert "1 row has no LOO-PIT value and is left out" in text
    assert "fewer than 10 rows" in text
    assert "fewer than 5 rows with it, or without it" in text
    assert "figure-loo-pit" in text
    assert "figure-calibration" in text
    assert "could not be drawn" not in text


def test_flags_of_predictive_checks_stand_beside_those_of_chance(page: str) -> None:
    assert f"far from what the model makes; {CHANCE}." in page


def test_what_was_not_made_says_why(results: Results) -> None:
    found = made.fit.not_made(5)
    text = section(page_of(results.model_copy(update={"fit_checks": found})))
    assert f"LOO-PIT was not made: {REASON}." in text
    assert f"Calibration was not looked at: {REASON}." in text
    assert "<figure" not in text
    assert "<table" not in text


def test_no_section_without_checks(bare_page: str) -> None:
    assert 'id="fit"' not in bare_page


def test_every_equation_has_its_lines() -> None:
    page = page_of(made.several(), "loo-pit", "calibration")
    text = section(page)
    for name in ("upgrading", *made.LEARNED, "process"):
        assert f"<h3>{name}</h3>" in text
    assert text.count(REASON) == 2 * 4
    assert text.count("<figure ") == 2
    assert Page(page).values("id").count("figure-loo-pit") == 1


def test_tables(results: Results, tmp_path: Path) -> None:
    whole = made.several()
    with undrawn():
        write_report(whole, tmp_path)
    found = whole.fit_checks
    assert found is not None
    assert found.pit is not None
    assert found.calibration is not None
    with (tmp_path / "tables" / "fit_loo_pit.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["p"] for row in rows] == [
        "" if row.p is None else str(row.p) for row in found.pit.groups
    ]
    assert {row["equation"] for row in rows} == {"upgrading"}
    tables = {table.name: table for table in raw_tables(results)}
    curve = tables["fit_loo_pit_curve"]
    assert curve.rows[3] == (
        "upgrading",
        found.pit.curve.at[3],
        found.pit.curve.difference[3],
        found.pit.curve.low[3],
        found.pit.curve.high[3],
    )
    assert len(tables["fit_calibration"].rows) == len(found.calibration.rows)
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
