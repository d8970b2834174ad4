from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sensitivity_made import scaled

from bayescluster.cli.tables import print_summary
from bayescluster.features.sensitivity.view import SENSITIVITY
from bayescluster.report.figures import FigureError
from bayescluster.report.figures import scaled_verdicts as draw_verdicts
from bayescluster.report.figures import sensitivity as draw_sensitivity
from bayescluster.report.render import write_report
from bayescluster.results.model import Results
from tests.undrawn import page_of, undrawn

TITLE = "Do the findings hang on the priors?"


@pytest.fixture(scope="module")
def whole(results: Results) -> Results:
    return scaled(results)


def test_the_section_says_what_stands_out(whole):
    body = str(SENSITIVITY.body(whole))
    assert "<li>Something &amp; something else stands out.</li>" in body
    assert "Not made: Models of the ceiling were not scaled." in body
    assert '<td class="number bad">0.077<small>prior-data conflict</small></td>' in body
    assert '<td class="number thin">0.061<small>within noise</small></td>' in body
    assert '<td class="number bad">0.941<small>undecided, within Monte Carlo error</small>' in body
    assert "<small>not available from these draws: refit</small>" in body
    assert "population &lt;b&gt; ~ Normal(0, 1)" in body
    assert "could not be drawn" not in body


def test_the_section_is_left_out_where_nothing_was_scaled(page, whole):
    assert TITLE in page_of(whole)
    assert TITLE not in page


def test_without_rows_the_section_says_why(whole):
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
    body = str(SENSITIVITY.body(whole.model_copy(update={"sensitivity": nothing})))
    assert "Not made: No prior could be scaled: &lt;i&gt;." in body
    assert "<table" not in body
    assert "<figure" not in body


def test_names_of_the_data_are_escaped(hostile):
    page = page_of(scaled(hostile), "sensitivity", "scaled-verdicts")
    assert "<script>alert(1)" not in page
    assert TITLE in page


def test_tables_hold_the_numbers(whole, tmp_path: Path):
    with undrawn("sensitivity", "scaled-verdicts"):
        write_report(whole, tmp_path)
    with (tmp_path / "tables" / "sensitivity.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert (rows[1]["block"], rows[1]["value"]) == ("groups", "0.0771")
    assert rows[1]["diagnosis"] == "prior-data conflict"
    with (tmp_path / "tables" / "scaled_verdicts.csv").open(encoding="utf-8") as file:
        judged = list(csv.DictReader(file))
    assert len(judged) == 6 * len(whole.verdicts)
    assert [row["verdict"] for row in judged[:5]].count("cannot be told") == 1
    assert sum(row["flips"] == "True" for row in judged) == 1
    assert {path.stem for path in (tmp_path / "figures").glob("s*.svg")} >= {
        "sensitivity",
        "scaled-verdicts",
    }


def test_nothing_to_draw(results):
    with pytest.raises(FigureError, match="The results hold no sensitivity."):
        draw_sensitivity(results)
    with pytest.raises(FigureError, match="The results hold no verdict under other priors."):
        draw_verdicts(results)


def test_one_line_on_the_terminal(whole, results, capsys):
    print_summary(whole)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Priors")]
    count = len(whole.verdicts)
    wanted = (
        f"Priors: 1 of 2 parameters and estimands are sensitive to them; 1 of {count} verdicts flip "
        f"with weaker or stronger ones; {count - 1} cannot be told at every power from these draws."
    )
    assert lines == [wanted]
    print_summary(results)
    assert "Priors" not in capsys.readouterr().out
