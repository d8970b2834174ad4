from __future__ import annotations

import csv
from pathlib import Path

import pytest
from report_reading import said

from bayescluster.features.verdict_curves.results import VerdictBand, VerdictCurve
from bayescluster.features.verdict_curves.view import MOST_ROWS, turns
from bayescluster.report.figures import FigureError, verdict_curve
from bayescluster.report.render import write_report
from bayescluster.results.model import Results
from tests.undrawn import page_of, undrawn

BANDS = (
    VerdictBand(verdict="rejected", low=0.0, high=0.0),
    VerdictBand(verdict="undecided", low=0.1, high=0.4),
    VerdictBand(verdict="supported", low=0.5, high=1.0),
)


def curve(
    group: str,
    cutoff: str = "eps",
    declared: float = 0.3,
    bands: tuple[VerdictBand, ...] = BANDS,
    stopped: str = "",
) -> VerdictCurve:
    at = tuple(k / 10 for k in range(11))
    return VerdictCurve(
        claim=2,
        kind="necessary",
        capital="human_capital",
        title="Human capital is necessary",
        by="industry",
        group=group,
        scope="observed",
        at_least=None,
        level=0.95,
        cutoff=cutoff,  # type: ignore[arg-type]
        declared=declared,
        held="",
        at=at,
        posterior=tuple(min(1.0, 2 * x) for x in at),
        given=tuple(min(1.0, 2 * x) for x in at),
        prior=at,
        bands=bands,
        stopped=stopped,
        words="What the curve says.",
    )


NEVER = curve("D", bands=(VerdictBand(verdict="undecided", low=0.0, high=1.0),), stopped="Why.")


@pytest.fixture
def with_curves(results: Results) -> Results:
    made = (curve("A & B"), curve("C", declared=0.1), curve("C", "ratio", 0.45), NEVER)
    return results.model_copy(update={"verdict_curves": made})


def test_the_closest_turning_point_of_each_curve_is_shown(with_curves: Results) -> None:
    text = said(page_of(with_curves), "verdict-curves")
    assert "of 4 curves, 3 have another verdict somewhere, and 1 has none at any cut-off." in text
    assert "A & B eps 0.3 undecided ✓ supported from 0.5" in text
    assert "C eps 0.1 undecided ✕ rejected up to 0" in text
    assert "C ratio 0.45" in text
    assert "eps: at most this, in kind" in text


def test_a_verdict_between_points_of_the_grid_is_that_of_the_closest_range() -> None:
    (turn,) = turns([curve("C", declared=0.42)])
    assert (turn.verdict, turn.other) == ("undecided", "✓ supported from 0.5")


def test_of_many_turning_points_the_closest_are_shown(results: Results) -> None:
    many = tuple(curve(f"G{k}", declared=0.4 - 0.01 * k) for k in range(20))
    text = said(page_of(results.model_copy(update={"verdict_curves": many})), "verdict-curves")
    assert f"The {MOST_ROWS} that change closest to the declared value:" in text
    assert f"G{MOST_ROWS - 1} " in text
    assert f"G{MOST_ROWS} " not in text


def test_the_curve_can_be_drawn_or_says_why_not() -> None:
    assert len(verdict_curve((curve("A"), curve("B"))).axes) == 2
    with pytest.raises(FigureError, match="hold no verdict curve"):
        verdict_curve(())
    with pytest.raises(FigureError, match="25 panels are more than the 24 a figure holds"):
        verdict_curve([curve(f"G{k}") for k in range(25)])


def test_tables(with_curves: Results, tmp_path: Path) -> None:
    with undrawn():
        write_report(with_curves, tmp_path)
    with (tmp_path / "tables" / "verdict_curves.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 44
    assert (rows[3]["group"], rows[3]["cutoff"], rows[3]["at"]) == ("A & B", "eps", "0.3")
    assert float(rows[3]["posterior"]) == 0.6
    with (tmp_path / "tables" / "verdict_bands.csv").open(encoding="utf-8") as file:
        bands = list(csv.DictReader(file))
    assert [row["verdict"] for row in bands[:3]] == ["rejected", "undecided", "supported"]
    assert len(bands) == 10
