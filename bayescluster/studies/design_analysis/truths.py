"""What outcomes are simulated from, and what is true of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from scipy.optimize import brentq

from bayescluster.arrays import Array, Positions
from bayescluster.design.forms import as_form
from bayescluster.design.record import Design
from bayescluster.errors import DesignError, Problem
from bayescluster.estimands.effects import Setting, outcome_surface
from bayescluster.estimands.levels import default_levels
from bayescluster.estimands.scopes import groups_of
from bayescluster.families import FAMILIES
from bayescluster.features.ceilings.compute import NECESSITY
from bayescluster.model.evaluate import Draws, draws_of, expectation, linear_predictor
from bayescluster.model.simulated import measured
from bayescluster.names import CAPITALS, DRAW, INTERCEPT
from bayescluster.spec.analysis import Analysis
from bayescluster.spec.equation import Equation, StructureName
from bayescluster.spec.hypotheses import Difference
from bayescluster.studies.design_analysis.results import COMPENSATORY, DECLARED, truth_words
from bayescluster.studies.design_analysis.spec import Truths
from bayescluster.studies.simulation import AnswerKey, Size, alone, answers
from bayescluster.verdicts.evidence import Evidence

FORMS: Final[tuple[StructureName, ...]] = ("additive", "interaction", "conjunctive", "ces")
STREAMS: Final[tuple[StructureName, ...]] = (*FORMS, "human_capital", "social_capital")
"""Forms by the place that their random streams have."""
REPLICATIONS_MAX: Final = 400
"""Truths that are drawn from the prior of each form, whatever the number of replications."""
SCENARIO_DRAWS: Final = 4000
"""Draws of the prior among which those near a declared scenario are looked for."""
SLOPES: Final = {"logit": 1.0, "probit": 0.6}
"""What a standard deviation of a capital adds on the link scale in a compensatory truth."""
FAR: Final = 30.0
"""On the link scale nothing happens this far beyond the firm farthest from 0."""
NEEDS_MORE_THAN_A_SUM: Final = ("necessary", "necessary_not_sufficient", "complementarity")
"""Claims that are false where the capitals add up, wherever the probabilities at the corners lie."""


class TrueStructure(NamedTuple):
    """A form, and the mean expected outcome that a compensatory truth is set to."""

    form: StructureName
    base_rate: float | None = None

    @property
    def words(self) -> str:
        """What a reader sees."""
        return truth_words(self.form, self.base_rate)

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.form if self.base_rate is None else f"{self.form}-base-rate-{self.base_rate:g}"

    @property
    def stream(self) -> tuple[int, ...]:
        """Entropy that distinguishes it from other truths."""
        rate = self.base_rate
        return (STREAMS.index(self.form),) if rate is None else (len(STREAMS), round(1e6 * rate))


class Truth(NamedTuple):
    """A design under the form that outcomes are simulated from, and draws of its parameters."""

    structure: TrueStructure
    design: Design
    draws: Draws
    prior: xr.Dataset | None = None
    """The same draws by variable, where a capital is latent: its answers are drawn from them."""

    def number(self, k: int | Positions) -> Truth:
        """One of the draws, or some."""
        which = np.atleast_1d(k)
        prior = None if self.prior is None else self.prior.isel({DRAW: which})
        return self._replace(draws=self.draws.part(which), prior=prior)

    def with_capitals(self, rng: np.random.Generator) -> tuple[Truth, dict[str, Any]]:
        """One draw with latent capitals for its firms, and the answers to their indicators.

        There the base rate of a compensatory truth is set: it depends on the capitals. Answers are
        variables of the design; none where both capitals are observed.
        """
        draws, answers = self.draws, dict[str, Any]()
        if self.prior is not None:
            found = measured(self.design, self.prior, rng)
            draws, answers = draws_of(self.design, found.draw), found.answers
        if self.structure.base_rate is not None:
            draws = at_base_rate(self.design, draws, self.structure.base_rate)
        return self._replace(draws=draws, prior=None), answers


def form_design(analysis: Analysis, size: Size, form: StructureName) -> Design:
    """The firms of a size under a form, whether the analysis asks for it or not."""
    return replace(size.design, analysis=as_form(analysis, form))


def has_base_rate(equation: Equation) -> bool:
    """Whether the outcome is yes or no, or a share: without zeros of their own, which bound its mean."""
    family = FAMILIES[equation.family]
    return family.scale in ("probability", "share") and family.plain is None


def at_base_rate(design: Design, drawn: Draws, base_rate: float) -> Draws:
    """Truths in which the capitals add up: slopes are stated, the intercept gives the base rate.

    A standard deviation of each capital adds as much on the link scale. How industries and clusters
    differ, and what controls do, stays as it was drawn.
    """
    slope = SLOPES[design.family.link]
    scales = [float(np.nanstd(values)) for values in drawn.capitals or design.capitals]
    slopes = {
        name: np.full(drawn.size, slope / scale)
        for name, scale in zip(CAPITALS, scales, strict=True)
    }
    none, found = np.zeros(drawn.size), np.empty(drawn.size)
    without = replace(drawn, population=drawn.population | slopes | {INTERCEPT: none})
    weights = groups_of(design, "all").weights[:, 0]

    def excess(intercept: float, eta: Array, one: Draws) -> float:
        expected = expectation(design, eta + intercept, one)
        return float(expected[0] @ weights / weights.sum()) - base_rate

    for k in range(drawn.size):
        one = without.part(np.array([k]))
        # a family whose linear predictor has an offset takes its expectation without it
        eta = linear_predictor(design, one) - design.offset
        far = FAR + float(abs(eta).max())
        found[k] = brentq(excess, -far, far, args=(eta, one))
    return replace(without, population=without.population | {INTERCEPT: found})


def near_scenario(truth: Truth, scenario: Truths, least: int, where: str) -> Truth:
    """Those of the draws that come near a declared scenario.

    Raises
    ------
    DesignError
        If there are fewer than ``least`` of them.
    """
    near = np.flatnonzero(_distance(truth.design, truth.draws, scenario) <= scenario.within)
    if near.size < least:
        raise DesignError(
            Problem(
                f"{near.size} of {SCENARIO_DRAWS} draws from the prior of the form "
                f"'{truth.structure.form}' come within {scenario.within:g} of the declared truths, and "
                f"{least} replications were asked for",
                where,
                "widen `within`, ask for fewer replications, or leave the form out with --forms",
            )
        )
    return truth.number(near)


def _distance(design: Design, drawn: Draws, scenario: Truths) -> Array:
    """How far the farthest corner of each draw is from what is declared, ``(draw,)``."""
    levels = default_levels(design)
    settings = [Setting(*levels.at(corner)) for corner in scenario.corners]
    weights = groups_of(design, "all").weights
    corners = outcome_surface(design, drawn, settings, weights)[:, :, 0]  # (draw, corner)
    return np.asarray(abs(corners - np.array(list(scenario.corners.values()))).max(axis=1))


class TrueAnswer(NamedTuple):
    """Whether a claim holds of a truth, and its event at the true parameters."""

    title: str
    holds: float | None
    region: float | None
    """Probability of the event: 0 or 1, but where the event itself is chance."""


def true_answers(truth: Truth, real: Evidence) -> dict[AnswerKey, TrueAnswer]:
    """Whether each claim holds of what was simulated.

    Where the capitals add up, neither is necessary and they are no complements: a region of the corners
    can hold all the same, since a capital that does little makes up for little. Every other claim
    holds where its event does at the true parameters.
    """
    adds_up = truth.structure.form == COMPENSATORY
    return {
        key: TrueAnswer(
            answer.title,
            0.0 if adds_up and needs_more_than_a_sum(key, real) else answer.probability,
            answer.probability,
        )
        for key, answer in answers(alone(real, gate_passed=True)).items()
    }


def needs_more_than_a_sum(key: AnswerKey, evidence: Evidence) -> bool:
    """Whether a claim is false wherever the capitals add up.

    A ceiling claim asks for more than a compensatory model gives.
    """
    if key.tradition == DECLARED:
        claim = evidence.design.analysis.hypotheses[int(key.claim) - 1]
        kind = claim.of if isinstance(claim, Difference) else claim.kind
        return kind in NEEDS_MORE_THAN_A_SUM
    if key.tradition == "corners":
        return key.claim in (*NECESSITY, "C")
    return key.tradition == "ceilings" and key.claim in NECESSITY
