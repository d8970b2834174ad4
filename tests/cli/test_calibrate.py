"""``bayescluster calibrate``: what it prints, what it writes, and whole messages of its errors."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from tests.cli.small import SWAPS, call, write
from tests.instant import InstantRepeated

QUICK = ("--replications", "2", "--draws", "200", "--tune", "50")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refits(monkeypatch) -> InstantRepeated:
    from bayescluster.studies.calibration import compute as calibration_replication

    stand_in = InstantRepeated()
    stand_in.stand_in(monkeypatch)
    monkeypatch.setattr(calibration_replication, "INDEPENDENT_MIN", 1)
    return stand_in


@pytest.mark.usefixtures("refits")
def test_the_terminal_tells_ranks_reliability_and_where_the_report_is(folder):
    write(folder)
    found = call("calibrate", "analysis.yaml", *QUICK, "--firms", "2", "--clusters", "0.5")
    assert found.code == 0, found.err
    lines = found.out.splitlines()
    assert lines[0] == (
        "2 replications of 12 firms in 2 clusters (0.5 times the clusters, 2 times the firms in "
        "each), each refitted with 2 chains of 200 draws."
    )
    assert lines[1] == "2 of 2 refits passed the gate."
    assert any(line.startswith("interaction: ranks of true values, the worst 10") for line in lines)
    assert any(line.startswith("All claims together  ") for line in lines)
    assert "Nothing can be said: fewer than 20 replications passed the gate." in lines
    report = lines[-1].removeprefix("Report: ")
    assert report.startswith("runs/small/calibrate/")
    assert (folder / report).is_file()


@pytest.mark.parametrize("command", ["calibrate", "design"])
def test_firms_in_a_summary_are_not_simulated(folder, refits, command):
    write(folder, {"sampling: {": "sampling: {likelihood: summary, "})
    found = call(command, "analysis.yaml")
    assert (found.code, refits.compiled) == (2, [])
    assert "their likelihood is summarised: data sets of that size are not simulated" in found.err
    assert "take a random sample of the firms as a file of its own" in found.err


@pytest.mark.usefixtures("refits")
def test_several_equations_are_calibrated_together(folder):
    further = "  patenting: {outcome: northern, family: bernoulli, structure: additive}\n"
    swaps = {
        "    outcome: upgraded": "    predictors: [patenting]\n    outcome: upgraded",
        "equations:\n": f"equations:\n{further}",
        "  industry: industry\n": "  industry: industry\n  derive:\n"
        "    - {kind: recode, name: northern, of: region, values: {north: 1, south: 0}}\n",
        "sampling:": "focus: upgrading\nsampling:",
    }
    write(folder, swaps)
    found = call("calibrate", "analysis.yaml", *QUICK, "--firms", "2")
    assert found.code == 0, found.err
    (path,) = folder.glob("runs/small/calibrate/*/calibrate.json")
    plain = json.loads(path.read_text())
    assert plain["outcome"] == "upgraded (with northern)"
    names = {row["name"] for row in plain["forms"][0]["rows"]}
    assert {
        "joint log likelihood of all outcomes",
        "patenting_population[human_capital]",
        "upgrading: indirect effect of human_capital (all)",
    } <= names
    assert any("Outcomes of all equations are simulated" in note for note in plain["notes"])


@pytest.mark.usefixtures("refits")
def test_json_is_the_file(folder):
    write(folder)
    found = call("calibrate", "analysis.yaml", *QUICK, "--json", "--out", "elsewhere")
    (path,) = folder.glob("elsewhere/small/calibrate/*/calibrate.json")
    assert json.loads(found.out) == json.loads(path.read_text())


@pytest.mark.usefixtures("refits")
def test_a_rejection_has_an_exit_code_after_all_is_written(folder):
    write(folder)
    found = call("calibrate", "analysis.yaml", "--replications", "25", *QUICK[2:])
    assert found.code == 4
    assert "Calibration is REJECTED: the ranks of " in found.out
    (page,) = folder.glob("runs/small/calibrate/*/calibrate.html")
    assert "Calibration is REJECTED" in page.read_text()


def test_what_is_interrupted_keeps_what_is_finished(folder, refits):
    write(folder)
    refits.stop_after = 1
    found = call("calibrate", "analysis.yaml", *QUICK, "--jobs", "1")
    assert (found.code, found.out) == (130, "")
    assert found.err.splitlines()[-1] == (
        "Interrupted. Finished replications are kept: the same command goes on from them."
    )
    refits.stop_after = None
    again = call("calibrate", "analysis.yaml", *QUICK)
    assert again.code == 0
    assert "interaction: 1 replication (1 kept from before)" in again.err
    last = call("calibrate", "analysis.yaml", *QUICK)
    assert "interaction: all replications are there already" in last.err


class Fault(NamedTuple):
    """What is changed or asked for, and what the user is told."""

    name: str
    analysis: SWAPS
    arguments: tuple[str, ...]
    code: int
    message: str


TITLE = "This cannot be calibrated by simulation"
FAULTS = (
    Fault(
        "survey weights",
        {"  industry: industry\n": "  industry: industry\n  weight: staff\n"},
        (),
        2,
        f"{TITLE}:\n"
        "  analysis.yaml:7:3: a likelihood raised to survey weights is that of no outcome that could "
        "be simulated\n"
        "    leave the weights out for it: that calibrates the model of the firms as sampled\n",
    ),
    Fault(
        "bad options, all at once",
        {},
        ("--replications", "0", "--firms", "0", "--clusters", "nan"),
        2,
        f"{TITLE} (3 problems):\n"
        "  --replications: 0 replications\n"
        "    ask for 1 to 1000\n"
        "  --firms: 0 times the firms\n"
        "    a multiplier is above 0 and at most 20, such as 0.5,1,2\n"
        "  --clusters: nan times the clusters\n"
        "    a multiplier is above 0 and at most 20, such as 0.5,1,2\n",
    ),
)


@pytest.mark.usefixtures("refits")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_message_is_whole(fault, folder):
    write(folder, fault.analysis)
    found = call("calibrate", "analysis.yaml", *fault.arguments)
    assert (found.code, found.out) == (fault.code, "")
    assert found.err.removeprefix("Reading the firms\n") == fault.message
