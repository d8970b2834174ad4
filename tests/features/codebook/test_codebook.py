"""What a codebook says of a table, and of the table of an analysis."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayescluster.app.codebook import codebook
from bayescluster.app.prepare import analysis_source, designs_of
from bayescluster.estimands.levels import default_levels
from bayescluster.features.codebook import compute
from bayescluster.features.codebook.compute import kind_of, suspicious_codes
from bayescluster.features.codebook.view import page_text, views
from bayescluster.verdicts.support import Sample
from tests.cases.test_reading import ANALYSIS, firms
from tests.cli.small import call


@pytest.fixture
def written(tmp_path):
    def write(frame: pd.DataFrame, name: str = "firms.csv") -> Path:
        frame.to_csv(tmp_path / name, index=False)
        return tmp_path / name

    return write


@pytest.fixture
def analysed(tmp_path, written):
    def write(frame: pd.DataFrame, **swaps: str) -> Path:
        written(frame)
        text = ANALYSIS.replace("SOURCE", "firms.csv")
        for old, new in swaps.items():
            text = text.replace(old, new)
        (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
        return tmp_path / "a.yaml"

    return write


def concerns(path: Path) -> list[tuple[str, str]]:
    return [(one.column, one.what) for one in codebook(path).concerns]


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([1, 2, 3, 4, 5, -9], [-9]),
        ([1, 2, 3, 4, 5, 9, 9], [9]),
        ([1, 2, 3, 4, 5, 99, 98], [99, 98]),
        ([0, 10, 35, 80, 999], [999]),
        ([-1.5, -9, 2, 7], []),
        ([90, 95, 97, 98, 99, 100], []),
        ([0, 1, 1, 0, -1], [-1]),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9], []),
        ([20, 35, 50, 65, 80, 99], []),
        ([5, 5, 5, -9], []),
    ],
)
def test_codes_that_look_like_no_answer(values, codes):
    assert sorted(suspicious_codes(np.array(values, dtype=float))) == sorted(codes)


def test_columns_are_described(written):
    found = {row.column: row for row in codebook(written(firms())).columns}
    skill, trust, new = (found[name] for name in ("skill", "trust", "new"))
    assert (skill.kind, skill.role, skill.answered) == ("numbers", "human capital", 96)
    assert (skill.low, skill.high) == (firms()["skill"].min(), firms()["skill"].max())
    assert skill.median == pytest.approx(firms()["skill"].median())
    counts = firms()["trust"].value_counts()
    assert trust.common == ", ".join(f"{k} ({counts[k]})" for k in range(1, 6))
    assert len(trust.histogram) == 5
    assert new.kind == "yes or no (0, 1)"
    assert found["place"].role == "cluster"
    assert found["branch"].role == "industry"
    assert found["id"].role == "firm"


def test_what_looks_wrong_is_named(written):
    frame = firms().assign(
        flat=7, rare=np.arange(96) == 3, empty=np.nan, coded=1 + np.arange(96) % 2
    )
    frame.loc[[2, 5], "trust"] = 99
    frame.loc[9, "size"] = 48_000
    frame["mixed"] = frame["skill"].astype(object)
    frame.loc[[11, 12], "mixed"] = "n/a"
    sizes = [*frame["size"], frame["size"][4]]
    low, high = np.quantile(sizes, [0.25, 0.75])
    found = concerns(written(pd.concat([frame, frame.iloc[[4]]])))
    assert found == [
        ("trust", "99 in 2 rows, where the others go from 1 to 5"),
        (
            "size",
            f"far from all others: 48,000 (row 10); half of the rows are between {low:,g} and {high:,g}",
        ),
        ("flat", "every answer is 7"),
        ("rare", "96 of 97 answers are False"),
        ("empty", "it is empty"),
        ("coded", "coded 1 and 2"),
        ("mixed", "numbers, but for 'n/a' in rows 12, 13"),
        ("", "the same as a row before in every column: row 97"),
        ("", "only 97 rows in all"),
    ]


def test_the_line_that_is_offered_for_a_code_can_be_used(analysed):
    frame = firms()
    frame.loc[[2, 5], "trust"] = -9
    path = analysed(frame)
    (advice,) = (one.advice for one in codebook(path).concerns if one.column == "trust")
    line = advice.split("`")[1]
    text = path.read_text(encoding="utf-8").replace("branch}", f"branch, {line}, missing: drop}}")
    path.write_text(text, encoding="utf-8")
    found = codebook(path)
    assert (found.usable, found.faults) == (94, ())
    assert not [one for one in found.concerns if one.column == "trust"]


def test_an_undeclared_code_breaks_the_scale_and_is_said(analysed):
    rng = np.random.default_rng(3)
    base = rng.normal(size=96)
    items = {
        f"s{k}": np.clip(np.round(3 + base + 0.7 * rng.normal(size=96)), 1, 5) for k in (1, 2, 3)
    }
    frame = firms().assign(**items, s4=6 - items["s1"])
    for k in (1, 2, 3):
        frame.loc[rng.choice(96, 12, replace=False), f"s{k}"] = -9
    path = analysed(
        frame,
        **{"{indicators: [trust], method: single}": "{indicators: [s1, s2, s3, s4], method: mean}"},
    )
    found = codebook(path)
    (social,) = (one for one in found.capitals if one.capital == "social_capital")
    assert social.reliability is not None
    assert social.reliability < 0.6
    whats = [one.what for one in found.concerns]
    assert any(what.startswith("goes against the other indicators") for what in whats)
    assert any(
        what.startswith("the indicators of social_capital hardly go together") for what in whats
    )


def test_rows_lost_are_rows_not_cells(analysed):
    frame = firms()
    frame.loc[:9, "skill"] = np.nan
    frame.loc[5:14, "trust"] = np.nan
    path = analysed(frame, **{"branch}": "branch, missing: drop}"})
    found = codebook(path)
    assert [(one.variable, one.rows, one.only) for one in found.lost] == [
        ("skill", 10, 5),
        ("trust", 10, 5),
    ]
    assert (found.rows, found.usable) == (96, 81)


def test_groups_capitals_and_corners(analysed):
    frame = firms()
    found = codebook(analysed(frame))
    assert [(one.industry, one.rows, one.clusters) for one in found.groups] == [
        ("goods", 48, 4),
        ("services", 48, 4),
    ]


def test_firms_around_corners_are_those_that_verdicts_count(analysed):
    """Where a claim by industry lacks firms, the codebook says so before the fit says it."""
    claims = [
        {"kind": "joint_sufficiency", "by": "industry", "min_support": 4},
        {"kind": "necessary", "capital": "human_capital", "by": "all", "eps": 0.3},
    ]
    path = analysed(
        firms(), **{"- {kind: effect, capital: human_capital, by: industry}": json.dumps(claims)}
    )
    found, design = codebook(path), designs_of(analysis_source(path))[0]
    near = Sample(design).support(default_levels(design)).firms
    assert [(one.by, one.group) for one in found.corners] == [
        ("all", "all"),
        ("industry", "goods"),
        ("industry", "services"),
    ]
    shown = [
        (one.both_low, one.human_only, one.social_only, one.both_high) for one in found.corners
    ]
    assert np.array(shown).T == pytest.approx(near[:, :3])
    # joint sufficiency rests on both ends, necessity on what the other capital does alone as well
    expected = [
        {name for name, firms, least in zip(PLACES, row, needs, strict=True) if firms < least}
        for row, needs in zip(shown, [(10, 0, 10, 10), (4, 0, 0, 4), (4, 0, 0, 4)], strict=True)
    ]
    assert [set(one.thin) for one in found.corners] == expected
    assert any(expected)
    about = [one.what for one in found.concerns if "around each corner" in one.what]
    assert len(about) == sum(map(any, (expected[:1], expected[1:])))


PLACES = ("both_low", "human_only", "social_only", "both_high")


def test_the_share_between_clusters_is_that_of_an_anova(analysed):
    effect = np.repeat(np.arange(8.0), 12)
    order = np.argsort(np.arange(96) % 8, kind="stable")
    noise = np.random.default_rng(1).normal(size=96)
    frame = firms()
    frame.loc[order, "skill"] = effect * 3 + noise
    found = codebook(analysed(frame))
    (human,) = (one for one in found.capitals if one.capital == "human_capital")
    groups = [frame.loc[frame["place"] == place, "skill"] for place in frame["place"].unique()]
    within = sum(((one - one.mean()) ** 2).sum() for one in groups) / 88
    around = sum(12 * (one.mean() - frame["skill"].mean()) ** 2 for one in groups) / 7
    share = (around - within) / 12
    assert human.between == pytest.approx(share / (share + within))


def test_faults_are_part_of_the_codebook(analysed):
    found = codebook(analysed(firms().assign(new=1 + np.arange(96) % 2)))
    assert found.usable is None
    assert "the outcome 'new' holds '1' and '2'" in found.faults[0]


def test_the_command_writes_text_json_and_a_page(written, tmp_path):
    path = written(firms().assign(remark="<script>alert(1)</script>"))
    page = tmp_path / "pages" / "codebook.html"
    found = call("check-data", str(path), "--out", str(page))
    assert found.code == 0
    assert "firms.csv: 96 rows, 10 columns" in found.out
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "every answer is &lt;script&gt;" in text
    read = json.loads(call("check-data", str(path), "--json").out)
    assert read["rows"] == 96
    assert [row["column"] for row in read["columns"]][:3] == ["id", "place", "branch"]


def test_columns_are_those_the_analysis_uses_and_changes_are_named_once(analysed):
    frame = firms().assign(new=2 - firms()["new"])
    frame.loc[3, "branch"] = "good"
    frame.loc[9, "size"] = 48_000
    derive = (
        "fix: [{column: size, row: 10, to: 48}], derive: ["
        "{kind: recode, name: branch_clean, of: branch, values: {good: goods}, otherwise: keep}, "
        "{kind: recode, name: new_yes, of: new, values: {1: 1, 2: 0}}, "
        "{kind: log, name: log_size, of: size}]}"
    )
    swaps = {
        "industry: branch}": f"industry: branch_clean, {derive}",
        "outcome: new": "outcome: new_yes",
        "[size]": "[log_size]",
    }
    found = codebook(analysed(frame, **swaps))
    columns = {row.column: row for row in found.columns}
    assert list(columns)[2:8] == ["branch_clean", "skill", "trust", "size", "log_size", "new_yes"]
    assert (columns["branch_clean"].role, columns["branch_clean"].distinct) == ("industry", 2)
    assert (columns["new_yes"].role, columns["new_yes"].kind) == ("outcome", "yes or no (0, 1)")
    assert (columns["log_size"].role, columns["size"].role) == ("control", "for log_size")
    assert columns["size"].high is not None
    assert columns["size"].high < 110
    yes = int((frame["new"] == 1).sum())
    assert found.notes == (
        "Corrected: 'size' in row 10 from '48000' to '48'.",
        "Recoded: 'branch_clean' is 'branch' with good as goods (1 row).",
        f"Recoded: 'new_yes' is 'new' with 1 as 1 ({yes} rows), 2 as 0 ({96 - yes} rows).",
    )
    assert found.faults == ()


def test_rows_that_the_analysis_leaves_out_are_not_described(analysed):
    frame = firms().assign(place=[f"p{k % 8}" for k in range(96)])
    frame.loc[95, ["branch", "size"]] = ["Total", 9_000]
    left_out = "exclude: [{column: branch, one_of: [Total]}]"
    found = codebook(analysed(frame, **{"branch}": f"branch, {left_out}}}"}))
    columns = {row.column: row for row in found.columns}
    assert (found.rows, found.usable, columns["size"].answered) == (96, 95, 95)
    assert columns["size"].high is not None
    assert columns["size"].high < 110
    assert found.notes == ("Selected: left out, branch: Total (1 of 96 rows).",)


DATES = {
    "dates": [
        ["2024-03-01 10:00", "2024-03-02"],
        ["1.3.2024", "31.12.24"],
        ["March 2024", "3 Mai 2023"],
        ["12/31/99", "1/2/00"],
        [20240301, 20231231],
        ["3/2024", "12/2023"],
    ],
    "other": [
        ["10.10", "11.20"],
        ["Ort 10", "Ort 12"],
        ["Marburg 1", "Mailand 2"],
        [20010001, 20010002],
        [1999, 2004],
        ["A-01-02", "B"],
    ],
}


@pytest.mark.parametrize(
    ("cells", "dates"), [(cells, kind == "dates") for kind, each in DATES.items() for cells in each]
)
def test_dates_are_dates_and_no_controls(cells, dates, written):
    assert (kind_of(pd.Series(cells)).name == "dates") == dates
    frame = firms().assign(employment_date=np.resize(np.array(cells, dtype=object), 96))
    found = {row.column: row for row in codebook(written(frame)).columns}
    assert (found["employment_date"].role == "") == dates


def test_codes_that_a_spreadsheet_took_for_dates_look_wrong(written):
    frame = firms().assign(branch=["10-12" if k % 2 else "ab" for k in range(96)])
    frame.loc[[3, 5], "branch"] = "2012-10-01"
    assert ("branch", "dates among names, '2012-10-01' in rows 4, 6") in concerns(written(frame))


def test_every_table_is_on_the_page(analysed):
    found = codebook(analysed(firms()))
    page = page_text(found)
    for view in views(found):
        if view.rows:
            assert f'id="{view.name}"' in page


def test_validate_says_what_looks_wrong(analysed):
    frame = firms()
    frame.loc[[2, 5], "trust"] = 99
    frame["unused"] = 1
    found = call("validate", str(analysed(frame)))
    assert "trust: 99 in 2 rows, where the others go from 1 to 5" in found.out
    assert "unused" not in found.out


def test_a_very_large_table_says_first_how_long_it_takes(written, tmp_path, monkeypatch):
    path = written(firms())
    monkeypatch.chdir(tmp_path)  # where init writes
    assert call("check-data", str(path)).err == ""
    monkeypatch.setattr("bayescluster.app.codebook.SECONDS_OF_A_COLUMN", 2.0)
    columns = firms().shape[1]
    said = f"96 rows and {columns} columns: describing them takes about {2 * columns} seconds.\n"
    for command in ("check-data", "init"):
        assert said in call(command, str(path), *(["--yes"] * (command == "init"))).err


def test_validate_describes_no_more_of_a_very_wide_table_than_it_uses(analysed, monkeypatch):
    path = analysed(firms().assign(skill=lambda f: f["skill"].where(f.index > 0, -99.0), odd=-99.0))
    usual = call("validate", str(path))
    described: list[str] = []
    kept = compute.kind_of
    monkeypatch.setattr("bayescluster.app.codebook.WIDE", 5)
    monkeypatch.setattr(
        compute, "kind_of", lambda series: described.append(series.name) or kept(series)
    )
    assert call("validate", str(path)) == usual
    assert "  skill: " in usual.out
    assert "skill" in described
    assert "odd" not in described
