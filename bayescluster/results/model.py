"""The typed model of ``results.json``: every number that any report shows, and nothing else.

A report reads this and nothing more, so a number has one place and can be traced to it.
"""

from __future__ import annotations

from typing import Literal

from bayescluster.features.causes.results import CausesResults
from bayescluster.features.ceiling_models.results import CeilingModelsResults
from bayescluster.features.ceilings.results import Ceilings
from bayescluster.features.checklist.results import Checklist
from bayescluster.features.explorer.results import Explorer
from bayescluster.features.folds.results import Folds
from bayescluster.features.learning.results import Learning
from bayescluster.features.likelihoods.results import Likelihoods
from bayescluster.features.sensitivity.results import Sensitivity
from bayescluster.features.sets.results import SetResults
from bayescluster.features.verdict_curves.results import VerdictCurve
from bayescluster.features.weakest_node.results import WeakestNode
from bayescluster.results.base import (
    INTERVAL,
    SCHEMA_VERSION,
    By,
    Curve,
    Estimate,
    Value,
    VerdictState,
)
from bayescluster.results.claims import Claims, Corners
from bayescluster.results.facts import (
    FitFacts,
    MeasureFacts,
    Measurement,
    ModelFacts,
    OutcomeFacts,
    Reproduction,
    SampleFacts,
    SharedVariance,
    Weighting,
)
from bayescluster.results.fit import Attempt, Change, CheckItem, Comparison, FitChecks, Gate, Reason

__all__ = [
    "INTERVAL",
    "SCHEMA_VERSION",
    "Attempt",
    "By",
    "Change",
    "CheckItem",
    "Estimate",
    "Gate",
    "Reason",
    "Value",
]


class PredictiveRow(Value):
    """Observed statistic against the replicated one (90% interval) and its tail probability."""

    by: By
    group: str
    rows: int
    statistic: str
    observed: float
    low: float
    high: float
    tail: float
    """P(replicated >= observed) with ties halved: near 0 or 1 the model does not make such data."""
    flagged: bool


class Loo(Value):
    """PSIS leave-one-out cross-validation; ``bad`` counts rows with khat above the threshold."""

    elpd: float
    se: float
    p_loo: float
    khat_max: float
    khat_threshold: float
    bad: int
    rows: int
    worst: tuple[str, ...]
    advice: str


class EffectRow(Value):
    """Average effect of a capital in one group, on the outcome scale.

    ``average_marginal_effect`` is the change per standard deviation of the capital (from no to yes
    for a 0/1 capital); ``contrast`` the change from its low to its high level.
    """

    capital: str
    measure: Literal["average_marginal_effect", "contrast"]
    by: By
    group: str
    scope: str
    rows: int
    estimate: Estimate
    positive: float
    """Posterior probability that the effect is above 0."""
    unpooled: Estimate | None = None
    """The same from this industry's rows only (normal approximation), where available."""


class DifferenceRow(Value):
    """Effect in ``first`` less effect in ``second``, two groups of a kind."""

    capital: str
    by: By = "industry"
    first: str
    second: str
    scope: str
    estimate: Estimate
    positive: float


class ContextRow(Value):
    """Average marginal effects of a capital in one group: in a firm alone, in all that surrounds it too.

    ``around`` is the cluster, or the firm over all its rows. ``alone`` raises one firm (one of its rows)
    and leaves the others as they are, ``whole`` all of them, ``difference`` is the second less the first.
    """

    capital: str
    around: str
    by: By
    group: str
    rows: int
    alone: Estimate
    whole: Estimate
    difference: Estimate
    positive: float
    """Posterior probability that the difference is above 0."""


class RankRow(Value):
    """Probability that a group's effect of a capital has each rank among its kind (1 = largest)."""

    capital: str
    by: By = "industry"
    group: str
    probabilities: tuple[float, ...]


class VerdictFigure(Value):
    """A quantity a verdict rests on.

    ``unit`` says what it is: an expected outcome at a corner (``level``), a difference of expected
    outcomes (``effect``), a share, or a number on another scale. Corners alone have the rest.
    """

    label: str
    estimate: Estimate
    unit: Literal["level", "effect", "share", "number"] = "level"
    support: float | None = None
    """Effective number of firms around the corner."""
    inside: bool | None = None
    """Whether the corner lies within the range (the convex hull) of the firms."""
    contraction: float | None = None
    """Share of the prior variance of the corner, on the link scale, that the data have taken away."""


class VerdictPart(Value):
    """One condition of a region, all of which have to hold."""

    part: str
    words: str
    probability: float
    prior_probability: float


class Verdict(Value):
    """One claim put to the posterior for one group."""

    kind: str
    capital: str | None
    by: By
    group: str
    scope: str
    title: str
    """The claim in words, e.g. ``Human capital is necessary``."""
    region: str
    """The declared region in words: what the event is."""
    verdict: VerdictState
    reason: str
    """Why, in a sentence that says no more than the numbers do."""
    probability: float
    """Posterior probability of the region; over several forms, that of the least sure of the plausible
    ones: the nearest to one half."""
    among: tuple[float, float] | None = None
    """Least and largest such probability of the plausible forms, where there are several."""
    given: float
    """The same among the draws in which the claim can be assessed, of the conditions that rest on
    corners with firms: low enough, the claim is rejected."""
    mcse: float
    prior_probability: float
    odds_ratio: float | None
    """Posterior odds over prior odds; null where the draws do not determine one of them."""
    level: float
    figures: tuple[VerdictFigure, ...]
    parts: tuple[VerdictPart, ...] = ()
    """Conditions of the region, where it has several; that it can be assessed at all comes first."""
    unsupported: str = ""
    """What the claim lacks in firms near a corner, whatever else stops the verdict."""
    min_support: int | None = None
    """Least effective number of firms around each corner that the claim declares."""
    stopped: str = ""
    """Why there is no verdict whatever the probability; nothing where there is one."""
    withheld: str = ""
    """Why the claim cannot be rejected, whatever the probability; nothing where it can."""
    attenuated: str = ""
    """Which scores are measured with so much error that the corners are bent."""
    at_least: str | None = None
    """Level of the outcome that the claim asks for itself: the figures are then probabilities."""
    depends: str = ""
    """Which other likelihood of the outcome is sure of the opposite, whatever else stops it."""


class Together(Value):
    """All supported claims of a report at once: each may be sure, and one of many still be false."""

    supported: int
    expected_false: float
    """Expected number of supported claims that do not hold: the sum of one minus their probabilities."""
    probability: float
    """Posterior probability that all of them hold; over several forms, the least of the plausible ones."""

    @property
    def words(self) -> str:
        """The same in a sentence."""
        claims = "claim" if self.supported == 1 else "claims"
        words = f"{self.probability:.2f}" if self.probability <= 0.99 else "above 0.99"
        return (
            f"Of {self.supported} supported {claims}, {self.expected_false:.2g} are "
            f"expected to be false; all hold with probability {words}."
        )


class Surface(Value):
    """Expected outcome over the plane of the capitals (in sd), for one industry.

    ``mean[i][j]`` is at ``human[i]``, ``social[j]``; ``points`` are rows: (human, social, outcome).
    """

    group: str
    human: tuple[float, ...]
    social: tuple[float, ...]
    mean: tuple[tuple[float, ...], ...]
    points: tuple[tuple[float, float, float], ...]
    points_shown: int
    points_total: int


class ResidualRow(Value):
    """Correlation of what two equations leave unexplained in a firm."""

    first: str
    second: str
    estimate: Estimate
    positive: float


class EquationResults(Value):
    """An equation other than the one in focus: its model, checks, and effects of the capitals."""

    outcome: OutcomeFacts
    model: ModelFacts
    predictive: tuple[PredictiveRow, ...]
    loo: Loo | None
    effects: tuple[EffectRow, ...]
    fit_checks: FitChecks | None = None


class About(Value):
    """What the analysis asks, and of which firms."""

    schema_version: int = SCHEMA_VERSION
    name: str
    title: str
    description: str
    limits: tuple[str, ...]
    outcome: OutcomeFacts
    sample: SampleFacts
    measures: tuple[MeasureFacts, ...]


class Provenance(Value):
    """How the posterior was drawn, and what is needed to get the results again."""

    fit: FitFacts
    reproduction: Reproduction


class ModelResults(Value):
    """The model as estimated, whatever is claimed of it."""

    model: ModelFacts
    variance: SharedVariance | None = None
    """Where the analysis asks for the R2D2M2 prior."""
    measurement: Measurement | None = None
    """Where a capital is latent."""
    curves: tuple[Curve, ...]
    """Effect of each capital (low to high) along levels of the other (in sd)."""
    surfaces: tuple[Surface, ...]
    others: tuple[EquationResults, ...] = ()
    """Equations other than the one in focus, in causal order."""
    residuals: tuple[ResidualRow, ...] = ()
    learning: Learning | None = None
    """Where an equation has others as predictors."""


class Checks(Value):
    """How far the fit can be trusted."""

    gate: Gate
    predictive: tuple[PredictiveRow, ...]
    loo: Loo | None
    fit_checks: FitChecks | None = None
    """LOO-PIT and calibration curves of the equation in focus."""
    sensitivity: Sensitivity | None = None
    """Power-scaling of priors and likelihood; null in results of before it."""
    weighting: Weighting | None = None
    """Where the analysis declares survey weights."""
    comparison: Comparison | None = None
    """Where several forms were fitted: the `Answers` are then averages over them; all the rest is of
    the form that leads."""


class Answers(Value):
    """Effects and verdicts: what is averaged where several forms were fitted."""

    effects: tuple[EffectRow, ...]
    context: tuple[ContextRow, ...] = ()
    """Where the equation has contextual terms."""
    differences: tuple[DifferenceRow, ...]
    ranks: tuple[RankRow, ...]
    corners: tuple[Corners, ...]
    verdicts: tuple[Verdict, ...]
    together: Together | None = None
    """Of all supported claims; null where none is."""
    verdict_curves: tuple[VerdictCurve, ...] = ()
    """Of claims with a cut-off: what the verdict would be at others."""
    claims: Claims | None = None
    """Where the model has both capitals."""
    weakest_node: WeakestNode | None = None
    """Where the analysis asks which capital holds groups back."""


class Traditions(Value):
    """What other readings of the same firms say; most of them where the model has both capitals."""

    causes: CausesResults | None = None
    """Probabilities of causation."""
    sets: SetResults | None = None
    ceilings: Ceilings | None = None
    ceiling_models: CeilingModelsResults | None = None
    """Where the analysis asks for them."""
    likelihoods: Likelihoods | None = None
    """Where the form has a product of the capitals."""


class Additions(Value):
    """What is added to results after they were computed."""

    attempts: tuple[Attempt, ...] = ()
    """Where a failed gate was followed by further attempts: all of them, this one among them."""
    folds: Folds | None = None
    """What was found by leaving out; kept in a file of its own, and added when a report is written."""
    explorer: Explorer | None = None
    """Draws for the explorer of the report; kept in a file of its own, like what was left out."""
    checklist: Checklist | None = None
    """Filled when a report is written, from what then lies next to the run; not kept in a file."""


class Results(Additions, Traditions, Answers, Checks, ModelResults, Provenance, About):
    """Everything a report shows; the fields of the last part come first in the file."""

    @classmethod
    def joined(cls, *parts: Value) -> Results:
        """Put parts together; a field that several of them have is that of the last."""
        return cls.model_validate({name: value for part in parts for name, value in part})
