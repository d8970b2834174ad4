"""Results of finished runs side by side, which pairs can be subtracted, and what to be wary of.

Draws of two runs are subtracted only where the runs are independent of each other: no firm is in both.
Independent posteriors can be paired in any order, so the draws of the second are permuted: what is left
of the order of the chains in either does not go into the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final, Literal, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.estimands.diagnostics import estimate
from bayescluster.lookup import counted
from bayescluster.results.model import Results
from bayescluster.runs.keys import without_directory
from bayescluster.studies.compare.results import (
    CapitalUnit,
    ClaimVerdict,
    ComparedCorner,
    ComparedDifference,
    ComparedEffect,
    ComparedRun,
    ComparedVerdict,
    Pair,
    Standing,
)
from bayescluster.studies.matching import claim_of, matched

KEY_SHOWN: Final = 6
COMPARE_STREAM: Final = 34
"""Keeps the pairing of draws apart from all other random streams."""
BOUNDED: Final = ("probability", "share")
SAME: Final = 1e-9
"""Relative difference of centres and scales below which capitals have the same unit."""

OTHER_VERDICT: Final = (
    "That a claim is supported in one run and not in another does not show that the runs differ: "
    "look at the differences."
)

Firms = frozenset[str] | None
EffectKey = tuple[str, str, str, str]
"""Capital, measure, kind of group and group."""
EffectDraws = Mapping[EffectKey, Array]
"""Draws of every effect of a run, ``(draw,)``."""


def run_facts(runs: Sequence[tuple[Results, str]]) -> tuple[ComparedRun, ...]:
    """Describe every run, each with a label of its own.

    Parameters
    ----------
    runs
        Results, and the key of these.
    """
    names = [results.name for results, _ in runs]
    forms = [f"{results.name}: {', '.join(_forms(results))}" for results, _ in runs]
    keys = [f"{results.name} ({results.reproduction.key[:KEY_SHOWN]})" for results, _ in runs]
    labels = next((each for each in (names, forms) if len(set(each)) == len(each)), keys)
    return tuple(
        _run_facts(results, key, label) for (results, key), label in zip(runs, labels, strict=True)
    )


def _run_facts(results: Results, key: str, label: str) -> ComparedRun:
    sample = results.sample
    return ComparedRun(
        label=label,
        name=results.name,
        title=results.title,
        run_key=results.reproduction.key,
        results_key=key,
        outcome=results.outcome,
        forms=_forms(results),
        leading=None if results.comparison is None else results.comparison.leading,
        data=without_directory(sample.label),
        data_digest=results.reproduction.data_digest,
        synthetic=sample.synthetic,
        gate_passed=results.gate.passed,
        failing=tuple(item.name for item in results.gate.items if item.passed is not True),
        rows=sample.rows,
        firms=sample.firms,
        clusters=sample.clusters,
        industries=sample.industries,
        capitals=_capital_units(results),
    )


def _forms(results: Results) -> tuple[str, ...]:
    if results.comparison is None:
        return (results.model.structure,)
    return tuple(row.form for row in results.comparison.forms)


def _capital_units(results: Results) -> tuple[CapitalUnit, ...]:
    ends: dict[str, tuple[float, float]] = {}
    if results.corners:
        first = results.corners[0]
        ends["human_capital"] = first.human_low, first.human_high
        ends["social_capital"] = first.social_low, first.social_high
    units = []
    for measure in results.measures:
        low, high = ends.get(measure.capital, (None, None))
        units.append(
            CapitalUnit(
                capital=measure.capital,
                unit=measure.unit,
                center=measure.center,
                scale=measure.scale,
                low=low,
                high=high,
            )
        )
    return tuple(units)


def effect_rows(runs: Sequence[Results]) -> tuple[ComparedEffect, ...]:
    """Match effects of the capitals overall and by industry."""
    kept = [[row for row in run.effects if row.by != "cluster"] for run in runs]
    effects = matched(kept, lambda row: (row.capital, row.measure, row.by, row.group))
    return tuple(
        ComparedEffect(
            capital=capital,
            measure=measure,
            by=by,
            group=group,
            estimates=tuple(row and row.estimate for row in rows),
            positive=tuple(row and row.positive for row in rows),
        )
        for (capital, measure, by, group), rows in effects.items()
    )


def corner_rows(runs: Sequence[Results]) -> tuple[ComparedCorner, ...]:
    """Match corners overall and by industry, at the same declared levels and of the same scope."""
    kept = [
        [(table, row) for table in run.corners for row in table.rows if row.by != "cluster"]
        for run in runs
    ]
    corners = matched(
        kept,
        lambda pair: (
            *(pair[0].scope, pair[0].declared, pair[0].at_least),
            *(pair[1].by, pair[1].group, pair[1].corner),
        ),
    )
    return tuple(
        ComparedCorner(
            scope=scope,
            declared=declared,
            at_least=at_least,
            by=by,
            group=group,
            corner=corner,
            estimates=tuple(pair and pair[1].estimate for pair in pairs),
        )
        for (scope, declared, at_least, by, group, corner), pairs in corners.items()
    )


def verdict_rows(runs: Sequence[Results]) -> tuple[ComparedVerdict, ...]:
    """Match verdicts on the same claim, scope and group; the first where a run makes a claim twice."""
    claims = matched([run.verdicts for run in runs], claim_of)
    return tuple(
        ComparedVerdict(
            title=title,
            scope=scope,
            by=by,
            group=group,
            told=tuple(
                verdict and ClaimVerdict.model_validate(verdict, from_attributes=True)
                for verdict in verdicts
            ),
        )
        for (title, scope, by, group), verdicts in claims.items()
    )


def pairs_of(runs: Sequence[ComparedRun], firms: Sequence[Firms]) -> tuple[Pair, ...]:
    """Decide of every two runs whether they can be subtracted, with the reason.

    Parameters
    ----------
    runs
        The runs.
    firms
        Identifiers of the firms of each; None where an analysis names no column of them.
    """
    return tuple(
        _pair(first, second, runs, firms) for first, second in combinations(range(len(runs)), 2)
    )


def _pair(first: int, second: int, runs: Sequence[ComparedRun], firms: Sequence[Firms]) -> Pair:
    one, other = runs[first], runs[second]
    unidentified = None in (firms[first], firms[second])
    shared = len((firms[first] or frozenset()) & (firms[second] or frozenset()))
    same_data = one.data_digest == other.data_digest
    standing: Standing = "shared"
    if _scale(one) != _scale(other):
        standing = "apart"
        why = (
            f"the outcomes are on other scales or in other units ({one.outcome.label}; "
            f"{other.outcome.label}): there is no difference to speak of"
        )
    elif same_data and (unidentified or shared):
        why = (
            "both runs are of the same data: their posteriors depend on each other in a way that "
            "neither knows, so the difference has no interval"
        )
    elif unidentified:
        why = (
            "an analysis names no column that identifies the firms (`data: firm`), so that it cannot be "
            "ruled out that some firms are in both: the difference has no interval"
        )
    elif shared:
        why = (
            f"{shared:,} firm identifiers are in both runs: if these are the same firms, the "
            "posteriors are not independent, so the difference has no interval (give firms of other "
            "places other identifiers)"
        )
    else:
        standing = "independent"
        where = "one file, but no firm in both" if same_data else "other data and no firm in both"
        why = f"{where}: draws are subtracted as independent"
    return Pair(first=first, second=second, standing=standing, why=why, firms_shared=shared)


def _scale(run: ComparedRun) -> tuple[str, ...]:
    """Scale and unit of the outcome: only runs of the same can be subtracted."""
    outcome = run.outcome
    if outcome.scale in BOUNDED:
        return ("from 0 to 1",)
    return (outcome.scale, outcome.label, *outcome.levels)


def differences(
    effects: Sequence[ComparedEffect], pairs: Sequence[Pair], draws: Callable[[int], EffectDraws]
) -> Iterator[ComparedDifference]:
    """Subtract effects of every pair of runs that can be subtracted.

    Parameters
    ----------
    effects, pairs
        Effects in every run, and the pairs of runs.
    draws
        Draws of the effects of a run, by its position: asked for only where they are subtracted.
    """
    for pair in pairs:
        both = [row for row in effects if row.estimates[pair.first] and row.estimates[pair.second]]
        if pair.standing != "apart":
            for row in both:
                yield _difference(row, pair, draws)


def _difference(
    row: ComparedEffect, pair: Pair, draws: Callable[[int], EffectDraws]
) -> ComparedDifference:
    first, second = row.estimates[pair.first], row.estimates[pair.second]
    assert first is not None
    assert second is not None
    summary, positive = None, None
    if pair.standing == "independent":
        name = (row.capital, row.measure, row.by, row.group)
        one, other = draws(pair.first)[name], draws(pair.second)[name]
        count = min(one.size, other.size)
        rng = np.random.default_rng((COMPARE_STREAM, pair.first, pair.second))
        less = one[_evenly(one.size, count)] - rng.permutation(other[_evenly(other.size, count)])
        summary, positive = estimate(less), float((less > 0).mean())
        if first.mcse is not None and second.mcse is not None:
            error = float(np.hypot(first.mcse, second.mcse))
            summary = summary.model_copy(update={"mcse": error})
    return ComparedDifference(
        first=pair.first,
        second=pair.second,
        capital=row.capital,
        measure=row.measure,
        by=row.by,
        group=row.group,
        mean=first.mean - second.mean,
        estimate=summary,
        positive=positive,
    )


def _evenly(size: int, count: int) -> np.ndarray:
    """Positions of ``count`` of ``size`` draws, evenly spaced."""
    return np.linspace(0, size - 1, count).astype("int64")


Concern = Literal["gate", "firms", "outcomes", "forms", "units", "levels", "claims"]
"""What a warning is about."""


class Warned(NamedTuple):
    """A warning, and what it is about."""

    concern: Concern
    text: str


def warnings_of(
    runs: Sequence[ComparedRun], verdicts: Sequence[ComparedVerdict], pairs: Sequence[Pair]
) -> tuple[Warned, ...]:
    """Warn of everything that makes the runs less comparable than they look."""
    found: dict[Concern, Iterable[str]] = {
        "gate": _failed_gates(runs),
        "firms": _other_firms(runs, pairs),
        "outcomes": _other_outcomes(runs),
        "forms": _other_forms(runs),
        "units": _other_units(runs),
        "levels": _other_levels(runs),
        "claims": _other_claims(runs, verdicts),
    }
    return tuple(Warned(concern, text) for concern, texts in found.items() for text in texts)


def _failed_gates(runs: Sequence[ComparedRun]) -> Iterator[str]:
    for run in runs:
        if not run.gate_passed:
            checks = f" ({', '.join(run.failing)})" if run.failing else ""
            yield f"The diagnostics gate of {run.label} failed{checks}: nothing it says can be relied on."


def _other_firms(runs: Sequence[ComparedRun], pairs: Sequence[Pair]) -> Iterator[str]:
    synthetic = [run for run in runs if run.synthetic]
    if synthetic and len(synthetic) < len(runs):
        yield (
            f"The firms of {_labels(synthetic)} are synthetic, the others are not: what differs between "
            "them says nothing of real firms."
        )
    digests = len({run.data_digest for run in runs})
    sizes = len({(run.rows, run.firms, run.clusters, run.industries) for run in runs})
    if digests > 1 or sizes > 1 or any(pair.standing == "independent" for pair in pairs):
        samples = _by_run(
            (
                run.label,
                f"{run.data}, {counted(run.firms, 'firm')} in {counted(run.clusters, 'cluster')}",
            )
            for run in runs
        )
        what = "The data differ" if digests > 1 else "The runs are of other rows of the same data"
        yield (
            f"{what} ({samples}): what differs may be how they were sampled and measured as much as the "
            "firms."
        )


def _other_outcomes(runs: Sequence[ComparedRun]) -> Iterator[str]:
    if len({run.outcome.label for run in runs}) > 1:
        yield f"The outcomes differ ({_by_run((run.label, run.outcome.label) for run in runs)})."


def _other_forms(runs: Sequence[ComparedRun]) -> Iterator[str]:
    if len({run.forms for run in runs}) > 1:
        forms = _by_run((run.label, ", ".join(run.forms)) for run in runs)
        yield f"The structural forms differ ({forms})."


def _other_units(runs: Sequence[ComparedRun]) -> Iterator[str]:
    for label, units in _capitals(runs):
        (_, first), *others = units
        if not all(_same_unit(first, unit) for _, unit in others):
            steps = _by_run(
                (run, f"{unit.scale:.4g} ({unit.unit}) around {round(unit.center, 9) + 0.0:.4g}")
                for run, unit in units
            )
            yield (
                f"{label} is standardised on other samples or measures: one standard deviation is "
                f"another amount in each run ({steps}). Effects per standard deviation are not effects "
                "of the same change."
            )


def _other_levels(runs: Sequence[ComparedRun]) -> Iterator[str]:
    for label, units in _capitals(runs):
        (_, first), *others = units
        if not all(_same_levels(first, unit) for _, unit in others):
            levels = _by_run(
                (run, " to ".join(f"{end:.4g}" for end in _ends(unit)) or "none")
                for run, unit in units
            )
            yield (
                f"Low and high {label.lower()} differ ({levels}): contrasts and corners are not at the "
                "same levels."
            )


def _capitals(
    runs: Sequence[ComparedRun],
) -> Iterator[tuple[str, list[tuple[str, CapitalUnit]]]]:
    """Each capital, with its unit in the runs that have it."""
    for name in dict.fromkeys(unit.capital for run in runs for unit in run.capitals):
        units = [(run.label, unit) for run in runs for unit in run.capitals if unit.capital == name]
        yield name.replace("_", " ").capitalize(), units


def _same_unit(one: CapitalUnit, other: CapitalUnit) -> bool:
    numbers = np.isclose([one.center, one.scale], [other.center, other.scale], rtol=SAME, atol=SAME)
    return one.unit == other.unit and bool(numbers.all())


def _same_levels(one: CapitalUnit, other: CapitalUnit) -> bool:
    mine, theirs = _ends(one), _ends(other)
    if len(mine) != len(theirs):
        return True  # a run without corners has no levels that could differ
    return bool(np.allclose(mine, theirs, rtol=1e-6, atol=1e-9))


def _ends(unit: CapitalUnit) -> list[float]:
    """Low and high in units of the construct."""
    if unit.low is None or unit.high is None:
        return []
    return [unit.center + unit.scale * end for end in (unit.low, unit.high)]


def _other_claims(
    runs: Sequence[ComparedRun], verdicts: Sequence[ComparedVerdict]
) -> Iterator[str]:
    for field, what in (
        ("level", "The level at which a claim is supported differs"),
        ("region", "The declared region differs"),
    ):
        titles = dict.fromkeys(
            row.title
            for row in verdicts
            if len({getattr(verdict, field) for verdict in row.told if verdict is not None}) > 1
        )
        if titles:
            yield f"{what}: {'; '.join(titles)}. The verdicts answer other questions."
    scopes: dict[str, dict[int, set[str]]] = {}
    for row in verdicts:
        for k, verdict in enumerate(row.told):
            if verdict is not None:
                scopes.setdefault(row.title, {}).setdefault(k, set()).add(row.scope)
    for title, by_run in scopes.items():
        if len({frozenset(each) for each in by_run.values()}) > 1:
            listed = _by_run(
                (runs[k].label, ", ".join(sorted(each)).replace("_", " "))
                for k, each in by_run.items()
            )
            yield f"The scope of a claim differs: {title} ({listed})."


def notes_of(runs: Sequence[ComparedRun], pairs: Sequence[Pair]) -> Iterator[str]:
    """Say what the numbers rest on."""
    if any(pair.standing == "independent" for pair in pairs):
        yield (
            "A difference with an interval subtracts draws of one posterior from those of another as "
            "independent: what both analyses assume in common, and what both measure wrongly, is in "
            "neither interval."
        )
    yield "Industries are matched where their names are the same, letter by letter."
    averaged = [run for run in runs if run.leading is not None]
    if averaged:
        yield f"Effects, corners and verdicts of {_labels(averaged)} are averages over its forms."
    yield OTHER_VERDICT


def _labels(runs: Sequence[ComparedRun]) -> str:
    return ", ".join(run.label for run in runs)


def _by_run(facts: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{run}: {fact}" for run, fact in facts)
