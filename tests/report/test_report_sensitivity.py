from __future__ import annotations

import pytest
from report_reading import section_of
from sensitivity_made import scaled

from bayescluster.features.sensitivity.view import MOST_BARS, PRIORS, SENSITIVITY, bars
from bayescluster.report.figures import FigureError, scaled_verdicts
from bayescluster.results.model import Results
from tests.undrawn import page_of


@pytest.fixture(scope="module")
def whole(results: Results) -> Results:
    return scaled(results)


def test_findings_say_how_many_verdicts_change(whole: Results) -> None:
    body = str(SENSITIVITY.body(whole))
    assert f"1 of {len(whole.verdicts)} verdicts changes when priors are made weaker" in body
    assert "powers from 0.5 to 2" in body
    assert "could not be drawn" not in body
    assert whole.sensitivity is not None
    still = tuple(row.model_copy(update={"flips": False}) for row in whole.sensitivity.verdicts)
    calm = whole.sensitivity.model_copy(update={"verdicts": still})
    assert "No verdict changes" in str(
        SENSITIVITY.body(whole.model_copy(update={"sensitivity": calm}))
    )


def test_a_bar_spans_all_powers_of_all_priors_together(whole: Results) -> None:
    assert whole.sensitivity is not None
    rows = tuple(
        row.model_copy(update={"probability": 0.5})
        if (row.claim, row.block, row.power) == (1, "all", 2.0)
        else row
        for row in whole.sensitivity.verdicts
    )
    moved = whole.sensitivity.model_copy(update={"verdicts": rows})
    found = bars(whole.model_copy(update={"sensitivity": moved}))
    ends = sorted((0.5, whole.verdicts[1].probability))
    assert [found[1].low, found[1].high] == ends
    assert not found[1].complete  # the draws cannot tell the other power


def test_of_many_verdicts_those_closest_to_a_bound_are_drawn(whole: Results) -> None:
    assert whole.sensitivity is not None
    first, row = whole.verdicts[0], whole.sensitivity.verdicts[-1]
    many = MOST_BARS + 5
    verdicts = tuple(
        first.model_copy(update={"probability": 0.5 + 0.4 * k / many}) for k in range(many)
    )
    rows = tuple(row.model_copy(update={"claim": k, "block": "all"}) for k in range(many))
    found = whole.sensitivity.model_copy(update={"verdicts": rows})
    shown = bars(whole.model_copy(update={"verdicts": verdicts, "sensitivity": found}))
    assert [one.verdict for one in shown] == list(verdicts[5:])


def test_the_appendix_shows_what_is_sensitive(whole: Results) -> None:
    body = str(PRIORS.body(whole))
    assert "1 of 2 do." in body
    assert '<td class="number ">0.077</td>' in body
    assert '<td class="bad">prior-data conflict</td>' in body
    assert "within noise" not in body
    assert "Not made: Models of the ceiling were not scaled." in body


def test_without_rows_the_appendix_says_why(whole: Results) -> None:
    assert whole.sensitivity is not None
    nothing = whole.sensitivity.model_copy(
        update={
            "blocks": (),
            "rows": (),
            "verdicts": (),
            "statements": (),
            "not_made": ("No prior could be scaled: <i>.",),
        }
    )
    page = page_of(whole.model_copy(update={"sensitivity": nothing}))
    assert 'id="sensitivity"' not in page
    body = section_of(page, "priors")
    assert "Not made: No prior could be scaled: &lt;i&gt;." in body
    assert "<table" not in body


def test_nothing_to_draw(results: Results) -> None:
    with pytest.raises(FigureError, match="The results hold no verdict under other priors."):
        scaled_verdicts(results)
