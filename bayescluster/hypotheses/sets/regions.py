"""Claims as regions of set theory: which measures must reach which cuts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.design.record import Design
from bayescluster.hypotheses.claims import CAPITAL_OF
from bayescluster.hypotheses.sets.expressions import (
    BOTH,
    HUMAN,
    HUMAN_ONLY,
    SOCIAL,
    SOCIAL_ONLY,
    WORDS,
)
from bayescluster.hypotheses.sets.measured import Measured
from bayescluster.hypotheses.sets.measures import Sufficiency, passes, reaches
from bayescluster.names import OUTCOME
from bayescluster.results.claims import ClaimName, Flag
from bayescluster.spec.sets import Sets

EXPRESSION_OF: Final = {"human_capital": HUMAN, "social_capital": SOCIAL}
_NECESSITY: Final[tuple[ClaimName, ...]] = ("N-H", "N-S")
_ALONE: Final[tuple[ClaimName, ...]] = ("I-H", "I-S")


class SetRegion(NamedTuple):
    """A claim as set theory has it.

    ``event`` gives ``(replicate, group)``; ``figure`` the quantity that is reported; ``rests_on`` the
    sets whose members stand behind it; ``flags`` what the observed firms show, by group.
    """

    quantity: str
    region: str
    event: Callable[[Measured], NDArray[np.bool_]]
    figure: Callable[[Measured], Array]
    rests_on: tuple[str, ...]
    flags: Callable[[Measured, int], list[Flag]]


def set_regions(design: Design) -> dict[ClaimName, SetRegion]:
    """Claims about the capitals by name, with the cuts of the analysis."""
    asked = design.analysis.traditions.sets
    found = {name: _necessary(EXPRESSION_OF[CAPITAL_OF[name]], asked) for name in _NECESSITY}
    found |= {name: _insufficient(EXPRESSION_OF[CAPITAL_OF[name]], asked) for name in _ALONE}
    return found | {"J": _sufficient(asked), "C": _conjunction(asked)}


def coded(measured: Sufficiency, asked: Sets) -> NDArray[np.bool_]:
    """Whether sets count as sufficient by the cuts of an analysis."""
    return passes(measured, asked.sufficiency.consistency, asked.sufficiency.pri)


def _necessary(expression: str, asked: Sets) -> SetRegion:
    cuts = asked.necessity

    def event(found: Measured) -> NDArray[np.bool_]:
        mine = found.necessity[expression]
        enough = reaches(mine.consistency, cuts.consistency)
        return enough & reaches(mine.relevance, cuts.relevance)

    def flags(observed: Measured, column: int) -> list[Flag]:
        mine = observed.necessity[expression]
        high = reaches(mine.consistency, cuts.consistency)[0, column]
        return (
            ["trivial"] if high and not reaches(mine.relevance, cuts.relevance)[0, column] else []
        )

    return SetRegion(
        f"necessity consistency of {WORDS[expression]}",
        f"necessary: consistency at least {cuts.consistency:g} and relevance (RoN) at least "
        f"{cuts.relevance:g}",
        event,
        lambda found: found.necessity[expression].consistency,
        (OUTCOME,),
        flags,
    )


def _insufficient(expression: str, asked: Sets) -> SetRegion:
    cuts = asked.sufficiency
    return SetRegion(
        f"sufficiency consistency of {WORDS[expression]}",
        f"not sufficient: consistency below {cuts.consistency:g} or PRI below {cuts.pri:g}",
        lambda found: ~coded(found.sufficiency[expression], asked),
        lambda found: found.sufficiency[expression].consistency,
        (expression,),
        lambda observed, column: _contradictory(observed, expression, column, asked),
    )


def _sufficient(asked: Sets) -> SetRegion:
    cuts = asked.sufficiency
    return SetRegion(
        f"sufficiency consistency of {WORDS[BOTH]}",
        f"sufficient: consistency at least {cuts.consistency:g} and PRI at least {cuts.pri:g}",
        lambda found: coded(found.sufficiency[BOTH], asked),
        lambda found: found.sufficiency[BOTH].consistency,
        (BOTH,),
        lambda observed, column: _contradictory(observed, BOTH, column, asked),
    )


def _conjunction(asked: Sets) -> SetRegion:
    return SetRegion(
        f"sufficiency consistency of {WORDS[BOTH]} less the larger of either without the other",
        "in the solution both capitals together are sufficient and neither is without the other: "
        f"consistency at least {asked.sufficiency.consistency:g} and PRI at least "
        f"{asked.sufficiency.pri:g}",
        lambda found: both_only(found, asked),
        _gain,
        (BOTH, HUMAN_ONLY, SOCIAL_ONLY),
        lambda observed, column: _contradictory(observed, BOTH, column, asked),
    )


def both_only(found: Measured, asked: Sets) -> NDArray[np.bool_]:
    """Whether the complex solution has ``H*S`` as a term of its own, ``(replicate, group)``.

    Two rows of a truth table merge where they differ in one condition: so that term stands exactly
    where its row is coded 1 and the two rows beside it are not. A test holds this to the minimiser.
    """
    of_rows = {
        name: coded(found.sufficiency[name], asked)
        & (found.cases[name] >= max(asked.sufficiency.cases, 1))
        for name in (BOTH, HUMAN_ONLY, SOCIAL_ONLY)
    }
    return of_rows[BOTH] & ~of_rows[HUMAN_ONLY] & ~of_rows[SOCIAL_ONLY]


def _gain(found: Measured) -> Array:
    one_by_one = [found.sufficiency[name].consistency for name in (HUMAN_ONLY, SOCIAL_ONLY)]
    return found.sufficiency[BOTH].consistency - np.maximum(*one_by_one)


def _contradictory(observed: Measured, expression: str, column: int, asked: Sets) -> list[Flag]:
    mine = observed.sufficiency[expression]
    high = reaches(mine.consistency, asked.sufficiency.consistency)[0, column]
    low = mine.pri[0, column] < asked.sufficiency.pri
    return ["contradictory"] if high and low else []
