"""Whether two runs can be subtracted, what to be wary of, and why, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from bayescluster.results.compared import (
    CapitalUnit,
    ComparedRun,
    ComparedVerdict,
    Pair,
    Standing,
)

BOUNDED: Final = ("probability", "share")
SAME: Final = 1e-9
"""Relative difference of centres and scales below which capitals have the same unit."""

Firms = frozenset[str] | None


def scale_of(run: ComparedRun) -> tuple[str, ...]:
    """Scale and unit of the outcome of a run: runs of the same can be subtracted."""
    outcome = run.outcome
    if outcome.scale in BOUNDED:
        return ("from 0 to 1",)
    return (outcome.scale, outcome.label, *outcome.levels)


def pair_of(
    places: tuple[int, int], runs: tuple[ComparedRun, ComparedRun], firms: tuple[Firms, Firms]
) -> Pair:
    """Say whether two runs can be subtracted, and why or why not.

    Parameters
    ----------
    places
        Positions of the runs.
    runs
        The runs.
    firms
        Identifiers of their firms; nothing where an analysis names no column of them.
    """
    one, other = firms
    shared = len(one & other) if one is not None and other is not None else 0
    standing, why = _standing(*runs, firms, shared)
    return Pair(first=places[0], second=places[1], standing=standing, why=why, firms_shared=shared)


def _standing(
    one: ComparedRun, other: ComparedRun, firms: tuple[Firms, Firms], shared: int
) -> tuple[Standing, str]:
    if scale_of(one) != scale_of(other):
        return "apart", (
            f"the outcomes are on other scales or in other units ({one.outcome.label}; "
            f"{other.outcome.label}): there is no difference to speak of"
        )
    same = one.data_digest == other.data_digest
    if same and (None in firms or shared):
        return "shared", (
            "both runs are of the same data: their posteriors depend on each other in a way that "
            "neither knows, so the difference has no interval"
        )
    if None in firms:
        return "shared", (
            "an analysis names no column that identifies the firms (`data: firm`), so that it cannot be "
            "ruled out that firms stand in both: the difference has no interval"
        )
    if shared:
        return "shared", (
            f"{shared:,} firm identifiers stand in both runs: if these are the same firms, the "
            "posteriors are not independent, so the difference has no interval (give firms of other "
            "places other identifiers)"
        )
    where = "one file, but no firm in both" if same else "other data and no firm in both"
    return "independent", f"{where}: draws are subtracted as independent"


def warnings_of(
    runs: Sequence[ComparedRun], verdicts: Sequence[ComparedVerdict], pairs: Sequence[Pair]
) -> tuple[str, ...]:
    """Warn of everything that makes the runs less comparable than they look."""
    return (
        *_gates(runs),
        *_synthetic(runs),
        *_data(runs, pairs),
        *_outcomes(runs),
        *_units(runs),
        *_claims(runs, verdicts),
    )


def _named(runs: Sequence[ComparedRun]) -> str:
    return ", ".join(run.label for run in runs)


def _gates(runs: Sequence[ComparedRun]) -> Iterator[str]:
    for run in runs:
        if not run.gate_passed:
            checks = f" ({', '.join(run.failing)})" if run.failing else ""
            yield f"The diagnostics gate of {run.label} failed{checks}: nothing it says can be relied on."


def _synthetic(runs: Sequence[ComparedRun]) -> Iterator[str]:
    made = [run for run in runs if run.synthetic]
    if made and len(made) < len(runs):
        yield (
            f"The firms of {_named(made)} are synthetic, the others are not: what differs between them "
            "says nothing of real firms."
        )


def _data(runs: Sequence[ComparedRun], pairs: Sequence[Pair]) -> Iterator[str]:
    digests = len({run.data_digest for run in runs})
    sizes = len({(run.rows, run.firms, run.clusters, run.industries) for run in runs})
    if digests == sizes == 1 and all(pair.standing != "independent" for pair in pairs):
        return
    told = "; ".join(
        f"{run.label}: {run.data}, {run.firms:,} firms in {run.clusters:,} clusters" for run in runs
    )
    what = "The data differ" if digests > 1 else "The runs are of other rows of the same data"
    yield (
        f"{what} ({told}): what differs may be how they were sampled and measured as much as the firms."
    )


def _outcomes(runs: Sequence[ComparedRun]) -> Iterator[str]:
    if len({run.outcome.label for run in runs}) > 1:
        told = "; ".join(f"{run.label}: {run.outcome.label}" for run in runs)
        yield f"The outcomes differ ({told})."
    forms = {run.forms for run in runs}
    if len(forms) > 1:
        told = "; ".join(f"{run.label}: {', '.join(run.forms)}" for run in runs)
        yield f"The structural forms differ ({told})."


def _units(runs: Sequence[ComparedRun]) -> Iterator[str]:
    names = dict.fromkeys(one.capital for run in runs for one in run.capitals)
    for name in names:
        found = [(run, one) for run in runs for one in run.capitals if one.capital == name]
        first = found[0][1]
        if any(not _same_unit(first, one) for _, one in found[1:]):
            told = "; ".join(
                f"{run.label}: {one.scale:.4g} ({one.unit}) around {one.center:.4g}"
                for run, one in found
            )
            yield (
                f"{_label(name)} is standardised on other samples or measures: one standard deviation "
                f"is another amount in each run ({told}). Effects per standard deviation are not "
                "effects of the same change."
            )
        if any(not _same_levels(first, one) for _, one in found[1:]):
            told = "; ".join(f"{run.label}: {_raw(one)}" for run, one in found)
            yield (
                f"Low and high {_label(name).lower()} differ ({told}): contrasts and corners are not "
                "at the same levels."
            )


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _same_unit(one: CapitalUnit, other: CapitalUnit) -> bool:
    numbers = np.isclose([one.center, one.scale], [other.center, other.scale], rtol=SAME, atol=SAME)
    return one.unit == other.unit and bool(numbers.all())


def _ends(one: CapitalUnit) -> list[float]:
    """Low and high in units of the construct."""
    if one.low is None or one.high is None:
        return []
    return [one.center + one.scale * end for end in (one.low, one.high)]


def _same_levels(one: CapitalUnit, other: CapitalUnit) -> bool:
    mine, theirs = _ends(one), _ends(other)
    if len(mine) != len(theirs):
        return True  # a run without corners has no levels to differ
    return bool(np.allclose(mine, theirs, rtol=1e-6, atol=1e-9))


def _raw(one: CapitalUnit) -> str:
    return " to ".join(f"{end:.4g}" for end in _ends(one)) or "none"


def _claims(runs: Sequence[ComparedRun], verdicts: Sequence[ComparedVerdict]) -> Iterator[str]:
    levels: dict[str, None] = {}
    regions: dict[str, None] = {}
    scopes: dict[str, dict[int, set[str]]] = {}
    for row in verdicts:
        told = [one for one in row.told if one is not None]
        if len({one.level for one in told}) > 1:
            levels[row.title] = None
        if len({one.region for one in told}) > 1:
            regions[row.title] = None
        for position, one in enumerate(row.told):
            if one is not None:
                scopes.setdefault(row.title, {}).setdefault(position, set()).add(row.scope)
    for titles, what in (
        (levels, "The level at which a claim is supported differs"),
        (regions, "The declared region differs"),
    ):
        if titles:
            yield f"{what}: {'; '.join(titles)}. The verdicts answer other questions."
    for title, found in scopes.items():
        if len({frozenset(each) for each in found.values()}) > 1:
            told_ = "; ".join(
                f"{runs[k].label}: {', '.join(sorted(each)).replace('_', ' ')}"
                for k, each in found.items()
            )
            yield f"The scope of a claim differs: {title} ({told_})."


def notes_of(runs: Sequence[ComparedRun], pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Say what the numbers rest on."""
    return tuple(_notes(runs, pairs))


def _notes(runs: Sequence[ComparedRun], pairs: Sequence[Pair]) -> Iterator[str]:
    if any(pair.standing == "independent" for pair in pairs):
        yield (
            "A difference with an interval subtracts draws of one posterior from those of another as "
            "independent: what both analyses assume in common, and what both measure wrongly, is in "
            "neither interval."
        )
    yield "Industries are set side by side where their names are the same, letter by letter."
    averaged = [run for run in runs if run.leading is not None]
    if averaged:
        yield f"Effects, corners and verdicts of {_named(averaged)} are averages over its forms."
    yield (
        "That a claim is supported in one run and not in another does not show that the runs differ: "
        "look at the differences."
    )
