"""Every number of a simulation-based calibration: ranks, and how reliable stated probabilities are."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Value
from bayescluster.results.claims import Tradition
from bayescluster.studies.design_analysis.results import Judged, Share, SimulationResults, SizeFacts

CALIBRATION_VERSION = 2

QuantityKind = Literal["parameter", "effect", "corner", "likelihood"]
Shape = Literal["overconfident", "underconfident", "too_low", "too_high", "other"]
State = Literal["not_rejected", "rejected", "too_few"]


class Ranked(Value):
    """Where the true value of one quantity stands among the draws of one refit."""

    kind: QuantityKind
    name: str
    truth: float
    rank: int
    """Draws below the true value, ties decided by chance."""
    among: int
    """Nearly independent draws it is ranked among."""
    position: float
    """Between 0 and 1; uniform where everything is right."""


class CalibrationReplication(Value):
    """One truth from the prior, its simulated outcome, and what the refit made of both."""

    schema_version: int = CALIBRATION_VERSION
    form: str
    number: int
    status: Literal["fitted", "not_converged", "not_fitted"]
    reason: str = ""
    rhat: float | None = None
    divergences: int = 0
    seconds: float = 0.0
    read: int = 0
    """Draws behind each probability of a claim."""
    ranks: tuple[Ranked, ...] = ()
    judged: tuple[Judged, ...] = ()
    """Claims; what is true of each is 0 or 1, decided by chance where the event itself is chance."""


class QuantityRow(Value):
    """Whether the ranks of one quantity are uniform."""

    kind: QuantityKind
    name: str
    replications: int
    """Refits that passed the gate."""
    p: float | None
    """Chance that uniform ranks stray as far; null for too few replications."""
    p_corrected: float | None
    """Corrected for all quantities of all forms (Holm)."""
    p_all: float | None
    """The same as `p`, with the refits that failed the gate."""
    rejected: bool
    shape: Shape | None
    """What the posterior is, where uniformity is rejected or `p` is below the level by itself."""
    mean: float
    """Mean position of the truth: 0.5 where everything is right."""
    spread: float
    """Standard deviation of the positions: 0.289 where everything is right."""
    difference: tuple[float, ...]
    """ECDF of the positions less the uniform distribution, at the points of the band."""


class Band(Value):
    """Simultaneous band of the ECDF difference of so many uniform positions."""

    replications: int
    points: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class Bin(Value):
    """Events whose stated probability lies between two edges, and how many came true."""

    low: float
    high: float
    stated: float
    """Mean probability stated."""
    events: int
    replications: int
    came: Share


class Reliability(Value):
    """How well the stated probabilities of some claims agree with what is true."""

    tradition: Tradition | Literal["declared", "all"]
    claim: str
    title: str
    by: By | None
    """Null where all claims stand together."""
    events: int
    replications: int
    stated: float
    """Mean probability stated."""
    came: Share
    """Share of events that are true."""
    supported: Share | None
    """Share true of what is called supported; null where nothing is."""
    rejected: Share | None
    """Share true of what is called rejected."""
    brier: float
    brier_expected: float
    """What the Brier score would be on average if every stated probability were right."""
    log_score: float
    log_score_expected: float
    excess_z: float | None
    """Share true less mean probability, in standard errors over replications."""
    bins: tuple[Bin, ...]


class FormCalibration(Value):
    """Calibration of one structural form."""

    form: str
    replications: int
    passed: int
    """Refits that passed the gate."""
    not_converged: int
    not_fitted: int
    divergent: int
    """Refits with any divergence; those that passed the gate count as they are."""
    reasons: tuple[str, ...]
    rows: tuple[QuantityRow, ...]
    """Worst first."""
    bands: tuple[Band, ...]
    claims: tuple[Reliability, ...]
    """All claims together first; of refits that passed the gate."""
    claims_all: Reliability | None
    """All claims together, with the refits that failed the gate; null where none did."""


class Calibration(SimulationResults):
    """A whole calibration."""

    schema_version: int = CALIBRATION_VERSION
    outcome: str
    """What is simulated: outcomes, that in focus first, and the indicators of latent capitals."""
    size: SizeFacts
    target_accept: float
    level: float
    """Chance of a false alarm over all quantities."""
    independent_min: int
    replications_min: int
    state: State
    forms: tuple[FormCalibration, ...]
