"""The shipped firms as people export them: the proposed analysis is that of the clean file."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from bayescluster.api.run import Run
from bayescluster.app.prepare import analysis_source, design_of
from bayescluster.app.run import fit_analysis
from bayescluster.design.record import Design
from bayescluster.model.evaluate import Draws, draws_of
from tests.cli.small import Answer, call

SHIPPED = Path(__file__).parents[3] / "data" / "asian_clusters" / "firms.csv"
COLUMNS = [
    *("firm_id", "cluster", "industry", "product_upgrading"),
    *("training_hours", "tertiary_share", "trust", "joint_action", "employees", "exporter"),
]
FIRMS = pd.read_csv(SHIPPED)[COLUMNS].iloc[::4].reset_index(drop=True)
FIRMS["cluster"] = FIRMS["cluster"].map(
    {name: f"Lübeck{name}" for name in FIRMS["cluster"].unique()}
)
FIRMS["trust"] = FIRMS["trust"].round()


def init(folder: Path, name: str, *options: str) -> Answer:
    return call("init", str(folder / name), "--yes", "--out", str(folder / "a.yaml"), *options)


def design(folder: Path) -> Design:
    return design_of(analysis_source(folder / "a.yaml"))


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Design:
    folder = tmp_path_factory.mktemp("clean")
    FIRMS.to_csv(folder / "firms.csv", index=False)
    assert init(folder, "firms.csv").code == 0
    return design(folder)


def same(found: Design, clean: Design) -> None:
    """Hold the arrays of two designs equal, from which with one seed the draws are the same."""
    assert found.size == clean.size
    np.testing.assert_array_equal(found.outcome, clean.outcome)
    np.testing.assert_allclose(found.capitals, clean.capitals, atol=1e-12)
    np.testing.assert_allclose(found.controls, clean.controls, atol=1e-12)
    assert found.control_names == clean.control_names
    for grouping in ("industry", "cluster"):
        groups = [
            [
                unicodedata.normalize("NFC", each.group_labels(grouping)[k])
                for k in each.index(grouping)
            ]
            for each in (found, clean)
        ]
        assert groups[0] == groups[1]


def german(frame: pd.DataFrame, folder: Path) -> str:
    text = frame.to_csv(index=False, sep=";", decimal=",")
    (folder / "firms.csv").write_bytes(text.encode("cp1252"))
    return "firms.csv"


def spss(frame: pd.DataFrame, folder: Path) -> str:
    frame = frame.assign(
        employees=frame["employees"].astype(float), trust=frame["trust"].astype(float)
    )
    labels = {"trust": {1.0: "none", 5.0: "full"}, "exporter": {0: "No", 1: "Yes"}}
    pyreadstat.write_sav(
        frame,
        folder / "firms.sav",
        variable_value_labels={"trust": labels["trust"]},
        missing_ranges={"employees": [{"lo": 99990, "hi": 99999}]},
    )
    return "firms.sav"


def stata(frame: pd.DataFrame, folder: Path) -> str:
    pyreadstat.write_dta(
        frame.assign(exporter=frame["exporter"].astype(float)), folder / "firms.dta"
    )
    return "firms.dta"


def merged(frame: pd.DataFrame, folder: Path) -> str:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Firm", None, None, "Outcome", "Human", None, "Social", None, "Other", None])
    sheet.append(list(frame.columns))
    for row in frame.itertuples(index=False):
        sheet.append(list(row))
    for place in ("A1:C1", "E1:F1", "G1:H1", "I1:J1"):
        sheet.merge_cells(place)
    book.save(folder / "firms.xlsx")
    return "firms.xlsx"


def rows_of(folder: Path, rows: list[list[Any]]) -> str:
    with (folder / "firms.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return "firms.csv"


def with_totals(frame: pd.DataFrame, folder: Path) -> str:
    """A title, totals between the industries, a grand total and a footnote."""
    rows: list[list[Any]] = [["Survey of firms 2023"], [], list(frame.columns)]
    for industry, part in frame.groupby("industry", sort=False):
        rows += part.values.tolist()
        sums = [part["product_upgrading"].sum(), part["training_hours"].sum()]
        rows.append([f"Total {industry}", "", "", *sums, "", "", "", part["employees"].sum(), ""])
    rows.append([])
    rows.append(list(frame.columns))
    rows.append(["TOTAL", "", "", "", "", "", "", "", frame["employees"].sum(), ""])
    rows.append(["Source: own survey; see text."])
    return rows_of(folder, rows)


def with_questions(frame: pd.DataFrame, folder: Path) -> str:
    """Questions and codes of an online survey below the names."""
    questions = [f"Please state: {name.replace('_', ' ')}" for name in frame.columns]
    codes = [f'{{"ImportId":"QID{k}"}}' for k in range(len(frame.columns))]
    return rows_of(folder, [list(frame.columns), questions, codes, *frame.values.tolist()])


def pasted(frame: pd.DataFrame, folder: Path) -> str:
    """Lines of two files in two encodings."""
    lines = frame.to_csv(index=False).splitlines(keepends=True)
    text = b"".join(line.encode("utf-8" if k % 3 else "cp1252") for k, line in enumerate(lines))
    (folder / "firms.csv").write_bytes(text)
    return "firms.csv"


def plain(**changes: Callable[[pd.DataFrame], Any]) -> Callable[[pd.DataFrame, Path], str]:
    def write(frame: pd.DataFrame, folder: Path) -> str:
        frame.assign(**changes).to_csv(folder / "firms.csv", index=False)
        return "firms.csv"

    return write


def some(
    column: str, rows: list[int], change: Callable[[Any], Any]
) -> Callable[[pd.DataFrame], Any]:
    def changed(frame: pd.DataFrame) -> list[Any]:
        return [change(cell) if k in rows else cell for k, cell in enumerate(frame[column])]

    return changed


MESSY: dict[str, Callable[[pd.DataFrame, Path], str]] = {
    "German Excel csv": german,
    "SPSS with labels": spss,
    "Stata": stata,
    "Excel with merged headers": merged,
    "outcome coded 1 and 2": plain(product_upgrading=lambda frame: 2 - frame["product_upgrading"]),
    "outcome in words": plain(
        product_upgrading=lambda frame: frame["product_upgrading"].map({0: "Nein", 1: "Ja"})
    ),
    "a misspelt cluster": plain(
        cluster=some("cluster", [7], lambda name: name.replace("Lübeck", "Lübekc"))
    ),
    "clusters in other case and blanks": plain(
        cluster=some("cluster", [7, 50, 90], lambda name: f" {name.upper()} ")
    ),
    "decomposed accents, all": plain(
        cluster=some("cluster", list(range(300)), lambda name: unicodedata.normalize("NFD", name))
    ),
    "decomposed accents, some": plain(
        cluster=some("cluster", list(range(40)), lambda name: unicodedata.normalize("NFD", name))
    ),
    "ids with leading zeros": plain(firm_id=lambda frame: [f"{k:04d}" for k in range(len(frame))]),
    "totals, a title and a footnote": with_totals,
    "questions below the names": with_questions,
    "two files in two encodings": pasted,
    "ids as formulas": plain(firm_id=lambda frame: [f'="{k:04d}"' for k in range(len(frame))]),
    "ids as dates": plain(
        firm_id=lambda frame: pd.date_range("2001-01-01", periods=len(frame)).strftime("%d.%m.%Y")
    ),
    "percent strings": plain(
        tertiary_share=lambda frame: [f"{x:g}%" for x in frame["tertiary_share"]]
    ),
}


@pytest.mark.parametrize("name", MESSY)
def test_a_messy_export_gives_the_analysis_of_the_clean_file(name, clean, tmp_path):
    found = init(tmp_path, MESSY[name](FIRMS, tmp_path))
    assert (found.code, found.err) == (0, "")
    assert "It is valid." in found.out
    same(design(tmp_path), clean)


def without(rows: list[int], folder: Path) -> Design:
    """Analysis of the clean file that has an empty cell in these rows."""
    frame = FIRMS.assign(trust=FIRMS["trust"].where(~np.isin(np.arange(len(FIRMS)), rows)))
    (folder / "clean").mkdir()
    frame.to_csv(folder / "clean" / "firms.csv", index=False)
    assert init(folder / "clean", "firms.csv").code == 0
    return design(folder / "clean")


def test_undeclared_codes_are_rows_that_lack_an_answer(tmp_path):
    gone = [3, 50, 120]
    plain(trust=some("trust", gone, lambda _: -9))(FIRMS, tmp_path)
    found = init(tmp_path, "firms.csv")
    assert "-9 means no answer in 'trust'" in found.out
    assert design(tmp_path).size == len(FIRMS) - len(gone)
    same(design(tmp_path), without(gone, tmp_path))


@pytest.mark.parametrize("kind", ["sav", "dta"])
def test_missing_values_of_packages_are_rows_that_lack_an_answer(kind, tmp_path):
    frame, gone = FIRMS.assign(trust=FIRMS["trust"].astype(object)), [2, 4]
    if kind == "dta":
        frame.loc[2, "trust"], frame.loc[4, "trust"] = "a", "z"
        pyreadstat.write_dta(frame, tmp_path / "f.dta", missing_user_values={"trust": ["a", "z"]})
    else:
        frame = FIRMS.assign(trust=some("trust", gone, lambda _: 98.0))
        pyreadstat.write_sav(frame, tmp_path / "f.sav", missing_ranges={"trust": [98]})
    assert init(tmp_path, f"f.{kind}").code == 0
    assert design(tmp_path).size == len(FIRMS) - len(gone)
    same(design(tmp_path), without(gone, tmp_path))


def test_answers_in_words_and_codes_by_column(tmp_path):
    words = ["STRONGLY DISAGREE", "DISAGREE", "NEITHER AGREE NOR DISAGREE", "AGREE"]
    spelt = FIRMS["trust"].map(dict(enumerate([*words, "Strongly Agree"], start=1))).astype(object)
    staff = FIRMS["employees"].astype(str).astype(object)
    spelt[5], spelt[9], staff[3] = "k.A.", "K.A.", "n/a"
    age = np.arange(len(FIRMS)) % 40 + 3
    messy, clean = (tmp_path / each for each in ("messy", "clean"))
    messy.mkdir()
    clean.mkdir()
    FIRMS.assign(trust=spelt, employees=staff, firm_age=np.where(age == 9, 99, age)).to_csv(
        messy / "firms.csv", index=False
    )
    gone = {"trust": [5, 9], "employees": [3]}
    blank = {name: FIRMS[name].where(~FIRMS.index.isin(rows)) for name, rows in gone.items()}
    FIRMS.assign(**blank, firm_age=np.where(age == 9, np.nan, age)).to_csv(
        clean / "firms.csv", index=False
    )
    assert init(messy, "firms.csv").code == init(clean, "firms.csv").code == 0
    same(design(messy), design(clean))


def test_names_in_their_first_row_only_are_one_decision(tmp_path):
    frame = FIRMS.sort_values(["industry", "cluster"])
    again = frame["cluster"] == frame["cluster"].shift()
    frame.assign(cluster=frame["cluster"].mask(again)).to_csv(tmp_path / "firms.csv", index=False)
    found = init(tmp_path, "firms.csv")
    assert found.code == 2
    assert (
        "Only you can decide:\n  which cluster the rows without one lie in: "
        f"{again.sum()} of 300 cells of 'cluster' are empty" in found.out
    )


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ("exporter", ["x", ""]),
        ("training_hours", ["3 h", "7.5 h", "12 h"]),
        ("employees", ["about 20", "ca. 35", "50 or more"] * 20 + ["a few"]),
    ],
)
def test_words_where_numbers_are_expected_are_said(column, cells, tmp_path):
    FIRMS.assign(**{column: np.resize(cells, len(FIRMS))}).to_csv(
        tmp_path / "firms.csv", index=False
    )
    found = init(tmp_path, "firms.csv")
    assert found.code == 0
    shown = f"'{column}' is not used, though its name suggests it: it holds words, not numbers ('{cells[0]}'"
    listed = column in (tmp_path / "a.yaml").read_text(encoding="utf-8").split("constructs:")[1]
    assert (shown in found.out) != listed


def fitted(folder: Path, name: str) -> Draws:
    """Posterior of the proposed analysis, by few draws of one chain."""
    assert init(folder, name).code == 0
    path = folder / "a.yaml"
    text = path.read_text(encoding="utf-8")
    short = {
        "sampling: {seed: 1}": "sampling: {seed: 1, draws: 150, tune: 150, chains: 1}",
        "    # structure: left out": "    structure: interaction #",
    }
    for old, new in short.items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    run = Run(fit_analysis(path, folder / "runs"))
    return draws_of(run.design, run.posterior["posterior"].to_dataset())


@pytest.mark.slow
@pytest.mark.parametrize("name", MESSY)
def test_posterior_means_are_those_of_the_clean_file(name, tmp_path_factory):
    clean, messy = (tmp_path_factory.mktemp(each) for each in ("clean", "messy"))
    FIRMS.to_csv(clean / "firms.csv", index=False)
    wanted = fitted(clean, "firms.csv")
    found = fitted(messy, MESSY[name](FIRMS, messy))
    for term, values in wanted.population.items():
        # one seed: the same draws, but for what the last digits of an input set off
        spread = values.std(ddof=1)
        assert found.population[term].mean() == pytest.approx(values.mean(), abs=0.3 * spread)


def test_what_the_analysis_recodes_looks_wrong_no_more(tmp_path):
    MESSY["outcome coded 1 and 2"](FIRMS, tmp_path)
    assert "coded 1 and 2" in call("check-data", str(tmp_path / "firms.csv")).out
    assert init(tmp_path, "firms.csv").code == 0
    found = call("validate", str(tmp_path / "a.yaml"))
    assert "coded 1 and 2" not in found.out


ZEROS = {
    "hurdle_lognormal": [0.0] * 4 + [10.5, 12.25, 20.5, 30.75, 41.5, 60.25, 95.5, 800.5],
    "zero_inflated_beta": [0.0] * 4 + [0.1, 0.22, 0.35, 0.5, 0.61, 0.7, 0.83, 0.9],
    "zero_inflated_negative_binomial": [0.0] * 6 + [9, 10, 11, 12, 13, 14, 15, 16, 17, 18],
}


@pytest.mark.parametrize("family", ZEROS)
def test_many_zeros_have_a_family_and_regions_in_their_units(family, tmp_path):
    values = np.resize(ZEROS[family], len(FIRMS))
    FIRMS.assign(product_upgrading=values).to_csv(tmp_path / "firms.csv", index=False)
    found = init(tmp_path, "firms.csv")
    assert (found.code, found.err) == (0, "")
    assert f"family {family} gives zeros a share of their own" in found.out
    assert design(tmp_path).family.name == family
    text = (tmp_path / "a.yaml").read_text(encoding="utf-8")
    half = float(f"{values.std() / 2:.3g}")
    assert (
        f"kind: necessary_not_sufficient, capital: human_capital, by: industry, delta: {half:g}"
        in text
    )
    plain = {"hurdle_lognormal": "gaussian", "zero_inflated_beta": "gaussian"}
    (tmp_path / "b.yaml").write_text(
        text.replace(f"family: {family}", f"family: {plain.get(family, 'negative_binomial')}"),
        encoding="utf-8",
    )
    assert f"Write `family: {family}`" in call("validate", str(tmp_path / "b.yaml")).out


def test_what_only_the_user_can_decide_is_one_message(tmp_path):
    words = FIRMS["product_upgrading"].map({0: "stayed", 1: "moved"})
    FIRMS.assign(product_upgrading=words).to_csv(tmp_path / "firms.csv", index=False)
    found = init(tmp_path, "firms.csv")
    assert found.code == 2
    assert (
        "Only you can decide:\n  which value of 'product_upgrading' is yes: moved or stayed"
        in found.out
    )


def test_columns_that_say_nothing_are_asked_for(tmp_path):
    frame = FIRMS.rename(columns={"trust": "q1", "joint_action": "q2", "product_upgrading": "q3"})
    frame.to_csv(tmp_path / "firms.csv", index=False)
    found = init(tmp_path, "firms.csv")
    assert found.code == 2
    assert "which column is the outcome: no name suggests one (--outcome)" in found.out
    assert "which columns measure social capital: no name suggests any (--social; " in found.out
    (tmp_path / "a.yaml").unlink()
    stated = ("--outcome", "q3", "--social", "q1", "--social", "q2")
    assert init(tmp_path, "firms.csv", *stated).code == 0


OUTCOMES = {
    "ordinal": [1, 2, 3, 4, 5],
    "negative_binomial": [0, 1, 2, 3, 5, 8, 13, 21, 40],
    "beta": [0.1, 0.22, 0.35, 0.5, 0.61, 0.7, 0.83, 0.9, 0.95],
    "lognormal": [10.5, 12.25, 20.5, 30.75, 41.5, 60.25, 95.5, 800.5, 2000.5],
    "gaussian": [-2.5, -1.1, 0.2, 0.5, 1.1, 1.8, 2.2, 3.1, 4.4],
}


@pytest.mark.parametrize("family", OUTCOMES)
def test_families_go_by_what_the_outcome_holds(family, tmp_path):
    values = np.resize(OUTCOMES[family], len(FIRMS))
    FIRMS.assign(product_upgrading=values).to_csv(tmp_path / "firms.csv", index=False)
    found = init(tmp_path, "firms.csv")
    assert (found.code, found.err) == (0, "")
    assert design(tmp_path).family.name == family


def test_an_indicator_that_goes_against_the_others_is_turned(tmp_path):
    rng = np.random.default_rng(4)
    base = rng.normal(size=len(FIRMS))
    skills = {
        f"skill_{k}": sign * base + rng.normal(size=len(FIRMS))
        for k, sign in enumerate([1, 1, -1, 1])
    }
    frame = FIRMS.drop(columns=["training_hours", "tertiary_share"]).assign(**skills)
    frame.to_csv(tmp_path / "firms.csv", index=False)
    assert init(tmp_path, "firms.csv").code == 0
    text = (tmp_path / "a.yaml").read_text(encoding="utf-8")
    assert "- {column: skill_2, direction: negative}" in text.replace('"', "")
    assert "method: latent" in text


def test_a_file_that_is_there_is_kept(tmp_path):
    FIRMS.to_csv(tmp_path / "firms.csv", index=False)
    (tmp_path / "a.yaml").write_text("mine", encoding="utf-8")
    found = init(tmp_path, "firms.csv")
    assert (found.code, "the file is there already" in found.err) == (2, True)
    assert (tmp_path / "a.yaml").read_text(encoding="utf-8") == "mine"


def test_a_column_that_is_not_there(tmp_path):
    FIRMS.to_csv(tmp_path / "firms.csv", index=False)
    found = init(tmp_path, "firms.csv", "--outcome", "upgrading")
    assert found.code == 2
    assert (
        "no column 'upgrading' in 'firms.csv'\n    did you mean 'product_upgrading'?" in found.err
    )


def test_in_a_terminal_every_role_is_asked_for(monkeypatch):
    from bayescluster.app.starter import proposed
    from bayescluster.cli import files as command
    from bayescluster.dataset.plain import Reading
    from bayescluster.features.starter.draft import Choices

    draft = proposed(SHIPPED, Reading(), Choices())
    asked: dict[str, str] = {}

    def prompt(text: str, default: str) -> str:
        asked[text] = default
        return {"Column of the outcome": "process_upgrading", "Column of the firm": "-"}.get(
            text, default
        )

    monkeypatch.setattr(command.typer, "prompt", prompt)
    answers = command._asked(draft, Choices())
    assert (answers.firm, answers.outcome, answers.cluster) == (
        "-",
        "process_upgrading",
        "cluster",
    )
    assert asked["Columns of social capital"].startswith("trust, joint_action")
