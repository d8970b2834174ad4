from __future__ import annotations

from html import escape

from report_reading import Page

from bayescluster.kit import words
from bayescluster.results.model import Results


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
