"""Claims and verdicts in words."""

from __future__ import annotations

from typing import Final

from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.hypotheses.regions import EXPECTED
from bayescluster.spec.base import Scalar
from bayescluster.spec.hypotheses import Difference, Effect, Hypothesis

CAPITAL_WORDS: Final = {"human_capital": "human capital", "social_capital": "social capital"}

CORNER_WORDS: Final = {
    "LL": "both low",
    "HL": "human capital high, social capital low",
    "LH": "human capital low, social capital high",
    "HH": "both high",
}

TITLES: Final = {
    "necessary": "{capital} is necessary",
    "sufficient": "{capital} is sufficient",
    "insufficient": "{capital} alone is not sufficient",
    "necessary_not_sufficient": "{capital} is necessary but not sufficient",
    "joint_sufficiency": "Both capitals together are sufficient",
    "complementarity": "The capitals are complements",
}


def title_of(claim: Hypothesis) -> str:
    """The claim as a sentence without its full stop."""
    capital = CAPITAL_WORDS.get(getattr(claim, "capital", ""), "").capitalize()
    if isinstance(claim, Effect):
        way = "higher" if claim.direction == "positive" else "lower"
        return f"More {capital.lower()} goes with a {way} expected outcome"
    if isinstance(claim, Difference):
        return f"{capital} matters more in the first industry than in the second"
    level = getattr(claim, "at_least", None)
    reaching = "" if level is None else f", for reaching {label_of(level)}"
    return f"{TITLES[claim.kind].format(capital=capital)}{reaching}"


def quantity_of(design: Design, at_least: Scalar | None) -> str:
    """What stands at the corners, in words: ``at_least`` is the level a claim asks for itself."""
    level = design.equation.at_least if at_least is None else at_least
    if level is None:
        return EXPECTED
    return f"probability that {design.quantity} is at least {label_of(level)},"


def reason_of(verdict: str, probability: float, level: float) -> str:
    """Why the probability gives this verdict."""
    share = percent(probability)
    match verdict:
        case "supported":
            return f"{share} of the posterior lies in the region, at least the {_bound(level)} asked for."
        case "rejected":
            return (
                f"{share} of the posterior lies in the region, at most the {_bound(1 - level)} "
                "below which the claim is given up."
            )
        case _:
            return (
                f"{share} of the posterior lies in the region: between {_bound(1 - level)} "
                f"and {_bound(level)} the data do not decide."
            )


def _bound(level: float) -> str:
    """A declared level as per cent, with the digits it was declared with."""
    return f"{100 * level:.4g}%"


def percent(share: float) -> str:
    """A share as per cent, never rounded to certainty."""
    if share > 0.999:
        return "More than 99.9%"
    if share < 0.001:
        return "Less than 0.1%"
    return f"{100 * share:.1f}%"
