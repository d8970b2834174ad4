"""Refits without clusters, industries or rows: their scores, their gates, and rows repaired by integrals."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from arviz_stats.loo import SamplingWrapper
from numpy.typing import NDArray
from scipy.special import logsumexp

from bayescluster.arrays import Array
from bayescluster.checks.integrated import (
    Positions,
    enough_draws,
    integrated_likelihood,
    own_groups,
)
from bayescluster.checks.loo import difference, stacking_weights, total_error
from bayescluster.checks.thresholds import (
    DIVERGENCES_MAX,
    FOLD_ERROR_MAX,
    FOLD_ESS_MIN,
    FOLD_RHAT_MAX,
    khat_max,
)
from bayescluster.design.record import Design
from bayescluster.design.resize import replaced
from bayescluster.errors import FitError, RunError
from bayescluster.estimands.summary import diagnostics, number
from bayescluster.features.folds.results import (
    FOLDS_VERSION,
    Fold,
    FormFolds,
    GroupRow,
    GroupScore,
    ImportanceScores,
    LeftOutGroups,
)
from bayescluster.inference.nuts import available_cores
from bayescluster.inference.repeated import Refit, Repeated
from bayescluster.inference.watch import CountingWatch
from bayescluster.model.evaluate import Draws, draws_of, predictor_at
from bayescluster.names import CHAIN, DRAW, ROW
from bayescluster.runs.layout import StageName
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Sampling
from bayescluster.studies.folds.plan import (
    Held,
    Options,
    notes,
    samplings,
)


class FoldGate(NamedTuple):
    """What was found in a refit, and why it does not count; it counts where there is no reason."""

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
        asked = self.design.weights
        weights = np.ones(self.design.size) if asked is None else asked.rows.copy()
        weights[out] = 0.0
        return weights, out

    def sample(self, modified_observed_data: Array) -> Refit:
        """Draw the posterior under these weights of the rows."""
        design = replaced(self.model.design, self.design.outcome, modified_observed_data)
        found: Refit = self.model.fit(design, self.sampling)
        return found

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
        found = row_log_likelihood(self.design, draws_of(self.design, posterior), excluded_obs)
        chains, draws = posterior.sizes[CHAIN], posterior.sizes[DRAW]
        return xr.DataArray(
            found.reshape(chains, draws, excluded_obs.size),
            dims=(CHAIN, DRAW, ROW),
            coords={ROW: np.array(self.design.labels(ROW))[excluded_obs]},
        )


def row_log_likelihood(design: Design, draws: Draws, rows: Positions) -> Array:
    """Log density of some rows at draws of all parameters, ``(draw, row)``."""
    human, social = design.capitals
    eta = predictor_at(design, draws.for_rows(rows), (human[rows], social[rows]), rows)
    found = design.family.log_density(
        design.outcome[rows], eta + design.offset[rows], draws.parameters, design.rows.at(rows)
    )
    return found if design.weights is None else found * design.weights.rows[rows]


STAGE: Final[StageName] = "folds"


Score = Callable[[Held, Refit], tuple[tuple[str, LogScore], ...]]


class Refits:
    """Refits of one form, each kept in a file as soon as it is made.

    Parameters
    ----------
    design, directory
        The form, and the directory of its run; its lock is held and the stage has begun.
    options
        Settings of the refits.
    place
        Folder of the files inside the run.
    watch
        Told of the progress.
    """

    def __init__(
        self,
        design: Design,
        directory: RunDirectory,
        options: Options,
        place: str,
        watch: CountingWatch,
    ) -> None:
        self._design, self._directory, self._options = design, directory, options
        self._place, self._watch = place, watch
        # the manifest is read, changed and written: one thread at a time
        self._writing = threading.Lock()

    def made(self, wanted: Sequence[Held], score: Score) -> tuple[Fold, ...]:
        """Give every refit, those that are there and those that are made now, in order."""
        found = {one.number: self._kept(one) for one in wanted}
        pending = [one for one in wanted if found[one.number] is None]
        if not pending:
            if wanted:
                self._watch.step("All refits are there already")
            return tuple(fold for fold in found.values() if fold is not None)
        self._watch.step("Compiling the model with weights of the rows")
        repeated = Repeated(self._design, weighted=True)
        kept = len(wanted) - len(pending)
        more = f" ({kept} kept from before)" if kept else ""
        self._watch.step(f"{len(pending)} {'refit' if len(pending) == 1 else 'refits'}{more}")
        self._watch.count("refits", 0, len(pending))

        def work(one: Held) -> Fold:
            fold = self._fold(one, repeated, score)
            with self._writing:
                self._directory.save_document(STAGE, self._file(one), fold)
            return fold

        for done, future in enumerate(_run(work, pending, self._options.jobs), start=1):
            fold = future.result()
            found[fold.number] = fold
            self._watch.count("refits", done, len(pending))
        return tuple(fold for fold in found.values() if fold is not None)

    def _file(self, one: Held) -> str:
        return f"{self._place}/{one.number:03d}.json"

    def _kept(self, one: Held) -> Fold | None:
        """A refit that is there; one that was altered counts as none."""
        try:
            found = self._directory.load_document(STAGE, self._file(one), Fold, FOLDS_VERSION)
        except RunError:
            return None
        return found if found is not None and found.held == one.labels else None

    def _fold(self, one: Held, repeated: Repeated, score: Score) -> Fold:
        """Refit without the rows; a second time, with smaller steps, where the gate fails."""
        started = time.perf_counter()
        about: dict[str, Any] = {
            "number": one.number,
            "held": one.labels,
            "rows": int(one.rows.size),
        }
        for attempt, sampling in enumerate(
            samplings(self._design, self._options, (one.number,)), start=1
        ):
            about["attempts"] = attempt
            try:
                refit = LeftOut(self._design, sampling, repeated).refit(one.rows)
            except FitError as error:
                fold = Fold(**about, status="not_fitted", reasons=(error.problems[0].what,))
            else:
                fold = Fold(**about, status="fitted", **_judged(score(one, refit), refit))
            if fold.passed:
                break
        return fold.model_copy(update={"seconds": round(time.perf_counter() - started, 3)})


def _judged(scores: tuple[tuple[str, LogScore], ...], refit: Refit) -> dict[str, Any]:
    gate = fold_gate(refit.tree, [score.mcse for _, score in scores])
    return {
        "reasons": gate.reasons,
        "rhat": number(gate.rhat),
        "ess": number(gate.ess),
        "divergences": gate.divergences,
        "scores": tuple(
            GroupScore(group=label, elpd=number(score.elpd), mcse=number(score.mcse))
            for label, score in scores
        ),
    }


def _run(
    work: Callable[[Held], Fold], wanted: Sequence[Held], jobs: int | None
) -> Iterator[Future[Fold]]:
    """Refit in threads: the sampler and numpy hold no lock while they compute.

    What runs when something goes wrong ends, and is kept; nothing further is begun.
    """
    pool = ThreadPoolExecutor(jobs or available_cores())
    try:
        yield from as_completed([pool.submit(work, one) for one in wanted])
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class FormScores(NamedTuple):
    """A form: its design, what was left out, the refits, and the scores by importance sampling."""

    design: Design
    held: tuple[Held, ...]
    folds: tuple[Fold, ...]
    importance: ImportanceScores

    @property
    def form(self) -> str:
        """Name of the form."""
        return self.design.structure.name


def groups_left_out(scores: Sequence[FormScores], options: Options, key: str) -> LeftOutGroups:
    """Put the scores of all forms together.

    A group counts in the sums where its refit passed its gate under every form; so all sums are over
    the same groups.
    """
    tables = [_rows(one) for one in scores]
    shared = np.all([[row.counts for row in table] for table in tables], axis=0)  # (group,)
    design = scores[0].design
    return LeftOutGroups.model_validate(
        {
            "by": options.by,
            "key": key,
            "folds": len(scores[0].held),
            "draws": options.draws,
            "tune": options.tune,
            "chains": options.chains,
            "seed": design.analysis.sampling.seed,
            "khat_threshold": scores[0].importance.khat_threshold,
            "rhat_max": FOLD_RHAT_MAX,
            "ess_min": FOLD_ESS_MIN,
            "error_max": FOLD_ERROR_MAX,
            "forms": _forms(scores, tables, shared),
            "rows": tuple(row for table in tables for row in table),
            "notes": notes(design, options),
        }
    )


def _rows(one: FormScores) -> list[GroupRow]:
    """Every group, in the order of the labels."""
    importance = {
        label: (elpd, khat)
        for label, elpd, khat in zip(
            one.importance.groups, one.importance.elpd, one.importance.khat, strict=True
        )
    }
    found: dict[str, GroupRow] = {}
    for held, fold in zip(one.held, one.folds, strict=True):
        own = {score.group: score for score in fold.scores}
        for label, rows in zip(held.labels, held.parts, strict=True):
            score = own.get(label)
            elpd = None if score is None else score.elpd
            psis, khat = importance[label]
            found[label] = GroupRow(
                form=one.form,
                group=label,
                rows=int(rows.size),
                fold=held.number,
                counts=fold.passed and elpd is not None,
                elpd=elpd,
                mcse=None if score is None else score.mcse,
                psis=psis,
                khat=khat,
                khat_bad=khat is None or khat > one.importance.khat_threshold,
                why=_why(fold, elpd),
            )
    return [found[label] for label in one.importance.groups if label in found]


def _why(fold: Fold, elpd: float | None) -> str:
    if fold.reasons:
        return "; ".join(fold.reasons)
    return "the score is not a finite number" if elpd is None else ""


def _forms(
    scores: Sequence[FormScores],
    tables: Sequence[Sequence[GroupRow]],
    shared: NDArray[np.bool_],
) -> tuple[FormFolds, ...]:
    elpd = _columns([[row.elpd for row in table] for table in tables])[shared]  # (group, form)
    psis = _columns([[row.psis for row in table] for table in tables])[shared]
    weights, own = weights_of(elpd), weights_of(psis)
    best = elpd[:, int(np.argmax(elpd.sum(axis=0)))]
    found = []
    for k, (one, table) in enumerate(zip(scores, tables, strict=True)):
        less = difference(elpd[:, k], best)
        by_psis = psis[:, k]
        known = bool(by_psis.size) and bool(np.isfinite(by_psis).all())
        errors = [row.mcse or 0.0 for row, counts in zip(table, shared, strict=True) if counts]
        khats = [row.khat for row in table if row.khat is not None]
        found.append(
            FormFolds(
                form=one.form,
                groups=len(table),
                counted=int(shared.sum()),
                elpd=float(elpd[:, k].sum()),
                se=total_error(elpd[:, k]),
                mcse=float(np.sqrt(np.square(errors).sum())),
                psis=float(by_psis.sum()) if known else None,
                psis_se=total_error(by_psis) if known else None,
                difference=less.total,
                difference_se=less.error,
                weight=None if weights is None else float(weights[k]),
                psis_weight=None if own is None else float(own[k]),
                diag_khat_bad=sum(row.khat_bad for row in table),
                diag_khat_max=max(khats, default=None),
                diag_refits=sum(fold.status == "fitted" for fold in one.folds),
                diag_second=sum(fold.attempts > 1 for fold in one.folds),
                diag_failed=sum(not fold.passed for fold in one.folds),
            )
        )
    return tuple(found)


def _columns(values: Sequence[Sequence[float | None]]) -> Array:
    """Scores as ``(unit, form)``, NaN where there is none."""
    return np.array(values, dtype="float64").T


def weights_of(elpd: Array) -> Array | None:
    """Stacking weights of forms from ``(unit, form)``; nothing where scores are not all known."""
    if not elpd.size or not np.isfinite(elpd).all():
        return None
    return stacking_weights(elpd)


class IntegratedScore(NamedTuple):
    """Log predictive density of a left-out row, the Pareto k behind it, and the largest k borne."""

    elpd: float
    khat: float
    khat_threshold: float

    @property
    def mended(self) -> bool:
        """Whether these weights can be relied on."""
        return bool(self.khat <= self.khat_threshold) and bool(np.isfinite(self.elpd))


def unit_of(design: Design) -> str:
    """Grouping whose effects are integrated out: the finest; empty where none varies."""
    names = [grouping.name for grouping in design.groupings]
    return max(names, key=lambda name: len(design.group_labels(name)), default="")


def integrated_row(design: Design, draws: Draws, row: int) -> IntegratedScore:
    """Score a row by importance sampling over what is left when its group's effects are integrated.

    Parameters
    ----------
    design
        A design in which something varies.
    draws
        Draws of its posterior.
    row
        Position of the row.
    """
    from arviz_stats.base import array_stats

    member = design.index(unit_of(design))
    rows = np.flatnonzero(member == member[row])
    few = draws.thinned(enough_draws(design, own_groups(design, rows, rows)))
    density = conditional_density(design, few, rows, row)
    log_weights, khat = array_stats.psislw(density[:, None], r_eff=1.0, axis=0)
    elpd = float(logsumexp(np.asarray(log_weights).ravel() + density))
    return IntegratedScore(elpd, float(np.ravel(khat)[0]), khat_max(few.size))


def conditional_density(design: Design, draws: Draws, rows: Positions, row: int) -> Array:
    """Log density of a row given the others of its group, the group's effects integrated out.

    ``(draw,)``: that of all rows of the group less that of the others.
    """
    own = own_groups(design, rows, rows)
    others = rows[rows != row]
    return np.asarray(
        integrated_likelihood(design, draws, rows, own)
        - integrated_likelihood(design, draws, others, own)
    )
