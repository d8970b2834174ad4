"""Set theory on a plain table: what is printed and written, and every way to get it wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from tests.cli.small import call

LIPSET = Path(__file__).parents[1] / "reference" / "lipset_lf.csv"
CASES = """\
country,dev,lit,flag,same,surv,region
A,400,0.5,1,0.3,0.9,x
B,500,0.7,0,0.3,0.2,x
C,700,0.9,1,0.3,0.8,y
D,900,1.2,0,0.3,0.6,y
E,300,-1,0,0.3,0.1,y
"""
DEV = ("--conditions", "dev", "--calibrate", "dev: 400 600 800")


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cases.csv").write_text(CASES, encoding="utf-8")
    return tmp_path


def lipset(*more: str) -> tuple[str, ...]:
    names = ("DEV", "URB", "LIT", "STB")
    chosen = [part for name in names for part in ("--conditions", name)]
    return ("qca", str(LIPSET), "--outcome", "SURV", *chosen, *more)


def test_what_is_printed():
    found = call(*lipset("--include", "remainders", "--expect", "DEV"))
    assert (found.code, found.err) == (0, "")
    lines = "\n".join(line.rstrip() for line in found.out.splitlines())
    assert lines.startswith(
        "lipset_lf.csv: 18 cases, outcome SURV\n"
        "\n"
        "Necessity\n"
        "      inclN    RoN   covN\n"
        "DEV   0.831  0.811  0.775\n"
        "~DEV  0.285  0.587  0.274\n"
    )
    assert (
        "Truth table (n at least 1, inclS at least 0.8)\n"
        "                     OUT  n  inclS    PRI  cases\n"
        "DEV*~URB*LIT*STB       1  4  0.809  0.761  FI, FR, IE, SE\n"
        "DEV*URB*LIT*STB        1  4  0.901  0.879  BE, CZ, NL, UK\n"
    ) in lines
    assert "\n8 of 16 configurations have no case.\n" in lines
    assert (
        "Complex solution\n"
        "                inclS    PRI   covS   covU  n\n"
        "DEV*LIT*STB     0.869  0.848  0.824  0.824  8\n"
        "whole solution  0.869  0.848  0.824      –  8\n"
        "\n"
        "Parsimonious solution\n"
        "                inclS    PRI   covS   covU  n\n"
        "DEV*STB         0.869  0.848  0.824  0.824  8\n"
    ) in lines
    assert "Intermediate solution" in lines
    assert "Parsimonious" not in call(*lipset()).out


def test_the_absence_of_the_outcome_is_an_outcome():
    some = ("qca", str(LIPSET), "--conditions", "DEV", "--json", "--outcome")
    here, absent = (json.loads(call(*some, name).out) for name in ("SURV", "~SURV"))
    got = {one["expression"]: one["observed"] for one in absent["measures"][6:]}
    assert absent["outcome"] == "~SURV"
    assert got != {one["expression"]: one["observed"] for one in here["measures"][6:]}
    rows = list(csv.DictReader(LIPSET.read_text(encoding="utf-8").splitlines()))
    pairs = [(float(row["DEV"]), 1 - float(row["SURV"])) for row in rows]
    want = sum(min(x, y) for x, y in pairs) / sum(x for x, _ in pairs)
    (found,) = (
        one["observed"]
        for one in absent["measures"]
        if (one["relation"], one["expression"], one["measure"])
        == ("sufficiency", "DEV", "consistency")
    )
    assert found == pytest.approx(want)


@pytest.mark.usefixtures("cases")
def test_groups_names_and_ambiguous_cases():
    found = call(
        *("qca", "cases.csv", "--outcome", "surv", "--conditions", "dev", "--conditions", "flag"),
        *("--calibrate", "dev: 400 500 700", "--names", "country", "--group", "region"),
    )
    assert found.code == 0
    assert found.err == (
        "Warning: 1 case with a membership of exactly .5 in the condition 'dev': neither in nor out "
        "and in no row of the truth table; move the crossover off that value.\n"
    )
    assert "Necessity, region x\n" in found.out
    assert "Consistency by region: pooled, and between groups" in found.out
    rows = [line.split() for line in found.out.splitlines()]
    # flag in region y: memberships 1, 0, 0 against .8, .6, .1
    assert ["flag", f"{0.8 / 1.5:.3f}", f"{2 / (0.2 + 1 + 1):.3f}", f"{0.8 / 1:.3f}"] in rows


def test_tables_and_plots_are_written(cases):
    found = call(*lipset("--out", str(cases / "out")))
    assert found.out.endswith(f"\nWritten: 10 files in {cases / 'out'}\n")
    with (cases / "out" / "set_solutions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["term"] for row in rows] == ["DEV*LIT*STB", "DEV*LIT*STB"]
    assert float(rows[0]["coverage"]) == pytest.approx(0.823944, abs=1e-6)
    for name in ("xy_1_DEV.svg", "xy_4_STB.svg"):
        root = ElementTree.parse(cases / "out" / name).getroot()
        assert "cases on or above the diagonal" in root.attrib["aria-label"]


class Fault(NamedTuple):
    arguments: tuple[str, ...]
    code: int
    message: str


FAULTS = (
    Fault(
        ("--conditions", "dev", "--conditions", "lit"),
        3,
        "The data do not fit the analysis (3 problems):\n"
        "  TABLE: values above 1 in sets: 'dev' is 400 in rows 1, 2, 3, 4, 5\n"
        '    calibrate it: --calibrate "dev: EXCLUSION CROSSOVER INCLUSION"\n'
        "  TABLE: negative values in sets: 'lit' is -1 in row 5\n"
        '    calibrate it: --calibrate "lit: EXCLUSION CROSSOVER INCLUSION"\n'
        "  TABLE: values above 1 in sets: 'lit' is 1.2 in row 4\n"
        '    calibrate it: --calibrate "lit: EXCLUSION CROSSOVER INCLUSION"\n',
    ),
    Fault(
        ("--conditions", "dev", "--calibrate", "dev: 400 550"),
        2,
        "The command cannot be carried out:\n"
        "  --calibrate: 'dev: 400 550' is no calibration\n"
        '    write "NAME: EXCLUSION CROSSOVER INCLUSION", for example "DEV: 400 550 900"\n',
    ),
    Fault(
        ("--conditions", "dev", "--calibrate", "dev: 400 300 550"),
        2,
        "The command cannot be carried out:\n"
        "  --calibrate: the anchors of 'dev' neither rise nor fall: 400, 300, 550\n"
        "    give exclusion, crossover and inclusion, in this order\n",
    ),
    Fault(
        ("--conditions", "dve", "--group", "reigon"),
        3,
        "The data do not fit the analysis (2 problems):\n"
        "  --conditions: no column 'dve' in 'cases.csv'\n"
        "    did you mean 'dev'?\n"
        "  --group: no column 'reigon' in 'cases.csv'\n"
        "    did you mean 'region'?\n",
    ),
    Fault(
        ("--conditions", "same", "--conditions", "region"),
        3,
        "The data do not fit the analysis (2 problems):\n"
        "  TABLE: 'same' is the same in all cases (0.3)\n"
        "    a set that all cases share explains nothing: leave it out\n"
        "  TABLE: 'region' is not a number: 'x' in row 1, 'y' in row 3\n"
        "    turn it into numbers\n",
    ),
    Fault(
        ("--conditions", "surv", "--calibrate", "lit: 1 2 3", "--expect", "~lit"),
        2,
        "The command cannot be carried out (3 problems):\n"
        "  --conditions: 'surv' is asked for twice\n"
        "    name each column once, in one role\n"
        "  --calibrate: 'lit' is no condition or outcome\n"
        "    known: surv\n"
        "  --expect: 'lit' is no condition\n"
        "    known: surv\n",
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: " ".join(fault.arguments))
@pytest.mark.usefixtures("cases")
def test_faults(fault):
    found = call("qca", "cases.csv", "--outcome", "surv", *fault.arguments)
    assert (found.code, found.out, found.err) == (fault.code, "", fault.message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "dev,surv\n500,0.3\n",
            "  TABLE: 'cases.csv' has one case\n    sets are compared over several cases\n",
        ),
        (
            "dev,surv\n500,0.3\n,0.4\n300,0.9\n",
            "  TABLE: 'dev' is missing in row 2\n    fill these cells, or leave the cases out\n",
        ),
    ],
)
def test_too_few_and_missing_cells(text, message, cases):
    (cases / "cases.csv").write_text(text, encoding="utf-8")
    found = call("qca", "cases.csv", "--outcome", "surv", *DEV)
    assert (found.code, found.err) == (3, f"The data do not fit the analysis:\n{message}")


def test_tied_solutions_are_all_printed(cases):
    rows = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)]
    text = "a,b,c,y\n" + "".join(f"{a},{b},{c},1\n" for a, b, c in rows) + "1,1,0,0\n0,0,1,0\n"
    (cases / "tied.csv").write_text(text, encoding="utf-8")
    found = call(
        *("qca", "tied.csv", "--outcome", "y"),
        *(part for name in "abc" for part in ("--conditions", name)),
    )
    for number in (1, 2):
        assert f"Complex solution {number} of 2, which are tied" in found.out
