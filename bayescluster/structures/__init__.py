"""Structural forms, and the table that lists them."""

from __future__ import annotations

from bayescluster.structures.ces import CES
from bayescluster.structures.conjunctive import CONJUNCTIVE
from bayescluster.structures.linear import ADDITIVE, HUMAN, INTERACTION, INTERCEPT, SOCIAL
from bayescluster.structures.record import TERMS, Structure, Term

__all__ = ["STRUCTURES", "TERMS", "Structure", "Term"]

STRUCTURES: dict[str, Structure] = {
    form.name: form for form in (INTERCEPT, HUMAN, SOCIAL, ADDITIVE, INTERACTION, CONJUNCTIVE, CES)
}
