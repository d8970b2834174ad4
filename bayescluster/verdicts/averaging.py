"""Several forms of one analysis as one posterior, for effects and corners: draws mixed by weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.estimands.effects import SurfaceDraws
from bayescluster.estimands.levels import Levels
from bayescluster.results.model import Together, Verdict
from bayescluster.spec.hypotheses import By, Hypothesis
from bayescluster.verdicts.decide import events
from bayescluster.verdicts.events import Draws
from bayescluster.verdicts.evidence import Evidence, SurfaceRequest

MIXED_DRAWS = 4000
"""Draws of the mixture; each form has a share of them that is its weight."""
MIXED_PRIOR = 100
"""The same of the prior: few, since prior probabilities are taken from the forms' own verdicts."""


class WeightedForm(NamedTuple):
    """A form with its weight and its estimands."""

    name: str
    weight: float
    evidence: Evidence


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

    def standardised(
        self, by: By, member: int, levels: Levels, source: str = "posterior"
    ) -> SurfaceDraws:
        """Estimands of one group over the firms of all, mixed."""
        parts = [part.standardised(by, member, levels, source) for part in self.parts]
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


def together(verdicts: Sequence[Verdict], draws: Sequence[Sequence[Draws]]) -> Together | None:
    """Say how many of the supported claims to expect to be false, and how probable all of them are.

    Parameters
    ----------
    verdicts
        All verdicts of a report.
    draws
        Of each plausible form, the draws in the region of each verdict, ``(draw,)``.

    Returns
    -------
    Together or None
        None where no claim is supported.
    """
    supported = [k for k, verdict in enumerate(verdicts) if verdict.verdict == "supported"]
    if not supported:
        return None
    joint = [float(np.logical_and.reduce([form[k] for k in supported]).mean()) for form in draws]
    return Together(
        supported=len(supported),
        expected_false=sum(1 - verdicts[k].probability for k in supported),
        probability=min(joint),
    )


def region_draws(claims: Sequence[Hypothesis], evidence: Evidence) -> list[Draws]:
    """Draws in the region of every verdict on the claims, in their order."""
    return [event.posterior for claim in claims for event in events(claim, evidence)]
