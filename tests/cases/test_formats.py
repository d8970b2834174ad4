"""Tables as programs export them: the same firms come out of every one."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from bayescluster.dataset.read import Names, Table, read_table
from bayescluster.dataset.values import as_float, labels
from bayescluster.errors import DataError
from bayescluster.spec.data import Data

FIRMS = pd.DataFrame(
    {
        "id": ["01", "02", "1", "2"],
        "place": ["Lübeck", "Hà Nội", "Łódź", "Cebu"],
        "share": [12.5, 0.25, 1234.5, -3.0],
        "staff": [1200, 8, 15, 0],
    }
)
WESTERN = FIRMS.assign(place=["Lübeck", "Orléans", "Málaga", "Cebu"])
GROUPS = Names(frozenset({"id", "place"}), frozenset({"id", "place"}))

Read = Callable[..., Table]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a file of these bytes, or one that is there already."""

    def run(name: str, content: bytes | None = None, **keys: Any) -> Table:
        if content is not None:
            (tmp_path / name).write_bytes(content)
        data = Data.model_validate({"source": name, **keys})
        return read_table(data, tmp_path, lambda path: f"a.yaml:{path[-1]}", GROUPS)

    return run


def same(table: Table, firms: pd.DataFrame) -> None:
    for name in ("id", "place"):
        assert labels(table.frame[name]).tolist() == firms[name].tolist()
    for name in ("share", "staff"):
        np.testing.assert_allclose(as_float(table.frame[name]), firms[name])


def text_of(
    firms: pd.DataFrame, delimiter: str = ",", number: Callable[[float], str] = "{:g}".format
) -> str:
    rows = [
        [row.id, row.place, number(row.share), number(row.staff)]
        for row in firms.itertuples(index=False)
    ]
    quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in rows]
    return "\n".join(delimiter.join(row) for row in [list(firms.columns), *quoted]) + "\n"


def notes(table: Table) -> str:
    return " ".join(note.text for note in table.notes)


# encodings


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),
        ("utf-16-be", "UTF-16"),
    ],
)
def test_unicode_in_all_its_forms(encoding, said, read):
    table = read("f.csv", text_of(FIRMS).encode(encoding))
    same(table, FIRMS)
    assert notes(table) == (f"Read as {said} (`encoding`, `delimiter`)." if said else "")


@pytest.mark.parametrize("encoding", ["windows-1252", "latin-1", "iso-8859-15"])
def test_western_text(encoding, read):
    table = read("f.csv", text_of(WESTERN, ";").encode(encoding))
    same(table, WESTERN)
    assert (
        notes(table)
        == "Read as Windows-1252 text, semicolons between cells (`encoding`, `delimiter`)."
    )


ELSEWHERE = {
    "cp1250": ["Łódź", "Kraków", "Gdańsk", "Wrocław"],
    "cp1251": ["Иваново", "Москва", "Казань", "Тула"],
    "gb18030": ["温州鞋业集群", "佛山陶瓷集群", "义乌小商品", "晋江服装集群"],
    "shift_jis": ["大田区の機械", "東大阪の金属", "燕三条の食器", "鯖江のめがね"],
    "euc_kr": ["서울 전자 단지", "부산 조선 단지", "대구 섬유 단지", "구미 전자 단지"],
    "big5": ["新竹科學園區", "台中精密機械", "彰化水五金區", "台南紡織聚落"],
}


@pytest.mark.parametrize("encoding", ELSEWHERE)
def test_text_of_other_places(encoding, read):
    firms = FIRMS.assign(place=ELSEWHERE[encoding])
    longer = pd.concat([firms] * 10, ignore_index=True)
    raw = text_of(longer).encode(encoding)
    same(read("f.csv", raw, encoding=encoding), longer)
    if encoding != "big5":  # which cannot be told from others by its bytes
        table = read("f.csv")
        same(table, longer)
        assert notes(table).startswith("Read as ")


def test_an_encoding_that_is_stated_is_taken(read):
    raw = text_of(FIRMS.assign(place=ELSEWHERE["cp1250"])).encode("cp1250")
    same(read("f.csv", raw, encoding="windows-1250"), FIRMS.assign(place=ELSEWHERE["cp1250"]))
    with pytest.raises(DataError, match=r"'f.csv' is not utf-8 text: see line 2") as caught:
        read("f.csv", encoding="utf-8")
    assert "a.yaml:encoding" in str(caught.value)
    with pytest.raises(DataError, match="there is no encoding 'utf-9'"):
        read("f.csv", encoding="utf-9")


# what parts cells, and how numbers are written


def german(value: float) -> str:
    return f"{value:,}".replace(",", " ").replace(".", ",").replace(" ", ".")


WRITTEN = {
    "point": (",", "{:g}".format, ""),
    "semicolons, points": (";", "{:g}".format, "semicolons"),
    "tabs": ("\t", "{:g}".format, "tabs"),
    "bars": ("|", "{:g}".format, "bars"),
    "semicolons, commas": (";", lambda value: f"{value:g}".replace(".", ","), "decimal commas"),
    "German": (";", german, "decimal commas, points between thousands"),
    "English": (",", lambda value: f"{value:,}", "commas between thousands"),
    "Swiss": (";", lambda value: f"{value:,}".replace(",", "'"), "apostrophes between thousands"),
    "French": (
        ";",
        lambda value: f"{value:,}".replace(",", "\u202f").replace(".", ","),
        "decimal commas, spaces between thousands",
    ),
    "commas in quotes": (",", lambda value: f"{value:g}".replace(".", ","), "decimal commas"),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_cells_and_numbers_however_they_are_written(form, read):
    delimiter, number, said = WRITTEN[form]
    table = read("f.csv", text_of(FIRMS, delimiter, number).encode())
    same(table, FIRMS)
    assert said in notes(table)
    assert (notes(table) == "") == (said == "")


def test_what_is_stated_of_a_file_is_taken(read):
    text = "id;place;share;staff\n01;a;1,234;1.200\n02;b;2,5;8\n"
    table = read("f.csv", text.encode(), delimiter=";", decimal=",", thousands=".")
    assert as_float(table.frame["share"]).tolist() == [1.234, 2.5]
    assert as_float(table.frame["staff"]).tolist() == [1200.0, 8.0]
    with pytest.raises(DataError, match="`delimiter` goes with text files, not with parquet"):
        read("f.parquet", delimiter="tab")


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,234", "5,678"], [1.234, 5.678]),
        (["1,234", "0.5"], [1234.0, 0.5]),
        (["1.234", "0,5"], [1234.0, 0.5]),
        (["1.234", "5.678"], [1.234, 5.678]),
        (["1,234", "56 789", "412", "1,002,003.5"], [1234.0, 56789.0, 412.0, 1002003.5]),
        (["1.234", "56 789", "412,5"], [1234.0, 56789.0, 412.5]),
    ],
)
def test_a_comma_and_three_digits(cells, values, read):
    text = "id;x\n" + "".join(f"f{k};{cell}\n" for k, cell in enumerate(cells))
    assert as_float(read("f.csv", text.encode()).frame["x"]).tolist() == values


@pytest.mark.parametrize("mark", ["%", " %"])
def test_percent(mark, read):
    text = f"id,x,y\na,45{mark},1%\nb,12.5{mark},2\n"
    table = read("f.csv", text.encode())
    np.testing.assert_allclose(as_float(table.frame["x"]), [0.45, 0.125])
    assert table.frame["y"].tolist() == ["1%", "2"]
    assert "Written in percent, read as shares (45% is 0.45): x." in notes(table)


@pytest.mark.parametrize(
    "cells",
    [["1.5", "2,5"], ["12/1", "3"], ["1.2.3", "4"], ["nan", "1"], ["1,2,3", "4"], ["0x1", "2"]],
)
def test_what_is_no_number_stays_text(cells, read):
    text = "id;x\n" + "".join(f"f{k};{cell}\n" for k, cell in enumerate(cells))
    assert read("f.csv", text.encode()).frame["x"].tolist() == cells


def test_what_excel_says_of_the_delimiter(read):
    table = read("f.csv", ("sep=;\n" + text_of(FIRMS, ";")).encode())
    same(table, FIRMS)


def test_titles_above_the_names(read):
    text = "Survey of firms 2008;;;\n;;;\n" + text_of(FIRMS, ";")
    table = read("f.csv", text.encode())
    same(table, FIRMS)
    assert "The names of columns are in row 3 (`header_row`)." in notes(table)
    same(read("f.csv", header_row=3), FIRMS)


def test_line_breaks_in_cells_are_no_rows(read):
    text = 'id,place,share,staff\n01,"Lübeck\nan der Trave",1,2\n02,Cebu,3,4\n'
    assert len(read("f.csv", text.encode()).frame) == 2


def test_names_again_among_the_rows_are_no_row(read):
    head, *rows = text_of(FIRMS).splitlines(keepends=True)
    table = read("f.csv", "".join([head, *rows, head, *rows]).encode())
    assert table.frame["staff"].tolist()[:4] == FIRMS["staff"].tolist()
    assert table.frame.isna().all(axis=1).tolist() == [*[False] * 4, True, *[False] * 4]
    assert "The names of columns again, left out: row 5." in notes(table)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("f.xls", b"id\tx\n1\t2\n", "'f.xls' is text, and no xls file"),
        ("f.xlsx", "id;x\nä;2\n".encode("cp1252"), "'f.xlsx' is text, and no xlsx file"),
        ("f.ods", "id,x\n1,2\n".encode("utf-16"), "'f.ods' is text, and no ods file"),
        ("f.xls", b"<html><table></table></html>", "'f.xls' is a web page or XML, and no xls file"),
        ("f.xls", b"PK\x03\x04\x14", "'f.xls' is a workbook of another kind, and no xls file"),
    ],
)
def test_files_that_are_called_workbooks(name, content, said, read):
    with pytest.raises(DataError, match=said):
        read(name, content)


QUESTIONS = 'Firm,Where are you?,Share of sales,"People, all told"\n'


@pytest.mark.parametrize("codes", ["", "{Q1},{Q2},{Q3},{Q4}\n"])
def test_rows_that_describe_the_columns(codes, read):
    head, *rows = text_of(pd.concat([FIRMS, FIRMS, FIRMS])).splitlines(keepends=True)
    table = read("f.csv", "".join([head, QUESTIONS, codes, *rows]).encode())
    same(table, pd.concat([FIRMS, FIRMS, FIRMS]))
    assert table.descriptions["staff"].startswith("People, all told")
    many = "2 rows" if codes else "1 row"
    assert f"in row 1, and what describes them in the {many} below (`header_row`)" in notes(table)


@pytest.mark.parametrize("row", ["03,Cebu,refused,refused", "03,Cebu,n/a,4", "03,Cebu,,"])
def test_a_first_row_that_lacks_answers_describes_nothing(row, read):
    head, *rows = text_of(pd.concat([FIRMS, FIRMS, FIRMS])).splitlines(keepends=True)
    assert len(read("f.csv", "".join([head, f"{row}\n", *rows]).encode()).frame) == 13


def test_lines_of_two_encodings(read):
    lines = text_of(WESTERN).splitlines(keepends=True)
    mixed = b"".join(line.encode(("utf-8", "cp1252")[k % 2]) for k, line in enumerate(lines))
    table = read("f.csv", mixed)
    same(table, WESTERN)
    assert "Windows-1252, but for lines in UTF-8" in notes(table)


@pytest.mark.parametrize(("cell", "text"), [('"=""0012"""', "0012"), ('="01"', "01"), ('=""', "")])
def test_text_that_is_kept_from_a_spreadsheet(cell, text, read):
    found = read("f.csv", f"id,x\n{cell},1\n{cell.replace('1', '2')},2\n".encode())
    assert labels(found.frame["id"]).fillna("").tolist() == [text, text.replace("1", "2")]


# workbooks


def workbook(path: Path, *rows: list[Any], merged: tuple[str, ...] = ()) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for place in merged:
        book.active.merge_cells(place)
    book.save(path)


CELLS = FIRMS.to_numpy().tolist()


def test_numbers_stored_as_text(tmp_path, read):
    rows = [[one, place, str(share), str(staff)] for one, place, share, staff in CELLS]
    workbook(tmp_path / "f.xlsx", list(FIRMS), *rows)
    same(read("f.xlsx"), FIRMS)


def test_numbers_of_text_with_commas(tmp_path, read):
    rows = [[*row[:2], german(row[2]), row[3]] for row in CELLS]
    workbook(tmp_path / "f.xlsx", list(FIRMS), *rows)
    table = read("f.xlsx")
    same(table, FIRMS)
    assert "decimal commas" in notes(table)


def test_merged_headings_over_names(tmp_path, read):
    top = ["Firm", None, "Answers", None]
    workbook(tmp_path / "f.xlsx", top, list(FIRMS), *CELLS, merged=("A1:B1", "C1:D1"))
    table = read("f.xlsx")
    same(table, FIRMS)
    assert "The names of columns are in row 2 (`header_row`)." in notes(table)


def test_names_merged_over_both_rows_of_a_heading(tmp_path, read):
    rows = ["id", "place", "Answers", None], [None, None, "share", "staff"]
    workbook(tmp_path / "f.xlsx", *rows, *CELLS, merged=("A1:A2", "B1:B2", "C1:D1"))
    same(read("f.xlsx"), FIRMS)


@pytest.mark.parametrize("error", ["#N/A", "#DIV/0!", "#VALUE!", "#REF!"])
def test_errors_are_named(error, tmp_path, read):
    rows = [[*row] for row in CELLS]
    rows[2][2] = error
    workbook(tmp_path / "f.xlsx", list(FIRMS), *rows)
    from bayescluster.dataset.values import numeric_problem

    found = read("f.xlsx").frame["share"]
    assert numeric_problem(found) == f"an error of the spreadsheet, '{error}' in row 3"
    declared = read("f.xlsx", missing_values=[error]).frame["share"]
    np.testing.assert_array_equal(as_float(declared), [12.5, 0.25, np.nan, -3.0])


def test_formulas_without_a_value_are_named(tmp_path, read):
    rows = [[*row] for row in CELLS]
    rows[1][3] = "=4*2"
    workbook(tmp_path / "f.xlsx", list(FIRMS), *rows)
    from bayescluster.dataset.values import numeric_problem

    found = read("f.xlsx").frame["staff"]
    assert numeric_problem(found) == "a formula without a stored value, '=4*2' in row 2"


def test_sheets_that_are_not_read_are_said(tmp_path, read):
    with pd.ExcelWriter(tmp_path / "f.xlsx") as book:
        FIRMS.to_excel(book, sheet_name="Firms", index=False)
        FIRMS.to_excel(book, sheet_name="Old", index=False)
    assert "The first sheet is read, 'Firms'; others are 'Old' (`sheet`)." in notes(read("f.xlsx"))
    assert notes(read("f.xlsx", sheet="Old")) == ""


def test_empty_rows_below_and_dates(tmp_path, read):
    rows = [[*row, datetime.datetime(2008, 3, 1)] for row in CELLS]
    workbook(tmp_path / "f.xlsx", [*FIRMS, "day"], *rows, [None] * 5, [None] * 5)
    table = read("f.xlsx")
    same(table, FIRMS)
    assert table.frame["day"].tolist() == ["2008-03-01"] * 4


# statistics packages


@pytest.mark.parametrize("kind", ["sav", "zsav", "por", "dta"])
def test_statistics_packages(kind, tmp_path, read):
    names = {"sav": "f.sav", "zsav": "f.zsav", "por": "f.por", "dta": "f.dta"}
    writers: dict[str, Callable[..., Any]] = {
        "sav": pyreadstat.write_sav,
        "zsav": lambda frame, path: pyreadstat.write_sav(frame, path, compress=True),
        "por": pyreadstat.write_por,
        "dta": pyreadstat.write_dta,
    }
    firms = WESTERN.assign(place=["Luebeck", "Orleans", "Malaga", "Cebu"])
    frame = firms.rename(columns=str.upper) if kind == "por" else firms
    writers[kind](frame, tmp_path / names[kind])
    table = read(names[kind])
    table = table._replace(frame=table.frame.rename(columns=str.lower))
    same(table, firms)


def test_descriptions_of_columns(tmp_path, read):
    pyreadstat.write_sav(
        FIRMS[["id", "share"]], tmp_path / "f.sav", column_labels=["Firm", "Share"]
    )
    assert read("f.sav").descriptions == {"id": "Firm", "share": "Share"}


# other workbooks

ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content
  xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
  xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
  xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
<office:body><office:spreadsheet>{sheets}</office:spreadsheet></office:body>
</office:document-content>"""


MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>"""


def ods(path: Path, sheets: dict[str, list[list[Any]]]) -> None:
    """Write an OpenDocument spreadsheet, as small as it can be."""

    def cell(value: Any) -> str:
        if value is None:
            return "<table:table-cell/>"
        kind = "string" if isinstance(value, str) else "float"
        number = "" if kind == "string" else f' office:value="{value}"'
        return (
            f'<table:table-cell office:value-type="{kind}"{number}>'
            f"<text:p>{value}</text:p></table:table-cell>"
        )

    tables = "".join(
        f'<table:table table:name="{name}">'
        + "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
        + "</table:table>"
        for name, rows in sheets.items()
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", ODS.format(sheets=tables))


def test_opendocument(tmp_path, read):
    ods(tmp_path / "f.ods", {"Notes": [["read me"], ["x"]], "Firms": [list(FIRMS), *CELLS]})
    same(read("f.ods", sheet="Firms"), FIRMS)
    with pytest.raises(DataError, match="'f.ods' has no sheet 'Frims'"):
        read("f.ods", sheet="Frims")


def test_opendocument_with_titles_and_a_far_cell(tmp_path, read):
    rows = [["Survey", None, None, None], [None] * 4, list(FIRMS), *CELLS * 100]
    ods(tmp_path / "f.ods", {"Firms": rows})
    table = read("f.ods")
    assert len(table.frame) == 400
    same(table._replace(frame=table.frame.iloc[-4:]), FIRMS)


@pytest.mark.parametrize("kind", ["xls", "xlsb", "ods", "xlsx", "sas7bdat", "zsav", "por"])
def test_what_is_no_file_of_its_kind(kind, read):
    with pytest.raises(DataError, match=f"'f.{kind}' cannot be read as {kind}"):
        read(f"f.{kind}", b"hello")


def test_an_excel_file_of_old():
    # a workbook that a package of the tests carries
    from statsmodels.datasets import macrodata

    folder = Path(macrodata.__file__).parent / "src"
    old = next(path for path in folder.rglob("macrodata.xls") if path.is_file())
    data = Data(source=old.name, sheet="Monthly")
    found = read_table(data, old.parent, lambda _: "a.yaml").frame
    assert list(found.columns) == ["DATE", "CPIAUCSL", "M1SL", "POP", "TB3MS"]
    assert (found["DATE"].iloc[0], found["TB3MS"].iloc[0]) == ("1934-01-01", 0.72)
    assert found["CPIAUCSL"].isna().iloc[0]
