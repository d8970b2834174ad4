"""Refits of a run without some of its rows: how they are made, checked and kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import xarray as xr
from arviz_stats.loo import SamplingWrapper

from bayescluster.arrays import Array, Positions
from bayescluster.checks.loo import row_log_likelihood
from bayescluster.checks.thresholds import (
    DIVERGENCES_MAX,
    FOLD_ERROR_MAX,
    FOLD_ESS_MIN,
    FOLD_RHAT_MAX,
    SANDWICH_UNITS,
)
from bayescluster.design.arrays import replaced
from bayescluster.design.record import Design
from bayescluster.errors import ConfigError, DesignError, FitError, Problem, RunError
from bayescluster.estimands.diagnostics import diagnostics, number
from bayescluster.features.folds.results import FOLDS_VERSION, Fold, GroupScore
from bayescluster.inference.density import Refit, Repeated
from bayescluster.inference.watch import CountingWatch
from bayescluster.model.evaluate import draws_of
from bayescluster.names import CAPITALS, CHAIN, DRAW, INDUSTRY, LIKELIHOOD, ROW
from bayescluster.runs.keys import hash_of
from bayescluster.runs.layout import FOLDS_FOLDER, StageName
from bayescluster.runs.store import RunDirectory
from bayescluster.spec.analysis import Sampling
from bayescluster.studies.engine import Batch, records_of

FOLDS_STREAM: Final = 32
"""Keeps the seeds of refits without some rows apart from the others."""
BY: Final = ("cluster", "industry", "row")
SECOND_ACCEPT: Final = 0.99
"""Acceptance rate that a second attempt at a refit aims for."""
PSIS_INSTEAD: Final = "the report's PSIS-LOO leaves out rows of such a model without refits"

Unit = Literal["cluster", "industry", "row"]


class Options(NamedTuple):
    """Settings of leaving out."""

    by: Unit
    """What is left out: clusters, industries, or rows where importance sampling fails."""
    folds: int | None = None
    """Refits in which groups are left out together; one for each group without it."""
    most: int = 10
    """Most rows that are refitted."""
    draws: int = 500
    tune: int = 500
    chains: int = 2
    jobs: int | None = None
    """Refits at once; as many as there are cores without it."""


class Held(NamedTuple):
    """A refit: its number from 1, what it leaves out, and all rows of that."""

    number: int
    labels: tuple[str, ...]
    parts: tuple[Positions, ...]
    """Rows of each label."""

    @property
    def rows(self) -> Positions:
        """All rows that are left out."""
        return np.sort(np.concatenate(self.parts))


def check(design: Design, options: Options) -> None:
    """Refuse what cannot be left out.

    Raises
    ------
    ConfigError
        If the options contradict each other, or the groups.
    DesignError
        If the analysis cannot be refitted so.
    """
    problems = [*refusals(design)]
    if problems:
        raise DesignError(problems)
    problem = _option_problem(design, options)
    if problem is not None:
        raise ConfigError(problem)


def refusals(design: Design) -> Iterator[Problem]:
    """Why a run cannot be refitted without some of its rows, and what to do instead."""
    where = design.equation_name
    if LIKELIHOOD in design.data.attrs:
        yield Problem(
            f"the likelihood of {design.firms_fitted:,} firms is summarised: none can be left out of it",
            where,
            "take a random sample of the firms as a file of its own, and leave groups out of a run of "
            "that",
        )
    latent = [capital for capital in CAPITALS if design.is_latent(capital)]
    if design.others:
        yield Problem(
            "several equations were fitted together: a group cannot be left out of one alone",
            where,
            f"fit the equation by itself and leave groups out of that run; {PSIS_INSTEAD}",
        )
    if latent:
        yield Problem(
            f"{' and '.join(latent)} is latent: its indicators would still speak of the rows left out",
            where,
            "measure it by a score (constructs.*.method: mean) and leave groups out of that run; "
            f"{PSIS_INSTEAD}",
        )
    elif not design.is_complete:
        yield Problem(
            "missing values are imputed, with the help of the rows that would be left out",
            where,
            f"set data.missing: drop and leave groups out of that run; {PSIS_INSTEAD}",
        )
    if design.weights is not None and design.weights.clusters is not None:
        yield Problem(
            "clusters have survey weights: the effect of a cluster without rows would still count "
            "with its weight",
            where,
            "leave data.cluster_weight out of the analysis and run it again; row weights are kept",
        )


def _option_problem(design: Design, options: Options) -> Problem | None:
    if options.by == "row":
        together = options.folds is not None
        what = "rows are left out one by one"
        return Problem(what, "--folds", "leave --folds out") if together else None
    plural = _plural(options.by)
    if getattr(design.analysis.data, options.by) is None:
        mend = f"name the column in data.{options.by}, or leave out something else: {', '.join(BY)}"
        return Problem(f"the data declare no {plural}", "--leave-out", mend)
    groups = _groups(design, options)
    if groups < 2:
        what = f"there is but one {options.by}"
        return Problem(what, "--leave-out", "nothing is left to learn from")
    if options.folds is not None and not 2 <= options.folds <= groups:
        mend = f"ask for 2 to {groups} folds, or for none: then each {options.by} is left out alone"
        return Problem(f"{options.folds} folds of {groups} {plural}", "--folds", mend)
    return None


def _plural(by: str) -> str:
    return "industries" if by == "industry" else f"{by}s"


def _groups(design: Design, options: Options) -> int:
    return int(np.unique(design.index(options.by)).size)


def held_out(design: Design, options: Options) -> tuple[Held, ...]:
    """Refits to be made, every group left out once.

    Where several are left out together, groups go one by one, the largest first, to the refit that
    leaves out the fewest rows so far: refits leave out about as much each.
    """
    member, labels = design.index(options.by), design.group_labels(options.by)
    rows = [np.flatnonzero(member == k) for k in range(len(labels))]
    there = [k for k in range(len(labels)) if rows[k].size]
    if options.folds is None:
        folds = [[k] for k in there]
    else:
        folds = [[] for _ in range(options.folds)]
        for k in sorted(there, key=lambda k: (-rows[k].size, k)):
            min(folds, key=lambda fold: sum(rows[j].size for j in fold)).append(k)
    return tuple(
        Held(number, tuple(labels[k] for k in sorted(fold)), tuple(rows[k] for k in sorted(fold)))
        for number, fold in enumerate(folds, start=1)
    )


def key_of_folds(design: Design, run_key: str, options: Options) -> str:
    """Key of the refits of a run: of what each of them depends on."""
    sampling = design.analysis.sampling
    settings = {
        "version": FOLDS_VERSION,
        "by": options.by,
        "folds": options.folds,
        "draws": options.draws,
        "tune": options.tune,
        "chains": options.chains,
        "seed": sampling.seed,
        "target_accept": sampling.target_accept,
        "max_treedepth": sampling.max_treedepth,
    }
    return hash_of({"fit": run_key, "settings": settings})


def samplings(design: Design, options: Options, number: int) -> Iterator[Sampling]:
    """Settings of a refit, then those of a second attempt: smaller steps and twice the draws."""
    own = design.analysis.sampling
    for attempt, (times, accept) in enumerate(((1, own.target_accept), (2, SECOND_ACCEPT))):
        entropy = (own.seed, FOLDS_STREAM, BY.index(options.by), number, attempt)
        state = np.random.SeedSequence(entropy).generate_state(1, np.uint64)[0]
        yield own.model_copy(
            update={
                "draws": times * options.draws,
                "tune": times * options.tune,
                "chains": options.chains,
                "seed": int(state >> np.uint64(1)),
                "target_accept": max(accept, own.target_accept),
            }
        )


def notes(design: Design, options: Options) -> Iterator[str]:
    """What a reader of the scores has to know."""
    if options.by != "row":
        inside = " and of the clusters within it" if options.by == INDUSTRY else ""
        yield (
            f"The score of a left-out {options.by} is the joint log predictive density of all its rows, "
            f"as those of a new {options.by}: the log of the mean over draws of the product of the "
            f"densities of its rows, where the effects of the {options.by}{inside} are integrated out "
            "under their distribution. It is not a sum of scores of rows, each predicted from the others "
            "of its group."
        )
        groups = _groups(design, options)
        if groups < SANDWICH_UNITS:
            yield f"Standard errors rest on {groups} {_plural(options.by)}, and are themselves rough."
    yield (
        "Refits keep the units of the capitals and of the controls, which rest on the means and "
        "standard deviations of all rows, those left out too."
    )
    if design.family.scale in ("mean", "rate"):
        yield "Default priors in units of the outcome are those of all rows, those left out too."
    if design.weights is not None:
        yield "The log density of each row counts with its survey weight in every score."


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
