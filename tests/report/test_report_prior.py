"""The page of a study of the prior."""

from __future__ import annotations

import re

import pytest

from bayescluster.kit.figure import VARIABLES, FigureError, standalone
from bayescluster.kit.intervals import MOST_ROWS, Block, Frame, Interval, intervals_plot
from bayescluster.kit.table import csv_text
from bayescluster.results.facts import OutcomeFacts
from bayescluster.studies.prior.results import (
    PriorEstimand,
    PriorEvent,
    PriorPart,
    PriorRange,
    PriorSpread,
    PriorStudy,
    PriorWarning,
)
from bayescluster.studies.prior.view import csv_tables, factor_words, page_text, spread_words

HOSTILE = "<script>alert(1)</script> $x$ & Co"
WIDE = PriorSpread(median=0.5, low=0.1, high=0.9, mean=0.5)
ENDLESS = PriorSpread(median=3.0, low=1.0, high=None, mean=None)


def made(
    group: str = "Furniture", spread: PriorSpread = WIDE, synthetic: bool = True
) -> PriorStudy:
    outcome = OutcomeFacts(column="up", family="bernoulli", scale="probability", label="P(up)")
    shared = {"by": "industry", "group": group}
    effect = PriorEstimand.model_validate(
        shared
        | {
            "kind": "average_marginal_effect",
            "of": "human_capital",
            "scope": "observed",
            "declared": "quantiles 0.1 and 0.9",
            "at_least": None,
            "spread": spread,
            "positive": 0.5,
        }
    )
    corner = effect.model_copy(update={"kind": "corner", "of": "HL", "positive": None})
    event = PriorEvent.model_validate(
        shared
        | {
            "claim": 1,
            "kind": "necessary",
            "capital": "human_capital",
            "title": "Human capital is necessary",
            "scope": "observed",
            "region": "expected outcome at most 0.1",
            "level": 0.95,
            "probability": 0.97,
            "mcse": 0.01,
            "outlook": "decided_for",
            "to_support": 0.5,
            "to_reject": 600.0,
        }
    )
    ranged = PriorRange.model_validate(
        shared
        | {
            "rows": 12,
            "spread": spread,
            "possible": "0 to 1",
            "implausible": "mean within 0.01 of 0 or 1",
            "share": 0.2,
            "flagged": True,
        }
    )
    part = PriorPart(
        form="additive",
        equation="upgrading",
        focus=True,
        outcome=outcome,
        coefficients=(),
        ranges=(ranged,),
        predictive=(),
        estimands=(effect, corner),
        events=(event,),
    )
    warning = PriorWarning(
        form="additive",
        equation="upgrading",
        about="claim",
        what=f"{group} decided",
        advice="Widen.",
    )
    return PriorStudy(
        name="made",
        title="Made",
        key="0" * 16,
        model_key="0123456789abcdef",
        synthetic=synthetic,
        draws=500,
        seed=1,
        interval=0.9,
        odds=10.0,
        edge_share=0.05,
        magnitudes=3.0,
        parts=(part,),
        warnings=(warning,),
        notes=("A note.",),
    )


def test_the_page_shows_warnings_claims_and_figures():
    page = page_text(made())
    assert "Synthetic data: made by simulation." in page
    assert "Furniture decided" in page
    assert "prior supports" in page
    assert "x 600" in page
    assert "none needed" in page
    assert page.count("<svg") == 4
    assert "Synthetic data" not in page_text(made(synthetic=False))


def test_names_are_escaped():
    page = page_text(made(HOSTILE))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    (table,) = csv_tables(made("=1+1"))
    assert csv_text(table).count("'=1+1") == 2


def test_a_figure_without_finite_ends_says_so():
    page = page_text(made(spread=ENDLESS))
    assert page.count("An interval has an end that is not a finite number.") == 2
    assert spread_words(ENDLESS) == "– (not finite)"


def test_forms_are_named_where_there_are_several():
    one = made()
    other = one.parts[0].model_copy(update={"form": "ces"})
    page = page_text(one.model_copy(update={"parts": (one.parts[0], other)}))
    assert "The prior of ces" in page
    assert "additive: Furniture decided" in page


def test_factors_in_words():
    assert [factor_words(each) for each in (None, 0.7, 19.0)] == [
        "not known",
        "none needed",
        "x 19.0",
    ]


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("far", [1.0, 1e6])
def test_intervals_are_drawn_in_declared_colours(narrow, far):
    rows = tuple(Interval(f"group {k}", -1.0 - k, 0.5, 2.0 + k, k) for k in range(7))
    blocks = (Block("First", (*rows, Interval("far", -far, 0.0, far))), Block("Second", rows))
    figure = intervals_plot(blocks, Frame("Effect", 0.0, key=("one", "two")), narrow=narrow)
    text = standalone(figure, "x", "label")
    colours = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", text))
    assert colours
    assert colours <= set(VARIABLES)
    assert "mathdefault" not in text


def test_positive_magnitudes_have_a_logarithmic_axis():
    rows = (Interval("a", 0.1, 1.0, 10.0), Interval("b", 1.0, 100.0, 1e4))
    (axes,) = intervals_plot((Block("x", rows),), Frame("y")).axes
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()][-1] == "10,000"


@pytest.mark.parametrize(
    ("count", "message"),
    [
        (0, "There is no interval to draw."),
        (MOST_ROWS + 1, f"{MOST_ROWS + 1} intervals are more than the {MOST_ROWS} a figure holds."),
    ],
)
def test_nothing_or_too_much_to_draw(count, message):
    block = Block("x", tuple(Interval("a", 0.0, 1.0, 2.0) for _ in range(count)))
    with pytest.raises(FigureError) as raised:
        intervals_plot((block,), Frame("y"))
    assert str(raised.value) == message
