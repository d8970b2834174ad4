"""Probabilities of necessity and sufficiency from two probabilities of the outcome.

``exposed`` is the probability of the outcome were every firm of the group exposed, ``unexposed`` were
none. PN is the probability that the outcome would not have come without the exposure, among those
for whom it comes with it; PS that it would come with the exposure, among those for whom it does not
come without; PNS that it comes with and only with the exposure.

Sources: Tian and Pearl (2000), Annals of Mathematics and Artificial Intelligence 28: 287-313;
VanderWeele and Robins (2008), Biometrika 95: 49-61, for synergy.

How strong an unmeasured confounder must be to change what the bounds imply.

A confounder is described by two risk ratios: how much more frequent it is on one side of a contrast
than on the other, and how many times more likely it makes the outcome (or its absence). With both,
any ratio of probabilities from the two sides is off by at most the bounding factor. Here the ratio is
that for firms at the two levels compared, and the confounder is as strong in every stratum of the
controls.

Sources: Ding and VanderWeele (2016), Epidemiology 27: 368-377; VanderWeele and Ding (2017), Annals of
Internal Medicine 167: 268-274.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayescluster.arrays import Array
from bayescluster.dataset.values import label_of
from bayescluster.design.record import Design
from bayescluster.estimands.effects import Own, Setting, expected_outcome, outcome_surface
from bayescluster.estimands.levels import CORNERS, Levels, levels_of
from bayescluster.features.causes.results import Benchmark, Contrast
from bayescluster.features.causes.spec import Experiment
from bayescluster.model.evaluate import Draws
from bayescluster.names import CAPITALS, CONTROL_BASE
from bayescluster.results.claims import ClaimName
from bayescluster.spec.equation import ColumnControl, Control, ProductControl
from bayescluster.spec.hypotheses import (
    By,
    Complementarity,
    Corners,
    JointSufficiency,
    Necessary,
    NotSufficient,
    Scope,
)
from bayescluster.verdicts.claims import declared_claim
from bayescluster.verdicts.evidence import Evidence
from bayescluster.verdicts.regions import CornerClaim


class Bounds(NamedTuple):
    """Least and largest value that the probabilities allow; arrays of one shape."""

    lower: Array
    upper: Array


class Causation(NamedTuple):
    """Bounds of the three probabilities of causation."""

    pn: Bounds
    ps: Bounds
    pns: Bounds


class Points(NamedTuple):
    """The three probabilities under exogeneity and monotonicity; NaN where none is defined.

    Negative where the exposed have the outcome less often: monotonicity does not hold there.
    """

    pn: Array
    ps: Array
    pns: Array


def ratio(top: ArrayLike, bottom: ArrayLike, empty: float) -> Array:
    """Divide; infinite where only the divisor is 0, ``empty`` where both are."""
    above, below = np.broadcast_arrays(np.asarray(top, float), np.asarray(bottom, float))
    without = np.where(above > 0, np.inf, empty)
    with np.errstate(over="ignore"):  # by a divisor near 0: infinite as well
        return np.asarray(np.divide(above, below, out=without, where=below > 0))


def points(exposed: ArrayLike, unexposed: ArrayLike) -> Points:
    """PN, PS and PNS under exogeneity and monotonicity."""
    p1, p0 = np.broadcast_arrays(np.asarray(exposed, float), np.asarray(unexposed, float))
    gain = p1 - p0
    nothing = np.full(gain.shape, np.nan)
    with np.errstate(over="ignore"):  # by a divisor near 0: infinite
        pn = np.divide(gain, p1, out=nothing.copy(), where=p1 > 0)
        ps = np.divide(gain, 1 - p0, out=nothing.copy(), where=p0 < 1)
    return Points(pn, ps, gain)


def exogenous(exposed: ArrayLike, unexposed: ArrayLike) -> Causation:
    """Bounds of PN, PS and PNS under exogeneity only.

    A probability given an event that does not happen is bounded by 0 and 1.
    """
    p1, p0 = np.broadcast_arrays(np.asarray(exposed, float), np.asarray(unexposed, float))
    pns = within(np.maximum(0.0, p1 - p0), np.minimum(p1, 1 - p0))
    pn = within(1 - ratio(p0, p1, 1.0).clip(0, 1), ratio(1 - p0, p1, 1.0))
    ps = within(1 - ratio(1 - p1, 1 - p0, 1.0).clip(0, 1), ratio(p1, 1 - p0, 1.0))
    return Causation(pn, ps, pns)


def synergy(both: ArrayLike, first: ArrayLike, second: ArrayLike) -> Bounds:
    """Share for whom the outcome comes with both exposures and with neither one alone."""
    p11, p10, p01 = (np.asarray(p, float) for p in (both, first, second))
    return within(p11 - p10 - p01, np.minimum(p11, 1 - np.maximum(p10, p01)))


def monotonic_synergy(
    both: ArrayLike, first: ArrayLike, second: ArrayLike, neither: ArrayLike
) -> Bounds:
    """The same where neither exposure ever prevents the outcome."""
    p11, p10, p01, p00 = (np.asarray(p, float) for p in (both, first, second, neither))
    return within(p11 - p10 - p01 + p00, p11 - np.maximum(p10, p01))


def within(lower: Array, upper: Array) -> Bounds:
    """Bounds cut to 0 and 1, in order whatever the last digits."""
    top = np.clip(upper, 0.0, 1.0)
    return Bounds(np.minimum(np.clip(lower, 0.0, 1.0), top), top)


class Sides(NamedTuple):
    """Corners (human, then social) with and without the exposure, and the exposure in words."""

    exposed: str
    unexposed: str
    words: str


SIDES: Final[dict[Contrast, Sides]] = {
    "human_given_high": Sides("HH", "LH", "human capital high, against low; social capital high"),
    "social_given_high": Sides("HH", "HL", "social capital high, against low; human capital high"),
    "human_given_low": Sides("HL", "LL", "human capital high, against low; social capital low"),
    "social_given_low": Sides("LH", "LL", "social capital high, against low; human capital low"),
    "both": Sides("HH", "LL", "both capitals high, against both low"),
}
"""The contrasts, in the order of the report."""

CONTRAST_OF: Final[dict[ClaimName, Contrast]] = {
    "N-H": "human_given_high",
    "N-S": "social_given_high",
    "I-H": "human_given_low",
    "I-S": "social_given_low",
    "J": "both",
    "D-H": "human_given_high",
    "D-S": "social_given_high",
}
"""The contrast that a claim is about; complements are about all four corners."""

_KINDS: Final[dict[ClaimName, type[CornerClaim]]] = {
    "N-H": Necessary,
    "N-S": Necessary,
    "I-H": NotSufficient,
    "I-S": NotSufficient,
    "J": JointSufficiency,
    "C": Complementarity,
    "D-H": Necessary,
    "D-S": Necessary,
}
"""The claim about corners that has the levels at which a claim is read."""


class Place(NamedTuple):
    """At which levels, for whom, and on how many firms a claim is read."""

    levels: Levels
    scope: Scope
    min_support: int


def place_of(design: Design, name: ClaimName, by: By) -> Place:
    """Levels and scope of the claim as declared, unless the block of causes has its own levels."""
    declared: Corners = declared_claim(design, name, _KINDS[name]) or Corners()
    options = design.analysis.traditions.causes
    own = {
        key: value
        for key, value in (
            ("low", options.low),
            ("high", options.high),
            ("anchors", options.anchors),
        )
        if value not in (None, {})
    }
    levels = levels_of(design, declared.model_copy(update=own))
    return Place(levels, "observed" if by == "cluster" else declared.scope, declared.min_support)


def contrast_place(design: Design, contrast: Contrast, by: By) -> Place:
    """Where a contrast is read: as the claim that rests on it."""
    name = next(name for name, of in CONTRAST_OF.items() if of == contrast)
    return place_of(design, name, by)


def corners_of(name: ClaimName) -> tuple[str, ...]:
    """Corners that a claim rests on."""
    if name == "C":
        return CORNERS
    sides = SIDES[CONTRAST_OF[name]]
    return sides.exposed, sides.unexposed


def corner_draws(evidence: Evidence, place: Place, source: str) -> dict[str, Array]:
    """Probability of the outcome at the corners, ``(draw, group)``; never beyond 0 and 1."""
    corners = evidence.surface(place.scope, place.levels, source).corners
    # averages of probabilities can leave 0 and 1 by their last digits
    return {corner: np.clip(values, 0.0, 1.0) for corner, values in corners.items()}


def fewest_near(evidence: Evidence, place: Place, corners: tuple[str, ...], column: int) -> int:
    """Effective number of firms around the corner of these that has the fewest, rounded down."""
    near = dict(zip(CORNERS, evidence.support(place.levels).firms, strict=True))
    return int(min(near[corner][column] for corner in corners))


def unsupported(evidence: Evidence, place: Place, corners: tuple[str, ...], column: int) -> str:
    """Say which support a claim lacks; nothing where it lacks none."""
    few = fewest_near(evidence, place, corners, column)
    if few < place.min_support:
        return (
            f"Only {few} firms are near a corner that is compared, fewer than "
            f"{place.min_support}: the probabilities would rest on extrapolation."
        )
    behind = evidence.behind_gates
    firms = min((float(behind[c][:, column].mean()) for c in corners if c in behind), default=None)
    if firms is not None and firms < place.min_support:
        return (
            f"The gates put {firms:.1f} firms behind a corner that is compared, fewer than "
            f"{place.min_support}: the probabilities would rest on their prior."
        )
    return ""


ROUNDING = 1e-9
"""How far a probability may lie beyond a bound that it equals but for its last digits."""


class Experimental(NamedTuple):
    """Probability of the outcome were all treated, and were none."""

    treated: ArrayLike
    control: ArrayLike


class Observed(NamedTuple):
    """Shares of the four kinds of units in the observational sample; they sum to 1."""

    exposed_with: ArrayLike
    exposed_without: ArrayLike
    unexposed_with: ArrayLike
    unexposed_without: ArrayLike


class ArmsError(ValueError):
    """The experiment and the observations cannot be of the same population."""


def consistent(experiment: Experimental, seen: Observed) -> Array:
    """Whether the two arms can be of one population, element by element.

    Of the exposed, the outcome with exposure is seen; the unexposed may all have it or none.
    """
    fits = [
        (low <= value + ROUNDING) & (value <= high + ROUNDING)
        for _, value, low, high in _limits(experiment, seen)
    ]
    return np.asarray(np.logical_and(*fits))


def contradictions(experiment: Experimental, seen: Observed) -> tuple[str, ...]:
    """What the experiment says that the observations rule out, in words; for single numbers."""
    return tuple(
        f"the outcome under {name} has probability {float(value):.4g} in the experiment, but the "
        f"observations allow {float(low):.4g} to {float(high):.4g}"
        for name, value, low, high in _limits(experiment, seen)
        if not low - ROUNDING <= value <= high + ROUNDING
    )


def combined(experiment: Experimental, seen: Observed) -> Causation:
    """Sharp bounds of PN, PS and PNS from both arms; arrays broadcast.

    Raises
    ------
    ArmsError
        If the arms contradict each other anywhere.
    """
    if not consistent(experiment, seen).all():
        reasons = contradictions(experiment, seen) if np.ndim(experiment.treated) == 0 else ()
        raise ArmsError("; ".join(reasons) or "the experiment contradicts the observations")
    y1, y0 = (np.asarray(p, float) for p in experiment)
    xy, xn, oy, on = (np.asarray(p, float) for p in seen)
    y = xy + oy
    pns = within(
        np.max(np.broadcast_arrays(np.zeros_like(y), y1 - y0, y - y0, y1 - y), axis=0),
        np.min(np.broadcast_arrays(y1, 1 - y0, xy + on, y1 - y0 + xn + oy), axis=0),
    )
    pn = _share(y - y0, 1 - y0 - on, xy)
    ps = _share(y1 - y, y1 - xy, on)
    return Causation(pn, ps, pns)


def harm(experiment: Experimental, pns: Bounds) -> Bounds:
    """Bounds of the share for whom the outcome comes only without treatment, from those of PNS."""
    gain = np.asarray(experiment.treated, float) - np.asarray(experiment.control, float)
    return within(pns.lower - gain, pns.upper - gain)


def _limits(experiment: Experimental, seen: Observed) -> Iterator[tuple[str, Array, Array, Array]]:
    xy, xn, oy, on = (np.asarray(p, float) for p in seen)
    yield "treatment", np.asarray(experiment.treated, float), xy, 1 - xn
    yield "control", np.asarray(experiment.control, float), oy, 1 - on


def _share(low: Array, high: Array, of: Array) -> Bounds:
    """Bounds of a part of ``of``; 0 and 1 where there is nothing to be a part of."""
    lower = ratio(np.maximum(low, 0.0), of, 0.0)
    return within(np.where(of > 0, lower, 0.0), ratio(np.maximum(high, 0.0), of, 1.0))


ARM_DRAWS: Final = 4000
MIDDLE: Final = 0.5
"""Firms at least this share of the way from low to high count as exposed."""


class Arms(NamedTuple):
    """The two arms."""

    experiment: Experimental
    seen: Observed


def outcome_shares(design: Design) -> Array:
    """How much of the outcome each row has, 0 to 1, ``(row,)``; NaN where it is not known."""
    outcome, equation = design.outcome, design.equation
    if equation.at_least is not None:
        wanted = label_of(equation.at_least)
        limit = design.levels.index(wanted) if design.levels else float(equation.at_least)
        return np.asarray(np.where(np.isnan(outcome), np.nan, outcome >= limit), dtype="float64")
    trials = design.rows.trials
    return outcome if trials is None else np.asarray(outcome / trials, dtype="float64")


def observed_cells(design: Design, levels: Levels, capital: str) -> Array:
    """Effective counts of firms by exposure and outcome, ``(cell,)``.

    Rows of one firm count as one; weighted rows count as many as their weights are worth (Kish).
    """
    values = design.capitals[CAPITALS.index(capital)]
    low, high = (levels.human, levels.social)[CAPITALS.index(capital)]
    shares = outcome_shares(design)
    usable = np.isfinite(values) & np.isfinite(shares)
    exposed = (values[usable] - low) / (high - low) >= MIDDLE
    weights = (design.weights.average if design.weights else np.ones(design.size))[usable]
    worth = weights.sum() ** 2 / (weights**2).sum() if usable.any() else 0.0
    firms: NDArray[np.int64] = np.unique(design.firms[usable])
    part = np.array(
        [
            (weights * side * with_it).sum()
            for side in (exposed, ~exposed)
            for with_it in (shares[usable], 1 - shares[usable])
        ]
    )
    return np.asarray(part / max(part.sum(), np.finfo(float).tiny) * min(worth, firms.size))


def posterior_arms(experiment: Experiment, cells: Array, rng: np.random.Generator) -> Arms:
    """Draws of both arms, each with a uniform prior, ``(draw,)`` each."""
    treated, control = (
        rng.beta(arm.events + 1, arm.firms - arm.events + 1, ARM_DRAWS)
        for arm in (experiment.treated, experiment.control)
    )
    seen = rng.dirichlet(cells + 1, ARM_DRAWS).T
    return Arms(Experimental(treated, control), Observed(*seen))


def plain_arms(experiment: Experiment, cells: Array) -> Arms:
    """Both arms by their observed shares."""
    treated, control = (arm.events / arm.firms for arm in (experiment.treated, experiment.control))
    shares = cells / max(cells.sum(), np.finfo(float).tiny)
    return Arms(Experimental(treated, control), Observed(*map(float, shares)))


DEGREE_ROUNDING: Final = 1e-12
"""Firms this close to the overall probability are at it: its last digits are chance."""


class Degrees(NamedTuple):
    """Degrees of necessity and of sufficiency, of one shape; NaN for groups without firms."""

    necessity: Array
    sufficiency: Array


def degrees(probabilities: Array, weights: Array) -> Degrees:
    """Degrees from the probability of each firm.

    The degree of necessity is the mean, over firms below the overall probability, of how far they are
    below it, as a share of it: 1 where the outcome never comes to them. The degree of sufficiency is
    the mean, over firms above it, of how far they are above, as a share of the way to 1.

    Parameters
    ----------
    probabilities
        ``(draw, row)``.
    weights
        Averaging weights, ``(row, group)``, each column summing to 1, or to 0 for an empty group.

    Returns
    -------
    Degrees
        ``(draw, group)`` each.
    """
    size = (len(probabilities), weights.shape[1])
    result = Degrees(np.full(size, np.nan), np.full(size, np.nan))
    for column, weight in enumerate(weights.T):
        rows = np.flatnonzero(weight)
        if rows.size:
            some, share = probabilities[:, rows], weight[rows]
            overall = (some @ share)[:, None]  # (draw, 1)
            result.necessity[:, column] = _below(some, overall, share)
            result.sufficiency[:, column] = _below(1 - some, 1 - overall, share)
    return result


def _below(some: Array, overall: Array, share: Array) -> Array:
    """Mean shortfall of those below the overall probability, as a share of it, ``(draw,)``."""
    short = np.maximum(overall - some, 0.0)
    short[short < DEGREE_ROUNDING] = 0.0
    counted = (short > 0) @ share
    wanted = counted * overall[:, 0]
    return np.divide(short @ share, wanted, out=np.zeros(len(some)), where=wanted > 0)


KNOTS: Final = 13
"""Levels of a capital between which the average probability is taken to be a straight line."""


def firm_probabilities(design: Design, draws: Draws) -> Array:
    """Probability of the outcome of every row as it is, ``(draw, row)``."""
    rows = np.arange(design.size)
    out = np.empty((draws.size, design.size))
    for which, part in draws.for_rows(rows).chunks(rows.size):
        own = part.capitals or design.capitals
        out[which] = expected_outcome(design, part, own, own, rows)
    return np.clip(out, 0.0, 1.0)


def degrees_of_all(design: Design, draws: Draws, weights: Array) -> Degrees:
    """Degrees of all that makes firms differ, ``(draw, group)`` each."""
    return degrees(firm_probabilities(design, draws), weights)


def degrees_of_capital(design: Design, draws: Draws, weights: Array, capital: str) -> Degrees:
    """Degrees of one capital: firms differ in it only, all else averaged over their group.

    Returns
    -------
    Degrees
        ``(draw, group)`` each.
    """
    position = CAPITALS.index(capital)
    own = (draws.capitals or design.capitals)[position]
    own = own if own.ndim == 2 else own[None, :]  # (draw or 1, row)
    low, high = float(own.min()), float(own.max())
    levels = np.linspace(low, high, 2 if design.is_binary(capital) else KNOTS)
    settings = [
        Setting(level, Own()) if position == 0 else Setting(Own(), level)
        for level in map(float, levels)
    ]
    mean = outcome_surface(design, draws, settings, weights)  # (draw, level, group)
    place = (own - low) / max(high - low, np.finfo(float).tiny) * (len(levels) - 1)
    below = np.clip(place.astype("int64"), 0, len(levels) - 2)
    parts = [
        degrees(_between(mean[:, :, [group]], below, place), weights[:, [group]])
        for group in range(weights.shape[1])
    ]
    return Degrees(*map(np.hstack, zip(*parts, strict=True)))


def _between(mean: Array, below: NDArray[np.int64], place: Array) -> Array:
    """Average probability at the capital of every row, ``(draw, row)``, from its levels."""
    curve = np.clip(mean[:, :, 0], 0.0, 1.0)  # (draw, level)
    at = np.broadcast_to(below, (len(curve), below.shape[1]))
    lower = np.take_along_axis(curve, at, axis=1)
    upper = np.take_along_axis(curve, at + 1, axis=1)
    return np.asarray(lower + (place - below) * (upper - lower))


WEAK: Final = 1.5
"""A verdict that a confounder below this strength overturns is marked. A convention of this program:
VanderWeele and Ding (2017) set no limit, and advise to compare with the controls that are measured."""

STRENGTHS: Final = tuple(round(float(s), 3) for s in np.geomspace(1.0, 10.0, 17))
"""Risk ratios of the grid, for both parts of a confounder; no association to very strong."""

SHARE_ROUNDING: Final = 1e-9
"""A count of draws is at its limit whatever the last digits of the level."""


def bounding_factor(outcome: ArrayLike, exposure: ArrayLike) -> Array:
    """Most by which a confounder can change a ratio of probabilities."""
    u, e = np.asarray(outcome, float), np.asarray(exposure, float)
    return np.asarray(u * e / (u + e - 1))


def e_value(ratio: float) -> float:
    """Strength of the weakest confounder, alike in both its parts, that explains a ratio away.

    Parameters
    ----------
    ratio
        Estimate divided by what it would have to be; below 1 its inverse is taken.
    """
    if ratio <= 0 or math.isinf(ratio):
        return math.inf
    beyond = max(ratio, 1 / ratio)
    return beyond + math.sqrt(beyond * (beyond - 1))


def e_value_of_limit(low: float, high: float) -> float:
    """E-value of the limit of an interval that is closest to no association; 1 inside it."""
    if low <= 1 <= high:
        return 1.0
    return e_value(low if low > 1 else high)


def factor_to_undo(ratios: Array, limit: float, level: float) -> float:
    """Largest factor by which all ratios may grow, with ``level`` of them still at most ``limit``.

    Parameters
    ----------
    ratios
        Ratio at each draw, ``(draw,)``.
    limit
        The region is a ratio of at most this.
    level
        Share of the draws that makes the verdict.
    """
    needed = math.ceil(level * ratios.size - SHARE_ROUNDING)  # draws that must stay inside
    return _divided(limit, float(np.sort(ratios)[needed - 1]))


def factor_to_reach(ratios: Array, limit: float, level: float) -> float:
    """Largest factor by which all ratios may shrink, with no more than ``1 - level`` at the limit."""
    allowed = math.floor((1 - level) * ratios.size + SHARE_ROUNDING)  # draws that may be inside
    return _divided(float(np.sort(ratios)[allowed]), limit)


def _divided(top: float, bottom: float) -> float:
    if math.isinf(top) or bottom == 0:
        return math.inf
    return 0.0 if math.isinf(bottom) else top / bottom


def over_grid(ratios: Array, limit: float, *, against: bool) -> tuple[tuple[float, ...], ...]:
    """Share of the draws in a region under each confounder of the grid.

    Parameters
    ----------
    ratios
        Ratio at each draw, ``(draw,)``.
    limit
        The region is a ratio of at most this.
    against
        Whether the confounder takes draws out of the region; else it brings them in.

    Returns
    -------
    tuple
        By strength with the outcome, then with the exposure.
    """
    factor = bounding_factor(np.array(STRENGTHS)[:, None], np.array(STRENGTHS))
    limits = limit / factor if against else limit * factor
    ordered = np.sort(ratios)
    share = np.searchsorted(ordered, limits, side="right") / ordered.size
    return tuple(tuple(float(cell) for cell in row) for row in share)


QUANTILES: Final = (0.1, 0.9)
"""From where to where a control goes that is not yes or no."""


def benchmarks(design: Design, draws: Draws) -> tuple[Benchmark, ...]:
    """Risk ratios of the controls that enter as one plain column, strongest first.

    Nothing where other equations are upstream: a control may act through these as well.
    """
    weights = design.weights.average if design.weights is not None else np.ones(design.size)
    rows = () if draws.upstream else _benchmarks(design, draws, weights / weights.sum())
    return tuple(sorted(rows, key=lambda one: -max(one.outcome, one.absence)))


def _benchmarks(design: Design, draws: Draws, weights: Array) -> Iterator[Benchmark]:
    for position in _plain(design, draws):
        column = design.controls[:, position]
        binary = bool(np.isin(column, (0.0, 1.0)).all())
        ends = np.quantile(column, (0, 1) if binary else QUANTILES)
        low, high = (
            float((firm_probabilities(_set(design, position, end), draws) @ weights).mean())
            for end in ends
        )
        yield Benchmark(
            control=design.control_names[position],
            change="no to yes" if binary else "10th to 90th percentile",
            outcome=_turned(high, low),
            absence=_turned(1 - high, 1 - low),
        )


def _plain(design: Design, draws: Draws) -> Iterator[int]:
    """Positions of controls that are one column each, complete, and in no product."""
    listed = [_declared(control) for control in design.equation.controls]
    columns = [one.column for one in listed if isinstance(one, ColumnControl)]
    factors = {name for one in listed if isinstance(one, ProductControl) for name in one.product}
    for one in listed:
        if not isinstance(one, ColumnControl) or columns.count(one.column) > 1 or one.monotonic:
            continue
        coded = one.column if one.transform == "none" else f"{one.transform}({one.column})"
        if coded not in design.control_names or factors & {one.column, coded}:
            continue
        position = design.control_names.index(coded)
        if coded not in draws.imputed and not np.isnan(design.controls[:, position]).any():
            yield position


def _declared(control: Control) -> ColumnControl | ProductControl:
    return ColumnControl(column=control) if isinstance(control, str) else control


def _set(design: Design, position: int, value: float) -> Design:
    """The design with one control at the same value for every firm."""
    bases = design.data[CONTROL_BASE].copy(deep=True)
    bases[:, position] = value
    return replace(design, data=design.data.assign({CONTROL_BASE: bases}))


def _turned(first: float, second: float) -> float:
    return max(first, second) / max(min(first, second), np.finfo(float).tiny)
