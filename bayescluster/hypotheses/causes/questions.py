"""Each claim as a probability of causation: its bounds, its region, and the ratios that decide it.

A bound of PN or PS is a ratio of two probabilities, one from each side of the contrast: that of the
outcome or of its absence. So the region of a claim says that one ratio is at most a limit (the bounds
lie wholly in the region), or that another is (they lie at least partly in it), and a confounder
multiplies or divides both by its bounding factor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from bayescluster.arrays import Array
from bayescluster.hypotheses.causes.contrasts import CONTRAST_OF, SIDES
from bayescluster.hypotheses.causes.probabilities import (
    Bounds,
    exogenous,
    monotonic_synergy,
    points,
    ratio,
    synergy,
)
from bayescluster.hypotheses.words import CAPITAL_WORDS
from bayescluster.results.claims import ClaimName
from bayescluster.spec.causes import Causes

Corner = dict[str, Array]

BELOW_ONE: Final = float(np.nextafter(1.0, 0.0))
"""At most this is below 1."""


class Deciding(NamedTuple):
    """Ratios that decide a region, ``(draw, group)``, each at most its limit where it holds."""

    sure: Array
    sure_limit: float
    possible: Array
    possible_limit: float


class Question(NamedTuple):
    """A claim as a probability of causation.

    Attributes
    ----------
    quantity
        Which probability, in words.
    region
        Its region, in words.
    bounds, monotonic
        The bounds, and those under monotonicity, from the corners.
    deciding
        The ratios, with monotonicity or without.
    outcome
        What the confounder would have to make more likely, in words.
    sides
        What it would have to be more frequent among, in words.
    """

    quantity: str
    region: str
    bounds: Callable[[Corner], Bounds]
    monotonic: Callable[[Corner], Bounds]
    deciding: Callable[[Corner, bool], Deciding]
    outcome: str
    sides: str


def question_of(name: ClaimName, asked: Causes) -> Question:
    """Read a claim about corners as a probability of causation."""
    return _MAKERS[name[0]](name, asked)


def _necessity(name: ClaimName, asked: Causes) -> Question:
    exposed, unexposed, own, _ = _sides(name)
    limit = asked.pn_min

    def deciding(corner: Corner, monotone: bool) -> Deciding:
        p1, p0 = corner[exposed], corner[unexposed]
        short = ratio(p0, p1, np.inf)
        if monotone:
            return Deciding(short, 1 - limit, ratio(p0, p1, 0.0), 1 - limit)
        return Deciding(short, 1 - limit, ratio(p1, 1 - p0, 0.0), 1 / limit)

    return Question(
        f"PN of {own}, the other high: where both are high and the outcome comes, it would not have "
        f"come with {own} low",
        f"PN at least {limit:g}",
        lambda corner: exogenous(corner[exposed], corner[unexposed]).pn,
        lambda corner: _pointed(points(corner[exposed], corner[unexposed]).pn),
        deciding,
        "the outcome",
        f"with both high as with {own} low, the other high",
    )


def _insufficiency(name: ClaimName, asked: Causes) -> Question:
    exposed, unexposed, own, other = _sides(name)
    limit = asked.ps_max

    def deciding(corner: Corner, monotone: bool) -> Deciding:
        p1, p0 = corner[exposed], corner[unexposed]
        most = 1 / (1 - limit)
        least = ratio(1 - p0, 1 - p1, 0.0)
        if monotone:
            return Deciding(ratio(1 - p0, 1 - p1, np.inf), most, least, most)
        return Deciding(ratio(p1, 1 - p0, np.inf), limit, least, most)

    return Question(
        f"PS of {own}, the other low: where both are low and the outcome does not come, it would "
        f"with {own} high",
        f"PS at most {limit:g}",
        lambda corner: exogenous(corner[exposed], corner[unexposed]).ps,
        lambda corner: _pointed(points(corner[exposed], corner[unexposed]).ps),
        deciding,
        "the outcome, or its absence,",
        f"with {own} high as with it low, {other} low, or the other way round",
    )


def _sufficiency(name: ClaimName, asked: Causes) -> Question:
    exposed, unexposed, _, _ = _sides(name)
    limit = asked.ps_min

    def deciding(corner: Corner, monotone: bool) -> Deciding:
        p1, p0 = corner[exposed], corner[unexposed]
        short = ratio(1 - p1, 1 - p0, np.inf)
        if monotone:
            return Deciding(short, 1 - limit, ratio(1 - p1, 1 - p0, 0.0), 1 - limit)
        return Deciding(short, 1 - limit, ratio(1 - p0, p1, 0.0), 1 / limit)

    return Question(
        "PS of both capitals: where both are low and the outcome does not come, it would with both "
        "high",
        f"PS at least {limit:g}",
        lambda corner: exogenous(corner[exposed], corner[unexposed]).ps,
        lambda corner: _pointed(points(corner[exposed], corner[unexposed]).ps),
        deciding,
        "the absence of the outcome",
        "with both low as with both high",
    )


def _complements(_: ClaimName, asked: Causes) -> Question:
    least = asked.synergy_min

    def deciding(corner: Corner, monotone: bool) -> Deciding:
        both, first, second, neither = (corner[c] for c in ("HH", "HL", "LH", "LL"))
        beyond = np.maximum(both - least, 0.0)
        larger = np.maximum(first, second)
        if monotone:
            alone = np.maximum(first + second - neither, larger)
            sure, possible = (ratio(part, beyond, np.inf) for part in (alone, larger))
            return Deciding(sure, BELOW_ONE, possible, BELOW_ONE)
        open_to = np.where((both > least) & (1 - larger > least), 0.0, np.inf)
        return Deciding(ratio(first + second, beyond, np.inf), BELOW_ONE, open_to, BELOW_ONE)

    return Question(
        "synergy: share of firms whose outcome comes with both capitals high and with neither alone",
        f"share above {least:g}",
        lambda corner: synergy(corner["HH"], corner["HL"], corner["LH"]),
        lambda corner: monotonic_synergy(*(corner[c] for c in ("HH", "HL", "LH", "LL"))),
        deciding,
        "the outcome",
        "with both capitals high as with one alone",
    )


_MAKERS: Final[dict[str, Callable[[ClaimName, Causes], Question]]] = {
    "N": _necessity,
    "I": _insufficiency,
    "J": _sufficiency,
    "C": _complements,
}
"""By the letter of the claim."""


def _sides(name: ClaimName) -> tuple[str, str, str, str]:
    """Corners with and without the exposure, the capital, and the other one."""
    found = SIDES[CONTRAST_OF[name]]
    human, social = CAPITAL_WORDS["human_capital"], CAPITAL_WORDS["social_capital"]
    own, other = (social, human) if name.endswith("-S") else (human, social)
    return found.exposed, found.unexposed, own, other


def _pointed(value: Array) -> Bounds:
    """A point as bounds; what monotonicity rules out counts as none."""
    cut = np.clip(np.nan_to_num(value), 0.0, 1.0)
    return Bounds(cut, cut)
