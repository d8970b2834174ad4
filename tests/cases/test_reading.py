"""Survey files as people bring them: what is read, and what is said of what looks wrong.

The files beside this one each hold one fault; the tests below them make further ones of its kind.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from bayescluster.app.prepare import analysis_source, design_of
from bayescluster.design.record import Design
from bayescluster.errors import BayesClusterError
from tests.cli.small import Answer, call

HERE = Path(__file__).parent
WHOLE = 2**53


def validated(name: str) -> Answer:
    return call("validate", str(HERE / name))


def design(path: Path | str) -> Design:
    return design_of(analysis_source(HERE / path))


def firms(rows: int = 96, seed: int = 7) -> pd.DataFrame:
    """Firms in eight clusters of two industries, with answers from 1 to 5."""
    rng = np.random.default_rng(seed)
    cluster = np.arange(rows) % 8
    return pd.DataFrame(
        {
            "id": np.arange(rows) + 1,
            "place": [f"p{k}" for k in cluster],
            "branch": np.where(cluster < 4, "goods", "services"),
            "skill": rng.normal(10.0, 3.0, rows).round(2),
            "trust": rng.integers(1, 6, rows),
            "size": rng.integers(90, 110, rows),
            "new": rng.integers(0, 2, rows),
            "level": rng.integers(1, 6, rows),
            "growth": rng.normal(5.0, 2.0, rows).round(2),
        }
    )


ANALYSIS = """\
name: survey
data: {source: SOURCE, firm: id, cluster: place, industry: branch}
constructs:
  human_capital: {indicators: [skill], method: single}
  social_capital: {indicators: [trust], method: single}
equations:
  innovation:
    outcome: new
    family: bernoulli
    structure: interaction
    controls: [size]
    varying: {industry: [intercept], cluster: [intercept]}
hypotheses:
  - {kind: effect, capital: human_capital, by: industry}
"""

Made = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """An analysis of a table, with parts of its text swapped."""

    def make(frame: pd.DataFrame, kind: str = ".csv", swaps: dict[str, str] | None = None) -> Path:
        write(frame, tmp_path / f"firms{kind}")
        text = ANALYSIS.replace("SOURCE", f"firms{kind}")
        for old, new in (swaps or {}).items():
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / "analysis.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return make


def write(frame: pd.DataFrame, path: Path, **keys: Any) -> None:
    writers: dict[str, Callable[..., Any]] = {
        ".csv": lambda frame, path: frame.to_csv(path, index=False),
        ".xlsx": lambda frame, path: frame.to_excel(path, index=False),
        ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
        ".dta": pyreadstat.write_dta,
        ".sav": pyreadstat.write_sav,
    }
    writers[path.suffix](frame, path, **keys)


def said(path: Path) -> str:
    found = call("validate", str(path))
    return found.out + found.err


# groups are text, as they are written


@pytest.mark.parametrize("name", ["cat01", "dta_text01", "lead0_oneind", "sci", "xlsx_textcodes"])
def test_group_codes_are_not_merged(name):
    assert "8 clusters" in validated(f"group_codes_merged/{name}.yaml").out


TWINS = {
    "leading zeros": lambda k: f"{k % 4 + 1:0{2 if k >= 4 else 1}d}",
    "trailing zeros": lambda k: f"10.{k % 4 + 1}{'0' * (k >= 4)}",
    "exponents": lambda k: f"{k % 4 + 1}E2" if k >= 4 else f"{(k % 4 + 1) * 100}",
    "beyond 2 to the 53": lambda k: str(WHOLE + k),
    "signs": lambda k: f"{'+' * (k >= 4)}{k % 4 + 1}",
}


@pytest.mark.parametrize("kind", [".csv", ".xlsx", ".parquet", ".dta", ".sav"])
@pytest.mark.parametrize("twin", TWINS)
def test_groups_written_differently_are_different(twin, kind, made):
    codes = [TWINS[twin](k) for k in range(8)]
    frame = firms().assign(place=[codes[k % 8] for k in range(96)])
    found = design_of(analysis_source(made(frame, kind)))
    assert sorted(found.group_labels("cluster")) == sorted(codes)


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_whole_numbers_that_floats_cannot_tell_apart(kind, made):
    numbers = pd.array([WHOLE + k % 8 for k in range(96)], dtype="Int64")
    numbers[5] = pd.NA
    frame = firms().assign(place=numbers, branch="all firms")
    found = design_of(analysis_source(made(frame, kind, {"branch}": "branch, missing: drop}"})))
    assert sorted(found.group_labels("cluster")) == [str(WHOLE + k) for k in range(8)]
    assert found.size == 95


def test_levels_of_a_category_are_as_written():
    assert design("group_codes_merged/cat01.yaml").control_names == ("x[1]", "x[02]", "x[03]")


def test_a_number_of_the_analysis_finds_a_group_however_it_is_written(made):
    frame = firms().assign(place=[f"{k % 8 + 1:02d}" for k in range(96)])
    swaps = {"branch}": "branch, keep: [{column: place, one_of: [1, '02', 3]}]}"}
    found = design_of(analysis_source(made(frame, ".csv", swaps)))
    assert found.group_labels("cluster") == ("01", "02", "03")


# what cannot be seen


def test_zero_width_characters_are_said():
    found = validated("unicode_spellings/zerowidth.yaml")
    assert found.code == 3
    assert (
        "'cl' (cluster) spells 8 groups in several ways: 'c2' (14 rows), 'c2\\u200b'" in found.err
    )


@pytest.mark.parametrize(
    "other",
    [
        unicodedata.normalize("NFD", "Bình Dương"),
        "Bình\u00a0Dương",
        "Bình \ufeffDương",
        "Bình Du\u031bo\u031bng",
    ],
)
@pytest.mark.parametrize("column", ["place", "branch", "id"])
def test_spellings_that_look_alike(other, column, made):
    frame = firms(16)
    frame[column] = frame[column].astype(object)
    frame.loc[[0, 8], column] = ["Bình Dương", other]
    found = said(made(frame))
    assert "spells one group in 2 ways" in found
    assert 'values: {"' in found


def test_the_line_that_is_offered_mends_it(made):
    frame = firms().assign(place=[f"p{k % 8}{'\u200b' * (k < 8)}" for k in range(96)])
    path = made(frame)
    line = said(path).split("add `")[1].split("` under data")[0]
    text = path.read_text(encoding="utf-8").replace("branch}", f"branch, {line}}}")
    path.write_text(text.replace("cluster: place", "cluster: place_clean"), encoding="utf-8")
    assert len(design_of(analysis_source(path)).group_labels("cluster")) == 8


# codes for no answer


def test_a_code_of_one_column_is_no_code_of_groups():
    found = validated("missing_code_hits_other_columns/cl99.yaml").out
    assert "cl99.csv: 160 of 160 rows" in found
    assert "'99' means no answer elsewhere, and is a cluster in 'cl' (20 rows)" in found


def test_a_code_inside_the_range_of_a_column_is_said():
    found = validated("missing_code_hits_other_columns/code99.yaml").out
    assert "99 means no answer, and lies inside the range of 'x' (90 to 109): 7 answers" in found
    assert "`missing_values: {default: [99], x: []}`" in found


@pytest.mark.parametrize("kind", [".csv", ".xlsx", ".parquet", ".dta", ".sav"])
def test_codes_by_column(kind, made):
    frame = firms()
    frame.loc[:3, "skill"] = -9.0
    frame.loc[4:6, "trust"] = 99
    frame.loc[7, "size"] = 99
    keys = "missing_values: {default: [-9], trust: [99], size: []}, missing: drop"
    found = design_of(analysis_source(made(frame, kind, {"branch}": f"branch, {keys}}}"})))
    assert found.size == 96 - 7
    assert not any("99" in note for note in found.details.notes)


def test_a_group_column_that_is_named_has_codes(made):
    frame = firms().assign(place=["-9" if k < 5 else f"p{k % 8}" for k in range(96)])
    keys = "missing_values: {place: [-9]}, missing: drop"
    found = design_of(analysis_source(made(frame, ".csv", {"branch}": f"branch, {keys}}}"})))
    assert found.size == 91
    assert len(found.group_labels("cluster")) == 8


@pytest.mark.parametrize(("column", "role"), [("place", "cluster"), ("branch", "industry")])
def test_an_undeclared_code_among_groups_stays_a_group_and_is_said(column, role, made):
    frame = firms().assign(branch="one")
    frame[column] = frame[column].where(np.arange(96) % 8 != 3, "-9")
    found = said(made(frame, ".csv", {"branch}": "branch, missing_values: [-9], crossed: true}"}))
    assert f"'-9' means no answer elsewhere, and is a {role} in '{column}' (12 rows)" in found


# value labels are for display


def test_ordinal_levels_are_in_the_order_of_their_codes():
    by_code, labelled = (
        design(f"ordinal_labels_alphabetical/{kind}.yaml") for kind in ("csv", "dta")
    )
    assert labelled.levels == by_code.levels == ("1", "2", "3", "4", "5")
    np.testing.assert_array_equal(labelled.outcome, by_code.outcome)


def test_direction_goes_by_codes():
    by_code, labelled = (
        design(f"value_labels_flip_direction/{kind}.yaml") for kind in ("csv", "dta")
    )
    np.testing.assert_allclose(labelled.capitals[0], by_code.capitals[0])
    assert sorted({round(float(value), 2) for value in labelled.capitals[0]}) == [-0.96, 1.03]


def test_codes_that_share_a_label_stay_apart():
    labels = design("value_labels_merge_codes/dta_duplabel.yaml").group_labels("cluster")
    assert len(labels) == 8
    assert {"Other (1)", "Other (3)"} <= set(labels)


def test_labelled_answers_are_numbers_for_plain_tables():
    table = str(HERE / "value_labels_block_numbers" / "l.dta")
    found = call("nca", table, "--x", "x", "--y", "y", "--permutations", "0")
    assert (found.code, "CE-FDH  d 0.688" in found.out) == (0, True)
    sets = ("--calibrate", "x: 1 2.5 5", "--calibrate", "y: 1 3 5")
    assert call("qca", table, "--outcome", "y", "--conditions", "x", *sets).code == 0
    assert validated("value_labels_block_numbers/dta_ends.yaml").code == 0


SCALE = {1: "Never", 2: "Rarely", 3: "Sometimes", 4: "Often", 5: "Always"}


@pytest.mark.parametrize("kind", [".dta", ".sav"])
@pytest.mark.parametrize("column", ["trust", "level", "size"])
def test_labels_change_no_number(kind, column, made, tmp_path):
    swaps = {"outcome: new\n    family: bernoulli": "outcome: level\n    family: ordinal"}
    swaps |= {"[size]": "[{column: size, kind: continuous}]"}
    path = made(firms(), kind, swaps)
    plain = design_of(analysis_source(path))
    labels = SCALE if column != "size" else {k: f"size {200 - k}" for k in range(90, 110)}
    write(firms(), tmp_path / f"firms{kind}", variable_value_labels={column: labels})
    labelled = design_of(analysis_source(path))
    for name in ("outcome", "controls"):
        np.testing.assert_array_equal(getattr(labelled, name), getattr(plain, name))
    np.testing.assert_array_equal(labelled.capitals, plain.capitals)
    assert labelled.levels == plain.levels


def test_levels_may_be_named_by_their_labels(made, tmp_path):
    listed = ", ".join(SCALE.values())
    swaps = {
        "outcome: new\n    family: bernoulli": "outcome: level\n    family: ordinal\n"
        f"    at_least: Often\n    levels: [{listed}]"
    }
    path = made(firms(), ".dta", swaps)
    write(firms(), tmp_path / "firms.dta", variable_value_labels={"level": SCALE})
    found = design_of(analysis_source(path))
    assert found.levels == tuple(SCALE.values())
    np.testing.assert_array_equal(found.reported, firms()["level"] >= 4)


def test_levels_that_are_words_are_asked_for(made):
    sizes = np.array(["250+", "1-49", "50-249"])
    frame = firms().assign(level=sizes[np.arange(96) % 3])
    swaps = {"outcome: new\n    family: bernoulli": "outcome: level\n    family: ordinal"}
    found = said(made(frame, ".csv", swaps))
    assert "the levels of 'level' are words, whose order is not known" in found
    assert "levels: [1-49, 250+, 50-249]" in found
    listed = swaps["outcome: new\n    family: bernoulli"] + "\n    levels: [1-49, 50-249, 250+]"
    path = made(frame, ".csv", {next(iter(swaps)): listed})
    assert design_of(analysis_source(path)).levels == ("1-49", "50-249", "250+")


def test_labelled_controls_are_categories_unless_said(made, tmp_path):
    path = made(firms(), ".sav")
    owners = {k: name for k, name in enumerate("abcdefghijklmnopqrst", 90)}
    write(firms(), tmp_path / "firms.sav", variable_value_labels={"size": owners})
    found = design_of(analysis_source(path))
    assert len(found.control_names) == 19
    assert any("enters as categories" in note for note in found.details.notes)


def test_a_lower_code_for_yes_is_noted(made, tmp_path):
    frame = firms().assign(trust=1 + np.arange(96) % 2)
    path = made(frame, ".dta")
    write(frame, tmp_path / "firms.dta", variable_value_labels={"trust": {1: "Yes", 2: "No"}})
    (note,) = design_of(analysis_source(path)).details.notes
    assert note.startswith("The indicator 'trust' of social_capital has a lower code for 'Yes'")


# one column, one role


@pytest.mark.parametrize(
    ("name", "role"), [("circ", "an indicator of human_capital"), ("ctly", "a control")]
)
def test_an_outcome_does_not_explain_itself(name, role):
    found = validated(f"one_column_two_roles/{name}.yaml")
    assert found.code == 2
    assert f"'y' is the outcome, and {role}" in found.err


DOUBLED = "derive: [{kind: scale, name: twice, of: new, multiply: 2}]"
CIRCLES = {
    "indicator computed from the outcome": {
        "branch}": f"branch, {DOUBLED}}}",
        "[skill]": "[twice]",
    },
    "control computed from the outcome": {"branch}": f"branch, {DOUBLED}}}", "[size]": "[twice]"},
    "outcome computed from an indicator": {
        "branch}": "branch, derive: [{kind: recode, name: high, of: trust, values: {1: 0, 2: 0, 3: 0, "
        "4: 1, 5: 1}}]}",
        "outcome: new": "outcome: high",
    },
    "control computed from an indicator": {
        "branch}": "branch, derive: [{kind: log, name: log_trust, of: trust}]}",
        "[size]": "[log_trust]",
    },
    "indicator of both capitals": {"[trust]": "[skill]"},
    "weight": {"branch}": "branch, weight: new}"},
    "cluster": {"cluster: place": "cluster: new"},
    "grouping": {"cluster: [intercept]}": "new: [intercept]}"},
    "exposure": {
        "outcome: new\n    family: bernoulli": "outcome: level\n    family: poisson\n    exposure: level"
    },
}


@pytest.mark.parametrize("name", CIRCLES)
def test_roles_that_make_a_circle(name, made):
    path = made(firms(), ".csv", CIRCLES[name])
    with pytest.raises(BayesClusterError, match=r"outcome|indicator") as caught:
        design_of(analysis_source(path))
    words = ("the outcome would explain itself", "cannot stay as it is", "cannot be told apart")
    assert any(each in str(caught.value) for each in words)


def test_roles_that_go_together(made):
    swaps = {
        "branch}": "branch, weight: size, derive: [{kind: log, name: log_size, of: size}]}",
        "[size]": "[size, log_size, place]",
    }
    assert design_of(analysis_source(made(firms(), ".csv", swaps))).size == 96


# thresholds on the scale of the column


def test_a_threshold_that_no_outcome_reaches():
    margin = validated("unreachable_margin/margin.yaml")
    assert (margin.code, "no effect on a probability is above 1" in margin.err) == (2, True)
    theta = validated("ordinal_labels_alphabetical/t40.yaml")
    assert theta.code == 3
    assert "theta is 40, but the expected level of 'y' goes from 1 to 5" in theta.err


ORDINAL = {"outcome: new\n    family: bernoulli": "outcome: level\n    family: ordinal"}
GROWTH = {"outcome: new\n    family: bernoulli": "outcome: growth\n    family: gaussian"}
CLAIM = "{kind: effect, capital: human_capital, by: industry}"
UNREACHABLE = [
    (ORDINAL, "{kind: joint_sufficiency, by: all, theta: 0.5}"),
    (ORDINAL, "{kind: effect, capital: human_capital, by: all, margin: 9}"),
    (ORDINAL, "{kind: sufficient, capital: human_capital, by: all, theta: 5.1}"),
    (GROWTH, "{kind: joint_sufficiency, by: all, theta: 4000}"),
    (GROWTH, "{kind: necessary, capital: human_capital, by: all, eps: -900}"),
    (GROWTH, "{kind: effect, capital: human_capital, by: all, margin: 300}"),
    ({}, "{kind: complementarity, by: all, margin: 2}"),
    ({}, "{kind: difference, capital: human_capital, margin: 30}"),
]


@pytest.mark.parametrize(("family", "claim"), UNREACHABLE)
def test_thresholds_out_of_reach_are_refused(family, claim, made):
    key = claim.split(", ")[-1].split(":")[0]
    with pytest.raises(BayesClusterError, match=f"{key} is"):
        design_of(analysis_source(made(firms(), ".csv", {**family, CLAIM: claim})))


@pytest.mark.parametrize(
    ("family", "claim"),
    [
        (ORDINAL, "{kind: joint_sufficiency, by: all, theta: 4.9}"),
        (GROWTH, "{kind: joint_sufficiency, by: all, theta: 9}"),
        ({}, "{kind: effect, capital: human_capital, by: all, margin: 0.9}"),
    ],
)
def test_thresholds_within_reach(family, claim, made):
    design_of(analysis_source(made(firms(), ".csv", {**family, CLAIM: claim})))


# nesting, names, and the shape of tables


def test_firms_in_two_clusters_are_said():
    found = validated("firm_in_two_clusters/firm_two_clusters.yaml")
    assert found.code == 3
    assert "80 firms have rows in more than one cluster: 'f0' (c0 1 row, c1 1 row)" in found.err


def test_firms_may_move_where_that_is_declared(made):
    frame = firms().assign(id=np.arange(96) // 2)
    assert "have rows in more than one cluster" in said(made(frame))
    assert "valid" in said(made(frame, ".csv", {"branch}": "branch, crossed: true}"}))


def test_firms_in_two_industries_without_clusters(made):
    frame = firms().assign(id=np.arange(96) % 20)
    swaps = {"cluster: place, ": "", ", cluster: [intercept]": ""}
    assert "firms have rows in more than one industry" in said(made(frame, ".csv", swaps))


def test_a_firm_in_a_second_cluster_once_is_a_typing_error(made):
    frame = firms().assign(id=np.arange(96) % 8)
    frame.loc[50, "place"] = "p7"
    found = said(made(frame))
    assert (
        "most likely a typing error in 'place' or 'id': 'p7' in row 51, where '2' is otherwise 'p2'; "
        "if 'id' is right there, add `fix: [{column: place, row: 51, to: p2}]` under data"
    ) in found


@pytest.mark.parametrize("name", ["__firm__", "__cluster__", "__industry__"])
def test_columns_with_names_of_our_own(name, made):
    frame = firms().rename(columns={"size": name})
    found = call("validate", str(made(frame, ".csv", {"[size]": f"['{name}']"})))
    assert found.code == 3
    assert "rename the column" in found.err
    assert validated("reserved_dunder_columns/ctl___firm__.yaml").code == 3


@pytest.mark.parametrize("column", ["place", "branch"])
def test_a_group_called_all(column, made):
    frame = firms()
    frame.loc[frame["place"] == "p1", column] = "all"
    assert f"cannot be called 'all' (in '{column}')" in said(made(frame))


@pytest.mark.parametrize(("name", "places"), [("xl_spacer", "D, G"), ("csv_blank2", "H, I")])
def test_columns_without_a_name_are_left_out_and_said(name, places):
    found = validated(f"xlsx_blank_headers/{name}.yaml")
    assert found.code == 0
    assert f"2 columns have no name and cannot be used: {places}" in found.out


def test_low_and_high_that_fall_together_are_said():
    found = validated("zero_inflated_capital/g5.yaml")
    assert found.code == 0
    assert "Low and high of human_capital fall together: 94% of rows have the value 0" in found.out
    assert "the smallest and the largest value, 0 and 47" in found.out


@pytest.mark.parametrize(
    ("column", "usual", "rare"),
    [
        ("skill", 9.5, [2.0, 3.5, 17.0]),
        ("skill", 0.0, [40.0]),
        ("trust", 5, [1, 2]),
        ("trust", 3, [1, 4]),
    ],
)
def test_a_capital_of_one_value_mostly_is_said_whatever_the_value(column, usual, rare, made):
    cells = [rare[k // 24 % len(rare)] if k % 24 == 0 else usual for k in range(96)]
    found = said(made(firms().assign(**{column: cells})))
    capital = {"skill": "human_capital", "trust": "social_capital"}[column]
    assert f"Low and high of {capital} fall together: 96% of rows have the value {usual:g}" in found
    ends = f"{min(usual, *rare):g} and {max(usual, *rare):g}"
    assert f"the smallest and the largest value, {ends}; state `anchors: {{{capital}:" in found


# plain tables


def fewest_terms(frame: pd.DataFrame) -> int:
    """Count the smallest sets of prime implicants that cover all cases with the outcome, by trying all."""
    *names, outcome = frame.columns
    positive = {tuple(row[names]) for _, row in frame.iterrows() if row[outcome]}
    negative = {tuple(row[names]) for _, row in frame.iterrows() if not row[outcome]}

    def covers(term: tuple[int, ...], row: tuple[int, ...]) -> bool:
        return all(part in (2, cell) for part, cell in zip(term, row, strict=True))

    free = [
        term
        for term in product((0, 1, 2), repeat=len(names))
        if not any(covers(term, row) for row in negative)
    ]
    prime = [
        term
        for term in free
        if not any(term != other and covers(other, tuple(term)) for other in free)
        and any(covers(term, row) for row in positive)
    ]
    for size in range(1, len(prime) + 1):
        found = [
            terms
            for terms in combinations(prime, size)
            if all(any(covers(term, row) for term in terms) for row in positive)
        ]
        if found:
            return len(found)
    return 0


def tables_with_ties() -> list[pd.DataFrame]:
    tables = [pd.read_csv(HERE / "plain_tables" / "tied.csv")]
    for seed in range(40):
        rng = np.random.default_rng(seed)
        rows = np.array(list(product((0, 1), repeat=4)))[rng.choice(16, 8, replace=False)]
        table = pd.DataFrame(rows, columns=list("ABCD")).assign(Y=rng.integers(0, 2, 8))
        if 1 < fewest_terms(table) and len(tables) < 5:
            tables.append(table)
    return tables


@pytest.mark.parametrize("table", tables_with_ties())
def test_all_tied_solutions_are_there(table, tmp_path):
    many = fewest_terms(table)
    table.to_csv(tmp_path / "t.csv", index=False)
    conditions = [part for name in "ABCD" for part in ("--conditions", name)]
    options = (
        "--outcome",
        "Y",
        *conditions,
        "--include",
        "remainders",
        "--out",
        str(tmp_path / "o"),
    )
    call("qca", str(tmp_path / "t.csv"), *options)
    with (tmp_path / "o" / "set_solutions.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "parsimonious"]
    assert {row["solution"] for row in rows} == {str(k) for k in range(1, many + 1)}
    assert {row["tied"] for row in rows} == {str(many)}


PAIRS, TIED = (str(HERE / "plain_tables" / name) for name in ("pairs.csv", "tied.csv"))


@pytest.mark.parametrize(
    "options",
    [
        ("nca", PAIRS, "--x", "x", "--y", "y", "--permutations", "0"),
        ("qca", TIED, "--outcome", "Y", "--conditions", "A", "--conditions", "B", "--json"),
        ("check-data", PAIRS),
        ("explain", "--guide"),
    ],
)
def test_a_reader_that_has_enough_is_no_fault(options):
    program = "from bayescluster.cli.main import main; main()"
    command = [sys.executable, "-c", program, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (0, b"")


def test_plain_tables_are_read_with_the_same_options(tmp_path):
    rows = ["Größe;x;y", *(f"g{k};{k},5;{-9 if k == 3 else 2 * k}" for k in range(8))]
    (tmp_path / "t.csv").write_bytes("\n".join(rows).encode("cp1252"))
    found = call(
        *("nca", str(tmp_path / "t.csv"), "--x", "x", "--y", "y", "--permutations", "0"),
        *("--missing-value", "y=-9", "--names", "Größe"),
    )
    assert found.code == 0
    for said in ("Read as Windows-1252 text, semicolons", "Read with decimal commas: x", "7 rows"):
        assert said in found.out
    refused = call("nca", str(tmp_path / "t.csv"), "--x", "x", "--y", "y", "--delimiter", "coma")
    assert refused.code == 2
    assert "--delimiter: unknown delimiter 'coma'\n    did you mean 'comma'?" in refused.err


@pytest.mark.parametrize("name", ["R&D*2", "a+b", "~new"])
def test_conditions_with_signs_of_expressions_are_quoted(name, tmp_path):
    frame = pd.DataFrame({name: [1, 0, 1, 0, 1], "b": [0, 0, 1, 1, 1], "y": [1, 0, 1, 0, 1]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    options = ("--outcome", "y", "--conditions", name, "--conditions", "b")
    found = call("qca", str(tmp_path / "t.csv"), *options)
    assert found.code == 0
    assert f'"{name}"*~b' in found.out


def test_groups_of_plain_tables_are_as_written(tmp_path):
    rows = ["g,x,y", *(f"{'01' if k % 2 else '1'},{k},{k * k}" for k in range(12))]
    (tmp_path / "t.csv").write_text("\n".join(rows), encoding="utf-8")
    options = ("--x", "x", "--y", "y", "--permutations", "0", "--group", "g")
    found = call("nca", str(tmp_path / "t.csv"), *options)
    assert [line for line in found.out.splitlines() if line.startswith("==")][1:] == [
        "== g: 1 ==",
        "== g: 01 ==",
    ]


# all at once


def test_all_faults_of_a_file_are_one_message(made):
    frame = firms().assign(new=1 + np.arange(96) % 2)
    frame.loc[5, "branch"] = "Services"
    frame.loc[6, "place"] = "p1"
    frame["skill"] = frame["skill"].astype(object)
    frame.loc[7, "skill"] = "n/a"
    found = call("validate", str(made(frame, ".csv", {"[size]": "[size, trust, ages]"})))
    assert found.code == 2
    for said in (
        "(6 problems)",
        "the control 'trust' is an indicator of social_capital",
        "no column 'ages' in the data (control)",
        "'branch' (industry) spells one group in 2 ways",
        "most likely typing errors in 'branch' or 'place': ",
        "'services' in row 7, where 'p1' is otherwise 'goods'",
        "the indicator 'skill' is not a number: 'n/a' in row 8",
        "the outcome 'new' holds '1' and '2'",
    ):
        assert said in found.err


def test_faults_of_data_and_design_are_one_message(made):
    frame = firms().assign(new=1 + np.arange(96) % 2)
    frame.loc[6, "place"] = "p1"
    frame["skill"] = frame["skill"].astype(object)
    frame.loc[7, "skill"] = "n/a"
    frame.loc[8, "size"] = np.nan
    found = call("validate", str(made(frame)))
    assert found.code == 3
    assert "(4 problems)" in found.err
    for said in (
        "'size' (control) is missing in 1 of 96 rows (row 9)",
        "most likely a typing error in 'branch' or 'place': 'services' in row 7, where 'p1'",
        "the indicator 'skill' is not a number: 'n/a' in row 8",
        "the outcome 'new' holds '1' and '2'; family bernoulli takes 1 for yes, 0 for no",
    ):
        assert said in found.err


CODINGS = {
    "1 and 2": ({0: 2, 1: 1}, None),
    "yes and no": ({0: "No", 1: "Yes"}, None),
    "ja and nein": ({0: "Nein", 1: "Ja"}, None),
    "labelled": ({0: 2, 1: 1}, {1: "Yes", 2: "No"}),
    "labelled the other way": ({0: 1, 1: 2}, {1: "No", 2: "Yes"}),
}


@pytest.mark.parametrize("coding", CODINGS)
def test_the_line_for_a_yes_or_no_outcome_mends_it(coding, made, tmp_path):
    values, labels_of = CODINGS[coding]
    frame = firms().assign(new=firms()["new"].map(values))
    path = made(frame, ".dta" if labels_of else ".csv")
    if labels_of:
        write(frame, tmp_path / "firms.dta", variable_value_labels={"new": labels_of})
    found = said(path)
    assert "takes 1 for yes, 0 for no" in found
    line = found.split("add `")[1].split("` under data")[0]
    text = path.read_text(encoding="utf-8").replace("branch}", f"branch, {line}}}")
    path.write_text(text.replace("outcome: new", "outcome: new_yes"), encoding="utf-8")
    np.testing.assert_array_equal(design_of(analysis_source(path)).outcome, firms()["new"])


def test_the_fix_that_is_offered_mends_it(made):
    frame = firms()
    frame.loc[6, "place"] = "p1"
    path = made(frame)
    line = said(path).split("right there, add `")[1].split("` under data")[0]
    assert line == "fix: [{column: branch, row: 7, to: goods}]"
    text = path.read_text(encoding="utf-8").replace("branch}", f"branch, {line}}}")
    path.write_text(text, encoding="utf-8")
    found = said(path)
    assert "valid" in found
    assert "Corrected: 'branch' in row 7 from 'services' to 'goods'." in found


def test_the_fix_is_of_the_column_as_written_and_goes_with_what_is_there(made):
    frame = firms()
    frame.loc[3, "branch"] = "good"
    frame.loc[6, "place"] = "p1"
    derive = (
        "derive: [{kind: recode, name: area, of: branch, values: {good: goods}, otherwise: keep}]"
    )
    fix = "fix: [{column: size, row: 1, to: 99}]"
    path = made(frame, ".csv", {"branch}": f"area, {derive}, {fix}}}"})
    remedies = said(path).splitlines()[-3:]
    assert remedies == [
        (
            "    most likely a typing error in 'branch' or 'place': 'services' in row 7, where 'p1' is otherwise "
            "'goods'; if 'place' is right there, add `- {column: branch, row: 7, to: goods}` to `fix` under data"
        ),
        "    if a cluster may hold several industries: add `crossed: true` under data",
        (
            "    if one name means several clusters: add `- {kind: combine, name: place_area, "
            "of: [place, area]}` to `derive` under data, and write `cluster: place_area`"
        ),
    ]
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("to: 99}]", "to: 99}, {column: branch, row: 7, to: goods}]"), encoding="utf-8"
    )
    assert "valid" in said(path)


@pytest.mark.parametrize("kind", [".csv", ".xlsx", ".parquet"])
def test_empty_rows_are_no_rows(kind, made, tmp_path):
    frame = firms().astype({"id": str})
    rows = pd.concat(
        [frame[:7], pd.DataFrame([[None] * frame.shape[1]], columns=frame.columns), frame[7:]]
    )
    rows = rows.reset_index(drop=True)
    path = made(frame, kind)
    write(rows.astype({"id": object}), tmp_path / f"firms{kind}")
    if kind == ".csv":
        text = (tmp_path / "firms.csv").read_text(encoding="utf-8")
        assert ",,,,,,,," in text
    found = said(path)
    assert f"firms{kind}: 96 of 97 rows" in found
    assert "Left out as empty: row 8." in found


def test_too_few_answers_of_a_capital_are_dropped_where_rows_are(made):
    frame = firms().assign(extra=firms()["skill"] + 1)
    frame.loc[:4, ["skill", "extra"]] = np.nan
    frame.loc[5, "skill"] = np.nan
    swaps = {
        "branch}": "branch, missing: drop}",
        "{indicators: [skill], method: single}": "{indicators: [skill, extra], method: mean, "
        "minimum_answered: 1}",
    }
    found = design_of(analysis_source(made(frame, ".csv", swaps)))
    assert found.size == 91
    assert {(name, rows) for name, _, rows in found.details.dropped} == {("human_capital", 1)}


def test_a_mean_of_the_cluster_is_a_control_beside_its_capital(made):
    mean = "derive: [{kind: group_mean, name: skill_there, of: skill, by: place}]"
    swaps = {"branch}": f"branch, {mean}}}", "[size]": "[skill_there]"}
    found = design_of(analysis_source(made(firms(), ".csv", swaps)))
    assert found.control_names == ("skill_there",)


def test_more_tied_solutions_than_are_listed_are_said(tmp_path):
    # of random truth tables of six conditions, one with more than a hundred shortest solutions
    codes = np.random.default_rng(5).choice(3, size=64, p=(0.25, 0.25, 0.5))
    rows = [
        [k >> bit & 1 for bit in range(6)] + [int(codes[k] == 0)] for k in range(64) if codes[k] < 2
    ]
    pd.DataFrame(rows, columns=[*"ABCDEF", "Y"]).to_csv(tmp_path / "t.csv", index=False)
    conditions = [part for name in "ABCDEF" for part in ("--conditions", name)]
    options = ("--outcome", "Y", *conditions, "--include", "remainders", "--json")
    found = call("qca", str(tmp_path / "t.csv"), *options)
    assert found.code == 0
    assert "Warning: parsimonious solutions: 100 are listed, more are tied." in found.err
