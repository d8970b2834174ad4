"""Whether ranks are uniform, and how reliable stated probabilities are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import NOT_UNIFORM
from bayescluster.checks.uniformity import band, difference, holm, rank_shape, rank_uniformity
from bayescluster.results.base import By
from bayescluster.results.claims import Tradition
from bayescluster.studies.calibration.results import (
    Band,
    Bin,
    CalibrationReplication,
    FormCalibration,
    QuantityKind,
    QuantityRow,
    Reliability,
    State,
)
from bayescluster.studies.design_analysis.results import Judged, Share
from bayescluster.studies.simulation import share_of

EDGES: Final = tuple(k / 10 for k in range(11))
"""Edges of the bins of stated probability."""
ALL_CLAIMS: Final = "All claims together"

QuantityName = tuple[QuantityKind, str]


def form_calibrations(
    made: Mapping[str, Sequence[CalibrationReplication]],
) -> tuple[FormCalibration, ...]:
    """Summarise the replications of each form; uniformity is corrected over all of them."""
    positions = {form: _positions(_passed(found)) for form, found in made.items()}
    chances = {
        (form, name): rank_uniformity(values)
        for form, named in positions.items()
        for name, values in named.items()
    }
    tested = {key: p for key, p in chances.items() if p is not None}
    corrected = dict(zip(tested, holm(list(tested.values())), strict=True))
    forms = []
    for form, found in made.items():
        everyone = _positions(found)
        rows = [
            _row(name, values, everyone[name], chances[form, name], corrected.get((form, name)))
            for name, values in positions[form].items()
        ]
        forms.append(_form(form, found, rows))
    return tuple(forms)


def state_of(forms: Sequence[FormCalibration]) -> State:
    """Whether uniformity is rejected, and whether anything could be tested at all."""
    if any(row.rejected for form in forms for row in form.rows):
        return "rejected"
    enough = all(any(row.p is not None for row in form.rows) for form in forms)
    return "not_rejected" if enough else "too_few"


def _passed(found: Sequence[CalibrationReplication]) -> list[CalibrationReplication]:
    return [each for each in found if each.status == "fitted"]


def _positions(found: Sequence[CalibrationReplication]) -> dict[QuantityName, Array]:
    positions: dict[QuantityName, list[float]] = {}
    for each in found:
        for ranked in each.ranks:
            positions.setdefault((ranked.kind, ranked.name), []).append(ranked.position)
    return {name: np.array(values) for name, values in positions.items()}


def _row(
    name: QuantityName, positions: Array, everyone: Array, p: float | None, corrected: float | None
) -> QuantityRow:
    return QuantityRow(
        kind=name[0],
        name=name[1],
        replications=positions.size,
        p=p,
        p_corrected=corrected,
        p_all=rank_uniformity(everyone),
        rejected=corrected is not None and corrected <= NOT_UNIFORM,
        shape=rank_shape(positions) if p is not None and p <= NOT_UNIFORM else None,
        mean=float(positions.mean()),
        spread=float(positions.std()),
        difference=tuple(difference(positions).tolist()),
    )


def _form(
    form: str, found: Sequence[CalibrationReplication], rows: Sequence[QuantityRow]
) -> FormCalibration:
    passed, status = _passed(found), [each.status for each in found]
    claims, everyone = _events(passed), _events(found)
    return FormCalibration(
        form=form,
        replications=len(found),
        passed=len(passed),
        not_converged=status.count("not_converged"),
        not_fitted=status.count("not_fitted"),
        divergent=sum(each.divergences > 0 for each in found),
        reasons=tuple(dict.fromkeys(each.reason for each in found if each.reason)),
        rows=tuple(sorted(rows, key=lambda row: 2.0 if row.p is None else row.p)),
        bands=tuple(_band(count) for count in sorted({row.replications for row in rows})),
        claims=tuple(_claims(claims)),
        claims_all=_together(everyone) if everyone and len(passed) < len(found) else None,
    )


def _band(count: int) -> Band:
    points, low, high = (tuple(part.tolist()) for part in band(count))
    return Band(replications=count, points=points, low=low, high=high)


class ClaimEvent(NamedTuple):
    """A claim that was given a probability, and the replication it belongs to."""

    number: int
    read: int
    """Draws behind the probability."""
    judged: Judged


class Outcomes(NamedTuple):
    """Stated probabilities, what came true, and the replication of each, ``(event,)``."""

    stated: Array
    came: NDArray[np.bool_]
    replication: NDArray[np.int64]

    def part(self, which: NDArray[np.bool_]) -> Outcomes:
        """Some of them."""
        return Outcomes(self.stated[which], self.came[which], self.replication[which])

    @property
    def replications(self) -> int:
        """How many replications they come from."""
        return int(np.unique(self.replication).size)

    @property
    def share(self) -> Share | None:
        """Share that came true; nothing of no events."""
        many = self.stated.size
        return share_of(float(self.came.sum()), many, self.replications) if many else None


def _events(found: Sequence[CalibrationReplication]) -> list[ClaimEvent]:
    return [ClaimEvent(each.number, each.read, judged) for each in found for judged in each.judged]


def _claims(events: Sequence[ClaimEvent]) -> Iterator[Reliability]:
    if not events:
        return
    yield _together(events)
    claims: dict[tuple[str, str, str], list[ClaimEvent]] = {}
    for event in events:
        judged = event.judged
        claims.setdefault((judged.tradition, judged.claim, judged.by), []).append(event)
    for some in claims.values():
        judged = some[0].judged
        yield _reliability(some, judged.tradition, judged.claim, judged.title, judged.by)


def _together(events: Sequence[ClaimEvent]) -> Reliability:
    return _reliability(events, "all", "", ALL_CLAIMS, None)


def _reliability(
    events: Sequence[ClaimEvent],
    tradition: Tradition | Literal["declared", "all"],
    claim: str,
    title: str,
    by: By | None,
) -> Reliability:
    outcomes = Outcomes(
        np.array([event.judged.probability for event in events], dtype="float64"),
        np.array([event.judged.truth for event in events]) > 0.5,
        np.array([event.number for event in events], dtype="int64"),
    )
    verdict = np.array([event.judged.verdict for event in events])
    costs = scores(outcomes, min(event.read for event in events))
    came = outcomes.share
    assert came is not None
    return Reliability(
        tradition=tradition,
        claim=claim,
        title=title,
        by=by,
        events=len(events),
        replications=outcomes.replications,
        stated=float(outcomes.stated.mean()),
        came=came,
        supported=outcomes.part(verdict == "supported").share,
        rejected=outcomes.part(verdict == "rejected").share,
        brier=costs.brier,
        brier_expected=costs.brier_expected,
        log_score=costs.log,
        log_score_expected=costs.log_expected,
        excess_z=costs.excess_z,
        bins=tuple(bins(outcomes)),
    )


def bins(outcomes: Outcomes) -> Iterator[Bin]:
    """Share that came true by stated probability."""
    which = np.clip(np.digitize(outcomes.stated, EDGES[1:-1], right=False), 0, len(EDGES) - 2)
    for k in range(len(EDGES) - 1):
        inside = outcomes.part(which == k)
        came = inside.share
        if came is not None:
            yield Bin(
                low=EDGES[k],
                high=EDGES[k + 1],
                stated=float(inside.stated.mean()),
                events=inside.stated.size,
                replications=inside.replications,
                came=came,
            )


class Scores(NamedTuple):
    """Mean scores, and what they would be on average if every stated probability were right."""

    brier: float
    brier_expected: float
    log: float
    log_expected: float
    excess_z: float | None
    """Share that came true less the mean probability stated, in its standard errors over replications;
    nothing where they do not differ."""


def scores(outcomes: Outcomes, draws: int) -> Scores:
    """Brier and logarithmic score (smaller is better), with their expectation.

    Parameters
    ----------
    outcomes
        At least one event.
    draws
        Draws behind each stated probability. In the logarithmic score it is smoothed by one draw to
        each side (Laplace's rule), or a 0 that comes true would cost infinitely much.
    """
    p, came = outcomes.stated, outcomes.came.astype("float64")
    smooth = (p * draws + 1) / (draws + 2)
    log_cost = -(came * np.log(smooth) + (1 - came) * np.log(1 - smooth))
    entropy = -(smooth * np.log(smooth) + (1 - smooth) * np.log(1 - smooth))
    _, code = np.unique(outcomes.replication, return_inverse=True)
    sums = np.bincount(code, came - p)
    error = float(np.sqrt((sums**2).sum()))
    return Scores(
        brier=float(((p - came) ** 2).mean()),
        brier_expected=float((p * (1 - p)).mean()),
        log=float(log_cost.mean()),
        log_expected=float(entropy.mean()),
        excess_z=float(sums.sum() / error) if error > 0 else None,
    )
