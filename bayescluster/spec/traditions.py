"""The four traditions that speak of the same claims, and for whom they speak."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bayescluster.spec.base import Frozen, NonNegative
from bayescluster.spec.causes import Causes
from bayescluster.spec.ceiling_models import CeilingModels
from bayescluster.spec.ceilings import Ceilings
from bayescluster.spec.hypotheses import By
from bayescluster.spec.sets import Sets


class Traditions(Frozen):
    """How corners, ceilings, sets and causes are read for the claims table."""

    by: Annotated[tuple[By, ...], Field(min_length=1)] | None = None
    """Groups that have a row each: ``all``, ``industry``, ``cluster``; without it the industries, or
    all firms where the data declare no industry."""
    level: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.95
    """Supported at or above this probability, rejected at or below one minus it."""
    margin: NonNegative | None = None
    """Smallest difference between the industries with the largest and the smallest effect that
    counts; 0.1 for probabilities and shares where none is given."""
    ceiling_models: CeilingModels | None = None
    """Multilevel models of the ceiling of a continuous outcome; none is fitted without it."""
    causes: Causes = Causes()
    """Probabilities of causation."""
    sets: Sets = Sets()
    """How the set-theoretic tradition calibrates and judges."""
    ceilings: Ceilings = Ceilings()
