"""From replications to how often each verdict is right, and to how many firms it would need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from scipy.stats import beta

from bayescluster.arrays import Array
from bayescluster.results.base import INTERVAL
from bayescluster.results.design_analysis import (
    DesignRow,
    Failures,
    Judged,
    Needed,
    Outlook,
    Replication,
    Share,
    SizeFacts,
    Way,
)

ENOUGH: Final = 0.8
"""Share of right verdicts that is asked for: the usual power of a study."""
ALL_FORMS: Final = "all"
REASONS_SHOWN: Final = 3


class Sized(NamedTuple):
    """A size with its replications."""

    size: SizeFacts
    replications: tuple[Replication, ...]


def share_of(count: float, size: float, clusters: int) -> Share:
    """A share with its Jeffreys interval.

    Groups of the same replication share its chance, so that the interval counts replications, not
    verdicts. Source: Brown, Cai and DasGupta (2001), Statistical Science 16(2).

    Parameters
    ----------
    count, size
        Verdicts of a kind, and verdicts.
    clusters
        Replications behind them.
    """
    share = count / size
    hits = share * clusters
    tail = (1 - INTERVAL) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits + 0.5, clusters - hits + 0.5))
    high = 1.0 if hits == clusters else float(beta.isf(tail, hits + 0.5, clusters - hits + 0.5))
    return Share(share=share, low=low, high=high)


def design_rows(sized: Sequence[Sized], one_fit: str = "") -> tuple[DesignRow, ...]:
    """Count verdicts by size, true form, fitted form and claim; then over all true forms.

    Parameters
    ----------
    sized
        Replications of each size.
    one_fit
        Stands for every fitted form, where they are to be taken together.
    """
    return tuple(row for one in sized for row in _rows_of_size(one, one_fit))


class _Case(NamedTuple):
    """A verdict, and the replication it belongs to."""

    replication: tuple[str, int]
    judged: Judged


Name = tuple[str, str, str, str, str]


def _rows_of_size(one: Sized, one_fit: str) -> Iterator[DesignRow]:
    found: dict[Name, list[_Case]] = {}
    forms = list(dict.fromkeys(each.truth for each in one.replications))
    for each in one.replications:
        for said in each.judged:
            case = _Case((each.truth, each.number), said)
            for truth in (each.truth, ALL_FORMS) if len(forms) > 1 else (each.truth,):
                key: Name = (truth, one_fit or each.fitted, said.tradition, said.claim, said.by)
                found.setdefault(key, []).append(case)
    order = [*forms, ALL_FORMS]
    for name in sorted(found, key=lambda name: order.index(name[0])):
        row = _row(one.size, name, found[name])
        if row is not None:
            yield row


def _row(size: SizeFacts, key: Name, cases: Sequence[_Case]) -> DesignRow | None:
    known = [case for case in cases if case.judged.truth is not None]
    if not known:
        return None
    outlooks = Counter(case.judged.outlook for case in known)
    replications = _replications(known)

    def share(outlook: Outlook) -> Share:
        return share_of(outlooks[outlook], len(known), replications)

    sides = {
        side: [case for case in known if ((case.judged.truth or 0.0) > 0.5) is side]
        for side in (True, False)
    }
    return DesignRow.model_validate(
        {
            "firms_times": size.firms_times,
            "clusters_times": size.clusters_times,
            "truth": key[0],
            "fitted": key[1],
            "tradition": key[2],
            "claim": key[3],
            "title": known[0].judged.title,
            "by": key[4],
            "replications": replications,
            "verdicts": len(known),
            "true": len(sides[True]),
            "right": share("right"),
            "wrong": share("wrong"),
            "undecided": share("undecided"),
            "supported_where_true": _supported(sides[True]),
            "supported_where_false": _supported(sides[False]),
        }
    )


def _supported(cases: Sequence[_Case]) -> Share | None:
    if not cases:
        return None
    many = sum(case.judged.verdict == "supported" for case in cases)
    return share_of(many, len(cases), _replications(cases))


def _replications(cases: Iterable[_Case]) -> int:
    return len({case.replication for case in cases})


def failures(sized: Sequence[Sized]) -> tuple[Failures, ...]:
    """Count the replications that failed, by size and forms."""
    found = []
    for size, replications in sized:
        pairs = dict.fromkeys((each.truth, each.fitted) for each in replications)
        for truth, fitted in pairs:
            mine = [each for each in replications if (each.truth, each.fitted) == (truth, fitted)]
            status = Counter(each.status for each in mine)
            reasons = dict.fromkeys(each.reason for each in mine if each.reason)
            found.append(
                Failures(
                    firms_times=size.firms_times,
                    clusters_times=size.clusters_times,
                    truth=truth,
                    fitted=fitted,
                    replications=len(mine),
                    not_converged=status["not_converged"],
                    not_fitted=status["not_fitted"],
                    divergent=sum(each.divergences > 0 for each in mine),
                    reasons=tuple(reasons)[:REASONS_SHOWN],
                )
            )
    return tuple(found)


def isotonic(values: Array, weights: Array) -> Array:
    """Nearest values that never fall, by pooling neighbours that do.

    Source: Barlow, Bartholomew, Bremner and Brunk (1972), pool adjacent violators.
    """
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        block = (value, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, mass, count = blocks.pop()
            total = mass + block[1]
            block = ((mean * mass + block[0] * block[1]) / total, total, count + block[2])
        blocks.append(block)
    return np.array([mean for mean, _, count in blocks for _ in range(count)])


def needed(sized: Sequence[Sized], rows: Sequence[DesignRow]) -> tuple[Needed, ...]:
    """Say at which of the sizes run each claim is judged right often enough, over all true forms.

    Along the firms with the clusters as they are, and the other way round; where the data's own size
    was not run, along the sizes nearest to it.
    """
    sizes = [one.size for one in sized]
    overall = {row.truth for row in rows}
    truth = ALL_FORMS if ALL_FORMS in overall else next(iter(overall), "")
    found = []
    ways: tuple[Way, ...] = ("firms", "clusters")
    for way in ways:
        line = _line(sizes, way)
        if len(line) < 2:
            continue
        names = dict.fromkeys(
            (row.fitted, row.tradition, row.claim, row.by) for row in rows if row.truth == truth
        )
        for name in names:
            along = [_find(rows, truth, name, size) for size in line]
            known = [(size, row) for size, row in zip(line, along, strict=True) if row is not None]
            if len(known) > 1:
                found.append(_needed(way, known))
    return tuple(found)


def _line(sizes: Sequence[SizeFacts], way: Way) -> list[SizeFacts]:
    """Sizes that differ in one way only, the other nearest to that of the data."""
    other: Way = "clusters" if way == "firms" else "firms"
    held = min((_times(size, other) for size in sizes), key=lambda times: abs(np.log(times)))
    line = [size for size in sizes if _times(size, other) == held]
    return sorted(line, key=lambda size: _times(size, way))


def _times(size: SizeFacts, way: Way) -> float:
    return size.firms_times if way == "firms" else size.clusters_times


def _find(
    rows: Sequence[DesignRow], truth: str, name: tuple[str, ...], size: SizeFacts
) -> DesignRow | None:
    for row in rows:
        here = (row.firms_times, row.clusters_times) == (size.firms_times, size.clusters_times)
        if here and row.truth == truth and (row.fitted, row.tradition, row.claim, row.by) == name:
            return row
    return None


def _needed(way: Way, known: Sequence[tuple[SizeFacts, DesignRow]]) -> Needed:
    row = known[0][1]
    shares = np.array([each.right.share for _, each in known])
    weights = np.array([float(each.replications) for _, each in known])
    smoothed = isotonic(shares, weights)
    counts = [size.firms if way == "firms" else size.clusters for size, _ in known]
    reached = np.flatnonzero(smoothed >= ENOUGH - 1e-12)
    first = int(reached[0]) if reached.size else None
    return Needed(
        fitted=row.fitted,
        tradition=row.tradition,
        claim=row.claim,
        title=row.title,
        by=row.by,
        way=way,
        enough=None if first is None else counts[first],
        at_most=first == 0,
        largest=counts[-1],
        smoothed=tuple(float(value) for value in smoothed),
        sizes=tuple(counts),
    )
