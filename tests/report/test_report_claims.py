from __future__ import annotations

import csv
from pathlib import Path

import pytest
from report_reading import Page

from bayescluster.kit import words
from bayescluster.report.figures import FigureError, claims_matrix
from bayescluster.report.readings import tables_of
from bayescluster.report.render import write_report
from bayescluster.results.claims import Claims
from bayescluster.results.model import Results
from tests.undrawn import page_of, undrawn


def test_every_reading_is_told_with_its_reason(results: Results, page: str) -> None:
    text = Page(page).text
    assert results.claims is not None
    for row in results.claims.rows:
        assert row.words in text
        assert row.disagreement in text
        for reading in row.readings:
            assert reading.estimate is not None
            assert words.plain(reading.estimate) in text
            assert reading.quantity in text
            assert reading.reason in text
            assert reading.region in text
        for reason in row.silent.values():
            assert reason in text


def test_a_tradition_that_is_silent_keeps_its_column(results: Results) -> None:
    assert results.claims is not None
    _, both = tables_of(results.claims.rows)
    assert [cell.verdict == "" for cell in both.rows[0].cells] == [False, True, False, False]
    assert both.rows[0].cells[1].note == "It is silent."


def test_no_section_without_claims(results: Results) -> None:
    for empty in (None, Claims(level=0.95, rows=())):
        page = page_of(results.model_copy(update={"claims": empty}))
        assert 'id="claims"' not in page


def test_too_many_rows_are_not_drawn(results: Results) -> None:
    assert results.claims is not None
    many = Claims(level=0.95, rows=results.claims.rows * 10)
    with pytest.raises(FigureError, match="More than 60 rows"):
        claims_matrix(results.model_copy(update={"claims": many}))


def test_readings_are_a_flat_table(results: Results, tmp_path: Path) -> None:
    with undrawn():
        write_report(results, tmp_path)
    with (tmp_path / "tables" / "readings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert results.claims is not None
    assert len(rows) == sum(len(row.readings) for row in results.claims.rows)
    assert rows[0]["words"] == results.claims.rows[0].words
    assert float(rows[0]["probability"]) == results.claims.rows[0].readings[0].probability
