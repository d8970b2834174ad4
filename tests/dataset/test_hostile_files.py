"""Data files may come from anyone: damaged ones and bombs end in a message, soon and in little memory."""

from __future__ import annotations

import csv
import json
import random
import zipfile
from pathlib import Path

import openpyxl
import pytest

from bayescluster.dataset import old_workbooks
from tests.cases.test_formats import MANIFEST, ODS
from tests.cli.small import FIRMS, call, write

SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
END = "</sheetData></worksheet>"
CELL = '<table:table-cell office:value-type="float" office:value="1" {}><text:p>1</text:p></table:table-cell>'


def workbook(path: Path, cells: dict[str, object]) -> None:
    book = openpyxl.Workbook()
    for line in FIRMS.split():
        book.active.append(line.split(","))
    for place, value in cells.items():
        book.active[place] = value
    book.save(path)


def with_sheet(path: Path, xml: str) -> None:
    workbook(path, {})
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, xml if name.endswith("sheet1.xml") else content)


def said(path: Path) -> str:
    ran = call("check-data", str(path))
    assert ran.code == 3, ran
    return ran.err.replace(str(path), path.name)


def test_a_single_far_cell(tmp_path: Path) -> None:
    workbook(tmp_path / "f.xlsx", {"XFD1048576": 1})
    assert said(tmp_path / "f.xlsx") == (
        "The data do not fit the analysis:\n"
        "  TABLE: the sheet 'Sheet' of 'f.xlsx' has 1,048,560 empty rows above its last cell\n"
        "    delete what is far below or to the right of the table, or save the sheet as csv\n"
    )


def test_cells_far_to_the_right(tmp_path: Path) -> None:
    rows = "".join(f'<row r="{k}"><c r="XFD{k}" s="0"/></row>' for k in range(1, 1000))
    with_sheet(tmp_path / "f.xlsx", SHEET + rows + END)
    assert "reaches over more than 3,000,000 cells" in said(tmp_path / "f.xlsx")


def test_a_workbook_that_unpacks_to_far_more(tmp_path: Path) -> None:
    with_sheet(tmp_path / "f.xlsx", SHEET + " " * 30_000_000 + END)
    assert "unpacks to 30 MB" in said(tmp_path / "f.xlsx")


def test_entities_are_not_multiplied_nor_read(tmp_path: Path) -> None:
    entities = "".join(
        f'<!ENTITY a{k} "{f"&a{k - 1};" * 10}">' if k else '<!ENTITY a0 "lol">' for k in range(12)
    )
    for inside, name in ((entities, "a11"), ('<!ENTITY b SYSTEM "file:///etc/hosts">', "b")):
        text = f'<row><c t="inlineStr"><is><t>&{name};</t></is></c></row>'
        with_sheet(tmp_path / "f.xlsx", f"<!DOCTYPE l [{inside}]>{SHEET}{text}{END}")
        assert "'f.xlsx' cannot be read as xlsx" in said(tmp_path / "f.xlsx")


def test_cells_that_are_repeated_without_end(tmp_path: Path) -> None:
    cell = CELL.format('table:number-columns-repeated="16384"')
    body = f'<table:table table:name="a"><table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row></table:table>'
    with zipfile.ZipFile(tmp_path / "f.ods", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", ODS.format(sheets=body))
    assert "'f.ods' cannot be read as ods" in said(tmp_path / "f.ods")


def test_a_reader_that_ends_its_process(tmp_path: Path) -> None:
    # bytes at which the reader of old workbooks gives up in a way that cannot be caught
    from statsmodels.datasets import macrodata

    folder = Path(macrodata.__file__).parent / "src"
    old = next(path for path in folder.rglob("macrodata.xls") if path.is_file())
    raw, rng = old.read_bytes(), random.Random(4)
    found = []
    for _ in range(12):
        damaged = bytearray(raw)
        for _ in range(20):
            at = rng.randrange(len(raw))
            damaged[at : at + 16] = rng.randbytes(16)
        (tmp_path / "f.xls").write_bytes(damaged)
        found.append(said(tmp_path / "f.xls"))
    assert any("it is damaged, or far larger than it seems" in text for text in found)


def test_a_reader_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(old_workbooks, "MOST_SECONDS", 0.001)
    (tmp_path / "f.ods").write_bytes(b"x")
    assert "it takes more than 0.001 seconds" in said(tmp_path / "f.ods")


def test_flipped_bytes_of_a_workbook(tmp_path: Path) -> None:
    workbook(tmp_path / "f.xlsx", {})
    raw, rng = (tmp_path / "f.xlsx").read_bytes(), random.Random(1)
    codes = set()
    for _ in range(40):
        damaged = bytearray(raw)
        damaged[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
        (tmp_path / "f.xlsx").write_bytes(damaged)
        ran = call("check-data", str(tmp_path / "f.xlsx"))
        codes.add(ran.code)
        assert "Unexpected" not in ran.err
    assert codes == {0, 3}


@pytest.mark.parametrize("text", ["x" * 200_000 + ",b\n1,2\n", 'a,b\n"1,2\n' + "3,4\n" * 50_000])
def test_a_cell_too_long_to_be_one(
    tmp_path: Path, text: str, request: pytest.FixtureRequest
) -> None:
    before = csv.field_size_limit(10_000_000)
    request.addfinalizer(lambda: csv.field_size_limit(before))
    (tmp_path / "f.csv").write_text(text)
    assert "field larger than field limit" in said(tmp_path / "f.csv")


@pytest.mark.parametrize(
    "content",
    [
        {"resources": None},
        {"resources": 3, "title": None},
        {"resources": [None, 3, {"path": None}, {"path": [1, None]}, {"path": {"a": 1}}]},
        [],
        None,
    ],
)
def test_a_description_of_another_form_says_nothing(tmp_path: Path, content: object) -> None:
    write(tmp_path)
    (tmp_path / "datapackage.json").write_text(json.dumps(content))
    assert call("validate", str(tmp_path / "analysis.yaml")).code == 0


def test_a_description_without_end(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "datapackage.json").write_text("[" * 100_000)
    assert call("validate", str(tmp_path / "analysis.yaml")).code == 3


def test_a_path_of_thousands_of_letters(tmp_path: Path) -> None:
    write(tmp_path, {"firms.csv": "x" * 3000 + ".csv"})
    ran = call("validate", str(tmp_path / "analysis.yaml"))
    assert ran.code == 3
    assert ran.err.endswith("cannot be read: File name too long\n    check the path\n")
