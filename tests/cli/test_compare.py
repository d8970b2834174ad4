"""``bayescluster compare``: what it prints, what it writes, and whole messages of its errors."""

from __future__ import annotations

import json

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
    assert lines[0].startswith("The diagnostics gate of one FAILED")
    titles = ("Average marginal effect", "Verdicts", "Differences of effects")
    assert set(titles) <= set(lines)
    assert (
        "one less other subtracted as independent Other data and no firm in both: draws are "
        "subtracted as independent."
    ) in lines
    report = lines[-1].removeprefix("Report: ")
    assert (runs / report).is_file()
    assert report.startswith("runs/compare/") or "/runs/compare/" in report
    printed = call("compare", "runs/one", "runs/other", "--json", "--out", "there")
    (path,) = runs.glob("there/compare/*/compare.json")
    assert json.loads(printed.out) == json.loads(path.read_text())
    # a comparison is no run
    assert "compare" not in call("runs", "list").out
    assert call("runs", "list").code == 0


def test_the_terminal_tells_what_differs_in_short(runs):
    long = "says " + "much " * 40
    write(
        runs,
        FAST
        | {"structure: interaction": "structure: additive"}
        | {"name: small": f"name: third\ndescription: {long}"},
    )
    assert call("run", "analysis.yaml").code in {0, 4}
    found = call("compare", "runs/one", "runs/third")
    lines = [" ".join(line.split()) for line in found.out.splitlines()]
    start = lines.index("Changes the model")
    assert lines[start + 1 : start + 5] == [
        "Setting one third",
        "equations.upgrading.structure interaction additive",
        "Where these differ, the posteriors are of other models, or of other firms.",
        "2 more that change neither (names, texts): see the report.",
    ]
    assert "much much" not in found.out


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
