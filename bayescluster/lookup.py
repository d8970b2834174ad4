"""Words for names and numbers in messages: the one "did you mean", lists, counts, and lines of YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

MOST_LISTED = 15
PLAIN = re.compile(r"[^\W\d](?:[\w -]*[\w-])?")
QUOTED = {"yes", "no", "true", "false", "null", "on", "off", "y", "n"}
PLURALS = {"hypothesis": "hypotheses", "industry": "industries"}


def suggestion(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or list those there are.

    Returns
    -------
    str
        ``did you mean 'x'?`` where one is close, else ``known: a, b, c``; empty if none is known.
    """
    names = [str(item) for item in known]
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean '{close[0]}'?"
    if not names:
        return ""
    return f"known: {first_of(names, MOST_LISTED)}"


def first_of(names: Sequence[str], most: int, sign: str = ", ") -> str:
    """The first of many, and how many more there are: ``a, b and 3 more``, ``a; b; and 3 more``."""
    shown, more = sign.join(names[:most]), len(names) - most
    return f"{shown}{sign.rstrip(', ')} and {more} more" if more > 0 else shown


def counted(many: int, noun: str) -> str:
    """A number and its noun: ``1 row``, ``2,000 rows``."""
    return f"{many:,} {noun if many == 1 else PLURALS.get(noun, f'{noun}s')}"


def listed(names: Sequence[str]) -> str:
    """Names as words: ``a``, ``a and b``, ``a, b and c``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def scalar(value: Any) -> str:
    """Write a value as YAML, in quotes where it would else be taken for something else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    text = str(value)
    if PLAIN.fullmatch(text) and text.casefold() not in QUOTED:
        return text
    return json.dumps(text, ensure_ascii=not text.isprintable())
