"""What a sweep would still take, before anything is fitted."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from bayescluster.errors import RunError
from bayescluster.runs.store import RunDirectory
from bayescluster.workflow.multiverse.plan import Plan


class Cost(NamedTuple):
    """What a sweep would still take."""

    universes: int
    fitted: int
    """Universes whose results are there."""
    refits: int
    unfitted: int
    """Universes that cannot be fitted."""
    draws: int
    """Draws of a refit, those for tuning included, over all chains."""
    seconds: float | None
    """Of all refits one after the other, by the time that the fit of the analysis took; nothing where
    it was never fitted."""


def cost_of(plan: Plan, root: Path) -> Cost:
    """Say how many fits are to be made, and about how long they would take."""
    pending = [each for each in plan.pending if not each.is_fitted]
    sampling = plan.sampling
    draws = sampling.chains * (sampling.draws + sampling.tune)
    unfitted = sum(each.fit is None for each in plan.universes)
    once = _seconds(plan, root, draws)
    return Cost(
        universes=len(plan.universes),
        fitted=len(plan.universes) - unfitted - len(plan.pending),
        refits=len(pending),
        unfitted=unfitted,
        draws=draws,
        seconds=None if once is None else once * len(pending),
    )


def _seconds(plan: Plan, root: Path, draws: int) -> float | None:
    """Time of one fit, in proportion to the draws of the fit that is there."""
    run = RunDirectory(root / plan.analysis.name / plan.run_key)
    try:
        stages = run.read_manifest().stages
    except RunError:
        return None
    named = ("sampling", "posterior", "forms", "results")
    known = [stages[name].seconds for name in named if name in stages]
    asked_for = plan.analysis.sampling
    before = asked_for.chains * (asked_for.draws + asked_for.tune)
    return sum(known) * draws / before if known else None
