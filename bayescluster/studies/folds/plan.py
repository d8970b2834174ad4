"""What is left out, refit by refit, with which settings, and when it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.checks.thresholds import SANDWICH_UNITS
from bayescluster.design.record import Design
from bayescluster.errors import ConfigError, DesignError, Problem
from bayescluster.features.folds.results import FOLDS_VERSION
from bayescluster.names import CAPITALS, INDUSTRY
from bayescluster.runs.keys import hash_of
from bayescluster.spec.analysis import Sampling

FOLDS_STREAM: Final = 32
"""Keeps the seeds of refits without some rows apart from the others."""
BY: Final = ("cluster", "industry", "row")
SECOND_ACCEPT: Final = 0.99
"""Acceptance rate that a second attempt at a refit aims for."""
PSIS_INSTEAD: Final = "the report's PSIS-LOO leaves out rows of such a model without refits"

Unit = Literal["cluster", "industry", "row"]
Positions = NDArray[np.int64]


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
