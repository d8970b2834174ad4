from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from bayescluster.simulate import write_scenario
from bayescluster.spec.scenario import Scenario

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "data" / "asian_clusters"
JEPARA, TAIWAN = "Jepara furniture", "Taiwan flowers"
THAILAND, BANGALORE = "Thailand automotive", "Bangalore software"


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    path = ROOT / "configs" / "scenarios" / "asian_clusters.yaml"
    return Scenario.model_validate(YAML(typ="safe").load(path.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def firms() -> pd.DataFrame:
    return pd.read_csv(SHIPPED / "firms.csv")


@pytest.fixture(scope="module")
def package() -> dict[str, Any]:
    return json.loads((SHIPPED / "datapackage.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return json.loads((SHIPPED / "truth.json").read_text(encoding="utf-8"))


def _mean(firms: pd.DataFrame, cluster: str, column: str) -> float:
    return float(firms.loc[firms["cluster"] == cluster, column].mean())


def _output(rows: pd.DataFrame) -> pd.Series:
    return rows["employees"] * rows["value_added_per_worker"]


def test_shipped_files_are_what_the_scenario_gives(scenario: Scenario, tmp_path: Path) -> None:
    for path in write_scenario(scenario, tmp_path / "new" / "folder"):
        assert path.read_bytes() == (SHIPPED / path.name).read_bytes(), path.name


def test_package_says_synthetic_everywhere(package: dict[str, Any]) -> None:
    assert package["synthetic"] is True
    assert package["name"] == "synthetic-asian-clusters"
    assert package["title"].endswith("(SYNTHETIC)")
    assert package["description"].startswith("SYNTHETIC DATA. No firm in this file exists")
    assert package["licenses"][0]["name"] == "CC0-1.0"
    assert "SYNTHETIC" in (SHIPPED / "README.md").read_text(encoding="utf-8")


def test_every_column_is_described(firms: pd.DataFrame, package: dict[str, Any]) -> None:
    fields = package["resources"][0]["schema"]["fields"]
    assert [field["name"] for field in fields] == list(firms.columns)
    for field in fields:
        for key in ("type", "title", "description", "unit", "role", "constraints"):
            assert field[key], (field["name"], key)


def test_product_upgrading_has_both_answers_in_every_cluster(firms: pd.DataFrame) -> None:
    assert 0.15 <= firms["product_upgrading"].mean() <= 0.35
    assert firms.groupby("cluster")["product_upgrading"].nunique().eq(2).all()


def test_jepara_follows_the_article(firms: pd.DataFrame) -> None:
    rows = firms[firms["cluster"] == JEPARA]
    exports = _output(rows) * rows["export_share"]
    assert exports.sum() / _output(rows).sum() == pytest.approx(0.70, abs=0.04)
    assert exports[rows["tnc_owned"] == 1].sum() / exports.sum() == pytest.approx(0.25, abs=0.05)
    assert rows["employees"].mean() == pytest.approx(58_000 / 3_700, rel=0.1)
    assert len(rows) == round(0.03 * 3_700)
    assert rows["product_upgrading"].mean() < rows["process_upgrading"].mean() < 0.4


def test_taiwan_follows_the_article(firms: pd.DataFrame) -> None:
    assert _mean(firms, TAIWAN, "tertiary_share") == pytest.approx(88.5, abs=2)
    assert _mean(firms, TAIWAN, "kin_ties") > 0.7
    of_industry = firms[firms["industry"] == "Resource-based"]
    assert of_industry.groupby("cluster")["bridging_ties"].mean().idxmin() == TAIWAN


def test_thailand_follows_the_article(firms: pd.DataFrame) -> None:
    rows = firms[firms["cluster"] == THAILAND]
    first = rows[rows["tier"] == 1]
    assert rows["certified"].mean() == pytest.approx(0.10, abs=0.01)
    assert first["tnc_owned"].mean() == pytest.approx(0.40, abs=0.03)
    assert len(first) / (rows["tier"] == 2).sum() == pytest.approx(0.7, abs=0.05)
    assert len(rows) == round(0.03 * 1_700)
    assert rows["employees"].mean() == pytest.approx(113_000 / 1_700, rel=0.1)
    others = firms[firms["cluster"] != THAILAND].groupby("cluster")
    assert rows["product_upgrading"].mean() < others["product_upgrading"].mean().min()


def test_bangalore_follows_the_article(firms: pd.DataFrame) -> None:
    rows = firms[firms["cluster"] == BANGALORE]
    small = _output(rows[rows["tnc_owned"] == 0]).sum() / _output(rows).sum()
    assert 0.10 <= small <= 0.15
    assert firms.groupby("cluster")["transnational_ties"].mean().idxmax() == BANGALORE
    answers = firms[["management_score", "tertiary_share", "trust"]]
    standard = ((answers - answers.mean()) / answers.std()).assign(cluster=firms["cluster"])
    assert (
        _mean(standard, BANGALORE, "management_score")
        < _mean(standard, BANGALORE, "tertiary_share") - 0.5
    )
    assert _mean(standard, BANGALORE, "trust") < 0


def test_truth_tells_the_industries_apart(truth: dict[str, Any]) -> None:
    corners = truth["corners"]["product_upgrading"]
    traditional, resource, complex_systems, suppliers = corners.values()
    for corner in corners.values():
        assert corner["neither"] < 0.1
    for corner in (traditional, resource, suppliers):
        assert corner["both"] > 0.9
    # human capital needed, both needed, either enough, rare whatever the capitals are
    assert traditional["human_capital_only"] > 3 * traditional["social_capital_only"]
    assert max(resource[f"{name}_capital_only"] for name in ("human", "social")) < 0.1
    assert min(suppliers[f"{name}_capital_only"] for name in ("human", "social")) > 0.75
    assert complex_systems["both"] < 0.2
    effects = truth["equations"]["product_upgrading"]["by_industry"]
    products = [effects[name]["product"] for name in corners]
    assert [np.sign(product) for product in products] == [1, 1, 0, -1]


def test_readme_states_the_true_corners(truth: dict[str, Any]) -> None:
    lines = (SHIPPED / "README.md").read_text(encoding="utf-8").splitlines()
    for industry, corner in truth["corners"]["product_upgrading"].items():
        cells = " | ".join(
            f"{corner[name]:.2f}".removeprefix("0")
            for name in ("neither", "human_capital_only", "social_capital_only", "both")
        )
        assert f"| {industry} | {cells} |" in lines
