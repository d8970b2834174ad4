"""Shares of right and wrong verdicts, and the sizes at which verdicts are right often enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, cast, get_args

import numpy as np

from bayescluster.arrays import Array
from bayescluster.results.base import VERDICT_STATES
from bayescluster.studies.design_analysis.results import (
    DesignRow,
    Failures,
    Judged,
    Needed,
    Replication,
    Share,
    SizeFacts,
    Way,
)
from bayescluster.studies.simulation import share_of

ENOUGH: Final = 0.8
"""Share of right verdicts that is asked for: the usual power of a study."""
ALL_FORMS: Final = "all"
REASONS_SHOWN: Final = 3
ROUNDING: Final = 1e-12

ClaimKey = tuple[str, str, str, str]
"""Fitted form, tradition, claim and kind of group."""


class SizeReplications(NamedTuple):
    """A size with its replications."""

    size: SizeFacts
    replications: tuple[Replication, ...]


class _Verdict(NamedTuple):
    """A verdict whose truth is known, and the replication it belongs to."""

    replication: tuple[str, int]
    judged: Judged
    true: bool


_Truth = tuple[str, float | None]
"""Form and base rate."""


def design_rows(sizes: Sequence[SizeReplications], one_fit: str = "") -> tuple[DesignRow, ...]:
    """Count verdicts by size, truth, fitted form and claim; then over all true forms.

    Parameters
    ----------
    sizes
        Replications of each size.
    one_fit
        Stands for every fitted form, where they are to be taken together.
    """
    return tuple(row for each in sizes for row in _rows(each, one_fit))


def _rows(found: SizeReplications, one_fit: str) -> Iterator[DesignRow]:
    truths = list(dict.fromkeys((each.truth, each.base_rate) for each in found.replications))
    from_prior = [truth for truth in truths if truth[1] is None]
    everything: _Truth = (ALL_FORMS, None)
    cells: dict[tuple[_Truth, ClaimKey], list[_Verdict]] = {}
    for each in found.replications:
        own: _Truth = (each.truth, each.base_rate)
        # a compensatory truth is a question of its own, and no part of the average over the forms
        summed = [everything] if own in from_prior and len(from_prior) > 1 else []
        for judged in each.judged:
            key: ClaimKey = (
                one_fit or each.fitted,
                judged.tradition,
                judged.claim,
                judged.by,
            )
            for truth in (own, *summed):
                verdicts = cells.setdefault((truth, key), [])
                if judged.truth is not None:
                    true = judged.truth > 0.5
                    verdicts.append(_Verdict((each.truth, each.number), judged, true))
    order = [*from_prior, everything, *(truth for truth in truths if truth not in from_prior)]
    for truth, key in sorted(cells, key=lambda cell: order.index(cell[0])):
        if cells[truth, key]:
            yield _row(found.size, truth, key[0], cells[truth, key])


def _row(size: SizeFacts, truth: _Truth, fitted: str, verdicts: Sequence[_Verdict]) -> DesignRow:
    first = verdicts[0].judged
    outlooks = Counter(each.judged.outlook for each in verdicts)
    states = Counter(each.judged.verdict for each in verdicts)
    replications = _replications(verdicts)

    def share(count: int) -> Share:
        return share_of(count, len(verdicts), replications)

    true, false = ([each for each in verdicts if each.true is side] for side in (True, False))
    return DesignRow(
        firms_times=size.firms_times,
        clusters_times=size.clusters_times,
        truth=truth[0],
        base_rate=truth[1],
        fitted=fitted,
        tradition=first.tradition,
        claim=first.claim,
        title=first.title,
        by=first.by,
        replications=replications,
        verdicts=len(verdicts),
        true=len(true),
        region_only=sum((each.judged.region or 0) > 0.5 for each in false),
        right=share(outlooks["right"]),
        wrong=share(outlooks["wrong"]),
        **{
            state.replace(" ", "_").replace("-", "_"): share(states[state])
            for state in VERDICT_STATES
        },
        supported_where_true=_supported(true),
        supported_where_false=_supported(false),
    )


def _supported(verdicts: Sequence[_Verdict]) -> Share | None:
    if not verdicts:
        return None
    many = sum(each.judged.verdict == "supported" for each in verdicts)
    return share_of(many, len(verdicts), _replications(verdicts))


def _replications(verdicts: Sequence[_Verdict]) -> int:
    return len({each.replication for each in verdicts})


def failures(sizes: Sequence[SizeReplications]) -> tuple[Failures, ...]:
    """Count the replications that failed, by size and forms."""
    found = []
    for size, replications in sizes:
        pairs: dict[tuple[str, float | None, str], list[Replication]] = {}
        for each in replications:
            pairs.setdefault((each.truth, each.base_rate, each.fitted), []).append(each)
        for (truth, base_rate, fitted), some in pairs.items():
            status = Counter(each.status for each in some)
            reasons = dict.fromkeys(each.reason for each in some if each.reason)
            found.append(
                Failures(
                    firms_times=size.firms_times,
                    clusters_times=size.clusters_times,
                    truth=truth,
                    base_rate=base_rate,
                    fitted=fitted,
                    replications=len(some),
                    not_converged=status["not_converged"],
                    not_fitted=status["not_fitted"],
                    divergent=sum(each.divergences > 0 for each in some),
                    reasons=tuple(reasons)[:REASONS_SHOWN],
                )
            )
    return tuple(found)


def needed(sizes: Sequence[SizeReplications], rows: Sequence[DesignRow]) -> tuple[Needed, ...]:
    """Find at which of the sizes run each claim is judged right often enough, over all true forms.

    Along the firms with the clusters as they are, and the other way round; where the data's own size
    was not run, along the sizes nearest to it.
    """
    several = any(row.truth == ALL_FORMS for row in rows)
    at: dict[ClaimKey, dict[tuple[float, float], DesignRow]] = {}
    for row in rows:
        if row.base_rate is None and (row.truth == ALL_FORMS or not several):
            claim: ClaimKey = (row.fitted, row.tradition, row.claim, row.by)
            at.setdefault(claim, {})[row.firms_times, row.clusters_times] = row
    found, ways = list[Needed](), cast("tuple[Way, ...]", get_args(Way))
    for way in ways:
        line = _line([each.size for each in sizes], way)
        for mine in at.values():
            pairs = [(size, mine.get((size.firms_times, size.clusters_times))) for size in line]
            known = [(size, row) for size, row in pairs if row is not None]
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


def _needed(way: Way, known: Sequence[tuple[SizeFacts, DesignRow]]) -> Needed:
    row = known[0][1]
    shares = np.array([each.right.share for _, each in known])
    smoothed = isotonic(shares, np.array([float(each.replications) for _, each in known]))
    counts = [size.firms if way == "firms" else size.clusters for size, _ in known]
    reached = np.flatnonzero(smoothed >= ENOUGH - ROUNDING)
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
