"""``bayescluster sweep``: what it prints, what it writes, and whole messages of its errors."""

from __future__ import annotations

import json

import pytest

from bayescluster.checks import thresholds
from tests.cli.small import call, write
from tests.instant import InstantSampler
from tests.quick import quick_runs

BLOCK = """\
multiverse:
  families: [probit]
  exclude: {south: {column: region, one_of: [south]}}
  controls: {export: [exports]}
"""
LAST = "  - {kind: effect, capital: human_capital, by: industry}\n"
QUICK = ("--jobs", "1")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {LAST: LAST + BLOCK})
    return tmp_path


@pytest.fixture
def sampler(monkeypatch) -> InstantSampler:
    stand_in = quick_runs(monkeypatch)
    # the draws are those of no posterior: too few of them count for the real thresholds
    monkeypatch.setattr(thresholds, "ESS_MIN", 10)
    monkeypatch.setattr(thresholds, "RHAT_MAX", 1.5)
    return stand_in


def test_a_dry_run_lists_universes_and_cost_and_fits_nothing(folder, sampler):
    found = call("sweep", "analysis.yaml", "--dry-run")
    assert (found.code, found.err) == (0, "")
    lines = [line.rstrip() for line in found.out.strip().splitlines()]
    assert lines[0] == "4 universes:"
    names = ["as declared", "families: probit", "controls: export", "exclude: south"]
    assert [line.split("  ")[0] for line in lines[2:6]] == names
    assert lines[6:] == [
        "controls: export cannot be fitted:",
        "  analysis.yaml:25:23: no column 'exports' in the data (control)",
        (
            "    known: firm, cluster, industry, training, trust, size, staff, region, upgraded, "
            "patents, trials, grade"
        ),
        (
            "3 fits are to be made, 2 chains of 500 draws after 500 of tuning each: 6,000 draws in all. How "
            "long that takes is not known before the analysis was fitted once."
        ),
    ]
    assert sampler.compiled == 0
    assert not (folder / "runs").exists()
    as_json = json.loads(call("sweep", "analysis.yaml", "--dry-run", "--json").out)
    states = ["to fit", "to fit", "cannot be fitted", "to fit"]
    assert [one["state"] for one in as_json["universes"]] == states
    cost = {"universes": 4, "fitted": 0, "refits": 3, "unfitted": 1, "draws": 2000, "seconds": None}
    assert as_json["cost"] == cost


@pytest.mark.usefixtures("sampler")
def test_the_terminal_tells_what_flips_and_where_the_report_is(folder):
    found = call("sweep", "analysis.yaml", *QUICK)
    assert found.code == 0, found.err
    lines = found.out.splitlines()
    assert lines[0] == ("4 universes, declared alternatives one at a time; 3 passed their checks.")
    assert lines[1].endswith("in every universe with a verdict.")
    assert lines[2] == (
        "A multiverse is no posterior over choices: the share of universes that agree is no "
        "probability that a claim is true."
    )
    assert any(line.startswith("controls: export not fitted: ") for line in lines)
    report = lines[-1].removeprefix("Report: ")
    assert (folder / report).is_file()
    assert "4 universes: 0 are there, 3 to fit, 1 cannot be fitted\n" in found.err
    # universes stay out of the list of runs
    assert len(call("runs", "list").out.splitlines()) == 1


@pytest.mark.usefixtures("sampler")
def test_json_is_the_file(folder):
    found = call("sweep", "analysis.yaml", *QUICK, "--json", "--out", "elsewhere", "--draws", "200")
    (path,) = folder.glob("elsewhere/small/sweep/*/sweep.json")
    assert json.loads(found.out) == json.loads(path.read_text())
    sampler = {"draws": 200, "tune": 500, "chains": 2, "seed": 1, "as_declared": False}
    assert json.loads(found.out)["sampler"] == sampler


@pytest.mark.usefixtures("folder")
def test_no_verdict_of_the_analysis_as_it_is(sampler):
    sampler.apart = 5.0
    found = call("sweep", "analysis.yaml", *QUICK)
    assert found.code == 4
    assert found.out.splitlines()[1].startswith(
        "The analysis as declared did not pass its checks: it has no verdict to compare with, and no flip "
        "can be determined."
    )


@pytest.mark.usefixtures("folder")
def test_what_is_interrupted_keeps_what_is_finished(sampler):
    sampler.stop_after = 1
    found = call("sweep", "analysis.yaml", *QUICK)
    assert (found.code, found.out) == (130, "")
    assert found.err.splitlines()[-1] == (
        "Interrupted. Finished chains are kept: the same command goes on from them."
    )
    sampler.stop_after = None
    again = call("sweep", "analysis.yaml", *QUICK)
    assert "universe 1 of 3: sampling 1 of 2 chains (1 kept from before)" in again.err
    assert "4 universes: 3 are there, 0 to fit, 1 cannot be fitted" in (
        call("sweep", "analysis.yaml", *QUICK).err
    )


FAULTS = (
    (
        {"structure: interaction": "structure: interactoin"},
        (
            "The analysis cannot be read:\n"
            "  analysis.yaml:14:5: unknown structure 'interactoin'\n"
            "    did you mean 'interaction'?\n"
        ),
    ),
    (
        {LAST: LAST + BLOCK + "  cap: 3\n"},
        (
            "The analysis cannot be read:\n"
            "  analysis.yaml:22:1: 4 universes, and cap allows 3: each is a fit\n"
            "    raise cap, leave alternatives out\n"
        ),
    ),
)


@pytest.mark.parametrize(("swaps", "message"), FAULTS, ids=["structure", "cap"])
def test_message_is_whole(folder, swaps, message):
    write(folder, swaps)
    found = call("sweep", "analysis.yaml")
    assert (found.code, found.out) == (2, "")
    assert found.err.removeprefix("Reading the firms and the alternatives\n") == message
