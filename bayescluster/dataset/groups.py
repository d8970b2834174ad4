"""Checks on clusters, industries and other groups: spelling and nesting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from bayescluster.dataset.values import labels
from bayescluster.errors import Problem
from bayescluster.spec.columns import Needed, Where

GROUP_ROLES = ("cluster", "industry", "grouping")
SHOWN_CLUSTERS = 5


def spelling_problems(
    frame: pd.DataFrame, needed: Sequence[Needed], where: Where
) -> Iterator[Problem]:
    """Find groups written in several ways: other case, or blanks too many."""
    for item in needed:
        if item.role not in GROUP_ROLES:
            continue
        counts = labels(frame[item.column]).value_counts()
        spellings: dict[str, list[str]] = {}
        for label in counts.index:
            spellings.setdefault(" ".join(str(label).split()).casefold(), []).append(str(label))
        for variants in spellings.values():
            if len(variants) > 1:
                yield _spelling(item, variants, counts, where)


def _spelling(item: Needed, variants: list[str], counts: pd.Series[int], where: Where) -> Problem:
    shown = ", ".join(f"'{label}' ({_rows(int(counts[label]))})" for label in variants)
    # the most frequent spelling comes first; blanks at its ends are never meant
    meant = " ".join(variants[0].split())
    return Problem(
        f"'{item.column}' ({item.role}) spells one group in {len(variants)} ways: {shown}",
        where(item.path),
        f"if all mean '{meant}', recode them: `derive: kind: recode` with `otherwise: keep`",
    )


def nesting_problems(
    cluster: pd.Series[Any], industry: pd.Series[Any], where: Where
) -> Iterator[Problem]:
    """Find clusters that hold firms of more than one industry."""
    counts = Counter(zip(cluster, industry, strict=True))
    held: dict[str, list[str]] = {}
    for (name, kind), rows in sorted(counts.items()):
        held.setdefault(name, []).append(f"{kind} {_rows(rows)}")
    crossed = {name: kinds for name, kinds in held.items() if len(kinds) > 1}
    if not crossed:
        return
    shown = "; ".join(
        f"'{name}' ({', '.join(kinds)})" for name, kinds in list(crossed.items())[:SHOWN_CLUSTERS]
    )
    more = len(crossed) - SHOWN_CLUSTERS
    count = "1 cluster holds" if len(crossed) == 1 else f"{len(crossed)} clusters hold"
    yield Problem(
        f"{count} firms of more than one industry: {shown}"
        + (f"; and {more} more" if more > 0 else ""),
        where(("data", "cluster")),
        "set `crossed: true` if that is so, or make one key of both with `derive: kind: combine`",
    )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"
