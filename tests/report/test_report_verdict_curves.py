from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from bayescluster.features.verdict_curves.results import VerdictBand, VerdictCurve
from bayescluster.kit.figure import VARIABLES, standalone
from bayescluster.report.figures import FigureError, figures_of, verdict_curve
from bayescluster.report.render import write_report
from bayescluster.results.model import Results
from tests.undrawn import page_of, undrawn

CURVES = ("verdict-curve-3-eps", "verdict-curve-3-ratio")


def curve(group: str, cutoff: str = "eps", stopped: str = "") -> VerdictCurve:
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
        declared=0.1,
        held="",
        at=at,
        posterior=tuple(min(1.0, 2 * x) for x in at),
        given=tuple(min(1.0, 2 * x) for x in at),
        prior=at,
        bands=(
            VerdictBand(verdict="rejected", low=0.0, high=0.0),
            VerdictBand(verdict="undecided", low=0.1, high=0.4),
            VerdictBand(verdict="supported", low=0.5, high=1.0),
        ),
        stopped=stopped,
        words=f"Supported for {cutoff} from 0.5 up; {group} otherwise.",
    )


@pytest.fixture
def with_curves(results: Results) -> Results:
    made = (curve("A & B"), curve("C"), curve("C", "ratio"))
    return results.model_copy(update={"verdict_curves": made})


def test_a_figure_for_each_claim_and_cut_off(with_curves):
    mine = [spec for spec in figures_of(with_curves) if spec.name.startswith("verdict-curve-")]
    assert [spec.name for spec in mine] == ["verdict-curve-3-eps", "verdict-curve-3-ratio"]
    for spec in mine:
        for narrow in (False, True):
            text = standalone(spec.draw(with_curves, narrow), spec.name, "label")
            colours = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", text))
            assert colours <= set(VARIABLES)
            assert "cut-off of the verdict" in text
    assert "A & B: Supported for eps from 0.5 up" in mine[0].alternative(with_curves)


def test_figures_that_cannot_be_drawn_say_why():
    with pytest.raises(FigureError, match="hold no verdict curve"):
        verdict_curve(())
    with pytest.raises(FigureError, match="25 panels are more than the 24 a figure holds"):
        verdict_curve([curve(f"G{k}") for k in range(25)])


def test_the_section_stands_where_there_are_curves(results, with_curves):
    page = page_of(with_curves, *CURVES)
    assert "Supported for eps from 0.5 up; A &amp; B otherwise." in page
    assert "Verdicts at other cut-offs" in page
    assert "Verdict of eps 0.1 and of others" in page
    bare = page_of(results.model_copy(update={"verdict_curves": ()}))
    assert "Verdicts at other cut-offs" not in bare


def test_tables_and_stale_figures(results, with_curves, tmp_path: Path):
    with undrawn(*CURVES):
        write_report(with_curves, tmp_path)
    names = {path.name for path in (tmp_path / "figures").glob("verdict-curve-*")}
    assert names == {"verdict-curve-3-eps.svg", "verdict-curve-3-ratio.svg"}
    with (tmp_path / "tables" / "verdict_curves.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 33
    assert (rows[3]["group"], rows[3]["cutoff"], rows[3]["at"]) == ("A & B", "eps", "0.3")
    assert float(rows[3]["posterior"]) == 0.6
    with (tmp_path / "tables" / "verdict_bands.csv").open(encoding="utf-8") as file:
        bands = list(csv.DictReader(file))
    assert [row["verdict"] for row in bands[:3]] == ["rejected", "undecided", "supported"]
    with undrawn():
        write_report(results.model_copy(update={"verdict_curves": ()}), tmp_path)
    assert not list((tmp_path / "figures").glob("verdict-curve-*"))
