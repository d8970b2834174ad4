"""Typed results: what the data say of the parameters of a structural form."""

from __future__ import annotations

from typing import Literal

from bayescluster.results.base import By, Estimate, Value


class Contraction(Value):
    """Share of a parameter's prior variance that the data have taken away, on its working scale.

    Near 1 the data determine it, near 0 they say nothing; below 0 they have spread it.
    """

    term: str
    contraction: float


class CornerWeight(Value):
    """Effective number of firms behind a corner of the conjunctive form, after its gates."""

    by: By
    group: str
    corner: Literal["LL", "HL", "LH", "HH"]
    firms: Estimate


class Identification(Value):
    """How far the data determine a form that is no sum."""

    contractions: tuple[Contraction, ...]
    corners: tuple[CornerWeight, ...] = ()
    substitution_flat: float | None = None
    """CES: posterior probability that ``|r|`` lies where the form is flat in it."""
    gain_small: float | None = None
    """CES: posterior probability of a gain so small that the mean it multiplies is unknown."""
    notes: tuple[str, ...] = ()
    """What is hardly identified, in words."""
