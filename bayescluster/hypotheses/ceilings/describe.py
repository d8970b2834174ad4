"""All that is said of one condition and an outcome: ceilings, their measures, bottlenecks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayescluster.hypotheses.ceilings.bottleneck import Need, levels_of, needs
from bayescluster.hypotheses.ceilings.observed import (
    Cases,
    areas,
    unit_cases,
)
from bayescluster.hypotheses.ceilings.permutation import Permuted, permuted
from bayescluster.hypotheses.ceilings.scope import (
    Floats,
    Scope,
    empirical,
    from_unit,
    mirrored_x,
    mirrored_y,
)
from bayescluster.hypotheses.ceilings.shape import TOLERANCE, Shape, shape_of, supports
from bayescluster.results.necessity import (
    BottleneckKind,
    BottleneckRow,
    Box,
    CeilingName,
    CeilingPath,
    CeilingRow,
    CornerName,
    DuplicatePeers,
    Pair,
)

SIZES: tuple[tuple[float, str], ...] = (
    (0.1, "small"),
    (0.3, "medium"),
    (0.5, "large"),
    (np.inf, "very large"),
)
"""Dul's words for d below each bound (2016, p. 30): conventions of his."""
PERCENT = 100.0
DIGITS = 10
"""Decimals of percentages kept: 30%, not 30.000000000000004%."""


class Asked(NamedTuple):
    """What is asked of every pair of condition and outcome.

    Attributes
    ----------
    ceilings
        Ceilings, in order.
    corner
        Corner that is empty where the condition is necessary.
    bottleneck, steps
        Unit of the bottleneck table, and its number of steps from the lowest to the highest level.
    permutations
        Number of permutations; 0 for no test.
    duplicate_peers
        How peers in the same place count in a regression.
    """

    ceilings: tuple[CeilingName, ...] = ("ce_fdh", "cr_fdh")
    corner: CornerName = "upper_left"
    bottleneck: BottleneckKind = "percentage_range"
    steps: int = 10
    permutations: int = 10_000
    duplicate_peers: DuplicatePeers = "unique"


class Observed(NamedTuple):
    """Complete cases of a condition and the outcome, in one group.

    Attributes
    ----------
    condition, group
        What they are called.
    names
        Of the cases. (case,)
    x, y
        Condition and outcome. (case,)
    incomplete
        Number of cases left out.
    declared
        Declared scope, if there is one.
    """

    condition: str
    group: str
    names: Sequence[str]
    x: Floats
    y: Floats
    incomplete: int = 0
    declared: Scope | None = None


def described(observed: Observed, asked: Asked, rng: np.random.Generator) -> Pair:
    """Analyse one condition.

    Raises
    ------
    ValueError
        As `effect_size` does.
    """
    cases = unit_cases(observed.x, observed.y[None, :], asked.corner, observed.declared)
    cases = cases._replace(duplicate_peers=asked.duplicate_peers)
    view = _View(observed, cases, asked, observed.declared or empirical(observed.x, observed.y))
    shapes = {name: shape_of(cases, name) for name in asked.ceilings}
    tests: Mapping[CeilingName, Permuted | None] = (
        permuted(cases, asked.ceilings, asked.permutations, rng) if asked.permutations else {}
    )
    return Pair(
        condition=observed.condition,
        group=observed.group,
        names=tuple(observed.names),
        x=tuple(observed.x.tolist()),
        y=tuple(observed.y.tolist()),
        incomplete=observed.incomplete,
        scope=Box(**view.scope._asdict(), declared=observed.declared is not None),
        ceilings=tuple(_row(view, name, shape, tests.get(name)) for name, shape in shapes.items()),
        paths=tuple(_path(view, name, shape) for name, shape in shapes.items()),
        bottlenecks=tuple(
            row for name, shape in shapes.items() for row in _bottlenecks(view, name, shape)
        ),
    )


def size_of(effect: float) -> str:
    """Dul's word for an effect size."""
    return next(word for bound, word in SIZES if effect < bound)


class _View(NamedTuple):
    observed: Observed
    cases: Cases
    asked: Asked
    scope: Scope

    def x_at(self, u: float) -> float:
        mirrored = mirrored_x(self.asked.corner)
        return from_unit(u, self.scope.xmin, self.scope.xmax, mirrored=mirrored)

    def y_at(self, v: float) -> float:
        mirrored = mirrored_y(self.asked.corner)
        return from_unit(v, self.scope.ymin, self.scope.ymax, mirrored=mirrored)

    def named(self, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
        """Names of cases, along the condition."""
        order = np.argsort(self.cases.u, kind="stable")
        return tuple(self.observed.names[place] for place in order if chosen[place])


def _row(view: _View, name: CeilingName, shape: Shape, test: Permuted | None) -> CeilingRow:
    effect, area = float(areas(view.cases, name)[0]), view.scope.area
    none = np.isnan(effect)
    over = np.zeros(len(view.cases.u), bool)
    if not none:
        over = view.cases.v[0] > shape.height(view.cases.u) + TOLERANCE
    slope, intercept = _line(view, shape)
    return CeilingRow(
        condition=view.observed.condition,
        group=view.observed.group,
        ceiling=name,
        cases=len(over),
        effect_size=None if none else effect,
        size="" if none else size_of(effect),
        p=test.p if test else None,
        p_mcse=test.mcse if test else None,
        independent=test.mean if test else None,
        zone=None if none else effect * area,
        scope=area,
        above=None if none else int(over.sum()),
        accuracy=None if none else float(1 - over.mean()),
        fit=_fit(view.cases, effect),
        slope=slope,
        intercept=intercept,
        **_inefficiencies(shape, area),
        peers=view.named(supports(view.cases, name, shape)),
        outliers=view.named(over),
        note=" ".join(filter(None, (shape.note, _undefined(test)))),
    )


def _undefined(test: Permuted | None) -> str:
    if test is None or not test.undefined:
        return ""
    return (
        f"In {test.undefined} permutations no line can be drawn; they count as at least as large."
    )


def _fit(cases: Cases, effect: float) -> float | None:
    """Share of the effect size of CE-FDH; none above 1, where it is no measure of closeness."""
    whole = float(areas(cases, "ce_fdh")[0])
    if np.isnan(effect) or whole == 0 or effect > whole * (1 + TOLERANCE):
        return None
    return min(effect / whole, 1.0)


def _line(view: _View, shape: Shape) -> tuple[float | None, float | None]:
    """Slope and intercept in the units of condition and outcome."""
    if shape.line is None:
        return None, None
    first, last = (view.y_at(shape.line[0] + shape.line[1] * u) for u in (0.0, 1.0))
    slope = (last - first) / (view.x_at(1.0) - view.x_at(0.0))
    return slope, first - slope * view.x_at(0.0)


def _inefficiencies(shape: Shape, area: float) -> dict[str, float | None]:
    if not len(shape.u):
        return dict.fromkeys(
            f"{kind}_inefficiency" for kind in ("condition", "outcome", "relative", "absolute")
        )
    top = shape.needed(1.0)
    condition = 0.0 if top is None else 1 - top
    outcome = float(shape.v[0])
    relative = condition + outcome - condition * outcome
    return {
        "condition_inefficiency": condition,
        "outcome_inefficiency": outcome,
        "relative_inefficiency": relative,
        "absolute_inefficiency": relative * area,
    }


def _path(view: _View, name: CeilingName, shape: Shape) -> CeilingPath:
    return CeilingPath(
        ceiling=name,
        x=tuple(view.x_at(float(u)) for u in shape.u),
        y=tuple(view.y_at(float(v)) for v in shape.v),
    )


def _bottlenecks(view: _View, name: CeilingName, shape: Shape) -> list[BottleneckRow]:
    shares, outcomes = levels_of(view.asked.bottleneck, view.cases, view.asked.steps)
    level, need = UNITS[view.asked.bottleneck]
    return [
        BottleneckRow(
            condition=view.observed.condition,
            group=view.observed.group,
            ceiling=name,
            level=level(view, float(share)),
            outcome=view.y_at(found.v),
            status=found.status,
            needed=need(view, found) if found.status == "needed" else None,
            value=view.x_at(found.u) if found.status == "needed" else None,
            short=found.short,
        )
        for share, found in zip(shares, needs(view.cases, shape, outcomes), strict=True)
    ]


def _percent(share: float, *, mirrored: bool) -> float:
    return round(PERCENT * (1 - share if mirrored else share), DIGITS)


def _share_level(view: _View, share: float) -> float:
    return _percent(share, mirrored=mirrored_y(view.asked.corner))


UNITS: Mapping[
    BottleneckKind, tuple[Callable[[_View, float], float], Callable[[_View, Need], float]]
] = {
    "percentage_range": (
        _share_level,
        lambda view, need: _percent(need.u, mirrored=mirrored_x(view.asked.corner)),
    ),
    "actual": (
        lambda view, share: view.y_at(share),
        lambda view, need: view.x_at(need.u),
    ),
    "percentile": (
        _share_level,
        lambda view, need: _percent(need.short / len(view.cases.u), mirrored=False),
    ),
}
"""Level and need in the unit of each kind of bottleneck table."""
