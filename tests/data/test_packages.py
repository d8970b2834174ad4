from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

DATA = Path(__file__).parents[2] / "data"
FOLDERS = ("asian_clusters", "cases")


def _package(folder: str) -> dict[str, Any]:
    return json.loads((DATA / folder / "datapackage.json").read_text(encoding="utf-8"))


# frictionless and what it imports may warn of their own doings; that is not ours to fail on.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("folder", FOLDERS)
def test_package_is_valid(folder: str) -> None:
    frictionless = pytest.importorskip("frictionless")
    report = frictionless.validate(str(DATA / folder / "datapackage.json"))
    assert report.flatten(["rowNumber", "fieldName", "type", "note"]) == []
    assert report.valid


@pytest.mark.filterwarnings("ignore")
def test_validation_would_find_a_wrong_value(tmp_path: Path) -> None:
    frictionless = pytest.importorskip("frictionless")
    package = _package("asian_clusters")
    resource = package["resources"][0]
    text = (DATA / "asian_clusters" / "firms.csv").read_text(encoding="utf-8")
    (tmp_path / "firms.csv").write_text(text.replace("JEP-0001", "JEP-01", 1), encoding="utf-8")
    del resource["bytes"], resource["hash"]
    (tmp_path / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    report = frictionless.validate(str(tmp_path / "datapackage.json"))
    assert report.flatten(["fieldName", "type"]) == [["firm_id", "constraint-error"]]


@pytest.mark.parametrize("folder", FOLDERS)
def test_bytes_and_hash(folder: str) -> None:
    resource = _package(folder)["resources"][0]
    content = (DATA / folder / resource["path"]).read_bytes()
    assert resource["bytes"] == len(content)
    assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert b"\r" not in content


@pytest.mark.parametrize("folder", FOLDERS)
def test_source_is_cited(folder: str) -> None:
    readme = (DATA / folder / "README.md").read_text(encoding="utf-8")
    assert "doi.org/10.1177/097172180701300103" in readme
    assert _package(folder)["sources"][0]["path"] == "https://doi.org/10.1177/097172180701300103"


def test_cases_are_complete() -> None:
    package = _package("cases")
    cases = pd.read_csv(DATA / "cases" / "cases.csv")
    fields = package["resources"][0]["schema"]["fields"]
    assert list(cases.columns) == [field["name"] for field in fields]
    assert 30 <= len(cases) <= 45
    assert not cases.isna().any(axis=None)
    assert not cases.duplicated(["case", "construct"]).any()
    assert package["synthetic"] is False


@pytest.mark.parametrize(
    ("construct", "ratings"),
    [
        ("human_capital", ["low", "high", "low", "high"]),
        ("social_capital_bonding", ["high", "high", "low", "low"]),
        ("social_capital_bridging", ["medium", "low", "low", "medium"]),
        ("product_upgrading", ["low", "medium", "low", "medium"]),
    ],
)
def test_ratings_of_the_main_constructs(construct: str, ratings: list[str]) -> None:
    cases = pd.read_csv(DATA / "cases" / "cases.csv")
    assert cases.loc[cases["construct"] == construct, "rating"].tolist() == ratings


def test_cases_are_clusters_of_the_simulated_survey() -> None:
    cases = pd.read_csv(DATA / "cases" / "cases.csv")
    firms = pd.read_csv(DATA / "asian_clusters" / "firms.csv")
    pairs = set(zip(firms["cluster"], firms["industry"], strict=True))
    assert set(zip(cases["case"], cases["industry"], strict=True)) <= pairs
