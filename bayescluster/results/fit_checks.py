"""Whether the model fits: predictive statistics counted, LOO-PIT, and calibration curves."""

from __future__ import annotations

from bayescluster.results.base import By, Value


class PredictiveCount(Value):
    """How many posterior predictive statistics are flagged, and how many are by chance."""

    checked: int
    flagged: int
    by_chance: float
    """Expected number of flags where the model is right, at most: the checks are conservative."""


class PitRow(Value):
    """Uniformity of the LOO-PIT values of one group.

    ``location``, ``spread``, ``skewness`` and ``tails`` are the first four components of Neyman's
    smooth test, about standard normal each where the model fits.
    """

    by: By
    group: str
    rows: int
    location: float | None = None
    spread: float | None = None
    skewness: float | None = None
    tails: float | None = None
    p: float | None = None
    adjusted: float | None = None
    """The same, corrected for the number of groups of its kind (Holm)."""
    flagged: bool = False
    shape: str = ""
    """How outcomes differ from their predictions, in words; empty where they are not flagged."""
    reason: str = ""
    """Why the test was not made; empty where it was."""


class PitCurve(Value):
    """Empirical distribution function of the PIT values less that of the uniform, on a grid."""

    at: tuple[float, ...]
    difference: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    level: float
    """Probability that all points of a model that fits lie within the band at once."""


class LooPit(Value):
    """Probability that the others give to an outcome at most that of each row."""

    rows: int
    bad: int
    """Rows whose Pareto k is above the threshold: their values are unsure."""
    khat_threshold: float
    left_out: int
    """Rows whose value is not a number; they are not used."""
    randomised: int
    """Randomisations of the values within the steps of a discrete outcome; 0 where there are none."""
    curve: PitCurve
    groups: tuple[PitRow, ...]


class CalibrationRow(Value):
    """Calibration of the probability of one event in one group.

    ``score`` (mean Brier score) = ``miscalibration`` - ``discrimination`` + ``uncertainty``, each
    the mean over draws; ``left_out_score`` is that of probabilities from the other rows.
    """

    event: str
    by: By
    group: str
    rows: int
    happened: int
    """Rows in which the event happened."""
    predicted: float | None = None
    """Mean of the probabilities."""
    score: float | None = None
    left_out_score: float | None = None
    miscalibration: float | None = None
    expected: float | None = None
    """Miscalibration of events replicated by the model: of a model that is right."""
    discrimination: float | None = None
    uncertainty: float | None = None
    p: float | None = None
    adjusted: float | None = None
    """The same, corrected for the number of events, or of industries (Holm)."""
    flagged: bool = False
    shape: str = ""
    """How events differ from their predictions, in words; empty where they are not flagged."""
    reason: str = ""
    """Why the test was not made; empty where it was."""


class CalibrationCurve(Value):
    """How often an event happened where a probability was predicted, never falling (isotonic).

    Probabilities are posterior means; the band holds nine of ten curves of replicated events at
    each point.
    """

    event: str
    predicted: tuple[float, ...]
    happened: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class Calibration(Value):
    """Calibration of probabilities, all firms and by industry."""

    draws: int
    """Draws of the posterior whose replicated events the miscalibration is compared with."""
    rows: tuple[CalibrationRow, ...]
    curves: tuple[CalibrationCurve, ...]


class FitChecks(Value):
    """Whether one equation fits; what was not made says why."""

    predictive: PredictiveCount
    alpha: float
    """Adjusted p-value below which a test flags."""
    pit: LooPit | None = None
    pit_reason: str = ""
    calibration: Calibration | None = None
    calibration_reason: str = ""
