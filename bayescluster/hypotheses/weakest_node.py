"""Decisions between options whose worth is uncertain: what is best, how surely, and what an error costs.

An option's worth is its gain, or its gain per unit of cost. The expected loss of an option is what the
best option of each draw would give beyond it, on average; the smallest of these losses, that of the
option with the largest expected worth, is the expected value of perfect information (Raiffa and
Schlaifer 1961).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bayescluster.arrays import Array
from bayescluster.hypotheses.verdicts import decide
from bayescluster.hypotheses.words import CAPITAL_WORDS, percent
from bayescluster.names import CAPITALS

Weakest = Literal["human_capital", "social_capital", "undecided"]
NEAR_SHARE = 0.5
"""Least share of the raised firms that must have another nearby for a gain to count as supported."""


def expected_losses(worth: Array) -> Array:
    """Expected loss of choosing each option, ``(option,)``, from its worth, ``(draw, option)``."""
    return np.asarray((worth.max(axis=1, keepdims=True) - worth).mean(axis=0))


def rank_probabilities(worth: Array) -> Array:
    """Probability of every rank of every option, ``(option, rank)``; rank 1, the largest, first.

    Options of equal worth keep their order, so that rows and columns sum to 1.
    """
    rank = (-worth).argsort(axis=1, kind="stable").argsort(axis=1)
    return np.asarray((rank[:, :, None] == np.arange(worth.shape[1])).mean(axis=0))


def unsupported_because(raised: int, near: float, min_support: int) -> str:
    """Why the gain of an option goes beyond the sample; nothing where it does not."""
    if not raised:
        return "no firm stands below the most that its group supports"
    if raised < min_support:
        return f"only {raised} of its firms can be raised, fewer than {min_support}"
    if near < NEAR_SHARE:
        return (
            f"only {100 * near:.0f}% of the raised firms would have another firm of the group nearby: "
            "the gain would rest on extrapolation"
        )
    return ""


def weakest_of(
    human: NDArray[np.bool_], social: NDArray[np.bool_], level: float, stopped: str
) -> tuple[Weakest, str]:
    """Name the capital whose gain is larger, if that is sure enough; and why.

    Parameters
    ----------
    human, social
        Draws in which the capital is worth more than the other, ``(draw,)``; neither where equal.
    level
        Probability from which a capital is named.
    stopped
        What keeps a verdict from being given, if anything.
    """
    if stopped:
        return "undecided", stopped
    for capital, event in zip(CAPITALS, (human, social), strict=True):
        share = float(event.mean())
        if decide(share, level, "")[0] == "supported":
            named: Weakest = "human_capital" if capital == CAPITALS[0] else "social_capital"
            return named, (
                f"{percent(share)} of the posterior has the larger gain with {CAPITAL_WORDS[capital]}, "
                f"at least the {100 * level:.4g}% asked for."
            )
    return "undecided", (
        f"{percent(float(human.mean()))} of the posterior has the larger gain with human capital: "
        f"neither capital has the {100 * level:.4g}% asked for."
    )
