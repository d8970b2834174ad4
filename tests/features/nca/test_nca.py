from __future__ import annotations

import csv
import json
import re
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bayescluster.dataset.plain import Reading
from bayescluster.features.nca.compute import Options, analyse_necessity
from bayescluster.features.nca.observed import BOTTLENECKS, CEILINGS, CORNERS, SINGLE
from bayescluster.features.nca.results import ALL_ROWS, Necessity
from bayescluster.features.nca.view import (
    TITLES,
    bottleneck,
    bottleneck_label,
    lines,
    necessity,
    necessity_label,
)
from bayescluster.kit.figure import VARIABLES, standalone
from bayescluster.report.figures import FigureError
from bayescluster.report.render import write_necessity

REFERENCE = Path(__file__).parents[2] / "reference"
COUNTRIES = Options("nca_example.csv", ("Individualism", "Risk taking"), "Innovation performance")


@pytest.fixture(scope="module")
def countries() -> Necessity:
    return analyse_necessity(COUNTRIES._replace(permutations=200), REFERENCE)


def _table(folder: Path, text: str, **options) -> Necessity:
    (folder / "t.csv").write_text(text, encoding="utf-8")
    asked = {"conditions": ("x",), "outcome": "y", "permutations": 20} | options
    return analyse_necessity(Options(table="t.csv", **asked), folder)


def test_names_come_from_the_first_column_of_text(countries):
    assert countries.pairs[0].names[:2] == ("Australia", "Austria")
    assert countries.groups == (ALL_ROWS,)
    assert [pair.condition for pair in countries.of(ALL_ROWS)] == ["Individualism", "Risk taking"]


NAMES = "firm,place,x,y\nb,P,1,2\nb,P,2,3\nc,Q,3,1\n"


@pytest.mark.parametrize(
    ("text", "options", "names"),
    [
        # no column of text tells the rows apart
        (NAMES, {}, ("row 1", "row 2", "row 3")),
        (NAMES, {"names": "firm"}, ("b (row 1)", "b (row 2)", "c")),
        (NAMES.replace("c,Q", ",Q"), {"names": "firm"}, ("b (row 1)", "b (row 2)", "row 3")),
        (NAMES.replace("b,P,2", "a,P,2"), {}, ("b", "a", "c")),
        (NAMES.replace("b,P,2", "a,P,2"), {"group": "firm"}, ("row 1", "row 2", "row 3")),
        ("n,x,y\n7,1,2\n8,2,3\n", {"names": "n"}, ("7", "8")),
    ],
)
def test_names_of_rows(text, options, names, tmp_path):
    assert _table(tmp_path, text, **options).pairs[0].names == names


GAPS = """\
name,place,x,z,y
a,P,1,5,1
b,P,2,,2
c,P,,3,3
d,Q,3,2,
e,Q,4,1,5
f,,5,0,4
"""


def test_rows_are_dropped_by_pair_and_groups_that_cannot_be_are_told(tmp_path):
    found = _table(tmp_path, GAPS, conditions=("x", "z"), group="place")
    kept = {(pair.group, pair.condition): (pair.names, pair.incomplete) for pair in found.pairs}
    assert kept == {
        (ALL_ROWS, "x"): (("a", "b", "e", "f"), 2),
        (ALL_ROWS, "z"): (("a", "c", "e", "f"), 2),
        ("P", "x"): (("a", "b"), 1),
        ("P", "z"): (("a", "c"), 1),
    }
    assert found.notes == (
        "'place' is missing in 1 of 6 rows (row 6): they count among all rows only.",
        "Q, x: not analysed, only one row has both 'x' and 'y'.",
        "Q, z: not analysed, only one row has both 'z' and 'y'.",
    )


def test_a_group_alone_is_the_same_as_its_rows_alone(tmp_path):
    text = "g,x,y\n" + "".join(f"{k % 2},{k * 7 % 11},{k * 5 % 13}\n" for k in range(20))
    both = _table(tmp_path, text, group="g", permutations=0)
    head, *rows = text.splitlines()
    odd = "\n".join([head, *(row for row in rows if row.startswith("1,"))]) + "\n"
    alone = _table(tmp_path, odd, permutations=0)
    (there,), (here,) = both.of("1"), alone.of(ALL_ROWS)
    assert [row.model_dump(exclude={"group", "peers", "outliers"}) for row in there.ceilings] == [
        row.model_dump(exclude={"group", "peers", "outliers"}) for row in here.ceilings
    ]


def test_missing_codes_are_no_values(tmp_path):
    text = "x,y\n1,1\n2,-9\n3,3\n-9,2\n2,2\n"
    found = _table(tmp_path, text, reading=Reading(missing_values=("-9",)))
    assert (found.pairs[0].x, found.pairs[0].incomplete) == ((1, 3, 2), 2)


def test_a_declared_scope_for_all_or_for_each(tmp_path):
    text = "x,z,y\n1,10,1\n2,20,2\n3,5,1\n"
    found = _table(tmp_path, text, conditions=("x", "z"), scope=("0 100 0 4",))
    assert {pair.scope.xmax for pair in found.pairs} == {100}
    found = _table(tmp_path, text, conditions=("x", "z"), scope=("0,4,0,4", "0 40 0 4"))
    assert [pair.scope.xmax for pair in found.pairs] == [4, 40]
    assert all(pair.scope.declared for pair in found.pairs)


def test_a_constant_column_has_a_ceiling_in_a_declared_scope(tmp_path):
    found = _table(tmp_path, "x,y\n2,1\n2,3\n", scope=("0 4 0 4",), ceilings=("ce_fdh",))
    assert found.pairs[0].ceilings[0].effect_size == pytest.approx((2 * 4 + 2 * 1) / 16)


def test_seeds_are_each_pair_s_own(countries):
    alone = analyse_necessity(
        COUNTRIES._replace(conditions=("Individualism",), permutations=200), REFERENCE
    )
    assert alone.pairs[0] == countries.pairs[0]
    other = analyse_necessity(COUNTRIES._replace(permutations=200, seed=2), REFERENCE)
    assert other.pairs[0].ceilings[0].p != countries.pairs[0].ceilings[0].p


@pytest.mark.parametrize("ending", ["xlsx", "parquet", "dta", "sav"])
def test_every_kind_of_file_reads_the_same(ending, countries, tmp_path):
    frame = pd.read_csv(REFERENCE / "nca_example.csv")
    frame.columns = [name.replace(" ", "_") for name in frame.columns]
    path = tmp_path / f"t.{ending}"
    write = {
        "xlsx": lambda: frame.to_excel(path, index=False),
        "parquet": lambda: frame.to_parquet(path),
        "dta": lambda: pyreadstat.write_dta(frame, str(path)),
        "sav": lambda: pyreadstat.write_sav(frame, str(path)),
    }
    write[ending]()
    asked = COUNTRIES._replace(
        table=path.name,
        conditions=("Individualism", "Risk_taking"),
        outcome="Innovation_performance",
        permutations=0,
    )
    found = analyse_necessity(asked, tmp_path)
    effects = [row.effect_size for pair in found.pairs for row in pair.ceilings]
    assert effects == [row.effect_size for pair in countries.pairs for row in pair.ceilings]
    assert found.pairs[0].names == countries.pairs[0].names


def _svg(figure) -> str:
    text = standalone(figure, "figure", "label")
    colours = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", text))
    assert colours <= set(VARIABLES)
    return text


@pytest.mark.parametrize(("corner", "narrow"), [*zip(CORNERS, (False, True) * 2, strict=True)])
def test_figures_of_every_corner(corner, narrow):
    asked = COUNTRIES._replace(corner=corner, ceilings=CEILINGS, permutations=0)
    found = analyse_necessity(asked, REFERENCE)
    for pair in found.pairs:
        text = _svg(necessity(found, pair, narrow=narrow))
        assert all(f">{TITLES[name]}, d " in text for name in CEILINGS)
    for name in CEILINGS:
        text = _svg(bottleneck(found, found.pairs, name, narrow=narrow))
        assert ">NN<" in text


def test_the_figure_names_its_peers(countries):
    text = _svg(necessity(countries, countries.pairs[0]))
    for name in ("South Korea", "Japan", "Finland", "Sweden", "USA"):
        assert f">{name}</text>" in text
    assert ">Greece</text>" not in text


def test_the_figure_of_the_bottleneck_is_its_table(countries):
    figure = bottleneck(countries, countries.pairs, "cr_fdh")
    shown = [text.get_text() for text in figure.axes[0].texts]
    individualism = ["89.6", "76.5", "63.4", "50.3", "37.2", "24.1", "11.0", "NN", "NN", "NN", "NN"]
    risk = ["71.5", "62.4", "53.4", "44.3", "35.2", "26.2", "17.1", "8.0", "NN", "NN", "NN"]
    assert shown == [cell for row in zip(individualism, risk, strict=True) for cell in row]


def test_figures_have_words(countries):
    assert necessity_label(countries, countries.pairs[0]) == (
        "Innovation performance against Individualism, 28 rows, with ceilings in the upper left "
        "corner: CE-FDH d 0.42; CR-FDH d 0.31."
    )
    assert bottleneck_label(countries, countries.pairs, "cr_fdh") == (
        "Bottleneck table by CR-FDH: what levels of Innovation performance need at least; the most "
        "demanding level: Individualism 89.6; Risk taking 71.5."
    )


def test_what_cannot_be_drawn(tmp_path):
    found = _table(tmp_path, "x,y\n1,3\n2,1\n", scope=("0 3 0 4",), ceilings=("cr_fdh",), steps=80)
    with pytest.raises(FigureError) as raised:
        necessity(found, found.pairs[0])
    assert str(raised.value) == "There is no ceiling over x."
    with pytest.raises(FigureError) as raised:
        bottleneck(found, found.pairs, "cr_fdh")
    assert str(raised.value) == (
        "A table of 81 levels by 1 condition is more than the 60 by 12 a figure holds."
    )
    written = write_necessity(found, tmp_path / "out")
    assert written.failures == (
        "ceilings-x: There is no ceiling over x.",
        f"bottleneck-cr_fdh: {raised.value}",
    )
    assert [path.name for path in written.paths] == [
        "nca.json",
        "effect_sizes.csv",
        "bottlenecks.csv",
    ]


def test_files(countries, tmp_path):
    written = write_necessity(countries, tmp_path)
    assert written.failures == ()
    assert sorted(str(path.relative_to(tmp_path)) for path in written.paths) == [
        "figures/bottleneck-ce_fdh.svg",
        "figures/bottleneck-cr_fdh.svg",
        "figures/ceilings-individualism.svg",
        "figures/ceilings-risk-taking.svg",
        "nca.json",
        "tables/bottlenecks.csv",
        "tables/effect_sizes.csv",
    ]
    rows = list(csv.DictReader(StringIO((tmp_path / "tables/effect_sizes.csv").read_text())))
    assert float(rows[0]["effect_size"]) == countries.pairs[0].ceilings[0].effect_size
    assert rows[0]["peers"] == "South Korea; Japan; Finland; Sweden; USA"
    said = json.loads((tmp_path / "nca.json").read_text())
    assert set(said["pairs"][0]) == {
        "condition", "group", "incomplete", "scope", "ceilings", "bottlenecks",
    }  # fmt: skip


def test_names_of_files_are_plain_and_differ(tmp_path):
    text = 'x/y,x y,"<x>",y\n' + "".join(f"{k},{k},{k},{k % 3}\n" for k in range(9))
    found = _table(tmp_path, text, conditions=("x/y", "x y", "<x>"), ceilings=("ce_fdh",))
    names = [path.name for path in write_necessity(found, tmp_path / "out").paths]
    assert names[3:] == ["ceilings-x-y.svg", "ceilings-x-y-2.svg", "ceilings-x.svg"] + [
        "bottleneck-ce_fdh.svg"
    ]


def test_conditions_with_other_rows_have_tables_of_their_own(tmp_path):
    text = "x,z,y\n1,3,1\n2,2,2\n3,1,3\n4,,9\n"
    found = _table(tmp_path, text, conditions=("x", "z"), bottleneck="actual", steps=2)
    said = "\n".join(lines(found))
    # z is not there in the row with the highest outcome
    assert "  y     x\n" in said
    assert "  y   z\n" in said
    assert len(bottleneck(found, found.pairs, "ce_fdh").axes) == 2


values = (
    st.none() | st.integers(-3, 3).map(float) | st.floats(allow_nan=False, allow_infinity=False)
)


@given(
    rows=st.lists(st.tuples(values, values, st.sampled_from("ab")), min_size=1, max_size=12),
    corner=st.sampled_from(CORNERS),
    kind=st.sampled_from(BOTTLENECKS),
    peers=st.sampled_from(["unique", "keep"]),
)
@examples(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
def test_any_table_is_analysed_or_refused_in_words(rows, corner, kind, peers, tmp_path):
    from bayescluster.errors import DataError

    text = "x,y,g\n" + "".join(
        ",".join(["" if cell is None else str(cell) for cell in row]) + "\n" for row in rows
    )
    asked = {"corner": corner, "bottleneck": kind, "duplicate_peers": peers, "group": "g"}
    try:
        found = _table(tmp_path, text, ceilings=CEILINGS, **asked)
    except DataError:
        return
    for row in (row for pair in found.pairs for row in pair.ceilings):
        if row.effect_size is None:
            assert row.note.startswith(SINGLE)
        else:
            assert 0 <= row.effect_size <= 1
    assert "nan" not in "\n".join(lines(found))
    json.loads(found.model_dump_json())
    for pair in found.pairs:
        assert np.isfinite([row.outcome for row in pair.bottlenecks]).all()
