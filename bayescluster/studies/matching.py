"""The same claims, effects and levels in several runs: rows are matched by what they are about."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from bayescluster.results.model import Verdict


def matched_groups[Row, Key: Hashable](
    runs: Sequence[Iterable[Row]], key: Callable[[Row], Key]
) -> dict[Key, list[list[Row]]]:
    """Collect rows by what they are about: for each run, all rows of it that share the key.

    Parameters
    ----------
    runs
        Rows of each run.
    key
        What a row is about.

    Returns
    -------
    dict
        Keys in the order in which they are first met, with a list of rows for each run.
    """
    groups: dict[Key, list[list[Row]]] = {}
    for position, rows in enumerate(runs):
        for row in rows:
            groups.setdefault(key(row), [[] for _ in runs])[position].append(row)
    return groups


def matched[Row, Key: Hashable](
    runs: Sequence[Iterable[Row]], key: Callable[[Row], Key]
) -> dict[Key, tuple[Row | None, ...]]:
    """Match rows of several runs; None where a run has no such row, its first where it has several."""
    return {
        about: tuple(rows[0] if rows else None for rows in by_run)
        for about, by_run in matched_groups(runs, key).items()
    }


def claim_of(verdict: Verdict) -> tuple[str, str, str, str]:
    """What a verdict is about: the claim (its capital and level included), its scope and the group."""
    return verdict.title, verdict.scope, verdict.by, verdict.group
