"""Every number of prediction by leaving out: groups refitted without, and rows that were repaired."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import Value

FOLDS_VERSION = 1

GroupBy = Literal["cluster", "industry"]
Way = Literal["integrated", "refit", "left"]
"""How a row was repaired whose importance weights failed; ``left`` where it was not."""


class GroupScore(Value):
    """Joint log predictive density of all rows of a left-out group, and its Monte Carlo error."""

    group: str
    elpd: float | None
    """Null where it is not a finite number."""
    mcse: float | None


class Fold(Value):
    """One refit, without the rows of some groups or without one row; a file of its own."""

    schema_version: int = FOLDS_VERSION
    number: int
    held: tuple[str, ...]
    """Groups, or the row, that were left out."""
    rows: int
    status: Literal["fitted", "not_fitted"]
    reasons: tuple[str, ...] = ()
    """Why its scores do not count; none where they do."""
    rhat: float | None = None
    ess: float | None = None
    divergences: int = 0
    attempts: int = 1
    """Fits that were made: a second, with smaller steps, where the first failed its gate."""
    seconds: float = 0.0
    scores: tuple[GroupScore, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether its scores count."""
        return not self.reasons


class ImportanceScores(Value):
    """The same scores by importance sampling, without refits, group by group; a file of its own."""

    schema_version: int = FOLDS_VERSION
    groups: tuple[str, ...]
    elpd: tuple[float | None, ...]
    khat: tuple[float | None, ...]
    khat_threshold: float


class GroupRow(Value):
    """A left-out group: its score from the refit, beside that of importance sampling."""

    form: str
    group: str
    rows: int
    fold: int
    """Number of the refit, from 1."""
    counts: bool
    """Whether the score counts in the sums: its fold passed its gate."""
    elpd: float | None
    mcse: float | None
    psis: float | None
    khat: float | None
    khat_bad: bool
    why: str
    """Why the score does not count; empty where it does."""


class FormFolds(Value):
    """A form: how well it predicts groups that are left out.

    All sums are over the same groups: those whose refits passed their gates under every form.
    """

    form: str
    groups: int
    counted: int
    elpd: float
    se: float
    mcse: float
    psis: float | None
    """The sum by importance sampling; null where a score is not a number."""
    psis_se: float | None
    difference: float
    """To the form with the highest elpd from refits, whose own is 0."""
    difference_se: float
    weight: float | None
    """Stacking weight from the refits; null where no group counts."""
    psis_weight: float | None
    diag_khat_bad: int
    """Groups whose Pareto k is above the threshold, of all groups."""
    diag_khat_max: float | None
    diag_refits: int
    """Folds that were fitted."""
    diag_second: int
    """Of these, fitted a second time with smaller steps."""
    diag_failed: int
    """Folds whose gate failed, or that could not be fitted: their scores do not count."""


class LeftOutGroups(Value):
    """Groups left out by exact refits."""

    by: GroupBy
    key: str
    folds: int
    draws: int
    tune: int
    chains: int
    seed: int
    khat_threshold: float
    rhat_max: float
    ess_min: float
    error_max: float
    forms: tuple[FormFolds, ...]
    rows: tuple[GroupRow, ...]
    notes: tuple[str, ...]


class RowRepair(Value):
    """A row whose importance weights failed: which way it went, and its score by each."""

    form: str
    row: str
    way: Way
    khat: float | None
    psis: float | None
    integrated_khat: float | None
    integrated: float | None
    refit: float | None
    refit_mcse: float | None
    why: str
    """Why a refit does not count, or was not made."""


class FormRows(Value):
    """A form: elpd of rows left out one by one, before and after the repair."""

    form: str
    rows: int
    elpd: float
    se: float
    psis: float
    psis_se: float
    difference: float
    difference_se: float
    weight: float | None
    psis_weight: float | None
    diag_khat_bad: int
    """Rows above the threshold before."""
    diag_khat_max: float | None
    diag_integrated: int
    diag_refits: int
    diag_failed: int
    """Refits whose gate failed: these rows keep what importance sampling says, and are told."""
    diag_left: int
    """Rows that still rest on importance weights that failed."""


class LeftOutRows(Value):
    """Rows left out one by one: importance sampling, repaired where it failed."""

    key: str
    most: int
    draws: int
    tune: int
    chains: int
    seed: int
    khat_threshold: float
    unit: str
    """Grouping whose effects are integrated out for a row; empty where none varies."""
    forms: tuple[FormRows, ...]
    repairs: tuple[RowRepair, ...]
    notes: tuple[str, ...]


class Folds(Value):
    """Everything that was left out of a run; each part where it was asked for."""

    schema_version: int = FOLDS_VERSION
    name: str
    run_key: str
    synthetic: bool
    cluster: LeftOutGroups | None = None
    industry: LeftOutGroups | None = None
    row: LeftOutRows | None = None

    @property
    def groups(self) -> tuple[LeftOutGroups, ...]:
        """Groups that were left out, clusters first."""
        return tuple(part for part in (self.cluster, self.industry) if part is not None)
