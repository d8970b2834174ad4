"""Every number of a comparison of finished runs: side by side, and differences where they exist."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Estimate, Value, VerdictState
from bayescluster.results.facts import OutcomeFacts

COMPARED_VERSION = 2

Standing = Literal["independent", "shared", "apart"]
"""``independent``: draws of the two can be subtracted. ``shared``: the runs share data or firms, so
only their means can be. ``apart``: the outcomes are on other scales, and nothing can be subtracted."""

Changes = Literal["model", "claims", "sampling", "report"]
"""What a setting bears on. ``model``: the posterior itself. ``claims``: what it is asked.
``sampling``: only the draws. ``report``: neither, but names, texts and options of other studies."""


class CapitalUnit(Value):
    """What one standard deviation of a capital is in a run, and where low and high were set."""

    capital: str
    unit: str
    center: float
    scale: float
    low: float | None
    high: float | None


class ComparedRun(Value):
    """A run that is compared with others."""

    label: str
    """Name in the comparison: that of the analysis, with the form or key where names repeat."""
    name: str
    title: str
    run_key: str
    results_key: str
    outcome: OutcomeFacts
    forms: tuple[str, ...]
    leading: str | None
    """Of several forms, the one with the largest weight; effects are averages over them."""
    data: str
    data_digest: str
    synthetic: bool
    gate_passed: bool
    failing: tuple[str, ...]
    rows: int
    firms: int
    clusters: int
    industries: int
    capitals: tuple[CapitalUnit, ...]


class DifferingSetting(Value):
    """A setting in which the analyses of the runs differ; null where it is not set."""

    place: str
    """Dotted place in the analysis file, such as ``equations.upgrading.structure``."""
    changes: Changes
    values: tuple[str | None, ...]
    """As the analysis of each run has it, defaults written out."""


class ComparedEffect(Value):
    """An effect of a capital in every run; null where a run has none of it."""

    capital: str
    measure: Literal["average_marginal_effect", "contrast"]
    by: By
    group: str
    estimates: tuple[Estimate | None, ...]
    positive: tuple[float | None, ...]


class ComparedCorner(Value):
    """Expected outcome at a corner in every run; null where a run has none of it."""

    scope: str
    declared: str
    at_least: str | None
    by: By
    group: str
    corner: Literal["LL", "HL", "LH", "HH"]
    estimates: tuple[Estimate | None, ...]


class ClaimVerdict(Value):
    """The verdict of one run on a claim."""

    verdict: VerdictState
    probability: float
    among: tuple[float, float] | None = None
    prior_probability: float
    level: float
    region: str
    stopped: str


class ComparedVerdict(Value):
    """A claim about a group in every run; null where a run does not make it."""

    title: str
    scope: str
    by: By
    group: str
    told: tuple[ClaimVerdict | None, ...]


class Pair(Value):
    """Two runs, by their positions, and whether their difference has an interval."""

    first: int
    second: int
    standing: Standing
    why: str
    firms_shared: int
    """Firm identifiers that are in both."""


class ComparedDifference(Value):
    """An effect in the first run less that in the second.

    ``estimate`` and ``positive`` are null where draws of the two cannot be subtracted: ``mean`` is
    then the difference of their means, and nothing is known of its uncertainty.
    """

    first: int
    second: int
    capital: str
    measure: Literal["average_marginal_effect", "contrast"]
    by: By
    group: str
    mean: float
    estimate: Estimate | None
    positive: float | None


class Compared(Value):
    """Several runs side by side."""

    schema_version: int = COMPARED_VERSION
    key: str
    run_keys: tuple[str, ...]
    interval: float
    runs: tuple[ComparedRun, ...]
    settings: tuple[DifferingSetting, ...]
    """Where the analyses differ; empty where they are the same in every setting."""
    effects: tuple[ComparedEffect, ...]
    corners: tuple[ComparedCorner, ...]
    verdicts: tuple[ComparedVerdict, ...]
    pairs: tuple[Pair, ...]
    differences: tuple[ComparedDifference, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def simulated(self) -> tuple[ComparedRun, ...]:
        """Runs whose data are synthetic."""
        return tuple(run for run in self.runs if run.synthetic)

    @property
    def same_data(self) -> bool:
        """Whether the data of all runs have the same content."""
        return len({run.data_digest for run in self.runs}) == 1

    @property
    def failed(self) -> tuple[ComparedRun, ...]:
        """Runs whose diagnostics gate failed."""
        return tuple(run for run in self.runs if not run.gate_passed)
