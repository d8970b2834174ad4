"""The claims that four traditions speak of: their names, titles, and the groups they are read for."""

from __future__ import annotations

from typing import Final

from bayescluster.design.record import Design
from bayescluster.results.claims import ClaimName
from bayescluster.spec.hypotheses import By

CLAIMS: Final[dict[ClaimName, str]] = {
    "N-H": "Human capital is necessary",
    "N-S": "Social capital is necessary",
    "I-H": "Human capital alone is not sufficient",
    "I-S": "Social capital alone is not sufficient",
    "J": "Both capitals together are sufficient",
    "C": "The capitals are complements",
    "D-H": "Human capital matters more in some industries than in others",
    "D-S": "Social capital matters more in some industries than in others",
}
"""Claims in the order of the table."""

CAPITAL_OF: Final[dict[ClaimName, str]] = {
    "N-H": "human_capital",
    "N-S": "social_capital",
    "I-H": "human_capital",
    "I-S": "social_capital",
    "D-H": "human_capital",
    "D-S": "social_capital",
}
"""The capital a claim is about; claims about both are absent."""


def groups_asked(design: Design) -> tuple[By, ...]:
    """Kinds of groups that have a row in the claims table."""
    asked = design.analysis.traditions.by
    if asked is not None:
        return asked
    return ("all",) if design.analysis.data.industry is None else ("industry",)
