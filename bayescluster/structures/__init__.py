"""Structural forms: one file each, and the table that lists them."""

from __future__ import annotations

from bayescluster.structures.additive import ADDITIVE
from bayescluster.structures.ces import CES
from bayescluster.structures.conjunctive import CONJUNCTIVE
from bayescluster.structures.interaction import INTERACTION
from bayescluster.structures.intercept import INTERCEPT
from bayescluster.structures.record import TERMS, Structure, Term
from bayescluster.structures.single import HUMAN, SOCIAL

__all__ = ["STRUCTURES", "TERMS", "Structure", "Term"]

STRUCTURES: dict[str, Structure] = {
    form.name: form for form in (INTERCEPT, HUMAN, SOCIAL, ADDITIVE, INTERACTION, CONJUNCTIVE, CES)
}
