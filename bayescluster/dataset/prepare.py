"""From a table to the firms of an analysis: derive, filter, check, drop, group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd

from bayescluster.dataset.derive import derive, exclusion_problems, without_excluded
from bayescluster.dataset.read import Table
from bayescluster.dataset.values import label_of, labels, rows_text
from bayescluster.errors import DataError, Problem
from bayescluster.lookup import suggestion
from bayescluster.names import ALL
from bayescluster.spec.columns import Needed, Where
from bayescluster.spec.data import Data, RowFilter

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


FIRM = "__firm__"
CLUSTER = "__cluster__"
INDUSTRY = "__industry__"
UNKNOWN_CLUSTER = "(missing)"
FEWEST_FIRMS = 2
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
        What each filter asked for, and how many rows it left.
    """

    frame: pd.DataFrame
    label: str
    rows_read: int
    dropped: pd.DataFrame
    filters: tuple[str, ...]


def prepare(table: Table, data: Data, needed: Sequence[Needed], where: Where) -> Firms:
    """Make the firms of an analysis from its table.

    Parameters
    ----------
    table
        Table as read.
    data
        The data section of the analysis.
    needed
        Columns the analysis names; those that are ``optional`` may have missing values.
    where
        Says where a path stands in the analysis file.

    Raises
    ------
    DataError
        If columns are not there, a derivation or filter fails, values are missing where none may
        be, groups are spelt in several ways, clusters are not nested in industries, or fewer than
        two firms are left; all faults of a step at once.
    """
    derived = derive(table.frame, data.derive, where)
    columns = list(derived.frame.columns)
    _raise_if_any(
        *derived.problems,
        *_unknown_columns(columns, derived.failed, data, needed, where),
        *_unknown_values(derived.frame, data.keep, where),
        *exclusion_problems(derived.frame, data.exclude, where),
    )
    rows, filters = _filtered(derived.frame, data.keep, where)
    rows, left_out = without_excluded(rows, data.exclude, where)
    filters = (*filters, *left_out)
    required = {item.column: item for item in reversed(needed) if not item.optional}
    if data.missing != "drop":
        _raise_if_any(*_missing_problems(rows, required, MENDS[data.missing], where))
    rows, dropped = _without_missing(rows, required, data, where)
    labelled = _with_labels(rows, data)
    _raise_if_any(*spelling_problems(labelled, needed, where), *_too_few(labelled, where))
    if data.cluster is not None and data.industry is not None and not data.crossed:
        _raise_if_any(*nesting_problems(labelled[CLUSTER], labelled[INDUSTRY], where))
    kept = {*(item.column for item in needed), *(item.name for item in data.derive)}
    names = [name for name in columns if name in kept]
    frame = labelled[[*names, FIRM, CLUSTER, INDUSTRY]]
    return Firms(frame, table.label, len(table.frame), dropped, filters)


def _raise_if_any(*problems: Problem) -> None:
    if problems:
        raise DataError(dict.fromkeys(problems))


def _unknown_columns(
    columns: list[str], failed: frozenset[str], data: Data, needed: Sequence[Needed], where: Where
) -> Iterator[Problem]:
    of_filters = [
        Needed(item.column, role, ("data", key, position, "column"))
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


def _unknown_values(
    frame: pd.DataFrame, keep: tuple[RowFilter, ...], where: Where
) -> Iterator[Problem]:
    for position, item in enumerate(keep):
        if item.column not in frame:
            continue
        known = list(labels(frame[item.column]).dropna().unique())
        for place, value in enumerate(item.one_of):
            if label_of(value) not in known:
                yield Problem(
                    f"no row has '{label_of(value)}' in '{item.column}'",
                    where(("data", "keep", position, "one_of", place)),
                    suggestion(label_of(value), known),
                )


def _filtered(
    frame: pd.DataFrame, keep: tuple[RowFilter, ...], where: Where
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    said = []
    for position, item in enumerate(keep):
        wanted = [label_of(value) for value in item.one_of]
        before = len(frame)
        frame = frame[labels(frame[item.column]).isin(wanted)]
        said.append(f"{item.column}: {', '.join(wanted)} ({len(frame)} of {before} rows)")
        if frame.empty:
            raise DataError(
                Problem(
                    f"no row is left after the filter on '{item.column}'",
                    where(("data", "keep", position)),
                    f"rows must pass all filters; they leave {'; '.join(said)}",
                )
            )
    return frame, tuple(said)


def _missing_problems(
    frame: pd.DataFrame, required: dict[str, Needed], mend: str, where: Where
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
    frame: pd.DataFrame, required: dict[str, Needed], data: Data, where: Where
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
                f"'{worst}' alone is missing in {int(lacks[worst].sum())} of {len(frame)} rows",
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


def _too_few(frame: pd.DataFrame, where: Where) -> Iterator[Problem]:
    firms = frame[FIRM].nunique()
    if firms < FEWEST_FIRMS:
        yield Problem(
            f"only one firm is left ('{frame[FIRM].iloc[0]}', {len(frame)} rows)",
            where(("data", "firm")),
            "check the filters, and that `firm` names the column that tells firms apart",
        )
