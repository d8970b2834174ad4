"""``bayescluster prior``: what it prints, what it writes, and whole messages of its errors."""

from __future__ import annotations

import json

import pytest

from tests.cli.small import call, write

STATED = {
    "    varying:\n": "    priors: {terms: {human_capital: {distribution: normal, mean: 2, sd: 0.3}}}\n"
    "    varying:\n"
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_terminal_tells_outcomes_estimands_claims_and_warnings(folder):
    write(folder, STATED)
    found = call("prior", "analysis.yaml", "--draws", "300")
    assert found.code == 0, found.err
    lines = found.out.splitlines()
    assert lines[0] == (
        "300 draws from the prior (seed 1); nothing was fitted. Medians with central 90% intervals."
    )
    for title in (
        "Expected outcome before the data: probability of upgraded",
        "Average marginal effect, before the data",
        "Corners and cross difference before the data",
        "More human capital goes with a higher expected outcome: before the data",
    ):
        assert any(line.strip() == title for line in lines)
    assert any(line.startswith("WARNING More human capital goes with") for line in lines)
    report = lines[-1].removeprefix("Report: ")
    assert report.startswith("runs/small/prior/")
    page = (folder / report).read_text()
    assert "Before the data" in page
    assert "SYNTHETIC" not in found.out


def test_json_is_the_file(folder):
    write(folder)
    found = call(
        "prior", "analysis.yaml", "--draws", "300", "--seed", "7", "--json", "--out", "there"
    )
    (path,) = folder.glob("there/small/prior/*/prior.json")
    assert json.loads(found.out) == json.loads(path.read_text())
    assert (json.loads(found.out)["draws"], json.loads(found.out)["seed"]) == (300, 7)


def test_message_is_whole(folder):
    write(folder)
    found = call("prior", "analysis.yaml", "--draws", "10")
    assert (found.code, found.out) == (2, "")
    assert found.err == (
        "Reading the firms\n"
        "There is no such study of the prior:\n"
        "  --draws: 10 draws from the prior\n"
        "    ask for 200 to 20,000\n"
    )
