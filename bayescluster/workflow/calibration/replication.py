"""One replication of a calibration: a truth, data drawn from it, a refit, ranks and events."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import xarray as xr

from bayescluster.checks.ranks import placed
from bayescluster.checks.thresholds import INDEPENDENT_MIN
from bayescluster.design.record import Design
from bayescluster.estimands.summary import diagnostics
from bayescluster.hypotheses.evidence import Evidence
from bayescluster.inference.repeated import Refit, Repeated
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.model.simulated import Simulated, simulate
from bayescluster.names import DRAW
from bayescluster.results.calibration import CalibrationReplication, Ranked
from bayescluster.results.design_analysis import Judged
from bayescluster.spec.sampling import Sampling
from bayescluster.workflow.calibration.quantities import Quantity, Reading, estimands, parameters
from bayescluster.workflow.replication import (
    COPIES,
    READ,
    Attempt,
    answers,
    attempted,
)
from bayescluster.workflow.traditions import READERS_OF_THE_POSTERIOR

Generator = Callable[[Design, xr.Dataset, np.random.Generator], Simulated]
"""Draws the data of a design from a truth; another than the model's shows what is caught."""


class Ready(NamedTuple):
    """A compiled form, draws of its prior, truths to simulate from, and what simulates."""

    repeated: Repeated
    prior: Draws
    truths: xr.Dataset
    generator: Generator = simulate

    @property
    def design(self) -> Design:
        """The design of the form."""
        return self.repeated.design


class Chance(NamedTuple):
    """Where the randomness of a replication comes from: data, refit, and ranks."""

    outcome: np.random.Generator
    sampling: Sampling
    rank: np.random.Generator


def calibrated(ready: Ready, number: int, chance: Chance) -> CalibrationReplication:
    """Simulate, refit, and set truth and draws side by side.

    Parameters
    ----------
    ready
        What is fitted, and the truths.
    number
        Number of the replication: that of its truth.
    chance
        Sources of randomness.
    """
    started = time.perf_counter()
    design, form = ready.design, ready.design.equation.form
    data = ready.generator(design, ready.truths.isel({DRAW: [number]}), chance.outcome)
    made = attempted(ready.repeated, data.design, chance.sampling)
    found = CalibrationReplication(
        form=form,
        number=number,
        status=made.status,
        reason=made.reason,
        rhat=made.rhat,
        divergences=made.divergences,
    )
    if made.refit is None:
        return found
    # a seed of its own: new clusters of the truth are not those of the first draws
    real = _reading(data.design, data.draw, _copied, None, chance.sampling.seed + 1)
    posterior = made.refit.tree["posterior"].to_dataset()
    read = _reading(data.design, posterior, _thinned, ready.prior, chance.sampling.seed)
    wanted = [*parameters(design, data.draw), *estimands(real)]
    ranks, fewest = _ranks(wanted, made.refit, read, chance.rank)
    passed = made.status == "fitted"
    return found.model_copy(
        update={
            **_gate(made, fewest),
            "read": read.evidence.posterior.size,
            "ranks": ranks,
            "judged": _judged(real.evidence, read.evidence, passed, chance.rank),
            "seconds": round(time.perf_counter() - started, 3),
        }
    )


def _copied(draws: Draws) -> Draws:
    return replace(draws.part(np.zeros(COPIES, dtype="int64")), chains=0)


def _thinned(draws: Draws) -> Draws:
    return draws.thinned_by_chain(READ)


def _reading(
    design: Design,
    group: xr.Dataset,
    some: Callable[[Draws], Draws],
    prior: Draws | None,
    seed: int,
) -> Reading:
    """Read every equation from some of the draws of a group; without a prior they are their own."""
    turned = [design, *(design.turned_to(each.equation_name) for each in design.others)]
    drawn = [some(draws_of(each, group)) for each in turned]
    priors = [drawn[0] if prior is None else prior, *drawn[1:]]
    found = (Evidence(*each, seed) for each in zip(turned, drawn, priors, strict=True))
    return Reading(next(found), tuple(found))


def _gate(made: Attempt, fewest: float) -> dict[str, str]:
    if made.status != "fitted" or fewest >= INDEPENDENT_MIN:
        return {}
    return {
        "status": "not_converged",
        "reason": f"fewer than {INDEPENDENT_MIN} effective draws of a quantity",
    }


def _ranks(
    wanted: Sequence[Quantity], refit: Refit, read: Reading, rng: np.random.Generator
) -> tuple[tuple[Ranked, ...], float]:
    """Rank every truth; and the smallest effective sample size."""
    own = parameters(refit.design, refit.tree["posterior"].to_dataset())
    effective = [*_effective(own, refit.draws.chains)]
    others = estimands(read)
    effective += _effective(others, read.evidence.posterior.chains)
    ranks = []
    for truth, drawn, ess in zip(wanted, [*own, *others], effective, strict=True):
        assert truth.name == drawn.name
        value = float(truth.values[0])
        if not np.isfinite(value) or not np.isfinite(drawn.values).all():
            continue
        place = placed(value, drawn.values.reshape(refit.draws.chains, -1), ess, rng)
        ranks.append(
            Ranked(
                kind=truth.kind,
                name=truth.name,
                truth=value,
                rank=place.rank,
                among=place.among,
                position=place.position,
            )
        )
    known = [ess for ess in effective if np.isfinite(ess)]
    return tuple(ranks), min(known, default=float("inf"))


def _effective(quantities: Sequence[Quantity], chains: int) -> list[float]:
    """Effective sample size of each quantity: of bulk or tails, whichever is smaller."""
    values = np.column_stack([each.values for each in quantities])
    _, bulk, tail, _ = diagnostics(values, chains)
    return [float(found) for found in np.fmin(bulk, tail)]


def _judged(
    real: Evidence, evidence: Evidence, passed: bool, rng: np.random.Generator
) -> tuple[Judged, ...]:
    """Set the probability of each claim beside what is true of it, 0 or 1."""
    if not real.design.has_capitals:
        return ()
    true = answers(real, gate_passed=True, readers=READERS_OF_THE_POSTERIOR)
    said = answers(evidence, passed, READERS_OF_THE_POSTERIOR)
    found = []
    for key, answer in said.items():
        truth = true[key].probability if key in true else None
        if truth is None or answer.probability is None:
            continue
        found.append(
            Judged.model_validate(
                {
                    "tradition": key[0],
                    "claim": key[1],
                    "title": answer.title,
                    "by": key[2],
                    "group": key[3],
                    # where the event itself is chance, chance decides it
                    "truth": float(rng.random() < truth),
                    "probability": answer.probability,
                    "verdict": answer.verdict,
                }
            )
        )
    return tuple(found)
