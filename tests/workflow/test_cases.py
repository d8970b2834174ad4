"""A whole run with priors from coded cases, by the instant sampler."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from bayescluster.app.report import open_design
from bayescluster.app.run import run_analysis
from bayescluster.model.priors import model_priors, prior_text
from bayescluster.results.model import Results
from tests.cli.small import call, write

CASES = """\
case,construct,rating
Sialkot,human_capital,low
Sialkot,social_capital_bonding,high
Sialkot,social_capital_bridging,medium
Sialkot,product_upgrading,low
Penang,human_capital,high
Penang,social_capital_bonding,low
Penang,product_upgrading,high
Jos,human_capital,low
Jos,product_upgrading,low
"""
pytestmark = pytest.mark.usefixtures("instant")
INFORMED = "{cases: cases.csv, strength: 0.5, outcome: product_upgrading}"
PRIORS = {
    "    controls:": f"    priors:\n      from: {INFORMED}\n"
    "      terms: {social_capital: {distribution: normal, sd: 0.25}}\n    controls:",
    "tune: 500": "tune: 10, prior_draws: 200",
}
ACCOUNT = (
    "Each of the 2 cases counts as 0.5 firms: a rating of low, medium or high puts human capital, and "
    "the mean of the rated sides of social capital, at -1, 0 or +1 standard deviations from the mean "
    "of the firms, and product_upgrading at a share of 10%, 40% or 70% of such firms. A linear "
    "regression of the logit of that share p, weighted by n p (1 - p) for n firms a case and begun "
    "from the default priors, gives mean and standard deviation of each term; the correlations between "
    "terms that it finds are dropped."
)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, PRIORS)
    (tmp_path / "cases.csv").write_text(CASES, encoding="utf-8")
    return tmp_path


def _texts(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_report_shows_priors_and_cases(folder):
    directory, results = run_analysis(folder / "analysis.yaml", folder / "runs")
    found = results.model.cases
    assert found is not None
    assert (found.label, found.outcome, found.strength) == ("cases.csv", "product_upgrading", 0.5)
    assert found.account == ACCOUNT
    used = {row.term: row.used for row in found.priors}
    shown = {one.name: one.prior for one in results.model.coefficients if one.block == "population"}
    assert used == shown
    assert used["social_capital"] == "Normal(0, 0.25)"
    assert [row.term for row in found.priors if row.stated] == ["social_capital"]
    assert used["intercept"] != found.priors[0].default == "Normal(0, 1.5)"
    assert [(case.case, case.social_level, case.lacks) for case in found.cases] == [
        ("Sialkot", 0.5, ()),
        ("Penang", -1.0, ()),
        ("Jos", None, ("social_capital",)),
    ]
    page = _texts(directory.report_path.read_text(encoding="utf-8"))
    assert "Prior from coded evidence" in page
    assert ACCOUNT in page
    assert found.caution in page
    assert "stated in the analysis; the cases would give Normal(" in page
    assert "Sialkot low −1.00 sd bonding: high, medium" not in page
    assert "Sialkot low −1.00 sd bonding: high, bridging: medium +0.50 sd low 10% yes" in page
    assert "Jos low −1.00 sd – low 10% no: social capital not rated" in page


def test_the_tables_hold_the_same(folder):
    directory, results = run_analysis(folder / "analysis.yaml", folder / "runs")
    tables = {}
    for name in ("case_priors", "cases"):
        path = directory.path / "tables" / f"{name}.csv"
        tables[name] = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    cases = results.model.cases
    assert [float(row["cases_mean"]) for row in tables["case_priors"]] == [
        row.cases_mean for row in cases.priors
    ]
    assert [row["social_capital"] for row in tables["cases"]] == [
        "social_capital_bonding: high; social_capital_bridging: medium",
        "social_capital_bonding: low",
        "",
    ]


def test_a_saved_run_stands_without_the_cases(folder):
    directory, results = run_analysis(folder / "analysis.yaml", folder / "runs")
    (folder / "cases.csv").unlink()
    population = model_priors(open_design(directory)).population
    assert {term: prior_text(prior) for term, prior in population.items()} == {
        row.term: row.used for row in results.model.cases.priors
    }
    assert Results.model_validate_json(directory.results_path.read_text()) == results
    assert "from:" in results.reproduction.analysis


def test_other_ratings_are_another_run(folder, instant):
    first, _ = run_analysis(folder / "analysis.yaml", folder / "runs")
    again, _ = run_analysis(folder / "analysis.yaml", folder / "runs")
    assert again.path == first.path
    changed = CASES.replace("Penang,product_upgrading,high", "Penang,product_upgrading,medium")
    (folder / "cases.csv").write_text(changed, encoding="utf-8")
    second, _ = run_analysis(folder / "analysis.yaml", folder / "runs")
    assert second.path != first.path
    assert instant.compiled == 2


def test_without_cases_the_report_does_not_speak_of_them(folder):
    write(folder, {"tune: 500": PRIORS["tune: 500"]})
    directory, results = run_analysis(folder / "analysis.yaml", folder / "runs")
    assert results.model.cases is None
    text = _texts(directory.report_path.read_text(encoding="utf-8"))
    assert "coded cases" not in text
    assert "coded evidence" not in text


@pytest.mark.usefixtures("folder")
def test_validate_says_that_priors_come_from_cases():
    found = call("validate", "analysis.yaml")
    assert found.code == 0
    assert "priors from 2 of 3 cases in cases.csv, each worth 0.5 firms\n" in found.out


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            "{cases: case.csv, strength: 1}",
            (
                "The data do not fit the analysis:\n"
                "  analysis.yaml:16:14: the data file 'case.csv' does not exist\n"
                "    did you mean 'cases.csv'?\n"
            ),
        ),
        (
            "{cases: cases.csv, strength: 1}",
            (
                "The data do not fit the analysis:\n"
                "  analysis.yaml:16:7: no case in 'cases.csv' is rated on 'upgraded'\n"
                "    name what represents it under `outcome:`; known: product_upgrading\n"
            ),
        ),
        (
            "{cases: cases.csv}",
            (
                "The analysis cannot be read:\n"
                "  analysis.yaml:16:7: the key 'strength' is missing\n"
                "    add `strength:` (How many firms one case is worth: near 0 it says nothing; "
                "above 1 or so, argue for it)\n"
            ),
        ),
        (
            "{cases: cases.csv, strenght: 1, strength: 21}",
            (
                "The analysis cannot be read (2 problems):\n"
                "  analysis.yaml:16:32: unknown key 'strenght'\n"
                "    did you mean 'strength'?\n"
                "  analysis.yaml:16:45: strength must be less than or equal to 20, not 21\n"
            ),
        ),
    ],
)
def test_messages(folder, asked, message):
    write(folder, {"    controls:": f"    priors:\n      from: {asked}\n    controls:"})
    found = call("validate", "analysis.yaml")
    assert found.err == message
