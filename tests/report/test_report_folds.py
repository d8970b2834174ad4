"""The section on what was left out, from made-up scores."""

from __future__ import annotations

import csv
from html import escape
from pathlib import Path

import pytest
from folds_made import FORMS, left_out
from report_made import HOSTILE
from report_reading import Page

from bayescluster.kit import words
from bayescluster.report.render import write_report
from bayescluster.results.model import Results
from tests.undrawn import page_of, undrawn


@pytest.fixture(scope="module")
def told(results: Results) -> Results:
    return left_out(results)


@pytest.fixture(scope="module")
def told_page(told: Results) -> str:
    return page_of(told)


def test_the_page_is_well_formed_and_stands_after_the_checks(told_page: str, page: str) -> None:
    read = Page(told_page)
    assert (read.faults, read.open) == ([], [])
    places = [told_page.index(f' id="{name}"') for name in ("checks", "left-out", "model")]
    assert places == sorted(places)
    assert 'id="left-out"' not in page


def test_every_score_is_told(told: Results, told_page: str) -> None:
    text = Page(told_page).text
    assert told.folds is not None
    for part in told.folds.groups:
        for form in part.forms:
            for value, error in (
                (form.elpd, form.se),
                (form.psis, form.psis_se),
                (form.difference, form.difference_se),
            ):
                assert f"{words.fixed(value, 1)} ({words.fixed(error, 1)})" in text
            for weight in (form.weight, form.psis_weight):
                assert words.fixed(weight, 2) in text
            assert f"over {form.counted} of {form.groups}" in text
        for row in part.rows:
            assert words.fixed(row.elpd, 1) in text
            assert f"± {words.fixed(row.mcse, 2)}" in text
            assert words.fixed(row.psis, 1) in text
            if not row.counts:
                assert f"{row.group} under {row.form} does not count: {row.why}." in text
    row = told.folds.row
    assert row is not None
    for repair in row.repairs:
        assert repair.row in text
    for value in ("−5.17", "−6.23", "−6.31", "k 0.41", "k 1.13", "± 0.04"):
        assert value in text
    assert "repaired by integrating out: 1; by refits: 1; not repaired: 1." in text


def test_it_is_said_to_be_joint_and_of_synthetic_firms(told_page: str) -> None:
    assert "as those of a new group" in told_page
    assert "The firms are synthetic" in told_page
    assert "517 draws after 611 of tuning" in told_page


def test_one_form_is_not_compared(results: Results) -> None:
    text = Page(page_of(left_out(results, FORMS[:1]))).text
    assert "Difference (SE)" not in text
    assert "Stacking weight" not in text
    assert "diag: gates failed" in text


def test_names_of_the_data_are_escaped(results: Results) -> None:
    found = page_of(left_out(results, groups=HOSTILE))
    assert "<script" not in found.lower()
    assert escape(HOSTILE[0]) in found
    assert (Page(found).faults, Page(found).open) == ([], [])
    assert "of a new group &lt;b&gt;" in found


def test_tables_hold_the_raw_numbers(told: Results, tmp_path: Path) -> None:
    with undrawn():
        write_report(told, tmp_path)
    assert told.folds is not None

    def rows(name: str) -> list[dict[str, str]]:
        with (tmp_path / "tables" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    groups = [(part.by, row) for part in told.folds.groups for row in part.rows]
    for found, (by, wanted) in zip(rows("left_out_groups"), groups, strict=True):
        assert (found["by"], found["form"]) == (by, wanted.form)
        assert float(found["elpd"]) == wanted.elpd
    forms = [form for part in told.folds.groups for form in part.forms]
    for found, form in zip(rows("left_out_forms"), forms, strict=True):
        assert float(found["weight"]) == form.weight
        assert int(found["diag_failed"]) == 1
    assert [row["way"] for row in rows("left_out_rows")] == ["integrated", "refit", "left"] * 2
