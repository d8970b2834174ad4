"""The block of alternatives: how many universes there are, and messages with their place."""

from __future__ import annotations

import pytest

from bayescluster.errors import ConfigError
from bayescluster.spec.load import load_analysis
from bayescluster.studies.multiverse.spec import Multiverse
from tests.cli.small import ANALYSIS

BLOCK = {
    "priors": {"wide": {"scale": 2}, "flat": {"controls": {"distribution": "normal", "sd": 9}}},
    "exclude": {"small": {"column": "size", "below": 20}},
    "families": ["probit"],
    "structures": ["additive", "ces"],
    "controls": {"none": []},
    "varying": {"level": {"industry": ["intercept"]}},
    "constructs": {"staff": {"human_capital": {"indicators": ["staff"], "method": "single"}}},
}


@pytest.mark.parametrize(
    ("combine", "count"), [("one_at_a_time", 1 + 9), ("all", 3 * 2 * 2 * 3 * 2 * 2 * 2)]
)
def test_universes_are_counted(combine, count):
    found = Multiverse.model_validate(BLOCK | {"combine": combine, "cap": 999})
    assert found.count == count


def test_alternatives_come_in_the_order_in_which_they_are_made():
    found = Multiverse.model_validate(BLOCK).alternatives
    assert next(iter(found)) == "structures"
    assert list(found)[-1] == "priors"
    assert found["structures"] == ("additive", "ces")


def problems(block: str, tmp_path) -> str:
    path = tmp_path / "a.yaml"
    path.write_text(f"{ANALYSIS}{block}", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_analysis(path)
    return str(caught.value).replace(str(path), "a.yaml")


def test_all_faults_are_told_at_once_with_their_places(tmp_path):
    assert problems(
        """\
multiverse:
  priors:
    wide: {scale: -1}
    same: {}
    one: {scale: 1}
  exclude:
    toys: {column: industry}
    mixed: {column: size, one_of: [1], below: 3}
    2x: {column: size, below: 3}
  families: [probit, probitt]
  structures: [additive, intercept]
  constructs:
    empty: {}
  combine: each
""",
        tmp_path,
    ) == (
        "The analysis cannot be read (10 problems):\n"
        "  a.yaml:24:12: scale must be greater than 0, not -1\n"
        "  a.yaml:25:5: these priors change nothing\n"
        "    give scale, defaults or a block of `priors:`\n"
        "  a.yaml:26:5: a scale of 1 changes nothing\n"
        "    give 0.5 or 2\n"
        "  a.yaml:28:5: an exclusion says which rows are left out\n"
        "    give one_of, below or above\n"
        "  a.yaml:29:5: one_of goes with labels, below and above with numbers\n"
        "    give one kind\n"
        "  a.yaml:30:5: '2x' cannot be the name in exclude\n"
        "    use letters, digits, - and _, with a letter first\n"
        "  a.yaml:31:22: unknown families 'probitt'\n"
        "    did you mean 'probit'?\n"
        "  a.yaml:32:3: 'intercept' uses neither capital: no claim could be put to it\n"
        "    leave it out\n"
        "  a.yaml:34:5: empty needs at least 1, 0 given\n"
        "  a.yaml:35:3: unknown combine 'each'\n"
        "    known: one_at_a_time, all"
    )


@pytest.mark.parametrize(
    ("combine", "said"),
    [
        ("one_at_a_time", "10 universes, and cap allows 9: each is a fit"),
        ("all", "288 universes, and cap allows 9: each is a fit"),
    ],
)
def test_more_universes_than_the_cap_are_a_problem(tmp_path, combine, said):
    lines = "\n".join(f"  {name}: {value}" for name, value in BLOCK.items())
    text = f"multiverse:\n{lines}\n  combine: {combine}\n  cap: 9\n".replace("'", "")
    mend = "    raise cap, leave alternatives out"
    mend += ", or set `combine: one_at_a_time`" if combine == "all" else ""
    assert problems(text, tmp_path) == (
        f"The analysis cannot be read:\n  a.yaml:22:1: {said}\n{mend}"
    )
