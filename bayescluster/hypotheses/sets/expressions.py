"""Combinations of the two capitals, and how they are written."""

from __future__ import annotations

from typing import Final

from bayescluster.arrays import Array
from bayescluster.hypotheses.sets.measures import conjunction, disjunction, negation
from bayescluster.names import OUTCOME

HUMAN, SOCIAL, EITHER, BOTH = "H", "S", "H+S", "H*S"
HUMAN_ONLY, SOCIAL_ONLY, NEITHER = "H*~S", "~H*S", "~H*~S"
NECESSARY: Final = (HUMAN, SOCIAL, EITHER)
"""Expressions whose necessity is measured."""
SUFFICIENT: Final = (HUMAN, SOCIAL, BOTH, HUMAN_ONLY, SOCIAL_ONLY, NEITHER)
"""Expressions whose sufficiency is measured; the last four are the rows of the truth table."""


def expressions(human: Array, social: Array) -> dict[str, Array]:
    """Memberships in every combination of the capitals."""
    not_human, not_social = negation(human), negation(social)
    return {
        HUMAN: human,
        SOCIAL: social,
        EITHER: disjunction(human, social),
        BOTH: conjunction(human, social),
        HUMAN_ONLY: conjunction(human, not_social),
        SOCIAL_ONLY: conjunction(not_human, social),
        NEITHER: conjunction(not_human, not_social),
    }


WORDS: Final = {
    HUMAN: "human capital",
    SOCIAL: "social capital",
    EITHER: "either capital",
    BOTH: "both capitals together",
    HUMAN_ONLY: "human capital without social capital",
    SOCIAL_ONLY: "social capital without human capital",
    NEITHER: "neither capital",
    OUTCOME: "the outcome",
}
"""Names of expressions within a sentence."""
