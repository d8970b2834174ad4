"""Malformed input from fixed seeds: analysis files, data files, run directories and archives."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

NASTY_VALUES = (
    "null", "~", "''", "[]", "{}", "[[]]", "{a: {b: {}}}", "true", "NO", "-1", "0", "1e400", "-.inf",
    ".nan", "9" * 400, "0x1F", "1_000", "2001-13-45", "12:30:61", "!!int abc", "!!python/name:os.system x",
    "!x y", "&a [*a]", "*nowhere", "<<: *nowhere", "? [1, 2]", "? {a: 1}", "'../../../../etc/passwd'",
    "/dev/zero", "/dev/stdin", "/", ".", "'a\\0b'", '"\\u0000"', '"\\ud800"', '"\\e[2J"', "é" * 300,
    "x" * 3000, "<script>alert(1)</script>", "[" * 40 + "]" * 40, "{a: " * 40 + "}" * 40, "|", ">",
    "- - - -", "[1, two, 3.0, null]", "{1: 2, null: 3, 2.5: x}", "rdatasets", "human_capital",
    "'{{ 7 * 7 }}'", "'%s%n'", "1e308", "-0.0", "1e-320",
)  # fmt: skip
NASTY_TEXT = (
    "\t", "\0", "\ufeff", "\u2028", "\x07", "%YAML 1.1\n---\n", "---\n", "...\n", "&a ", "*a", "!!set ",
    "? ", ": ", "- ", "#", '"', "'", "[", "{", "}", "]", "|\n", "\r", "<<: ", "@", "`",
)  # fmt: skip

Change = Callable[[random.Random, str], str]


def _value(rng: random.Random, text: str) -> str:
    """Put something else after the colon of a line, or in the place of a word."""
    places = [*re.finditer(r"(?<=: )[^\n]+|(?<=[\[ ,])[A-Za-z_0-9.]+(?=[\],])", text)]
    place = rng.choice(places) if places else None
    if place is None:
        return text + rng.choice(NASTY_VALUES)
    return text[: place.start()] + rng.choice(NASTY_VALUES) + text[place.end() :]


def _key(rng: random.Random, text: str) -> str:
    """Rename a key, or make it something that is no word."""
    places = [*re.finditer(r"[A-Za-z_]+(?=:)", text)]
    place = rng.choice(places) if places else None
    if place is None:
        return text
    other = rng.choice((*NASTY_VALUES, place[0][::-1], place[0] + "s", "name", "data"))
    return text[: place.start()] + other + text[place.end() :]


def _letters(rng: random.Random, text: str) -> str:
    """Put signs into the text, take some out, or change some."""
    for _ in range(rng.randint(1, 5)):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(("", chr(rng.randrange(1, 0x2FF)))) + text[at + 1 :]
        if rng.random() < 0.6:
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(NASTY_TEXT) + text[at:]
    return text


def _lines(rng: random.Random, text: str) -> str:
    """Leave lines out, repeat them, move them, or indent them otherwise."""
    lines = text.split("\n")
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(lines))
        match rng.randrange(5):
            case 0 if len(lines) > 1:
                del lines[at]
            case 1:
                lines.insert(rng.randrange(len(lines)), lines[at])
            case 2:
                lines.insert(rng.randrange(len(lines)), lines.pop(at))
            case 3:
                lines[at] = " " * rng.randrange(9) + lines[at].lstrip()
            case _:
                lines[at] += rng.choice(NASTY_VALUES)
    return "\n".join(lines)


def _cut(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text))]


def _multiplied(rng: random.Random, text: str) -> str:
    """References to references, deep nesting, and very long parts."""
    depth, width = rng.randint(2, 200), rng.randint(2, 12)
    anchors = "a0: &a0 [" + ",".join("1" * width) + "]\n"
    anchors += "".join(
        f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * width)}]\n" for k in range(1, depth)
    )
    return rng.choice(
        (
            anchors + text,
            text + "x: " + "[" * depth * 50 + "]" * depth * 50,
            text + "".join("  " * k + "a:\n" for k in range(depth)),
            text + "description: " + "word " * depth * 1000,
            text + "".join(f"key_{k}: {k}\n" for k in range(depth * 50)),
            text + "limits: [" + "x, " * depth * 100 + "]",
        )
    )


CHANGES_OF_TEXT: tuple[Change, ...] = (
    _value,
    _value,
    _value,
    _key,
    _letters,
    _lines,
    _cut,
    _multiplied,
)


def analyses(originals: list[str], count: int, seed: int) -> Iterator[str]:
    """Analysis files that were changed once to three times."""
    rng = random.Random(seed)
    for _ in range(count):
        text = rng.choice(originals)
        for _ in range(rng.choice((1, 1, 2, 3))):
            text = rng.choice(CHANGES_OF_TEXT)(rng, text or "a: 1")
        yield text


def damaged(rng: random.Random, content: bytes) -> bytes:
    """Bytes flipped, cut off, repeated, emptied or put in from elsewhere."""
    raw = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 5, 20))):
        if not raw:
            break
        at, size = rng.randrange(len(raw)), rng.choice((1, 1, 4, 16, 200))
        match rng.randrange(7):
            case 0:
                raw[at] ^= 1 << rng.randrange(8)
            case 1:
                raw[at : at + size] = rng.randbytes(size)
            case 2:
                del raw[at:]
            case 3:
                del raw[at : at + size]
            case 4:
                raw[at : at + size] = bytes(size)
            case 5:
                raw[at : at + size] = b"\xff" * size
            case _:
                start = rng.randrange(len(raw))
                raw[at:at] = raw[start : start + size]
    return bytes(raw)
