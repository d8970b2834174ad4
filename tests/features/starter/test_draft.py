"""What is proposed follows from what the columns hold, and what is left open is asked for by name."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.cli.small import call


def table(folder, between: float) -> str:
    """Firms whose trust lies ``between`` clusters to that share, and whose training does to none."""
    rng = np.random.default_rng(4)
    cluster = np.repeat(np.arange(30), 20)
    around, own = rng.normal(size=30)[cluster], rng.normal(size=600)
    frame = pd.DataFrame(
        {
            "cluster": cluster,
            "upgraded": rng.integers(0, 2, 600),
            "training": rng.normal(size=600),
            "trust": np.sqrt(between) * around + np.sqrt(1 - between) * own,
        }
    )
    frame.to_csv(folder / "firms.csv", index=False)
    return str(folder / "firms.csv")


def test_context_is_proposed_where_a_capital_varies_within_and_between(tmp_path):
    lines = {}
    for between in (0.0, 0.4, 1.0):
        out = tmp_path / f"{between}.yaml"
        told = call("init", table(tmp_path, between), "--yes", "--out", str(out)).out
        lines[between] = [line.split("#")[0].strip() for line in out.read_text().splitlines()]
        assert ("social capital hardly differs between firms of one cluster" in told) == (
            between == 1.0
        )
        assert call("validate", str(out)).code == 0
    assert "contextual: [social_capital]" in lines[0.4]
    assert "- {kind: contextual, capital: social_capital, by: all}" in lines[0.4]
    assert not any("contextual" in line for line in lines[0.0] + lines[1.0])


def test_what_is_to_be_filled_in_is_asked_for_and_nothing_else(tmp_path):
    pd.DataFrame({"a": [1, 2, 3], "b": [0, 1, 0]}).to_csv(tmp_path / "t.csv", index=False)
    out = tmp_path / "t.yaml"
    call("init", str(tmp_path / "t.csv"), "--yes", "--out", str(out))
    answer = call("validate", str(out))
    assert answer.code == 2
    for asked in (
        "name the columns that measure human capital",
        "name the columns that measure social capital",
        "name the column of the outcome",
    ):
        assert f"FILL_IN stands here still: {asked}" in answer.err
    assert "(3 problems)" in answer.err


def test_an_analysis_of_one_capital_is_written_where_the_other_is_said_to_have_no_column(tmp_path):
    out = tmp_path / "one.yaml"
    call("init", table(tmp_path, 0.0), "--yes", "--social", "-", "--out", str(out))
    text = out.read_text()
    assert "social_capital" not in text
    assert "FILL_IN" not in text
    kinds = [line for line in text.splitlines() if line.startswith("  - {kind: ")]
    assert kinds == ["  - {kind: effect, capital: human_capital, by: all}"]
    assert call("validate", str(out)).code == 0
