"""Rows of several runs set side by side: what one run lacks is left empty, never dropped."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence

from bayescluster.results.compared import (
    CapitalUnit,
    ComparedCorner,
    ComparedEffect,
    ComparedRun,
    ComparedVerdict,
    ToldVerdict,
)
from bayescluster.results.model import Results, Verdict
from bayescluster.runs.keys import without_directory
from bayescluster.runs.store import RunDirectory

KEY_SHOWN = 6


def run_facts(runs: Sequence[tuple[RunDirectory, Results, str]]) -> tuple[ComparedRun, ...]:
    """Facts of every run, each with a name of its own.

    Parameters
    ----------
    runs
        Directory, results, and the key of these.
    """
    names = [results.name for _, results, _ in runs]
    forms = [f"{results.name}: {', '.join(_forms(results))}" for _, results, _ in runs]
    keys = [f"{results.name} ({results.reproduction.key[:KEY_SHOWN]})" for _, results, _ in runs]
    labels = next((each for each in (names, forms) if len(set(each)) == len(each)), keys)
    return tuple(
        _facts(results, key, label) for (_, results, key), label in zip(runs, labels, strict=True)
    )


def _forms(results: Results) -> tuple[str, ...]:
    found = results.comparison
    return (results.model.structure,) if found is None else tuple(row.form for row in found.forms)


def _facts(results: Results, key: str, label: str) -> ComparedRun:
    sample, found = results.sample, results.comparison
    failing = (item.name for item in results.gate.items if item.passed is not True)
    return ComparedRun(
        label=label,
        name=results.name,
        title=results.title,
        run_key=results.reproduction.key,
        results_key=key,
        outcome=results.outcome,
        forms=_forms(results),
        leading=None if found is None else found.leading,
        data=without_directory(sample.label),
        data_digest=results.reproduction.data_digest,
        synthetic=sample.synthetic,
        gate_passed=results.gate.passed,
        failing=tuple(failing),
        rows=sample.rows,
        firms=sample.firms,
        clusters=sample.clusters,
        industries=sample.industries,
        capitals=_units(results),
    )


def _units(results: Results) -> tuple[CapitalUnit, ...]:
    first = results.corners[0] if results.corners else None
    ends = {
        "human_capital": (first.human_low, first.human_high) if first else (None, None),
        "social_capital": (first.social_low, first.social_high) if first else (None, None),
    }
    return tuple(
        CapitalUnit(
            capital=one.capital,
            unit=one.unit,
            center=one.center,
            scale=one.scale,
            low=ends[one.capital][0],
            high=ends[one.capital][1],
        )
        for one in results.measures
    )


def _side_by_side[T](
    runs: Iterable[Iterable[T]], key: Callable[[T], Hashable]
) -> dict[Hashable, list[T | None]]:
    """Rows by what they are of, a place a run, in the order in which they are first met."""
    whole = [list(rows) for rows in runs]
    found: dict[Hashable, list[T | None]] = {}
    for position, rows in enumerate(whole):
        for row in rows:
            found.setdefault(key(row), [None] * len(whole))[position] = row
    return found


def effect_rows(runs: Sequence[Results]) -> tuple[ComparedEffect, ...]:
    """Effects of the capitals overall and by industry."""
    kept = [[row for row in one.effects if row.by != "cluster"] for one in runs]
    found = _side_by_side(kept, lambda row: (row.capital, row.measure, row.by, row.group))
    rows = []
    for told in found.values():
        one = next(row for row in told if row is not None)
        rows.append(
            ComparedEffect(
                capital=one.capital,
                measure=one.measure,
                by=one.by,
                group=one.group,
                estimates=tuple(None if row is None else row.estimate for row in told),
                positive=tuple(None if row is None else row.positive for row in told),
            )
        )
    return tuple(rows)


def corner_rows(runs: Sequence[Results]) -> tuple[ComparedCorner, ...]:
    """Corners overall and by industry, those of the same declared levels and scope together."""
    kept = [
        [
            (table.scope, table.declared, table.at_least, row)
            for table in one.corners
            for row in table.rows
            if row.by != "cluster"
        ]
        for one in runs
    ]
    found = _side_by_side(kept, lambda each: (*each[:3], each[3].by, each[3].group, each[3].corner))
    rows = []
    for told in found.values():
        scope, declared, at_least, one = next(each for each in told if each is not None)
        rows.append(
            ComparedCorner(
                scope=scope,
                declared=declared,
                at_least=at_least,
                by=one.by,
                group=one.group,
                corner=one.corner,
                estimates=tuple(None if each is None else each[3].estimate for each in told),
            )
        )
    return tuple(rows)


def verdict_rows(runs: Sequence[Results]) -> tuple[ComparedVerdict, ...]:
    """Verdicts on the same claim, scope and group; the first where a run makes a claim twice."""
    kept: list[list[Verdict]] = []
    for one in runs:
        by_claim: dict[Hashable, Verdict] = {}
        for verdict in one.verdicts:
            by_claim.setdefault(_claim(verdict), verdict)
        kept.append(list(by_claim.values()))
    rows = []
    for told in _side_by_side(kept, _claim).values():
        one_verdict = next(verdict for verdict in told if verdict is not None)
        rows.append(
            ComparedVerdict(
                title=one_verdict.title,
                scope=one_verdict.scope,
                by=one_verdict.by,
                group=one_verdict.group,
                told=tuple(None if verdict is None else _verdict(verdict) for verdict in told),
            )
        )
    return tuple(rows)


def _claim(verdict: Verdict) -> Hashable:
    return verdict.title, verdict.scope, verdict.by, verdict.group


def _verdict(found: Verdict) -> ToldVerdict:
    return ToldVerdict(
        verdict=found.verdict,
        probability=found.probability,
        prior_probability=found.prior_probability,
        level=found.level,
        region=found.region,
        stopped=found.stopped,
    )
