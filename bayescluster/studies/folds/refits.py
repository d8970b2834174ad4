"""Refits of a run without some of its rows: how they are made, checked and kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from arviz_stats.loo import SamplingWrapper

from bayescluster.arrays import Array
from bayescluster.checks.loo import row_log_likelihood
from bayescluster.checks.thresholds import (
    DIVERGENCES_MAX,
    FOLD_ERROR_MAX,
    FOLD_ESS_MIN,
    FOLD_RHAT_MAX,
)
from bayescluster.design.record import Design
from bayescluster.design.resize import replaced
from bayescluster.errors import FitError, RunError
from bayescluster.estimands.diagnostics import diagnostics
from bayescluster.estimands.summary import number
from bayescluster.features.folds.results import FOLDS_VERSION, Fold, GroupScore
from bayescluster.inference.repeated import Refit, Repeated
from bayescluster.inference.watch import CountingWatch
from bayescluster.model.evaluate import draws_of
from bayescluster.names import CHAIN, DRAW, ROW
from bayescluster.runs.layout import FOLDS_FOLDER, StageName
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Sampling
from bayescluster.studies.engine import Batch, records_of
from bayescluster.studies.folds.plan import Held, Options, Positions, key_of_folds, samplings

STAGE: Final[StageName] = "folds"

LogScores = tuple[tuple[str, "LogScore"], ...]
"""Score of each group, or row, that a refit left out."""


def refits(
    design: Design,
    directory: RunDirectory,
    options: Options,
    held: Sequence[Held],
    score: Callable[[Held, Refit], LogScores],
    watch: CountingWatch,
) -> tuple[Fold, ...]:
    """Make the refits of a form that are not there, and give all that could be made, in order.

    Parameters
    ----------
    design, directory
        The form, and the directory of its run; its lock is held and the stage has begun.
    options
        Settings of the refits.
    held
        What each refit leaves out.
    score
        Scores what a refit left out.
    watch
        Reports the progress.
    """

    def prepare(_pending: Sequence[Held]) -> Callable[[Held], Fold]:
        watch.step("Compiling the model with weights of the rows")
        repeated = Repeated(design, weighted=True)

        def fold(one: Held) -> Fold:
            wrapper = LeftOut(design, design.analysis.sampling, repeated)
            return _fold(wrapper, one, tuple(samplings(design, options, one.number)), score)

        return fold

    key = key_of_folds(design, directory.read_manifest().key, options)
    store = FoldFiles(directory, f"{FOLDS_FOLDER}/{options.by}-{key}")
    return records_of(Batch(held, store, prepare, unit="refits"), options.jobs, watch)


@dataclass(frozen=True)
class FoldFiles:
    """Files of the refits inside a run directory, recorded in its manifest."""

    directory: RunDirectory
    folder: str
    writing: threading.Lock = field(default_factory=threading.Lock)
    """The manifest is read, changed and written: one thread at a time."""

    def _file(self, held: Held) -> str:
        return f"{self.folder}/{held.number:03d}.json"

    def load(self, held: Held) -> Fold | None:
        """Read a refit; one that was altered counts as none."""
        try:
            fold = self.directory.load_document(STAGE, self._file(held), Fold, FOLDS_VERSION)
        except RunError:
            return None
        return fold if fold is not None and fold.held == held.labels else None

    def save(self, held: Held, fold: Fold) -> None:
        """Write a refit."""
        with self.writing:
            self.directory.save_document(STAGE, self._file(held), fold)


def _fold(
    wrapper: LeftOut,
    held: Held,
    attempts: Sequence[Sampling],
    score: Callable[[Held, Refit], LogScores],
) -> Fold:
    """Refit without the rows; a second time, with smaller steps, where the gate fails."""
    started = time.perf_counter()
    gate: FoldGate | None
    scores: LogScores
    reasons: tuple[str, ...]
    for attempt, sampling in enumerate(attempts, start=1):  # noqa: B007 - the last one is kept
        try:
            refit = wrapper.with_sampling(sampling).refit(held.rows)
        except FitError as error:
            gate, scores, reasons = None, (), (error.problems[0].what,)
        else:
            scores = score(held, refit)
            gate = fold_gate(refit.tree, [each.mcse for _, each in scores])
            reasons = gate.reasons
        if not reasons:
            break
    return Fold(
        number=held.number,
        held=held.labels,
        rows=int(held.rows.size),
        status="not_fitted" if gate is None else "fitted",
        reasons=reasons,
        rhat=None if gate is None else number(gate.rhat),
        ess=None if gate is None else number(gate.ess),
        divergences=0 if gate is None else gate.divergences,
        attempts=attempt,
        seconds=round(time.perf_counter() - started, 3),
        scores=tuple(
            GroupScore(group=label, elpd=number(each.elpd), mcse=number(each.mcse))
            for label, each in scores
        ),
    )


class FoldGate(NamedTuple):
    """Diagnostics of a refit, and why it does not count; it counts where there is no reason."""

    rhat: float
    ess: float
    divergences: int
    reasons: tuple[str, ...]


def fold_gate(tree: xr.DataTree, errors: Sequence[float]) -> FoldGate:
    """Check a refit.

    Parameters
    ----------
    tree
        Posterior and sample_stats of the refit.
    errors
        Monte Carlo standard errors of the log scores that come of it.
    """
    posterior = tree["posterior"].to_dataset()
    draws = posterior.sizes[CHAIN] * posterior.sizes[DRAW]
    parts = [
        values.transpose(CHAIN, DRAW, ...).to_numpy().reshape(draws, -1)
        for values in posterior.data_vars.values()
    ]
    every = np.concatenate(parts, axis=1)
    rhat, bulk, tail, _ = diagnostics(every[:, np.ptp(every, axis=0) > 0], posterior.sizes[CHAIN])
    # a value that is not a number must not pass
    worst, least = float(np.max(rhat)), float(min(np.min(bulk), np.min(tail)))
    divergences = int(tree["sample_stats"]["diverging"].sum())
    reasons = []
    if not worst <= FOLD_RHAT_MAX:
        reasons.append(f"R-hat {worst:.2f}, above {FOLD_RHAT_MAX:g}")
    if not least >= FOLD_ESS_MIN:
        reasons.append(f"effective sample size {least:.0f}, below {FOLD_ESS_MIN:g}")
    if divergences > DIVERGENCES_MAX:
        reasons.append(f"{divergences} divergent draws")
    largest = max(errors, default=0.0)
    if not largest <= FOLD_ERROR_MAX:
        reasons.append(f"Monte Carlo error {largest:.2f} of a log score, above {FOLD_ERROR_MAX:g}")
    return FoldGate(worst, least, divergences, tuple(reasons))


class LogScore(NamedTuple):
    """Log of a mean of densities over draws, and its Monte Carlo standard error."""

    elpd: float
    mcse: float


def log_score(densities: Array, chains: int) -> LogScore:
    """Log predictive density from log densities at draws, ``(draw,)``, chain after chain."""
    top = float(densities.max())
    if not np.isfinite(top):
        return LogScore(float("-inf") if top < 0 else float("nan"), float("inf"))
    relative = np.exp(densities - top)
    mean = float(relative.mean())
    error = diagnostics(relative[:, None], chains)[3][0] / mean
    # densities that never move are known without error
    mcse = float(error) if np.ptp(relative) > 0 else 0.0
    return LogScore(top + float(np.log(mean)), mcse)


class LeftOut(SamplingWrapper):  # type: ignore[misc] # arviz has no types
    """A design that is refitted without some of its rows; takes what `arviz.reloo` gives.

    Parameters
    ----------
    design
        The design as it was fitted, of one equation and with every value known.
    sampling
        Settings of the refits.
    repeated
        The compiled model, where there is one already; made of the design without it.
    tree
        Posterior and log likelihood of the fit to all rows, where arviz is to look at them.
    """

    def __init__(
        self,
        design: Design,
        sampling: Sampling,
        repeated: Repeated | None = None,
        tree: xr.DataTree | None = None,
    ) -> None:
        repeated = repeated or Repeated(design, weighted=True)
        super().__init__(model=repeated, idata_orig=tree)
        self.design, self.sampling = design, sampling

    def with_sampling(self, sampling: Sampling) -> LeftOut:
        """Take other settings; the model is not compiled again."""
        return LeftOut(self.design, sampling, self.model, self.idata_orig)

    def sel_observations(self, idx: Any) -> tuple[Array, Positions]:
        """Weights of all rows with those left out at 0, and the positions of the latter."""
        out = np.atleast_1d(np.asarray(idx, dtype="int64"))
        own = self.design.weights
        weights = np.ones(self.design.size) if own is None else own.rows.copy()
        weights[out] = 0.0
        return weights, out

    def sample(self, modified_observed_data: Array) -> Refit:
        """Draw the posterior under these weights of the rows."""
        design = replaced(self.model.design, self.design.outcome, modified_observed_data)
        refit: Refit = self.model.fit(design, self.sampling)
        return refit

    def get_inference_data(self, fitted_model: Refit) -> xr.DataTree:
        """Posterior and statistics of a refit."""
        return fitted_model.tree

    def refit(self, rows: Positions) -> Refit:
        """Draw the posterior without some rows."""
        return self.sample(self.sel_observations(rows)[0])

    def log_likelihood__i(self, excluded_obs: Positions, idata__i: xr.DataTree) -> xr.DataArray:
        """Log density of each left-out row at each draw of the refit, ``(chain, draw, row)``.

        Effects of its groups are those of the draw: for a group without other rows one draw from
        their distribution.
        """
        posterior = idata__i["posterior"].to_dataset()
        density = row_log_likelihood(self.design, draws_of(self.design, posterior), excluded_obs)
        chains, draws = posterior.sizes[CHAIN], posterior.sizes[DRAW]
        return xr.DataArray(
            density.reshape(chains, draws, excluded_obs.size),
            dims=(CHAIN, DRAW, ROW),
            coords={ROW: np.array(self.design.labels(ROW))[excluded_obs]},
        )
