"""Truths from the prior, simulated data and their refits: the replications of a calibration."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Final, NamedTuple

import numpy as np
import xarray as xr

from bayescluster.app.collect import READERS_OF_THE_POSTERIOR
from bayescluster.checks.thresholds import INDEPENDENT_MIN
from bayescluster.checks.uniformity import placed
from bayescluster.design.record import Design
from bayescluster.estimands.diagnostics import diagnostics
from bayescluster.inference.repeated import Refit, Repeated
from bayescluster.inference.watch import Watch
from bayescluster.model.completion import completed, imputing
from bayescluster.model.evaluate import Draws, draws_of
from bayescluster.model.simulated import Simulated, simulate
from bayescluster.names import DRAW
from bayescluster.runs.keys import design_key
from bayescluster.studies.calibration.quantities import (
    Quantity,
    Reading,
    estimands,
    parameters,
    reading_of,
)
from bayescluster.studies.calibration.results import (
    CALIBRATION_VERSION,
    CalibrationReplication,
    Ranked,
)
from bayescluster.studies.design_analysis.results import Judged
from bayescluster.studies.engine import Batch, Files
from bayescluster.studies.simulation import (
    OUTCOME_STREAM,
    PRIOR_DRAWS,
    PRIOR_STREAM,
    RANK_STREAM,
    READ,
    TRUTH_STREAM,
    SimulationPlan,
    Size,
    answers,
    attempted,
    copied,
    prior_draws,
)
from bayescluster.verdicts.evidence import Evidence

NAME: Final = "calibrate"
REPLICATIONS_MAX: Final = 1000
"""Truths that are drawn from the prior, whatever the number of replications."""

Generator = Callable[[Design, xr.Dataset, np.random.Generator], Simulated]
"""Draws the data of a design from a truth."""


class Options(NamedTuple):
    """Settings of a calibration."""

    replications: int = 100
    firms: float = 1.0
    clusters: float = 1.0
    draws: int = 500
    tune: int = 500
    chains: int = 2
    seed: int | None = None
    """That of the analysis without it."""
    jobs: int | None = None
    """As many as there are cores without it."""
    generator: Generator = simulate
    """With another than the model's own a calibration shows what it would make of an analysis whose
    model is not that of its data. Give it a folder of its own: it is not part of the key."""


class CalibrationPlan(SimulationPlan[Options]):
    """An analysis that can be calibrated."""

    STREAM: ClassVar[int] = 31

    @cached_property
    def key(self) -> str:
        """Key of what each replication depends on."""
        settings = {
            **self.refit_settings(),
            "study": NAME,
            "version": CALIBRATION_VERSION,
            "target_accept": self.analysis.sampling.target_accept,
            "firms": self.options.firms,
            "clusters": self.options.clusters,
        }
        return design_key(self.analysis, self.forms[0].details.digest, settings)


class CompiledForm(NamedTuple):
    """A compiled form, draws of its prior, and truths to simulate from."""

    repeated: Repeated
    prior: Draws
    truths: xr.Dataset


def replications(
    plan: CalibrationPlan, size: Size, position: int, directory: Path, watch: Watch
) -> Batch[int, CalibrationReplication]:
    """Plan the replications of the form at a position, by their numbers."""
    # rows of a size are those of the first form: forms share data, not coefficients
    design = replace(size.design, analysis=plan.forms[position].analysis)
    form = design.equation.form
    folder = directory / "replications" / form

    def prepare(_pending: Sequence[int]) -> Callable[[int], CalibrationReplication]:
        watch.step(f"{form}: compiling, and drawing truths from the prior")
        truths = prior_draws(design, REPLICATIONS_MAX, plan.seed_of(TRUTH_STREAM, position))
        seed = plan.seed_of(PRIOR_STREAM, position)
        prior = prior_draws(design, PRIOR_DRAWS, seed)
        prior = completed(design, prior, imputing(seed), posterior=False)
        compiled = CompiledForm(Repeated(design), draws_of(design, prior), truths)
        return lambda number: calibrated(plan, compiled, position, number)

    store = Files[int, CalibrationReplication](
        lambda number: folder / f"{number:04d}.json", CalibrationReplication, CALIBRATION_VERSION
    )
    return Batch(range(plan.options.replications), store, prepare, form)


def calibrated(
    plan: CalibrationPlan, compiled: CompiledForm, position: int, number: int
) -> CalibrationReplication:
    """Simulate, refit, and rank the truth among the draws.

    Parameters
    ----------
    plan
        Sources of randomness and settings of the refits.
    compiled
        The form, and the truths.
    position
        Place of the form among those of the analysis.
    number
        Number of the replication: that of its truth.
    """
    started = time.perf_counter()
    design = compiled.repeated.design
    outcome, rank = (plan.rng(stream, position, number) for stream in (OUTCOME_STREAM, RANK_STREAM))
    sampling = plan.sampling(plan.analysis.sampling.target_accept, position, number)
    data = plan.options.generator(design, compiled.truths.isel({DRAW: [number]}), outcome)
    made = attempted(compiled.repeated, data.design, sampling)
    if made.refit is None:
        return CalibrationReplication(
            form=design.equation.form, number=number, status=made.status, reason=made.reason
        )
    # a seed of its own: new clusters of the truth are not those of the first draws
    real = reading_of(data.design, data.draw, copied, None, sampling.seed + 1)
    posterior = made.refit.tree["posterior"].to_dataset()
    read = reading_of(data.design, posterior, _thinned, compiled.prior, sampling.seed)
    truths = [*parameters(design, data.draw), *estimands(real)]
    ranks, fewest = _ranks(truths, made.refit, read, rank)
    passed = made.status == "fitted"
    too_few = passed and fewest < INDEPENDENT_MIN
    return CalibrationReplication(
        form=design.equation.form,
        number=number,
        status="not_converged" if too_few else made.status,
        reason=f"fewer than {INDEPENDENT_MIN} effective draws of a quantity"
        if too_few
        else made.reason,
        rhat=made.rhat,
        divergences=made.divergences,
        read=read.evidence.posterior.size,
        ranks=ranks,
        judged=_judged(real.evidence, read.evidence, passed, rank),
        seconds=round(time.perf_counter() - started, 3),
    )


def _thinned(draws: Draws) -> Draws:
    return draws.thinned_by_chain(READ)


def _ranks(
    truths: Sequence[Quantity], refit: Refit, read: Reading, rng: np.random.Generator
) -> tuple[tuple[Ranked, ...], float]:
    """Rank every truth; and the smallest effective sample size."""
    own = parameters(refit.design, refit.tree["posterior"].to_dataset())
    others = estimands(read)
    effective = _effective(own, refit.draws.chains)
    effective += _effective(others, read.evidence.posterior.chains)
    ranks = []
    for truth, drawn, ess in zip(truths, [*own, *others], effective, strict=True):
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
    return tuple(ranks), min(filter(np.isfinite, effective), default=float("inf"))


def _effective(quantities: Sequence[Quantity], chains: int) -> list[float]:
    """Effective sample size of each quantity: of bulk or tails, whichever is smaller."""
    values = np.column_stack([each.values for each in quantities])
    _, bulk, tail, _ = diagnostics(values, chains)
    return [float(size) for size in np.fmin(bulk, tail)]


def _judged(
    real: Evidence, evidence: Evidence, passed: bool, rng: np.random.Generator
) -> tuple[Judged, ...]:
    """Record the probability of each claim with what is true of it, 0 or 1."""
    if not real.design.has_capitals:
        return ()
    true = answers(real, True, READERS_OF_THE_POSTERIOR)
    found = []
    for key, answer in answers(evidence, passed, READERS_OF_THE_POSTERIOR).items():
        truth = true[key].probability if key in true else None
        if truth is not None and answer.probability is not None:
            # where the event itself is chance, chance decides it
            found.append(answer.judged(key, float(rng.random() < truth)))
    return tuple(found)
