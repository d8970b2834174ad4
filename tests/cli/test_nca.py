"""The command `nca`: what it says, and every way we know to ask it for what cannot be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.small import Answer, call

COUNTRIES = Path(__file__).parents[1] / "reference" / "nca_example.csv"
TABLE = """\
name,region,x,z,y,word,const,gone,mixed
a,north,1,4,10,hi,5,,1
b,north,2,-3,30,lo,5,,2
c,south,3,9,20,hi,5,1,oops
d,south,,2,50,lo,5,,4
e,,5,1,,hi,5,,5
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(TABLE, encoding="utf-8")
    shutil.copy(COUNTRIES, tmp_path / "countries.csv")
    return tmp_path


def _nca(*options: str) -> Answer:
    return call("nca", "t.csv", *options)


class Fault(NamedTuple):
    name: str
    options: tuple[str, ...]
    code: int
    message: str


FAULTS = (
    Fault(
        "unknown columns",
        ("--x", "xx", "--y", "yy", "--group", "regio", "--names", "nam"),
        3,
        "The data do not fit the analysis (4 problems):\n"
        "  --x: no column 'xx' in the table\n    did you mean 'x'?\n"
        "  --y: no column 'yy' in the table\n    did you mean 'y'?\n"
        "  --group: no column 'regio' in the table\n    did you mean 'region'?\n"
        "  --names: no column 'nam' in the table\n    did you mean 'name'?",
    ),
    Fault(
        "columns of text",
        ("--x", "word", "--x", "mixed", "--y", "y"),
        3,
        "The data do not fit the analysis (2 problems):\n"
        "  --x: 'word' is no column of numbers: 'hi' in row 1, 'lo' in row 2\n"
        "    recode it, or name codes for missing answers with --missing-value\n"
        "  --x: 'mixed' is no column of numbers: 'oops' in row 3\n"
        "    recode it, or name codes for missing answers with --missing-value",
    ),
    Fault(
        "a constant, and one row",
        ("--x", "const", "--x", "gone", "--y", "y"),
        3,
        "The data do not fit the analysis (2 problems):\n"
        "  --x: 'const' is 5 in all 4 rows\n"
        "    without a range there is no ceiling; declare --scope where it could have varied\n"
        "  --x: only one row has both 'gone' and 'y'\n"
        "    the table has 5 rows; at least 2 must have both",
    ),
    Fault(
        "a constant outcome is told once",
        ("--x", "x", "--x", "z", "--y", "const"),
        3,
        "The data do not fit the analysis (2 problems):\n"
        "  --y: 'const' is 5 in all 4 rows\n"
        "    without a range there is no ceiling; declare --scope where it could have varied\n"
        "  --y: 'const' is 5 in all 5 rows\n"
        "    without a range there is no ceiling; declare --scope where it could have varied",
    ),
    Fault(
        "nothing is what it should be",
        (
            *("--x", "x", "--x", "x", "--y", "x", "--ceiling", "ce_fhd", "--corner", "left"),
            *("--bottleneck", "pct", "--duplicate-peers", "no", "--scope", "1 2 3"),
            *("--scope", "a b c d", "--scope", "3 1 0 1", "--scope", "0 1 nan 2"),
        ),
        2,
        "The command cannot be carried out (11 problems):\n"
        "  --ceiling: unknown ceiling 'ce_fhd'\n    did you mean 'ce_fdh'?\n"
        "  --corner: unknown corner 'left'\n"
        "    known: upper_left, upper_right, lower_left, lower_right\n"
        "  --bottleneck: unknown bottleneck 'pct'\n"
        "    known: percentage_range, actual, percentile\n"
        "  --duplicate-peers: unknown duplicate peers 'no'\n    known: unique, keep\n"
        "  --x: the condition 'x' is given twice\n    leave one out\n"
        "  --y: 'x' is a condition and the outcome\n"
        "    name the outcome, which is none of the conditions\n"
        "  --scope: 4 scopes for 2 conditions\n"
        "    give one for all conditions, or one for each in their order\n"
        "  --scope: '1 2 3' is no scope: 3 numbers instead of 4\n"
        '    write it as "xmin xmax ymin ymax", for example "0 100 0 250"\n'
        "  --scope: 'a b c d' is no scope: not all of it are numbers\n"
        '    write it as "xmin xmax ymin ymax", for example "0 100 0 250"\n'
        "  --scope: '3 1 0 1' is no scope: xmin 3 is not below xmax 1\n"
        '    write it as "xmin xmax ymin ymax", for example "0 100 0 250"\n'
        "  --scope: '0 1 nan 2' is no scope: its numbers must be finite\n"
        '    write it as "xmin xmax ymin ymax", for example "0 100 0 250"',
    ),
    Fault(
        "a scope that does not hold the rows",
        ("--x", "x", "--y", "y", "--scope", "1 2 15 100"),
        3,
        "The data do not fit the analysis:\n"
        "  --scope: the scope 1 2 15 100 of 'x' does not hold a (x 1, y 10); c (x 3, y 20)\n"
        "    widen it, or leave it out to take the range",
    ),
    Fault(
        "a sheet of a csv file",
        ("--x", "x", "--y", "y", "--sheet", "one"),
        3,
        "The data do not fit the analysis:\n"
        "  --sheet: `sheet` goes with workbooks (xlsx, xls, xlsb, ods), not with csv\n    leave it out",
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_faults(fault: Fault) -> None:
    found = _nca(*fault.options)
    assert (found.code, found.out, found.err) == (fault.code, "", fault.message + "\n")


TWO = "at least 2 must have both"


@pytest.mark.parametrize(
    ("text", "fault", "repair"),
    [
        ("1,2\n", "--x: only one row has both 'x' and 'y'", f"the table has 1 row; {TWO}"),
        ("1,\n2,\n,3\n", "--x: no row has both 'x' and 'y'", f"the table has 3 rows; {TWO}"),
    ],
)
def test_tables_without_a_range(folder, text, fault, repair):
    (folder / "t.csv").write_text(f"x,y\n{text}", encoding="utf-8")
    answer = _nca("--x", "x", "--y", "y")
    assert (answer.code, answer.out) == (3, "")
    assert answer.err == f"The data do not fit the analysis:\n  {fault}\n    {repair}\n"


def test_no_such_table():
    found = call("nca", "s.csv", "--x", "x", "--y", "y")
    assert (found.code, found.err) == (
        3,
        (
            "The data do not fit the analysis:\n"
            "  TABLE: the data file 's.csv' does not exist\n    did you mean 't.csv'?\n"
        ),
    )


@pytest.mark.parametrize(
    "options", [("--y", "y"), ("--x", "x"), ("--x", "x", "--y", "y", "--steps", "0")]
)
def test_usage(options):
    assert _nca(*options).code == 2


HOW = """
How to read this
  - d is the share of the scope that lies above the ceiling, in the upper left corner, where high \
Innovation performance would go with low values of the condition.
  - CE-FDH: a staircase over the outermost rows; CR-FDH: a least squares line through the corners \
of the staircase.
  - Small (below 0.1), medium (0.1 to 0.3), large (0.3 to 0.5) and very large are conventions of \
Dul (2016), not tests.
  - No permutation test was made: ask for one with --permutations 10000.
  - d is above 0 where nothing is necessary (Sorjonen 2019): with a correlation of 0.5 and nothing \
more, CE-FDH gives 0.28 on average in 30 rows and 0.22 in 1,000.
  - NN (not necessary): any value of the condition goes with that level. NA (not available): the \
ceiling does not reach that level anywhere.
  - A ceiling says what these rows do not show, not what cannot be; it is an association.
What next
  - Look at the peers, and at rows beyond a line: one wrong cell among them moves d.
  - Where a scale has ends that no row reached, declare them with --scope.
  - Rows of several industries or clusters: run again with --group COLUMN. The ceiling of all rows \
is set by the most permissive groups.
  - Ask whether a compensatory model does as well: `bayescluster run` with `structure: [additive, \
interaction, conjunctive, ces]` compares them on the same rows.
"""


def test_what_it_says():
    found = call(
        *("nca", "countries.csv", "--x", "Individualism", "--x", "Risk taking"),
        *("--y", "Innovation performance", "--permutations", "0", "--steps", "5"),
    )
    assert (found.code, found.err) == (0, "")
    assert found.out == (
        """\
countries.csv: does high Innovation performance need high Individualism or Risk taking?

Individualism: 28 rows; scope 18 to 91 by 1.2 to 214.4 (their range)
  CE-FDH  d 0.416 (large)
          condition inefficiency 0.0%, outcome inefficiency 19.3%
          peers: South Korea, Japan, Finland, Sweden, USA
  CR-FDH  d 0.307 (large)
          line: 28.4 + 2.23 × Individualism
          condition inefficiency 10.4%, outcome inefficiency 31.6%
          accuracy 92.9%; fit 73.8% of CE-FDH
          peers: South Korea, Japan, Finland, Sweden, USA
          above it: Japan, Finland

Risk taking: 28 rows; scope 23 to 112 by 1.2 to 214.4 (their range)
  CE-FDH  d 0.309 (large)
          condition inefficiency 25.8%, outcome inefficiency 5.1%
          peers: Greece, Belgium, Japan, Finland, USA
  CR-FDH  d 0.282 (medium)
          line: −14.5 + 2.64 × Risk taking
          condition inefficiency 28.5%, outcome inefficiency 21.1%
          accuracy 96.4%; fit 91.1% of CE-FDH
          peers: Greece, Belgium, Japan, Finland, USA
          above it: Japan

Bottleneck by CE-FDH: each level of the outcome needs at least (both in % of their range)
  Innovation performance  Individualism  Risk taking
                       0             NN           NN
                      20           38.4         20.2
                      40           38.4         22.5
                      60           38.4         22.5
                      80           61.6         59.6
                     100          100.0         74.2

Bottleneck by CR-FDH: each level of the outcome needs at least (both in % of their range)
  Innovation performance  Individualism  Risk taking
                       0             NN           NN
                      20             NN           NN
                      40           11.0         17.1
                      60           37.2         35.2
                      80           63.4         53.4
                     100           89.6         71.5
"""
        + HOW
    )


def test_groups_gaps_and_other_corners():
    found = _nca(
        *("--x", "z", "--y", "y", "--group", "region", "--permutations", "99", "--seed", "3"),
        *("--corner", "lower-right", "--ceiling", "CE-VRS", "--bottleneck", "actual"),
        *("--steps", "2", "--scope", "-5 10 0 60"),
    )
    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("""\
t.csv: does low y need low z?
'region' is missing in 1 of 5 rows (row 5): they count among all rows only.

== All rows ==

z: 4 rows, 1 row with missing cells left out; scope −5 to 10 by 0 to 60 (declared)
  Fewer than 10 rows: each of them can move d a long way.
  CE-VRS  d """)
    for said in (
        "== region: north ==\n\nz: 2 rows; scope",
        (
            "Bottleneck by CE-VRS: each level of the outcome needs at most (both in their own units)\n"
            "   y     z\n  60    NN\n  30  "
        ),
        "lies below the ceiling, in the lower right corner, where low y would go with high values",
        (
            "p is the share of 99 random pairings of conditions and outcomes (seed 3; the rows as they "
            "are count as one more) with a d as large or larger. It tests independence. A condition "
            "that raises the outcome, and that others can make up for, is not independent of it "
            "either: a small p does not show necessity."
        ),
        (
            "Compare d with that of shuffled rows before comparing groups: with fewer rows, both are "
            "larger."
        ),
    ):
        assert said in found.out
    assert "--scope" not in found.out


def test_json_and_files(folder):
    asked = ("--x", "x", "--y", "y", "--permutations", "19", "--json", "--out", "found")
    found = _nca(*asked)
    assert (found.code, found.err) == (0, "")
    said = json.loads(found.out)
    assert said == json.loads((folder / "found" / "nca.json").read_text(encoding="utf-8"))
    assert said["pairs"][0]["ceilings"][0]["effect_size"] == 0.5
    assert _nca(*asked).out == found.out
    plain = _nca(*(item for item in asked if item != "--json"))
    assert plain.out.endswith("\nWritten: 6 files in found\n")


def test_figures_that_cannot_be_drawn_are_told():
    found = _nca("--x", "x", "--y", "y", "--steps", "99", "--ceiling", "ce_fdh", "--out", "found")
    assert found.code == 0
    assert found.err == (
        "Not drawn: bottleneck-ce_fdh: A table of 100 levels by 1 condition is more than the 60 by "
        "12 a figure holds.\n"
    )


def test_a_folder_that_cannot_be(folder):
    (folder / "found").write_text("", encoding="utf-8")
    found = _nca("--x", "x", "--y", "y", "--out", "found")
    assert found.code == 5
    assert found.err.startswith("The run directory cannot be used:\n")
