"""The analysis of the Enterprise Surveys, on a made table with the codes of that questionnaire."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from bayescluster.app.prepare import analysis_source, design_of
from bayescluster.spec.load import load_analysis
from tests.cli.small import call

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs" / "wbes.yaml"
ROWS = 240
YES_NO = {1: "Yes", 2: "No", -9: "Don't know (spontaneous)"}
OBSTACLE = {
    -9: "Don't know (spontaneous)",
    -7: "Does not apply",
    0: "No obstacle",
    1: "Minor obstacle",
    2: "Moderate obstacle",
    3: "Major obstacle",
    4: "Very Severe Obstacle",
}
AGREE = {1: "Strongly disagree", 2: "Tend to disagree", 3: "Tend to agree", 4: "Strongly agree"}
LABELS = {
    "a2": {1: "Central", 2: "North", 3: "South"},
    "a4b": {15: "Food", 18: "Garments", 29: "Machinery"},
    **{code: YES_NO for code in ("h1", "h8")},
    **{code: OBSTACLE for code in ("l30b", "h30", "j30f", "i30")},
    "h7a": {-8: "Refused", **AGREE},
    "b7": {-9: "Don't know (spontaneous)"},
}
SURVEYS = (("Atlantis", 2009), ("Atlantis", 2019), ("Utopia", 2019))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Made answers, coded as in the questionnaire; some are no answers."""
    rng = np.random.default_rng(2006)
    survey = np.arange(ROWS) % len(SURVEYS)
    frame = pd.DataFrame(
        {
            "idstd": 100000 + np.arange(ROWS),
            "country": [SURVEYS[k][0] for k in survey],
            "year": [SURVEYS[k][1] for k in survey],
            "a2": rng.integers(1, 4, ROWS),
            "a4b": rng.choice([15, 18, 29], ROWS),
            "b7": rng.integers(1, 40, ROWS),
            "h8": rng.integers(1, 3, ROWS),
            "l30b": rng.integers(0, 5, ROWS),
            "h7a": rng.integers(1, 5, ROWS),
            "h30": rng.integers(0, 5, ROWS),
            "j30f": rng.integers(0, 5, ROWS),
            "i30": rng.integers(0, 5, ROWS),
            "h1": rng.integers(1, 3, ROWS),
            "l1": rng.integers(5, 400, ROWS),
            "b2b": rng.choice([0, 0, 0, 49, 100], ROWS),
            "d3c": rng.choice([0, 0, 10, 80], ROWS),
        }
    )
    for row, (code, answer) in enumerate(
        (("b7", -9), ("h8", -9), ("l30b", -7), ("h7a", -8), ("h1", -9), ("l1", -9))
    ):
        frame.loc[row, code] = answer
    return frame


WRITERS = {
    "csv": lambda table, path: table.to_csv(path, index=False),
    "dta": lambda table, path: pyreadstat.write_dta(table, path),
    "labelled dta": lambda table, path: pyreadstat.write_dta(
        table, path, variable_value_labels=LABELS
    ),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_the_design_is_built(kind, table, tmp_path):
    """The shipped analysis beside the made table; only its source differs."""
    source = f"wbes.{kind.split()[-1]}"
    WRITERS[kind](table, str(tmp_path / source))
    text = CONFIG.read_text(encoding="utf-8")
    assert text.count("source: wbes.dta") == 1
    path = tmp_path / "wbes.yaml"
    path.write_text(text.replace("source: wbes.dta", f"source: {source}"), encoding="utf-8")
    design = design_of(analysis_source(path))
    assert design.size == ROWS - 6
    assert sorted((name, rows) for name, _, rows in design.details.dropped) == [
        ("b7", 1),
        ("fair_courts", 1),
        ("l1", 1),
        ("new_product", 1),
        ("research", 1),
        ("workforce_obstacle", 1),
    ]
    regions = LABELS["a2"] if kind == "labelled dta" else {code: code for code in LABELS["a2"]}
    assert set(design.group_labels("cluster")) == {
        f"{country} x {year} x {region}" for country, year in SURVEYS for region in regions.values()
    }
    assert design.group_labels("industry") == ("Food", "Garments", "Machinery")
    assert design.group_labels("country") == ("Atlantis", "Utopia")
    kept = table.iloc[6:]
    np.testing.assert_array_equal(design.outcome, (kept["h1"] == 1).to_numpy(float))
    human, social = design.capitals
    # high answers to obstacles, and "no" to research, mean little of a capital
    for code, sign, score in (
        ("b7", 1, human),
        ("h8", -1, human),
        ("l30b", -1, human),
        ("h7a", 1, social),
        ("h30", -1, social),
        ("j30f", -1, social),
        ("i30", -1, social),
    ):
        assert sign * np.corrcoef(kept[code], score)[0, 1] > 0.2, code


def test_the_analysis_says_which_file_to_bring(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(CONFIG, tmp_path)
    found = call("validate", "wbes.yaml")
    assert found.code == 3
    line = CONFIG.read_text(encoding="utf-8").splitlines().index("  source: wbes.dta") + 1
    assert found.err == (
        "The data do not fit the analysis:\n"
        f"  wbes.yaml:{line}:3: the data file 'wbes.dta' does not exist\n"
        "    there is no data file in its folder\n"
    )


def test_what_it_cannot_say_is_said():
    analysis = load_analysis(CONFIG).value
    assert any("thin proxy" in limit for limit in analysis.limits)
    assert any("weights are not used" in limit for limit in analysis.limits)
