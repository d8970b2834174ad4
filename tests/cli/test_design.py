"""``bayescluster design``: what it prints, what it writes, and whole messages of its errors."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from tests.cli.small import SWAPS, call, write
from tests.instant import InstantRepeated

FITS = ("--forms", "additive,ces", "--draws", "60", "--tune", "50")
QUICK = ("--replications", "2", *FITS, "--base-rates", "none")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refits(monkeypatch) -> InstantRepeated:
    stand_in = InstantRepeated()
    stand_in.stand_in(monkeypatch)
    return stand_in


@pytest.mark.usefixtures("refits")
def test_the_terminal_tells_claims_forms_and_where_the_report_is(folder):
    write(folder)
    found = call("design", "analysis.yaml", *QUICK, "--clusters", "1,2")
    assert found.code == 0, found.err
    lines = found.out.splitlines()
    assert lines[0] == (
        "2 replications of each truth, each refitted with 2 chains of 60 draws; refits with R-hat above "
        "1.05 count as undecided."
    )
    assert any(
        line.startswith("14 firms in 4 clusters (as the data are), refitted as interaction")
        for line in lines
    )
    assert any(
        line.startswith("28 firms in 8 clusters (2 times the clusters), refitted as")
        for line in lines
    )
    # what is declared is printed, the other claims are on the page
    assert "1. More human capital goes with a higher expected outcome, by industry" in lines
    assert not any(line.startswith("Human capital is necessary, by industry (") for line in lines)
    assert any(line.startswith("How many would be needed") for line in lines)
    report = lines[-1].removeprefix("Report: ")
    assert report.startswith("runs/small/design/")
    assert (folder / report).is_file()
    assert "2 replications" in found.err or "4 replications" in found.err


@pytest.mark.usefixtures("refits")
def test_compensatory_truths_stand_beside_the_forms(folder):
    write(folder)
    found = call("design", "analysis.yaml", "--replications", "1", *FITS)
    assert found.code == 0, found.err
    for rate in ("5%", "15%", "40%"):
        assert f"additive, base rate {rate}" in found.out
    (path,) = folder.glob("runs/small/design/*/design.csv")
    head = path.read_text().splitlines()[0].split(",")
    assert {"base_rate", "not_assessable", "not_assessable_low", "negligible", "wrong"} <= {*head}


ONE_CAPITAL = {
    "  social_capital: {indicators: [trust], method: single}\n": "",
    "    structure: interaction\n": "",
}


@pytest.mark.usefixtures("refits")
def test_of_one_capital_its_effect_is_simulated(folder):
    write(folder, ONE_CAPITAL)
    found = call("design", "analysis.yaml", "--replications", "2", "--draws", "60", "--tune", "50")
    assert found.code == 0, found.err
    (path,) = folder.glob("runs/small/design/*/design.json")
    told = json.loads(path.read_text())
    assert (told["forms"], told["base_rates"]) == (["human_capital"], [])
    assert {row["tradition"] for row in told["rows"]} == {"declared"}


@pytest.mark.usefixtures("refits")
def test_json_is_the_file(folder):
    write(folder)
    found = call("design", "analysis.yaml", *QUICK, "--json", "--out", "elsewhere")
    (path,) = folder.glob("elsewhere/small/design/*/design.json")
    assert json.loads(found.out) == json.loads(path.read_text())
    assert json.loads(found.out)["forms"] == ["additive", "ces"]


def test_what_is_interrupted_keeps_what_is_finished(folder, refits):
    write(folder)
    refits.stop_after = 1
    found = call("design", "analysis.yaml", *QUICK, "--jobs", "1")
    assert (found.code, found.out) == (130, "")
    assert found.err.splitlines()[-1] == (
        "Interrupted. Finished replications are kept: the same command goes on from them."
    )
    assert len(list(folder.rglob("00*.json"))) == 1
    refits.stop_after = None
    again = call("design", "analysis.yaml", *QUICK)
    assert again.code == 0
    assert "3 replications (1 kept from before)" in again.err
    assert "14 firms in 4 clusters: all replications are there already" in (
        call("design", "analysis.yaml", *QUICK).err
    )


@pytest.mark.usefixtures("refits")
def test_runs_and_design_analyses_live_side_by_side(folder):
    write(folder)
    call("design", "analysis.yaml", *QUICK)
    assert call("runs", "list").code == 0
    missing = call("show", "runs/small")
    assert (missing.code, missing.err.splitlines()[0]) == (5, "The run directory cannot be used:")


class Fault(NamedTuple):
    """What is changed or asked for, and what the user is told."""

    name: str
    analysis: SWAPS
    arguments: tuple[str, ...]
    code: int
    message: str


TITLE = "There is no design analysis of this"
FAULTS = (
    Fault(
        "several equations",
        {
            "    outcome: upgraded": "    predictors: [patenting]\n    outcome: upgraded",
            "equations:\n": "equations:\n"
            "  patenting: {outcome: patents, family: poisson, structure: additive}\n",
        },
        (),
        2,
        f"{TITLE}:\n"
        "  analysis.yaml:10:1: a design analysis simulates one equation, and the analysis has 2\n"
        "    leave the equation that the claims are about in a file of its own\n",
    ),
    Fault(
        "no capitals",
        {
            "structure: interaction": "structure: intercept",
            "industry: [intercept, human_capital]": "industry: [intercept]",
            "constructs:\n": "",
            "  human_capital: {indicators: [training], method: single}\n": "",
            "  social_capital: {indicators: [trust], method: single}\n": "",
            "hypotheses:\n": "",
            "  - {kind: effect, capital: human_capital, by: industry}\n": "",
        },
        (),
        2,
        f"{TITLE}:\n"
        "  analysis.yaml:11:5: structure 'intercept' uses neither capital: there is no claim to judge\n"
        "    choose among additive, interaction, conjunctive, ces\n",
    ),
    Fault(
        "bad options, all at once",
        {},
        (
            *("--forms", "additive,conjuctive,additive", "--replications", "0"),
            *("--firms", "0,1,1", "--clusters", "-1,nan,50", "--base-rates", "0.1,0.1,1.5"),
        ),
        2,
        f"{TITLE} (10 problems):\n"
        "  --forms: no form is called 'conjuctive'\n"
        "    did you mean 'conjunctive'?\n"
        "  --forms: a form is listed twice\n"
        "    name each once\n"
        "  --replications: 0 replications of each form\n"
        "    ask for 1 to 400\n"
        "  --base-rates: a base rate of 1.5\n"
        "    give shares with commas between them, such as 0.05,0.15,0.4, or none\n"
        "  --base-rates: a base rate is listed twice\n"
        "    name each once\n"
        "  --firms: 0 times the firms\n"
        "    a multiplier is above 0 and at most 20, such as 0.5,1,2\n"
        "  --firms: a multiplier is listed twice\n"
        "    name each once\n"
        "  --clusters: -1 times the clusters\n"
        "    a multiplier is above 0 and at most 20, such as 0.5,1,2\n"
        "  --clusters: nan times the clusters\n"
        "    a multiplier is above 0 and at most 20, such as 0.5,1,2\n"
        "  --clusters: 50 times the clusters\n"
        "    a multiplier is above 0 and at most 20, such as 0.5,1,2\n",
    ),
    Fault(
        "a multiplier that is no number",
        {},
        ("--firms", "1,double"),
        2,
        f"{TITLE}:\n"
        "  --firms: 'double' is not a number\n"
        "    give multipliers with commas between them, such as 0.5,1,2\n",
    ),
    Fault(
        "a base rate of an amount",
        {"outcome: upgraded": "outcome: patents", "family: bernoulli": "family: poisson"},
        ("--base-rates", "0.2"),
        2,
        f"{TITLE}:\n"
        "  --base-rates: patents is neither yes or no nor a share without zeros of their own: it has no "
        "base rate\n"
        "    leave it out\n",
    ),
    Fault(
        "forms of one capital",
        ONE_CAPITAL,
        ("--forms", "additive"),
        2,
        f"{TITLE}:\n"
        "  --forms: the analysis has human_capital alone: outcomes are simulated from its effect, and "
        "nothing makes up for it\n"
        "    leave it out\n",
    ),
    Fault(
        "more clusters where there are none",
        {"  cluster: cluster\n": "", "      cluster: [intercept]\n": ""},
        ("--clusters", "2"),
        2,
        f"{TITLE}:\n"
        "  --clusters: the data declare no clusters, so that there cannot be more or fewer of them\n"
        "    leave it out, or name the column of the clusters under `data: cluster`\n",
    ),
    Fault(
        "missing values",
        {
            "  industry: industry\n": "  industry: industry\n  missing_values: [12]\n  missing: impute\n"
        },
        (),
        3,
        "The model cannot be built on these data:\n"
        "  analysis.yaml:8:3: values are missing, and a design analysis does not simulate which ones "
        "would be\n"
        "    set `missing: drop` for it, or `error` on data without gaps\n",
    ),
    Fault(
        "truths of no corner",
        {"report: x": "report: x"},
        (),
        2,
        "The analysis cannot be read:\n"
        "  analysis.yaml:23:3: truths names no corner: give neither, human_only, social_only or both\n",
    ),
)


@pytest.mark.usefixtures("refits")
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_message_is_whole(fault, folder):
    if fault.name == "truths of no corner":
        write(folder)
        with (folder / "analysis.yaml").open("a") as stream:
            stream.write("design:\n  truths: {within: 0.1}\n")
    else:
        write(folder, fault.analysis)
    found = call("design", "analysis.yaml", *fault.arguments)
    assert (found.code, found.out) == (fault.code, "")
    assert found.err.removeprefix("Reading the firms\n") == fault.message
