"""Roles of columns, guessed from their names, what the file says of them, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from bayescluster.dataset.read import Table
from bayescluster.dataset.values import as_float, is_labelled, labels, numeric_problem
from bayescluster.design.outcome import NO, YES

WORDS: Final[dict[str, str]] = {
    "firm": r"(^|_)(firm|company|enterprise|establishment|respondent|unternehmen|betrieb|empresa)"
    r"(_?(id|no|nr|code))?$|^(f?id|idstd|panelid|case_?id|case)$",
    "cluster": r"^cl$|cluster|district|(^|_)(region|city|place|town|location|site|province|ort|standort)",
    "industry": r"^ind$|industr|sector|branch|branche|(^|_)(isic|nace|sic|naics)",
    "weight": r"(^|_)(weight|weights|wt|wmedian|wstrict|gewicht|pweight)($|_)",
    "outcome": r"upgrad|innov|new_?prod|patent|^(y|outcome)$|value_added|productivity|growth|neu",
    "human_capital": r"train|skill|educ|school|tertiary|universit|human|manag|qualif|graduate|bildung"
    r"|r_?and_?d|engineer|^h\d*$",
    "social_capital": r"trust|network|associat|joint|cooperat|collab|social|tie(s)?($|_)|partner"
    r"|relation|vertrauen|^s\d*$",
    "control": r"size|employ|staff|worker|(^|_)age($|_)|export|foreign|owned|tnc|found|mitarbeiter|turnover",
}
"""What the name of a column says of its role; the first that fits holds."""
FEWEST_A_GROUP: Final = 2
LEVELS: Final = 7
"""Whole numbers with at most so many values are levels rather than counts."""
UNIQUE: Final = 0.5
"""Share of distinct values from which a column names firms rather than groups."""


class Guess(NamedTuple):
    """A role, and what it was guessed from."""

    role: str
    reason: str
    sure: bool


class Kind(NamedTuple):
    """What a column holds: its kind, and its numbers if it is one of numbers."""

    name: str
    values: np.ndarray[Any, np.dtype[np.float64]] | None
    distinct: int


def kind_of(series: pd.Series[Any]) -> Kind:
    """Say what a column holds."""
    cells = series.dropna()
    distinct = int(labels(cells).nunique())
    if not len(cells):
        return Kind("empty", None, 0)
    if numeric_problem(series) is not None:
        words = {str(value).strip().casefold() for value in cells.unique()}
        if words <= {*YES, *NO} and len(words) <= 2:
            return Kind("yes or no, in words", None, distinct)
        return Kind("names" if distinct > UNIQUE * len(cells) else "text", None, distinct)
    values = as_float(series)
    known = values[~np.isnan(values)]
    if is_labelled(series):
        return Kind("labelled codes", values, distinct)
    if set(known.tolist()) <= {0.0, 1.0}:
        return Kind("yes or no (0, 1)", values, distinct)
    return Kind(
        "whole numbers" if (known == np.round(known)).all() else "numbers", values, distinct
    )


def guesses(table: Table) -> dict[str, Guess]:
    """Guess the role of every column that suggests one; groups and firms at most once."""
    found: dict[str, Guess] = {}
    taken: set[str] = set()
    for role, pattern in WORDS.items():
        for name in table.frame.columns:
            text = f"{_plain(name)}"
            described = table.descriptions.get(name, "")
            by_name = re.search(pattern, text)
            by_words = re.search(pattern, _plain(described)) if described else None
            if name in found or not (by_name or by_words):
                continue
            if role in taken and role in SINGLE:
                continue
            if not _fits(role, table.frame[name]):
                continue
            taken.add(role)
            what = f"its name says '{by_name[0]}'" if by_name else f"described as '{described}'"
            found[name] = Guess(role, what, bool(by_name))
    return found


def suggests(role: str, name: str) -> bool:
    """Whether the name of a column suggests a role."""
    return re.search(WORDS[role], _plain(name)) is not None


SINGLE: Final = ("firm", "cluster", "industry", "weight", "outcome")


def _plain(name: str) -> str:
    """A name in small letters, its parts joined by underscores."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^0-9a-zà-ÿ]+", "_", spaced.lower()).strip("_")


def _fits(role: str, series: pd.Series[Any]) -> bool:
    """Whether a column can have a role, by what it holds."""
    kind, answered = kind_of(series), int(series.notna().sum())
    if kind.name == "empty" or kind.distinct < FEWEST_A_GROUP:
        return False
    if role == "firm":
        return kind.distinct > UNIQUE * answered or kind.name in ("names", "text", "whole numbers")
    if role in ("cluster", "industry"):
        return kind.name != "numbers" and kind.distinct <= max(2, UNIQUE * answered)
    if role == "weight":
        return kind.values is not None and bool(np.nanmin(kind.values) > 0)
    if role in ("human_capital", "social_capital"):
        return kind.values is not None or kind.name.startswith("yes or no")
    return kind.name not in ("names",)


def of_role(found: Mapping[str, Guess], role: str) -> tuple[str, ...]:
    """Columns that are guessed to have a role."""
    return tuple(name for name, guess in found.items() if guess.role == role)
