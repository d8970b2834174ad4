"""``bayescluster compare``: what it prints, what it writes, and whole messages of its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.small import FIRMS, call, write
from tests.quick import quick_runs

FAST = {"draws: 500, tune: 500": "draws: 50, tune: 10, prior_draws: 100"}
ELSEWHERE = FIRMS.replace("\nf", "\ng").replace("12,4,20", "14,4,20")


@pytest.fixture
def runs(tmp_path, monkeypatch):
    quick_runs(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for name, firms in (("one", FIRMS), ("other", ELSEWHERE)):
        write(tmp_path, FAST | {"name: small": f"name: {name}"}, firms)
        found = call("run", "analysis.yaml")
        assert found.code in {0, 4}, found.err
    return tmp_path


def test_the_terminal_tells_effects_verdicts_and_differences(runs):
    found = call("compare", "runs/one", "runs/other")
    assert found.code == 0, found.err
    lines = [" ".join(line.split()) for line in found.out.splitlines()]
    assert len(lines) <= 25
    assert lines[0].startswith("The diagnostics gate of one, other FAILED")
    assert "depend on the capitals in the same way in one and other?" in lines[1]
    assert any(line.startswith("Verdicts (one, other): ") for line in lines)
    assert any(line.startswith("Checks: Nothing is decided in one and other") for line in lines)
    report = lines[-1].removeprefix("Report: ")
    assert (runs / report).is_file()
    assert report.startswith("runs/compare/") or "/runs/compare/" in report
    printed = call("compare", "runs/one", "runs/other", "--json", "--out", "there")
    (path,) = runs.glob("there/compare/*/compare.json")
    assert json.loads(printed.out) == json.loads(path.read_text())
    # a comparison is no run
    assert "compare" not in call("runs", "list").out
    assert call("runs", "list").code == 0


def test_texts_that_differ_are_left_to_the_page(runs):
    long = "says " + "much " * 40
    write(
        runs,
        FAST
        | {"structure: interaction": "structure: additive"}
        | {"name: small": f"name: third\ndescription: {long}"},
    )
    assert call("run", "analysis.yaml").code in {0, 4}
    found = call("compare", "runs/one", "runs/third")
    assert "Differences: No difference of effects has an interval" in found.out
    assert "much much" not in found.out
    page = Path(found.out.splitlines()[-1].removeprefix("Report: ")).read_text()
    assert "equations.upgrading.structure" in page
    assert "much much" in page


def test_missing_runs_are_all_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = call("compare", "runs/a", "runs/b")
    assert found.code == 5
    assert found.err.removeprefix("Opening the runs\n") == (
        "These runs cannot be compared (2 problems):\n"
        "  runs/a: there is no such run\n"
        "    make one with: bayescluster run ANALYSIS.yaml\n"
        "  runs/b: there is no such run\n"
        "    make one with: bayescluster run ANALYSIS.yaml\n"
    )
