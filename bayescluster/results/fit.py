"""Whether a fit can be trusted: the gate, checks of fit, and the comparison of forms."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Estimate, Spread, Value, VerdictState

ReasonKind = Literal[
    "centred_funnel",
    "funnel",
    "inverted_funnel",
    "dominant_groups",
    "several_modes",
    "heavy_tails",
    "separation",
    "collinear_capitals",
    "empty_corner",
    "misspecified_family",
]


CheckState = Literal["passed", "warning", "failed", "not made"]


class CheckItem(Value):
    """One diagnostic of the gate: what was asked, what was found, and what to do about it.

    ``passed`` is null where the check could not be made; the gate then fails. A check with a warning
    counts as passed: it found something that can be tolerated once a refit has confirmed the estimates.
    """

    name: str
    question: str
    found: str
    threshold: str
    passed: bool | None
    worst: tuple[str, ...] = ()
    """Names of the parameters or estimands that fail, worst first."""
    advice: str = ""
    warning: str = ""
    """What is tolerated, and whether a refit has confirmed it; empty without a warning."""
    unconfirmed: bool = False
    """Whether that refit is still to be made."""

    @property
    def state(self) -> CheckState:
        """Outcome of the check."""
        if self.passed is None:
            return "not made"
        if not self.passed:
            return "failed"
        return "warning" if self.warning else "passed"


class Reason(Value):
    """A likely reason of a failed check: what it is, where it sits, and what to try."""

    kind: ReasonKind
    title: str
    """What it is, in words."""
    equation: str
    level: str = ""
    """Grouping it sits at, where it sits at one: industry, cluster."""
    term: str = ""
    """Coefficient that varies there."""
    groups: tuple[str, ...] = ()
    """Groups of firms it concerns, where not all."""
    parameters: tuple[str, ...] = ()
    """Parameters, columns or statistics it shows in, worst first."""
    found: str
    """What was found, in words."""
    number: float
    """The number behind it, held against the threshold."""
    threshold: float
    advice: str
    """The next thing to try."""
    source: str
    setting: str = ""
    """Setting of the analysis that changes how the model is sampled, and not the model; its value."""
    value: str = ""
    checks: tuple[str, ...] = ()
    """Failed checks that it may explain; none where the gate passed."""

    @property
    def where(self) -> str:
        """Where it sits, in words."""
        at = ", ".join(part for part in (self.level, self.term) if part)
        return "; ".join(part for part in (at, ", ".join(self.groups)) if part) or self.equation


class Gate(Value):
    """The convergence gate: closed unless every check was made and passed."""

    passed: bool
    items: tuple[CheckItem, ...]
    reasons: tuple[Reason, ...] = ()
    """Likely reasons of what failed, and what else was seen in design and predictive checks."""

    @property
    def failing(self) -> tuple[str, ...]:
        """Names of the checks that failed, or could not be made."""
        return tuple(item.name for item in self.items if item.passed is not True)

    @property
    def warnings(self) -> tuple[CheckItem, ...]:
        """Checks that passed with a warning."""
        return tuple(item for item in self.items if item.state == "warning")

    @property
    def first_step(self) -> str:
        """What to do first about a failed gate, in one line; empty where it passed."""
        known = next((reason for reason in self.reasons if reason.checks), None)
        if known is not None:
            return known.advice
        return next((item.advice for item in self.items if item.passed is not True), "")

    def reasons_of(self, item: CheckItem) -> tuple[Reason, ...]:
        """Likely reasons of one failed check."""
        return tuple(reason for reason in self.reasons if item.name in reason.checks)

    @property
    def other_reasons(self) -> tuple[Reason, ...]:
        """What was seen and explains no failed check: the draws are not to blame for it."""
        return tuple(reason for reason in self.reasons if not reason.checks)


class EstimandMeans(Value):
    """Posterior means of reported estimands and their Monte Carlo standard errors, by name."""

    mean: dict[str, float]
    error: dict[str, float]


class Change(Value):
    """A setting that an attempt changed, and why."""

    setting: str
    """Place in the analysis file: ``sampling.target_accept``."""
    before: str
    after: str
    why: str

    def __str__(self) -> str:
        """What was changed, in words."""
        return f"{self.setting}: {self.before} to {self.after}"


class Attempt(Value):
    """One fit of a chain of attempts: what was changed, and what the gate then said."""

    number: int
    """0 is the analysis as asked."""
    key: str
    """Run directory it is kept in; empty where its draws were not kept."""
    changes: tuple[Change, ...] = ()
    """Against the attempt before."""
    gate_passed: bool
    failing: tuple[str, ...] = ()
    """Checks that failed, or could not be made."""
    settings: str = ""
    """Lines of YAML that, put into the analysis as asked, give this attempt."""


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


Criterion = Literal["leave-one-cluster-out", "PSIS-LOO"]


class Score(Spread):
    """Predictive accuracy of a form by one criterion.

    ``difference`` is to the form with the highest elpd, whose own is 0; ``bad`` counts the left-out
    units (rows or clusters) whose Pareto k is above the threshold.
    """

    elpd: float
    se: float
    difference: float
    difference_se: float
    weight: float
    """Stacking weight by this criterion."""
    bad: int
    khat_max: float | None


class FormRow(Value):
    """One form: how well it predicts, and what it weighs."""

    form: str
    formula: str
    gate_passed: bool
    failing: tuple[str, ...]
    """Names of the checks that its gate failed."""
    non_compensatory_probability: float | None
    """Posterior probability that neither capital by itself covers more than 40% of the way from both low
    to both high, on the link scale, over all firms; null without both capitals."""
    p_loo: float
    rows: Score
    """Rows left out one by one (PSIS-LOO)."""
    clusters: Score | None
    """Clusters left out one by one, each predicted as a new one."""
    weight: float
    """Weight in the averages of effects and corners; verdicts are not averaged."""
    plausible: bool
    """Whether it predicts rows left out about as well as the best: verdicts have to hold under it."""


class FormCorner(Value):
    """Expected outcome at a corner of the plane of the capitals under one form."""

    form: str
    scope: str
    declared: str
    by: By
    group: str
    corner: Literal["LL", "HL", "LH", "HH"]
    estimate: Estimate
    at_least: str | None = None
    """Level of the outcome that a claim asks for: the estimate is then a probability."""


class FormVerdict(Value):
    """What one form by itself says of a claim."""

    form: str
    claim: int
    """Position of the verdict among those of the results, from 0."""
    title: str
    group: str
    verdict: VerdictState
    probability: float
    prior_probability: float


class LeftOutCluster(Value):
    """A cluster predicted from the others by one form."""

    form: str
    cluster: str
    rows: int
    elpd: float
    khat: float | None


class Comparison(Value):
    """Several forms fitted to the same firms."""

    criterion: Criterion
    """What the weights of the averages come from."""
    criterion_reason: str
    leading: str
    """Form with the largest weight; whatever is neither averaged nor a verdict is of this form."""
    forms: tuple[FormRow, ...]
    khat_threshold: float | None
    """Largest Pareto k that leaving out clusters can bear."""
    clusters: tuple[LeftOutCluster, ...]
    corners: tuple[FormCorner, ...]
    verdicts: tuple[FormVerdict, ...]
    statements: tuple[str, ...]
    """What the comparison says, in sentences made by rule."""
