from __future__ import annotations

from ceiling_models_made import STATEMENT, modelled
from report_reading import Page

from bayescluster.kit import words
from bayescluster.results.model import Results
from tests.undrawn import page_of


def test_every_model_is_told_with_its_effect_sizes(results: Results) -> None:
    whole = modelled(results)
    page = Page(page_of(whole, "ceilings-human-capital", "ceiling-effects-human-capital"))
    assert (page.faults, page.open) == ([], [])
    assert STATEMENT in page.text
    assert "13 firms lack the capital." in page.text
    assert whole.ceiling_models is not None
    for fit in whole.ceiling_models.capitals[0].fits:
        assert fit.model in page.text
        for row in fit.effects[:5]:
            assert words.plain(row.estimate) in page.text
    assert "bulk ESS 134" in page.text


def test_no_section_without_ceiling_models(page: str) -> None:
    assert 'id="ceiling-models"' not in page
