"""The formats of a paper: the same numbers in each, and nothing of the data that they would run."""

from __future__ import annotations

import csv
import re
import zipfile
from html import unescape
from pathlib import Path

import pytest
import report_made as made

from bayescluster.errors import CommandError
from bayescluster.kit import words
from bayescluster.kit.table import Cell, Head, Table
from bayescluster.report.paper import export, latex, markdown
from bayescluster.results.model import Results
from tests.undrawn import page_of


@pytest.fixture(scope="module")
def paper(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paper") / "made"
    assert export(results, folder).notes == ()
    return folder


def text_of(path: Path) -> str:
    """Visible text of a Word document."""
    with zipfile.ZipFile(path) as archive:
        document = archive.read("word/document.xml").decode()
    return re.sub(r"<[^>]+>", " ", document.replace("</w:t><w:t", "</w:t> <w:t"))


def test_numbers_are_the_same_in_every_format(results: Results, paper: Path) -> None:
    shown = [words.plain(one.estimate) for one in results.model.coefficients]
    assert shown
    word, page = text_of(paper / "report.docx"), (paper / "report.typ").read_text(encoding="utf-8")
    tables = {
        kind: (paper / f"tables/coefficients.{kind}").read_text(encoding="utf-8")
        for kind in ("md", "tex")
    }
    for number in shown:
        digits = re.findall(r"[\d.,]*\d", number)
        for text in (word, page, *tables.values()):
            assert all(one in text for one in digits)
    with (paper / "tables/csv/coefficients.csv").open(encoding="utf-8", newline="") as file:
        means = [float(row["mean"]) for row in csv.DictReader(file)]
    assert means == [one.estimate.mean for one in results.model.coefficients]


def test_documents_and_figures_are_there(paper: Path) -> None:
    assert (paper / "report.pdf").read_bytes().startswith(b"%PDF")
    for width in ("3.5", "7"):
        assert (paper / f"figures/corners-{width}.pdf").read_bytes().startswith(b"%PDF")
        assert (paper / f"figures/corners-{width}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (paper / f"figures/corners-{width}.svg").read_text(encoding="utf-8")
    text = (paper / "text.md").read_text(encoding="utf-8")
    keys = set(re.findall(r"@(\w+)", text))
    known = set(re.findall(r"@\w+\{(\w+),", (paper / "references.bib").read_text(encoding="utf-8")))
    assert keys
    assert keys <= known
    assert "\\citep{" in (paper / "text.tex").read_text(encoding="utf-8")


def test_an_export_replaces_its_own_folder_and_no_other(
    results: Results, paper: Path, tmp_path: Path
) -> None:
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(CommandError, match="not exported from a run"):
        export(results, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]
    assert (paper / "export.txt").is_file()


NASTY = r"\input{/etc/passwd} <script>x</script> | `a` $1$ {b} % # _ ^ ~ & [x](javascript:1) ![](x)"


def test_text_of_the_data_is_harmless_in_latex_and_markdown() -> None:
    table = Table(NASTY, (Head(NASTY), Head("n", numeric=True)), ((Cell(NASTY), Cell("1")),), NASTY)
    made_tex = latex(table)
    assert r"\input" not in made_tex
    assert r"\textbackslash{}input\{/etc/passwd\}" in made_tex
    assert r"\$1\$" in made_tex
    assert r"\toprule" in made_tex
    made_md = markdown(table)
    assert "<script>" not in made_md.replace(r"\<script\>", "")
    assert r"\[x\]\(javascript:1\)" in made_md
    rows = [line for line in made_md.splitlines() if line.startswith("| ")]
    assert len(rows) == 3
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 3 for row in rows)


def test_without_pandoc_the_rest_is_written(
    results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bayescluster.report import paper as module

    monkeypatch.setattr(module, "pandoc_is_there", lambda: False)
    monkeypatch.setattr(module, "FIGURES", ())
    found = export(results, tmp_path / "made")
    assert "pip install 'bayescluster[export]'" in found.notes[0]
    assert len(found.notes) == 1
    assert (tmp_path / "made/tables/coefficients.tex").is_file()
    assert not (tmp_path / "made/report.docx").exists()

    # another run has other tables: what an earlier export left is named, and stays
    (tmp_path / "made/tables/learning.md").write_text("of an earlier run")
    again = export(results, tmp_path / "made")
    assert "did not write: tables/learning.md." in again.notes[-1]
    assert len(again.notes) == 2


def test_of_a_failed_run_each_text_and_table_says_so_itself(
    failed: Results, results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bayescluster.report import paper as module

    monkeypatch.setattr(module, "pandoc_is_there", lambda: False)
    monkeypatch.setattr(module, "FIGURES", ())
    for run, name, marked in ((failed, "failed", True), (results, "passed", False)):
        export(run, tmp_path / name)
        files = [*(tmp_path / name / "tables").glob("*.*"), tmp_path / name / "text.md"]
        assert len(files) > 20
        wrong = [p for p in files if (words.NOT_FOR_CITING in p.read_text("utf-8")) != marked]
        assert not wrong


LABELS = (
    "=cmd|' /C calc'!A1",
    r'\input{/etc/passwd} $x_1$ 50% & #1 {~^} <script>harm()</script> "q"',
    "\u202eשלום عالم (א)",
    "x" * 4995 + " end",
)


def test_labels_of_every_kind_are_harmless_and_readable_in_every_format(tmp_path: Path) -> None:
    results = made.results(industries=LABELS, passed=False)
    # fewer figures, of which a paper has each in six forms
    fewer = {"surfaces": (), "curves": (), "fit_checks": None, "title": "", "description": ""}
    results = results.model_copy(update=fewer)
    page = page_of(results)
    folder = tmp_path / "made"
    assert export(results, folder).notes == ()
    csv_text = (folder / "tables/csv/verdicts.csv").read_text(encoding="utf-8")
    shown = {
        "html": unescape(page),
        "md": (folder / "tables/answer_1.md").read_text(encoding="utf-8"),
        "tex": (folder / "tables/answer_1.tex").read_text(encoding="utf-8"),
        "docx": unescape(text_of(folder / "report.docx")),
        "typ": (folder / "report.typ").read_text(encoding="utf-8"),
    }
    for name, text in shown.items():
        assert "cmd" in text, name
        assert "שלום عالم" in text, name
        assert "x" * 20 in text, name
        assert "x" * 60 not in text.replace("\n", ""), name  # cut, and its end is there
        assert "xx end" in " ".join(text.split()), name
        assert "\u202e" not in text, name
        assert text.count("\u2068") == text.count("\u2069") > 0, name
    assert "<script>harm" not in page
    assert LABELS[1] in shown["docx"]
    assert words.NOT_FOR_CITING in shown["docx"]
    assert "#read(" not in shown["typ"]
    assert re.search(r"(?<!\\)\\input|(?<!\\)\$x", shown["tex"]) is None
    assert re.search(r"(?<!\\)[#$]x?1|(?<!\\)<script", shown["typ"]) is None
    rows = list(csv.reader(csv_text.splitlines()))
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    assert any(LABELS[3] in row for row in rows)  # files have names whole
    for path in ("report.pdf", "figures/corners-7.pdf"):
        assert (folder / path).read_bytes().startswith(b"%PDF")
