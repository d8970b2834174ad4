from __future__ import annotations

import csv
from html import escape
from pathlib import Path

import report_made as made
from report_reading import Page

from bayescluster.kit import words
from bayescluster.report.render import write_report
from bayescluster.results.model import Results
from tests.undrawn import page_of, undrawn


def test_the_page_is_well_formed_and_links_to_each_form(compared_page: str) -> None:
    page = Page(compared_page)
    assert (page.faults, page.open) == ([], [])
    away = [link for link in page.values("href") if not link.startswith("#")]
    assert sorted(away) == sorted(f"forms/{form}/report.html" for form in made.FORMS)
    anchors = page.values("id")
    assert len(anchors) == len(set(anchors))


def test_no_section_without_a_comparison(page: str) -> None:
    assert 'id="forms"' not in page
    assert "averaged over the forms" not in page


def test_every_number_of_the_comparison_is_told(compared: Results, compared_page: str) -> None:
    text = Page(compared_page).text
    found = compared.comparison
    assert found is not None
    for statement in found.statements:
        assert words.sentence(statement) in text
    assert escape("1 < 2 & so on", quote=False) in compared_page
    for row in found.forms:
        for score in (row.rows, row.clusters):
            assert score is not None
            assert f"{words.fixed(score.elpd, 1)} ({words.fixed(score.se, 1)})" in text
    for claim, verdict in enumerate(compared.verdicts):
        own = [one for one in found.verdicts if one.claim == claim]
        if len({one.verdict for one in own}) > 1:
            assert verdict.title in text
            for one in own:
                assert words.verdict_probability(one.probability) in text


def test_what_is_of_one_form_says_so(compared_page: str) -> None:
    text = Page(compared_page).text
    assert "This is the model of conjunctive, which has the largest weight" in text
    assert "This is of conjunctive, which has the largest weight" in text
    assert "A verdict has to hold under each plausible form" in text


def test_identification_is_told(compared: Results, compared_page: str) -> None:
    text = Page(compared_page).text
    known = compared.model.identification
    assert known is not None
    assert words.sentence(known.notes[0]) in text
    for one in known.contractions:
        assert one.term in text
        assert words.fixed(one.contraction, 2) in text


def test_data_are_escaped() -> None:
    page = page_of(made.compared(made.hostile()))
    assert page.lower().count("<script") == page.count("<script>")
    assert escape(made.HOSTILE[0]) in page
    assert Page(page).faults == []


def test_tables(compared: Results, tmp_path: Path) -> None:
    with undrawn():
        write_report(compared, tmp_path)

    def table(name: str) -> list[dict[str, str]]:
        with (tmp_path / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    found, known = compared.comparison, compared.model.identification
    assert found is not None
    assert known is not None
    assert [row["form"] for row in table("forms")] == list(made.FORMS)
    for row, form in zip(table("forms"), found.forms, strict=True):
        assert float(row["weight"]) == form.weight
        assert form.clusters is not None
        assert float(row["clusters_elpd"]) == form.clusters.elpd
        assert float(row["rows_difference_se"]) == form.rows.difference_se
    assert len(table("form_corners")) == len(found.corners)
    assert len(table("form_verdicts")) == len(found.verdicts)
    assert [float(row["elpd"]) for row in table("form_clusters")] == [
        one.elpd for one in found.clusters
    ]
    assert [float(row["contraction"]) for row in table("contractions")] == [
        one.contraction for one in known.contractions
    ]
    assert [float(row["firms_mean"]) for row in table("gate_firms")] == [
        one.firms.mean for one in known.corners
    ]
