"""Verdicts under weaker and stronger priors, from the draws that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.checks.power_scaling import Weights, power_weights, weighted_probabilities
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.hypotheses.verdicts import decide, events
from bayescluster.results.model import Verdict
from bayescluster.results.sensitivity import ScaledVerdict, Sensitivity

POWERS: Final = (0.5, 0.8, 1.25, 2.0)
"""Of the priors: a half spreads a normal prior by the root of two, two narrows it as much."""
ERRORS: Final = 2.0
"""Monte Carlo errors by which both probabilities are beyond a bound where a flip is certain."""
LISTED: Final = 8
"""Flips that are told in sentences; the table has all."""


class Scaled(NamedTuple):
    """A block of priors, or all of them: its name, and its log density ``(draw,)``."""

    name: str
    density: Array


def scaled_verdicts(
    evidence: Evidence, scaled: Sequence[Scaled], verdicts: Sequence[Verdict]
) -> tuple[ScaledVerdict, ...]:
    """Judge every claim again with each block of priors to each power.

    Parameters
    ----------
    evidence
        What the claims were judged by.
    scaled
        The blocks.
    verdicts
        What was decided, in the order of the claims: whatever stops a verdict stops it here too.
    """
    claims = evidence.design.analysis.hypotheses
    found = [event.posterior for claim in claims for event in events(claim, evidence)]
    if not found:
        return ()
    happened, chains = np.column_stack(found), evidence.posterior.chains
    judged: list[ScaledVerdict] = []
    for block in scaled:
        for power in POWERS:
            weights = power_weights(block.density, power, chains)
            told = weighted_probabilities(happened, weights, chains)
            for k, verdict in enumerate(verdicts):
                plain = _Told(float(told[0][k]), float(told[1][k]))
                judged.append(_judge(k, verdict, (block.name, power), weights, plain))
    return tuple(judged)


class _Told(NamedTuple):
    probability: float
    mcse: float


def _judge(
    position: int, verdict: Verdict, which: tuple[str, float], weights: Weights, told: _Told
) -> ScaledVerdict:
    block, power = which
    reliable = weights.reliable(weights.values.size)
    decision, _ = decide(told.probability, verdict.level, verdict.stopped)
    flips = reliable and decision != verdict.verdict
    certain = flips and all(
        abs(p - bound) > ERRORS * error
        for p, error in (told, (verdict.probability, verdict.mcse))
        for bound in (verdict.level, 1 - verdict.level)
    )
    return ScaledVerdict(
        claim=position,
        kind=verdict.kind,
        title=verdict.title,
        capital=verdict.capital,
        by=verdict.by,
        group=verdict.group,
        scope=verdict.scope,
        declared=verdict.verdict,
        block=block,
        power=power,
        probability=told.probability if reliable else None,
        mcse=told.mcse if reliable else None,
        khat=weights.khat if np.isfinite(weights.khat) else None,
        ess=weights.ess,
        verdict=decision if reliable else "cannot be told",
        flips=flips,
        certain=certain,
    )


def statements(
    found: Sensitivity, verdicts: Sequence[ScaledVerdict], count: int
) -> tuple[str, ...]:
    """Say in sentences what stands out."""
    return (*_of_quantities(found), *(_of_verdicts(found, verdicts) if count else ()))


def _of_quantities(found: Sensitivity) -> Iterator[str]:
    titles = _titles(found)
    told: dict[tuple[str, str], list[str]] = {}
    for row in found.rows:
        if row.diagnosis not in ("-", "within noise") and row.block != "all":
            group = f" ({row.group})" if row.group is not None else ""
            told.setdefault((row.block, row.diagnosis), []).append(f"{row.quantity}{group}")
    for (block, diagnosis), names in told.items():
        listed = ", ".join(names[:LISTED])
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        yield f"{diagnosis[0].upper()}{diagnosis[1:]}, by {titles[block]}: {listed}{more}."
    if found.rows and not told:
        estimands = any(row.kind == "estimand" for row in found.rows)
        what = "No parameter and no estimand" if estimands else "No parameter"
        yield f"{what} is sensitive to a block of priors."


def _of_verdicts(found: Sensitivity, verdicts: Sequence[ScaledVerdict]) -> Iterator[str]:
    titles, places = _titles(found), {block.name: block.place for block in found.blocks}
    flips: dict[int, list[ScaledVerdict]] = {}
    for row in verdicts:
        if row.flips:
            flips.setdefault(row.claim, []).append(row)
    for rows in list(flips.values())[:LISTED]:
        # the least change of a prior at which it flips
        row = min(rows, key=lambda one: abs(np.log(one.power)))
        sure = "" if row.certain else ", within Monte Carlo error of the bound"
        more = f"; {len(rows) - 1} more blocks or powers do so too" if len(rows) > 1 else ""
        yield (
            f"{row.title} ({row.group}): {row.declared} as declared, {row.verdict} with "
            f"{titles[row.block]} to the power {row.power:g} (probability "
            f"{row.probability:.3f}{sure}){more}."
        )
    if len(flips) > LISTED:
        yield f"{len(flips) - LISTED} more claims have another verdict: see the table."
    untold = {(r.block, r.power): r.khat for r in verdicts if r.verdict == "cannot be told"}
    for (block, power), khat in untold.items():
        shown = "not finite" if khat is None else f"{khat:.2f}"
        where = f" under {places[block]}" if places.get(block) else ""
        yield (
            f"With {titles[block]} to the power {power:g} verdicts cannot be told from these draws "
            f"(Pareto k {shown}): refit with such priors{where}, or with `bayescluster sweep`."
        )
    if verdicts and not flips:
        end = ", as far as these draws can tell" if untold else ""
        low, high = min(found.powers), max(found.powers)
        yield f"No verdict changes with any block of priors to a power from {low:g} to {high:g}{end}."


def _titles(found: Sensitivity) -> dict[str, str]:
    named = {block.name: f"the priors of {block.title}" for block in found.blocks}
    return named | {"all": "all priors"}
