from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import report_made as made
from report_reading import Page, said

from bayescluster.kit import words
from bayescluster.kit.figure import standalone
from bayescluster.report.checks import thresholds
from bayescluster.report.render import write_report
from bayescluster.report.sections import raw_tables
from bayescluster.results.model import Results
from tests.undrawn import page_of

MARK = "Did not pass its checks: not for citing"


def test_a_failed_check_is_shown_with_its_likely_reason_and_what_to_try(failed_page: str) -> None:
    text = Page(failed_page).text
    assert "Likely: funnel: a group sd near 0 (industry, interaction)." in text
    assert "Likely: no likely reason was recognised." in text  # of E-BFMI
    for reason in made.REASONS:
        assert reason.found in text
        assert words.sentence(reason.advice) in text
        assert reason.source in text
    assert "none of the checks: the draws are not to blame" in text


def test_a_passed_gate_needs_no_reason(page: str) -> None:
    assert "Likely:" not in page
    assert "Likely reasons" not in page


def test_attempts_are_shown(failed: Results, page: str) -> None:
    tried = failed.model_copy(update={"attempts": made.ATTEMPTS})
    text = said(page_of(tried), "checks")
    assert "Attempts" in text
    assert "sampling.target_accept: 0.9 to 0.95" in text
    assert "nothing: the analysis as asked" in text
    assert "1" * 16 in text
    assert "Attempts" not in said(page, "checks")


def test_thresholds_are_written_with_their_sources(results: Results) -> None:
    (table,) = (one for one in raw_tables(results) if one.name == "thresholds")
    assert len(table.rows) > 20
    assert table.rows == tuple((row.name, row.value, row.source) for row in thresholds())


def test_a_failed_fit_is_marked_on_the_page_and_in_its_title(page: str, failed_page: str) -> None:
    assert f'<div class="watermark" aria-hidden="true">{MARK}</div>' in failed_page
    assert f"<title>{MARK} | " in failed_page
    assert MARK not in page


def test_numbers_of_a_failed_fit_are_struck_through_with_what_to_do_first(
    failed: Results, page: str, failed_page: str
) -> None:
    rule = "text-decoration:line-through}"
    assert failed_page.count(rule) - page.count(rule) == 1
    first = words.sentence(failed.gate.first_step)
    assert f"Numbers of these draws are struck through. First: {first}" in Page(failed_page).text
    # they are there all the same
    shown = Page(failed_page).text
    for verdict in failed.verdicts:
        assert words.verdict_probability(verdict.probability) in shown


def test_a_warning_is_shown_and_does_not_close_the_gate(results: Results) -> None:
    first, *rest = results.gate.items
    item = first.model_copy(update={"warning": "only a refit can tell", "unconfirmed": True})
    gate = results.gate.model_copy(update={"items": (item, *rest)})
    text = said(page_of(results.model_copy(update={"gate": gate})), "checks")
    assert "✓ passed, with a warning Only a refit can tell." in text
    assert "Yes: every check passed" in text
    assert gate.first_step == ""


def test_figures_of_a_failed_fit_are_marked(failed: Results, written: Path, tmp_path: Path) -> None:
    write_report(failed, tmp_path / "failed")
    drawn = sorted((tmp_path / "failed" / "figures").glob("*.svg"))
    assert len(drawn) > 4
    for path in drawn:
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        (mark,) = (one for one in root.iter() if one.get("class") == "watermark")
        assert mark.text == MARK
        assert root.attrib["aria-label"].startswith(f"{MARK}. ")
        assert MARK not in (written / "figures" / path.name).read_text(encoding="utf-8")


def test_a_mark_stays_inside_its_figure() -> None:
    from matplotlib.figure import Figure

    root = ElementTree.fromstring(standalone(Figure(figsize=(6, 2)), "x", "label", MARK))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    (mark,) = (one for one in root.iter() if one.get("class") == "watermark")
    length = float(mark.attrib["textLength"])
    assert 0.5 * width < length < (width**2 + height**2) ** 0.5
