"""What is written in columns of text: spellings of one name, words for no answer, scales of words."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any, Final

import pandas as pd

from bayescluster.dataset.prepare import visible
from bayescluster.dataset.values import SPACES, signs_of

ALIKE: Final = 0.8
"""Likeness of names from which a rare one is taken for another misspelt."""
RARE: Final = 2
"""Rows up to which a name may be a misspelt one."""
LONG: Final = 5
"""Shortest word that is taken for misspelt: shorter ones are often numbers of a series."""
NO_ANSWER: Final = frozenset(
    [
        "na",
        "n/a",
        "n.a",
        "n.a.",
        "n.d",
        "n.d.",
        "nd",
        "#n/a",
        "?",
        "-",
        "--",
        ".",
        "..",
        "nan",
        "null",
        "missing",
        "no answer",
        "refused",
        "refusal",
        "don't know",
        "dont know",
        "do not know",
        "dk",
        "dk/na",
        "not applicable",
        "not available",
        "unknown",
        "k.a",
        "k.a.",
        "k. a.",
        "keine angabe",
        "weiß nicht",
        "weiss nicht",
        "entfällt",
        "ns/nr",
        "ns",
        "nsp",
        "nr",
        "ne sait pas",
        "sans réponse",
        "non réponse",
        "no sabe",
        "no responde",
        "no contesta",
        "não sabe",
        "não respondeu",
        "tidak tahu",
        "tidak menjawab",
        "menolak",
        "không biết",
        "不知道",
        "拒答",
        "わからない",
        "無回答",
        "모름",
    ]
)
"""What surveys write for no answer, in small letters."""
SCALES: Final = (
    (
        "never",
        "almost never|very rarely",
        "rarely|seldom|hardly ever",
        "sometimes|occasionally",
        "often|frequently|usually",
        "very often|almost always|mostly",
        "always",
    ),
    (
        "strongly disagree|disagree strongly|fully disagree|completely disagree",
        "disagree|tend to disagree|rather disagree|somewhat disagree",
        "neither agree nor disagree|neither|neutral|undecided",
        "agree|tend to agree|rather agree|somewhat agree",
        "strongly agree|agree strongly|fully agree|completely agree",
    ),
    (
        "none|not at all|no",
        "very low|very small|very little|very slight",
        "low|little|a little|minor|slight|slightly|small|weak",
        "medium|moderate|moderately|some|somewhat|average|partly",
        "high|much|a lot|considerable|substantial|large|major|strong|mostly",
        "very high|very much|very large|very strong|very severe|radical|fully|completely|full",
    ),
    (
        "very poor|very bad",
        "poor|bad",
        "fair|satisfactory|average|acceptable",
        "good",
        "very good",
        "excellent",
    ),
    ("very dissatisfied", "dissatisfied", "neutral|neither", "satisfied", "very satisfied"),
    ("nie", "selten", "manchmal|gelegentlich", "oft|häufig", "sehr oft", "immer"),
    ("jamais", "rarement", "parfois|quelquefois", "souvent", "très souvent", "toujours"),
    (
        "nunca",
        "casi nunca|raramente",
        "a veces|às vezes",
        "a menudo|frecuentemente",
        "casi siempre",
        "siempre|sempre",
    ),
    ("sangat tidak setuju", "tidak setuju", "netral|ragu-ragu", "setuju", "sangat setuju"),
    ("micro", "small", "medium", "large", "very large"),
)
"""Words of answers from the lowest to the highest; words that part ``|`` are of one height."""


def wordy_cells(series: pd.Series[Any]) -> pd.Series[Any]:
    """Cells of a column of text that are no numbers, whatever signs the numbers are written with."""
    cells = series.dropna().astype(str).str.strip()
    digits = [
        text for text in cells.unique() if text[-1:].removesuffix("%").isdigit() or text[-1:] == "%"
    ]
    signs = signs_of([[text for text in digits if set(text) <= set("0123456789+-.,%'eE" + SPACES)]])
    pattern = signs.pattern
    bare = cells.str.removesuffix("%").str.rstrip()
    return series[bare.index[[pattern.fullmatch(text) is None for text in bare]]]


def no_answers(series: pd.Series[Any]) -> list[str]:
    """Words for no answer in a column, as they are written."""
    texts = (cell for cell in series.dropna().unique() if isinstance(cell, str))
    return [text for text in texts if text.strip().casefold() in NO_ANSWER]


def scale_of(words: Iterable[str]) -> tuple[str, ...] | None:
    """Order words from the lowest to the highest; None where they are of no one scale that is known.

    Two words of one height have no order, and two words alone are no scale.
    """
    texts = list(dict.fromkeys(words))
    for scale in SCALES:
        height = {word: k for k, each in enumerate(scale) for word in each.split("|")}
        found = {text: height.get(visible(text).casefold(), -1) for text in texts}
        if len(texts) > 2 and min(found.values()) >= 0 and len(set(found.values())) == len(texts):
            return tuple(sorted(texts, key=lambda text: found[text]))
    return None


def ranks(series: pd.Series[Any]) -> dict[str, int] | None:
    """Rank of each word of a column, from 1, where they are of a scale that is known; however spelt."""
    cells = series.dropna()
    if not len(cells) or not all(isinstance(cell, str) for cell in cells):
        return None
    counts = cells[~cells.isin(no_answers(cells))].value_counts()
    meant = _twins(counts)
    order = scale_of(meant.get(word, visible(word)) for word in counts.index)
    if order is None:
        return None
    return {word: order.index(meant.get(word, visible(word))) + 1 for word in counts.index}


def spellings(counts: pd.Series[int]) -> dict[str, str]:
    """Names that are another one spelt otherwise, each with that one; ``counts`` are rows by name."""
    twins = _twins(counts)
    known = counts[[str(label) not in twins for label in counts.index]]
    return {**twins, **_misspelt(known)}


def _twins(counts: pd.Series[int]) -> dict[str, str]:
    """Names that differ in case, blanks or what cannot be seen, each to its most frequent spelling."""
    variants: dict[str, list[str]] = {}
    for label in counts.index:
        variants.setdefault(visible(str(label)).casefold(), []).append(str(label))
    return {
        each: visible(same[0])
        for same in variants.values()
        if len(same) > 1
        for each in same
        if each != visible(same[0])
    }


def _misspelt(counts: pd.Series[int]) -> dict[str, str]:
    """Rare names that are nearly those of a frequent group, letters apart within a long word."""
    usual = [str(label) for label, rows in counts.items() if rows > 5 * RARE]
    found: dict[str, str] = {}
    for label, rows in counts.items():
        if rows > RARE:
            continue
        near = [other for other in usual if _is_misspelling(str(label), other)]
        if len(near) == 1:
            found[str(label)] = near[0]
    return found


def _is_misspelling(rare: str, usual: str) -> bool:
    one, two = visible(rare).casefold().split(), visible(usual).casefold().split()
    if len(one) != len(two):
        return SequenceMatcher(None, "".join(one), "".join(two)).ratio() == 1
    apart = [(a, b) for a, b in zip(one, two, strict=True) if a != b]
    if len(apart) != 1 or min(map(len, apart[0])) < LONG:
        return False
    digits = any(sign.isdigit() for word in apart[0] for sign in word)
    return not digits and SequenceMatcher(None, *apart[0]).ratio() >= ALIKE
