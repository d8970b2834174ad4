"""From replications to what a calibration says: uniformity of ranks, reliability of probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks.ranks import band, difference, shape, uniformity
from bayescluster.checks.reliability import Observed, Told, bins, observed, scores
from bayescluster.checks.thresholds import NOT_UNIFORM
from bayescluster.checks.uniformity import holm
from bayescluster.results.calibration import (
    Band,
    Bin,
    CalibrationReplication,
    FormCalibration,
    QuantityKind,
    QuantityRow,
    Reliability,
    State,
)
from bayescluster.results.design_analysis import Judged, Share

ALL_CLAIMS = "All claims together"


class Claimed(NamedTuple):
    """An event of a claim, and the replication it belongs to."""

    number: int
    read: int
    judged: Judged


def form_calibrations(
    made: Mapping[str, Sequence[CalibrationReplication]],
) -> tuple[FormCalibration, ...]:
    """Summarise the replications of each form; uniformity is corrected over all of them."""
    rows = {form: list(_rows(found)) for form, found in made.items()}
    tested = [row for some in rows.values() for row in some if row.p is not None]
    corrected = holm([row.p for row in tested if row.p is not None])
    of = {id(row): float(p) for row, p in zip(tested, corrected, strict=True)}
    return tuple(
        _form(form, found, tuple(_corrected(row, of.get(id(row))) for row in rows[form]))
        for form, found in made.items()
    )


def state_of(forms: Sequence[FormCalibration]) -> State:
    """Say whether uniformity is rejected, and whether anything could be tested at all."""
    rows = [row for form in forms for row in form.rows]
    if any(row.rejected for row in rows):
        return "rejected"
    enough = all(any(row.p is not None for row in form.rows) for form in forms)
    return "not_rejected" if enough else "too_few"


def passed_gate(found: Sequence[CalibrationReplication]) -> list[CalibrationReplication]:
    """Replications whose refit passed the gate."""
    return [each for each in found if each.status == "fitted"]


Named = tuple[QuantityKind, str]


def _positions(found: Sequence[CalibrationReplication]) -> dict[Named, Array]:
    positions: dict[Named, list[float]] = {}
    for each in found:
        for one in each.ranks:
            positions.setdefault((one.kind, one.name), []).append(one.position)
    return {name: np.array(values) for name, values in positions.items()}


def _rows(found: Sequence[CalibrationReplication]) -> Iterator[QuantityRow]:
    passed, everyone = _positions(passed_gate(found)), _positions(found)
    for (kind, name), positions in passed.items():
        yield QuantityRow(
            kind=kind,
            name=name,
            replications=positions.size,
            p=uniformity(positions),
            p_corrected=None,
            p_all=uniformity(everyone[kind, name]),
            rejected=False,
            shape=shape(positions),
            mean=float(positions.mean()),
            spread=float(positions.std()),
            difference=tuple(difference(positions).tolist()),
        )


def _corrected(row: QuantityRow, corrected: float | None) -> QuantityRow:
    if row.p is None or corrected is None:
        return row.model_copy(update={"shape": None})
    update: dict[str, Any] = {"p_corrected": corrected, "rejected": corrected <= NOT_UNIFORM}
    if row.p > NOT_UNIFORM:
        update["shape"] = None
    return row.model_copy(update=update)


def _form(
    form: str, found: Sequence[CalibrationReplication], rows: Sequence[QuantityRow]
) -> FormCalibration:
    passed = passed_gate(found)
    status = [each.status for each in found]
    claims = list(_events(passed))
    everyone = list(_events(found))
    reasons = dict.fromkeys(each.reason for each in found if each.reason)
    return FormCalibration(
        form=form,
        replications=len(found),
        passed=len(passed),
        not_converged=status.count("not_converged"),
        not_fitted=status.count("not_fitted"),
        divergent=sum(each.divergences > 0 for each in found),
        reasons=tuple(reasons),
        rows=tuple(sorted(rows, key=lambda row: 2.0 if row.p is None else row.p)),
        bands=tuple(_band(count) for count in sorted({row.replications for row in rows})),
        claims=tuple(_claims(claims)),
        claims_all=_together(everyone) if everyone and len(passed) < len(found) else None,
    )


def _band(count: int) -> Band:
    found = band(count)
    ends = (tuple(part.tolist()) for part in found)
    points, low, high = ends
    return Band(replications=count, points=points, low=low, high=high)


def _events(found: Sequence[CalibrationReplication]) -> Iterator[Claimed]:
    for each in found:
        for judged in each.judged:
            yield Claimed(each.number, each.read, judged)


def _claims(events: Sequence[Claimed]) -> Iterator[Reliability]:
    if not events:
        return
    yield _together(events)
    claims: dict[tuple[str, str, str], list[Claimed]] = {}
    for event in events:
        judged = event.judged
        claims.setdefault((judged.tradition, judged.claim, judged.by), []).append(event)
    for some in claims.values():
        first = some[0].judged
        yield _reliability(
            some,
            {
                "tradition": first.tradition,
                "claim": first.claim,
                "title": first.title,
                "by": first.by,
            },
        )


def _together(events: Sequence[Claimed]) -> Reliability:
    about = {"tradition": "all", "claim": "", "title": ALL_CLAIMS, "by": None}
    return _reliability(events, about)


def _reliability(events: Sequence[Claimed], about: Mapping[str, object]) -> Reliability:
    told = _told(events)
    score = scores(told, min(event.read for event in events))
    verdict = np.array([event.judged.verdict for event in events])
    came = observed(told)
    assert came is not None
    return Reliability.model_validate(
        {
            **about,
            "events": came.events,
            "replications": came.replications,
            "stated": came.stated,
            "came": _share(came),
            "supported": _share(observed(told.part(verdict == "supported"))),
            "rejected": _share(observed(told.part(verdict == "rejected"))),
            "brier": score.brier,
            "brier_expected": score.brier_expected,
            "log_score": score.log,
            "log_score_expected": score.log_expected,
            "excess_z": score.excess_z,
            "bins": tuple(
                Bin(
                    low=low,
                    high=high,
                    stated=each.stated,
                    events=each.events,
                    replications=each.replications,
                    came=Share(share=each.share, low=each.low, high=each.high),
                )
                for low, high, each in bins(told)
            ),
        }
    )


def _share(found: Observed | None) -> Share | None:
    return None if found is None else Share(share=found.share, low=found.low, high=found.high)


def _told(events: Sequence[Claimed]) -> Told:
    return Told(
        np.array([event.judged.probability for event in events], dtype="float64"),
        np.array([event.judged.truth for event in events]) > 0.5,
        np.array([event.number for event in events], dtype="int64"),
    )
