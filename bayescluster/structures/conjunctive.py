"""Two soft gates: a leaky noisy-AND of the capitals.

The plane of the capitals has four corners, each with an expected outcome of its own. A gate for each
capital gives how far it is high: ``g = logistic(steepness * (capital - threshold))``. The expected
outcome is the mean of the corners, weighted by the gates. Nothing forces the corners into an order:
substitution, or a capital that hurts, can be found too.

What shifts the level of a firm (controls, effects of its cluster) shifts all its corners on the
scale of the link. An ordinal outcome has no mean of its own to mix: there the corners are mixed on
the scale of the linear predictor, against the corner where both are low.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bayescluster import names
from bayescluster.structures.arithmetic import mixture, natural, sigmoid
from bayescluster.structures.record import AtLevels, Structure

CORNERS = (names.NEITHER, names.HUMAN_ONLY, names.SOCIAL_ONLY, names.BOTH)


def gates(human: Any, social: Any, coefficients: Mapping[str, Any]) -> tuple[Any, Any]:
    """How far each gate is open, on the logit scale."""
    steepness = natural(coefficients[names.HUMAN_STEEPNESS], "positive")
    human_gate = steepness * (human - coefficients[names.HUMAN_THRESHOLD])
    steepness = natural(coefficients[names.SOCIAL_STEEPNESS], "positive")
    return human_gate, steepness * (social - coefficients[names.SOCIAL_THRESHOLD])


def corner_weights(human: Any, social: Any, coefficients: Mapping[str, Any]) -> dict[str, Any]:
    """Weight of each corner; the weights of a firm sum to 1."""
    human_gate, social_gate = gates(human, social, coefficients)
    opened = sigmoid(human_gate), sigmoid(social_gate)
    shut = sigmoid(-human_gate), sigmoid(-social_gate)
    return {
        names.NEITHER: shut[0] * shut[1],
        names.HUMAN_ONLY: opened[0] * shut[1],
        names.SOCIAL_ONLY: shut[0] * opened[1],
        names.BOTH: opened[0] * opened[1],
    }


def _prepared(coefficients: Mapping[str, Any], link: str) -> AtLevels:
    corners = {name: coefficients[name] + coefficients[names.INTERCEPT] for name in CORNERS}
    mean = mixture(corners, link)
    return lambda human, social: mean(corner_weights(human, social, coefficients))


CONJUNCTIVE = Structure(
    name="conjunctive",
    terms=(
        names.INTERCEPT,
        *CORNERS,
        names.HUMAN_THRESHOLD,
        names.HUMAN_STEEPNESS,
        names.SOCIAL_THRESHOLD,
        names.SOCIAL_STEEPNESS,
    ),
    contribution=lambda human, social, c, link: _prepared(c, link)(human, social),
    prepared=_prepared,
    formula="E[Y] = neither (1-gH)(1-gS) + human_only gH (1-gS) + social_only (1-gH) gS + both gH gS, "
    "gH = logistic(aH (H - tH)), gS = logistic(aS (S - tS))",
    level=names.NEITHER,
    varying=CORNERS,
)
