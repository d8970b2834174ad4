"""An analysis file may come from anyone: what it has no use for is refused at its place, at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cli.small import ANALYSIS, call, write
from tests.helpers import row

LINES = ANALYSIS.count("\n")
NEXT = LINES + 1
QUOTE = "put it in quotes if it is text"
TAG = "delete it; put the value in quotes if it is text"
BRACKETS = "an analysis needs less: check the brackets"

# what is added to the analysis, and the message, F standing for the file
REFUSED = {
    "lists in lists": row(
        "x: " + "[" * 500,
        f"F:{NEXT}:33: keys and lists are nested more than 30 deep\n    {BRACKETS}",
    ),
    "keys in keys": row(
        "".join("  " * k + "a:\n" for k in range(100)),
        f"F:{NEXT + 30}:61: keys and lists are nested more than 30 deep\n    {BRACKETS}",
    ),
    "a list that holds itself": row(
        "x: &a [*a]",
        f"F:{NEXT}:8: '*a' stands inside what it refers to\n    write out what is meant",
    ),
    "keys that hold themselves": row(
        "x: &a\n  <<: *a",
        f"F:{NEXT + 1}:7: '*a' stands inside what it refers to\n    write out what is meant",
    ),
    "references to references": row(
        "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]\n" for k in range(1, 10)),
        f"F:{NEXT + 4}:10: the file holds more than 10,000 keys and values\n"
        "    write the analysis without references, and shorter",
    ),
    "a list as a key": row(
        "? [1, 2]\n: 3", f"F:{NEXT}:3: a key must be a word or a number\n    write `key: value`"
    ),
    "a number that is none": row(
        "x: !!int abc", f"F:{NEXT}:4: the tag 'tag:yaml.org,2002:int' is not used here\n    {TAG}"
    ),
    "a stray tag": row(
        "description: !foo bar", f"F:{NEXT}:14: the tag '!foo' is not used here\n    {TAG}"
    ),
    "a tag of Python": row(
        "limits: !!python/object:os.system [1]",
        f"F:{NEXT}:9: the tag 'tag:yaml.org,2002:python/object:os.sy...' is not used here\n    {TAG}",
    ),
    "digits without end": row(
        "x: " + "9" * 6000, f"F:{NEXT}:4: the number has more than 40 digits\n    {QUOTE}"
    ),
    "a text without end": row(
        "x: " + "a " * 15_000,
        f"F:{NEXT}:4: the text has more than 20,000 characters\n    shorten it",
    ),
    "a sign for terminals": row(
        'description: "\\e[2J"',
        f"F:{NEXT}:14: the file holds a character that cannot be shown, U+001B\n"
        "    delete it, or write the text again",
    ),
    "half a character": row(
        'description: "\\ud800"',
        f"F:{NEXT}:14: the file holds a character that cannot be shown, U+D800\n"
        "    delete it, or write the text again",
    ),
    "a null": row(
        "x: a\0",
        f"F:{NEXT}:5: the file holds a character that cannot be shown, U+0000\n"
        "    delete it, or write the text again",
    ),
    "a number as a key": row(
        "3: x", f"F:{NEXT}:1: the key 3 is not a word\n    put it in quotes if it is meant"
    ),
    "megabytes": row(
        "#" * 300_000,
        "F: the file is too long: more than 250,000 characters\n"
        "    check that this is the right file",
    ),
}


@pytest.mark.parametrize(("added", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_at_its_place(tmp_path: Path, added: str, message: str) -> None:
    write(tmp_path, ANALYSIS + added + "\n")
    file = str(tmp_path / "analysis.yaml")
    began = time.process_time()
    ran = call("validate", file)
    assert (ran.code, ran.err) == (
        2,
        f"The analysis cannot be read:\n  {message.replace('F:', f'{file}:', 1)}\n",
    )
    assert time.process_time() - began < 2


def test_a_directive_is_refused(tmp_path: Path) -> None:
    # under YAML 1.1, NO would be false
    write(tmp_path, "%YAML 1.1\n---\n" + ANALYSIS)
    ran = call("validate", str(tmp_path / "analysis.yaml"))
    assert ran.code == 2
    assert ":2:1: a directive is not used here\n    delete the line" in ran.err


def test_dates_are_text_and_references_are_followed(tmp_path: Path) -> None:
    added = "limits: [2001-13-45, &a once, *a]\n"
    write(tmp_path, ANALYSIS + added)
    assert call("validate", str(tmp_path / "analysis.yaml")).code == 0


def test_faults_beyond_counting_are_counted(tmp_path: Path) -> None:
    write(tmp_path, ANALYSIS + "".join(f"key_{k}: {k}\n" for k in range(1000)))
    ran = call("validate", str(tmp_path / "analysis.yaml"))
    assert ran.code == 2
    assert ran.err.count("unknown key") == 40
    assert ran.err.endswith("analysis.yaml: 960 more problems are not listed\n")


def test_no_more_is_read_than_can_be_used(tmp_path: Path) -> None:
    endless = Path("/dev/zero")
    if not endless.exists():
        pytest.skip("no endless file here")
    assert call("validate", str(endless)).code == 2
    assert call("validate", "a\0b").code == 2
    assert call("validate", str(tmp_path / ("a" * 3000))).code == 2
