"""Every number of a design analysis: how often each verdict would be right, wrong or undecided."""

from __future__ import annotations

from typing import Final, Literal

from bayescluster.results.base import By, Spread, StudyResults, Value, VerdictState
from bayescluster.results.claims import Tradition
from bayescluster.spec.equation import StructureName

DESIGN_VERSION = 2
DECLARED = "declared"
"""Stands for a tradition: the hypotheses that the analysis declares."""

TRUE_FORM = "the true form"
PLAUSIBLE = "the plausible forms"
"""Stands for the fitted form where the analysis has several: its verdicts have to hold under each that the
data leave plausible."""

COMPENSATORY: Final[StructureName] = "additive"
"""The form in which each capital makes up for the other."""


def truth_words(form: str, base_rate: float | None) -> str:
    """What outcomes were simulated from, as a reader sees it."""
    return form if base_rate is None else f"{form}, base rate {100 * base_rate:g}%"


Outlook = Literal["right", "wrong", "undecided"]
Way = Literal["firms", "clusters"]


class SizeFacts(Value):
    """A size at which outcomes were simulated."""

    firms_times: float
    clusters_times: float
    rows: int
    firms: int
    clusters: int
    industries: int

    def has(self, row: DesignRow) -> bool:
        """Whether a row is of this size."""
        return (row.firms_times, row.clusters_times) == (self.firms_times, self.clusters_times)


class SimulationResults(StudyResults):
    """What the results of a study of simulated firms say of its refits."""

    replications: int
    draws: int
    tune: int
    chains: int
    seed: int
    rhat_max: float


class Judged(Value):
    """One claim for one group: what is true, and what the refit said."""

    tradition: Tradition | Literal["declared"]
    claim: str
    title: str
    by: By
    group: str
    truth: float | None
    """Whether the claim holds of what was simulated: 0 or 1, but where its event is chance."""
    region: float | None = None
    """Probability of its event at the true parameters. It can be 1 of a claim that is false where the
    capitals add up."""
    probability: float | None
    verdict: VerdictState

    @property
    def outlook(self) -> Outlook | None:
        """Right, wrong or undecided; nothing where no event says what would be right."""
        if self.truth is None:
            return None
        if self.verdict not in ("supported", "rejected", "negligible"):
            return "undecided"
        return "right" if (self.verdict == "supported") == (self.truth > 0.5) else "wrong"


class Replication(Value):
    """One simulated outcome, refitted and judged."""

    schema_version: int = DESIGN_VERSION
    truth: str
    """Form that the outcome was simulated from."""
    base_rate: float | None = None
    """Mean expected outcome of a compensatory truth; null where parameters are from the prior."""
    fitted: str
    """Form that was fitted to it."""
    number: int
    status: Literal["fitted", "not_converged", "not_fitted"]
    reason: str = ""
    rhat: float | None = None
    divergences: int = 0
    seconds: float = 0.0
    judged: tuple[Judged, ...] = ()


class Share(Spread):
    """A share of replications, with a binomial interval."""

    share: float
    low: float
    high: float


class DesignRow(Value):
    """How often the verdicts on one claim are right, at one size and under one true form."""

    firms_times: float
    clusters_times: float
    truth: str
    """A form, or all of them."""
    base_rate: float | None
    """Mean expected outcome of a compensatory truth; null where parameters are from the prior."""
    fitted: str
    tradition: Tradition | Literal["declared"]
    claim: str
    title: str
    by: By
    replications: int
    verdicts: int
    """Replications times groups, of those that have a truth."""
    true: int
    """Verdicts whose claim holds."""
    region_only: int
    """Verdicts whose claim is false although its event holds at the true parameters."""
    right: Share
    wrong: Share
    supported: Share
    rejected: Share
    undecided: Share
    not_assessable: Share
    negligible: Share
    scale_dependent: Share
    depends_on_the_form: Share
    supported_where_true: Share | None
    supported_where_false: Share | None


class Needed(Value):
    """How many firms or clusters a claim needs until its verdicts are right often enough."""

    fitted: str
    tradition: Tradition | Literal["declared"]
    claim: str
    title: str
    by: By
    way: Way
    enough: int | None
    """Firms or clusters at the smallest size run at which it is so; null where none is enough."""
    at_most: bool
    """Whether already the smallest size run is enough."""
    largest: int
    """Firms or clusters at the largest size run."""
    smoothed: tuple[float, ...]
    """Shares of right verdicts by size, never falling, in the order of the sizes."""
    sizes: tuple[int, ...]


class Failures(Value):
    """Replications that count as undecided, by size and forms."""

    firms_times: float
    clusters_times: float
    truth: str
    base_rate: float | None
    fitted: str
    replications: int
    not_converged: int
    not_fitted: int
    divergent: int
    """Replications with any divergence; they count as they are."""
    reasons: tuple[str, ...]


class DesignAnalysis(SimulationResults):
    """A whole design analysis."""

    schema_version: int = DESIGN_VERSION
    outcome: str
    level: float
    """At or above this probability the claims table calls a claim supported."""
    enough: float
    """Share of right verdicts that is asked for."""
    forms: tuple[str, ...]
    """Forms that outcomes were simulated from, with parameters from their prior."""
    base_rates: tuple[float, ...]
    """Mean expected outcomes of the compensatory truths."""
    fitted: str
    """The form that was fitted; `PLAUSIBLE` of several, `TRUE_FORM` where it was the true one each time."""
    sizes: tuple[SizeFacts, ...]
    rows: tuple[DesignRow, ...]
    needed: tuple[Needed, ...]
    failures: tuple[Failures, ...]
