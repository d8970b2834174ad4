"""Verdicts over a grid of their cut-off: how much hangs on the one that was declared."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Decision, Value

CutOff = Literal["ratio", "kappa", "eps", "theta", "theta_not", "delta"]


class VerdictBand(Value):
    """A run of cut-offs on the grid, ends included, with one verdict."""

    verdict: Decision
    low: float
    high: float


class VerdictCurve(Value):
    """Posterior and prior probability of the region of a claim, by one of its cut-offs."""

    claim: int
    """Position of the claim among the hypotheses, from 0."""
    kind: str
    capital: str | None
    title: str
    by: By
    group: str
    scope: str
    at_least: str | None
    level: float
    cutoff: CutOff
    declared: float
    """The cut-off of the verdict itself: declared, or the default."""
    held: str
    """Other cut-offs of the claim, which stay as declared, in words."""
    at: tuple[float, ...]
    posterior: tuple[float, ...]
    given: tuple[float, ...]
    """The same among the draws in which the claim can be assessed at all: low enough, it is rejected."""
    prior: tuple[float, ...]
    bands: tuple[VerdictBand, ...]
    stopped: str
    """Why there is no verdict whatever the cut-off; nothing where there is one."""
    withheld: str = ""
    """Why the claim is not rejected at any cut-off; nothing where it can be."""
    words: str
    """What the curve says, in a sentence or two."""
