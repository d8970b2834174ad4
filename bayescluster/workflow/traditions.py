"""The claims table: every claim read by every tradition that speaks of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from bayescluster.hypotheses.causes.readings import causal_readings
from bayescluster.hypotheses.ceilings.readings import Preferred, ceiling_readings
from bayescluster.hypotheses.claims import CLAIMS
from bayescluster.hypotheses.claims_words import disagreement, row_words, silence
from bayescluster.hypotheses.corner_readings import Judge, corner_readings
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.sets.readings import set_readings
from bayescluster.results.claims import TRADITIONS, ClaimRow, Claims, Reading
from bayescluster.workflow.causes import causal_verdicts


class Asked(NamedTuple):
    """What a tradition reads from: estimands, a judge of corner claims, the gate, ceiling models."""

    evidence: Evidence
    judge: Judge
    gate_passed: bool
    preferred: Preferred | None = None
    """Effect sizes under a model of the ceiling, where one was fitted."""


Reader = Callable[[Asked], Iterable[Reading]]


def _corners(asked: Asked) -> Iterable[Reading]:
    return corner_readings(asked.evidence, asked.judge, asked.gate_passed)


def _causes(asked: Asked) -> Iterable[Reading]:
    return causal_readings(causal_verdicts(asked.evidence, asked.gate_passed))


def _sets(asked: Asked) -> Iterable[Reading]:
    return set_readings(asked.evidence.sets, asked.gate_passed)


def _ceilings(asked: Asked) -> Iterable[Reading]:
    return ceiling_readings(asked.evidence, asked.gate_passed, asked.preferred)


READERS: Final[tuple[Reader, ...]] = (_corners, _ceilings, _sets, _causes)
"""One a tradition, in the order of the table."""
READERS_OF_THE_POSTERIOR: Final[tuple[Reader, ...]] = (_corners, _ceilings, _causes)
"""Those whose probabilities are shares of posterior draws; of the others, of replicated firms."""


def readings_of(asked: Asked, readers: tuple[Reader, ...] = READERS) -> tuple[Reading, ...]:
    """Read every claim by every tradition, or by some of them."""
    return tuple(reading for reader in readers for reading in reader(asked))


def claims_table(level: float, readings: Iterable[Reading]) -> Claims:
    """Arrange readings by claim and group, and say what they say together."""
    found: dict[tuple[str, str, str], list[Reading]] = {}
    for reading in readings:
        found.setdefault((reading.claim, reading.by, reading.group), []).append(reading)
    return Claims(level=level, rows=tuple(_rows(found.values())))


def _rows(found: Iterable[list[Reading]]) -> Iterator[ClaimRow]:
    order = list(CLAIMS)
    for readings in sorted(found, key=lambda some: order.index(some[0].claim)):
        first = readings[0]
        spoken = {reading.tradition for reading in readings}
        yield ClaimRow(
            claim=first.claim,
            title=CLAIMS[first.claim],
            by=first.by,
            group=first.group,
            readings=tuple(readings),
            silent={name: silence(name, first.claim) for name in TRADITIONS if name not in spoken},
            words=row_words(readings),
            disagreement=disagreement(readings),
        )
