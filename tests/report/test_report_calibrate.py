"""The page of a calibration: what it says, in words that follow the numbers, and nothing unescaped."""

from __future__ import annotations

import pytest

from bayescluster.checks.uniformity import band
from bayescluster.kit.figure import FigureError
from bayescluster.studies.calibration import view as calibrate
from bayescluster.studies.calibration.results import (
    Band,
    Bin,
    Calibration,
    FormCalibration,
    QuantityRow,
    Reliability,
)
from bayescluster.studies.calibration.view import (
    SHAPE_WORDS,
    SHOWN,
    ecdf_plot,
    page_text,
    reliability_plot,
    state_words,
    verdict_words,
)
from bayescluster.studies.design_analysis.results import Share, SizeFacts

COUNT = 24
SHARE = Share(share=0.5, low=0.4, high=0.6)


def row(name: str = "sigma", **changed) -> QuantityRow:
    plain = QuantityRow(
        kind="parameter",
        name=name,
        replications=COUNT,
        p=0.4,
        p_corrected=1.0,
        p_all=0.3,
        rejected=False,
        shape=None,
        mean=0.5,
        spread=0.29,
        difference=(0.0,) * (COUNT - 1),
    )
    return plain.model_copy(update=changed)


def reliability(**changed) -> Reliability:
    one = Bin(low=0.4, high=0.5, stated=0.45, events=9, replications=COUNT, came=SHARE)
    plain = Reliability(
        tradition="all",
        claim="",
        title="All claims together",
        by=None,
        events=9,
        replications=COUNT,
        stated=0.45,
        came=SHARE,
        supported=None,
        rejected=SHARE,
        brier=0.2,
        brier_expected=0.21,
        log_score=0.6,
        log_score_expected=0.61,
        excess_z=0.1,
        bins=(one,),
    )
    return plain.model_copy(update=changed)


def made(*rows: QuantityRow, **changed) -> Calibration:
    points, low, high = (tuple(part.tolist()) for part in band(COUNT))
    form = FormCalibration(
        form="additive",
        replications=COUNT,
        passed=COUNT,
        not_converged=0,
        not_fitted=0,
        divergent=2,
        reasons=(),
        rows=rows,
        bands=(Band(replications=COUNT, points=points, low=low, high=high),),
        claims=(reliability(),),
        claims_all=None,
    )
    size = SizeFacts(firms_times=0.2, clusters_times=1, rows=30, firms=30, clusters=4, industries=2)
    plain = Calibration(
        name="made",
        title="Made",
        key="k",
        model_key="m",
        synthetic=True,
        outcome="growth",
        size=size,
        replications=COUNT,
        draws=100,
        tune=100,
        chains=2,
        target_accept=0.9,
        seed=1,
        level=0.05,
        interval=0.9,
        rhat_max=1.05,
        independent_min=25,
        replications_min=20,
        state="not_rejected",
        forms=(form,),
        notes=("A note.",),
    )
    return plain.model_copy(update=changed)


def test_the_page_says_what_was_found():
    page = page_text(made(row()))
    for words in (
        "No sign of miscalibration: uniformity is rejected of none of 1 quantities, with a 5% chance",
        "Synthetic data: made by simulation.",
        "24 of 24 refits passed the gate, 2 had divergences.",
        "24 replications of 30 firms in 4 clusters (0.2 times the firms in each), each refitted with",
        "A note.",
    ):
        assert words in page
    assert "REJECTED" not in page


@pytest.mark.usefixtures("unprinted_figures")
@pytest.mark.parametrize("shape", list(SHAPE_WORDS))
def test_a_rejection_is_told_in_words(shape):
    wrong = row(rejected=True, shape=shape, p=1e-6, p_corrected=1e-5)
    found = made(wrong, row("nu"), state="rejected")
    assert state_words(found).startswith(
        "Calibration is REJECTED: the ranks of 1 of 2 quantities are not uniform."
    )
    page = page_text(found)
    assert f"<li>sigma: {SHAPE_WORDS[shape]}.</li>" in page
    assert "&lt; 0.001" in page


def test_words_of_what_is_not_rejected():
    assert verdict_words(row()) == "uniform as far as can be seen"
    assert verdict_words(row(p=None)) == "too few replications"
    low = row(p=0.01, shape="too_high")
    assert verdict_words(low) == "low by itself, not among so many quantities"


def test_names_from_data_are_escaped():
    page = page_text(made(row("effect[<script>alert(1)</script>]"), row("$x_1$")))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_many_quantities_are_folded_and_the_rest_stand_in_the_table(monkeypatch):
    folded = 4  # of the 36: each is a panel to draw
    monkeypatch.setattr(calibrate, "FOLDED", folded)
    rows = [row(f"quantity {k:02d}") for k in range(SHOWN + folded + 3)]
    page = page_text(made(*rows))
    assert "Further quantities, drawn" in page
    assert f"Table of all {len(rows)} quantities" in page
    assert page.count(f"quantity {SHOWN + folded + 2}") == 1
    assert page.count(f"quantity {SHOWN + folded - 1}") > 1
    assert "Further quantities, drawn" not in page_text(made(*rows[:SHOWN]))


def test_nothing_to_draw_is_said():
    with pytest.raises(FigureError, match="No quantity was ranked"):
        ecdf_plot((), {})
    with pytest.raises(FigureError, match="No probability was stated"):
        reliability_plot(reliability(bins=()))
    assert "This figure could not be drawn." in page_text(made())
