"""From a table to the firms of an analysis: derive, select, check, drop, group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bayescluster.dataset.derive import derive
from bayescluster.dataset.read import Table
from bayescluster.dataset.values import as_float, label_of, labels, numeric_problem, rows_text
from bayescluster.errors import DataError, Problem
from bayescluster.lookup import suggestion
from bayescluster.names import ALL
from bayescluster.spec.columns import NeededColumn, Where
from bayescluster.spec.data import Data, Exclusion

FIRM = "__firm__"
CLUSTER = "__cluster__"
INDUSTRY = "__industry__"
UNKNOWN_CLUSTER = "(missing)"
FEWEST_FIRMS = 2
SHOWN_CLUSTERS = 5
GROUP_ROLES = ("cluster", "industry", "grouping")
MENDS = {
    "error": "fill these cells, or leave such rows out with `missing: drop` under `data`",
    "impute": "the {role} cannot be imputed: fill these cells, "
    "or leave such rows out with `missing: drop` under `data`",
}


class Firms(NamedTuple):
    """The rows an analysis uses.

    Attributes
    ----------
    frame
        Derived and needed columns, and the labels ``__firm__``, ``__cluster__`` and
        ``__industry__``. The index counts the rows of the file from 0, so gaps are rows left out.
        Where firms are observed more than once, their labels repeat.
    label
        What messages and reports call the data.
    rows_read
        Rows of the file.
    dropped
        Rows left out for a missing value: columns ``variable``, ``cluster``, ``rows``. A row that
        lacks two variables is counted under both.
    filters
        What each filter and exclusion asked for, and how many rows it left or took.
    """

    frame: pd.DataFrame
    label: str
    rows_read: int
    dropped: pd.DataFrame
    filters: tuple[str, ...]


def prepare(table: Table, data: Data, needed: Sequence[NeededColumn], where: Where) -> Firms:
    """Make the firms of an analysis from its table.

    Raises
    ------
    DataError
        If columns do not exist, a derivation or filter fails, values are missing where none may
        be, groups are spelt in several ways, clusters are not nested in industries, or fewer than
        two firms are left; all faults of a step at once.
    """
    derived = derive(table.frame, data.derive, where)
    columns = list(derived.frame.columns)
    _raise_if_any(
        *derived.problems,
        *_unknown_columns(columns, derived.failed, data, needed, where),
        *_selection_problems(derived.frame, data, where),
    )
    rows, filters = _selected(derived.frame, data, where)
    required = {item.column: item for item in reversed(needed) if not item.optional}
    if data.missing != "drop":
        _raise_if_any(*_missing_problems(rows, required, MENDS[data.missing], where))
    rows, dropped = _without_missing(rows, required, data, where)
    labelled = _with_labels(rows, data)
    _raise_if_any(*_spelling_problems(labelled, needed, where), *_too_few(labelled, where))
    if data.cluster is not None and data.industry is not None and not data.crossed:
        _raise_if_any(*_nesting_problems(labelled[CLUSTER], labelled[INDUSTRY], where))
    kept = {*(item.column for item in needed), *(item.name for item in data.derive)}
    names = [name for name in columns if name in kept]
    frame = labelled[[*names, FIRM, CLUSTER, INDUSTRY]]
    return Firms(frame, table.label, len(table.frame), dropped, filters)


def _raise_if_any(*problems: Problem) -> None:
    if problems:
        raise DataError(dict.fromkeys(problems))


def _unknown_columns(
    columns: list[str],
    failed: frozenset[str],
    data: Data,
    needed: Sequence[NeededColumn],
    where: Where,
) -> Iterator[Problem]:
    of_filters = [
        NeededColumn(item.column, role, ("data", key, position, "column"))
        for key, role in (("keep", "filter"), ("exclude", "exclusion"))
        for position, item in enumerate(getattr(data, key))
    ]
    for item in [*of_filters, *needed]:
        if item.column not in columns and item.column not in failed:
            yield Problem(
                f"no column '{item.column}' in the data ({item.role})",
                where(item.path),
                suggestion(item.column, columns),
            )


def _selection_problems(frame: pd.DataFrame, data: Data, where: Where) -> Iterator[Problem]:
    """Values that no row has, and bounds on what is not a number; unknown columns pass."""
    for key in ("keep", "exclude"):
        for position, item in enumerate(getattr(data, key)):
            if item.column not in frame:
                continue
            base, series = ("data", key, position), frame[item.column]
            known = list(labels(series).dropna().unique())
            for place, value in enumerate(item.one_of):
                if label_of(value) not in known:
                    yield Problem(
                        f"no row has '{label_of(value)}' in '{item.column}'",
                        where((*base, "one_of", place)),
                        suggestion(label_of(value), known),
                    )
            fault = None if item.one_of else numeric_problem(series)
            if fault:
                yield Problem(
                    f"'{item.column}' is not a column of numbers: {fault}",
                    where((*base, "column")),
                    "below and above go with numbers; name labels by one_of",
                )


def _selected(
    frame: pd.DataFrame, data: Data, where: Where
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rows that pass all filters and no exclusion, and what each of these did, in words.

    A row that has no value in the column of an exclusion stays.
    """
    steps: list[str] = []
    for position, item in enumerate(data.keep):
        wanted = [label_of(value) for value in item.one_of]
        before = len(frame)
        frame = frame[labels(frame[item.column]).isin(wanted)]
        steps.append(f"{item.column}: {', '.join(wanted)} ({len(frame)} of {before} rows)")
        if frame.empty:
            raise DataError(
                Problem(
                    f"no row is left after the filter on '{item.column}'",
                    where(("data", "keep", position)),
                    f"rows must pass all filters; they leave {'; '.join(steps)}",
                )
            )
    for position, exclusion in enumerate(data.exclude):
        out, words = _excluded(frame[exclusion.column], exclusion), exclusion_words(exclusion)
        steps.append(f"left out, {words} ({int(out.sum())} of {len(frame)} rows)")
        frame = frame[~out]
        if frame.empty:
            raise DataError(
                Problem(
                    f"no row is left after those with {words} are left out",
                    where(("data", "exclude", position)),
                    "leave fewer rows out",
                )
            )
    return frame, tuple(steps)


def exclusion_words(item: Exclusion) -> str:
    """Which rows an exclusion leaves out: ``industry: Furniture``, or ``employees below 10``."""
    if item.one_of:
        return f"{item.column}: {', '.join(label_of(value) for value in item.one_of)}"
    bounds = [
        f"{side} {label_of(bound)}"
        for side, bound in (("below", item.below), ("above", item.above))
        if bound is not None
    ]
    return f"{item.column} {' or '.join(bounds)}"


def _excluded(series: pd.Series[Any], item: Exclusion) -> pd.Series[bool]:
    if item.one_of:
        return labels(series).isin([label_of(value) for value in item.one_of]).astype(bool)
    values = as_float(series)
    below = values < (-np.inf if item.below is None else item.below)
    above = values > (np.inf if item.above is None else item.above)
    return pd.Series(below | above, index=series.index)


def _missing_problems(
    frame: pd.DataFrame, required: dict[str, NeededColumn], mend: str, where: Where
) -> Iterator[Problem]:
    for column, item in reversed(required.items()):
        lacking = frame.index[frame[column].isna()]
        if len(lacking):
            yield Problem(
                f"'{column}' ({item.role}) is missing in {len(lacking)} of {len(frame)} rows "
                f"({rows_text(lacking)})",
                where(item.path),
                mend.format(role=item.role),
            )


def _without_missing(
    frame: pd.DataFrame, required: dict[str, NeededColumn], data: Data, where: Where
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Drop rows that lack a required value; count them by variable and cluster."""
    columns = list(reversed(required))
    lacks = frame[columns].isna()
    cluster = labels(frame[data.cluster]) if data.cluster else pd.Series(ALL, index=frame.index)
    counts = lacks.groupby(cluster.fillna(UNKNOWN_CLUSTER)).sum()
    records = [
        (column, str(name), int(rows))
        for column in columns
        for name, rows in counts[column].items()
        if rows
    ]
    complete = frame[~lacks.any(axis=1)]
    if complete.empty:
        worst = str(lacks.sum().idxmax())
        raise DataError(
            Problem(
                f"no row has a value in all {len(columns)} columns the analysis needs",
                where(("data", "missing")),
                f"'{worst}' by itself is missing in {int(lacks[worst].sum())} of {len(frame)} rows",
            )
        )
    return complete, pd.DataFrame(records, columns=["variable", "cluster", "rows"])


def _with_labels(frame: pd.DataFrame, data: Data) -> pd.DataFrame:
    numbers = pd.Series([f"row {int(position) + 1}" for position in frame.index], frame.index)
    everyone = pd.Series(ALL, index=frame.index)
    return frame.assign(
        **{
            FIRM: labels(frame[data.firm]) if data.firm else numbers,
            CLUSTER: labels(frame[data.cluster]) if data.cluster else everyone,
            INDUSTRY: labels(frame[data.industry]) if data.industry else everyone,
        }
    )


def _spelling_problems(
    frame: pd.DataFrame, needed: Sequence[NeededColumn], where: Where
) -> Iterator[Problem]:
    """Groups written in several ways: other case, or blanks too many."""
    for item in needed:
        if item.role not in GROUP_ROLES:
            continue
        counts = labels(frame[item.column]).value_counts()
        spellings: dict[str, list[str]] = {}
        for label in counts.index:
            spellings.setdefault(" ".join(str(label).split()).casefold(), []).append(str(label))
        for variants in (each for each in spellings.values() if len(each) > 1):
            shown = ", ".join(f"'{label}' ({_rows(int(counts[label]))})" for label in variants)
            # the most frequent spelling comes first; blanks at its ends are never meant
            meant = " ".join(variants[0].split())
            yield Problem(
                f"'{item.column}' ({item.role}) spells one group in {len(variants)} ways: {shown}",
                where(item.path),
                f"if all mean '{meant}', recode them: `derive: kind: recode` with "
                "`otherwise: keep`",
            )


def _nesting_problems(
    cluster: pd.Series[Any], industry: pd.Series[Any], where: Where
) -> Iterator[Problem]:
    """Clusters that hold firms of more than one industry."""
    held: dict[str, list[str]] = {}
    for (name, kind), rows in sorted(Counter(zip(cluster, industry, strict=True)).items()):
        held.setdefault(name, []).append(f"{kind} {_rows(rows)}")
    crossed = [f"'{name}' ({', '.join(kinds)})" for name, kinds in held.items() if len(kinds) > 1]
    if crossed:
        more = len(crossed) - SHOWN_CLUSTERS
        count = "1 cluster holds" if len(crossed) == 1 else f"{len(crossed)} clusters hold"
        yield Problem(
            f"{count} firms of more than one industry: {'; '.join(crossed[:SHOWN_CLUSTERS])}"
            + (f"; and {more} more" if more > 0 else ""),
            where(("data", "cluster")),
            "set `crossed: true` if that is so, or make one key of both with `derive: kind: combine`",
        )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _too_few(frame: pd.DataFrame, where: Where) -> Iterator[Problem]:
    firms = frame[FIRM].nunique()
    if firms < FEWEST_FIRMS:
        yield Problem(
            f"only one firm is left ('{frame[FIRM].iloc[0]}', {len(frame)} rows)",
            where(("data", "firm")),
            "check the filters, and that `firm` names the column that tells firms apart",
        )
