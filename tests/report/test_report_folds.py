"""The section on what was left out, from made-up scores."""

from __future__ import annotations

import pytest
from folds_made import FORMS, left_out
from report_reading import said

from bayescluster.features.folds.view import printed
from bayescluster.kit import words
from bayescluster.results.model import Results
from tests.undrawn import page_of


@pytest.fixture(scope="module")
def left(results: Results) -> Results:
    return left_out(results)


@pytest.fixture(scope="module")
def left_page(left: Results) -> str:
    return page_of(left)


def test_scores_and_failures_are_on_the_page(left: Results, left_page: str) -> None:
    text = said(left_page, "fit")
    assert left.folds is not None
    for part in left.folds.groups:
        for form in part.forms:
            assert f"elpd {words.fixed(form.elpd, 1)} (SE {words.fixed(form.se, 1)}" in text
            assert f"importance sampling says {words.fixed(form.psis, 1)}" in text
            assert f"over {form.counted} of {form.groups}" in text
        for row in part.rows:
            if not row.counts:
                assert f"{row.group} under {row.form} does not count: {row.why}." in text
    assert "repaired by integrating out: 1; by refits: 1; not repaired: 1." in text


def test_the_command_prints_every_score(left: Results) -> None:
    assert left.folds is not None
    text = " ".join(
        part if isinstance(part, str) else str(part)
        for by in ("cluster", "industry", "row")
        for part in printed(left.folds, by)
    )
    for part in left.folds.groups:
        for form in part.forms:
            assert words.fixed(form.weight, 2) in text
            assert (
                f"{words.fixed(form.difference, 1)} ({words.fixed(form.difference_se, 1)})" in text
            )
        for row in part.rows:
            assert words.fixed(row.elpd, 1) in text
            assert f"± {words.fixed(row.mcse, 2)}" in text
    row = left.folds.row
    assert row is not None
    for repair in row.repairs:
        assert repair.row in text
    for value in ("−5.17", "−6.23", "−6.31", "k 0.41", "k 1.13", "± 0.04"):
        assert value in text
    assert "517 draws after 611 of tuning" in text
    assert "as those of a new group" in text


def test_one_form_is_not_compared(results: Results) -> None:
    folds = left_out(results, FORMS[:1]).folds
    assert folds is not None
    text = " ".join(map(str, printed(folds, "cluster")))
    assert "Difference (SE)" not in text
    assert "Stacking weight" not in text
    assert "diag: gates failed" in text
