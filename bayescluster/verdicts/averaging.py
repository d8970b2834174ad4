"""Several forms of one analysis as one posterior: draws mixed by weight, verdicts averaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.checks.thresholds import WEIGHT_MIN
from bayescluster.estimands.effects import SurfaceDraws
from bayescluster.results.model import Verdict
from bayescluster.spec.hypotheses import Hypothesis
from bayescluster.verdicts.decide import decide, odds_ratio, verdicts
from bayescluster.verdicts.evidence import Evidence, SurfaceRequest

MIXED_DRAWS = 4000
"""Draws of the mixture; each form has a share of them that is its weight."""
MIXED_PRIOR = 100
"""The same of the prior: few, since prior probabilities are taken from the forms' own verdicts."""


class WeightedForm(NamedTuple):
    """A form with its weight, its estimands, and its own verdicts."""

    name: str
    weight: float
    evidence: Evidence
    verdicts: tuple[Verdict, ...]
    gate_passed: bool

    @property
    def counts(self) -> bool:
        """Whether the weight of the form is large enough to matter in the averages."""
        return self.weight > WEIGHT_MIN


def averaged_verdicts(
    claims: tuple[Hypothesis, ...], forms: Sequence[WeightedForm], mixture: Averaged, criterion: str
) -> tuple[Verdict, ...]:
    """Judge every claim by the average of the forms' probabilities.

    The estimates that a verdict rests on are those of the mixture. A verdict is undecided where a
    form with a part in the average failed its gate, or finds a corner of the claim unsupported.
    """
    found = verdicts(claims, mixture, gate_passed=True)
    return tuple(
        _averaged(base, [form.verdicts[k] for form in forms], forms, criterion)
        for k, base in enumerate(found)
    )


def _averaged(
    base: Verdict, own: Sequence[Verdict], forms: Sequence[WeightedForm], criterion: str
) -> Verdict:
    weights = np.array([form.weight for form in forms])
    probability = float(weights @ [one.probability for one in own])
    prior = float(weights @ [one.prior_probability for one in own])
    error = float(np.sqrt(weights**2 @ np.square([one.mcse for one in own])))
    unsupported = _first_reason(forms, [one.unsupported for one in own])
    depends = _first_reason(forms, [one.depends for one in own])
    stopped = _failed(forms) or base.unsupported or unsupported or depends
    decision, reason = decide(probability, base.level, stopped)
    listed = ", ".join(
        f"{form.name} {form.weight:.2f}"
        for form in sorted(forms, key=lambda form: -form.weight)
        if form.counts
    )
    prior_draws = forms[0].evidence.design.analysis.sampling.prior_draws
    return base.model_copy(
        update={
            "verdict": decision,
            "stopped": stopped,
            "reason": f"{reason} Averaged over {len(forms)} forms, by {criterion} weights ({listed}).",
            "unsupported": base.unsupported or unsupported,
            "depends": depends,
            "probability": probability,
            "mcse": error,
            "prior_probability": prior,
            "odds_ratio": odds_ratio(probability, prior, prior_draws),
        }
    )


def _failed(forms: Sequence[WeightedForm]) -> str:
    """Say which forms with a part in the average failed their gate; nothing where none did."""
    failed = [form.name for form in forms if form.counts and not form.gate_passed]
    names = " and ".join(failed)
    return (
        f"The diagnostics gate of {names} failed: the average cannot be relied on." if names else ""
    )


def _first_reason(forms: Sequence[WeightedForm], reasons: Sequence[str]) -> str:
    """First reason of a form with a part in the average; nothing where none has any."""
    named = zip(forms, reasons, strict=True)
    return next((f"Under {form.name}: {why}" for form, why in named if form.counts and why), "")


class Averaged(Evidence):
    """Estimands of the mixture of several forms; the one with the largest weight gives the design.

    The draws of each form are thinned or repeated evenly to its share of the mixture (systematic
    resampling, without chance), and put one after the other: they are no chains. ``parts`` holds the
    estimands of each form that has draws in the mixture, from these draws only.
    """

    def __init__(self, forms: Sequence[WeightedForm]) -> None:
        main = max(forms, key=lambda form: form.weight).evidence
        super().__init__(main.design, replace(main.posterior, chains=0), main.prior, 0)
        weights = np.array([form.weight for form in forms])
        self.parts = [
            _thinned(form.evidence, share, few)
            for form, share, few in zip(
                forms, shares(weights, MIXED_DRAWS), shares(weights, MIXED_PRIOR), strict=True
            )
            if share
        ]

    @cached_property
    def behind_gates(self) -> dict[str, Array]:
        """Empty: each form has its own gates, if any."""
        return {}

    def _computed(self, request: SurfaceRequest) -> SurfaceDraws:
        source, scope, levels, at_least = request
        parts = [part.surface(scope, levels, source, at_least) for part in self.parts]
        return SurfaceDraws(*(_joined(by_name) for by_name in zip(*parts, strict=True)))


def _thinned(evidence: Evidence, share: int, few: int) -> Evidence:
    posterior, prior = evidence.posterior, evidence.prior
    return Evidence(
        evidence.design,
        posterior.part(evenly(posterior.size, share)),
        prior.part(evenly(prior.size, max(few, 1))),
        evidence.seed,
    )


def _joined(parts: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def shares(weights: Array, total: int) -> tuple[int, ...]:
    """Draws that each weight has of a total, by largest remainders."""
    exact = weights / weights.sum() * total
    found = np.floor(exact).astype("int64")
    short = total - int(found.sum())
    found[np.argsort(-(exact - found), kind="stable")[:short]] += 1
    return tuple(int(share) for share in found)


def evenly(size: int, share: int) -> NDArray[np.int64]:
    """Positions of so many draws among ``size``, evenly spaced, repeated where there are too few."""
    return ((np.arange(share) + 0.5) * size / share).astype("int64")
